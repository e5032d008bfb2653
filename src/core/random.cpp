#include "core/random.hpp"

#include <sodium.h>

#include <array>
#include <cstring>

#include "core/base64.hpp"
#include "core/fault.hpp"

namespace al {

std::uint64_t Random::below(std::uint64_t bound) {
  // Values under 2^64 mod bound would come once too often. Each round keeps at least half of all values, so the limit
  // is reached with a chance of 2^-128 by a sound source, and ends the loop for a broken one.
  constexpr int rounds_max = 128;
  std::uint64_t const threshold = (0 - bound) % bound;
  std::uint64_t value = 0;
  for (int round = 0; round < rounds_max; ++round) {
    std::array<std::byte, sizeof value> bytes{};
    fill(bytes);
    std::memcpy(&value, bytes.data(), sizeof value);
    if (value >= threshold)
      break;
  }
  return value % bound;
}

std::string Random::token(std::size_t bytes) {
  std::string raw(bytes, '\0');
  fill(std::as_writable_bytes(std::span(raw)));
  auto out = to_base64url(raw);
  sodium_memzero(raw.data(), raw.size());
  return out;
}

void SystemRandom::fill(std::span<std::byte> out) {
  static bool const ready = sodium_init() >= 0;
  if (!ready)
    throw Fault("libsodium cannot be initialised: the system gives no random numbers");
  randombytes_buf(out.data(), out.size());
}

}  // namespace al
