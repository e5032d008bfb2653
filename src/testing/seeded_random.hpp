#pragma once
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <random>
#include <span>

#include "core/random.hpp"

namespace al {

/// The same bytes in every run with the same seed, on every platform. Any thread; never outside tests.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed = 1) : engine_(seed) {}

  void fill(std::span<std::byte> out) override {
    std::lock_guard const lock(mutex_);
    std::uint64_t word = 0;
    for (std::size_t i = 0; i < out.size(); ++i, word >>= 8) {
      if (i % sizeof word == 0)
        word = engine_();
      out[i] = static_cast<std::byte>(word);
    }
  }

 private:
  std::mutex mutex_;
  std::mt19937_64 engine_;
};

}  // namespace al
