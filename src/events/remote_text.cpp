#include "events/remote_text.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <limits>
#include <optional>
#include <set>
#include <sstream>
#include <vector>

#include "cache/keys.hpp"
#include "core/log.hpp"
#include "redis/connection.hpp"
#include "redis/subscriber.hpp"

namespace al::events {
namespace {

constexpr std::size_t message_wishes_max = 500;
constexpr std::chrono::seconds publish_timeout{2};
constexpr std::chrono::milliseconds pause_after_failure{500};

/// What a watcher has: so many bytes of an answer, as its writer numbers it. An epoch is one process's.
struct Position {
  std::int64_t epoch = 0;
  std::uint64_t answer = 0;
  std::size_t offset = 0;
};

/// Both kinds of messages begin with a line of words, without blanks in them: ids and numbers.
template <class... Words>
bool scan(std::string const& line, Words&... words) {
  std::istringstream in(line);
  (in >> ... >> words);
  return in && (in >> std::ws).eof();
}

template <class... Words>
std::string line_of(Words const&... words) {
  std::ostringstream out;
  ((out << words << ' '), ...);
  out << '\n';
  return std::move(out).str();
}

struct Wish {
  TenantId tenant;
  TaskId task;
  Position has;
};

struct Wishes {
  std::string from;
  std::vector<Wish> wishes;
};

std::string encode(Wish const& wish) {
  return line_of(wish.tenant.value, wish.task.value, wish.has.epoch, wish.has.answer, wish.has.offset);
}

/// Nothing when it is none of ours: anyone can publish there.
std::optional<Wishes> decode_wishes(std::string const& message) {
  Wishes out;
  std::istringstream in(message);
  std::string line;
  if (!std::getline(in, line) || !scan(line, out.from))
    return std::nullopt;
  while (std::getline(in, line)) {
    Wish wish;
    auto& [epoch, answer, offset] = wish.has;
    if (!scan(line, wish.tenant.value, wish.task.value, epoch, answer, offset) || !is_slug(wish.tenant.value) ||
        !is_uuid(wish.task.value))
      return std::nullopt;
    out.wishes.push_back(std::move(wish));
  }
  return out;
}

/// Words of an answer, from `at.offset` on; any bytes.
struct Piece {
  std::string from;
  Position at;
  std::int64_t step = 0;
  bool is_last = false;      ///< the attempt is over
  std::uint64_t before = 0;  ///< the writer's answer before this one, and how long it became
  std::size_t before_bytes = 0;
  std::string text;
};

std::string encode(Piece const& piece) {
  auto const& [epoch, answer, offset] = piece.at;
  return line_of(piece.from, epoch, answer, offset, piece.step, piece.is_last, piece.before, piece.before_bytes) +
         piece.text;
}

std::optional<Piece> decode_piece(std::string const& message) {
  Piece out;
  auto& [epoch, answer, offset] = out.at;
  auto const end = message.find('\n');
  if (end == std::string::npos || !scan(message.substr(0, end), out.from, epoch, answer, offset, out.step, out.is_last,
                                        out.before, out.before_bytes))
    return std::nullopt;
  out.text = message.substr(end + 1);
  return out;
}

void warn_of_foreign(std::string const& channel) {
  log::warning("a message on Redis is none of ours", {{"channel", std::string_view(channel)}});
}

/// A task that is watched here.
struct Watched {
  TenantId tenant;
  TaskId task;
  std::size_t watchers = 0;
  Position has{};
  bool is_heard = false;  ///< Redis has confirmed the subscription, and the connection stands
  bool has_gap = false;   ///< something is missing, and was asked for
  bool is_over = false;   ///< the attempt of `has`
};

/// A task that others watch.
struct Wanted {
  /// Where the next piece begins. The largest answer of all is none: then the newest one is sent from its beginning.
  using Cursor = std::pair<std::uint64_t, std::size_t>;
  TenantId tenant;
  TaskId task;
  SteadyTime until{};
  Cursor cursor{std::numeric_limits<std::uint64_t>::max(), 0};
  bool is_sending = false;
};

}  // namespace

/// Tasks go by their channels.
struct RemoteText::State : std::enable_shared_from_this<State> {
  State(asio::any_io_executor on, redis::Options const& options, LiveText& texts, Random& random, std::string name,
        Times chosen)
      : executor(std::move(on)),
        live(texts),
        process(std::move(name)),
        times(chosen),
        suffix(":" + std::to_string(options.database)),
        wishes_channel("al:live" + suffix),
        connection(std::in_place, executor, options, random),
        subscriber(executor, options, random,
                   {.on_announcement = [this](redis::Announcement const& it) { hear(it.channel, it.text); },
                    .on_ready = [this] { ask_for_unheard(); },
                    .on_broken = [this] { lose(); }}),
        renewal(executor) {}

  void join();
  void hear(std::string const& channel, std::string const& message);
  [[nodiscard]] std::string channel_of(TenantId const& tenant, TaskId const& task) const {
    return cache::key(tenant, "live", task.value) + suffix;
  }
  [[nodiscard]] Task<bool> publish(std::string_view channel, std::string_view message);

  // ---- what is watched here ----
  [[nodiscard]] std::shared_ptr<void> fetch(TenantId const& tenant, TaskId const& task);
  void add_watcher(std::string const& channel, TenantId const& tenant, TaskId const& task);
  void remove_watcher(std::string const& channel);
  void ask_for_unheard();
  void lose();
  void ask(std::string const& channel);
  void ask_again_later();
  [[nodiscard]] std::string take_wishes();
  static Task<void> send_wishes(std::weak_ptr<State> weak);
  void hear_piece(std::string const& channel, Watched& watched, Piece const& piece);

  // ---- what others watch ----
  void hear_wish(Wish const& wish);
  [[nodiscard]] Wanted* remember(std::string const& channel, Wish const& wish);
  void begins(std::string const& channel);
  void send(std::string const& channel, Wanted& wanted);
  [[nodiscard]] std::optional<Piece> next_piece(Wanted const& wanted, LiveText::Standing const& standing) const;
  static Task<void> send_text(std::weak_ptr<State> weak, std::string channel);

  asio::any_io_executor executor;
  LiveText& live;
  std::string const process;
  Times const times;
  std::string const suffix;  ///< pub/sub knows no database numbers, so the channels carry it
  std::string const wishes_channel;
  std::optional<redis::Connection> connection;  ///< none: it is over
  redis::Subscriber subscriber;

  std::map<std::string, Watched> watched;
  std::set<std::string> unasked;
  bool is_asking = false;
  asio::steady_timer renewal;

  std::map<std::string, Wanted> wanted;
  SteadyTime forget_at{};
};

void RemoteText::State::join() {
  auto const weak = weak_from_this();
  live.join({.begins =
                 [weak](TenantId const& tenant, TaskId const& task) {
                   auto const self = weak.lock();
                   if (!self || !is_slug(tenant.value))
                     return;
                   asio::post(self->executor, [weak, channel = self->channel_of(tenant, task)] {
                     if (auto const still = weak.lock())
                       still->begins(channel);
                   });
                 },
             .fetch = [weak](TenantId const& tenant, TaskId const& task) -> std::shared_ptr<void> {
               auto const self = weak.lock();
               return self ? self->fetch(tenant, task) : nullptr;
             }});
}

// No handler of announcements is called after the destructor, so `this` is there.
void RemoteText::State::hear(std::string const& channel, std::string const& message) {
  if (channel == wishes_channel) {
    auto const heard = decode_wishes(message);
    if (!heard)
      return warn_of_foreign(channel);
    if (heard->from != process)
      std::ranges::for_each(heard->wishes, [this](auto const& wish) { hear_wish(wish); });
    return;
  }
  auto const found = watched.find(channel);
  if (found == watched.end())
    return;
  auto const piece = decode_piece(message);
  if (!piece)
    return warn_of_foreign(channel);
  if (piece->from != process)
    hear_piece(channel, found->second, *piece);
}

/// Twice is as good as once: a wish only moves back where the next piece begins, and words have offsets.
Task<bool> RemoteText::State::publish(std::string_view channel, std::string_view message) {
  if (!connection)
    co_return false;
  auto const sent = co_await connection->run(redis::Command{"PUBLISH", channel, message}.repeatable(),
                                             Deadline::after(publish_timeout));
  co_return sent.has_value();
}

// ---- what is watched here ----

std::shared_ptr<void> RemoteText::State::fetch(TenantId const& tenant, TaskId const& task) {
  // These are words of a message.
  if (!is_slug(tenant.value) || !is_uuid(task.value))
    return nullptr;
  auto channel = channel_of(tenant, task);
  auto const weak = weak_from_this();
  asio::post(executor, [weak, channel, tenant, task] {
    if (auto const self = weak.lock())
      self->add_watcher(channel, tenant, task);
  });
  return {nullptr, [weak, channel = std::move(channel)](void*) {
            if (auto const self = weak.lock()) {
              asio::post(self->executor, [weak, channel] {
                if (auto const still = weak.lock())
                  still->remove_watcher(channel);
              });
            }
          }};
}

void RemoteText::State::add_watcher(std::string const& channel, TenantId const& tenant, TaskId const& task) {
  auto& it = watched[channel];
  if (it.watchers++ > 0)
    return;
  it.tenant = tenant;
  it.task = task;
  subscriber.subscribe(channel);
  if (watched.size() == 1)
    ask_again_later();
}

void RemoteText::State::remove_watcher(std::string const& channel) {
  auto const found = watched.find(channel);
  if (found == watched.end() || --found->second.watchers > 0)
    return;
  auto const& it = found->second;
  live.forget({it.tenant, it.task, it.has.epoch, true});
  subscriber.unsubscribe(channel);
  watched.erase(found);
  if (watched.empty())
    renewal.cancel();
}

/// Only now an answer is sure to be heard.
void RemoteText::State::ask_for_unheard() {
  for (auto& [channel, it] : watched) {
    if (!std::exchange(it.is_heard, true))
      ask(channel);
  }
}

void RemoteText::State::lose() {
  for (auto& [channel, it] : watched)
    it.is_heard = false;
}

void RemoteText::State::ask(std::string const& channel) {
  unasked.insert(channel);
  if (!std::exchange(is_asking, true))
    spawn(executor, "wishes for live text", send_wishes(weak_from_this()));
}

/// A wish can be lost, and the task may begin in a process that came later. Asking again finds gaps as well.
void RemoteText::State::ask_again_later() {
  renewal.expires_after(times.renewal);
  renewal.async_wait([weak = weak_from_this()](boost::system::error_code error) {
    auto const self = weak.lock();
    if (error || !self || self->watched.empty())
      return;
    for (auto const& [channel, it] : self->watched) {
      if (it.is_heard)
        self->ask(channel);
    }
    self->ask_again_later();
  });
}

/// The next message; none is left to send when it is empty, and then the next ask() begins anew.
std::string RemoteText::State::take_wishes() {
  std::string out;
  for (std::size_t count = 0; count < message_wishes_max && !unasked.empty();) {
    auto const found = watched.find(unasked.extract(unasked.begin()).value());
    if (found == watched.end())
      continue;
    auto const& it = found->second;
    out += encode(Wish{it.tenant, it.task, it.has});
    ++count;
  }
  is_asking = !out.empty();
  return is_asking ? line_of(process) + out : out;
}

Task<void> RemoteText::State::send_wishes(std::weak_ptr<State> weak) {
  for (auto self = weak.lock(); self; self = weak.lock()) {
    auto const message = self->take_wishes();
    if (message.empty())
      co_return;
    // What fails is asked for again with the next renewal.
    static_cast<void>(co_await self->publish(self->wishes_channel, message));
  }
}

void RemoteText::State::hear_piece(std::string const& channel, Watched& it, Piece const& piece) {
  auto const [epoch, answer, offset] = piece.at;
  auto const order = std::pair(epoch, answer) <=> std::pair(it.has.epoch, it.has.answer);
  if (order < 0)
    return;
  bool const lacks_before =
      order > 0 && epoch == it.has.epoch && piece.before == it.has.answer && it.has.offset < piece.before_bytes;
  if (lacks_before || offset > (order == 0 ? it.has.offset : 0)) {
    if (!std::exchange(it.has_gap, true))
      ask(channel);
    return;
  }
  LiveText::Attempt const attempt{it.tenant, it.task, epoch, true};
  if (order > 0) {
    it.has = {epoch, answer, 0};
    it.is_over = false;
    live.begin(attempt, piece.step);
  }
  it.has_gap = false;
  auto const known = it.has.offset - offset;
  if (known < piece.text.size()) {
    live.append(attempt, std::string_view(piece.text).substr(known));
    it.has.offset = offset + piece.text.size();
  }
  if (piece.is_last && !std::exchange(it.is_over, true))
    live.end(attempt);
}

// ---- what others watch ----

void RemoteText::State::hear_wish(Wish const& wish) {
  auto const channel = channel_of(wish.tenant, wish.task);
  auto* const it = remember(channel, wish);
  auto const standing = live.standing(wish.tenant, wish.task);
  // A watcher that has a later attempt does not want ours.
  if (!it || !standing || standing->is_from_afar || wish.has.epoch > standing->epoch)
    return;
  auto const from =
      wish.has.epoch == standing->epoch ? Wanted::Cursor{wish.has.answer, wish.has.offset} : Wanted::Cursor{};
  // Several watchers may have got differently far; what one has already it leaves out.
  auto const before = std::exchange(it->cursor, std::min(it->cursor, from));
  if (it->is_sending && before != it->cursor)
    live.ring(it->task);
  send(channel, *it);
}

/// Null when there is no room.
Wanted* RemoteText::State::remember(std::string const& channel, Wish const& wish) {
  auto const now = std::chrono::steady_clock::now();
  if (now >= forget_at) {
    std::erase_if(wanted, [&](auto const& entry) { return entry.second.until <= now && !entry.second.is_sending; });
    forget_at = now + times.wanted;
  }
  if (wanted.size() >= wishes_max && !wanted.contains(channel))
    return nullptr;
  auto& it = wanted.try_emplace(channel, Wanted{.tenant = wish.tenant, .task = wish.task}).first->second;
  it.until = now + times.wanted;
  return &it;
}

void RemoteText::State::begins(std::string const& channel) {
  auto const found = wanted.find(channel);
  if (found != wanted.end() && found->second.until > std::chrono::steady_clock::now())
    send(channel, found->second);
}

void RemoteText::State::send(std::string const& channel, Wanted& it) {
  if (!std::exchange(it.is_sending, true))
    spawn(executor, "live text", send_text(weak_from_this(), channel));
}

std::optional<Piece> RemoteText::State::next_piece(Wanted const& it, LiveText::Standing const& standing) const {
  auto const& [answer, offset] = it.cursor;
  auto more = live.read(it.tenant, it.task, answer, offset);
  if (more && more->is_from_afar)
    return std::nullopt;
  if (more) {
    auto const begin = more->answer == answer ? offset : 0;
    bool const is_last = standing.is_over && more->answer == standing.answer;
    return Piece{.from = process,
                 .at = {more->epoch, more->answer, begin},
                 .step = more->step,
                 .is_last = is_last,
                 .before = more->before,
                 .before_bytes = more->before_bytes,
                 .text = std::move(more->text)};
  }
  if (!standing.is_over)
    return std::nullopt;
  auto const end = standing.answer == answer ? offset : 0;
  return Piece{.from = process,
               .at = {standing.epoch, standing.answer, end},
               .step = standing.step,
               .is_last = true,
               .text = {}};
}

/// While the task is wanted and writes here. What is written while one piece travels goes with the next.
Task<void> RemoteText::State::send_text(std::weak_ptr<State> weak, std::string channel) {
  std::unique_ptr<Bus::Subscription> doorbell;
  for (auto self = weak.lock(); self; self = weak.lock()) {
    auto& it = self->wanted.at(channel);  // stays there while it is sent
    if (!doorbell)
      doorbell = self->live.watch(self->executor, it.task);
    // Before the words: nothing is written after the end.
    auto const standing = self->live.standing(it.tenant, it.task);
    if (!standing || standing->is_from_afar || it.until <= std::chrono::steady_clock::now()) {
      it.is_sending = false;
      co_return;
    }
    auto const piece = self->next_piece(it, *standing);
    if (!piece) {
      auto const until = it.until;
      self.reset();  // nobody waits for us while we wait
      co_await doorbell->wait(until);
      continue;
    }
    Wanted::Cursor const begin{piece->at.answer, piece->at.offset};
    Wanted::Cursor const end{begin.first, begin.second + piece->text.size()};
    it.cursor = end;  // a wish that comes meanwhile moves it back
    if (!co_await self->publish(channel, encode(*piece))) {
      it.cursor = std::min(it.cursor, begin);
      self.reset();
      co_await sleep_until(std::chrono::steady_clock::now() + pause_after_failure);
    } else if (piece->is_last && it.cursor == end) {
      it.is_sending = false;
      co_return;
    }
  }
}

// ---- RemoteText ----

RemoteText::RemoteText(asio::any_io_executor executor, redis::Options const& options, LiveText& live, Random& random,
                       std::string process, Times times)
    : state_(std::make_shared<State>(std::move(executor), options, live, random, std::move(process), times)) {
  state_->join();
}

// Who waits for an answer of Redis holds the state, which holds the connection.
RemoteText::~RemoteText() { state_->connection.reset(); }

void RemoteText::start() { state_->subscriber.subscribe(state_->wishes_channel); }

}  // namespace al::events
