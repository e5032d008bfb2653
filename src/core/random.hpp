#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace al {

/// Where randomness comes from; passed in, so that tests are exact. Any thread.
class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(std::span<std::byte> out) = 0;
  /// Uniform in [0, bound); bound > 0.
  [[nodiscard]] std::uint64_t below(std::uint64_t bound);
  /// `bytes` of randomness as URL-safe base64 without padding.
  [[nodiscard]] std::string token(std::size_t bytes);
};

/// The operating system's generator (libsodium).
class SystemRandom final : public Random {
 public:
  void fill(std::span<std::byte> out) override;
};

}  // namespace al
