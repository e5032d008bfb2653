#pragma once
/// Access tokens: JSON Web Tokens (RFC 7519) in the compact form of RFC 7515, of the type that RFC 9068 names and under
/// the advice of RFC 8725. No I/O and no log. They say who calls and in which sign-in; what he may do is looked up, so
/// that a change bites at once.

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/ids.hpp"
#include "core/random.hpp"
#include "core/result.hpp"
#include "core/time.hpp"
#include "security/secret_key.hpp"

namespace al::security::jwt {

inline constexpr std::size_t token_bytes_max = 8192;
/// How far the clocks of two machines may be apart.
inline constexpr std::chrono::seconds leeway{30};
/// From `issued_at` to `expires_at`.
inline constexpr std::chrono::hours lifetime_max{24};

enum class Algorithm {
  ed25519,      ///< "EdDSA" (RFC 8037): who can check tokens cannot make them
  hmac_sha256,  ///< "HS256" (RFC 7518 3.2), of a secret that both sides share
};

/// What checks signatures. The key decides the algorithm, never the token (RFC 8725 3.1).
struct VerificationKey {
  std::string id;  ///< `kid`: `[A-Za-z0-9_-]{1,64}`
  Algorithm algorithm = Algorithm::ed25519;
  SecretKeyPtr bytes;                         ///< the public key of ed25519, the secret itself of hmac_sha256
  std::optional<Timestamp> accepted_until{};  ///< of a key that was rotated out: from then on its tokens are refused

  [[nodiscard]] bool is_accepted_at(Timestamp now) const { return !accepted_until || now < *accepted_until; }
  /// How long it takes tells nothing of a secret.
  [[nodiscard]] bool has_signed(std::string_view message, std::string_view signature) const;
};

/// What makes signatures. The secret is wiped with the last copy. Immutable, so any thread may use it.
class SigningKey {
 public:
  /// A new key with an id of its own.
  SigningKey(Algorithm, Random&);
  /// Reads what text() wrote. Errors: invalid, without any of the text.
  [[nodiscard]] static Result<SigningKey> from(std::string_view text);

  /// "EdDSA.<id>.<secret as base64>": to be sealed before it is stored, and wiped.
  [[nodiscard]] std::string text() const;
  [[nodiscard]] std::string const& id() const { return verification_key_.id; }
  [[nodiscard]] Algorithm algorithm() const { return verification_key_.algorithm; }
  [[nodiscard]] VerificationKey const& verification_key() const { return verification_key_; }

  /// 64 bytes of ed25519 (RFC 8032, always the same for a message), 32 of hmac_sha256.
  [[nodiscard]] std::string signature(std::string_view message) const;

 private:
  SigningKey(std::string id, Algorithm, SecretKeyPtr secret);

  SecretKeyPtr secret_;  ///< the seed of ed25519 (RFC 8032 5.1.5), the secret of hmac_sha256
  VerificationKey verification_key_;
};

/// The keys whose tokens are taken, by id. Immutable, so any thread may use it.
class KeySet {
 public:
  static constexpr std::size_t keys_max = 16;

  /// Errors: invalid (an id that is none or stands twice, a key without bytes, more than keys_max).
  [[nodiscard]] static Result<KeySet> from(std::vector<VerificationKey>);
  /// Null when there is none.
  [[nodiscard]] VerificationKey const* find(std::string_view id) const;
  [[nodiscard]] std::vector<VerificationKey> const& keys() const { return keys_; }

 private:
  std::vector<VerificationKey> keys_;
};

/// The names on the wire stand beside. Times are whole seconds there: fractions are cut.
struct Claims {
  std::string issuer;      ///< `iss`
  std::string audience;    ///< `aud`, one
  std::string subject;     ///< `sub`: the user's id
  TenantId tenant;         ///< `tenant`
  std::string session_id;  ///< `sid`
  std::string id;          ///< `jti`
  Timestamp issued_at{};   ///< `iat`
  Timestamp expires_at{};  ///< `exp`
  bool operator==(Claims const&) const = default;
};

/// Whom a token must be from and for, to the letter.
struct Expected {
  std::string issuer;
  std::string audience;
};

/// The token of `claims`, which must be such as verify() takes: ids of 1 to 255 bytes without control characters,
/// expires_at after issued_at and at most lifetime_max later.
[[nodiscard]] std::string sign(Claims const&, SigningKey const&);

/// The claims of a token that one of `keys` has signed, that is meant for us and that is valid at `now`, give or take
/// the leeway. A header naming keys of its own (`jwk`, `jku`, `x5c`, `x5u`) makes no difference; `crit` and `b64` are
/// refused (RFC 7515 4.1.11, RFC 7797), and claims that we do not know are passed over (RFC 7519 4). Whether its user
/// and sign-in are still there is for the caller to look up. Errors: unauthenticated, always with the same message,
/// which tells neither the reason nor any of the token.
[[nodiscard]] Result<Claims> verify(std::string_view token, KeySet const& keys, Expected const&, Timestamp now);

/// A JWK set (RFC 7517, RFC 8037) of the public keys that are accepted at `now`, for others who check our tokens. A
/// shared secret is never in it.
[[nodiscard]] std::string jwks(KeySet const&, Timestamp now);

}  // namespace al::security::jwt
