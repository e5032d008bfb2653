#include "cache/locks.hpp"

#include <algorithm>
#include <utility>

#include "core/backoff.hpp"
#include "redis/script.hpp"

namespace al::cache {
namespace {

using redis::Script;

constexpr std::size_t attempt_bytes = 12;
constexpr std::chrono::seconds release_timeout{2};

// Under the lock's name stands "TOKEN ATTEMPT"; under the second key the last token. Redis keeps that for a day, longer
// than a clock is set back by; tokens are below 2^53, so Lua's numbers are exact.
// Parameters: attempt, time to live in milliseconds.
Script const acquire_lock(R"(
local held = redis.call('GET', KEYS[1])
if held then
  local token, attempt = string.match(held, '^(%d+) (.+)$')
  if attempt ~= ARGV[1] then return false end
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  return token
end
local time = redis.call('TIME')
local token = math.max(time[1] * 1000000 + time[2], tonumber(redis.call('GET', KEYS[2]) or '0') + 1)
token = string.format('%.0f', token)
redis.call('SET', KEYS[2], token, 'PX', 86400000)
redis.call('SET', KEYS[1], token .. ' ' .. ARGV[1], 'PX', ARGV[2])
return token
)",
                          redis::Repeat::once);

// Parameters: token, time to live in milliseconds.
Script const renew_lock(R"(
local held = redis.call('GET', KEYS[1])
if not held or string.match(held, '^%d+') ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
)",
                        redis::Repeat::once);

// Parameters: token.
Script const release_lock(R"(
local held = redis.call('GET', KEYS[1])
if not held or string.match(held, '^%d+') ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
)");

std::unexpected<Error> lost() { return fail(Code::lease_lost, "The lock has ended, and others may hold it."); }

std::unexpected<Error> held_by_another() { return fail(Code::conflict, "Somebody else holds the lock; try again."); }

/// A lock that ended is an answer, not an error of Redis.
Result<void> outcome(Result<redis::Reply> const& reply) {
  if (!reply)
    return fail(reply.error());
  if (!reply->is_integer() || reply->integer() != 1)
    return lost();
  return {};
}

}  // namespace

// ---- any ----

Task<Result<Lock>> Locks::acquire(std::string name, std::chrono::milliseconds ttl, Deadline deadline) {
  if (ttl < ttl_min)
    co_return fail(Code::invalid, "A lock lasts for 10 ms at least.");
  auto const attempt = random_.token(attempt_bytes);
  Backoff backoff(std::chrono::milliseconds(4), std::chrono::milliseconds(100));
  for (bool was_held = false;; was_held = true) {
    auto const since = std::chrono::steady_clock::now();
    auto const tried = co_await try_acquire(name, attempt, ttl, deadline);
    // Its holder, not Redis, is why the time ran out.
    if (!tried && was_held && tried.error().code == Code::timed_out)
      co_return held_by_another();
    if (!tried)
      co_return fail(tried.error());
    if (tried->token)
      co_return Lock{.name = std::move(name), .token = *tried->token, .since = since};
    auto const next = std::chrono::steady_clock::now() + backoff.next(random_.below(UINT64_MAX));
    if (next >= deadline.at)
      co_return held_by_another();
    co_await sleep_until(next);
  }
}

Task<Result<void>> keep(Locks& locks, Lock lock, std::chrono::milliseconds ttl) {
  auto end = lock.since + ttl - ttl / 6;
  auto next = lock.since + ttl / 3;
  for (;;) {
    co_await sleep_until(std::min(next, end));
    auto const now = std::chrono::steady_clock::now();
    if (now >= end)
      co_return lost();
    auto const renewed = co_await locks.renew(lock, ttl, Deadline{end});
    if (renewed) {
      end = now + ttl - ttl / 6;
      next = now + ttl / 3;
    } else if (renewed.error().code == Code::lease_lost) {
      co_return fail(renewed.error());
    } else {
      next = std::chrono::steady_clock::now() + ttl / 12;
    }
  }
}

namespace {

Task<void> release_quietly(Locks& locks, Lock lock) {
  std::ignore = co_await locks.release(std::move(lock), Deadline::after(release_timeout));
}

}  // namespace

void give_back(asio::any_io_executor const& executor, Locks& locks, Lock lock) {
  spawn(executor, "cache.release", release_quietly(locks, std::move(lock)));
}

// ---- in this process ----

Task<Result<Locks::Attempt>> LocalLocks::try_acquire(std::string const& name, std::string const& attempt,
                                                     std::chrono::milliseconds ttl, Deadline) {
  auto const now = clock_.steady();
  std::scoped_lock const lock(mutex_);
  auto found = held_.find(name);
  if (found != held_.end() && found->second.until > now && found->second.attempt != attempt)
    co_return Attempt{};
  if (found == held_.end() && held_.size() >= locks_max) {
    std::erase_if(held_, [now](auto const& entry) { return entry.second.until <= now; });
    if (held_.size() >= locks_max)
      co_return fail(Code::unavailable, "Too many locks are held.");
  }
  last_ = std::max<std::int64_t>(last_ + 1, clock_.now().time_since_epoch().count());
  held_.insert_or_assign(name, Held{.token = last_, .attempt = attempt, .until = now + ttl});
  co_return Attempt{.token = last_};
}

Task<Result<void>> LocalLocks::renew(Lock lock, std::chrono::milliseconds ttl, Deadline) {
  auto const now = clock_.steady();
  std::scoped_lock const guard(mutex_);
  auto const found = held_.find(lock.name);
  if (found == held_.end() || found->second.token != lock.token || found->second.until <= now)
    co_return lost();
  found->second.until = now + ttl;
  co_return Result<void>{};
}

Task<Result<void>> LocalLocks::release(Lock lock, Deadline) {
  auto const now = clock_.steady();
  std::scoped_lock const guard(mutex_);
  auto const found = held_.find(lock.name);
  if (found == held_.end() || found->second.token != lock.token || found->second.until <= now)
    co_return lost();
  held_.erase(found);
  co_return Result<void>{};
}

// ---- in Redis ----

Task<Result<Locks::Attempt>> RedisLocks::try_acquire(std::string const& name, std::string const& attempt,
                                                     std::chrono::milliseconds ttl, Deadline deadline) {
  auto& connection = connections_.here(co_await asio::this_coro::executor);
  auto const reply =
      co_await acquire_lock.run(connection, {name, name + ":last"}, {attempt, std::to_string(ttl.count())}, deadline);
  if (!reply)
    co_return fail(reply.error());
  if (!reply->is_text())
    co_return Attempt{};
  co_return Attempt{.token = std::stoll(reply->text())};
}

Task<Result<void>> RedisLocks::renew(Lock lock, std::chrono::milliseconds ttl, Deadline deadline) {
  auto& connection = connections_.here(co_await asio::this_coro::executor);
  co_return outcome(co_await renew_lock.run(connection, {lock.name},
                                            {std::to_string(lock.token), std::to_string(ttl.count())}, deadline));
}

Task<Result<void>> RedisLocks::release(Lock lock, Deadline deadline) {
  auto& connection = connections_.here(co_await asio::this_coro::executor);
  co_return outcome(co_await release_lock.run(connection, {lock.name}, {std::to_string(lock.token)}, deadline));
}

}  // namespace al::cache
