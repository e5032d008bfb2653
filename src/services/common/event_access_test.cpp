#include "services/common/event_access.hpp"

#include <gtest/gtest.h>

namespace al::services {
namespace {

http::Principal with(std::vector<std::string> permissions) {
  return {.tenant = default_tenant, .id = "someone", .permissions = std::move(permissions)};
}

TEST(EventAccess, EachKindHasItsReader) {
  EXPECT_EQ(permission_for_event("agent:created"), "agents:read");
  EXPECT_EQ(permission_for_event("task:completed"), "tasks:read");
  EXPECT_EQ(permission_for_event("knowledge:added"), "knowledge:read");
  EXPECT_EQ(permission_for_event("workflow:step"), "workflows:read");
  EXPECT_EQ(permission_for_event("session:message"), "sessions:read");
  EXPECT_EQ(permission_for_event("user:created"), "users:read");
  EXPECT_EQ(permission_for_event("api_key:revoked"), "api_keys:read");
  EXPECT_EQ(permission_for_event("login:refused"), "audit:read");
  EXPECT_EQ(permission_for_event("message:sent"), "messages:read");
}

TEST(EventAccess, UnknownKindsNeedTheGeneralPermission) {
  EXPECT_EQ(permission_for_event("system:alert"), "events:read");
  EXPECT_EQ(permission_for_event("tasks:created"), "events:read");
  EXPECT_EQ(permission_for_event("task"), "tasks:read");
  EXPECT_EQ(permission_for_event(""), "events:read");
}

TEST(EventAccess, TheGeneralPermissionOpensNoKindThatHasItsOwn) {
  auto const general = with({"events:read"});
  EXPECT_TRUE(may_see_event(general, "system:alert"));
  EXPECT_FALSE(may_see_event(general, "task:created"));
  EXPECT_FALSE(may_see_event(general, "user:created"));
  EXPECT_TRUE(may_see_event(with({"tasks:*"}), "task:created"));
  EXPECT_FALSE(may_see_event(with({"tasks:*"}), "agent:created"));
  EXPECT_TRUE(may_see_event(with({"*:*"}), "login:ended"));
  EXPECT_FALSE(may_see_event(with({}), "system:alert"));
}

}  // namespace
}  // namespace al::services
