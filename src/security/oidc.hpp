#pragma once
/// Signing in with an identity provider: OpenID Connect Core 1.0 as a relying party, with the authorization code flow,
/// PKCE (RFC 7636) and the advice of RFC 9700. What decides is pure; OidcClient adds the calls. Neither log nor error
/// holds a secret, a code or a token.

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/async.hpp"
#include "core/random.hpp"
#include "core/result.hpp"
#include "core/time.hpp"
#include "http/client_pool.hpp"
#include "security/id_token.hpp"

namespace al::security::oidc {

/// From the redirect to the provider until its answer.
inline constexpr std::chrono::minutes attempt_lifetime{10};

struct Provider {
  std::string id;      ///< a slug
  std::string issuer;  ///< to the letter as its tokens name it
  std::string client_id;
  std::string client_secret;
  std::string scopes = "openid profile email";  ///< between single spaces
  std::string redirect_uri;                     ///< to the letter as it is registered there
  /// From the settings: its host may have a private address, and one of this machine needs no TLS.
  bool is_operators = false;
};

/// Errors: invalid, naming each field that is wrong. The other functions take only what this one lets pass.
[[nodiscard]] Result<void> check(Provider const&);

/// What we need of a provider's metadata (OpenID Connect Discovery 1.0, 3).
struct Discovery {
  std::string authorization_endpoint{};
  std::string token_endpoint{};
  std::string jwks_uri{};
  bool answers_with_issuer = false;  ///< RFC 9207 3
};

/// Reads the metadata. Members that we do not know are passed over. Errors: invalid, saying what does not fit: another
/// issuer, an endpoint without TLS, no code flow, a PKCE without S256, no signature or client authentication of ours.
[[nodiscard]] Result<Discovery> read_discovery(std::string_view document, Provider const&);

/// What is kept of a sign-in until the provider's answer: in one place, for one answer, and bound to the browser that
/// began it, or else a stranger's answer signs its user in (RFC 9700 4.7). All of it is secret but the provider's id.
struct Attempt {
  std::string provider;         ///< Provider::id
  std::string state{};          ///< 43 characters of URL-safe base64, as the nonce and the verifier
  std::string nonce{};          ///< comes back in the token
  std::string code_verifier{};  ///< RFC 7636 4.1
  bool expects_issuer = false;
  Timestamp expires_at{};
};

struct Start {
  std::string authorization_url;  ///< where the browser goes
  Attempt attempt;
};

[[nodiscard]] Start begin(Provider const&, Discovery const&, Random&, Timestamp now);

/// The query of the redirect back to us, decoded, as http::Request has it.
using Query = std::vector<std::pair<std::string, std::string>>;

/// The code in the provider's answer, when it answers this attempt: the same state, in time, from the issuer (RFC
/// 9207), each parameter once. Errors: unauthenticated; `where` names the rule: form, provider, state, time, issuer,
/// denied or code.
[[nodiscard]] Result<std::string> read_answer(Query const&, Attempt const&, Provider const&, Timestamp now);

/// Calls the providers. Metadata and keys are kept for an hour; the keys are fetched again, at most once a minute, when
/// a token names one that is not among them. Follows no redirect. Any thread whose context has clients.
class OidcClient {
 public:
  static constexpr std::chrono::hours keep{1};
  static constexpr std::chrono::minutes keys_again_after{1};
  static constexpr std::chrono::seconds call_timeout{10};  ///< of each call, within the caller's deadline
  static constexpr std::size_t body_bytes_max = 256 * 1024;
  static constexpr std::size_t providers_max = 128;  ///< kept; over it the one that was fetched first goes

  struct Clients {
    http::ClientPool& of_operators;  ///< to any address; only to the very host that the settings name
    http::ClientPool& of_tenants;    ///< to public addresses: see security::is_public
  };
  OidcClient(Clients clients, Clock const& clock, Random& random) : clients_(clients), clock_(clock), random_(random) {}

  /// The beginning of a sign-in. Errors: unavailable, with one message whatever is wrong with the provider; the reason
  /// is in the log.
  [[nodiscard]] Task<Result<Start>> begin(Provider, Deadline);

  /// Who has signed in: checks the answer, exchanges its code and verifies the token. The caller has taken the attempt
  /// away beforehand, so that it serves once. Errors: unauthenticated (as read_answer() and verify_id_token(), or the
  /// code was refused: `where` is exchange), unavailable as begin().
  [[nodiscard]] Task<Result<Identity>> finish(Provider, Attempt, Query, Deadline);

 private:
  template <class T>
  struct Kept {
    std::shared_ptr<T const> value;
    SteadyTime fetched_at{};
  };
  struct Known {
    Kept<Discovery> discovery;
    Kept<Jwks> keys;
    SteadyTime keys_asked_at{};
  };
  struct Fetched {
    int status = 0;
    std::string body{};
  };
  struct Asked;

  [[nodiscard]] Task<Result<Fetched>> fetch(Provider const&, Asked, Deadline);
  [[nodiscard]] Task<Result<std::string>> document(Provider const&, std::string url, Deadline);
  [[nodiscard]] Task<Result<std::shared_ptr<Discovery const>>> discover(Provider const&, Deadline);
  [[nodiscard]] Task<Result<std::shared_ptr<Jwks const>>> keys(Provider const&, Discovery const&,
                                                               std::string_view token, Deadline);
  [[nodiscard]] Task<Result<std::string>> exchange(Provider const&, Discovery const&, Attempt const&, std::string code,
                                                   Deadline);

  [[nodiscard]] Known known(Provider const&) const;
  /// Whether the keys may be fetched now; if so, says no to the next who asks.
  [[nodiscard]] bool take_turn(Provider const&, SteadyTime now);
  void keep_discovery(Provider const&, Kept<Discovery>);
  void keep_keys(Provider const&, Kept<Jwks>);

  Clients clients_;
  Clock const& clock_;
  Random& random_;
  mutable std::mutex mutex_;
  /// By issuer, and by whether it is the operator's: what he may name a tenant may not.
  std::map<std::pair<std::string, bool>, Known> known_;
};

}  // namespace al::security::oidc
