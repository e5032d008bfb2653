#include "cache/limits.hpp"

#include <algorithm>
#include <utility>

namespace al::cache {
namespace {

constexpr std::int64_t slots_a_window = 10;

// A hash of slot number to what was taken in it. The same as LocalLimits::take, by the server's clock. A slot of the
// future is there when that clock was set back.
// Parameters: limit, microseconds a slot, cost, milliseconds to keep.
redis::Script const take_some(R"(
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local limit, step, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local slot = math.floor(now / step)
local used, slots = 0, {}
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  local number, taken = tonumber(all[i]), tonumber(all[i + 1])
  if number < slot - 10 or number > slot then
    redis.call('HDEL', KEYS[1], all[i])
  else
    used = used + taken
    slots[#slots + 1] = {number, taken}
  end
end
if used + cost <= limit then
  if cost > 0 then
    redis.call('HINCRBY', KEYS[1], string.format('%.0f', slot), ARGV[3])
    redis.call('PEXPIRE', KEYS[1], ARGV[4])
  end
  return {1, limit - used - cost, 0}
end
table.sort(slots, function(a, b) return a[1] < b[1] end)
local free, wait = limit - used, 11 * step
for _, entry in ipairs(slots) do
  free = free + entry[2]
  if free >= cost then
    wait = (entry[1] + 11) * step - now
    break
  end
end
return {0, math.max(0, limit - used), wait}
)");

std::int64_t step_of(std::chrono::milliseconds window) {
  return std::chrono::microseconds(std::max(window, Limits::window_min)).count() / slots_a_window;
}

std::string with_window(std::string key, std::chrono::milliseconds window) {
  return std::move(key) + ":" + std::to_string(window.count());
}

}  // namespace

// ---- in this process ----

LocalLimits::Counted& LocalLimits::look_up(std::string key) {
  if (auto const found = index_.find(key); found != index_.end()) {
    counted_.splice(counted_.begin(), counted_, found->second);
    return counted_.front();
  }
  counted_.push_front({.key = std::move(key)});
  index_.emplace(counted_.front().key, counted_.begin());
  if (counted_.size() > keys_max_) {
    index_.erase(counted_.back().key);
    counted_.pop_back();
  }
  return counted_.front();
}

Task<Allowance> LocalLimits::take(std::string key, std::int64_t limit, std::chrono::milliseconds window,
                                  std::int64_t cost, Deadline) {
  auto const now = std::chrono::duration_cast<std::chrono::microseconds>(clock_.steady().time_since_epoch()).count();
  auto const step = step_of(window);
  auto const current = now / step;
  cost = std::max<std::int64_t>(cost, 0);
  std::scoped_lock const lock(mutex_);
  auto& slots = look_up(with_window(std::move(key), window)).slots;
  std::int64_t used = 0;
  for (auto& slot : slots) {
    if (slot.number < current - slots_a_window)
      slot = {};
    used += slot.used;
  }
  // The oldest first. The current slot is the last one, or stands in place of the oldest, which is free then.
  std::ranges::sort(slots, {}, &Slot::number);
  if (used + cost <= limit) {
    auto& slot = slots.back().number == current ? slots.back() : slots.front();
    if (cost > 0)
      slot = {.number = current, .used = slot.number == current ? slot.used + cost : cost};
    co_return Allowance{.allowed = true, .remaining = limit - used - cost, .retry_after = {}};
  }
  auto free = limit - used;
  for (auto const& slot : slots) {
    free += slot.used;
    if (slot.used > 0 && free >= cost)
      co_return Allowance{.allowed = false,
                          .remaining = std::max<std::int64_t>(0, limit - used),
                          .retry_after = std::chrono::microseconds((slot.number + slots_a_window + 1) * step - now)};
  }
  co_return Allowance{.allowed = false,
                      .remaining = std::max<std::int64_t>(0, limit - used),
                      .retry_after = std::chrono::microseconds((slots_a_window + 1) * step)};
}

// ---- in Redis ----

Task<Allowance> RedisLimits::take(std::string key, std::int64_t limit, std::chrono::milliseconds window,
                                  std::int64_t cost, Deadline deadline) {
  auto const step = step_of(window);
  cost = std::max<std::int64_t>(cost, 0);
  auto const keep_ms = (slots_a_window + 1) * step / 1000 + 1;
  auto const reply = co_await calls_.run(
      take_some, {with_window(key, window)},
      {std::to_string(limit), std::to_string(step), std::to_string(cost), std::to_string(keep_ms)}, deadline);
  if (!reply || !reply->is_array() || reply->array().size() != 3)
    co_return co_await local_.take(std::move(key), limit, window, cost, deadline);
  auto const& parts = reply->array();
  co_return Allowance{.allowed = parts[0].integer() == 1,
                      .remaining = parts[1].integer(),
                      .retry_after = std::chrono::microseconds(parts[2].integer())};
}

}  // namespace al::cache
