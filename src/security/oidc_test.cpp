#include "security/oidc.hpp"

#include <gmock/gmock.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <cstring>
#include <exception>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <span>

#include "core/json.hpp"
#include "security/id_token_fixture.hpp"
#include "security/outgoing.hpp"
#include "testing/manual_clock.hpp"
#include "testing/odd_server.hpp"
#include "testing/seeded_random.hpp"

namespace al::security::oidc {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

constexpr Timestamp now = std::chrono::sys_days(std::chrono::year(2026) / 1 / 1);

/// The octets of RFC 7636, appendix B, each time.
class AppendixB final : public Random {
 public:
  void fill(std::span<std::byte> out) override {
    constexpr std::array<unsigned char, 32> octets{116, 24,  223, 180, 151, 153, 224, 37,  79,  250, 96,
                                                   125, 216, 173, 187, 186, 22,  212, 37,  77,  105, 214,
                                                   191, 240, 91,  88,  5,   88,  83,  132, 141, 121};
    ASSERT_EQ(out.size(), octets.size());
    std::memcpy(out.data(), octets.data(), octets.size());
  }
};

Provider const corp{.id = "corp",
                    .issuer = "https://id.example.com/realm",
                    .client_id = "platform one",
                    .client_secret = "s3cret:&%",
                    .redirect_uri = "https://al.example.com/callback?a=b"};

json::object metadata_of(std::string_view issuer) {
  auto const base = std::string(issuer);
  return {{"issuer", base},
          {"authorization_endpoint", base + "/auth"},
          {"token_endpoint", base + "/token"},
          {"jwks_uri", base + "/keys"},
          {"response_types_supported", json::array{"code", "code id_token"}},
          {"subject_types_supported", json::array{"public"}},
          {"id_token_signing_alg_values_supported", json::array{"RS256", "EdDSA"}}};
}

/// "taken", or why not.
std::string read(json::object const& metadata, Provider const& provider = corp) {
  auto const result = read_discovery(json::serialize(metadata), provider);
  if (result)
    return "taken";
  EXPECT_EQ(result.error().code, Code::invalid);
  return result.error().message;
}

// ---- settings ----

TEST(OidcProvider, IsCheckedFieldByField) {
  EXPECT_TRUE(check(corp));
  struct Case {
    std::string path;
    std::function<void(Provider&)> change;
  };
  std::vector<Case> const cases{
      {"id", [](Provider& p) { p.id = "Corp"; }},
      {"id", [](Provider& p) { p.id = ""; }},
      {"issuer", [](Provider& p) { p.issuer = "http://id.example.com"; }},
      {"issuer", [](Provider& p) { p.issuer = "http://127.0.0.1:9000"; }},
      {"issuer", [](Provider& p) { p.issuer = "https://id.example.com?x=y"; }},
      {"issuer", [](Provider& p) { p.issuer = "https://id.example.com#x"; }},
      {"issuer", [](Provider& p) { p.issuer = "https://a:b@id.example.com"; }},
      {"issuer", [](Provider& p) { p.issuer = "https://"; }},
      {"issuer", [](Provider& p) { p.issuer = "https://1.2.3.4.example.com"; }},
      {"issuer", [](Provider& p) { p.issuer = "https://id.example.com/" + std::string(2000, 'x'); }},
      {"client_id", [](Provider& p) { p.client_id = ""; }},
      {"client_id", [](Provider& p) { p.client_id = "a\r\nb"; }},
      {"client_secret", [](Provider& p) { p.client_secret = ""; }},
      {"client_secret", [](Provider& p) { p.client_secret = std::string(1001, 'x'); }},
      {"scopes", [](Provider& p) { p.scopes = "profile email"; }},
      {"scopes", [](Provider& p) { p.scopes = "openid  email"; }},
      {"scopes", [](Provider& p) { p.scopes = ""; }},
      {"redirect_uri", [](Provider& p) { p.redirect_uri = "http://al.example.com/callback"; }},
      {"redirect_uri", [](Provider& p) { p.redirect_uri = "/callback"; }},
  };
  for (auto const& one : cases) {
    auto provider = corp;
    one.change(provider);
    auto const result = check(provider);
    ASSERT_FALSE(result) << one.path;
    EXPECT_EQ(result.error().code, Code::invalid);
    ASSERT_EQ(result.error().faults.size(), 1u) << one.path;
    EXPECT_EQ(result.error().faults[0].path, one.path);
  }
}

TEST(OidcProvider, OfTheOperatorMayLiveOnThisMachineWithoutTls) {
  auto provider = corp;
  provider.is_operators = true;
  for (std::string const host : {"127.0.0.1:9000", "[::1]", "localhost"}) {
    provider.issuer = "http://" + host;
    EXPECT_TRUE(check(provider)) << host;
    EXPECT_EQ(read(metadata_of(provider.issuer), provider), "taken") << host;
  }
  for (std::string const host : {"10.0.0.1", "localhost.example.com", "127.0.0.1.example.com"}) {
    provider.issuer = "http://" + host;
    EXPECT_FALSE(check(provider)) << host;
  }
}

// ---- metadata ----

TEST(OidcDiscovery, ReadsWhatIsNeeded) {
  auto metadata = metadata_of(corp.issuer);
  metadata["authorization_response_iss_parameter_supported"] = true;
  metadata["code_challenge_methods_supported"] = json::array{"plain", "S256"};
  metadata["token_endpoint_auth_methods_supported"] = json::array{"client_secret_post", "client_secret_basic"};
  auto const result = read_discovery(json::serialize(metadata), corp);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->authorization_endpoint, "https://id.example.com/realm/auth");
  EXPECT_EQ(result->token_endpoint, "https://id.example.com/realm/token");
  EXPECT_EQ(result->jwks_uri, "https://id.example.com/realm/keys");
  EXPECT_TRUE(result->answers_with_issuer);
  EXPECT_FALSE(read_discovery(json::serialize(metadata_of(corp.issuer)), corp)->answers_with_issuer);
}

TEST(OidcDiscovery, RefusesWhatDoesNotFit) {
  auto const with = [](std::string_view name, json::value const& value) {
    auto metadata = metadata_of(corp.issuer);
    metadata[name] = value;
    return read(metadata);
  };
  constexpr std::string_view url = "must have an https URL as authorization_endpoint, token_endpoint and jwks_uri";
  EXPECT_EQ(with("unknown", 1), "taken");
  EXPECT_EQ(with("issuer", "https://id.example.com/realm/"), "names another issuer");
  EXPECT_EQ(with("issuer", "https://ID.example.com/realm"), "names another issuer");
  EXPECT_EQ(with("issuer", nullptr), "names another issuer");
  for (auto const* name : {"authorization_endpoint", "token_endpoint", "jwks_uri"}) {
    for (auto const* bad : {"", "http://id.example.com/x", "http://localhost/x", "ftp://id.example.com/", "/x",
                            "https://u@id.example.com/x", "https://id.example.com/x#y", "https://id.example.com/a b",
                            "javascript:alert(1)"})
      EXPECT_EQ(with(name, bad), url) << name << " " << bad;
    EXPECT_EQ(with(name, 1), url);
  }
  EXPECT_THAT(with("response_types_supported", json::array{"code id_token"}), HasSubstr("code flow"));
  EXPECT_THAT(with("response_types_supported", "code"), HasSubstr("code flow"));
  EXPECT_THAT(with("id_token_signing_alg_values_supported", json::array{"HS256", "none"}), HasSubstr("RS256"));
  EXPECT_THAT(with("code_challenge_methods_supported", json::array{"plain"}), HasSubstr("S256"));
  EXPECT_THAT(with("token_endpoint_auth_methods_supported", json::array{"client_secret_post"}),
              HasSubstr("client_secret_basic"));
  for (std::string const bad : {"", "[]", "{", R"({"issuer":"a","issuer":"b"})"})
    EXPECT_EQ(read_discovery(bad, corp).error().message, "is no JSON object") << bad;
}

// ---- attempts and answers ----

TEST(OidcAttempt, GoesToThisUrl) {
  AppendixB random;
  Discovery discovery{.authorization_endpoint = "https://id.example.com/auth"};
  std::string const verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
  auto const query =
      "response_type=code&client_id=platform%20one&redirect_uri=https%3A%2F%2Fal.example.com%2Fcallback%3Fa%3Db"
      "&scope=openid%20profile%20email&state=" +
      verifier + "&nonce=" + verifier +
      "&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";
  auto const start = begin(corp, discovery, random, now);
  EXPECT_EQ(start.authorization_url, "https://id.example.com/auth?" + query);
  EXPECT_EQ(start.attempt.provider, "corp");
  EXPECT_EQ(start.attempt.code_verifier, verifier);
  EXPECT_EQ(start.attempt.expires_at, now + 10min);
  EXPECT_FALSE(start.attempt.expects_issuer);
  discovery = {.authorization_endpoint = "https://id.example.com/auth?policy=x", .answers_with_issuer = true};
  auto const other = begin(corp, discovery, random, now);
  EXPECT_EQ(other.authorization_url, "https://id.example.com/auth?policy=x&" + query);
  EXPECT_TRUE(other.attempt.expects_issuer);
}

TEST(OidcAttempt, HasSecretsOfItsOwn) {
  SeededRandom random;
  auto const one = begin(corp, {}, random, now).attempt;
  auto const two = begin(corp, {}, random, now).attempt;
  std::set<std::string> const texts{one.state, one.nonce, one.code_verifier, two.state, two.nonce, two.code_verifier};
  EXPECT_EQ(texts.size(), 6u);
  for (auto const& text : texts)
    EXPECT_EQ(text.size(), 43u);
}

TEST(OidcAnswer, MustBelongToTheAttempt) {
  SeededRandom random;
  auto const attempt = begin(corp, {}, random, now).attempt;
  auto strict = attempt;
  strict.expects_issuer = true;
  auto const verdict = [&](Query const& query, Attempt const& of, Timestamp at = now) {
    auto const result = read_answer(query, of, corp, at);
    if (!result)
      EXPECT_EQ(result.error().code, Code::unauthenticated);
    return result ? "code " + *result : result.error().where;
  };
  auto const& state = attempt.state;
  auto changed = state;
  changed.back() = changed.back() == 'A' ? 'B' : 'A';
  EXPECT_EQ(verdict({{"code", "c/1"}, {"state", state}}, attempt), "code c/1");
  EXPECT_EQ(verdict({{"code", "c"}, {"state", state}, {"iss", corp.issuer}, {"session_state", "x"}}, strict), "code c");
  EXPECT_EQ(verdict({{"code", "c"}}, attempt), "state");
  EXPECT_EQ(verdict({{"code", "c"}, {"state", ""}}, attempt), "state");
  EXPECT_EQ(verdict({{"code", "c"}, {"state", changed}}, attempt), "state");
  EXPECT_EQ(verdict({{"code", "c"}, {"state", state + "A"}}, attempt), "state");
  EXPECT_EQ(verdict({{"code", "c"}, {"state", ""}}, Attempt{.provider = "corp", .expires_at = now + 1min}), "state");
  EXPECT_EQ(verdict({{"code", "c"}, {"state", state}, {"state", state}}, attempt), "form");
  EXPECT_EQ(verdict({{"code", "c"}, {"state", state}, {"code", "d"}}, attempt), "form");
  EXPECT_EQ(verdict({{"code", "c"}, {"state", state}, {"iss", "https://evil.example.com"}}, attempt), "issuer");
  EXPECT_EQ(verdict({{"code", "c"}, {"state", state}}, strict), "issuer");
  EXPECT_EQ(verdict({{"error", "access_denied"}, {"state", state}}, attempt), "denied");
  EXPECT_EQ(verdict({{"error", "access_denied"}, {"code", "c"}, {"state", state}}, attempt), "denied");
  EXPECT_EQ(verdict({{"error", "access_denied"}}, attempt), "state");
  EXPECT_EQ(verdict({{"state", state}}, attempt), "code");
  EXPECT_EQ(verdict({{"code", ""}, {"state", state}}, attempt), "code");
  EXPECT_EQ(verdict({{"code", std::string(4097, 'c')}, {"state", state}}, attempt), "code");
  EXPECT_EQ(verdict({{"code", "a\nb"}, {"state", state}}, attempt), "code");
  EXPECT_EQ(verdict({{"code", "c"}, {"state", state}}, attempt, now + 10min - 1us), "code c");
  EXPECT_EQ(verdict({{"code", "c"}, {"state", state}}, attempt, now + 10min), "time");
  auto other = attempt;
  other.provider = "other";
  EXPECT_EQ(verdict({{"code", "c"}, {"state", state}}, other), "provider");
}

// ---- calls ----

/// A provider whose answers the test writes.
class FakeProvider {
 public:
  FakeProvider() : server_([this](int socket, int) { serve(socket); }) {}

  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(server_.port); }
  [[nodiscard]] int connections() const { return server_.connections; }
  void answer(std::string const& path, std::string body, int status = 200, std::string more = {}) {
    std::scoped_lock const lock(mutex_);
    answers_[path] = "HTTP/1.1 " + std::to_string(status) +
                     " X\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + more +
                     "\r\n" + body;
  }
  /// "GET /path", with the calls that came since the last time.
  std::vector<std::string> calls() {
    std::scoped_lock const lock(mutex_);
    return std::exchange(calls_, {});
  }
  std::string last() {
    std::scoped_lock const lock(mutex_);
    return last_;
  }

 private:
  void serve(int socket) {
    auto text = OddServer::read_until(socket, "\r\n\r\n");
    auto const body_at = text.find("\r\n\r\n") + 4;
    auto const field = text.find("Content-Length: ");
    auto const length = field < body_at ? std::stoul(text.substr(field + 16)) : 0;
    std::array<char, 4096> bytes{};
    while (text.size() < body_at + length) {
      auto const got = ::recv(socket, bytes.data(), bytes.size(), 0);
      if (got <= 0)
        return;
      text.append(bytes.data(), static_cast<std::size_t>(got));
    }
    auto const line = text.substr(0, text.find(" HTTP/"));
    std::string answer;
    {
      std::scoped_lock const lock(mutex_);
      calls_.push_back(line);
      last_ = text;
      auto const found = answers_.find(line.substr(line.find(' ') + 1));
      answer = found == answers_.end() ? "" : found->second;
    }
    if (answer.empty())
      OddServer::wait(socket);
    OddServer::say(socket, answer);
  }

  std::mutex mutex_;
  std::map<std::string, std::string> answers_;
  std::vector<std::string> calls_;
  std::string last_;
  OddServer server_;
};

class OidcCalls : public testing::Test {
 protected:
  OidcCalls() {
    provider.issuer = idp.url();
    provider.is_operators = true;
    idp.answer(discovery_path, json::serialize(metadata_of(idp.url())));
    idp.answer("/keys", jwks_of({key.jwk("k1")}));
  }

  template <class T>
  T run(Task<T> task) {
    io.restart();
    std::exception_ptr fault;
    std::optional<T> out;
    asio::co_spawn(io, std::move(task), [&](std::exception_ptr thrown, T value) {
      fault = thrown;
      out = std::move(value);
      io.stop();  // kept connections have timers
    });
    io.run();
    if (fault)
      std::rethrow_exception(fault);
    return std::move(*out);
  }
  Result<Start> begin(std::chrono::milliseconds limit = 20s) {
    return run(client.begin(provider, Deadline::after(limit)));
  }
  Result<Identity> finish(Attempt const& attempt) {
    return run(
        client.finish(provider, attempt, {{"code", "the-code"}, {"state", attempt.state}}, Deadline::after(20s)));
  }
  /// What the token endpoint answers from now on.
  void answer_token(ProviderKey const& with, std::string_view id, Attempt const& attempt) {
    auto const seconds = std::chrono::floor<std::chrono::seconds>(clock.now()).time_since_epoch().count();
    json::object const claims{{"iss", provider.issuer}, {"sub", "jane"},           {"aud", provider.client_id},
                              {"iat", seconds},         {"exp", seconds + 300},    {"nonce", attempt.nonce},
                              {"name", "Jane Doe"},     {"email", "j@example.com"}};
    idp.answer("/token", json::serialize(json::object{{"access_token", "the-access-token"},
                                                      {"token_type", "Bearer"},
                                                      {"id_token", with.token(id, claims)}}));
  }
  /// Begins, and ends with an answer of that key. "jane", or where it ended.
  std::string sign_in(ProviderKey const& with, std::string_view id) {
    auto const start = begin();
    if (!start)
      return "begin: " + start.error().where;
    answer_token(with, id, start->attempt);
    auto const identity = finish(start->attempt);
    return identity ? identity->subject : identity.error().where;
  }
  static void expect_unusable(auto const& result, std::string_view step) {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Code::unavailable);
    EXPECT_EQ(result.error().where, step);
    EXPECT_EQ(result.error().message, "The identity provider 'corp' cannot be used just now. Try again later.");
  }

  static constexpr auto discovery_path = "/.well-known/openid-configuration";
  ProviderKey key = ProviderKey::ed25519();
  FakeProvider idp;
  Provider provider = corp;
  ManualClock clock;
  SeededRandom random;
  asio::io_context io{1};
  http::ClientPool any{{&io}, {}};
  http::ClientPool guarded{{&io}, {.is_address_allowed = is_public}};
  OidcClient client{{.of_operators = any, .of_tenants = guarded}, clock, random};
};

using Calls = std::vector<std::string>;

TEST_F(OidcCalls, SignIn) {
  auto const start = begin();
  ASSERT_TRUE(start) << start.error().message;
  EXPECT_THAT(start->authorization_url, HasSubstr(idp.url() + "/auth?response_type=code&client_id=platform%20one&"));
  EXPECT_EQ(start->attempt.expires_at, now + 10min);
  answer_token(key, "k1", start->attempt);
  auto const identity = finish(start->attempt);
  ASSERT_TRUE(identity) << identity.error().where;
  EXPECT_EQ(*identity, (Identity{.issuer = idp.url(), .subject = "jane", .email = {}, .full_name = "Jane Doe"}));
  EXPECT_EQ(idp.calls(), (Calls{"GET /.well-known/openid-configuration", "POST /token", "GET /keys"}));
}

TEST_F(OidcCalls, ExchangeTheCodeWithItsVerifier) {
  auto const start = begin();
  ASSERT_TRUE(start);
  idp.answer("/token", R"({"error":"invalid_grant"})", 400);
  auto const identity = finish(start->attempt);
  ASSERT_FALSE(identity);
  EXPECT_EQ(identity.error().code, Code::unauthenticated);
  EXPECT_EQ(identity.error().where, "exchange");
  auto const request = idp.last();
  // "platform%20one:s3cret%3A%26%25"
  EXPECT_THAT(request, HasSubstr("Authorization: Basic cGxhdGZvcm0lMjBvbmU6czNjcmV0JTNBJTI2JTI1\r\n"));
  EXPECT_THAT(request, HasSubstr("Content-Type: application/x-www-form-urlencoded\r\n"));
  EXPECT_EQ(request.substr(request.find("\r\n\r\n") + 4),
            "grant_type=authorization_code&code=the-code&redirect_uri=https%3A%2F%2Fal.example.com%2Fcallback%3Fa%3Db"
            "&code_verifier=" +
                start->attempt.code_verifier);
}

TEST_F(OidcCalls, KeepMetadataAndKeysForAnHour) {
  EXPECT_EQ(sign_in(key, "k1"), "jane");
  idp.calls();
  clock.advance(1h - 1us);
  EXPECT_EQ(sign_in(key, "k1"), "jane");
  EXPECT_EQ(idp.calls(), Calls{"POST /token"});
  clock.advance(1us);
  EXPECT_EQ(sign_in(key, "k1"), "jane");
  EXPECT_EQ(idp.calls(), (Calls{"GET /.well-known/openid-configuration", "POST /token", "GET /keys"}));
}

TEST_F(OidcCalls, FetchTheKeysAgainOnceAMinuteForAnUnknownOne) {
  auto const next = ProviderKey::ed25519();
  EXPECT_EQ(sign_in(key, "k1"), "jane");
  idp.answer("/keys", jwks_of({key.jwk("k1"), next.jwk("k2")}));
  idp.calls();
  EXPECT_EQ(sign_in(next, "k2"), "key") << "they came this minute";
  EXPECT_EQ(idp.calls(), Calls{"POST /token"});
  clock.advance(1min);
  EXPECT_EQ(sign_in(next, "k2"), "jane");
  EXPECT_EQ(idp.calls(), (Calls{"POST /token", "GET /keys"}));
  EXPECT_EQ(sign_in(next, "k3"), "key");
  EXPECT_EQ(idp.calls(), Calls{"POST /token"});
  clock.advance(1min);
  EXPECT_EQ(sign_in(next, "k3"), "key") << "it is not there";
  EXPECT_EQ(idp.calls(), (Calls{"POST /token", "GET /keys"}));
  EXPECT_EQ(sign_in(key, "k1"), "jane") << "the others go on";
  EXPECT_EQ(idp.calls(), Calls{"POST /token"});
}

TEST_F(OidcCalls, TrustOnlyAVerifiedToken) {
  EXPECT_EQ(sign_in(ProviderKey::ed25519(), "k1"), "signature");
  auto const start = begin();
  ASSERT_TRUE(start);
  answer_token(key, "k1", begin()->attempt);
  auto const identity = finish(start->attempt);
  ASSERT_FALSE(identity);
  EXPECT_EQ(identity.error().where, "nonce") << "the token of another sign-in";
}

TEST_F(OidcCalls, AreNotMadeForAForeignAnswer) {
  auto const start = begin();
  ASSERT_TRUE(start);
  idp.calls();
  auto stranger = start->attempt;
  stranger.state = std::string(43, 'A');
  auto const identity =
      run(client.finish(provider, start->attempt, {{"code", "c"}, {"state", stranger.state}}, Deadline::after(20s)));
  ASSERT_FALSE(identity);
  EXPECT_EQ(identity.error().where, "state");
  EXPECT_EQ(idp.calls(), Calls{});
}

TEST_F(OidcCalls, GoToPublicAddressesUnlessTheOperatorNamesThem) {
  EXPECT_TRUE(begin());
  auto const before = idp.connections();
  provider.is_operators = false;
  expect_unusable(begin(), "discovery");
  EXPECT_EQ(idp.connections(), before) << "what is known of the operator's is not for tenants";
}

TEST_F(OidcCalls, GoNowhereElseInTheNetworkForTheOperatorsProvider) {
  FakeProvider inner;
  auto metadata = metadata_of(idp.url());
  metadata["token_endpoint"] = inner.url() + "/token";
  idp.answer(discovery_path, json::serialize(metadata));
  auto const start = begin();
  ASSERT_TRUE(start);
  expect_unusable(finish(start->attempt), "exchange");
  EXPECT_EQ(inner.connections(), 0);
  EXPECT_EQ(idp.calls(), Calls{"GET /.well-known/openid-configuration"});
}

TEST_F(OidcCalls, FollowNoRedirect) {
  auto const metadata = json::serialize(metadata_of(idp.url()));
  idp.answer("/there", metadata);
  for (int const status : {301, 302, 303, 307, 308}) {
    idp.answer(discovery_path, metadata, status, "Location: " + idp.url() + "/there\r\n");
    expect_unusable(begin(), "discovery");
    EXPECT_EQ(idp.calls(), Calls{"GET /.well-known/openid-configuration"}) << status;
  }
}

TEST_F(OidcCalls, TakeNoMoreThan256KiB) {
  auto metadata = json::serialize(metadata_of(idp.url()));
  metadata.resize(OidcClient::body_bytes_max, ' ');
  idp.answer(discovery_path, metadata + " ");
  expect_unusable(begin(), "discovery");
  idp.answer(discovery_path, metadata);
  EXPECT_TRUE(begin());
}

TEST_F(OidcCalls, SayNothingOfWhatIsWrongOrSecret) {
  idp.answer(discovery_path, "{}");
  expect_unusable(begin(), "discovery");
  idp.answer(discovery_path, "", 500);
  expect_unusable(begin(), "discovery");
  idp.answer(discovery_path, json::serialize(metadata_of(idp.url())));
  auto const start = begin();
  ASSERT_TRUE(start);
  testing::internal::CaptureStderr();
  for (auto const& [body, status] : std::vector<std::pair<std::string, int>>{{R"({"error":"invalid_client"})", 401},
                                                                             {R"({"error":"the-code"})", 400},
                                                                             {"the-access-token", 200},
                                                                             {R"({"access_token":"the-token"})", 200},
                                                                             {R"({"id_token":1})", 200}}) {
    idp.answer("/token", body, status);
    expect_unusable(finish(start->attempt), "exchange");
  }
  answer_token(key, "k1", start->attempt);
  idp.answer("/keys", R"({"keys":[]})");
  expect_unusable(finish(start->attempt), "keys");
  auto const logged = testing::internal::GetCapturedStderr();
  EXPECT_THAT(logged, HasSubstr("401 invalid_client"));
  for (auto const& secret : {std::string("the-"), std::string("s3cret"), start->attempt.state, start->attempt.nonce,
                             start->attempt.code_verifier})
    EXPECT_THAT(logged, Not(HasSubstr(secret)));
}

TEST_F(OidcCalls, EndWithTheDeadline) {
  provider.issuer += "/silent";
  expect_unusable(begin(200ms), "discovery");
}

}  // namespace
}  // namespace al::security::oidc
