#include "services/operations/task_metrics.hpp"

#include "services/operations/route_fixture.hpp"

namespace al::services::operations {
namespace {

using Recorded = std::pair<std::int64_t, double>;

class TaskMetricsTest : public RouteFixture {
 protected:
  void SetUp() override {
    RouteFixture::SetUp();
    metrics = std::make_unique<data::MetricStore>(*database, clock);
    buffer = std::make_unique<data::MetricBuffer>(*metrics, clock);
  }

  /// What the consumer makes of the end of a task with these members.
  Result<void> end(std::string const& members) {
    model::Event event;
    event.channel = "task:completed";
    event.metadata.tenant_id = default_tenant;
    event.data.text = R"({"agent_id":"writer","created_at":"2025-12-31T23:29:50Z","started_at":"2025-12-31T23:29:57Z",)"
                      R"("completed_at":"2025-12-31T23:30:00Z",)" +
                      members + "}";
    auto done = wait(record_task_metrics(*buffer)({.event = event, .deadline = soon()}));
    wait(buffer->flush(soon()));
    return done;
  }
  /// The values of one metric with all of `tags`: how many, and what they come to.
  Recorded recorded(std::string name, std::string tags = "{}") {
    auto const buckets = wait(metrics->query(default_tenant,
                                             {.name = std::move(name),
                                              .service = "worker",
                                              .tags = std::move(tags),
                                              .from = clock.now() - std::chrono::hours{1},
                                              .to = clock.now()},
                                             soon()));
    Recorded out;
    for (auto const& bucket : buckets.value()) {
      out.first += bucket.count;
      out.second += bucket.sum;
    }
    return out;
  }

  std::unique_ptr<data::MetricStore> metrics;
  std::unique_ptr<data::MetricBuffer> buffer;
};
AL_ON_ONE_DATABASE(TaskMetricsTest);

TEST_P(TaskMetricsTest, RecordsTheTokensOfEachTask) {
  ASSERT_TRUE(end(R"("status":"completed","result":{"model":"small","input_tokens":120,"output_tokens":30})"));
  ASSERT_TRUE(end(R"("status":"completed","result":{"model":"large","input_tokens":7,"output_tokens":0})"));
  ASSERT_TRUE(end(R"("status":"failed","result":{"input_tokens":5})"));
  EXPECT_EQ(recorded("task.input_tokens"), Recorded(3, 132));
  EXPECT_EQ(recorded("task.output_tokens"), Recorded(2, 30));
  EXPECT_EQ(recorded("task.input_tokens", R"({"agent_id":"writer","status":"completed"})"), Recorded(2, 127));
  EXPECT_EQ(recorded("task.input_tokens", R"({"agent_id":"writer","status":"failed"})"), Recorded(1, 5));
  EXPECT_EQ(recorded("task.input_tokens", R"({"agent_id":"other"})"), Recorded(0, 0));
  EXPECT_EQ(recorded("task.output_tokens", R"({"model":"small"})"), Recorded(1, 30));
}

TEST_P(TaskMetricsTest, RecordsHowLongATaskWaitedAndTook) {
  ASSERT_TRUE(end(R"("status":"completed","result":null)"));
  EXPECT_EQ(recorded("task.seconds", R"({"agent_id":"writer","status":"completed"})"), Recorded(1, 3));
  EXPECT_EQ(recorded("task.wait_seconds"), Recorded(1, 7));
}

TEST_P(TaskMetricsTest, RecordsNoTokensWhereTheResultTellsNone) {
  for (auto const* result : {"null", "{}", "[]", R"({"omitted_bytes":20000})", R"({"input_tokens":"9"})",
                             R"({"input_tokens":-1,"output_tokens":1.5})"})
    ASSERT_TRUE(end(R"("status":"completed","result":)" + std::string(result))) << result;
  EXPECT_EQ(recorded("task.seconds").first, 6);
  EXPECT_EQ(recorded("task.input_tokens"), Recorded(0, 0));
  EXPECT_EQ(recorded("task.output_tokens"), Recorded(0, 0));
}

}  // namespace
}  // namespace al::services::operations
