#include "services/system/system.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/fault.hpp"
#include "testing/event_loop.hpp"
#include "testing/manual_clock.hpp"
#include "testing/seeded_random.hpp"

namespace al::services::system {
namespace {

using testing::HasSubstr;

/// A process whose database comes and goes.
class FakeProcess final : public Process {
 public:
  std::string_view database_kind() const override { return "sqlite"; }
  std::string_view cache_kind() const override { return "in-process"; }
  std::string_view bus_kind() const override { return "redis"; }
  bool is_ready() const override { return ready; }
  Figures figures() const override {
    return {.pool_size = 3, .pool_in_use = 2, .pool_size_max = 60, .pool_waiting = 1, .requests = 42, .connections = 7};
  }
  Task<void> ping_database(Deadline) override {
    if (!answers)
      throw Unavailable("the host db.internal is gone");
    co_return;
  }
  bool ready = true;
  bool answers = true;
};

class SystemRoutesTest : public testing::Test {
 protected:
  SystemRoutesTest() { add_routes(router, process, clock, "gateway"); }

  struct Answer {
    int status;
    std::string body;
    http::Headers headers;
  };
  Answer get(std::string target, std::vector<std::string> permissions = {}) {
    http::Context context;
    context.principal = {default_tenant, permissions.empty() ? "" : "tester", std::move(permissions)};
    http::Request request{.target = std::move(target)};
    auto response = loop.wait(router.dispatch(std::move(context), std::move(request)));
    return {response.status, std::get<std::string>(response.body), std::move(response.headers)};
  }

  EventLoop loop;
  ManualClock clock;
  SeededRandom random;
  FakeProcess process;
  http::Router router{nullptr, nullptr, random};
};

TEST_F(SystemRoutesTest, HealthDescribesTheProcess) {
  auto const answer = get("/health");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body,
            R"({"service":"gateway","status":"healthy","version":")" AL_VERSION
            R"(","database":"sqlite","cache":"in-process","bus":"redis","timestamp":"2026-01-01T00:00:00Z",)"
            R"("pool":{"size":3,"in_use":2,"size_max":60,"waiting":1}})");
  EXPECT_EQ(get("/api/v1/health").body, answer.body);
}

TEST_F(SystemRoutesTest, AProcessWithoutItsDatabaseLivesButIsNotReady) {
  process.answers = false;
  auto const health = get("/health");
  EXPECT_EQ(health.status, 200) << "a restart would not bring the database back";
  EXPECT_THAT(health.body, HasSubstr(R"("status":"degraded")"));
  EXPECT_THAT(health.body, testing::Not(HasSubstr("db.internal"))) << "names of hosts are for the log";
  EXPECT_EQ(get("/ready").status, 503);
  process.answers = true;
  EXPECT_EQ(get("/ready").status, 200);
}

TEST_F(SystemRoutesTest, ReadyWaitsForTheStart) {
  process.ready = false;
  auto const early = get("/ready");
  EXPECT_EQ(early.status, 503);
  EXPECT_EQ(early.headers.find("Retry-After"), "1");
  EXPECT_EQ(get("/health").status, 200);
  process.ready = true;
  EXPECT_EQ(get("/ready").status, 200);
}

TEST_F(SystemRoutesTest, MetricsNeedTheirPermission) {
  EXPECT_EQ(get("/metrics").status, 401);
  EXPECT_EQ(get("/metrics", {"tasks:read"}).status, 403);
  clock.advance(std::chrono::seconds{90});
  auto const answer = get("/metrics", {"metrics:read"});
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(std::string(answer.headers.find("Content-Type").value_or("")), HasSubstr("version=0.0.4"));
  for (auto const* line :
       {"agent_lightning_http_requests_total 42\n", "agent_lightning_http_connections 7\n",
        "agent_lightning_database_connections{state=\"in_use\"} 2\n",
        "agent_lightning_database_connections{state=\"idle\"} 1\n", "agent_lightning_uptime_seconds 90\n",
        "agent_lightning_ready 1\n", "# TYPE process_resident_memory_bytes gauge\n"}) {
    EXPECT_THAT(answer.body, HasSubstr(line));
  }
}

TEST_F(SystemRoutesTest, MemoryIsWhatTheKernelSays) {
  auto const before = resident_bytes();
  EXPECT_GT(before, 1u << 20);
  std::vector<char> const touched(64 << 20, 'x');
  auto const after = resident_bytes();
  EXPECT_GE(after, before + (32u << 20));
  EXPECT_EQ(std::ranges::count(touched, 'x'), 64 << 20);  // else a compiler may leave them out
}

TEST_F(SystemRoutesTest, TheOpenApiDocumentKnowsRoutesThatCameLater) {
  router.add(
      {.method = http::Method::get,
       .path = "/late",
       .permission = "",
       .summary = "Came later",
       .handler = [](http::Call&) -> Task<Result<http::Response>> { co_return http::json_response(200, "{}"); }});
  auto const answer = get("/openapi.json");
  EXPECT_EQ(answer.status, 200);
  auto const document = json::parse(answer.body);
  ASSERT_TRUE(document) << document.error().message;
  EXPECT_THAT(answer.body, HasSubstr("/late"));
  EXPECT_THAT(answer.body, HasSubstr("/metrics"));
  EXPECT_EQ(get("/openapi.json").body, answer.body);
}

}  // namespace
}  // namespace al::services::system
