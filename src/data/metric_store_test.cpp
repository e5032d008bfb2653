#include "data/metric_store.hpp"

#include <gmock/gmock.h>

#include "data/store_fixture.hpp"

namespace al::data {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using testing::ElementsAre;

class MetricStoreTest : public StoreFixture {
 protected:
  void SetUp() override {
    StoreFixture::SetUp();
    metrics = std::make_unique<MetricStore>(*database, clock);
  }
  static model::Metric metric(std::string name, double value, std::optional<Timestamp> time = {},
                              std::string tags = "{}") {
    return {.service = "worker", .name = std::move(name), .value = value, .tags = {std::move(tags)}, .timestamp = time};
  }
  void have(std::vector<model::Metric> values) {
    auto const done = wait(metrics->record(default_tenant, std::move(values), soon()));
    ASSERT_TRUE(done) << done.error().message;
  }
  std::vector<model::MetricBucket> query(MetricStore::Query wanted) {
    auto buckets = wait(metrics->query(default_tenant, std::move(wanted), soon()));
    EXPECT_TRUE(buckets);
    return buckets.value_or(std::vector<model::MetricBucket>{});
  }
  /// The paths of the faults.
  std::vector<std::string> faults(std::vector<model::Metric> values) {
    std::vector<std::string> paths;
    auto const done = wait(metrics->record(default_tenant, std::move(values), soon()));
    EXPECT_FALSE(done);
    if (!done) {
      for (auto const& fault : done.error().faults)
        paths.push_back(fault.path);
    }
    return paths;
  }

  std::unique_ptr<MetricStore> metrics;
};
AL_ON_EVERY_DATABASE(MetricStoreTest);

TEST_P(MetricStoreTest, CountsEachValueInItsBucket) {
  auto const from = clock.now() - hours{1};
  auto const to = from + seconds{60};
  have({metric("load", 100, from - std::chrono::microseconds{1}), metric("load", 1, from),
        metric("load", -3, from + seconds{29}), metric("load", 8, from + seconds{30} - std::chrono::microseconds{1}),
        metric("load", 0.25, from + seconds{30}), metric("load", 200, to), metric("other", 50, from)});
  auto const buckets = query({.name = "load", .from = from, .to = to, .step = seconds{30}});
  ASSERT_EQ(buckets.size(), 2U);
  EXPECT_EQ(buckets[0].start, from);
  EXPECT_EQ(buckets[0].count, 3);
  EXPECT_EQ(buckets[0].min, -3);
  EXPECT_EQ(buckets[0].max, 8);
  EXPECT_EQ(buckets[0].sum, 6);
  EXPECT_EQ(buckets[0].mean, 2);
  EXPECT_EQ(buckets[0].last, 8);
  EXPECT_EQ(buckets[1].start, from + seconds{30});
  EXPECT_EQ(buckets[1].count, 1);
  EXPECT_EQ(buckets[1].last, 0.25);
}

TEST_P(MetricStoreTest, PercentilesAreOfTheNearestRank) {
  auto const from = clock.now() - hours{1};
  std::vector<model::Metric> values;
  for (int i = 200; i >= 1; --i)
    values.push_back(metric("load", i, from + seconds{i % 20}));
  values.push_back(metric("load", 5, from + seconds{30}));
  have(std::move(values));
  auto const buckets = query({.name = "load", .from = from, .to = from + seconds{60}, .step = seconds{30}});
  ASSERT_EQ(buckets.size(), 2U);
  EXPECT_EQ(buckets[0].p50, 100);
  EXPECT_EQ(buckets[0].p95, 190);
  EXPECT_EQ(buckets[0].p99, 198);
  EXPECT_THAT((std::vector{buckets[1].p50, buckets[1].p95, buckets[1].p99}), ElementsAre(5, 5, 5));
}

TEST_P(MetricStoreTest, LeavesOutEmptyBucketsAndTakesTheLatestOfOneMoment) {
  auto const from = clock.now() - hours{1};
  have({metric("load", 1, from + seconds{605}), metric("load", 2, from + seconds{605})});
  have({metric("load", 3, from + seconds{605})});
  auto const buckets = query({.name = "load", .from = from, .to = clock.now(), .step = seconds{60}});
  ASSERT_EQ(buckets.size(), 1U);
  EXPECT_EQ(buckets[0].start, from + seconds{600});
  EXPECT_EQ(buckets[0].last, 3);
  EXPECT_TRUE(query({.name = "none", .from = from, .to = clock.now(), .step = seconds{60}}).empty());
}

TEST_P(MetricStoreTest, FiltersByServiceAndTags) {
  auto const from = clock.now();
  auto foreign = metric("load", 5);
  foreign.service = "gateway";
  have({metric("load", 1, {}, R"({"host":"a","zone":"x"})"), metric("load", 2, {}, R"({"host":"a","zone":"y"})"),
        metric("load", 3, {}, R"({"host":"b"})"), std::move(foreign)});
  auto const sum = [&](std::string service, std::string tags) {
    auto const buckets = query({.name = "load",
                                .service = std::move(service),
                                .tags = std::move(tags),
                                .from = from,
                                .to = from + seconds{60}});
    return buckets.empty() ? 0.0 : buckets[0].sum;
  };
  EXPECT_EQ(sum("", "{}"), 11);
  EXPECT_EQ(sum("gateway", "{}"), 5);
  EXPECT_EQ(sum("", R"({"host":"a"})"), 3);
  EXPECT_EQ(sum("", R"({"zone":"y","host":"a"})"), 2);
  EXPECT_EQ(sum("", R"({"host":"c"})"), 0);
}

TEST_P(MetricStoreTest, KeepsValuesExactly) {
  auto const from = clock.now();
  for (double const value : {0.1, -1e290, 1e290, 123456789.125, 5e-324}) {
    auto const name = "v" + std::to_string(clock.now().time_since_epoch().count());
    have({metric(name, value)});
    auto const buckets = query({.name = name, .from = from, .to = from + seconds{60}});
    ASSERT_EQ(buckets.size(), 1U) << value;
    EXPECT_EQ(buckets[0].last, value);
    EXPECT_EQ(buckets[0].mean, value);
    clock.advance(std::chrono::microseconds{1});
  }
}

TEST_P(MetricStoreTest, NamesEachWrongValue) {
  auto const now = clock.now();
  auto strange = metric("a b", 1e300);
  strange.service = "über";
  EXPECT_THAT(faults({metric("fine", 1), strange, metric("fine", 1, now - hours{24 * 31}, R"({"a":1})"),
                      metric("fine", 1, now + hours{2})}),
              ElementsAre("metrics[1].service", "metrics[1].name", "metrics[1].value", "metrics[2].tags",
                          "metrics[2].timestamp", "metrics[3].timestamp"));
  EXPECT_TRUE(wait(metrics->names(default_tenant, {}, soon())).items.empty()) << "all or none";
}

TEST_P(MetricStoreTest, BoundsWhatIsAsked) {
  auto const now = clock.now();
  auto const refused = [&](Timestamp from, Timestamp to, seconds step) {
    auto const buckets =
        wait(metrics->query(default_tenant, {.name = "load", .from = from, .to = to, .step = step}, soon()));
    return buckets ? std::string("taken") : buckets.error().faults.at(0).path;
  };
  EXPECT_EQ(refused(now, now, seconds{1}), "from");
  EXPECT_EQ(refused(now, now - hours{1}, seconds{1}), "from");
  EXPECT_EQ(refused(now - hours{24 * 401}, now, hours{24}), "from");
  EXPECT_EQ(refused(now - seconds{1000}, now, seconds{1}), "taken");
  EXPECT_EQ(refused(now - seconds{1001}, now, seconds{1}), "step");
  EXPECT_EQ(refused(now - seconds{10}, now, seconds{0}), "step");
  EXPECT_EQ(refused(now - std::chrono::microseconds{1}, now, hours{24}), "taken");
}

TEST_P(MetricStoreTest, ListsNamesWithTheirLatestInPages) {
  auto const now = clock.now();
  have({metric("b", 2, now), metric("a", 1, now), metric("c", 3, now), metric("b", 9, now - seconds{5})});
  std::string seen;
  PageRequest request{.limit = 2, .cursor = {}};
  for (int i = 0; i < 3; ++i) {
    auto const page = wait(metrics->names(default_tenant, request, soon()));
    for (auto const& one : page.items)
      seen += one.name + std::to_string(static_cast<int>(one.value));
    seen += '|';
    if (page.next_cursor.empty())
      break;
    request.cursor = page.next_cursor;
  }
  EXPECT_EQ(seen, "a1b2|c3|");
}

TEST_P(MetricStoreTest, TheBufferRecordsWhatItGathered) {
  MetricBuffer buffer(*metrics, clock);
  for (int i = 0; i < 1200; ++i)
    buffer.add(TenantId{i % 2 == 0 ? "default" : "other"}, metric("load", 1));
  for (std::size_t i = 0; i < MetricBuffer::waiting_max; ++i)
    buffer.add(default_tenant, metric("late", 1));
  EXPECT_EQ(buffer.dropped(), 1200U);
  EXPECT_THROW(wait(buffer.flush(Deadline::after(seconds{-1}))), Unavailable);
  wait(buffer.flush(soon()));
  wait(buffer.flush(soon()));
  auto const now = clock.now();
  auto const loads = query({.name = "load", .from = now, .to = now + seconds{60}});
  ASSERT_EQ(loads.size(), 1U);
  EXPECT_EQ(loads[0].count, 600);
}

}  // namespace
}  // namespace al::data
