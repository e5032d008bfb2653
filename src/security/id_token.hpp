#pragma once
/// Identity tokens of OpenID Connect: what a provider says about the person who signed in there (OpenID Connect Core
/// 1.0, 2 and 3.1.3.7, under the advice of RFC 8725). No I/O and no log. Our own tokens are another thing: see jwt.hpp.

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "core/time.hpp"

namespace al::security::oidc {

inline constexpr std::size_t id_token_bytes_max = 16 * 1024;
/// How far the provider's clock and ours may be apart.
inline constexpr std::chrono::seconds leeway{60};

/// The public keys of a provider, a JWK set (RFC 7517). Immutable, so any thread may use it.
class Jwks {
 public:
  static constexpr std::size_t keys_max = 64;
  static constexpr int rsa_bits_min = 2048;
  static constexpr int rsa_bits_max = 8192;  ///< larger ones cost time and are used by nobody

  /// Takes the keys of RS256 (RSA), ES256 (EC, P-256) and EdDSA (OKP, Ed25519). Those of another kind, of another use
  /// or size, and those that tell their private half are passed over, as RFC 7517 5 asks: a provider may add new kinds.
  /// Errors: invalid (no JWK set, more than keys_max, no key that can be used).
  [[nodiscard]] static Result<Jwks> from(std::string_view document);

  /// How many can be used.
  [[nodiscard]] std::size_t size() const { return keys_.size(); }
  /// Whether exactly one key is of the algorithm and id that the header of `token` names. A header may leave the id out
  /// when there is no choice (OpenID Connect Core 10.1). False also for what is no token.
  [[nodiscard]] bool has_key_of(std::string_view token) const;

  struct Key;
  /// The one key of that algorithm and id, of any id when none is given; null when there is none, or more than one.
  [[nodiscard]] Key const* find(std::string_view algorithm, std::optional<std::string_view> id) const;

 private:
  std::vector<std::shared_ptr<Key const>> keys_;
};

/// Whom a token must be from and for, to the letter, and the sign-in that it must answer.
struct Expected {
  std::string issuer;
  std::string client_id;
  std::string nonce;
};

/// A person as the provider knows him. He is told by issuer and subject together, never by his e-mail address: that one
/// can go to another person.
struct Identity {
  std::string issuer;
  std::string subject;
  std::optional<std::string> email;  ///< only one that the provider has verified: `email_verified` is true
  std::string full_name;             ///< `name`, cut to 100 characters; empty when there is none
  bool operator==(Identity const&) const = default;
};

/// The identity in a token that one of `keys` has signed, that answers the sign-in in question and that is valid at
/// `now`, give or take the leeway. The key decides the algorithm, never the token (RFC 8725 3.1). A token for several
/// audiences must name us as `azp`, and a token with `azp` must name us there. A header naming keys of its own makes no
/// difference. Errors: unauthenticated, always with the same message, which tells neither the reason nor any of the
/// token; `where` names the rule: form, header, key, signature, issuer, audience, time, nonce or subject.
[[nodiscard]] Result<Identity> verify_id_token(std::string_view token, Jwks const& keys, Expected const&,
                                               Timestamp now);

}  // namespace al::security::oidc
