#pragma once
#include <array>

#include "cache/local_cache.hpp"
#include "data/access_store.hpp"
#include "http/router.hpp"
#include "security/token_keys.hpp"

namespace al::security {

/// What whoever is signed in may do with his own account, besides what his roles say.
inline constexpr std::string_view own_account = "profile:*";
/// Of it, what is left to who has to change his password: that, seeing who he is, and leaving. A key that he made, or a
/// provider that he linked, would outlive a password which others may have read.
inline constexpr std::array<std::string_view, 3> own_password = {"profile:read", "profile:password", "profile:logout"};

/// What `access` comes to. An API key of a user may do what both it and he may; while he has to change his password,
/// nothing.
[[nodiscard]] http::Principal principal_of(data::Access const& access, std::string login_id);

/// Finds out who calls by `Authorization: Bearer <token>` (RFC 6750), or `X-Api-Key: <token>`, as Anthropic's clients
/// send it. The token is an access token of a login, or an API key; neither is kept nor logged: from here on there is
/// only its SHA-256. What was found is remembered for at most a second, so a login that has ended and a revoked key
/// stop working within that time. Thread-safe.
class TokenAuthenticator final : public http::Authenticator {
 public:
  TokenAuthenticator(data::AccessStore& store, TokenKeys& keys, Clock const& clock)
      : store_(store), keys_(keys), known_(clock) {}

  /// Errors: unauthenticated (no such header, another scheme, a token that nobody knows); those of Sealing.
  [[nodiscard]] Task<Result<http::Principal>> authenticate(http::Request const&, Deadline) override;

 private:
  [[nodiscard]] Task<Result<http::Principal>> find_login(std::string_view token, Deadline);
  [[nodiscard]] Task<Result<http::Principal>> find_key(std::string const& hash, Deadline);
  [[nodiscard]] Task<void> note_use(TenantId tenant, std::string key_id);

  data::AccessStore& store_;
  TokenKeys& keys_;
  cache::LocalCache<http::Principal> known_;
};

}  // namespace al::security
