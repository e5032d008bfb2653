#include "security/token_authenticator.hpp"

#include <gmock/gmock.h>

#include "core/hash.hpp"
#include "data/role_store.hpp"
#include "security/identity_fixture.hpp"

namespace al::security {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::UnorderedElementsAre;

class TokenAuthenticatorTest : public IdentityFixture {
 protected:
  void SetUp() override {
    IdentityFixture::SetUp();
    authenticator = std::make_unique<TokenAuthenticator>(parts->access, parts->keys, clock);
  }

  void know(std::string const& token, std::vector<std::string> const& permissions) { have_key(token, permissions); }
  /// What is remembered is forgotten.
  void wait_a_second() { clock.advance(std::chrono::milliseconds{1001}); }
  std::vector<std::string> permissions_of(std::string const& token) {
    auto const principal = authenticate({"Bearer " + token});
    EXPECT_TRUE(principal) << principal.error().message;
    return principal ? principal->permissions : std::vector<std::string>{};
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

TEST_P(TokenAuthenticatorTest, AnAccessTokenStandsForItsUser) {
  auto const user = have_user({"viewer"});
  auto const login = have_login(user);
  auto const principal = authenticate({"Bearer " + access_token(login)});
  ASSERT_TRUE(principal) << principal.error().message;
  EXPECT_EQ(principal->id, user.id.value);
  EXPECT_EQ(principal->user_id, user.id.value);
  EXPECT_EQ(principal->login_id, login.id.value);
  EXPECT_TRUE(principal->may("agents:read"));
  EXPECT_TRUE(principal->may("profile:write"));
  EXPECT_FALSE(principal->may("agents:write"));
}

TEST_P(TokenAuthenticatorTest, ATokenThatIsChangedStandsForNobody) {
  auto const token = access_token(have_login(have_user({"viewer"})));
  for (auto const at : {std::size_t{5}, token.find('.') + 3, token.rfind('.') + 3}) {
    auto changed = token;
    changed[at] = changed[at] == 'A' ? 'B' : 'A';
    EXPECT_EQ(authenticate({"Bearer " + changed}).error().code, Code::unauthenticated);
  }
  // Its first characters alone are nobody's: what was found is remembered by the hash of all of it.
  ASSERT_TRUE(authenticate({"Bearer " + token}));
  EXPECT_FALSE(authenticate({"Bearer " + token.substr(0, token.size() - 4) + "AAAA"}));
}

TEST_P(TokenAuthenticatorTest, WhatEndsAccessBitesWithinASecond) {
  auto const user = have_user({"admin"});
  auto const login = have_login(user);
  auto const token = access_token(login);
  auto const key = have_key("a-key-of-hers-and-nobody-elses", {"*:*"}, user.id);
  ASSERT_TRUE(authenticate({"Bearer " + token}));
  ASSERT_TRUE(wait(parts->logins.end(actor(), login.id, soon())));
  wait_a_second();
  EXPECT_EQ(authenticate({"Bearer " + token}).error().code, Code::unauthenticated);

  auto const second = access_token(have_login(user));
  EXPECT_TRUE(authenticate({"Bearer " + second}));
  EXPECT_TRUE(authenticate({"Bearer a-key-of-hers-and-nobody-elses"}));
  auto const disable = [](model::User& changed) -> Result<void> {
    changed.status = model::UserStatus::disabled;
    return {};
  };
  ASSERT_TRUE(wait(parts->users.update(actor(), user.id, disable, {}, soon())));
  wait_a_second();
  EXPECT_FALSE(authenticate({"Bearer " + second}));
  EXPECT_FALSE(authenticate({"Bearer a-key-of-hers-and-nobody-elses"}));
}

TEST_P(TokenAuthenticatorTest, AnAccessTokenIsGoodForAQuarterOfAnHour) {
  auto const token = access_token(have_login(have_user({"viewer"})));
  clock.advance(std::chrono::minutes{15});
  EXPECT_TRUE(authenticate({"Bearer " + token}));
  clock.advance(std::chrono::seconds{31});  // the leeway is over
  EXPECT_FALSE(authenticate({"Bearer " + token}));
}

TEST_P(TokenAuthenticatorTest, AChangedRoleBitesWithinASecond) {
  data::RoleStore roles(*writer);
  model::Role role;
  role.id = model::RoleId{"clerk"};
  role.permissions = {"tasks:read"};
  ASSERT_TRUE(wait(roles.create(actor(), role, soon())));
  auto const token = access_token(have_login(have_user({"clerk", "guest", "no-such-role"})));
  EXPECT_THAT(permissions_of(token), UnorderedElementsAre("tasks:read", "metrics:read", "profile:*"));
  auto const widen = [](model::Role& changed) -> Result<void> {
    changed.permissions = {"tasks:*"};
    return {};
  };
  ASSERT_TRUE(wait(roles.update(actor(), role.id, widen, {}, soon())));
  wait_a_second();
  EXPECT_THAT(permissions_of(token), Contains("tasks:*"));
  ASSERT_TRUE(wait(roles.remove(actor(), role.id, {}, soon())));
  wait_a_second();
  EXPECT_THAT(permissions_of(token), UnorderedElementsAre("metrics:read", "profile:*"));
}

TEST_P(TokenAuthenticatorTest, AKeyMayDoWhatBothItAndItsUserMay) {
  auto const viewer = have_user({"viewer"});
  have_key("everything-that-she-may-do", {"*:*"}, viewer.id);
  have_key("reading-and-writing-agents", {"agents:*", "tasks:write"}, viewer.id);
  EXPECT_THAT(permissions_of("everything-that-she-may-do"), Contains("agents:read"));
  EXPECT_FALSE(authenticate({"Bearer everything-that-she-may-do"})->may("agents:write"));
  EXPECT_THAT(permissions_of("reading-and-writing-agents"), ElementsAre("agents:read"));
}

TEST_P(TokenAuthenticatorTest, WhoMustChangeHisPasswordMayDoNothingElse) {
  auto const user = have_user({"admin"}, true);
  have_key("a-key-from-before-that-time", {"*:*"}, user.id);
  EXPECT_THAT(permissions_of(access_token(have_login(user))),
              ElementsAre("profile:read", "profile:password", "profile:logout"));
  EXPECT_THAT(permissions_of("a-key-from-before-that-time"), ElementsAre());
}

TEST_P(TokenAuthenticatorTest, NotesThatAKeyIsUsed) {
  auto const key = have_key("a-token-of-someone", {"*:*"});
  auto const last_used = [&] { return wait(parts->api_keys.get(default_tenant, key.id, soon()))->last_used_at; };
  EXPECT_EQ(last_used(), std::nullopt);
  ASSERT_TRUE(authenticate({"Bearer a-token-of-someone"}));
  // It is noted beside the answer, so that nobody waits for it.
  auto const patience = Deadline::after(std::chrono::seconds{30});
  while (!last_used() && patience.left() > std::chrono::seconds{0})
    std::this_thread::yield();
  auto const first = last_used();
  ASSERT_TRUE(first);
  clock.advance(std::chrono::seconds{30});
  ASSERT_TRUE(authenticate({"Bearer a-token-of-someone"}));
  have_key("comes-after-it-in-the-queue", {"*:*"});
  EXPECT_EQ(last_used(), first) << "to the minute";
}

}  // namespace
}  // namespace al::security
