#include "app/self_registration.hpp"

#include <gmock/gmock.h>

namespace al::app {
namespace {

Config config_with(std::map<std::string, std::string> environment) {
  Config::Sources sources;
  sources.environment = std::move(environment);
  return std::move(*Config::load(sources));
}

TEST(AdvertisedHost, IsTheOneThatIsNamed) {
  EXPECT_EQ(advertised_host(config_with({{"AGENT_LIGHTNING_ADVERTISE_HOST", "Node-1.Example"}})), "node-1.example");
  EXPECT_EQ(advertised_host(config_with({{"AGENT_LIGHTNING_ADVERTISE_HOST", "fd00::1"}})), "fd00::1");
  EXPECT_EQ(advertised_host(config_with({{"AGENT_LIGHTNING_ADVERTISE_HOST", "[fd00::1]"}})), "fd00::1");
}

TEST(AdvertisedHost, IsElseWhereItListens) {
  EXPECT_EQ(advertised_host(config_with({})), "127.0.0.1");
  EXPECT_EQ(advertised_host(config_with({{"AGENT_LIGHTNING_HOST", "10.0.0.7"}})), "10.0.0.7");
}

TEST(AdvertisedHost, IsTheMachinesNameWhenItListensEverywhere) {
  for (auto const* host : {"0.0.0.0", "::"}) {
    auto const found = advertised_host(config_with({{"AGENT_LIGHTNING_HOST", host}}));
    ASSERT_TRUE(found);
    EXPECT_NE(*found, host);
    EXPECT_FALSE(found->empty());
  }
}

TEST(AdvertisedHost, NamesTheSettingThatIsNoHost) {
  for (auto const* wrong : {"a b", "http://a", "169.254.1.1", "0.0.0.0", "fe80::1"}) {
    auto const found = advertised_host(config_with({{"AGENT_LIGHTNING_ADVERTISE_HOST", wrong}}));
    ASSERT_FALSE(found) << wrong;
    EXPECT_EQ(found.error().code, Code::invalid);
    EXPECT_THAT(found.error().message, testing::StartsWith("AGENT_LIGHTNING_ADVERTISE_HOST must"));
  }
}

}  // namespace
}  // namespace al::app
