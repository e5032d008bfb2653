#include "cache/redis_store.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <exception>
#include <utility>
#include <vector>

#include "core/backoff.hpp"
#include "core/failpoint.hpp"

namespace al::cache {
namespace {

using redis::Command;
using redis::Reply;
using redis::Script;

/// Its value is "RUN_ID:GENERATION".
constexpr std::string_view generation_key = "al:_:generation:1";

// A record is GENERATION KIND VERSION VALUE without spaces. Versions have leading zeros: Lua's numbers are exact to
// 2^53 only, and as texts of equal length they compare as well.
constexpr std::size_t generation_bytes = 22;  // 16 random ones as base64
constexpr std::size_t version_bytes = 19;
constexpr std::size_t head_bytes = generation_bytes + 1 + version_bytes;
constexpr char entry_mark = 'E';

// Parameters: a new generation, whether to begin it in any case.
Script const open_generation(R"(
local id = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
local known = redis.call('GET', KEYS[1])
if known and ARGV[2] == 'if-other-server' and string.sub(known, 1, #id + 1) == id .. ':' then return known end
local fresh = id .. ':' .. ARGV[1]
redis.call('SET', KEYS[1], fresh)
return fresh
)");

// Parameters: the ticket's generation, version, record, time to live in milliseconds.
Script const put_entry(R"(
local current = redis.call('GET', KEYS[1])
if not current or string.sub(current, -22) ~= ARGV[1] then return 0 end
local head = redis.call('GETRANGE', KEYS[2], 0, 41)
if string.sub(head, 1, 22) == ARGV[1] and string.sub(head, 24) > ARGV[2] then return 0 end
redis.call('SET', KEYS[2], ARGV[3], 'PX', ARGV[4])
return 1
)");

// Parameters: time to live of a tombstone in milliseconds; for each key after the first the version.
// DEL stands first because Redis refuses SET when its memory is full, but not after another write. Without a generation
// there is nothing valid that a tombstone would have to stop.
Script const remove_entries(R"(
local current = redis.call('GET', KEYS[1])
local generation = current and string.sub(current, -22)
for i = 2, #KEYS do
  local head = redis.call('GETRANGE', KEYS[i], 0, 41)
  if not generation or string.sub(head, 1, 22) ~= generation or string.sub(head, 24) <= ARGV[i] then
    redis.call('DEL', KEYS[i])
    if generation then redis.call('SET', KEYS[i], generation .. 'T' .. ARGV[i], 'PX', ARGV[1]) end
  end
end
return 1
)",
                            redis::Repeat::once);

std::string padded(std::int64_t version) {
  auto const digits = std::to_string(version);
  return std::string(version_bytes - digits.size(), '0') + digits;
}

std::string_view generation_of(Reply const& reply) {
  if (!reply.is_text() || reply.text().size() <= generation_bytes)
    return {};
  return std::string_view(reply.text()).substr(reply.text().size() - generation_bytes);
}

/// Nothing when it is a tombstone, of another generation, or none of ours.
std::optional<Entry> read_record(Reply const& reply, std::string_view generation) {
  if (!reply.is_text())
    return std::nullopt;
  std::string_view const record = reply.text();
  if (record.size() < head_bytes || !record.starts_with(generation) || record[generation_bytes] != entry_mark)
    return std::nullopt;
  auto const digits = record.substr(generation_bytes + 1, version_bytes);
  std::int64_t version = 0;
  auto const read = std::from_chars(digits.data(), digits.data() + digits.size(), version);
  if (read.ec != std::errc() || read.ptr != digits.data() + digits.size())
    return std::nullopt;
  return Entry{.value = std::string(record.substr(head_bytes)), .version = version};
}

/// Whether what was just answered came through the connect of this number.
bool still_at(redis::Connection const& connection, std::uint64_t connects) {
  return connection.view().connects == connects;
}

}  // namespace

RedisStore::RedisStore(redis::Connections& connections, Clock const& clock, Random& random, CallOptions options)
    : calls_(connections, options), clock_(clock), random_(random) {}

// ---- the generation ----

Ticket RedisStore::ticket() const {
  std::scoped_lock const lock(mutex_);
  return {.generation = generation_, .taken = clock_.steady()};
}

bool RedisStore::is_verified(redis::Connection const& connection) const {
  auto const view = connection.view();
  std::scoped_lock const lock(mutex_);
  auto const found = verified_.find(&connection);
  return view.is_connected && found != verified_.end() && found->second == view.connects;
}

void RedisStore::note_generation(std::string_view generation) {
  std::scoped_lock const lock(mutex_);
  generation_ = generation;
}

void RedisStore::forget_generation(redis::Connection const& connection) {
  std::scoped_lock const lock(mutex_);
  verified_.erase(&connection);
  generation_.clear();
}

/// Also true when nothing had to be done.
Task<bool> RedisStore::make_ready(Deadline deadline) {
  auto const executor = co_await asio::this_coro::executor;
  if (is_behind()) {
    start_catching_up(executor);
    co_return false;
  }
  auto& connection = calls_.here(executor);
  co_return is_verified(connection) || co_await look_at_generation(connection, deadline);
}

Task<bool> RedisStore::look_at_generation(redis::Connection& connection, Deadline deadline) {
  auto const before = connection.view();
  auto const expected = before.is_connected ? before.connects : before.connects + 1;
  auto const reply = co_await calls_.run(open_generation, {std::string(generation_key)},
                                         {random_.token(16), "if-other-server"}, deadline);
  if (!reply) {
    ++failures_;
    co_return false;
  }
  auto const generation = generation_of(*reply);
  // When it was made anew meanwhile, the answer may be that of the server before.
  if (generation.empty() || !still_at(connection, expected))
    co_return false;
  std::scoped_lock const lock(mutex_);
  verified_[&connection] = expected;
  generation_ = generation;
  co_return true;
}

// ---- reads and puts ----

Task<Found> RedisStore::find(std::string key, Deadline deadline) {
  if (!co_await make_ready(deadline))
    co_return Found{};
  auto& connection = calls_.here(co_await asio::this_coro::executor);
  auto const connects = connection.view().connects;
  Found found{.entry = std::nullopt, .ticket = {.generation = {}, .taken = clock_.steady()}};
  auto const reply = co_await calls_.run(Command{"MGET", generation_key, key}, deadline);
  if (!reply || !reply->is_array() || reply->array().size() != 2) {
    ++failures_;
    co_return Found{};
  }
  if (!still_at(connection, connects) || is_behind())
    co_return Found{};
  auto const generation = generation_of(reply->array()[0]);
  if (generation.empty()) {
    forget_generation(connection);
    co_return Found{};
  }
  note_generation(generation);
  found.ticket.generation = generation;
  found.entry = read_record(reply->array()[1], generation);
  co_return found;
}

Task<Result<bool>> RedisStore::put(std::string key, Entry entry, std::chrono::milliseconds ttl, Ticket ticket,
                                   Deadline deadline) {
  if (auto sound = check_put(entry, ttl); !sound)
    co_return fail(std::move(sound.error()));
  if (ticket.generation.size() != generation_bytes || clock_.steady() - ticket.taken >= ticket_life)
    co_return false;
  if (!co_await make_ready(deadline))
    co_return fail(Code::unavailable, "Redis is away, or has not yet heard of all removals.");
  auto& connection = calls_.here(co_await asio::this_coro::executor);
  auto const connects = connection.view().connects;
  auto const version = padded(entry.version);
  auto record = ticket.generation + entry_mark + version + entry.value;
  auto const reply = co_await calls_.run(
      put_entry, {std::string(generation_key), key},
      {ticket.generation, version, std::move(record), std::to_string(jittered(ttl, random_).count())}, deadline);
  // It may have reached a server that has not been looked at, where a tombstone can be missing.
  if (!still_at(connection, connects)) {
    if (auto removed = co_await remove(std::move(key), entry.version, deadline); !removed)
      co_return fail(std::move(removed.error()));
    co_return false;
  }
  if (!reply) {
    ++failures_;
    co_return fail(reply.error());
  }
  co_return reply->is_integer() && reply->integer() == 1;
}

// ---- removals ----

Task<Result<void>> RedisStore::send(std::map<std::string, std::int64_t> removals, Deadline deadline) {
  std::vector<std::string> keys{std::string(generation_key)};
  std::vector<std::string> arguments{std::to_string(std::chrono::milliseconds(tombstone_ttl).count())};
  for (auto const& [key, version] : removals) {
    keys.push_back(key);
    arguments.push_back(padded(version));
  }
  auto const reply = co_await calls_.run(remove_entries, std::move(keys), std::move(arguments), deadline);
  if (!reply) {
    ++failures_;
    co_return fail(reply.error());
  }
  co_return Result<void>{};
}

Task<Result<void>> RedisStore::remove(std::string key, std::int64_t version, Deadline deadline) {
  if (version < 0)
    co_return fail(Code::invalid, "A removal from the cache needs a version of 0 or more.");
  if (AL_PLANTED_BUG("cache_keeps_older"))
    co_return Result<void>{};
  auto const executor = co_await asio::this_coro::executor;
  Result<void> done;
  std::exception_ptr thrown;
  try {
    done = co_await send({{key, version}}, deadline);
  } catch (...) {
    thrown = std::current_exception();  // A caller that was cancelled has committed its row all the same.
  }
  if (thrown || !done) {
    note_unsent(std::move(key), version);
    start_catching_up(executor);
  }
  if (thrown)
    std::rethrow_exception(thrown);
  co_return done;
}

void RedisStore::note_unsent(std::string key, std::int64_t version) {
  std::scoped_lock const lock(mutex_);
  ++unsent_.notes;
  auto& known = unsent_.removals[std::move(key)];
  known = std::max(known, version);
  if (unsent_.removals.size() <= unsent_max)
    return;
  unsent_.removals.clear();
  unsent_.must_begin_anew = true;
}

/// What was noted meanwhile stays.
void RedisStore::note_sent(Unsent const& sent) {
  std::scoped_lock const lock(mutex_);
  if (sent.must_begin_anew && unsent_.notes == sent.notes) {
    unsent_.must_begin_anew = false;
    generation_.clear();
  }
  for (auto const& [key, version] : sent.removals) {
    auto const found = unsent_.removals.find(key);
    if (found != unsent_.removals.end() && found->second == version)
      unsent_.removals.erase(found);
  }
  resent_ += sent.removals.size();
}

bool RedisStore::is_behind() const {
  std::scoped_lock const lock(mutex_);
  return unsent_.must_begin_anew || !unsent_.removals.empty();
}

Task<void> RedisStore::send_again() {
  Unsent unsent;
  {
    std::scoped_lock const lock(mutex_);
    unsent = unsent_;
  }
  auto const deadline = Deadline::after(calls_.options().timeout);
  if (unsent.must_begin_anew) {
    auto const begun =
        co_await calls_.run(open_generation, {std::string(generation_key)}, {random_.token(16), "always"}, deadline);
    if (!begun)
      co_return;
  }
  if (!unsent.removals.empty()) {
    if (auto const sent = co_await send(unsent.removals, deadline); !sent)
      co_return;
  }
  note_sent(unsent);
}

void RedisStore::start_catching_up(asio::any_io_executor const& executor) {
  {
    std::scoped_lock const lock(mutex_);
    if (std::exchange(is_catching_up_, true))
      return;
  }
  spawn(executor, "cache.catch_up", catch_up());
}

/// Then whoever takes the next note starts it again.
bool RedisStore::has_caught_up() {
  std::scoped_lock const lock(mutex_);
  is_catching_up_ = unsent_.must_begin_anew || !unsent_.removals.empty();
  return !is_catching_up_;
}

Task<void> RedisStore::catch_up() {
  Backoff backoff(std::chrono::milliseconds(50), std::chrono::milliseconds(250));
  std::exception_ptr thrown;
  try {
    while (!closed_ && !has_caught_up()) {
      co_await sleep_until(std::chrono::steady_clock::now() + backoff.next(random_.below(UINT64_MAX)));
      co_await send_again();
    }
  } catch (...) {
    thrown = std::current_exception();
  }
  if (!thrown)
    co_return;
  {
    std::scoped_lock const lock(mutex_);
    is_catching_up_ = false;
  }
  std::rethrow_exception(thrown);
}

RedisStoreView RedisStore::view() const {
  std::scoped_lock const lock(mutex_);
  return {.unsent = unsent_.removals.size(),
          .must_begin_anew = unsent_.must_begin_anew,
          .failures = failures_,
          .resent = resent_};
}

}  // namespace al::cache
