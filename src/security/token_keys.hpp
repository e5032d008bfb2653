#pragma once
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "core/actor.hpp"
#include "data/signing_key_store.hpp"
#include "security/jwt.hpp"
#include "security/sealing.hpp"

namespace al::security {

/// What a refresh token names. It is good for its login's present generation only (data/login_store.hpp), so nothing of
/// it need be stored, and a token of an older generation is known as one that was handed out once.
struct RefreshClaims {
  TenantId tenant;
  std::string login_id;
  std::int64_t generation = 0;
};

/// What a signed-in user's tokens say.
struct TokenSubject {
  TenantId tenant;
  std::string user_id;
  std::string login_id;
};

/// The installation's signing keys, and the tokens that they make. Keys are sealed in the database and shared by all
/// processes; a process reads them again every minute, and when a token names one that it does not know. Thread-safe.
class TokenKeys {
 public:
  static constexpr std::chrono::minutes access_ttl{15};

  /// `access` is the algorithm of the next key that signs access tokens; the present one stays until it is rotated, so
  /// that processes with different settings do not take turns.
  TokenKeys(data::SigningKeyStore& store, Sealing& sealing, Clock const& clock, Random& random,
            jwt::Algorithm access = jwt::Algorithm::ed25519)
      : store_(store), sealing_(sealing), clock_(clock), random_(random), access_(access) {}

  /// Errors: those of Sealing. Throws Unavailable.
  [[nodiscard]] Task<Result<std::string>> access_token(TokenSubject const&, Deadline);
  [[nodiscard]] Task<Result<std::string>> refresh_token(RefreshClaims const&, Deadline);

  /// Errors: unauthenticated; those of Sealing. Whether the login goes on is for the caller to look up.
  [[nodiscard]] Task<Result<jwt::Claims>> verify_access(std::string_view token, Deadline);
  [[nodiscard]] Task<Result<RefreshClaims>> verify_refresh(std::string_view token, Deadline);

  /// New keys sign from now on, here at once and in other processes when they look. What the old ones have signed is
  /// good until it expires. Errors: those of Sealing.
  [[nodiscard]] Task<Result<void>> rotate(Deadline);

  /// Whether there is any key yet: the first sign-in makes them, and with them the master key where there is none.
  [[nodiscard]] Task<bool> has_keys(Deadline);

  /// A statement about the audit trail, by a key that is never rotated: it is checked years later. Errors: those of
  /// Sealing.
  struct Signature {
    std::string key_id;
    std::string text;  ///< URL-safe base64
  };
  [[nodiscard]] Task<Result<Signature>> sign_statement(std::string_view statement, Deadline);
  [[nodiscard]] Task<Result<bool>> has_signed(std::string_view statement, Signature const&, Deadline);

  /// The public keys for others who check our access tokens (RFC 7517). Errors: those of Sealing.
  [[nodiscard]] Task<Result<std::string>> jwks(Deadline);

  /// Whether a credential looks like an access token rather than an API key.
  [[nodiscard]] static bool is_access_token(std::string_view token);

 private:
  struct Keys {
    jwt::KeySet access;
    std::optional<jwt::SigningKey> signs_access;
    std::map<std::string, jwt::SigningKey, std::less<>> refresh;
    std::optional<jwt::SigningKey> signs_refresh;
    std::map<std::string, jwt::SigningKey, std::less<>> audit;
    SteadyTime read_at{};
  };
  using KeysPtr = std::shared_ptr<Keys const>;

  [[nodiscard]] KeysPtr known();
  [[nodiscard]] Task<Result<KeysPtr>> keys(std::chrono::milliseconds age_max, Deadline);
  [[nodiscard]] Task<Result<KeysPtr>> read(Deadline);
  [[nodiscard]] Task<Result<void>> make(std::string purpose, jwt::Algorithm, bool only_if_none, Deadline);

  data::SigningKeyStore& store_;
  Sealing& sealing_;
  Clock const& clock_;
  Random& random_;
  jwt::Algorithm const access_;
  std::mutex mutex_;
  KeysPtr keys_;  // under mutex_
};

}  // namespace al::security
