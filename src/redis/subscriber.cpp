#include "redis/subscriber.hpp"

#include <boost/asio/steady_timer.hpp>
#include <exception>
#include <set>
#include <utility>

#include "core/log.hpp"
#include "redis/keeper.hpp"

namespace al::redis {
namespace {

/// What comes here is small; a doorbell carries no data.
constexpr ReplyLimits reply_limits{.bytes_max = 16 << 20, .elements_max = 1000};

/// The two kinds of subscriptions, and what Redis calls them.
struct Kind {
  std::string_view add;
  std::string_view remove;
};
constexpr Kind channels_kind{.add = "SUBSCRIBE", .remove = "UNSUBSCRIBE"};
constexpr Kind patterns_kind{.add = "PSUBSCRIBE", .remove = "PUNSUBSCRIBE"};

bool is_confirmation(std::string_view word) {
  return word == "subscribe" || word == "psubscribe" || word == "unsubscribe" || word == "punsubscribe";
}

template <class Handler, class... Arguments>
void call(Handler const& handler, Arguments const&... arguments) {
  if (!handler)
    return;
  try {
    handler(arguments...);
  } catch (std::exception const& error) {
    log::error("a handler of Redis announcements ended in an exception", {{"reason", error.what()}});
  }
}

}  // namespace

struct Subscriber::State final : LinkUser, std::enable_shared_from_this<State> {
  using Names = std::set<std::string, std::less<>>;

  State(asio::any_io_executor const& executor, Options options, Random& random, SubscriberHandlers chosen,
        SubscriberTimes chosen_times)
      : handlers(std::move(chosen)),
        times(chosen_times),
        keeper(executor, "redis.subscriber", std::move(options), reply_limits, random),
        timer(executor) {}

  void add(Names& names, Kind kind, std::string_view name);
  void remove(Names& names, Kind kind, std::string_view name);
  void close();

  void on_open(std::shared_ptr<Link> const& opened) override;
  void on_reply(Reply reply) override;
  void on_lost(std::string const& reason, bool is_away) override;
  void on_failure(Error const& error) override;

  void ask(std::string_view command, std::string_view name);
  void take(Reply::Array message);
  void announce(Announcement const& announcement);
  void confirm();
  void break_off();
  void ping_later();
  void ping();

  SubscriberHandlers const handlers;
  SubscriberTimes const times;
  LinkKeeper keeper;
  Names channels;
  Names patterns;
  std::shared_ptr<Link> link;
  std::size_t unconfirmed = 0;  ///< commands that Redis has not answered
  bool is_ready = false;
  bool is_broken = false;  ///< and the owner knows
  std::uint64_t connects = 0;
  std::uint64_t announcements = 0;
  asio::steady_timer timer;
  SteadyTime pinged_at{};
};

// ---- subscriptions ----

void Subscriber::State::add(Names& names, Kind kind, std::string_view name) {
  if (!names.emplace(name).second)
    return;
  if (link)
    ask(kind.add, name);
  keeper.start(shared_from_this());
}

void Subscriber::State::remove(Names& names, Kind kind, std::string_view name) {
  auto const found = names.find(name);
  if (found == names.end())
    return;
  names.erase(found);
  if (link)
    ask(kind.remove, name);
}

// One command for each name: Redis then answers each once, be it by a confirmation or by a refusal.
void Subscriber::State::ask(std::string_view command, std::string_view name) {
  link->send(Command{command, name}.bytes());
  ++unconfirmed;
  is_ready = false;
}

void Subscriber::State::close() {
  keeper.stop();
  timer.cancel();
  link = nullptr;
  is_ready = false;
}

// ---- the link ----

void Subscriber::State::on_open(std::shared_ptr<Link> const& opened) {
  link = opened;
  ++connects;
  unconfirmed = 0;
  for (auto const& name : channels)
    ask(channels_kind.add, name);
  for (auto const& name : patterns)
    ask(patterns_kind.add, name);
  pinged_at = {};
  ping_later();
}

void Subscriber::State::on_reply(Reply reply) {
  if (reply.is_error()) {
    link->close("Redis refuses a subscription: " + reply.error());
  } else if (reply.is_array()) {
    take(std::move(reply).array());
  }
  // Else the PONG of a connection without subscriptions.
}

void Subscriber::State::take(Reply::Array message) {
  auto const is_text = [&](std::size_t i) { return i < message.size() && message[i].is_text(); };
  if (!is_text(0))
    return;
  auto const& kind = message[0].text();
  if (kind == "message" && is_text(1) && is_text(2)) {
    announce({.channel = std::move(message[1]).text(), .text = std::move(message[2]).text(), .pattern = {}});
  } else if (kind == "pmessage" && is_text(1) && is_text(2) && is_text(3)) {
    announce({.channel = std::move(message[2]).text(),
              .text = std::move(message[3]).text(),
              .pattern = std::move(message[1]).text()});
  } else if (is_confirmation(kind)) {
    confirm();
  }
}

void Subscriber::State::announce(Announcement const& announcement) {
  // One that was on its way when its subscription ended is not handed out any more.
  bool const is_wanted =
      announcement.pattern.empty() ? channels.contains(announcement.channel) : patterns.contains(announcement.pattern);
  if (!is_wanted)
    return;
  ++announcements;
  call(handlers.on_announcement, announcement);
}

void Subscriber::State::confirm() {
  if (unconfirmed > 0)
    --unconfirmed;
  if (unconfirmed > 0)
    return;
  is_ready = true;
  is_broken = false;
  call(handlers.on_ready);
}

void Subscriber::State::on_lost(std::string const& /*reason*/, bool /*is_away*/) {
  link = nullptr;
  timer.cancel();
  break_off();
}

void Subscriber::State::on_failure(Error const& /*error*/) { break_off(); }

void Subscriber::State::break_off() {
  is_ready = false;
  if (!std::exchange(is_broken, true))
    call(handlers.on_broken);
}

// ---- pings ----

void Subscriber::State::ping_later() {
  timer.expires_after(times.ping_interval);
  timer.async_wait([weak = weak_from_this()](boost::system::error_code error) {
    auto const self = weak.lock();
    if (!error && self && self->link)
      self->ping();
  });
}

void Subscriber::State::ping() {
  if (pinged_at != SteadyTime{} && link->last_heard() < pinged_at) {
    link->close("Redis answers no ping.");
    return;
  }
  pinged_at = std::chrono::steady_clock::now();
  link->send(Command{"PING"}.bytes());
  ping_later();
}

// ---- Subscriber ----

Subscriber::Subscriber(asio::any_io_executor executor,  // NOLINT(performance-unnecessary-value-param): the header's
                       Options options, Random& random, SubscriberHandlers handlers, SubscriberTimes times)
    : state_(std::make_shared<State>(executor, std::move(options), random, std::move(handlers), times)) {}

Subscriber::~Subscriber() { state_->close(); }

void Subscriber::subscribe(std::string_view channel) { state_->add(state_->channels, channels_kind, channel); }

void Subscriber::subscribe_pattern(std::string_view pattern) { state_->add(state_->patterns, patterns_kind, pattern); }

void Subscriber::unsubscribe(std::string_view channel) { state_->remove(state_->channels, channels_kind, channel); }

void Subscriber::unsubscribe_pattern(std::string_view pattern) {
  state_->remove(state_->patterns, patterns_kind, pattern);
}

SubscriberView Subscriber::view() const {
  return {.is_ready = state_->is_ready, .connects = state_->connects, .announcements = state_->announcements};
}

}  // namespace al::redis
