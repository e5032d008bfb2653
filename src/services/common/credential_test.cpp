#include "services/common/credential.hpp"

#include <gtest/gtest.h>

#include "core/fault.hpp"
#include "testing/event_loop.hpp"

namespace al::services {
namespace {

http::Principal with(std::vector<std::string> permissions) {
  return {.tenant = default_tenant, .id = "someone", .permissions = std::move(permissions)};
}

/// Says what a test wants it to, and keeps the headers that it was asked with.
class Scripted final : public http::Authenticator {
 public:
  Task<Result<http::Principal>> authenticate(http::Request const& request, Deadline) override {
    asked = request.headers;
    if (is_away)
      throw Unavailable("the database is away");
    co_return answer;
  }
  Result<http::Principal> answer = with({"events:read", "tasks:read"});
  http::Headers asked;
  bool is_away = false;
};

class CredentialTest : public testing::Test {
 protected:
  Credential credential() {
    http::Context context{.principal = with({"events:read", "tasks:read"}), .request_id = "r", .traceparent = {}};
    http::Request request;
    request.headers.set("authorization", "Bearer secret");
    request.headers.set("X-Api-Key", "secret");
    request.headers.set("Cookie", "a=b");
    request.headers.set("Last-Event-ID", "s.1");
    return Credential(authenticator, http::Call(context, request), "events:read");
  }
  Result<void> look(Credential& credential) { return loop.wait(credential.look()); }

  Scripted authenticator;
  EventLoop loop;
};

TEST_F(CredentialTest, AsksWithNothingButTheCredential) {
  auto it = credential();
  EXPECT_EQ(it.principal().permissions, with({"events:read", "tasks:read"}).permissions);
  EXPECT_TRUE(look(it));
  EXPECT_EQ(authenticator.asked.find("Authorization"), "Bearer secret");
  EXPECT_EQ(authenticator.asked.find("X-Api-Key"), "secret");
  EXPECT_EQ(authenticator.asked.size(), 2U);
}

TEST_F(CredentialTest, TakesThePermissionsOfNow) {
  auto it = credential();
  authenticator.answer = with({"events:read", "agents:read"});
  EXPECT_TRUE(look(it));
  EXPECT_TRUE(it.principal().may("agents:read"));
  EXPECT_FALSE(it.principal().may("tasks:read"));
}

TEST_F(CredentialTest, EndsWithTheCredentialAndWithThePermission) {
  auto it = credential();
  authenticator.answer = fail(Code::unauthenticated, "This token is not known here.");
  auto const revoked = look(it);
  ASSERT_FALSE(revoked);
  EXPECT_EQ(revoked.error().code, Code::unauthenticated);
  EXPECT_EQ(revoked.error().message, "the credential has expired or was revoked");
  authenticator.answer = with({"tasks:read"});
  auto const forbidden = look(it);
  ASSERT_FALSE(forbidden);
  EXPECT_EQ(forbidden.error().code, Code::forbidden);
  EXPECT_EQ(forbidden.error().message, "this needs the permission events:read");
}

TEST_F(CredentialTest, HoldsWhileNobodyCanSay) {
  auto it = credential();
  authenticator.answer = fail(Code::unavailable, "the key is out of reach");
  EXPECT_TRUE(look(it));
  authenticator.is_away = true;
  EXPECT_TRUE(look(it));
  EXPECT_TRUE(it.principal().may("tasks:read"));
}

}  // namespace
}  // namespace al::services
