#pragma once
/// Answers that go on for long end with the credential that asked for them.

#include <chrono>
#include <string>
#include <string_view>

#include "http/router.hpp"

namespace al::services {

/// The caller of a request, for as long as its answer goes on. Not thread-safe; it stays where it is while it looks.
class Credential {
 public:
  /// How often at least to look. The authenticator may remember for a second: what is looked at before each piece goes
  /// out ends within that time, and an answer that is silent within two.
  static constexpr std::chrono::seconds look_interval{1};

  /// The one of `call`, on a route that needs `permission`. The authenticator outlives it.
  Credential(http::Authenticator& authenticator, http::Call const& call, std::string_view permission);

  /// Asks again, and takes the permissions that it has now. While nobody can say, what was known last holds.
  /// Errors: unauthenticated (expired or revoked), forbidden (the permission is gone). Both are for good.
  [[nodiscard]] Task<Result<void>> look();

  /// As look() saw it last.
  [[nodiscard]] http::Principal const& principal() const { return principal_; }

 private:
  [[nodiscard]] Result<void> take(Result<http::Principal> found);

  http::Authenticator& authenticator_;
  http::Request request_;  ///< nothing but the headers that credentials come in
  http::Principal principal_;
  std::string permission_;
};

/// Looks, for an answer of server-sent events. False: the client has been told with `ended`, and the stream is over.
[[nodiscard]] Task<bool> may_go_on(Credential&, http::BodyWriter&);

}  // namespace al::services
