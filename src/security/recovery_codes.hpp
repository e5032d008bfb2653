#pragma once
/// Codes that stand in for a lost second factor, each once (ASVS 5.0, 6.5.1 to 6.5.4). No state, any thread.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/random.hpp"

namespace al::security {

inline constexpr std::size_t recovery_codes_count = 10;

/// Ten codes to be shown once, such as "7KQ2M-0XW9T-H4B8C-ZR3EN-V6D1P": 125 random bits each, in Crockford's base32,
/// which has no I, L, O and U.
[[nodiscard]] std::vector<std::string> new_recovery_codes(Random&);

/// What was typed, as 25 characters of the alphabet: case, white space and dashes do not matter, I and L count as 1, O
/// as 0 and U as V. Empty when it cannot be one of our codes.
[[nodiscard]] std::string normal_recovery_code(std::string_view typed);

/// What is stored and looked up, of a code in any form that people type; no stored hash is that of a text that cannot
/// be a code. A plain SHA-256 is enough, without salt and stretching: these protect secrets that can be guessed, and
/// nobody tries 2^125 codes (ASVS 6.5.2 draws the line at 112 bits). The prefix keeps the hash from being that of a
/// token.
[[nodiscard]] std::string recovery_code_hash(std::string_view typed);

}  // namespace al::security
