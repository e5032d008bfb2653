#include "storage/postgres_dispatcher.hpp"

#include <algorithm>
#include <exception>
#include <iterator>
#include <limits>
#include <utility>

#include "core/fault.hpp"
#include "core/log.hpp"

namespace al::storage::postgres {
namespace {

/// How often queues and connections are looked at while anything is under way.
constexpr std::chrono::milliseconds busy_tick{50};

std::chrono::milliseconds left(SteadyTime until, SteadyTime now) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(until - now);
}

}  // namespace

Dispatcher::Dispatcher(asio::io_context& io, ConnectInfo info, DispatcherOptions options, Gauges& gauges)
    : io_(io), info_(std::move(info)), options_(options), gauges_(gauges), timer_(io) {}

// ---- what waits ----

std::size_t RowGroup::size() const {
  std::size_t sum = 0;
  for (auto const& section : sections)
    sum += section.calls.size();
  return sum;
}

std::int64_t Work::callers() const {
  auto const* group = std::get_if<RowGroup>(&caller);
  return group == nullptr ? 1 : static_cast<std::int64_t>(group->size());
}

void Dispatcher::submit(std::unique_ptr<Work> work) {
  auto const tenant = work->queries.front().tenant;
  works_.push(tenant, std::move(work));
}

void Dispatcher::submit(std::shared_ptr<Sql const> const& sql, std::string const& tenant, RowCall call) {
  auto& line = lines_[sql.get()];
  if (!line) {
    line = std::make_unique<RowLine>();
    line->sql = sql;
    line->columns = call.parameters.size();
    line_turns_.push_back(line.get());
  }
  if (call.parameters.size() != line->columns) {
    --gauges_.waiting;
    call.waiter->set_exception(std::make_exception_ptr(Fault(sql->name + ": called with another number of values")));
    wakeups_.add(std::move(call.waiter));
    return;
  }
  line->waiting.push(tenant, std::move(call));
}

bool Dispatcher::has_work() const {
  if (!retries_.empty() || !works_.empty())
    return true;
  return std::ranges::any_of(line_turns_, [this](auto const* line) {
    return !line->waiting.empty() && line->groups_in_flight < options_.groups_in_flight_max;
  });
}

std::size_t Dispatcher::in_flight() const {
  std::size_t sum = 0;
  for (auto const& connection : connections_)
    sum += connection->view().in_flight;
  return sum;
}

// Groups and single calls take turns, so that neither can starve the other.
std::unique_ptr<Work> Dispatcher::next_work() {
  std::unique_ptr<Work> work;
  if (!retries_.empty()) {
    work = std::move(retries_.front());
    retries_.pop_front();
  } else {
    group_is_next_ = !group_is_next_;
    if (group_is_next_ || works_.empty())
      work = next_group();
    if (!work && !works_.empty())
      work = works_.pop();
  }
  if (!work)
    return nullptr;
  gauges_.waiting -= work->callers();
  return work;
}

std::unique_ptr<Work> Dispatcher::next_group() {
  for (std::size_t i = 0; i < line_turns_.size(); ++i) {
    auto& line = *line_turns_[next_line_++ % line_turns_.size()];
    if (line.waiting.empty() || line.groups_in_flight >= options_.groups_in_flight_max)
      continue;
    std::vector<RowSection> sections;
    auto room = options_.group_max;
    while (room > 0 && !line.waiting.empty() && sections.size() < options_.group_tenants_max) {
      auto [tenant, calls] = line.waiting.pop_group(room);
      room -= calls.size();
      sections.push_back({.tenant = std::move(tenant), .calls = std::move(calls)});
    }
    auto work = make_group(line, std::move(sections));
    std::get<RowGroup>(work->caller).is_counted = true;
    ++line.groups_in_flight;
    return work;
  }
  return nullptr;
}

std::unique_ptr<Work> Dispatcher::make_group(RowLine& line, std::vector<RowSection> sections) const {
  auto work = std::make_unique<Work>();
  work->limits = sections.front().calls.front().limits;
  for (auto const& section : sections) {
    std::vector<Parameters const*> rows;
    rows.reserve(section.calls.size());
    for (auto const& call : section.calls) {
      rows.push_back(&call.parameters);
      work->limits.deadline = std::max(work->limits.deadline, call.limits.deadline);
      work->limits.queued_until = std::max(work->limits.queued_until, call.limits.queued_until);
    }
    work->queries.push_back({.sql = line.sql, .parameters = columns_of(rows), .tenant = section.tenant});
  }
  work->caller = RowGroup{.line = &line, .sections = std::move(sections)};
  return work;
}

// ---- giving work to connections ----

void Dispatcher::pump() {
  // Sending can end in a lost connection, which reports here again.
  pump_again_ = true;
  if (pumping_)
    return;
  pumping_ = true;
  auto const now = std::chrono::steady_clock::now();
  while (pump_again_) {
    pump_again_ = false;
    remove_closed();
    dispatch(now);
  }
  pumping_ = false;
  finish_pump(now);
}

void Dispatcher::dispatch(SteadyTime now) {
  while (!pump_again_ && has_work()) {
    views_.clear();
    for (auto const& connection : connections_)
      views_.push_back(connection->view());
    auto const waiting = static_cast<std::size_t>(std::max<std::int64_t>(gauges_.waiting, 1));
    auto const choice = choose(views_, options_.pool, waiting, now >= may_open_at_, now);
    if (choice.open)
      open_connection();
    if (choice.check) {
      connections_[*choice.check]->check();
    } else if (choice.use) {
      auto work = next_work();
      if (!work)
        return;
      send(*connections_[*choice.use], std::move(work), now);
    } else {
      return;
    }
  }
}

void Dispatcher::send(Connection& connection, std::unique_ptr<Work> work, SteadyTime now) {
  auto const remaining = left(work->limits.deadline, now);
  if (now >= work->limits.queued_until) {
    fault(*work,
          std::make_exception_ptr(Unavailable("no database connection became free in time. " + last_open_error_)));
    return;
  }
  // 0 would mean no limit.
  work->timeout =
      std::clamp<std::chrono::milliseconds>(remaining, std::chrono::milliseconds(1), options_.statement_timeout);
  ++work->attempts;
  std::unique_ptr<Frame> frame = std::move(work);
  try {
    connection.send(frame);
  } catch (Unavailable const&) {
    fault(static_cast<Work&>(*frame), std::current_exception());
  }
}

void Dispatcher::finish_pump(SteadyTime now) {
  if (closed_)
    finish_close();
  publish();
  arm_timer(now);
  wakeups_.send();
}

void Dispatcher::publish() {
  auto const is_used = [](auto const& connection) { return connection->view().in_flight > 0; };
  gauges_.size = std::ssize(connections_);
  gauges_.in_use = std::ranges::count_if(connections_, is_used);
}

// ---- connections ----

void Dispatcher::open_connection() {
  Connection::Owner owner{.on_answer = [this](std::unique_ptr<Frame> frame,
                                              Outcome outcome) { on_answer(std::move(frame), std::move(outcome)); },
                          .on_change = [this](Connection&) { pump(); }};
  auto connection = std::make_shared<Connection>(io_, info_, std::move(owner));
  connections_.push_back(connection);
  spawn(io_.get_executor(), "postgres.open", open(std::move(connection)));
}

Task<void> Dispatcher::open(std::shared_ptr<Connection> connection) {
  try {
    co_await connection->open();
    backoff_.reset();
    last_open_error_.clear();
  } catch (std::exception const& error) {
    std::erase(connections_, connection);
    auto const delay = backoff_.next(random_.below(std::numeric_limits<std::uint64_t>::max()));
    may_open_at_ = std::chrono::steady_clock::now() + delay;
    last_open_error_ = error.what();
    if (!closed_) {
      log::warning("cannot open a database connection",
                   {{"reason", last_open_error_}, {"failures", std::int64_t{backoff_.failures()}}});
    }
  }
  pump();
}

void Dispatcher::remove_closed() {
  std::erase_if(connections_, [](auto const& connection) {
    return connection->is_closed() && connection->view().state != ConnectionState::opening;
  });
}

// ---- time ----

void Dispatcher::arm_timer(SteadyTime now) {
  SteadyTime next = SteadyTime::max();
  bool busy = gauges_.waiting > 0;
  for (auto const& connection : connections_) {
    auto const& view = connection->view();
    if (view.in_flight > 0 || view.state == ConnectionState::opening) {
      busy = true;
    } else {
      next = std::min(next, choose_idle(view, connections_.size(), options_.pool, now).ask_again);
    }
  }
  if (busy)
    next = std::min(next, now + busy_tick);
  if (next == SteadyTime::max() || (armed_for_ && *armed_for_ <= next))
    return;
  armed_for_ = next;
  timer_.expires_at(next);
  timer_.async_wait([this](boost::system::error_code error) {
    if (!error)
      tick();
  });
}

void Dispatcher::tick() {
  armed_for_.reset();
  auto const now = std::chrono::steady_clock::now();
  sweep_queues(now);
  sweep_connections(now);
  pump();
}

void Dispatcher::sweep_queues(SteadyTime now) {
  auto const late =
      std::make_exception_ptr(Unavailable("no database connection became free in time. " + last_open_error_));
  for (auto& work : works_.take_if([now](auto const& w) { return now >= w->limits.queued_until; })) {
    --gauges_.waiting;
    fault(*work, late);
  }
  // What is sent again waits as well, also while the server is away.
  for (auto& work : std::exchange(retries_, {})) {
    if (now < work->limits.queued_until) {
      retries_.push_back(std::move(work));
      continue;
    }
    gauges_.waiting -= work->callers();
    fault(*work, late);
  }
  for (auto* line : line_turns_) {
    for (auto& call : line->waiting.take_if([now](auto const& c) { return now >= c.limits.queued_until; })) {
      --gauges_.waiting;
      call.waiter->set_exception(late);
      wakeups_.add(std::move(call.waiter));
    }
  }
}

void Dispatcher::sweep_connections(SteadyTime now) {
  auto const all = connections_;  // losing one changes the list
  auto open = all.size();
  for (auto const& connection : all) {
    auto const& view = connection->view();
    if (connection->is_closed() || view.state == ConnectionState::opening)
      continue;
    if (connection->is_overdue(now)) {
      connection->lose("the server did not answer in time");
    } else if (view.in_flight == 0 && choose_idle(view, open, options_.pool, now).close) {
      connection->leave();
      --open;
    } else if (now - view.opened_at >= options_.pool.recycle) {
      connection->leave();
    }
  }
}

void Dispatcher::refuse_waiting(std::string const& reason) {
  auto const error = std::make_exception_ptr(Unavailable(reason));
  while (has_work()) {
    auto const work = next_work();
    if (!work)
      return;
    auto* group = std::get_if<RowGroup>(&work->caller);
    if (group != nullptr && group->is_counted)
      --group->line->groups_in_flight;
    fault(*work, error);
  }
}

void Dispatcher::close(std::function<void()> closed) {
  closed_ = std::move(closed);
  pump();
}

void Dispatcher::finish_close() {
  bool const has_hope = backoff_.failures() == 0 || !connections_.empty();
  if (!has_hope)
    refuse_waiting("the database is being closed");
  if (gauges_.waiting > 0 || in_flight() > 0)
    return;
  pumping_ = true;  // the connections report their end
  auto const all = connections_;
  for (auto const& connection : all)
    connection->lose("closed");
  remove_closed();
  pumping_ = false;
  timer_.cancel();
  if (connections_.empty())
    std::exchange(closed_, nullptr)();
}

}  // namespace al::storage::postgres
