#include "security/jwt.hpp"

#include <gmock/gmock.h>
#include <sodium.h>

#include <algorithm>
#include <array>
#include <functional>
#include <set>
#include <utility>

#include "core/json.hpp"
#include "security/bytes.hpp"
#include "testing/seeded_random.hpp"

namespace al::security::jwt {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;

/// RFC 8037, appendix A.1: the private key, as SigningKey::text().
constexpr std::string_view rfc_key = "EdDSA.current.nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=";
/// Bytes 00 to 1f.
constexpr std::string_view rising_key = "HS256.shared.AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
constexpr std::string_view refusal = "This token is not valid here, or not any more. Sign in again.";

std::string base64(std::string_view raw, int variant = sodium_base64_VARIANT_URLSAFE_NO_PADDING) {
  std::string out(sodium_base64_encoded_len(raw.size(), variant), '\0');
  sodium_bin2base64(out.data(), out.size(), bytes_of(raw), raw.size(), variant);
  out.pop_back();
  return out;
}

std::string decoded(std::string_view text) {
  std::string out(text.size(), '\0');
  std::size_t size = 0;
  EXPECT_EQ(sodium_base642bin(bytes_of(out), out.size(), text.data(), text.size(), nullptr, &size, nullptr,
                              sodium_base64_VARIANT_URLSAFE_NO_PADDING),
            0);
  out.resize(size);
  return out;
}

std::string part(std::string_view token, std::size_t index) {
  for (; index > 0; --index)
    token.remove_prefix(token.find('.') + 1);
  return std::string(token.substr(0, token.find('.')));
}

/// HMAC-SHA-256 with a key of any length.
std::string hmac(std::string_view key, std::string_view message) {
  crypto_auth_hmacsha256_state state;
  std::string out(crypto_auth_hmacsha256_BYTES, '\0');
  crypto_auth_hmacsha256_init(&state, bytes_of(key), key.size());
  crypto_auth_hmacsha256_update(&state, bytes_of(message), message.size());
  crypto_auth_hmacsha256_final(&state, bytes_of(out));
  return out;
}

std::string_view raw_bytes(SecretKey const& key) { return view_of(key.bytes()); }

/// The members of an object as names and JSON texts, in order; a name may stand twice.
struct Members {
  std::vector<std::pair<std::string, std::string>> all;

  [[nodiscard]] Members without(std::string_view name) const {
    auto out = *this;
    std::erase_if(out.all, [&](auto const& member) { return member.first == name; });
    return out;
  }
  [[nodiscard]] Members and_also(std::string name, std::string value) const {
    auto out = *this;
    out.all.emplace_back(std::move(name), std::move(value));
    return out;
  }
  [[nodiscard]] Members with(std::string const& name, std::string value) const {
    return without(name).and_also(name, std::move(value));
  }
  [[nodiscard]] std::string text() const {
    std::string out;
    for (auto const& [name, value] : all)
      out.append(out.empty() ? "{\"" : ",\"").append(name).append("\":").append(value);
    return out.empty() ? "{}" : out + "}";
  }
};

struct Forgery {
  std::string name;
  std::string token;
};
using Forgeries = std::vector<Forgery>;

class AccessToken : public testing::Test {
 protected:
  /// A token of whatever parts, truly signed: only what is in it can be the reason to refuse it.
  static std::string token_of_parts(std::string const& header, std::string const& payload, SigningKey const& with) {
    auto const text = header + "." + payload;
    return text + "." + base64(with.signature(text));
  }
  [[nodiscard]] std::string token_of(std::string const& header_text, std::string const& payload_text) const {
    return token_of_parts(base64(header_text), base64(payload_text), key);
  }
  [[nodiscard]] std::string with_header(Members const& members) const {
    return token_of(members.text(), payload.text());
  }
  [[nodiscard]] std::string with_payload(Members const& members) const {
    return token_of(header.text(), members.text());
  }
  /// The usual payload under `members`, with a signature of somebody's making.
  [[nodiscard]] std::string with_signature(Members const& members, std::string const& signature) const {
    return base64(members.text()) + "." + base64(payload.text()) + "." + base64(signature);
  }
  [[nodiscard]] std::string text_to_sign(Members const& members) const {
    return base64(members.text()) + "." + base64(payload.text());
  }

  [[nodiscard]] Result<Claims> verified(std::string_view token) const { return verify(token, keys, expected, now); }
  [[nodiscard]] Result<Claims> verified_at(std::string_view token, Timestamp time) const {
    return verify(token, keys, expected, time);
  }
  /// One code and one message for whatever is wrong.
  static void expect_refusal(Result<Claims> const& result, std::string const& name) {
    ASSERT_FALSE(result) << name;
    EXPECT_EQ(result.error().code, Code::unauthenticated) << name;
    EXPECT_EQ(result.error().message, refusal) << name;
    EXPECT_TRUE(result.error().faults.empty()) << name;
    EXPECT_TRUE(result.error().where.empty()) << name;
  }
  void expect_refusals(Forgeries const& forgeries) const {
    for (auto const& forgery : forgeries)
      expect_refusal(verified(forgery.token), forgery.name);
  }

  [[nodiscard]] Forgeries foreign_algorithms() const;
  [[nodiscard]] Forgeries confused_algorithms() const;
  [[nodiscard]] Forgeries foreign_keys() const;
  [[nodiscard]] Forgeries headers() const;
  [[nodiscard]] Forgeries signatures() const;
  [[nodiscard]] Forgeries shapes() const;
  [[nodiscard]] Forgeries encodings() const;
  [[nodiscard]] Forgeries documents() const;
  [[nodiscard]] Forgeries claims_of_others() const;
  [[nodiscard]] Forgeries times() const;

  mutable SeededRandom random;
  SigningKey const key = SigningKey::from(rfc_key).value();
  SigningKey const shared = SigningKey::from(rising_key).value();
  SigningKey const stranger{Algorithm::ed25519, random};
  KeySet const keys = KeySet::from({key.verification_key(), shared.verification_key()}).value();
  Expected const expected{"https://agents.example", "agent-lightning"};
  Timestamp const now = std::chrono::sys_days(2026y / 1 / 1);  // 1767225600
  Claims const claims{.issuer = expected.issuer,
                      .audience = expected.audience,
                      .subject = "01890a5d-ac96-774b-bcce-b302099a8057",
                      .tenant = TenantId("acme"),
                      .session_id = "01890a5d-ac96-774b-bcce-b302099a8058",
                      .id = "01890a5d-ac96-774b-bcce-b302099a8059",
                      .issued_at = now,
                      .expires_at = now + 15min};
  Members const header{{{"alg", R"("EdDSA")"}, {"kid", R"("current")"}, {"typ", R"("at+jwt")"}}};
  Members const payload{{{"iss", R"("https://agents.example")"},
                         {"aud", R"("agent-lightning")"},
                         {"sub", R"("01890a5d-ac96-774b-bcce-b302099a8057")"},
                         {"sid", R"("01890a5d-ac96-774b-bcce-b302099a8058")"},
                         {"jti", R"("01890a5d-ac96-774b-bcce-b302099a8059")"},
                         {"tenant", R"("acme")"},
                         {"iat", "1767225600"},
                         {"exp", "1767226500"}}};
};

TEST_F(AccessToken, ComesBackFromItsText) {
  for (auto const* with : {&key, &shared}) {
    auto const token = sign(claims, *with);
    auto const read = verified(token);
    ASSERT_TRUE(read) << token;
    EXPECT_EQ(*read, claims);
  }
  auto const fractions = sign(
      {claims.issuer, claims.audience, "u", TenantId("t"), "s", "j", now + 999'999us, now + 15min + 999'999us}, key);
  EXPECT_EQ(verified(fractions).value().issued_at, now) << "whole seconds";
  EXPECT_EQ(verified(fractions).value().expires_at, now + 15min);
}

TEST_F(AccessToken, IsWhatAnotherImplementationMakesOfTheSame) {
  // Put together with Python's json, base64, hmac and cryptography; EdDSA and HMAC leave no choice.
  auto const text =
      ".eyJpc3MiOiJodHRwczovL2FnZW50cy5leGFtcGxlIiwiYXVkIjoiYWdlbnQtbGlnaHRuaW5nIiwic3ViIjoiMDE4OTBhNWQt"
      "YWM5Ni03NzRiLWJjY2UtYjMwMjA5OWE4MDU3Iiwic2lkIjoiMDE4OTBhNWQtYWM5Ni03NzRiLWJjY2UtYjMwMjA5OWE4MDU4I"
      "iwianRpIjoiMDE4OTBhNWQtYWM5Ni03NzRiLWJjY2UtYjMwMjA5OWE4MDU5IiwidGVuYW50IjoiYWNtZSIsImlhdCI6MTc2Nz"
      "IyNTYwMCwiZXhwIjoxNzY3MjI2NTAwfQ"s;
  EXPECT_EQ(sign(claims, key), "eyJhbGciOiJFZERTQSIsImtpZCI6ImN1cnJlbnQiLCJ0eXAiOiJhdCtqd3QifQ" + text +
                                   ".if_K3J2ZvGbMpbeDMZ4Ld950jHz5fam2bdJX15pMsNHmj5lfsQOB_ev0rmCH6VBRX2XGpAx_X4aeePTPQ"
                                   "zlWBQ");
  EXPECT_EQ(sign(claims, shared), "eyJhbGciOiJIUzI1NiIsImtpZCI6InNoYXJlZCIsInR5cCI6ImF0K2p3dCJ9" + text +
                                      ".1UbEjx5FX3T4uKQmPz1vm8lDug0My4zWlW2UH-_gjWY");
}

TEST_F(AccessToken, OfAnotherImplementationIsRead) {
  // Made with PyJWT: members in another order, nbf, and claims that we do not know.
  auto const text =
      ".eyJleHAiOjE3NjcyMjY1MDAsImlhdCI6MTc2NzIyNTYwMCwidGVuYW50IjoiYWNtZSIsImp0aSI6IjAxODkwYTVkLWFjOTYt"
      "Nzc0Yi1iY2NlLWIzMDIwOTlhODA1OSIsInNpZCI6IjAxODkwYTVkLWFjOTYtNzc0Yi1iY2NlLWIzMDIwOTlhODA1OCIsInN1Y"
      "iI6IjAxODkwYTVkLWFjOTYtNzc0Yi1iY2NlLWIzMDIwOTlhODA1NyIsImF1ZCI6ImFnZW50LWxpZ2h0bmluZyIsImlzcyI6Im"
      "h0dHBzOi8vYWdlbnRzLmV4YW1wbGUiLCJuYmYiOjE3NjcyMjU2MDAsImNsaWVudF9pZCI6IndlYiIsImV4dHJhIjp7ImEiOls"
      "xLDIuNV19fQ"s;
  EXPECT_EQ(verified("eyJhbGciOiJFZERTQSIsImtpZCI6ImN1cnJlbnQiLCJ0eXAiOiJhdCtqd3QifQ" + text +
                     ".kUDrAnIwToCFd33YahPPvPI09wHZk5im0m-IOVC2FcD_H52iAMhty_f6J1B40FYwOXuQXul7sVaPiLJ21mXoCw"),
            claims);
  EXPECT_EQ(verified("eyJhbGciOiJIUzI1NiIsImtpZCI6InNoYXJlZCIsInR5cCI6ImF0K2p3dCJ9" + text +
                     ".J5p-wsytbsk9Jpj49ZsiJuHeJr2Fbt9m_-FGEDm8oyk"),
            claims);
}

TEST_F(AccessToken, HasAHeaderOfThreeMembers) {
  EXPECT_EQ(decoded(part(sign(claims, key), 0)), R"({"alg":"EdDSA","kid":"current","typ":"at+jwt"})");
  EXPECT_EQ(decoded(part(sign(claims, shared), 0)), R"({"alg":"HS256","kid":"shared","typ":"at+jwt"})");
}

// ---- what an honest token may look like ----

TEST_F(AccessToken, OfTheTestsIsValidUnlessItIsSpoilt) {
  EXPECT_EQ(verified(with_header(header)), claims);
  EXPECT_EQ(verified(token_of(" " + header.text() + "\n", "\t" + payload.text())), claims) << "RFC 8259 2";
  EXPECT_EQ(verified(with_payload(payload.and_also("roles", R"(["admin"])").and_also("x", "1.5"))), claims)
      << "RFC 7519 4: what is not understood is passed over";
  EXPECT_EQ(verified(with_payload(payload.and_also("nbf", "1767225600"))), claims);
  EXPECT_EQ(verified(with_header(header.and_also("x", "[1]"))), claims) << "RFC 7515 4";
}

TEST_F(AccessToken, IsCheckedWithOurKeysWhateverItsHeaderNames) {
  // RFC 7515 10.10, RFC 8725 3.10: neither fetched nor believed.
  for (auto const* name : {"jku", "x5u"})
    EXPECT_EQ(verified(with_header(header.and_also(name, R"("https://evil.example/keys")"))), claims) << name;
  EXPECT_EQ(verified(with_header(header.and_also("jwk", R"({"kty":"OKP"})"))), claims);
  EXPECT_EQ(verified(with_header(header.and_also("x5c", R"(["MIIB"])"))), claims);
}

TEST_F(AccessToken, HasALimit) {
  auto const padded = [&](std::size_t bytes) {
    return with_payload(payload.and_also("x", "\"" + std::string(bytes, 'x') + "\""));
  };
  std::size_t bytes = 5000;
  while (padded(bytes + 1).size() <= token_bytes_max)
    ++bytes;
  EXPECT_EQ(verified(padded(bytes)), claims);
  expect_refusal(verified(padded(bytes + 1)), "a byte more");
}

// ---- valid, and then not any more ----

TEST_F(AccessToken, EndsWithItsTime) {
  auto const token = sign(claims, key);  // RFC 7519 4.1.4: on or after `exp` it is refused
  EXPECT_TRUE(verified_at(token, claims.expires_at + leeway - 1us));
  expect_refusal(verified_at(token, claims.expires_at + leeway), "expired");
  expect_refusal(verified_at(token, claims.expires_at + std::chrono::years(10)), "long expired");
  EXPECT_LE(leeway, 30s);
}

TEST_F(AccessToken, BeginsWithItsTime) {
  auto const token = sign(claims, key);
  EXPECT_TRUE(verified_at(token, now - leeway));
  expect_refusal(verified_at(token, now - leeway - 1us), "issued in the future");
  auto const later = with_payload(payload.and_also("nbf", "1767225660"));  // a minute after now; RFC 7519 4.1.5
  expect_refusal(verified_at(later, now + 30s - 1us), "not before");
  EXPECT_TRUE(verified_at(later, now + 30s));
}

TEST_F(AccessToken, LivesADayAtMost) {
  auto longest = claims;
  longest.expires_at = now + lifetime_max;
  EXPECT_EQ(verified(sign(longest, key)), longest);
  expect_refusal(verified(with_payload(payload.with("exp", "1767312001"))), "a second more");
}

TEST_F(AccessToken, EndsWithTheGraceOfItsKey) {
  auto old = key.verification_key();
  old.accepted_until = now + 1min;
  auto const rotated = KeySet::from({old, stranger.verification_key()}).value();
  auto const token = sign(claims, key);
  EXPECT_TRUE(verify(token, rotated, expected, now + 1min - 1us));
  expect_refusal(verify(token, rotated, expected, now + 1min), "its key's grace is over");
  EXPECT_TRUE(verify(sign(claims, stranger), rotated, expected, now + 1min)) << "the key that came after it";
  auto const removed = KeySet::from({stranger.verification_key()}).value();
  expect_refusal(verify(token, removed, expected, now), "its key is gone");
  expect_refusal(verify(token, KeySet(), expected, now), "no key at all");
}

TEST_F(AccessToken, IsOfNoUseInAnotherEnvironment) {
  auto const token = sign(claims, key);
  expect_refusal(verify(token, keys, {"https://staging.example", expected.audience}, now), "another issuer");
  expect_refusal(verify(token, keys, {expected.issuer, "agent-lightning-staging"}, now), "another audience");
  expect_refusal(verify(token, keys, {expected.audience, expected.issuer}, now), "both the other way round");
  SeededRandom other(2);
  auto theirs = SigningKey(Algorithm::ed25519, other).verification_key();
  theirs.id = key.id();
  expect_refusal(verify(token, KeySet::from({theirs}).value(), expected, now), "another key of the same id");
}

// ---- forgeries ----

Forgeries AccessToken::foreign_algorithms() const {
  Forgeries out;
  for (auto const* alg : {R"("none")", R"("None")", R"("nOnE")", R"("NONE")", R"("")", "null", R"(["EdDSA"])",
                          R"({"EdDSA":1})", "1", "true"}) {
    out.push_back({"RFC 8725 2.1, alg "s + alg + ", unsigned", with_signature(header.with("alg", alg), "")});
    out.push_back({"alg "s + alg + " over a good signature", with_header(header.with("alg", alg))});
  }
  out.push_back({"no alg, unsigned", with_signature(header.without("alg"), "")});
  out.push_back({"no alg over a good signature", with_header(header.without("alg"))});
  for (auto const* alg : {"eddsa", "EDDSA", "EdDSA ", " EdDSA", "EdDSA\\u0000", "Ed25519", "Ed448", "HS256", "HS384",
                          "HS512", "RS256", "PS256", "ES256", "ES256K", "dir", "A256KW"}) {
    out.push_back(
        {"RFC 8725 3.1, alg "s + alg + " over a good signature", with_header(header.with("alg", "\""s + alg + "\""))});
  }
  auto const es256 = header.with("alg", R"("ES256")");
  std::string const order =
      "\xFF\xFF\xFF\xFF\x00\x00\x00\x00\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"
      "\xBC\xE6\xFA\xAD\xA7\x17\x9E\x84\xF3\xB9\xCA\xC2\xFC\x63\x25\x50"s;  // of P-256, less one
  out.push_back({"ES256 with r = s = 0 (psychic signature)", with_signature(es256, std::string(64, '\0'))});
  out.push_back({"ES256 in DER", with_signature(es256, "\x30\x06\x02\x01\x01\x02\x01\x01"s)});
  out.push_back({"ES256 with a high s", with_signature(es256, std::string(31, '\0') + "\x01" + order)});
  out.push_back({"RS256 with a key of its own",
                 with_signature(header.with("alg", R"("RS256")")
                                    .and_also("jwk", R"({"kty":"RSA","n":")" + base64(std::string(256, '\x99')) +
                                                         R"(","e":"AQAB"})"),
                                std::string(256, '\x42'))});
  out.push_back({"RFC 7515 A.5, unsecured",
                 "eyJhbGciOiJub25lIn0.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb"
                 "290Ijp0cnVlfQ."});
  return out;
}

TEST_F(AccessToken, IsRefusedUnderAnAlgorithmThatIsNotItsKeys) { expect_refusals(foreign_algorithms()); }

Forgeries AccessToken::confused_algorithms() const {
  std::string const der = "\x30\x2A\x30\x05\x06\x03\x2B\x65\x70\x03\x21\x00"s +  // RFC 8410: id-Ed25519
                          std::string(raw_bytes(*key.verification_key().bytes));
  auto const pem =
      "-----BEGIN PUBLIC KEY-----\n" + base64(der, sodium_base64_VARIANT_ORIGINAL) + "\n-----END PUBLIC KEY-----\n";
  auto const raw = std::string(raw_bytes(*key.verification_key().bytes));
  auto const document = json::parse(jwks(keys, now)).value();
  auto const jwk = json::serialize(document.at("keys").at(0));
  Forgeries out;
  for (auto const& [name, public_key] : {std::pair{"PEM"s, pem},
                                         {"PEM without its last newline", pem.substr(0, pem.size() - 1)},
                                         {"DER", der},
                                         {"JWK", jwk},
                                         {"JWK set", jwks(keys, now)},
                                         {"32 bytes", raw},
                                         {"base64", base64(raw)},
                                         {"nothing", ""}}) {
    auto const hs256 = header.with("alg", R"("HS256")");
    out.push_back({"RFC 8725 2.1, HS256 with our public key as " + name,
                   with_signature(hs256, hmac(public_key, text_to_sign(hs256)))});
    auto const named = hs256.with("kid", R"("shared")");
    out.push_back(
        {"the same for the shared secret's id: " + name, with_signature(named, hmac(public_key, text_to_sign(named)))});
    out.push_back({"HMAC with our public key under EdDSA as " + name,
                   with_signature(header, hmac(public_key, text_to_sign(header)))});
  }
  auto const secret = std::string(raw_bytes(*shared.verification_key().bytes));
  auto const eddsa_shared = header.with("kid", R"("shared")");
  out.push_back({"EdDSA over the shared secret's id, by HMAC",
                 with_signature(eddsa_shared, shared.signature(text_to_sign(eddsa_shared)))});
  auto const seeded = SigningKey::from("EdDSA.shared." + base64(secret)).value();
  out.push_back(
      {"EdDSA from the shared secret", with_signature(eddsa_shared, seeded.signature(text_to_sign(eddsa_shared)))});
  auto const hs512 = eddsa_shared.with("alg", R"("HS512")");
  std::string sha512(crypto_auth_hmacsha512_BYTES, '\0');
  crypto_auth_hmacsha512(bytes_of(sha512), bytes_of(text_to_sign(hs512)), text_to_sign(hs512).size(), bytes_of(secret));
  out.push_back({"HS512 with the shared secret", with_signature(hs512, sha512)});
  out.push_back({"HS512 cut to 32 bytes", with_signature(hs512, sha512.substr(0, 32))});
  return out;
}

TEST_F(AccessToken, IsRefusedWhenAPublicKeyIsTakenForASecret) { expect_refusals(confused_algorithms()); }

Forgeries AccessToken::foreign_keys() const {
  Forgeries out;
  out.push_back({"no kid", with_header(header.without("kid"))});
  for (std::string const kid : {R"("")", "null", "1", "true", R"(["current"])", R"({"current":1})", R"("unknown")",
                                R"("CURRENT")", R"("current ")", R"("curren")", R"("*")", R"("%")", R"("|id")",
                                R"("' OR 1=1")", R"("../../dev/null")", R"("/dev/null")", R"("current\u0000")"}) {
    out.push_back({"kid " + kid, with_header(header.with("kid", kid))});
  }
  for (std::size_t const size : {65, 5000, 10'240})
    out.push_back({"a long kid", with_header(header.with("kid", "\"" + std::string(size, 'k') + "\""))});
  auto const theirs = header.with("kid", "\"" + stranger.id() + "\"");
  out.push_back({"the key of another installation, with its id",
                 with_signature(theirs, stranger.signature(text_to_sign(theirs)))});
  out.push_back({"the key of another installation, with our id",
                 with_signature(header, stranger.signature(text_to_sign(header)))});
  auto const jwk = R"({"kty":"OKP","crv":"Ed25519","kid":"current","x":")" +
                   base64(raw_bytes(*stranger.verification_key().bytes)) + R"("})";
  for (auto const& [name, value] : {std::pair{"jwk"s, jwk},
                                    {"jku"s, R"("https://evil.example/jwks.json")"s},
                                    {"jku"s, R"("file:///tmp/jwks")"s},
                                    {"x5u"s, R"("https://evil.example/cert.pem")"s},
                                    {"x5c"s, R"(["MIIB"])"s}}) {
    auto const embedded = header.and_also(name, value);
    out.push_back({"RFC 8725 3.10, a key by " + name + " " + value.substr(0, 12),
                   with_signature(embedded, stranger.signature(text_to_sign(embedded)))});
  }
  auto const swapped = header.with("kid", R"("shared")").with("alg", R"("HS256")");
  out.push_back({"one key's id, another's signature", with_signature(swapped, key.signature(text_to_sign(swapped)))});
  return out;
}

TEST_F(AccessToken, IsRefusedWithoutAKeyOfOurs) { expect_refusals(foreign_keys()); }

Forgeries AccessToken::headers() const {
  Forgeries out;
  out.push_back({"RFC 9068 4, no typ", with_header(header.without("typ"))});
  for (auto const* typ :
       {R"("JWT")", R"("jwt")", R"("refresh+jwt")", R"("rt+jwt")", R"("id+jwt")", R"("dpop+jwt")", R"("logout+jwt")",
        R"("AT+JWT")", R"("at+jwt ")", R"("application/at+jwt")", R"("")", "null", R"(["at+jwt"])", "1"}) {
    out.push_back({"RFC 8725 3.11, typ "s + typ, with_header(header.with("typ", typ))});
  }
  for (auto const* crit : {R"([])", R"(["exp"])", R"(["b64"])", R"(["alg"])", R"("exp")", "null", "{}"})
    out.push_back({"RFC 7515 4.1.11, crit "s + crit, with_header(header.and_also("crit", crit))});
  for (auto const* b64 : {"false", "true", "null"})
    out.push_back({"RFC 7797, b64 "s + b64, with_header(header.and_also("b64", b64))});
  auto const unencoded = header.and_also("b64", "false").and_also("crit", R"(["b64"])");
  out.push_back({"RFC 7797, b64 and crit", with_header(unencoded)});
  out.push_back({"RFC 7797, a payload as it is", token_of_parts(base64(unencoded.text()), payload.text(), key)});
  for (auto const& [name, value] : header.all) {
    out.push_back({"RFC 7515 4, two of " + name, with_header(header.and_also(name, value))});
    out.push_back({"another " + name + " before",
                   token_of("{\"" + name + "\":\"x\"," + header.text().substr(1), payload.text())});
  }
  out.push_back({"two of alg, one escaped", with_header(header.and_also("\\u0061lg", R"("none")"))});
  out.push_back({"RFC 7519 5.2, a token within a token",
                 token_of_parts(base64(header.and_also("cty", R"("JWT")").text()), base64(sign(claims, key)), key)});
  return out;
}

TEST_F(AccessToken, IsRefusedWithAHeaderThatIsNotOurs) { expect_refusals(headers()); }

/// `signature` with the order of the group added to its second half: the same point, so a check that did not compare
/// would take it (RFC 8032 5.1.7).
std::string malleated(std::string signature) {
  constexpr std::array<unsigned char, 32> order{0xED, 0xD3, 0xF5, 0x5C, 0x1A, 0x63, 0x12, 0x58, 0xD6, 0x9C, 0xF7,
                                                0xA2, 0xDE, 0xF9, 0xDE, 0x14, 0,    0,    0,    0,    0,    0,
                                                0,    0,    0,    0,    0,    0,    0,    0,    0,    0x10};
  sodium_add(bytes_of(signature) + 32, order.data(), order.size());
  return signature;
}

Forgeries AccessToken::signatures() const {
  auto const good = key.signature(text_to_sign(header));
  auto const hs256 = header.with("alg", R"("HS256")").with("kid", R"("shared")");
  auto const mac = shared.signature(text_to_sign(hs256));
  auto const identity = "\x01" + std::string(31, '\0');
  Forgeries out;
  for (auto const& [name, signature] : {std::pair{"no"s, ""s},
                                        {"a byte's", good.substr(0, 1)},
                                        {"half a", good.substr(0, 32)},
                                        {"the other half of a", good.substr(32)},
                                        {"a shortened", good.substr(0, 63)},
                                        {"a beheaded", good.substr(1)},
                                        {"a lengthened", good + '\0'},
                                        {"a doubled", good + good},
                                        {"a swapped", good.substr(32) + good.substr(0, 32)},
                                        {"an empty", std::string(64, '\0')},
                                        {"a full", std::string(64, '\xFF')},
                                        {"the neutral point's", identity + std::string(32, '\0')},
                                        {"RFC 8032 5.1.7, a malleated", malleated(good)},
                                        {"RFC 8410, a DER", "\x04\x40" + good},
                                        {"the payload's", key.signature(base64(payload.text()))},
                                        {"the decoded texts'", key.signature(header.text() + "." + payload.text())},
                                        {"another token's", key.signature(text_to_sign(header) + "x")}}) {
    out.push_back({name + " signature", with_signature(header, signature)});
  }
  for (auto const& [name, signature] : {std::pair{"no"s, ""s},
                                        {"a byte's", mac.substr(0, 1)},
                                        {"a shortened", mac.substr(0, 31)},
                                        {"half a", mac.substr(0, 16)},
                                        {"a lengthened", mac + '\0'},
                                        {"a doubled", mac + mac},
                                        {"an empty", std::string(32, '\0')}}) {
    out.push_back({name + " HMAC", with_signature(hs256, signature)});
  }
  // RFC 8037 A.4 with the very key: a good signature over no token of ours.
  out.push_back({"RFC 8037 A.4",
                 "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-0"
                 "9PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"});
  return out;
}

TEST_F(AccessToken, IsRefusedWithASpoiltSignature) { expect_refusals(signatures()); }

Forgeries AccessToken::shapes() const {
  auto const token = sign(claims, key);
  auto const head = part(token, 0), body = part(token, 1), tail = part(token, 2);
  Forgeries out;
  for (auto const* text : {"", ".", "..", "...", "....", "a.b.c", "null", "{}"})
    out.push_back({"RFC 7515 3.1, "s + text, text});
  std::vector<std::string> const of_parts{std::string(9000, '.'),
                                          std::string(9000, 'A'),
                                          head,
                                          head + "." + body,
                                          head + ".." + tail,
                                          "." + body + "." + tail,
                                          body + "." + head + "." + tail,
                                          token + ".",
                                          "." + token,
                                          token + "." + tail,
                                          token + ".." + tail,
                                          token + token,
                                          "Bearer " + token,
                                          "\"" + token + "\"",
                                          token.substr(1),
                                          token.substr(0, token.size() - 1)};
  for (auto const& text : of_parts)
    out.push_back({"RFC 7515 3.1, the shape of " + text.substr(0, 20), text});
  out.push_back({"two parts, truly signed", head + "." + base64(key.signature(head))});
  auto const twice = body + "." + body;
  for (auto const& middle : {twice, body + ".", "." + body})
    out.push_back({"four parts, truly signed", token_of_parts(head, middle, key)});
  out.push_back({"RFC 7516 3.1, five parts as of an encrypted one",
                 base64(R"({"alg":"dir","enc":"A256GCM","kid":"current","typ":"at+jwt"})") + ".." + base64("iv") + "." +
                     body + "." + base64("tag")});
  out.push_back({"RFC 7515 7.2.2, as JSON",
                 R"({"protected":")" + head + R"(","payload":")" + body + R"(","signature":")" + tail + R"("})"});
  out.push_back({"RFC 7515 7.2.1, as JSON in general", R"({"payload":")" + body + R"(","signatures":[{"protected":")" +
                                                           head + R"(","signature":")" + tail + R"("}]})"});
  return out;
}

TEST_F(AccessToken, IsRefusedInAnotherShape) { expect_refusals(shapes()); }

/// The same bytes in another text: the bits that no byte needs are set.
std::string with_loose_bits(std::string text) {
  constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  EXPECT_NE(text.size() % 4, 0U) << "no loose bits there";
  text.back() = letters[letters.find(text.back()) + 1];
  return text;
}

Forgeries AccessToken::encodings() const {
  auto header_text = header.text(), payload_text = payload.text();
  while (header_text.size() % 3 == 0)
    header_text += ' ';
  while (payload_text.size() % 3 == 0)
    payload_text += ' ';
  auto const head = base64(header_text), body = base64(payload_text), tail = base64(key.signature(head + "." + body));
  Forgeries out;
  auto const add = [&](std::string const& name, auto const& change) {
    // Signed after the change, so that the encoding alone is wrong.
    out.push_back({name + " in the header", token_of_parts(change(head), body, key)});
    out.push_back({name + " in the payload", token_of_parts(head, change(body), key)});
    out.push_back({name + " in the signature", head + "." + body + "." + change(tail)});
  };
  add("RFC 4648 3.5, loose bits", with_loose_bits);
  for (auto const* text : {"=", "==", "A=", "\n", "\r\n", " ", "\t", "\0", "%", "\x80", "\xC3\xA4"}) {
    auto const after = *text == '\0' ? "\0"s : std::string(text);
    add("RFC 7515 2, after it " + testing::PrintToString(after), [&](std::string const& one) { return one + after; });
  }
  for (std::string const text : {"\n", " ", "-=", "+", "/", "&", "\v"}) {
    add("before it " + testing::PrintToString(text), [&](std::string const& one) { return text + one; });
    add("within it " + testing::PrintToString(text),
        [&](std::string const& one) { return one.substr(0, 8) + text + one.substr(8); });
  }
  // RFC 4648 4: the usual alphabet, in a token that needs both letters of the other one.
  auto other = claims;
  std::string token;
  for (int i = 0; !part(token, 2).contains('-') || !part(token, 2).contains('_'); ++i) {
    other.id = std::to_string(i);
    token = sign(other, key);
  }
  EXPECT_TRUE(verified(token));
  std::ranges::replace(token, '-', '+');
  out.push_back({"RFC 4648 4, a plus", token});
  std::ranges::replace(token, '+', '-');
  std::ranges::replace(token, '_', '/');
  out.push_back({"RFC 4648 4, a slash", token});
  // Each with its highest bit, which libsodium overlooks in these two.
  std::ranges::replace(token, '/', '\xDF');
  out.push_back({"a byte that is almost an underscore", token});
  std::ranges::replace(token, '\xDF', '_');
  std::ranges::replace(token, '-', '\xAD');
  out.push_back({"a byte that is almost a hyphen", token});
  return out;
}

TEST_F(AccessToken, IsRefusedInAnotherEncoding) { expect_refusals(encodings()); }

Forgeries AccessToken::documents() const {
  std::string const deep = std::string(json::depth_max + 1, '[') + std::string(json::depth_max + 1, ']');
  Forgeries out;
  for (auto const& [name, spoil] : std::vector<std::pair<std::string, std::function<std::string(std::string)>>>{
           {"nothing", [](auto const&) { return ""s; }},
           {"an empty object", [](auto const&) { return "{}"s; }},
           {"null", [](auto const&) { return "null"s; }},
           {"a number", [](auto const&) { return "1"s; }},
           {"a text", [](auto const& text) { return json::serialize(json::value(text)); }},
           {"an array", [](auto const& text) { return "[" + text + "]"; }},
           {"an object without its end", [](auto const& text) { return text.substr(0, text.size() - 1); }},
           {"two objects", [](auto const& text) { return text + "{}"; }},
           {"an object twice", [](auto const& text) { return text + text; }},
           {"a comma too many", [](auto const& text) { return text.substr(0, text.size() - 1) + ",}"; }},
           {"a comment", [](auto const& text) { return "/**/" + text; }},
           {"a byte order mark", [](auto const& text) { return "\xEF\xBB\xBF" + text; }},
           {"a NUL after it", [](auto const& text) { return text + '\0'; }},
           {"a NUL within", [](auto const& text) { return R"({"x":"\u0000",)" + text.substr(1); }},
           {"bytes that are no UTF-8", [](auto const& text) { return "{\"x\":\"\xFF\"," + text.substr(1); }},
           {"an overlong dot", [](auto const& text) { return "{\"x\":\"\xC0\xAE\"," + text.substr(1); }},
           {"half a surrogate pair", [](auto const& text) { return R"({"x":"\uD800",)" + text.substr(1); }},
           {"single quotes", [](auto const& text) { return "{'x':1," + text.substr(1); }},
           {"NaN", [](auto const& text) { return "{\"x\":NaN," + text.substr(1); }},
           {"1e400", [](auto const& text) { return "{\"x\":1e400," + text.substr(1); }},
           {"34 levels", [&](auto const& text) { return "{\"x\":" + deep + "," + text.substr(1); }},
           {"3000 levels", [](auto const& text) { return std::string(3000, '[') + text; }},
           {"a name twice within", [](auto const& text) { return R"({"x":{"a":1,"a":2},)" + text.substr(1); }},
           {"UTF-16", [](auto const& text) {
              std::string wide;
              for (char const c : text)
                wide.append(1, c).append(1, '\0');
              return wide;
            }}}) {
    out.push_back({"RFC 8725 3.7, " + name + " as header", token_of(spoil(header.text()), payload.text())});
    out.push_back({"RFC 8725 3.7, " + name + " as payload", token_of(header.text(), spoil(payload.text()))});
  }
  for (auto const& [name, value] : payload.all) {
    out.push_back({"RFC 7519 4, two of " + name, with_payload(payload.and_also(name, value))});
    out.push_back({"RFC 7519 4, another " + name + " before it",
                   token_of(header.text(), "{\"" + name + "\":\"x\"," + payload.text().substr(1))});
  }
  out.push_back({"two of exp, one escaped", with_payload(payload.and_also("e\\u0078p", "1767226500"))});
  return out;
}

TEST_F(AccessToken, IsRefusedWhenItIsNoStrictJson) { expect_refusals(documents()); }

Forgeries AccessToken::claims_of_others() const {
  Forgeries out;
  for (auto const* name : {"iss", "aud", "sub", "sid", "jti", "tenant"}) {
    out.push_back({"RFC 9068 2.2, no "s + name, with_payload(payload.without(name))});
    for (auto const* value : {R"("")", "null", "1", "true", "[]", "{}"})
      out.push_back({name + " "s + value, with_payload(payload.with(name, value))});
  }
  for (auto const* issuer :
       {R"("https://AGENTS.example")", R"("HTTPS://agents.example")", R"("https://agents.example/")",
        R"("https://agents.exampl")", R"("https://agents.example.evil.example")", R"("https://evil.example")",
        R"(["https://agents.example"])", R"("agent-lightning")"}) {
    out.push_back({"RFC 8725 3.8, iss "s + issuer, with_payload(payload.with("iss", issuer))});
  }
  for (auto const* audience :
       {R"("agent-lightning-staging")", R"("agent")", R"("Agent-Lightning")", R"("*")", R"(["agent-lightning"])",
        R"(["other","agent-lightning"])", R"("agent-lightning other")", R"({"0":"agent-lightning"})"}) {
    out.push_back({"RFC 8725 3.9, aud "s + audience, with_payload(payload.with("aud", audience))});
  }
  for (auto const* tenant : {R"("ACME")", R"("../acme")", R"("acme\n")", R"(" acme")", R"("' OR 1=1")", R"(["acme"])"})
    out.push_back({"tenant "s + tenant, with_payload(payload.with("tenant", tenant))});
  for (auto const* name : {"sub", "sid", "jti"}) {
    for (auto const& value : {R"(["u"])"s, R"("line\nbreak")"s, R"("\u001b[2J")"s, "\"" + std::string(256, 'u') + "\""})
      out.push_back({name + " "s + value.substr(0, 20), with_payload(payload.with(name, value))});
  }
  return out;
}

TEST_F(AccessToken, IsRefusedWhenItIsNotMeantForUs) { expect_refusals(claims_of_others()); }

Forgeries AccessToken::times() const {
  Forgeries out;
  out.push_back({"RFC 9068 2.2, no exp", with_payload(payload.without("exp"))});
  out.push_back({"RFC 9068 2.2, no iat", with_payload(payload.without("iat"))});
  // RFC 7519 2 (NumericDate), RFC 8725 2.7: what one reader rounds or wraps, another takes for years.
  for (auto const* value : {R"("1767226500")",
                            R"("tomorrow")",
                            "1767226500.5",
                            "1767226500.0",
                            "1.7672265e9",
                            "17672265E2",
                            "-1",
                            "-1767226500",
                            "1e400",
                            "-1e400",
                            "null",
                            "true",
                            "[]",
                            "[1767226500]",
                            "{}",
                            R"("")",
                            "1767226500000",
                            "253402300800",
                            "9223372036854775807",
                            "9223372036854775808",
                            "18446744073709551615",
                            "18446744073709551616",
                            "-9223372036854775808"}) {
    for (auto const* name : {"exp", "iat", "nbf"})
      out.push_back({name + " "s + value, with_payload(payload.with(name, value))});
  }
  auto const lasting = [&](char const* issued_at, char const* expires_at) {
    return with_payload(payload.with("iat", issued_at).with("exp", expires_at));
  };
  out.push_back({"RFC 7519 4.1.4, expired", lasting("1767224670", "1767225570")});
  out.push_back({"expired long ago", lasting("0", "900")});
  out.push_back({"RFC 7519 4.1.6, issued in the future", lasting("1767225631", "1767226500")});
  out.push_back({"issued in the far future", lasting("253402300000", "253402300799")});
  out.push_back({"no time at all", lasting("1767225600", "1767225600")});
  out.push_back({"expired before it was issued", lasting("1767225600", "1767225599")});
  out.push_back({"more than a day", lasting("1767225600", "1767312001")});
  out.push_back({"almost for ever", lasting("1767225600", "253402300799")});
  out.push_back({"since the beginning", lasting("0", "1767226500")});
  out.push_back({"RFC 7519 4.1.5, not yet", with_payload(payload.and_also("nbf", "1767225631"))});
  out.push_back({"not before it has ended", with_payload(payload.and_also("nbf", "1767226500"))});
  return out;
}

TEST_F(AccessToken, IsRefusedAtTheWrongTime) { expect_refusals(times()); }

TEST_F(AccessToken, MeetsManyForgeriesOfWhichNoTwoAreTheSame) {
  std::set<std::string> tokens;
  std::size_t count = 0;
  for (auto const& area : {foreign_algorithms(), confused_algorithms(), foreign_keys(), headers(), signatures(),
                           shapes(), encodings(), documents(), claims_of_others(), times()}) {
    for (auto const& forgery : area) {
      ++count;
      EXPECT_TRUE(tokens.insert(forgery.token).second) << forgery.name;
    }
  }
  EXPECT_GE(count, 400U);
  RecordProperty("forgeries", static_cast<int>(count));
}

TEST_F(AccessToken, IsRefusedWhenAnyBitOfItIsFlipped) {
  for (auto const* with : {&key, &shared}) {
    auto const token = sign(claims, *with);
    ASSERT_TRUE(verified(token));
    for (std::size_t bit = 0; bit < 8 * token.size(); ++bit) {
      auto flipped = token;
      flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
      ASSERT_FALSE(verified(flipped)) << "bit " << bit << " of " << token;
    }
  }
}

TEST_F(AccessToken, IsRefusedWhenACharacterOfItIsMissingOrTooMany) {
  for (auto const* with : {&key, &shared}) {
    auto const token = sign(claims, *with);
    for (std::size_t i = 0; i < token.size(); ++i) {
      ASSERT_FALSE(verified(token.substr(0, i))) << i;
      ASSERT_FALSE(verified(std::string(token).erase(i, 1))) << i;
      ASSERT_FALSE(verified(std::string(token).insert(i, 1, 'A'))) << i;
      ASSERT_FALSE(verified(std::string(token).insert(i, 1, '\n'))) << i;
    }
  }
}

// ---- keys ----

TEST(SigningKey, SignsAsTheStandardsShow) {
  // RFC 8037 A.1, A.2 and A.4.
  auto const eddsa = SigningKey::from(rfc_key).value();
  EXPECT_EQ(base64(raw_bytes(*eddsa.verification_key().bytes)), "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
  std::string const text = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
  auto const signature = eddsa.signature(text);
  EXPECT_EQ(base64(signature),
            "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg");
  EXPECT_TRUE(eddsa.verification_key().has_signed(text, signature));
  EXPECT_FALSE(eddsa.verification_key().has_signed(text + "x", signature));
  // RFC 4231, test case 1; HMAC fills its key of 20 bytes up with zeros, as is done here.
  auto const hs256 =
      SigningKey::from("HS256.k.0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b" + std::string(24, '0')).value();
  EXPECT_EQ(base64(hs256.signature("Hi There")), "sDRMYdjbOFNcqK_OrwvxK4gdwgDJgz2nJuk3bC4yz_c");
  EXPECT_TRUE(hs256.verification_key().has_signed("Hi There", hs256.signature("Hi There")));
  EXPECT_FALSE(hs256.verification_key().has_signed("Hi there", hs256.signature("Hi There")));
}

TEST(SigningKey, ComesBackFromItsText) {
  SeededRandom random;
  for (auto const algorithm : {Algorithm::ed25519, Algorithm::hmac_sha256}) {
    SigningKey const key(algorithm, random);
    EXPECT_THAT(key.id(), testing::MatchesRegex("[A-Za-z0-9_-]{16}"));
    EXPECT_EQ(key.algorithm(), algorithm);
    auto const again = SigningKey::from(key.text()).value();
    EXPECT_EQ(again.id(), key.id());
    EXPECT_EQ(again.algorithm(), algorithm);
    EXPECT_EQ(again.text(), key.text());
    EXPECT_TRUE(key.verification_key().has_signed("message", again.signature("message")));
    SigningKey const other(algorithm, random);
    EXPECT_NE(other.id(), key.id());
    EXPECT_FALSE(other.verification_key().has_signed("message", key.signature("message")));
  }
  EXPECT_EQ(SigningKey::from(rfc_key).value().text(), rfc_key);
  EXPECT_EQ(SigningKey::from(rising_key).value().text(), rising_key);
}

TEST(SigningKey, IsNotMadeOfAnyOtherText) {
  std::string const secret = "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=";
  EXPECT_TRUE(SigningKey::from("EdDSA." + std::string(64, 'k') + "." + secret));
  for (auto const& text :
       {""s, "."s, ".."s, "EdDSA"s, secret, "EdDSA." + secret, "EdDSA.." + secret, "EdDSA.a b." + secret,
        "EdDSA.a.b." + secret, "EdDSA.\xC3\xA4." + secret, "EdDSA." + std::string(65, 'k') + "." + secret,
        "eddsa.k." + secret, "none.k." + secret, ".k." + secret, "HS512.k." + secret, "EdDSA.k."s, "EdDSA.k.short"s,
        "EdDSA.k." + secret + "AAAA", "EdDSA.k." + std::string(secret).replace(3, 1, "!")}) {
    auto const refused = SigningKey::from(text);
    ASSERT_FALSE(refused) << text;
    EXPECT_EQ(refused.error().code, Code::invalid);
    EXPECT_FALSE(refused.error().message.contains("nWGxne")) << "what was given may be secret";
  }
}

TEST(KeySet, HoldsAFewKeysOfDifferentIds) {
  SeededRandom random;
  std::vector<VerificationKey> all;
  for (std::size_t i = 0; i < KeySet::keys_max; ++i)
    all.push_back(SigningKey(Algorithm::ed25519, random).verification_key());
  auto const set = KeySet::from(all).value();
  for (auto const& key : all) {
    ASSERT_NE(set.find(key.id), nullptr);
    EXPECT_EQ(set.find(key.id)->bytes, key.bytes);
  }
  EXPECT_EQ(set.find(""), nullptr);
  EXPECT_EQ(KeySet().find(all[0].id), nullptr);
  EXPECT_TRUE(KeySet::from({}));
  auto const too_many = [&] {
    auto more = all;
    more.push_back(SigningKey(Algorithm::ed25519, random).verification_key());
    return more;
  }();
  auto unfit = all[0];
  unfit.id = "a/b";
  for (auto const& keys :
       {too_many, {all[0], all[1], all[0]}, {unfit}, {VerificationKey{"k", Algorithm::ed25519, nullptr}}}) {
    auto const refused = KeySet::from(keys);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::invalid);
  }
}

TEST(Jwks, ShowsThePublicKeysThatCount) {
  Timestamp const now = std::chrono::sys_days(2026y / 1 / 1);
  auto const key = SigningKey::from(rfc_key).value();
  auto const shared = SigningKey::from(rising_key).value();
  auto const set = KeySet::from({shared.verification_key(), key.verification_key()}).value();
  auto const text = jwks(set, now);
  // RFC 8037 A.2.
  EXPECT_EQ(
      text,
      R"({"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"current",)"
      R"("use":"sig","alg":"EdDSA"}]})");
  EXPECT_FALSE(text.contains("shared"));
  EXPECT_FALSE(text.contains("AAECAwQF"));
  auto rotated = key.verification_key();
  rotated.accepted_until = now;
  auto const rest = KeySet::from({shared.verification_key(), rotated}).value();
  EXPECT_EQ(jwks(rest, now - 1us), text);
  EXPECT_EQ(jwks(rest, now), R"({"keys":[]})");
  EXPECT_EQ(jwks(KeySet(), now), R"({"keys":[]})");
}

}  // namespace
}  // namespace al::security::jwt
