#pragma once
/// Limits over a sliding window.

#include <array>
#include <chrono>
#include <cstdint>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "cache/redis_calls.hpp"

namespace al::cache {

struct Allowance {
  bool allowed = false;
  std::int64_t remaining = 0;               ///< after this
  std::chrono::microseconds retry_after{};  ///< when as much may be had again, if nobody else takes it; 0 if allowed
};

/// Counts in slots of a tenth of the window and adds up the eleven that the window touches. So no window of any
/// position ever has more than the limit, and what was taken comes back at the latest a tenth of the window too late.
/// (Two weighted buckets would let up to twice the limit through; a log of all calls grows with the limit.) Any thread.
/// Keys are made by keys.hpp.
class Limits {
 public:
  static constexpr std::chrono::milliseconds window_min{10};

  Limits() = default;
  virtual ~Limits() = default;
  Limits(Limits const&) = delete;
  Limits& operator=(Limits const&) = delete;

  /// Takes `cost` (0 or less: only looks) of the `limit` that may be had in each `window`, or nothing. More than the
  /// limit at once is never allowed. Another window under the same key counts by itself. It never fails.
  [[nodiscard]] virtual Task<Allowance> take(std::string key, std::int64_t limit, std::chrono::milliseconds window,
                                             std::int64_t cost, Deadline deadline) = 0;
};

/// In this process. Of more than `keys_max` keys the one asked for longest ago is forgotten.
class LocalLimits final : public Limits {
 public:
  explicit LocalLimits(Clock const& clock, std::size_t keys_max = 65'536) : clock_(clock), keys_max_(keys_max) {}
  [[nodiscard]] Task<Allowance> take(std::string key, std::int64_t limit, std::chrono::milliseconds window,
                                     std::int64_t cost, Deadline) override;

 private:
  struct Slot {
    std::int64_t number = -1;
    std::int64_t used = 0;
  };
  struct Counted {
    std::string key;
    std::array<Slot, 11> slots{};
  };
  [[nodiscard]] Counted& look_up(std::string key);

  Clock const& clock_;
  std::size_t const keys_max_;
  std::mutex mutex_;
  std::list<Counted> counted_;  ///< the one asked for last is in front
  std::unordered_map<std::string_view, std::list<Counted>::iterator> index_;
};

/// In Redis, by its clock, for all processes. While Redis is away each process counts by itself, from nothing: n of
/// them then let n times the limit through, because refusing everybody would be worse.
class RedisLimits final : public Limits {
 public:
  /// Both outlive this.
  RedisLimits(redis::Connections& connections, Clock const& clock, CallOptions options = {})
      : calls_(connections, options), local_(clock) {}
  [[nodiscard]] Task<Allowance> take(std::string key, std::int64_t limit, std::chrono::milliseconds window,
                                     std::int64_t cost, Deadline deadline) override;

 private:
  RedisCalls calls_;
  LocalLimits local_;
};

}  // namespace al::cache
