#pragma once
#include "cache/local_cache.hpp"
#include "data/access_store.hpp"
#include "http/router.hpp"

namespace al::security {

/// Finds out who calls by `Authorization: Bearer <token>` (RFC 6750), or `X-Api-Key: <token>`, as Anthropic's clients
/// send it. The token itself is neither kept nor logged: from
/// here on there is only its SHA-256. What was found is remembered for at most a second, so a revoked token stops
/// working within that time. Thread-safe.
class TokenAuthenticator final : public http::Authenticator {
 public:
  TokenAuthenticator(data::AccessStore& store, Clock const& clock) : store_(store), known_(clock) {}

  /// Errors: unauthenticated (no such header, another scheme, a token that nobody knows).
  [[nodiscard]] Task<Result<http::Principal>> authenticate(http::Request const&, Deadline) override;

 private:
  data::AccessStore& store_;
  cache::LocalCache<http::Principal> known_;
};

}  // namespace al::security
