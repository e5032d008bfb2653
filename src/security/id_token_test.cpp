#include "security/id_token.hpp"

#include <gmock/gmock.h>
#include <openssl/err.h>
#include <sodium.h>

#include <functional>
#include <type_traits>

#include "security/bytes.hpp"
#include "security/id_token_fixture.hpp"

namespace al::security::oidc {
namespace {

using namespace std::chrono_literals;
using Change = std::function<void(json::object&)>;

constexpr Timestamp now = std::chrono::sys_days(std::chrono::year(2026) / 1 / 1);
constexpr std::int64_t now_seconds = 1'767'225'600;
Expected const expected{.issuer = "https://id.example.com/realm", .client_id = "platform", .nonce = "n-0S6_WzA2Mj"};

template <class T>
json::value value_of(T const& from) {
  if constexpr (std::is_convertible_v<T const&, std::string_view>)
    return json::value(std::string_view(from));
  else
    return json::value(from);
}
template <class T>
Change set(std::string name, T const& value) {
  return [name = std::move(name), value = value_of(value)](json::object& in) { in[name] = value; };
}
Change drop(std::string name) {
  return [name = std::move(name)](json::object& in) { in.erase(name); };
}

class IdToken : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (!rsa)
      rsa = std::make_unique<ProviderKey>(ProviderKey::rsa());
  }

  static json::object claims(Change const& change = [](json::object&) {}) {
    json::object out{{"iss", expected.issuer},      {"sub", "248289761001"},  {"aud", expected.client_id},
                     {"exp", now_seconds + 300},    {"iat", now_seconds},     {"nonce", expected.nonce},
                     {"email", "jane@example.com"}, {"email_verified", true}, {"name", "Jane Doe"}};
    change(out);
    return out;
  }
  [[nodiscard]] json::object header(Change const& change = [](json::object&) {}) const {
    json::object out{{"alg", "EdDSA"}, {"kid", "ed"}, {"typ", "JWT"}};
    change(out);
    return out;
  }
  [[nodiscard]] std::string with_claims(Change const& change) const { return ed.token("ed", claims(change)); }
  [[nodiscard]] std::string with_header(Change const& change) const { return ed.token(header(change), claims()); }

  static Jwks read(std::vector<json::object> const& list) {
    auto out = Jwks::from(jwks_of(list));
    if (!out)
      throw std::runtime_error(out.error().message);
    return std::move(*out);
  }
  [[nodiscard]] Jwks all() const { return read({rsa->jwk("rsa"), ec.jwk("ec"), ed.jwk("ed")}); }

  /// "taken", or the rule that refused.
  static std::string verdict(std::string_view token, Jwks const& with, Timestamp at = now) {
    auto const result = verify_id_token(token, with, expected, at);
    if (result)
      return "taken";
    EXPECT_EQ(result.error().code, Code::unauthenticated);
    EXPECT_EQ(result.error().message, "The answer of the identity provider cannot be trusted. Begin the sign-in anew.");
    EXPECT_TRUE(result.error().faults.empty());
    EXPECT_EQ(ERR_peek_error(), 0u) << "an error of OpenSSL is left for the next TLS call";
    return result.error().where;
  }
  [[nodiscard]] std::string verdict(std::string_view token) const { return verdict(token, keys); }

  static inline std::unique_ptr<ProviderKey> rsa;  // made once: it takes long
  ProviderKey ec = ProviderKey::p256();
  ProviderKey ed = ProviderKey::ed25519();
  Jwks keys = all();
};

// ---- what is taken ----

TEST_F(IdToken, OfEachAlgorithmTellsWhoItIs) {
  Identity const jane{.issuer = "https://id.example.com/realm",
                      .subject = "248289761001",
                      .email = "jane@example.com",
                      .full_name = "Jane Doe"};
  EXPECT_EQ(keys.size(), 3u);
  for (auto const& [id, key] :
       std::vector<std::pair<std::string, ProviderKey const*>>{{"rsa", rsa.get()}, {"ec", &ec}, {"ed", &ed}}) {
    auto const result = verify_id_token(key->token(id, claims()), keys, expected, now);
    ASSERT_TRUE(result) << id << ": " << result.error().where;
    EXPECT_EQ(*result, jane) << id;
  }
}

TEST_F(IdToken, MayHaveWhatTheStandardAllows) {
  EXPECT_EQ(verdict(with_claims(set("aud", json::array{"platform"}))), "taken");
  EXPECT_EQ(verdict(with_claims([](json::object& in) {
              in["aud"] = json::array{"other", "platform"};
              in["azp"] = "platform";
            })),
            "taken");
  EXPECT_EQ(verdict(with_claims(set("azp", "platform"))), "taken");
  EXPECT_EQ(verdict(with_claims(set("exp", 1767225660.75))), "taken");
  EXPECT_EQ(verdict(with_claims(set("unknown", json::object{{"deep", 1}}))), "taken");
  EXPECT_EQ(verdict(with_header(drop("typ"))), "taken");
  EXPECT_EQ(verdict(with_header(set("typ", "jwt"))), "taken");
  EXPECT_EQ(verdict(with_header(set("jku", "https://evil.example.com/keys"))), "taken") << "it is not looked at";
}

TEST_F(IdToken, BecomesInvalidWithTime) {
  auto const token = with_claims(set("nbf", now_seconds));
  EXPECT_EQ(verdict(token, keys, now - 61s), "time") << "iat and nbf are ahead";
  EXPECT_EQ(verdict(token, keys, now - 60s), "taken");
  EXPECT_EQ(verdict(token, keys, now + 360s - 1us), "taken");
  EXPECT_EQ(verdict(token, keys, now + 360s), "time");
  EXPECT_EQ(verdict(with_claims(set("nbf", now_seconds + 60))), "taken");
  EXPECT_EQ(verdict(with_claims(set("nbf", now_seconds + 61))), "time");
  EXPECT_EQ(verdict(with_claims(set("iat", now_seconds + 60))), "taken");
  EXPECT_EQ(verdict(with_claims(set("iat", now_seconds + 61))), "time");
}

// ---- what is refused ----

TEST_F(IdToken, IsRefusedForItsClaims) {
  struct Case {
    std::string rule;
    Change change;
  };
  std::vector<Case> const cases{
      {"issuer", drop("iss")},
      {"issuer", set("iss", "https://id.example.com/Realm")},
      {"issuer", set("iss", "https://id.example.com/realm/")},
      {"issuer", set("iss", json::array{expected.issuer})},
      {"audience", drop("aud")},
      {"audience", set("aud", "other")},
      {"audience", set("aud", "Platform")},
      {"audience", set("aud", json::array{})},
      {"audience", set("aud", json::array{"other"})},
      {"audience", set("aud", json::array{"platform", "other"})},  // nobody says for whom of the two
      {"audience", set("aud", json::array{"platform", 1})},
      {"audience", set("aud", json::object{{"platform", true}})},
      {"audience", set("azp", "other")},
      {"audience", set("azp", nullptr)},
      {"audience", set("azp", json::array{"platform"})},
      {"time", drop("exp")},
      {"time", drop("iat")},
      {"time", set("exp", "1767225900")},
      {"time", set("exp", -1)},
      {"time", set("exp", 1e300)},
      {"time", set("exp", nullptr)},
      {"time", set("exp", now_seconds - 60)},
      {"time", set("nbf", "soon")},
      {"nonce", drop("nonce")},
      {"nonce", set("nonce", "")},
      {"nonce", set("nonce", "n-0S6_WzA2Mk")},
      {"nonce", set("nonce", "n-0S6_WzA2M")},
      {"nonce", set("nonce", 1)},
      {"subject", drop("sub")},
      {"subject", set("sub", "")},
      {"subject", set("sub", 248289761001)},
      {"subject", set("sub", std::string(256, 'a'))},
      {"subject", set("sub", "a\nb")},
  };
  for (auto const& one : cases)
    EXPECT_EQ(verdict(with_claims(one.change)), one.rule) << json::serialize(claims(one.change));
}

TEST_F(IdToken, AnswersNobodyWhoAsksWithoutANonce) {
  auto asked = expected;
  asked.nonce.clear();
  auto const result = verify_id_token(with_claims(set("nonce", "")), keys, asked, now);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().where, "nonce");
}

TEST_F(IdToken, IsRefusedForItsHeader) {
  EXPECT_EQ(verdict(with_header(drop("alg"))), "header");
  EXPECT_EQ(verdict(with_header(set("alg", json::array{"EdDSA"}))), "header");
  EXPECT_EQ(verdict(with_header(set("kid", 1))), "header");
  EXPECT_EQ(verdict(with_header(set("crit", json::array{"exp"}))), "header");
  EXPECT_EQ(verdict(with_header(set("b64", false))), "header");
  EXPECT_EQ(verdict(with_header(set("typ", "at+jwt"))), "header");
  EXPECT_EQ(verdict(with_header(set("typ", 1))), "header");
  EXPECT_EQ(verdict(ed.token(R"({"alg":"EdDSA","kid":"rsa","kid":"ed"})", json::serialize(claims()))), "header");
  EXPECT_EQ(verdict(ed.token("[]", "{}")), "header");
}

TEST_F(IdToken, IsNeverSignedAsItsHeaderLikes) {
  for (std::string const name : {"none", "None", "nOnE", "", "HS256", "HS512", "RS512", "PS256", "ES384", "Ed25519"})
    EXPECT_EQ(verdict(with_header(set("alg", name))), "key") << name;
  EXPECT_EQ(verdict(with_header(set("alg", "RS256"))), "key") << "the key is one of EdDSA";
  EXPECT_EQ(verdict(ec.token(json::object{{"alg", "RS256"}, {"kid", "ec"}}, claims())), "key");
  // An HMAC with the public key as the secret.
  auto const text = to_base64url(R"({"alg":"HS256","kid":"rsa"})") + "." + to_base64url(json::serialize(claims()));
  std::string const secret(rsa->jwk("rsa").at("n").get_string());
  std::string tag(crypto_auth_hmacsha256_BYTES, '\0');
  crypto_auth_hmacsha256_state state;
  crypto_auth_hmacsha256_init(&state, bytes_of(secret), secret.size());
  crypto_auth_hmacsha256_update(&state, bytes_of(text), text.size());
  crypto_auth_hmacsha256_final(&state, bytes_of(tag));
  EXPECT_EQ(verdict(text + "." + to_base64url(tag)), "key");
  // A key that the token brings along.
  auto const stranger = ProviderKey::ed25519();
  EXPECT_EQ(verdict(stranger.token(header(set("jwk", stranger.jwk("ed"))), claims())), "signature");
}

TEST_F(IdToken, IsRefusedForItsSignature) {
  auto const stranger = ProviderKey::p256();
  EXPECT_EQ(verdict(stranger.token("ec", claims())), "signature") << "of another key";
  for (auto const* key : {rsa.get(), &ec, &ed}) {
    auto const id = key == rsa.get() ? "rsa" : key == &ec ? "ec" : "ed";
    auto const token = key->token(id, claims());
    auto const other = key->token(id, claims(set("sub", "admin")));
    auto const mixed = other.substr(0, other.rfind('.')) + token.substr(token.rfind('.'));
    EXPECT_EQ(verdict(mixed), "signature") << "over other bytes: " << id;
    EXPECT_EQ(verdict(token.substr(0, token.rfind('.') + 1)), "signature") << "none: " << id;
    auto const text = token.substr(0, token.rfind('.'));
    auto const longer = key->signature(text) + '\0';
    EXPECT_EQ(verdict(text + "." + to_base64url(longer)), "signature") << "one byte more: " << id;
  }
  auto const text = to_base64url(R"({"alg":"ES256","kid":"ec"})") + "." + to_base64url(json::serialize(claims()));
  EXPECT_EQ(verdict(text + "." + to_base64url(ec.signature(text))), "taken");
  EXPECT_EQ(verdict(text + "." + to_base64url(ec.plain_signature(text))), "signature") << "DER";
  EXPECT_EQ(verdict(text + "." + to_base64url(std::string(64, '\0'))), "signature") << "R and S are 0";
  EXPECT_EQ(verdict(text + "." + to_base64url(std::string(64, '\xff'))), "signature") << "over the order";
}

TEST_F(IdToken, IsRefusedForItsForm) {
  auto const token = ed.token("ed", claims());
  auto const text = token.substr(0, token.rfind('.'));
  EXPECT_EQ(verdict(""), "form");
  EXPECT_EQ(verdict(".."), "header");
  EXPECT_EQ(verdict(text), "form");
  EXPECT_EQ(verdict(token + ".x"), "form");
  EXPECT_EQ(verdict(token + "="), "form");
  EXPECT_EQ(verdict(token + " "), "form");
  EXPECT_EQ(verdict("\n" + token), "header");
  EXPECT_EQ(verdict(ed.token(json::serialize(header()), "[]")), "form");
  EXPECT_EQ(verdict(ed.token(json::serialize(header()), R"({"sub":"a","sub":"b"})")), "form");
  EXPECT_EQ(verdict(ed.token(json::serialize(header()), json::serialize(claims()) + "x")), "form");
  auto const of_size = [&](std::size_t filler) { return with_claims(set("filler", std::string(filler, 'x'))); };
  std::size_t filler = 11'500;
  while (of_size(filler + 1).size() <= id_token_bytes_max)
    ++filler;
  EXPECT_EQ(verdict(of_size(filler)), "taken");
  EXPECT_EQ(verdict(of_size(filler + 1)), "form");
}

TEST_F(IdToken, IsRefusedWhenAnyOfItsBitsChanges) {
  auto const token = ed.token("ed", claims());
  ASSERT_EQ(verdict(token), "taken");
  for (std::size_t at = 0; at < token.size(); ++at) {
    auto changed = token;
    changed[at] = static_cast<char>(changed[at] ^ (1 << at % 7));
    EXPECT_NE(verdict(changed), "taken") << at;
  }
}

// ---- keys ----

TEST_F(IdToken, NamesItsKeyUnlessThereIsNoChoice) {
  auto const second = ProviderKey::ed25519();
  auto const nameless = ed.token(header(drop("kid")), claims());
  EXPECT_EQ(verdict(nameless), "taken") << "the others are of other algorithms";
  EXPECT_TRUE(keys.has_key_of(nameless));
  EXPECT_EQ(verdict(nameless, read({ed.jwk("")})), "taken");
  auto const two = read({ed.jwk("ed"), second.jwk("second")});
  EXPECT_EQ(verdict(nameless, two), "key");
  EXPECT_FALSE(two.has_key_of(nameless));
  EXPECT_EQ(verdict(ed.token("ed", claims()), two), "taken");
  EXPECT_EQ(verdict(ed.token("second", claims()), two), "signature") << "of the other key";
  EXPECT_EQ(verdict(ed.token("third", claims()), two), "key");
  EXPECT_FALSE(two.has_key_of(ed.token("third", claims())));
  EXPECT_EQ(verdict(ed.token("ed", claims()), read({ed.jwk("")})), "key") << "the only key has no such name";
  EXPECT_EQ(verdict(ed.token("ed", claims()), read({ed.jwk("ed"), second.jwk("ed")})), "key") << "two of one name";
  EXPECT_FALSE(keys.has_key_of("a.b"));
}

TEST_F(IdToken, OfARotatedKeyIsRefused) {
  auto const token = ed.token("ed", claims());
  EXPECT_EQ(verdict(token, read({ed.jwk("ed")})), "taken");
  EXPECT_EQ(verdict(token, read({ProviderKey::ed25519().jwk("next")})), "key");
}

TEST_F(IdToken, KeysThatAreNotForItArePassedOver) {
  auto const changed = [](json::object key, std::string_view name, auto const& value) {
    key[name] = value_of(value);
    return key;
  };
  auto const rsa_jwk = rsa->jwk("k");
  auto const ec_jwk = ec.jwk("k");
  auto const ed_jwk = ed.jwk("k");
  std::vector<json::object> const useless{
      ProviderKey::rsa(1024).jwk("k"),
      ProviderKey::rsa(2040).jwk("k"),
      ProviderKey::p384().jwk("k"),
      changed(rsa_jwk, "kty", "oct"),
      changed(rsa_jwk, "kty", "rsa"),
      changed(rsa_jwk, "kty", 1),
      changed(rsa_jwk, "use", "enc"),
      changed(rsa_jwk, "alg", "RS512"),
      changed(rsa_jwk, "alg", "HS256"),
      changed(rsa_jwk, "alg", nullptr),
      changed(rsa_jwk, "key_ops", json::array{"sign"}),
      changed(rsa_jwk, "key_ops", "verify"),
      changed(rsa_jwk, "kid", 1),
      changed(rsa_jwk, "kid", std::string(256, 'k')),
      changed(rsa_jwk, "d", "AQAB"),
      changed(rsa_jwk, "e", "AQ"),     // 1
      changed(rsa_jwk, "e", "BA"),     // 4
      changed(rsa_jwk, "e", ""),       // 0
      changed(rsa_jwk, "e", "AQAB="),  // padded
      changed(rsa_jwk, "n", std::string(1400, 'g')),
      changed(ec_jwk, "crv", "P-384"),
      changed(ec_jwk, "crv", "secp256k1"),
      changed(ec_jwk, "x", ec_jwk.at("y")),  // not on the curve
      changed(ec_jwk, "x", to_base64url(std::string(31, 'x'))),
      changed(ec_jwk, "y", to_base64url(std::string(33, 'y'))),
      changed(ec_jwk, "alg", "EdDSA"),
      changed(ed_jwk, "crv", "X25519"),
      changed(ed_jwk, "x", to_base64url(std::string(31, 'x'))),
      changed(ed_jwk, "d", "AQAB"),
      json::object{{"kty", "oct"}, {"k", "AQAB"}},
      json::object{},
  };
  for (auto const& key : useless) {
    auto const alone = Jwks::from(jwks_of({key}));
    ASSERT_FALSE(alone) << json::serialize(key);
    EXPECT_EQ(alone.error().code, Code::invalid);
    auto const beside = Jwks::from(jwks_of({key, ed.jwk("ed")}));
    ASSERT_TRUE(beside) << json::serialize(key);
    EXPECT_EQ(beside->size(), 1u) << json::serialize(key);
  }
  EXPECT_EQ(ERR_peek_error(), 0u) << "an error of OpenSSL is left for the next TLS call";
  for (auto const& [name, value] : std::vector<std::pair<std::string, json::value>>{
           {"use", "sig"}, {"alg", "EdDSA"}, {"key_ops", json::array{"verify"}}, {"x5c", json::array{"MII"}}})
    EXPECT_EQ(read({changed(ed_jwk, name, value)}).size(), 1u) << name;
}

TEST_F(IdToken, KeysComeInASetOfLimitedSize) {
  for (std::string const bad : {"", "{", "[]", "{}", R"({"keys":{}})", R"({"keys":[]})", R"({"keys":[1]})"})
    EXPECT_FALSE(Jwks::from(bad)) << bad;
  std::vector<json::object> many(Jwks::keys_max, ed.jwk("ed"));
  EXPECT_EQ(read(many).size(), Jwks::keys_max);
  many.push_back(ed.jwk("ed"));
  EXPECT_FALSE(Jwks::from(jwks_of(many)));
}

// ---- the person ----

TEST_F(IdToken, TellsOnlyAVerifiedEmail) {
  auto const email = [&](Change const& change) {
    auto const identity = verify_id_token(with_claims(change), keys, expected, now);
    return identity ? identity->email.value_or("none") : "refused: " + identity.error().where;
  };
  EXPECT_EQ(email([](json::object&) {}), "jane@example.com");
  EXPECT_EQ(email(set("email_verified", false)), "none");
  EXPECT_EQ(email(drop("email_verified")), "none");
  EXPECT_EQ(email(set("email_verified", "true")), "none");
  EXPECT_EQ(email(set("email_verified", 1)), "none");
  EXPECT_EQ(email(drop("email")), "none");
  EXPECT_EQ(email(set("email", "")), "none");
  EXPECT_EQ(email(set("email", json::array{"jane@example.com"})), "none");
  EXPECT_EQ(email(set("email", "a@b\n.c")), "none");
  EXPECT_EQ(email(set("email", std::string(243, 'a') + "@example.com")), "none");
}

TEST_F(IdToken, TellsANameThatFits) {
  auto const name = [&](Change const& change) {
    auto const identity = verify_id_token(with_claims(change), keys, expected, now);
    return identity ? identity->full_name : "refused: " + identity.error().where;
  };
  std::string umlauts;
  for (int i = 0; i < 100; ++i)
    umlauts += "ü";
  EXPECT_EQ(name([](json::object&) {}), "Jane Doe");
  EXPECT_EQ(name(set("name", umlauts)), umlauts);
  EXPECT_EQ(name(set("name", umlauts + "ü")), umlauts);
  EXPECT_EQ(name(drop("name")), "");
  EXPECT_EQ(name(set("name", 1)), "");
  EXPECT_EQ(name(set("name", "a\nb")), "");
}

}  // namespace
}  // namespace al::security::oidc
