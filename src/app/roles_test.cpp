#include "app/roles.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/config.hpp"

namespace al::app {
namespace {

TEST(Roles, NoneNamedMeansAll) {
  EXPECT_EQ(read_roles({}).value().size(), all_roles().size());
  EXPECT_EQ(read_roles({"worker"}).value(), std::set<Role>{Role::worker});
  EXPECT_EQ(read_roles({"worker", "gateway", "worker"}).value(), (std::set<Role>{Role::gateway, Role::worker}));
}

TEST(Roles, AnUnknownOneIsExplained) {
  auto const near = read_roles({"worker", "agent_designer"});
  ASSERT_FALSE(near);
  EXPECT_EQ(near.error().code, Code::invalid);
  EXPECT_THAT(near.error().message, testing::HasSubstr("did you mean 'agent-designer'?"));
  auto const far = read_roles({"toaster"});
  ASSERT_FALSE(far);
  EXPECT_THAT(far.error().message,
              testing::HasSubstr(
                  "there are: gateway, agent-designer, ai-model, auth, websocket, service-discovery, operations"));
}

TEST(Roles, EveryPortIsASetting) {
  auto const config = Config::load({.file = {}, .dotenv = {}, .environment = {}, .options = {}}).value();
  for (auto const& facts : all_roles()) {
    if (!facts.port_setting.empty()) {
      EXPECT_GT(config.integer(facts.port_setting), 0) << facts.name;
    }
  }
}

}  // namespace
}  // namespace al::app
