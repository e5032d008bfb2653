#include "security/token_keys.hpp"

#include <gmock/gmock.h>

#include "core/base64.hpp"
#include "core/json.hpp"
#include "security/identity_fixture.hpp"

namespace al::security {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class TokenKeysTest : public IdentityFixture {
 protected:
  RefreshClaims const claims{
      .tenant = default_tenant, .login_id = "0190b5a3-7c1e-7d2a-9f00-3b6c5d4e2f10", .generation = 7};

  std::string refresh_token() {
    auto const token = wait(parts->keys.refresh_token(claims, soon()));
    EXPECT_TRUE(token) << token.error().message;
    return token.value_or("");
  }
  Result<RefreshClaims> verify(std::string const& token) { return wait(parts->keys.verify_refresh(token, soon())); }
  std::string jwks() { return wait(parts->keys.jwks(soon())).value_or(""); }
};
INSTANTIATE_TEST_SUITE_P(On, TokenKeysTest, testing::ValuesIn(storage::backend_kinds()),
                         [](auto const& info) { return std::string(info.param.name); });

TEST_P(TokenKeysTest, ARefreshTokenNamesItsLoginAndGeneration) {
  auto const token = refresh_token();
  EXPECT_THAT(token, StartsWith("alr_")) << "for scanners of leaked secrets";
  auto const read = verify(token);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->tenant, claims.tenant);
  EXPECT_EQ(read->login_id, claims.login_id);
  EXPECT_EQ(read->generation, 7);
}

TEST_P(TokenKeysTest, NoCharacterOfARefreshTokenMayBeAnother) {
  auto const token = refresh_token();
  for (std::size_t i = 0; i < token.size(); ++i) {
    auto changed = token;
    changed[i] = changed[i] == 'x' ? 'y' : 'x';
    EXPECT_FALSE(verify(changed)) << i;
  }
  for (auto const& wrong : {std::string(), std::string("alr_"), std::string("alr_..."), token + ".", token + "A",
                            token.substr(1), token.substr(0, token.size() - 1), token + std::string(600, 'A')})
    EXPECT_EQ(verify(wrong).error().code, Code::unauthenticated) << wrong;
}

TEST_P(TokenKeysTest, AnotherProcessTakesWhatThisOneHasSigned) {
  auto const token = refresh_token();
  TokenKeys other(parts->signing, parts->sealing, clock, random);
  EXPECT_TRUE(wait(other.verify_refresh(token, soon())));
  EXPECT_EQ(wait(parts->signing.list(std::chrono::hours{1}, soon())).size(), 3U) << "one key of each purpose";
}

TEST_P(TokenKeysTest, RotationLosesNoToken) {
  auto const login = have_login(have_user({"viewer"}));
  auto const access = access_token(login);
  auto const refresh = refresh_token();
  TokenKeys other(parts->signing, parts->sealing, clock, random);
  ASSERT_TRUE(wait(other.verify_access(access, soon())));
  auto const before = jwks();
  ASSERT_TRUE(wait(parts->keys.rotate(soon())));
  EXPECT_NE(jwks(), before);
  EXPECT_TRUE(wait(parts->keys.verify_access(access, soon())));
  EXPECT_TRUE(verify(refresh));
  auto const fresh = access_token(login);
  clock.advance(std::chrono::milliseconds{1001});
  EXPECT_TRUE(wait(other.verify_access(fresh, soon()))) << "a key that it does not know makes it look again";
  // What the old key has signed has expired by then, and so has the key.
  clock.advance(std::chrono::minutes{16});
  EXPECT_FALSE(wait(other.verify_access(access, soon())));
  EXPECT_FALSE(wait(other.verify_access(fresh, soon())));
}

TEST_P(TokenKeysTest, HoweverOftenKeysAreRotatedPeopleSignIn) {
  auto const login = have_login(have_user({"viewer"}));
  auto const oldest = access_token(login);
  auto const refresh = refresh_token();
  for (std::size_t i = 0; i <= jwt::KeySet::keys_max; ++i) {
    clock.advance(std::chrono::seconds{1});
    ASSERT_TRUE(wait(parts->keys.rotate(soon()))) << i;
  }
  EXPECT_TRUE(wait(parts->keys.verify_access(access_token(login), soon())));
  EXPECT_FALSE(wait(parts->keys.verify_access(oldest, soon()))) << "of so many the oldest key goes";
  EXPECT_TRUE(verify(refresh));
  TokenKeys other(parts->signing, parts->sealing, clock, random);
  EXPECT_TRUE(wait(other.verify_access(access_token(login), soon())));
  clock.advance(std::chrono::minutes{16});
  auto const later = jwks();
  EXPECT_EQ(json::parse(later)->as_object().at("keys").as_array().size(), 1U) << "the others count no more";
}

TEST_P(TokenKeysTest, ForgedTokensDoNotAskTheDatabaseEachTime) {
  auto const login = have_login(have_user({"viewer"}));
  auto const token = access_token(login);
  database->close();
  EXPECT_FALSE(wait(parts->keys.verify_access(token.substr(0, token.size() - 4) + "AAAA", soon())))
      << "what is known is not a second old";
  clock.advance(std::chrono::milliseconds{1001});
  EXPECT_TRUE(wait(parts->keys.verify_access(token, soon())));
  EXPECT_THROW(std::ignore = wait(parts->keys.verify_access(token.substr(0, token.size() - 4) + "AAAA", soon())),
               Fault);
}

TEST_P(TokenKeysTest, OnlyPublicKeysArePublished) {
  refresh_token();
  auto const text = jwks();
  EXPECT_THAT(text, HasSubstr("\"OKP\""));
  EXPECT_THAT(text, Not(HasSubstr("\"d\""))) << "the private half (RFC 8037, 2)";
  EXPECT_THAT(text, Not(HasSubstr("\"oct\"")));
  auto const parsed = json::parse(text);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->as_object().at("keys").as_array().size(), 1U);
}

TEST_P(TokenKeysTest, TheAlgorithmChangesWithTheNextRotation) {
  TokenSubject const subject{.tenant = default_tenant, .user_id = "u", .login_id = "l"};
  auto const before = wait(parts->keys.access_token(subject, soon())).value();
  TokenKeys shared(parts->signing, parts->sealing, clock, random, jwt::Algorithm::hmac_sha256);
  auto const still = wait(shared.access_token(subject, soon())).value();
  EXPECT_THAT(from_base64url(still.substr(0, still.find('.'))).value(), HasSubstr("EdDSA"));
  ASSERT_TRUE(wait(shared.rotate(soon())));
  auto const after = wait(shared.access_token(subject, soon())).value();
  EXPECT_THAT(from_base64url(after.substr(0, after.find('.'))).value(), HasSubstr("HS256"));
  EXPECT_TRUE(wait(shared.verify_access(before, soon())));
  EXPECT_TRUE(wait(shared.verify_access(after, soon())));
  EXPECT_THAT(wait(shared.jwks(soon())).value(), Not(HasSubstr("\"kty\":\"oct\""))) << "a shared secret is published";
}

TEST_P(TokenKeysTest, TheDatabaseHoldsNoSecret) {
  refresh_token();
  for (auto const& key : wait(parts->signing.list(std::chrono::hours{1}, soon()))) {
    EXPECT_THAT(key.sealed, StartsWith("s1."));
    EXPECT_FALSE(jwt::SigningKey::from(key.sealed));
  }
}

}  // namespace
}  // namespace al::security
