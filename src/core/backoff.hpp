#pragma once
#include <algorithm>
#include <chrono>
#include <cstdint>

#include "core/random.hpp"

namespace al {

/// How long to wait after attempt number `attempt` (from 1) failed, before the next one: uniform up to `first`, doubled
/// with every attempt, at most `longest` (AWS architecture blog, "Exponential backoff and jitter": full jitter).
[[nodiscard]] inline std::chrono::microseconds full_jitter(std::int64_t attempt, std::chrono::microseconds first,
                                                           std::chrono::microseconds longest, Random& random) {
  auto const exponent = std::clamp<std::int64_t>(attempt - 1, 0, 16);
  auto const ceiling = std::min<std::chrono::microseconds>(longest, first * (1LL << exponent));
  return std::chrono::microseconds{
      1 + static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(ceiling.count())))};
}

/// Delays between attempts to connect: `first`, doubling up to `longest`, each between half and all of that, so that
/// many processes do not come back at the same moment. A value: it knows neither clock nor randomness.
class Backoff {
 public:
  constexpr Backoff(std::chrono::milliseconds first, std::chrono::milliseconds longest)
      : first_(first), longest_(longest) {}

  /// One more failure; the delay before the next attempt. `random` is uniform in 64 bits.
  [[nodiscard]] std::chrono::milliseconds next(std::uint64_t random) {
    auto const limit = std::min(longest_, first_ * (1 << std::min(failures_, doublings_max)));
    ++failures_;
    auto const half = limit / 2;
    return half + std::chrono::milliseconds(random % static_cast<std::uint64_t>(half.count() + 1));
  }

  /// A connection that stood for `lifetime` is lost. Whether to wait next() before the next attempt: not when it lived
  /// long, which ends the row of failures, and not the first time. A server that accepts and hangs up again and again
  /// must not be called in a tight loop.
  [[nodiscard]] bool lost_after(std::chrono::steady_clock::duration lifetime) {
    if (lifetime >= longest_)
      failures_ = 0;
    if (failures_ > 0)
      return true;
    failures_ = 1;
    return false;
  }

  void reset() { failures_ = 0; }
  [[nodiscard]] int failures() const { return failures_; }

 private:
  static constexpr int doublings_max = 16;  ///< beyond any `longest`, and far from an overflow

  std::chrono::milliseconds first_;
  std::chrono::milliseconds longest_;
  int failures_ = 0;
};

}  // namespace al
