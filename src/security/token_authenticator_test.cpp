#include "security/token_authenticator.hpp"

#include "core/hash.hpp"
#include "data/store_fixture.hpp"

namespace al::security {
namespace {

class TokenAuthenticatorTest : public data::StoreFixture {
 protected:
  void SetUp() override {
    StoreFixture::SetUp();
    access = std::make_unique<data::AccessStore>(*database);
    authenticator = std::make_unique<TokenAuthenticator>(*access, clock);
  }

  void know(std::string const& token, std::vector<std::string> const& permissions) {
    auto const added =
        wait(access->add({default_tenant, uuid_v7(clock, random), "test", permissions}, sha256_hex(token), soon()));
    ASSERT_TRUE(added) << added.error().message;
  }
  Result<http::Principal> authenticate(std::vector<std::string> const& headers) {
    http::Request request;
    for (auto const& header : headers)
      request.headers.add("authorization", header);
    return wait(authenticator->authenticate(request, soon()));
  }

  Result<http::Principal> authenticate_with(std::vector<std::pair<std::string, std::string>> const& headers) {
    http::Request request;
    for (auto const& [name, value] : headers)
      request.headers.add(name, value);
    return wait(authenticator->authenticate(request, soon()));
  }

  std::unique_ptr<data::AccessStore> access;
  std::unique_ptr<TokenAuthenticator> authenticator;
};
INSTANTIATE_TEST_SUITE_P(On, TokenAuthenticatorTest, testing::Values(storage::backend_kinds().front()),
                         [](auto const& info) { return std::string(info.param.name); });

TEST_P(TokenAuthenticatorTest, FindsWhoCalls) {
  know("a-token-of-someone", {"tasks:read", "agents:*"});
  for (std::string const scheme : {"Bearer ", "bearer ", "BEARER   "}) {
    auto const principal = authenticate({scheme + "a-token-of-someone"});
    ASSERT_TRUE(principal) << principal.error().message;
    EXPECT_EQ(principal->tenant, default_tenant);
    EXPECT_FALSE(principal->id.empty());
    EXPECT_TRUE(principal->may("tasks:read"));
    EXPECT_TRUE(principal->may("agents:write"));
    EXPECT_FALSE(principal->may("tasks:write"));
  }
}

TEST_P(TokenAuthenticatorTest, RefusesEverythingElse) {
  know("a-token-of-someone", {"*:*"});
  std::vector<std::vector<std::string>> const wrong{
      {},
      {""},
      {"Bearer"},
      {"Bearer "},
      {"Bearer    "},
      {"Bearer another-token-at-all"},
      {"Bearer a-token-of-someon"},
      {"Bearer a-token-of-someone x"},
      {"Bearera-token-of-someone"},
      {"Basic YTpi"},
      {"a-token-of-someone"},
      {"Bearer ' OR '1'='1"},
      {"Bearer \xFF\xFE"},
      {"Bearer " + std::string(5000, 'a')},
      {"Bearer a-token-of-someone", "Bearer a-token-of-someone"},
  };
  for (auto const& headers : wrong) {
    auto const principal = authenticate(headers);
    ASSERT_FALSE(principal) << (headers.empty() ? "no header" : headers[0]);
    EXPECT_EQ(principal.error().code, Code::unauthenticated);
  }
}

TEST_P(TokenAuthenticatorTest, TakesTheTokenAsAnApiKey) {
  know("a-token-of-someone", {"models:use"});
  EXPECT_TRUE(authenticate_with({{"x-api-key", "a-token-of-someone"}}));
  EXPECT_TRUE(authenticate_with({{"X-Api-Key", "a-token-of-someone"}, {"Authorization", "Bearer a-token-of-someone"}}));
  std::string const other = "another-token-at-all";
  std::vector<std::vector<std::pair<std::string, std::string>>> const wrong{
      {{"x-api-key", ""}},
      {{"x-api-key", other}},
      {{"x-api-key", "Bearer a-token-of-someone"}},
      {{"x-api-key", "a-token-of-someone"}, {"x-api-key", "a-token-of-someone"}},
      {{"x-api-key", "a-token-of-someone"}, {"Authorization", "Basic YTpi"}},
      {{"x-api-key", other}, {"Authorization", "Bearer a-token-of-someone"}},
      {{"x-api-key", ""}, {"Authorization", "Bearer a-token-of-someone"}},
  };
  for (auto const& headers : wrong) {
    auto const principal = authenticate_with(headers);
    ASSERT_FALSE(principal) << headers[0].second;
    EXPECT_EQ(principal.error().code, Code::unauthenticated);
  }
}

TEST_P(TokenAuthenticatorTest, TheHashIsNoToken) {
  know("a-token-of-someone", {"*:*"});
  EXPECT_FALSE(authenticate({"Bearer " + sha256_hex("a-token-of-someone")}));
}

TEST_P(TokenAuthenticatorTest, ATokenThatComesLaterIsTakenAtOnce) {
  EXPECT_FALSE(authenticate({"Bearer a-token-of-someone"}));
  know("a-token-of-someone", {"*:*"});
  EXPECT_TRUE(authenticate({"Bearer a-token-of-someone"})) << "that it was unknown must not be remembered";
}

TEST_P(TokenAuthenticatorTest, RemembersForASecondAndNoLonger) {
  know("a-token-of-someone", {"*:*"});
  EXPECT_TRUE(authenticate({"Bearer a-token-of-someone"}));
  database->close();
  clock.advance(std::chrono::milliseconds{999});
  EXPECT_TRUE(authenticate({"Bearer a-token-of-someone"})) << "the database is not asked again";
  clock.advance(std::chrono::milliseconds{2});
  EXPECT_THROW((void)authenticate({"Bearer a-token-of-someone"}), Fault) << "now it is, and it is closed";
}

}  // namespace
}  // namespace al::security
