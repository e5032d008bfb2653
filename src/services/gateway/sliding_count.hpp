#pragma once
#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <numeric>

#include "core/time.hpp"

namespace al::services::gateway {

/// How often something happened within the last `window`, in slots of a tenth of it: what is older than the window
/// never counts, and what is younger than nine tenths of it always does. Memory does not grow with what is counted.
/// Times may come out of order. Not thread-safe.
class SlidingCount {
 public:
  explicit SlidingCount(SteadyTime::duration window) : slot_length_(window / slots) {
    assert(slot_length_.count() > 0);
  }

  void add(SteadyTime now) {
    auto const number = number_of(now);
    auto& slot = slots_[static_cast<std::size_t>(number % slots)];
    if (slot.number < number)
      slot = {.number = number};
    if (slot.number == number)  // Else it is older than the window.
      ++slot.count;
  }

  [[nodiscard]] std::int64_t sum(SteadyTime now) const {
    auto const number = number_of(now);
    return std::accumulate(slots_.begin(), slots_.end(), std::int64_t{0}, [&](std::int64_t sum, Slot const& slot) {
      return slot.number > number - slots ? sum + slot.count : sum;
    });
  }

  void clear() { slots_ = {}; }

 private:
  static constexpr std::int64_t slots = 10;

  struct Slot {
    std::int64_t number = -1;  ///< since the clock began
    std::int64_t count = 0;
  };

  /// Steady clocks begin at 0, when the machine starts.
  [[nodiscard]] std::int64_t number_of(SteadyTime now) const { return now.time_since_epoch() / slot_length_; }

  SteadyTime::duration slot_length_;
  std::array<Slot, slots> slots_{};
};

}  // namespace al::services::gateway
