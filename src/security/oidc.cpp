#include "security/oidc.hpp"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <initializer_list>
#include <ranges>

#include "core/base64.hpp"
#include "core/entity.hpp"
#include "core/ids.hpp"
#include "core/json.hpp"
#include "core/log.hpp"
#include "core/utf8.hpp"
#include "http/target.hpp"
#include "security/bytes.hpp"
#include "security/foreign_json.hpp"
#include "security/outgoing.hpp"
#include "security/secret_key.hpp"

namespace al::security::oidc {
namespace {

constexpr std::size_t url_bytes_max = 2000;
constexpr std::size_t text_bytes_max = 1000;
constexpr std::size_t code_bytes_max = 4096;
constexpr std::size_t random_bytes = 32;  // RFC 7636 7.1
constexpr std::array<std::string_view, 3> algorithms{"RS256", "ES256", "EdDSA"};

// ---- URLs ----

/// An address that may be named to us: TLS, or a host of this machine where the operator says so.
bool is_endpoint(std::string_view text, bool may_be_plain) {
  auto const url = boost::urls::parse_uri({text.data(), text.size()});
  if (text.size() > url_bytes_max || !url || url->encoded_host().empty() || url->has_userinfo() || url->has_fragment())
    return false;
  // Boost.URL 1.81 takes 1.2.3.4.example.com for the address 1.2.3.4 and the path ".example.com".
  if (auto const path = url->encoded_path(); !path.empty() && path.front() != '/')
    return false;
  if (url->scheme_id() == boost::urls::scheme::https)
    return true;
  auto const encoded = url->encoded_host();
  std::string_view const host(encoded.data(), encoded.size());
  return url->scheme_id() == boost::urls::scheme::http && may_be_plain &&
         (host == "127.0.0.1" || host == "[::1]" || host == "localhost");
}

bool is_issuer(std::string_view text, bool may_be_plain) {
  return is_endpoint(text, may_be_plain) && !text.contains('?');
}

/// OpenID Connect Discovery 1.0, 4.1.
std::string metadata_url(std::string_view issuer) {
  if (issuer.ends_with('/'))
    issuer.remove_suffix(1);
  return std::string(issuer) + "/.well-known/openid-configuration";
}

/// The operator vouches for the host that he names, not for those that it names.
bool is_vouched_for(std::string_view url, Provider const& provider) {
  return provider.is_operators && origin_of(url.substr(0, url.find('?'))) == origin_of(provider.issuer);
}

/// A query or a form: the values are escaped.
std::string form_of(std::initializer_list<std::pair<std::string_view, std::string_view>> fields) {
  std::string out;
  for (auto const& [name, value] : fields)
    out.append(out.empty() ? "" : "&").append(name).append("=").append(http::percent_encode(value));
  return out;
}

// ---- settings ----

/// RFC 6749, A.1 and A.2.
bool is_visible(std::string_view text) {
  return !text.empty() && text.size() <= text_bytes_max &&
         std::ranges::all_of(text, [](char c) { return c >= 0x20 && c <= 0x7e; });
}

/// RFC 6749 3.3, with `openid` among them.
bool are_scopes(std::string_view text) {
  bool has_openid = false;
  for (auto const part : std::views::split(text, ' ')) {
    std::string_view const scope(part.begin(), part.end());
    if (scope.empty() || scope.contains('"') || scope.contains('\\'))
      return false;
    has_openid = has_openid || scope == "openid";
  }
  return has_openid && is_visible(text);
}

// ---- metadata ----

std::string text_or_empty(json::object const& in, std::string_view name) {
  return std::string(text_of(in, name).value_or(""));
}

bool lists(json::object const& in, std::string_view name, std::string_view wanted) {
  auto const* found = in.if_contains(name);
  return found != nullptr && contains_text(*found, wanted);
}

bool is_true(json::object const& in, std::string_view name) {
  auto const* found = in.if_contains(name);
  return found != nullptr && found->is_bool() && found->get_bool();
}

/// What the provider can do, for what we do. Empty when all of it fits.
std::string_view missing_in(json::object const& metadata) {
  constexpr std::string_view challenges = "code_challenge_methods_supported";
  constexpr std::string_view authentications = "token_endpoint_auth_methods_supported";
  constexpr std::string_view signatures = "id_token_signing_alg_values_supported";
  if (!lists(metadata, "response_types_supported", "code"))
    return "does not offer the authorization code flow: `code` in response_types_supported";
  if (std::ranges::none_of(algorithms, [&](auto algorithm) { return lists(metadata, signatures, algorithm); }))
    return "does not sign with RS256, ES256 or EdDSA: id_token_signing_alg_values_supported";
  if (metadata.contains(challenges) && !lists(metadata, challenges, "S256"))
    return "does not offer PKCE with S256: code_challenge_methods_supported";
  if (metadata.contains(authentications) && !lists(metadata, authentications, "client_secret_basic"))
    return "does not take client_secret_basic: token_endpoint_auth_methods_supported";
  return {};
}

// ---- attempts and answers ----

/// RFC 7636 4.2.
std::string challenge_of(std::string_view verifier) {
  std::string digest(crypto_hash_sha256_BYTES, '\0');
  crypto_hash_sha256(bytes_of(digest), bytes_of(verifier), verifier.size());
  return to_base64url(digest);
}

std::optional<std::string_view> value_of(Query const& query, std::string_view name) {
  auto const found = std::ranges::find(query, name, [](auto const& field) { return std::string_view(field.first); });
  return found == query.end() ? std::nullopt : std::optional<std::string_view>(found->second);
}

/// How long it takes tells nothing of the secret.
bool is_same(std::string_view given, std::string_view secret) {
  return !secret.empty() && given.size() == secret.size() &&
         sodium_memcmp(given.data(), secret.data(), given.size()) == 0;
}

std::unexpected<Error> refused(std::string_view rule, std::string message) {
  return fail({.code = Code::unauthenticated, .message = std::move(message), .where = std::string(rule)});
}

std::unexpected<Error> refused(std::string_view rule) {
  return refused(rule, "This answer belongs to no sign-in that is under way here. Begin the sign-in anew.");
}

/// One message whatever is wrong: a stranger could map the network around us by the reasons.
std::unexpected<Error> unusable(Provider const& provider, std::string_view step, std::string_view reason) {
  log::warning("an identity provider cannot be used",
               {{"provider", provider.id}, {"issuer", provider.issuer}, {"step", step}, {"reason", reason}});
  return fail({.code = Code::unavailable,
               .message = "The identity provider '" + provider.id + "' cannot be used just now. Try again later.",
               .where = std::string(step)});
}

// ---- the token endpoint ----

/// RFC 6749 2.3.1: both are escaped as a form's values before they are joined.
std::string basic_credentials(Provider const& provider) {
  auto plain = http::percent_encode(provider.client_id) + ":" + http::percent_encode(provider.client_secret);
  auto out = "Basic " + to_base64(plain);
  wipe(plain);
  return out;
}

/// The `error` of RFC 6749 5.2. What is not one of those could be anything, a secret too, and is not told.
std::string_view error_in(std::string_view body) {
  constexpr std::array<std::string_view, 6> known{"invalid_request",     "invalid_client",         "invalid_grant",
                                                  "unauthorized_client", "unsupported_grant_type", "invalid_scope"};
  auto const answer = object_in(body);
  auto const* found = answer ? std::ranges::find(known, text_or_empty(*answer, "error")) : known.end();
  return found == known.end() ? "without an error of RFC 6749" : *found;
}

}  // namespace

Result<void> check(Provider const& provider) {
  entity::Faults faults;
  auto const require = [&](bool holds, std::string_view path, std::string_view message) {
    if (!holds)
      faults.push_back({std::string(path), std::string(message)});
  };
  require(is_slug(provider.id), "id", "must be 1 to 50 of a-z, 0-9, - and _, and begin with a letter or digit");
  require(is_issuer(provider.issuer, provider.is_operators), "issuer",
          "must be a URL that begins with https://, without a user, a query and a fragment");
  require(is_visible(provider.client_id), "client_id", "must be 1 to 1000 visible ASCII characters");
  require(is_visible(provider.client_secret), "client_secret", "must be 1 to 1000 visible ASCII characters");
  require(are_scopes(provider.scopes), "scopes", "must be scopes between single spaces, `openid` among them");
  // The browser calls it, perhaps on a developer's machine, and its host is ours.
  require(is_endpoint(provider.redirect_uri, true), "redirect_uri",
          "must be a URL that begins with https://, without a user and a fragment");
  if (!faults.empty())
    return fail(entity::invalid(std::move(faults)));
  return {};
}

Result<Discovery> read_discovery(std::string_view document, Provider const& provider) {
  auto const metadata = object_in(document);
  if (!metadata)
    return fail(Code::invalid, "is no JSON object");
  if (text_or_empty(*metadata, "issuer") != provider.issuer)
    return fail(Code::invalid, "names another issuer");
  Discovery out{.authorization_endpoint = text_or_empty(*metadata, "authorization_endpoint"),
                .token_endpoint = text_or_empty(*metadata, "token_endpoint"),
                .jwks_uri = text_or_empty(*metadata, "jwks_uri"),
                .answers_with_issuer = is_true(*metadata, "authorization_response_iss_parameter_supported")};
  for (auto const* url : {&out.authorization_endpoint, &out.token_endpoint, &out.jwks_uri}) {
    if (!is_endpoint(*url, provider.is_operators))
      return fail(Code::invalid, "must have an https URL as authorization_endpoint, token_endpoint and jwks_uri");
  }
  if (auto const missing = missing_in(*metadata); !missing.empty())
    return fail(Code::invalid, std::string(missing));
  return out;
}

Start begin(Provider const& provider, Discovery const& discovery, Random& random, Timestamp now) {
  Attempt attempt{.provider = provider.id,
                  .state = random.token(random_bytes),
                  .nonce = random.token(random_bytes),
                  .code_verifier = random.token(random_bytes),
                  .expects_issuer = discovery.answers_with_issuer,
                  .expires_at = now + attempt_lifetime};
  // RFC 6749 3.1: a query that the endpoint has is kept.
  auto url = discovery.authorization_endpoint + (discovery.authorization_endpoint.contains('?') ? "&" : "?") +
             form_of({{"response_type", "code"},
                      {"client_id", provider.client_id},
                      {"redirect_uri", provider.redirect_uri},
                      {"scope", provider.scopes},
                      {"state", attempt.state},
                      {"nonce", attempt.nonce},
                      {"code_challenge", challenge_of(attempt.code_verifier)},
                      {"code_challenge_method", "S256"}});
  return {.authorization_url = std::move(url), .attempt = std::move(attempt)};
}

Result<std::string> read_answer(Query const& query, Attempt const& attempt, Provider const& provider, Timestamp now) {
  for (std::string_view const name : {"state", "code", "iss", "error"}) {
    if (std::ranges::count(query, name, [](auto const& field) { return std::string_view(field.first); }) > 1)
      return refused("form");
  }
  if (attempt.provider != provider.id)
    return refused("provider");
  if (!is_same(value_of(query, "state").value_or(""), attempt.state))
    return refused("state");
  if (now >= attempt.expires_at)
    return refused("time", "This sign-in has taken too long. Begin it anew.");
  auto const issuer = value_of(query, "iss");
  if (issuer ? *issuer != provider.issuer : attempt.expects_issuer)
    return refused("issuer");
  if (value_of(query, "error"))
    return refused("denied", "The identity provider has not signed you in. Begin the sign-in anew.");
  auto const code = value_of(query, "code").value_or("");
  if (code.empty() || code.size() > code_bytes_max || !utf8::is_plain(code))
    return refused("code");
  return std::string(code);
}

// ---- calls ----

struct OidcClient::Asked {
  http::Method method = http::Method::get;
  std::string url;
  http::Headers headers{};
  std::string body{};
};

Task<Result<Start>> OidcClient::begin(Provider provider, Deadline deadline) {
  auto const discovery = co_await discover(provider, deadline);
  if (!discovery)
    co_return fail(discovery.error());
  co_return oidc::begin(provider, **discovery, random_, clock_.now());
}

Task<Result<Identity>> OidcClient::finish(Provider provider, Attempt attempt, Query query, Deadline deadline) {
  // Before anything is called: who has not begun here makes us call nobody.
  auto code = read_answer(query, attempt, provider, clock_.now());
  if (!code)
    co_return fail(std::move(code.error()));
  auto const discovery = co_await discover(provider, deadline);
  if (!discovery)
    co_return fail(discovery.error());
  auto const token = co_await exchange(provider, **discovery, attempt, std::move(*code), deadline);
  if (!token)
    co_return fail(token.error());
  auto const signers = co_await keys(provider, **discovery, *token, deadline);
  if (!signers)
    co_return fail(signers.error());
  Expected const expected{.issuer = provider.issuer, .client_id = provider.client_id, .nonce = attempt.nonce};
  co_return verify_id_token(*token, **signers, expected, clock_.now());
}

// Errors: as those of http::Client.
Task<Result<OidcClient::Fetched>> OidcClient::fetch(Provider const& provider, Asked asked, Deadline deadline) {
  auto& pool = is_vouched_for(asked.url, provider) ? clients_.of_operators : clients_.of_tenants;
  auto& client = pool.here(co_await asio::this_coro::executor);
  Deadline const limit{std::min(deadline.at, Deadline::after(call_timeout).at)};
  asked.headers.set("Accept", "application/json");
  auto opened =
      co_await client.open(asked.method, std::move(asked.url), std::move(asked.headers), std::move(asked.body), limit);
  if (!opened)
    co_return fail(std::move(opened.error()));
  Fetched out{.status = (*opened)->head.status};
  for (;;) {
    auto const piece = co_await (*opened)->read();
    if (!piece)
      co_return fail(piece.error());
    if (piece->empty())
      co_return out;
    if (out.body.size() + piece->size() > body_bytes_max)
      co_return fail(Code::payload_too_large, "its answer is longer than 256 KiB");
    out.body += *piece;
  }
}

// Errors: as those of http::Client, unavailable.
Task<Result<std::string>> OidcClient::document(Provider const& provider, std::string url, Deadline deadline) {
  auto fetched = co_await fetch(provider, {.url = std::move(url)}, deadline);
  if (!fetched)
    co_return fail(std::move(fetched.error()));
  if (fetched->status != 200)
    co_return fail(Code::unavailable, "it answered " + std::to_string(fetched->status));
  co_return std::move(fetched->body);
}

Task<Result<std::shared_ptr<Discovery const>>> OidcClient::discover(Provider const& provider, Deadline deadline) {
  auto const now = clock_.steady();
  if (auto const kept = known(provider).discovery; kept.value && now < kept.fetched_at + keep)
    co_return kept.value;
  auto const text = co_await document(provider, metadata_url(provider.issuer), deadline);
  if (!text)
    co_return unusable(provider, "discovery", text.error().message);
  auto read = read_discovery(*text, provider);
  if (!read)
    co_return unusable(provider, "discovery", read.error().message);
  auto value = std::make_shared<Discovery const>(std::move(*read));
  keep_discovery(provider, {.value = value, .fetched_at = now});
  co_return value;
}

Task<Result<std::shared_ptr<Jwks const>>> OidcClient::keys(Provider const& provider, Discovery const& discovery,
                                                           std::string_view token, Deadline deadline) {
  auto const now = clock_.steady();
  auto const kept = known(provider).keys;
  bool const is_fresh = kept.value && now < kept.fetched_at + keep;
  if (is_fresh && (kept.value->has_key_of(token) || !take_turn(provider, now)))
    co_return kept.value;
  auto const text = co_await document(provider, discovery.jwks_uri, deadline);
  if (!text)
    co_return unusable(provider, "keys", text.error().message);
  auto read = Jwks::from(*text);
  if (!read)
    co_return unusable(provider, "keys", read.error().message);
  auto value = std::make_shared<Jwks const>(std::move(*read));
  keep_keys(provider, {.value = value, .fetched_at = now});
  co_return value;
}

Task<Result<std::string>> OidcClient::exchange(Provider const& provider, Discovery const& discovery,
                                               Attempt const& attempt, std::string code, Deadline deadline) {
  Asked asked{.method = http::Method::post, .url = discovery.token_endpoint};
  asked.headers.set("Authorization", basic_credentials(provider));
  asked.headers.set("Content-Type", "application/x-www-form-urlencoded");
  asked.body = form_of({{"grant_type", "authorization_code"},
                        {"code", code},
                        {"redirect_uri", provider.redirect_uri},
                        {"code_verifier", attempt.code_verifier}});
  auto const fetched = co_await fetch(provider, std::move(asked), deadline);
  if (!fetched)
    co_return unusable(provider, "exchange", fetched.error().message);
  if (fetched->status != 200) {
    auto const error = error_in(fetched->body);
    if (error == "invalid_grant")
      co_return refused("exchange", "The identity provider did not take the code. Begin the sign-in anew.");
    co_return unusable(provider, "exchange",
                       "it answered " + std::to_string(fetched->status) + " " + std::string(error));
  }
  auto const answer = object_in(fetched->body);
  auto token = answer ? text_or_empty(*answer, "id_token") : std::string();
  if (token.empty())
    co_return unusable(provider, "exchange", "its answer holds no id_token");
  co_return token;
}

// ---- what is known ----

namespace {
std::pair<std::string, bool> key_of(Provider const& provider) { return {provider.issuer, provider.is_operators}; }
}  // namespace

OidcClient::Known OidcClient::known(Provider const& provider) const {
  std::scoped_lock const lock(mutex_);
  auto const found = known_.find(key_of(provider));
  return found == known_.end() ? Known{} : found->second;
}

bool OidcClient::take_turn(Provider const& provider, SteadyTime now) {
  std::scoped_lock const lock(mutex_);
  auto const found = known_.find(key_of(provider));
  if (found == known_.end() || now < found->second.keys_asked_at + keys_again_after)
    return false;
  found->second.keys_asked_at = now;
  return true;
}

void OidcClient::keep_discovery(Provider const& provider, Kept<Discovery> discovery) {
  std::scoped_lock const lock(mutex_);
  auto const key = key_of(provider);
  if (!known_.contains(key) && known_.size() >= providers_max) {
    known_.erase(
        std::ranges::min_element(known_, {}, [](auto const& entry) { return entry.second.discovery.fetched_at; }));
  }
  known_[key].discovery = std::move(discovery);
}

// Of a provider that had to go meanwhile nothing is kept.
void OidcClient::keep_keys(Provider const& provider, Kept<Jwks> keys) {
  std::scoped_lock const lock(mutex_);
  auto const found = known_.find(key_of(provider));
  if (found == known_.end())
    return;
  found->second.keys_asked_at = keys.fetched_at;
  found->second.keys = std::move(keys);
}

}  // namespace al::security::oidc
