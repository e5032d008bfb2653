#include "services/operations/metrics_series.hpp"

#include <gmock/gmock.h>

#include "services/operations/route_fixture.hpp"

namespace al::services::operations {
namespace {

using testing::HasSubstr;

class MetricsSeriesTest : public RouteFixture {
 protected:
  void SetUp() override {
    RouteFixture::SetUp();
    permissions = {"metrics:*"};
    metrics = std::make_unique<data::MetricStore>(*database, clock);
    add_metrics_series_routes(*router, {*metrics, clock});
  }

  Answer get(std::string target) { return ask(http::Method::get, std::move(target)); }
  Answer post(std::string body) { return ask(http::Method::post, "/api/v1/metrics/series", std::move(body)); }

  std::unique_ptr<data::MetricStore> metrics;
};
AL_ON_ONE_DATABASE(MetricsSeriesTest);

TEST_P(MetricsSeriesTest, RecordsAndAnswers) {
  auto const made = post(R"({"metrics":[{"service":"s","name":"load","value":4,"tags":{"host":"a"},)"
                         R"("timestamp":"2025-12-31T23:30:00Z"},{"service":"s","name":"load","value":1,)"
                         R"("timestamp":"2025-12-31T23:30:00Z"}]})");
  EXPECT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(made.body, R"({"recorded":2})");
  auto const series = get("/api/v1/metrics/series?name=load&service=s&tags=host:a");
  EXPECT_EQ(series.status, 200);
  EXPECT_EQ(series.body, R"({"name":"load","from":"2025-12-31T23:00:00Z","to":"2026-01-01T00:00:00Z","step":60,)"
                         R"("buckets":[{"start":"2025-12-31T23:30:00Z","count":1,"min":4,"max":4,"mean":4,"sum":4,)"
                         R"("last":4,"p50":4,"p95":4,"p99":4}],"count":1,"next_cursor":null})");
  EXPECT_THAT(get("/metrics/names").body, HasSubstr(R"({"name":"load","service":"s","value":1,)"));
}

TEST_P(MetricsSeriesTest, NamesWhatIsWrong) {
  EXPECT_THAT(post(R"({"metrics":[]})").body, HasSubstr(R"("path":"metrics")"));
  auto const wrong = post(R"({"metrics":[{"service":"s","name":"","value":"1"},{"service":"s","name":"a","value":1,)"
                          R"("tags":[],"extra":1}]})");
  EXPECT_EQ(wrong.status, 422);
  for (auto const* path : {"metrics[0].name", "metrics[0].value", "metrics[1].tags", "metrics[1].extra"})
    EXPECT_THAT(wrong.body, HasSubstr("\"path\":\"" + std::string(path) + "\""));
  auto const query = get("/metrics/series?name=a&from=yesterday&to=2026-02-30T00:00:00Z&step=0&tags=host");
  EXPECT_EQ(query.status, 422);
  for (auto const* path : {"from", "to", "step", "tags"})
    EXPECT_THAT(query.body, HasSubstr("\"path\":\"" + std::string(path) + "\""));
  EXPECT_THAT(get("/metrics/series").body, HasSubstr(R"("path":"name")"));
  EXPECT_EQ(get("/metrics/series?name=a&from=0001-01-01T00:00:00Z").status, 422);
  EXPECT_EQ(get("/metrics/series?name=a&to=0001-01-01T00:00:00Z").status, 200);
}

TEST_P(MetricsSeriesTest, NeedsItsPermissions) {
  permissions = {"metrics:read"};
  EXPECT_EQ(post(R"({"metrics":[{"service":"s","name":"a","value":1}]})").status, 403);
  EXPECT_EQ(get("/metrics/names").status, 200);
  permissions = {"metrics:write"};
  EXPECT_EQ(get("/metrics/series?name=a").status, 403);
}

}  // namespace
}  // namespace al::services::operations
