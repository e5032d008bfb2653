#include "redis/connection.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <deque>
#include <iterator>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "core/failpoint.hpp"
#include "core/fault.hpp"
#include "core/waiter.hpp"
#include "redis/keeper.hpp"

namespace al::redis {
namespace {

/// What a server says that is not, or no longer, the one to talk to.
constexpr std::array<std::string_view, 4> leave_codes{"READONLY", "LOADING", "MASTERDOWN", "NOAUTH"};
/// What passes by itself.
constexpr std::array<std::string_view, 7> passing_codes{"BUSY",       "TRYAGAIN", "CLUSTERDOWN", "OOM",
                                                        "NOREPLICAS", "MISCONF",  "UNBLOCKED"};

std::string_view code_of(std::string_view refusal) { return refusal.substr(0, refusal.find(' ')); }

bool must_leave(std::string_view refusal) {
  return std::ranges::find(leave_codes, code_of(refusal)) != leave_codes.end();
}

Error error_of(std::string_view refusal) {
  auto const code = code_of(refusal);
  if (must_leave(refusal) || std::ranges::find(passing_codes, code) != passing_codes.end())
    return {.code = Code::unavailable, .message = "Redis cannot do this now: " + std::string(code) + "."};
  // "ERR unknown command 'x', with args beginning with: …": arguments are data, and may be secrets.
  auto const words = refusal.substr(0, refusal.find(", with args"));
  return {.code = Code::internal, .message = "Redis refused a command.", .where = std::string(words)};
}

/// What a test planted here, as the failure that it stands for.
Result<void> reach([[maybe_unused]] std::string_view name) {
  try {
    AL_FAILPOINT(name);
  } catch (Unavailable const& fault) {
    return fail(Code::unavailable, fault.what());
  }
  return {};
}

using WaiterPtr = std::shared_ptr<Waiter<Result<Reply>>>;

/// A command and who waits for its answer.
struct Call {
  std::string bytes;  ///< kept while it may have to be sent (again)
  std::size_t size = 0;
  bool is_repeatable = false;
  WaiterPtr waiter;  ///< null when the answer is of no interest any more
  SteadyTime limit;
  SteadyTime sent_at{};

  [[nodiscard]] bool is_wanted() const { return waiter && !waiter->has_left(); }
};

}  // namespace

struct Connection::State final : LinkUser, std::enable_shared_from_this<State> {
  State(asio::any_io_executor const& executor, Options options, Random& random, ConnectionLimits chosen)
      : executor(executor),
        limits(chosen),
        keeper(executor, "redis.connection", std::move(options), chosen.reply, random),
        timer(executor) {}

  [[nodiscard]] std::optional<Error> refusal(Command const& command, Deadline deadline) const;
  void submit(Command command, SteadyTime limit, WaiterPtr waiter);
  void close();

  void on_open(std::shared_ptr<Link> const& opened) override;
  void on_reply(Reply reply) override;
  void on_lost(std::string const& reason, bool is_away) override;
  void on_failure(Error const& error) override;

  void hand_over(Call call);
  void finish(Call& call, Result<Reply> reply);
  void answer(Call& call, Result<Reply> reply);
  void fail_waiting(Error const& error);
  void wake();

  void watch(SteadyTime at);
  void look_at_limits();
  [[nodiscard]] std::optional<SteadyTime> overdue_at() const;

  asio::any_io_executor executor;
  ConnectionLimits const limits;
  LinkKeeper keeper;
  std::shared_ptr<Link> link;  ///< null while there is no connection
  std::deque<Call> waiting;    ///< for a connection
  std::deque<Call> in_flight;  ///< sent, or about to be; in the order of their answers
  std::size_t bytes = 0;       ///< of both
  std::optional<Error> away;   ///< why calls fail at once; none: they wait for the attempt under way
  std::uint64_t connects = 0;
  std::uint64_t losses = 0;

  std::vector<WaiterPtr> ready;  ///< with their answers
  asio::steady_timer timer;      ///< for the earliest limit of a call, or an overdue answer
  std::optional<SteadyTime> armed_for;
};

// ---- calls ----

std::optional<Error> Connection::State::refusal(Command const& command, Deadline deadline) const {
  auto const size = command.bytes().size();
  if (size == 0 || size > limits.bytes_max)
    return Error{.code = Code::payload_too_large, .message = "The command is too large for Redis."};
  if (away)
    return away;
  if (waiting.size() + in_flight.size() >= limits.commands_max || bytes + size > limits.bytes_max)
    return Error{.code = Code::unavailable, .message = "Too many commands wait for Redis."};
  if (deadline.left() <= SteadyTime::duration::zero())
    return Error{.code = Code::timed_out, .message = "The deadline passed before Redis was asked."};
  return std::nullopt;
}

void Connection::State::submit(Command command, SteadyTime limit, WaiterPtr waiter) {
  bool const is_repeatable = command.is_repeatable();
  Call call{
      .bytes = std::move(command).bytes(), .is_repeatable = is_repeatable, .waiter = std::move(waiter), .limit = limit};
  call.size = call.bytes.size();
  bytes += call.size;
  if (link && link->is_open()) {
    hand_over(std::move(call));
  } else {
    waiting.push_back(std::move(call));
  }
  watch(limit);
  keeper.start(shared_from_this());
}

void Connection::State::hand_over(Call call) {
  link->send(call.bytes);
  if (!call.is_repeatable)
    call.bytes = {};
  call.sent_at = std::chrono::steady_clock::now();
  in_flight.push_back(std::move(call));
}

/// Whoever calls this takes the call from its queue.
void Connection::State::finish(Call& call, Result<Reply> reply) {
  bytes -= call.size;
  answer(call, std::move(reply));
}

void Connection::State::answer(Call& call, Result<Reply> reply) {
  if (!call.is_wanted())
    return;
  call.waiter->set(std::move(reply));
  ready.push_back(std::exchange(call.waiter, nullptr));
  if (ready.size() == 1)
    asio::post(executor, [self = shared_from_this()] { self->wake(); });
}

/// All callers whose answers came together go on together. Not from within the reading: a caller may destroy us.
void Connection::State::wake() {
  for (auto const& waiter : std::exchange(ready, {}))
    waiter->resume();
}

void Connection::State::fail_waiting(Error const& error) {
  for (auto& call : std::exchange(waiting, {}))
    finish(call, fail(error));
}

void Connection::State::close() {
  keeper.stop();
  timer.cancel();
  link = nullptr;
  away = Error{.code = Code::unavailable, .message = "The connection to Redis is closed."};
  for (auto& call : std::exchange(in_flight, {}))
    finish(call, fail(*away));
  fail_waiting(*away);
}

// ---- the link ----

void Connection::State::on_open(std::shared_ptr<Link> const& opened) {
  link = opened;
  away.reset();
  ++connects;
  for (auto& call : std::exchange(waiting, {})) {
    if (call.is_wanted()) {
      hand_over(std::move(call));
    } else {
      bytes -= call.size;
    }
  }
}

void Connection::State::on_reply(Reply reply) {
  if (in_flight.empty()) {
    link->close("Redis answered what nobody asked.");
    return;
  }
  auto call = std::move(in_flight.front());
  in_flight.pop_front();
  if (!reply.is_error()) {
    finish(call, std::move(reply));
    return;
  }
  finish(call, fail(error_of(reply.error())));
  if (must_leave(reply.error()))
    link->close("Redis does not take commands here: " + std::string(code_of(reply.error())));
}

void Connection::State::on_lost(std::string const& reason, bool is_away) {
  link = nullptr;
  ++losses;
  std::deque<Call> again;
  Error const lost{.code = Code::unavailable,
                   .message = "The connection to Redis broke; the command may have been done. " + reason};
  for (auto& call : std::exchange(in_flight, {})) {
    if (call.is_repeatable && call.is_wanted()) {
      call.is_repeatable = false;  // Once.
      again.push_back(std::move(call));
    } else {
      finish(call, fail(lost));
    }
  }
  waiting.insert(waiting.begin(), std::make_move_iterator(again.begin()), std::make_move_iterator(again.end()));
  if (is_away)
    on_failure({.code = Code::unavailable, .message = reason});
}

void Connection::State::on_failure(Error const& error) {
  away = Error{.code = Code::unavailable, .message = "Redis is away: " + error.message};
  fail_waiting(*away);
}

// ---- time ----

/// One timer for all calls: most are answered long before, and most limits come in the order of the calls.
void Connection::State::watch(SteadyTime at) {
  if (armed_for && *armed_for <= at)
    return;
  armed_for = at;
  timer.expires_at(at);
  timer.async_wait([weak = weak_from_this()](boost::system::error_code error) {
    auto const self = weak.lock();
    if (!error && self)
      self->look_at_limits();
  });
}

/// When the server counts as gone: it owes an answer and is silent.
std::optional<SteadyTime> Connection::State::overdue_at() const {
  if (!link || in_flight.empty())
    return std::nullopt;
  return std::max(in_flight.front().sent_at, link->last_heard()) + keeper.options().command_timeout;
}

void Connection::State::look_at_limits() {
  armed_for.reset();
  auto const now = std::chrono::steady_clock::now();
  auto next = SteadyTime::max();
  for (auto* const queue : {&waiting, &in_flight}) {
    for (auto& call : *queue) {
      if (call.is_wanted() && call.limit <= now)
        answer(call, fail(Code::timed_out, "Redis did not answer in time."));
      if (call.is_wanted())
        next = std::min(next, call.limit);
    }
  }
  // What was sent keeps its place; what was not is forgotten.
  std::erase_if(waiting, [this](Call const& call) {
    if (call.is_wanted())
      return false;
    bytes -= call.size;
    return true;
  });
  if (auto const overdue = overdue_at(); overdue && *overdue <= now) {
    link->close("Redis did not answer in time.");
  } else if (overdue) {
    next = std::min(next, *overdue);
  }
  if (next != SteadyTime::max())
    watch(next);
}

// ---- Connection ----

Connection::Connection(asio::any_io_executor executor,  // NOLINT(performance-unnecessary-value-param): the header's
                       Options options, Random& random, ConnectionLimits limits)
    : state_(std::make_shared<State>(executor, std::move(options), random, limits)) {}

Connection::~Connection() { state_->close(); }

Task<Result<Reply>> Connection::run(Command command, Deadline deadline) {
  auto const state = state_;
  if (auto refused = state->refusal(command, deadline))
    co_return fail(std::move(*refused));
  if (auto reached = reach("redis.send.before"); !reached)
    co_return fail(std::move(reached.error()));
  auto const limit = std::min(deadline.at, std::chrono::steady_clock::now() + state->keeper.options().command_timeout);
  auto answer = co_await sleep_for_answer<Result<Reply>>(
      [&](WaiterPtr waiter) { state->submit(std::move(command), limit, std::move(waiter)); });
  if (auto reached = reach("redis.send.after"); !reached)
    co_return fail(std::move(reached.error()));
  co_return answer;
}

ConnectionView Connection::view() const {
  return {.is_connected = state_->link != nullptr,
          .commands = state_->waiting.size() + state_->in_flight.size(),
          .bytes = state_->bytes,
          .connects = state_->connects,
          .losses = state_->losses};
}

}  // namespace al::redis
