#include "events/remote_bell.hpp"

#include <boost/asio/post.hpp>
#include <mutex>
#include <optional>
#include <vector>

#include "core/json.hpp"
#include "core/log.hpp"
#include "redis/connection.hpp"
#include "redis/subscriber.hpp"

namespace al::events {

namespace {

/// Stands for all channels: something was announced, and nobody knows what.
constexpr std::string_view anything = "*";
constexpr std::size_t message_announcements_max = 500;
constexpr std::size_t fields = 4;
constexpr std::chrono::seconds publish_timeout{2};
constexpr std::chrono::milliseconds pause_after_failure{500};

/// Pub/sub knows no database numbers, so the channel carries it.
std::string channel_of(redis::Options const& options) { return "al:bell:" + std::to_string(options.database); }

/// A flat array of texts: the sender, then four of each announcement.
std::string encode(std::string const& process, std::span<Announcement const> announcements) {
  std::string out = "[";
  json::append_string(out, process);
  for (auto const& it : announcements) {
    for (auto const* text : {&it.channel, &it.tenant.value, &it.aggregate_id, &it.agent_id.value}) {
      out += ',';
      json::append_string(out, *text);
    }
  }
  return out + "]";
}

/// Nothing when it is none of ours: anyone can publish there.
std::optional<std::vector<std::string>> decode(std::string const& message) {
  auto const parsed = json::parse(message);
  if (!parsed || !parsed->is_array())
    return std::nullopt;
  std::vector<std::string> texts;
  for (auto const& element : parsed->get_array()) {
    if (!element.is_string())
      return std::nullopt;
    texts.emplace_back(element.get_string());
  }
  if (texts.size() % fields != 1)
    return std::nullopt;
  return texts;
}

}  // namespace

struct RemoteBell::State : std::enable_shared_from_this<State> {
  State(asio::any_io_executor on, redis::Options const& options, Bus& to, Random& random, std::string name)
      : executor(std::move(on)),
        bus(to),
        process(std::move(name)),
        channel(channel_of(options)),
        connection(std::in_place, executor, options, random),
        subscriber(executor, options, random,
                   {.on_announcement = [this](redis::Announcement const& it) { hear(it.text); },
                    .on_ready = [this] { is_whole.store(true); },
                    .on_broken = [this] { lose(); }}) {}

  void lose();
  void hear(std::string const& message);
  void send(Announcement const& announcement);
  [[nodiscard]] std::vector<Announcement> take();
  void put_back_mark();
  static Task<void> flush(std::weak_ptr<State> weak);

  asio::any_io_executor executor;
  Bus& bus;
  std::string const process;
  std::string const channel;
  std::optional<redis::Connection> connection;  ///< none: it is over
  redis::Subscriber subscriber;
  std::atomic<bool> is_whole = false;
  std::atomic<std::uint64_t> gaps = 1;  // nothing was heard before the first time

  std::mutex mutex;
  std::vector<Announcement> waiting;
  bool is_flushing = false;
};

void RemoteBell::State::lose() {
  is_whole.store(false);
  gaps.fetch_add(1);
}

void RemoteBell::State::hear(std::string const& message) {
  auto const texts = decode(message);
  if (!texts) {
    log::warning("an announcement on Redis is none of ours", {{"channel", std::string_view(channel)}});
    return;
  }
  if (texts->front() == process)
    return;
  for (std::size_t i = 1; i < texts->size(); i += fields) {
    auto const text = [&](std::size_t at) { return texts->at(i + at); };
    if (text(0) == anything) {
      gaps.fetch_add(1);
      bus.ring_all();
    } else {
      bus.hear({text(0), TenantId{text(1)}, text(2), AgentId{text(3)}});
    }
  }
}

void RemoteBell::State::send(Announcement const& announcement) {
  {
    std::scoped_lock const lock(mutex);
    if (waiting.size() >= waiting_max)
      waiting.assign(1, {.channel = std::string(anything)});
    waiting.push_back(announcement);
    if (std::exchange(is_flushing, true))
      return;
  }
  asio::post(executor, [weak = weak_from_this()] {
    if (auto const self = weak.lock())
      spawn(self->executor, "announcements", flush(weak));
  });
}

/// The next message; none is left to send when it is empty, and then the next send() begins anew.
std::vector<Announcement> RemoteBell::State::take() {
  std::scoped_lock const lock(mutex);
  auto const count = std::min(waiting.size(), message_announcements_max);
  auto const end = waiting.begin() + static_cast<std::ptrdiff_t>(count);
  std::vector<Announcement> out(std::make_move_iterator(waiting.begin()), std::make_move_iterator(end));
  waiting.erase(waiting.begin(), end);
  is_flushing = !out.empty();
  return out;
}

void RemoteBell::State::put_back_mark() {
  std::scoped_lock const lock(mutex);
  waiting.insert(waiting.begin(), {.channel = std::string(anything)});
}

Task<void> RemoteBell::State::flush(std::weak_ptr<State> weak) {
  for (auto self = weak.lock(); self && self->connection; self = weak.lock()) {
    auto const announcements = self->take();
    if (announcements.empty())
      co_return;
    // Twice is as good as once: who hears it looks.
    auto const sent = co_await self->connection->run(
        redis::Command{"PUBLISH", self->channel, encode(self->process, announcements)}.repeatable(),
        Deadline::after(publish_timeout));
    if (sent)
      continue;
    self->put_back_mark();
    self.reset();  // nobody waits for us while we pause
    co_await sleep_until(std::chrono::steady_clock::now() + pause_after_failure);
  }
}

RemoteBell::RemoteBell(asio::any_io_executor executor, redis::Options const& options, Bus& bus, Random& random,
                       std::string process)
    : state_(std::make_shared<State>(std::move(executor), options, bus, random, std::move(process))) {}

// Who waits for an answer of Redis holds the state, which holds the connection.
RemoteBell::~RemoteBell() { state_->connection.reset(); }

void RemoteBell::start() { state_->subscriber.subscribe(state_->channel); }

void RemoteBell::send(Announcement const& announcement) { state_->send(announcement); }

RemoteBell::Hearing RemoteBell::hearing() const { return {state_->is_whole.load(), state_->gaps.load()}; }

}  // namespace al::events
