#include "data/retention.hpp"

#include <gmock/gmock.h>
#include <zlib.h>

#include <array>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>

#include "core/failpoint.hpp"
#include "core/hash.hpp"
#include "data/metric_store.hpp"
#include "data/store_fixture.hpp"
#include "testing/temporary_directory.hpp"

namespace al::data {
namespace {

using storage::Scope;
using storage::Statement;
using testing::ElementsAre;
using testing::Pair;

std::string insert_event(std::string const& id, std::string const& time) {
  return "INSERT INTO events (event_id, tenant_id, timestamp, channel, service, aggregate_id, version, data, "
         "correlation_id, causation_id, user_id, traceparent) VALUES (" +
         id + ", 'default', " + time + ", 'task:created', 'test', $3, 1, '{\"a\":1}', 'c', '', '', '')";
}
Statement const add_event{"test.event", insert_event("CAST($1 AS uuid)", "CAST($2 AS timestamptz)"),
                          insert_event("$1", "$2")};
Statement const count_events{"test.count", "SELECT aggregate_id FROM events ORDER BY seq"};
Statement const foreign_lease{"test.lease",
                              "INSERT INTO upkeep_leases (name, holder, leased_until)"
                              " VALUES ('retention', '00000000-0000-7000-8000-000000000000', al_after(60000000))"};

std::string unpacked(std::filesystem::path const& path) {
  std::string out;
  auto* file = ::gzopen(path.c_str(), "rb");
  std::array<char, 4096> piece{};
  for (int read = 0; (read = ::gzread(file, piece.data(), piece.size())) > 0;)
    out.append(piece.data(), static_cast<std::size_t>(read));
  EXPECT_EQ(::gzclose(file), Z_OK) << path;
  return out;
}

std::string content(std::filesystem::path const& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class RetentionTest : public StoreFixture {
 protected:
  void SetUp() override {
    StoreFixture::SetUp();
    // The last day that events are kept from is 2025-10-03.
    if (database->dialect() == storage::Dialect::postgres) {
      as_owner(
          "SELECT al_add_partition(t, m::date) FROM unnest(ARRAY['events', 'metrics']) t,"
          " unnest(ARRAY['2025-06-01', '2025-09-01', '2025-10-01']::timestamp[]) m");
    }
  }
  void TearDown() override {
    failpoint::arm("");
    StoreFixture::TearDown();
  }
  void as_owner(std::string const& text) {
    auto const& name = dynamic_cast<storage::PostgresBackend const&>(*backend).name();
    auto const script = "SET search_path = agent_lightning; SET app.system = 'on'; " + text;
    if (std::string_view(GetParam().name) == "postgres")
      PostgresServer::shared().execute_as_owner(name, script);
    else
      PostgresServer::shared().execute(name, script);
  }
  void have(std::string time, std::string aggregate) {
    storage::Batch batch{Scope::system(), {}};
    batch.steps.push_back({&add_event, {writer->new_uuid(), *parse_time(time), std::move(aggregate)}});
    ASSERT_TRUE(wait(database->apply(std::move(batch), soon())));
  }
  /// Of a month without a partition, of two that are past, and what is kept.
  void have_years() {
    have("2025-02-01T00:00:00Z", "default-1");
    have("2025-02-02T00:00:00Z", "default-2");
    have("2025-02-03T00:00:00Z", "default-3");
    for (int i = 1; i <= 5; ++i)
      have("2025-06-0" + std::to_string(i) + "T00:00:00Z", "june-" + std::to_string(i));
    have("2025-09-30T23:59:59Z", "september");
    have("2025-10-02T00:00:00Z", "october");
    have("2025-12-31T00:00:00Z", "december");
  }
  Retention retention(StoredCursors cursors = {}) {
    return {
        *database, clock, random, {.archive = directory.path() / "archive", .rows_per_page = 2}, std::move(cursors)};
  }
  /// The lease of whoever was cut.
  void as_if_expired() {
    static Statement const expire{"test.expire", "DELETE FROM upkeep_leases"};
    storage::Batch batch{Scope::system(), {}};
    batch.steps.push_back({&expire, {}});
    ASSERT_TRUE(wait(database->apply(std::move(batch), soon())));
  }
  std::vector<std::string> kept() {
    std::vector<std::string> out;
    for (auto const& row : wait(database->read(Scope::system(), count_events, {}, soon())))
      out.push_back(std::get<std::string>(row.at(0)));
    return out;
  }
  /// How often each aggregate stands in archives that have a manifest, which must tell the truth.
  std::map<std::string, int> archived() {
    std::map<std::string, int> found;
    for (auto const& entry : std::filesystem::directory_iterator(directory.path() / "archive")) {
      auto const name = entry.path().filename().string();
      EXPECT_FALSE(name.ends_with(".partial"));
      auto const stem = entry.path().parent_path() / name.substr(0, name.find('.'));
      if (!name.ends_with(".manifest.json"))
        continue;
      auto const text = json::Source::from(content(entry.path()));
      auto const manifest = entity::from_json<ArchiveManifest>(text->root(), entity::Mode::stored);
      EXPECT_TRUE(manifest->removed);
      EXPECT_EQ(manifest->sha256, sha256_hex(content(stem.string() + ".jsonl.gz")));
      std::istringstream lines(unpacked(stem.string() + ".jsonl.gz"));
      std::int64_t rows = 0;
      for (std::string line; std::getline(lines, line); ++rows) {
        auto const event = json::parse(line);
        EXPECT_TRUE(event) << line;
        if (manifest->table == "events")
          ++found[std::string(event->as_object().at("subject").as_string())];
      }
      EXPECT_EQ(rows, manifest->rows);
    }
    return found;
  }
  /// On PostgreSQL October stays until all of it is past.
  void expect_done() {
    auto const past = archived();
    auto const left = kept();
    bool const keeps_month = database->dialect() == storage::Dialect::postgres;
    EXPECT_EQ(left,
              keeps_month ? (std::vector<std::string>{"october", "december"}) : (std::vector<std::string>{"december"}));
    EXPECT_EQ(past.size() + left.size(), 11U);
    for (auto const& [aggregate, times] : past)
      EXPECT_EQ(times, 1) << aggregate;
  }

  void crash_at(std::string const& point) {
    have_years();
    failpoint::arm("retention." + point + "=error@1");
    EXPECT_THROW(wait(retention().sweep()), Unavailable);
    failpoint::arm("");
    as_if_expired();
    wait(retention().sweep());
    expect_done();
  }

  TemporaryDirectory directory;
};
AL_ON_EVERY_DATABASE(RetentionTest);

TEST_P(RetentionTest, ArchivesWhatIsPastAndRemovesIt) {
  have_years();
  auto upkeep = retention();
  auto const swept = wait(upkeep.sweep());
  EXPECT_TRUE(swept.was_ours);
  EXPECT_EQ(swept.rows, database->dialect() == storage::Dialect::postgres ? 9 : 10);
  EXPECT_EQ(swept.kept, 0);
  expect_done();
  EXPECT_EQ(wait(upkeep.sweep()).rows, 0);
  expect_done();
}

TEST_P(RetentionTest, WritesCloudEvents) {
  have("2025-02-01T00:00:00Z", "one");
  auto const id = wait(log->replay(default_tenant, "task", "one", 1, 1, soon())).at(0).event_id.value;
  wait(retention().sweep());
  EXPECT_EQ(unpacked(directory.path() / "archive" / "events_from_1.jsonl.gz"),
            R"({"specversion":"1.0","id":")" + id +
                R"(","source":"test","type":"task:created","subject":"one","time":"2025-02-01T00:00:00Z","seq":1,)"
                R"("version":1,"tenantid":"default","correlationid":"c","datacontenttype":"application/json",)"
                R"("data":{"a":1}})" +
                "\n");
}

/// Wherever it ends, the next sweep loses nothing and archives nothing twice.
TEST_P(RetentionTest, ACrashBeforeTheFileIsNamed) { crash_at("publish"); }
TEST_P(RetentionTest, ACrashBeforeTheManifest) { crash_at("manifest"); }
TEST_P(RetentionTest, ACrashBetweenArchiveAndRemoval) { crash_at("archived"); }
TEST_P(RetentionTest, ACrashAmongTheDeletions) { crash_at("batch"); }
TEST_P(RetentionTest, ACrashBeforeTheDeletionIsNoted) { crash_at("deleted"); }
TEST_P(RetentionTest, ACrashBeforeTheDropIsNoted) {
  if (database->dialect() == storage::Dialect::postgres)
    crash_at("dropped");
}

TEST_P(RetentionTest, WhatAConsumerHasNotReadIsKept) {
  auto const early = wait(log->tip(soon()));
  have_years();
  auto const late = wait(log->tip(soon()));
  auto const all = kept();
  for (auto const& token : {early, std::string("no token of ours"), log->beginning()}) {
    auto const swept = wait(retention([=](Deadline) -> Task<std::vector<std::string>> {
                              co_return std::vector<std::string>{late, token};
                            }).sweep());
    EXPECT_EQ(swept.rows, 0) << token;
    EXPECT_EQ(kept(), all) << token;
  }
  wait(
      retention([=](Deadline) -> Task<std::vector<std::string>> { co_return std::vector<std::string>{late}; }).sweep());
  expect_done();
}

TEST_P(RetentionTest, OneProcessAtATime) {
  have_years();
  storage::Batch batch{Scope::system(), {}};
  batch.steps.push_back({&foreign_lease, {}});
  ASSERT_TRUE(wait(database->apply(std::move(batch), soon())));
  EXPECT_FALSE(wait(retention().sweep()).was_ours);
  EXPECT_EQ(kept().size(), 11U);
}

TEST_P(RetentionTest, ALateRowOfAnArchivedPartitionIsArchivedToo) {
  have("2025-06-01T00:00:00Z", "early");
  failpoint::arm("retention.archived=error@1");
  EXPECT_THROW(wait(retention().sweep()), Unavailable);
  failpoint::arm("");
  have("2025-06-02T00:00:00Z", "late");
  for (int i = 0; i < 2; ++i) {
    as_if_expired();
    wait(retention().sweep());
  }
  EXPECT_TRUE(kept().empty());
  EXPECT_THAT(archived(), ElementsAre(Pair("early", 1), Pair("late", 1)));
}

TEST_P(RetentionTest, AggregatesLiveOnWithoutTheirFirstEvents) {
  have_agent("a");
  auto const rename = [&](std::string name) {
    auto const patch = json::Source::from(R"({"name":")" + name + R"("})");
    EXPECT_TRUE(wait(agents->update(actor(), AgentId{"a"}, patch->root(), std::nullopt, soon())));
  };
  rename("two");
  static Statement const age{"test.age", "UPDATE events SET timestamp = CAST('2025-02-01T00:00:00Z' AS timestamptz)",
                             "UPDATE events SET timestamp = 1738368000000000"};
  storage::Batch batch{Scope::system(), {}};
  batch.steps.push_back({&age, {}});
  ASSERT_TRUE(wait(database->apply(std::move(batch), soon())));
  wait(retention().sweep());
  EXPECT_TRUE(wait(log->replay(default_tenant, "agent", "a", 1, 10, soon())).empty());
  rename("three");
  auto const left = wait(log->replay(default_tenant, "agent", "a", 1, 10, soon()));
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(left[0].version, 3);
  EXPECT_EQ(wait(log->read_after(Scope::of(default_tenant), log->beginning(), {}, 10, soon()))->events.size(), 1U);
}

TEST_P(RetentionTest, MetricsGoEarlier) {
  MetricStore metrics(*database, clock);
  auto const record = [&] {
    model::Metric const metric{.service = "s", .name = "load", .value = 1, .tags = {}, .timestamp = {}};
    ASSERT_TRUE(wait(metrics.record(default_tenant, {metric}, soon())));
  };
  record();
  clock.advance(std::chrono::hours{24 * 30 + 1});
  record();
  EXPECT_EQ(wait(retention().sweep()).rows, 1);
  EXPECT_EQ(archived().size(), 0U);
  auto const now = clock.now();
  auto const buckets = wait(metrics.query(default_tenant,
                                          {.name = "load",
                                           .from = now - std::chrono::hours{24 * 40},
                                           .to = now + std::chrono::seconds{1},
                                           .step = std::chrono::hours{24 * 50}},
                                          soon()));
  ASSERT_TRUE(buckets);
  EXPECT_EQ(buckets->at(0).count, 1);
}

TEST_P(RetentionTest, PartitionsAreMadeAhead) {
  auto upkeep = retention();
  EXPECT_EQ(wait(upkeep.make_partitions()), 0) << "the migration made them, and SQLite has none";
}

}  // namespace
}  // namespace al::data
