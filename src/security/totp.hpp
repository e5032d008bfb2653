#pragma once
/// One-time codes of authenticator apps: TOTP (RFC 6238) with SHA-1, six digits and steps of 30 seconds, which is what
/// all of the apps know. No state, any thread: the caller keeps the secret (sealed) and the last step that was used.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/random.hpp"
#include "core/time.hpp"

namespace al::security::totp {

/// 160 bits, as RFC 4226 (4, R6) recommends, in 32 characters of base32 (RFC 4648) without padding.
[[nodiscard]] std::string new_secret(Random&);

/// What the app reads from a QR code, in Google Authenticator's key URI format. Colons are left out of `account` and
/// `issuer`: in the label one divides the two, escaped or not.
[[nodiscard]] std::string otpauth_uri(std::string_view secret, std::string_view account, std::string_view issuer);

/// The step that `code` belongs to: the present one, the one before (the user was slow) or after (the phone is fast),
/// and later than `last_used_step`, 0 for a secret that was never used. Whoever accepts it stores it under a guard
/// (`WHERE totp_step < $step`), so that of two who send the same code at once one gets in: no code counts twice
/// (RFC 6238, 5.2; ASVS 5.0, 6.5.1).
///
/// Nothing when the code matches no such step, is not exactly six ASCII digits, or when the secret is not base32 of 128
/// bits at least. How long the comparison takes does not depend on the code.
[[nodiscard]] std::optional<std::int64_t> matching_step(std::string_view secret, std::string_view code, Timestamp now,
                                                        std::int64_t last_used_step);

}  // namespace al::security::totp
