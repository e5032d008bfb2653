#pragma once
#include <algorithm>
#include <chrono>
#include <cstdint>

namespace al {

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
