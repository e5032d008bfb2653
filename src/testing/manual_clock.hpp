#pragma once
#include <chrono>
#include <mutex>

#include "core/time.hpp"

namespace al {

/// A clock that stands still until a test moves it. Any thread.
class ManualClock final : public Clock {
 public:
  /// Begins at 2026-01-01T00:00:00Z, so that expected values are easy to write down.
  explicit ManualClock(Timestamp start = std::chrono::sys_days(std::chrono::year(2026) / 1 / 1)) : now_(start) {}

  [[nodiscard]] Timestamp now() const override {
    std::lock_guard const lock(mutex_);
    return now_;
  }
  [[nodiscard]] SteadyTime steady() const override {
    std::lock_guard const lock(mutex_);
    return steady_;
  }

  /// Time passes: both clocks go on by `step`, which is not negative.
  void advance(std::chrono::microseconds step) {
    std::lock_guard const lock(mutex_);
    now_ += step;
    steady_ += step;
  }

  /// Someone sets the wall clock, forward or back; the monotonic clock stays.
  void set(Timestamp now) {
    std::lock_guard const lock(mutex_);
    now_ = now;
  }

 private:
  mutable std::mutex mutex_;
  Timestamp now_;
  SteadyTime steady_{std::chrono::hours(24)};
};

}  // namespace al
