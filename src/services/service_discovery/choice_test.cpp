#include "services/service_discovery/choice.hpp"

#include <gmock/gmock.h>

#include "services/service_discovery/health.hpp"

namespace al::services::service_discovery {
namespace {

using model::InstanceId;
using model::InstanceStatus;
using model::ServiceInstance;
using model::ServiceName;
using testing::ElementsAre;
using enum InstanceStatus;

ServiceInstance one(std::string id, InstanceStatus status = healthy, std::string service = "search") {
  ServiceInstance instance;
  instance.id = InstanceId{std::move(id)};
  instance.name = ServiceName{std::move(service)};
  instance.status = status;
  return instance;
}

/// "abc": the ids that so many turns choose.
std::string chosen(Instances const& instances, Strategy strategy, std::string_view zone, std::uint64_t turns) {
  std::string out;
  for (std::uint64_t turn = 0; turn < turns; ++turn)
    out += choose(instances, strategy, zone, turn)->id.value;
  return out;
}

std::string ids(Instances const& instances) {
  std::string out;
  for (auto const& instance : instances)
    out += instance.id.value;
  return out;
}

TEST(Choice, RoundRobinGoesByIdWhateverTheOrder) {
  EXPECT_EQ(chosen({one("c"), one("a"), one("b")}, Strategy::round_robin, "", 5), "abcab");
  EXPECT_EQ(choose({}, Strategy::round_robin, "", 0), nullptr);
  EXPECT_EQ(choose({}, Strategy::weighted, "", 0), nullptr);
}

TEST(Choice, ALargeTurnIsATurn) {
  EXPECT_EQ(choose({one("a"), one("b")}, Strategy::round_robin, "", ~std::uint64_t{0})->id.value, "b");
  EXPECT_EQ(choose({one("a"), one("b")}, Strategy::weighted, "", ~std::uint64_t{0})->id.value, "b");
}

TEST(Choice, WeightsAreShares) {
  Instances instances{one("a"), one("b"), one("c")};
  instances[0].weight = 3;
  instances[2].weight = 2;
  EXPECT_EQ(chosen(instances, Strategy::weighted, "", 7), "aaabcca");
}

TEST(Choice, TheFewestConnectionsWinAndThenTheLeastId) {
  Instances instances{one("c"), one("b"), one("a")};
  instances[0].connections = instances[1].connections = 2;
  instances[2].connections = 3;
  EXPECT_EQ(chosen(instances, Strategy::least_connections, "", 2), "bb");
}

TEST(Choice, AZoneComesFirstAndIsNotNeeded) {
  Instances instances{one("a"), one("b"), one("c")};
  instances[0].zone = "far";
  instances[1].zone = instances[2].zone = "near";
  EXPECT_EQ(chosen(instances, Strategy::zone_aware, "near", 3), "bcb");
  EXPECT_EQ(chosen(instances, Strategy::zone_aware, "far", 2), "aa");
  EXPECT_EQ(chosen(instances, Strategy::zone_aware, "nowhere", 3), "abc");
}

TEST(Choice, TagsAndAvailabilityFilter) {
  Instances instances{one("a"),           one("b", degraded), one("c", unhealthy),
                      one("d", starting), one("e", stopping), one("f", unknown)};
  instances[0].tags = {"x", "y"};
  instances[2].tags = {"y"};
  EXPECT_EQ(ids(matching(instances, {}, false)), "abcdef");
  EXPECT_EQ(ids(matching(instances, {}, true)), "ab");
  EXPECT_EQ(ids(matching(instances, {"y"}, false)), "ac");
  EXPECT_EQ(ids(matching(instances, {"y", "x"}, false)), "a");
  EXPECT_EQ(ids(matching(instances, {"y"}, true)), "a");
  EXPECT_EQ(ids(matching(instances, {"z"}, false)), "");
}

TEST(Metrics, CountWhatTheyHave) {
  auto const now = Timestamp{std::chrono::hours{24}};
  Instances instances{one("a"), one("b", degraded), one("c", unhealthy), one("d", starting)};
  for (auto& instance : instances)
    instance.registered_at = now;
  instances[0].registered_at = now - std::chrono::seconds{40};
  instances[1].registered_at = now + std::chrono::seconds{10};  // its clock is ahead
  instances[0].release = "2";
  instances[1].release = "1";
  instances[3].zone = "b";
  auto const metrics = metrics_of(instances, now);
  EXPECT_EQ(metrics.total_instances, 4);
  EXPECT_EQ(metrics.healthy, 1);
  EXPECT_EQ(metrics.degraded, 1);
  EXPECT_EQ(metrics.unhealthy, 1);
  EXPECT_EQ(metrics.availability, 0.5);
  EXPECT_EQ(metrics.average_uptime_seconds, 10);
  EXPECT_THAT(metrics.zones, ElementsAre("b", "zone-1"));
  EXPECT_THAT(metrics.releases, ElementsAre("1", "2"));
  EXPECT_EQ(metrics_of({}, now).availability, 0);
}

TEST(Topology, NamesWhoCallsWhomOnce) {
  Instances instances{one("a", healthy, "gateway"), one("b", healthy, "gateway"), one("c", unhealthy, "auth")};
  instances[0].depends_on = {ServiceName{"tasks"}, ServiceName{"auth"}};
  instances[1].depends_on = {ServiceName{"auth"}};
  auto const found = topology(instances);
  EXPECT_EQ(found.total_instances, 3);
  EXPECT_EQ(found.healthy_instances, 2);
  ASSERT_EQ(found.services.size(), 2U);
  EXPECT_EQ(entity::to_json(found.services[0]), R"({"name":"auth","instances":1,"available":0,"healthy":0})");
  EXPECT_EQ(entity::to_json(found.services[1]), R"({"name":"gateway","instances":2,"available":2,"healthy":2})");
  ASSERT_EQ(found.dependencies.size(), 1U);
  EXPECT_EQ(entity::to_json(found.dependencies[0]), R"({"service":"gateway","depends_on":["auth","tasks"]})");
}

TEST(Health, AnAnswerGivesTheStatus) {
  using enum HealthAnswer;
  for (auto const before : {healthy, degraded, unhealthy, unknown}) {
    EXPECT_EQ(status_after(before, good).value_or(before), healthy);
    EXPECT_EQ(status_after(before, other).value_or(before), degraded);
    EXPECT_EQ(status_after(before, HealthAnswer::none).value_or(before), unhealthy);
  }
  EXPECT_EQ(status_after(healthy, good), std::nullopt) << "nothing is written for it";
  EXPECT_EQ(status_after(starting, good), healthy);
  EXPECT_EQ(status_after(starting, other), std::nullopt);
  EXPECT_EQ(status_after(starting, HealthAnswer::none), std::nullopt);
  for (auto const answer : {good, other, HealthAnswer::none})
    EXPECT_EQ(status_after(stopping, answer), std::nullopt);
}

}  // namespace
}  // namespace al::services::service_discovery
