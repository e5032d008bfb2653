#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace al {

/// SHA-256 (FIPS 180-4) as 64 lower-case hexadecimal digits.
[[nodiscard]] std::string sha256_hex(std::string_view);

/// FNV-1a, 64 bits: the same on every machine and in every release. Not against an adversary.
[[nodiscard]] std::uint64_t fnv1a(std::string_view);

}  // namespace al
