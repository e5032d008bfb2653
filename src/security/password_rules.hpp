#pragma once
#include <cstddef>
#include <string_view>

#include "core/result.hpp"

namespace al::security {

inline constexpr std::size_t password_characters_min = 8;
inline constexpr std::size_t password_bytes_max = 1'024;

/// What an attacker who knows the account tries first.
struct PersonalWords {
  std::string_view email;
  std::string_view full_name;
};

/// Whether a new password may be set. It must have 8 characters (code points) at least and 1024 bytes at most, and be
/// none of the 10,000 most common ones, nor the e-mail address, the name or the name of this service with little added;
/// none of these looks at the case of ASCII letters. Sources: OWASP ASVS 5.0, 6.2.1, 6.2.4, 6.2.9 and 6.2.11.
///
/// Any character counts and none is required. The prototype demanded an upper-case letter, a lower-case one, a digit
/// and a sign; NIST SP 800-63B-4 (3.1.1.2) and ASVS 6.2.5 forbid such rules: people satisfy them in the same few ways
/// ("P@ssw0rd" has all four), and a long sentence that is easy to remember would be refused.
///
/// Errors: invalid, with one fault at the path "password" that says what to do instead. It never repeats the password.
[[nodiscard]] Result<void> check_password(std::string_view password, PersonalWords personal);

}  // namespace al::security
