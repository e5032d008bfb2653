/// Partitions of `events` and `metrics` on PostgreSQL: made, filled, protected and dropped by the functions of their
/// migration.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <deque>
#include <future>

#include "core/fault.hpp"
#include "storage/migrations.hpp"
#include "storage/test_backend.hpp"
#include "storage/transfer_session.hpp"
#include "testing/event_loop.hpp"
#include "testing/manual_clock.hpp"

namespace al::storage {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr int migration = 4;

std::string insert_event(std::string const& time, std::string const& aggregate, int version) {
  return "INSERT INTO events (event_id, tenant_id, timestamp, channel, service, aggregate_id, version, data, "
         "correlation_id, causation_id, user_id, traceparent) VALUES (gen_random_uuid(), 'default', " +
         time + ", 'task:created', 'test', '" + aggregate + "', " + std::to_string(version) + ", '{}', '', '', '', '')";
}

class Partitions : public testing::TestWithParam<PostgresBackend::Login> {
 protected:
  void TearDown() override {
    if (database_)
      database_->close();
  }
  void open() {
    migrate_up(backend_.target());
    database_ = backend_.open(clock_);
  }

  static Deadline soon() { return Deadline::after(std::chrono::seconds(60)); }

  /// As the program would, in the scope of the system.
  Result<Rows> run(std::string const& text, Values params = {}) {
    statements_.push_back({"test.run", text});
    Batch batch{Scope::system(), {}};
    batch.steps.push_back({&statements_.back(), std::move(params)});
    auto done = loop_.wait(database_->apply(std::move(batch), soon()));
    if (!done)
      return fail(done.error());
    return std::move(done->at(0));
  }
  std::vector<std::string> column(std::string const& text) {
    std::vector<std::string> out;
    auto const rows = run(text);
    EXPECT_TRUE(rows) << text;
    for (auto const& row : rows.value_or(Rows{}))
      out.push_back(std::get<std::string>(row.at(0)));
    return out;
  }
  std::int64_t number(std::string const& text) {
    auto const rows = run(text);
    EXPECT_TRUE(rows) << text;
    return rows ? std::get<std::int64_t>(rows->at(0).at(0)) : -1;
  }
  /// As the owner of the schema, who migrates.
  void as_owner(std::string const& text) {
    auto const script = "SET search_path = agent_lightning; SET app.system = 'on'; " + text;
    auto& server = PostgresServer::shared();
    if (GetParam() == PostgresBackend::Login::owner)
      server.execute_as_owner(backend_.name(), script);
    else
      server.execute(backend_.name(), script);
  }
  std::string rows_of_log() {
    std::string out;
    for (auto const& row :
         column("SELECT seq::text || ' ' || event_id::text || ' ' || xid::text || ' ' || kind FROM events"
                " ORDER BY seq"))
      out += row + "\n";
    return out;
  }

  PostgresBackend backend_{GetParam()};
  ManualClock clock_;
  EventLoop loop_;
  std::unique_ptr<Database> database_;
  std::deque<Statement> statements_;
};
INSTANTIATE_TEST_SUITE_P(As, Partitions,
                         testing::Values(PostgresBackend::Login::owner, PostgresBackend::Login::superuser),
                         [](auto const& info) {
                           return info.param == PostgresBackend::Login::owner ? "owner" : "superuser";
                         });

TEST_P(Partitions, RowsKeepTheirPlacesUpDownAndUpAgain) {
  migrate_up(backend_.target(), migration - 1);
  database_ = backend_.open(clock_);
  for (auto const* time :
       {"'2020-02-29T12:00:00Z'", "'2026-01-31T23:59:59.999999Z'", "'2026-02-01T00:00:00Z'", "now()"})
    ASSERT_TRUE(run(insert_event(time, "t", 1 + static_cast<int>(statements_.size()))));
  auto const before = rows_of_log();

  migrate_up(backend_.target(), migration);
  EXPECT_EQ(rows_of_log(), before);
  EXPECT_THAT(column("SELECT tableoid::regclass::text FROM events WHERE seq <= 3 ORDER BY seq"),
              ElementsAre("events_2020_02", "events_2026_01", "events_2026_02"));
  ASSERT_TRUE(run(insert_event("now()", "t", 5)));
  EXPECT_EQ(number("SELECT max(seq) FROM events"), 5);
  ASSERT_TRUE(run(insert_event("'1999-01-01T00:00:00Z'", "old", 1)));
  auto const with_more = rows_of_log();

  migrate_down(backend_.target(), migration - 1);
  EXPECT_EQ(rows_of_log(), with_more);
  ASSERT_TRUE(run(insert_event("now()", "t", 6)));
  EXPECT_EQ(number("SELECT max(seq) FROM events"), 7);
  auto const again = run(insert_event("now()", "t", 6));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Code::conflict);
  auto const last = rows_of_log();

  migrate_up(backend_.target(), migration);
  EXPECT_EQ(rows_of_log(), last);
}

TEST_P(Partitions, EveryOneIsProtected) {
  open();
  EXPECT_THAT(column("SELECT c.relname::text || ' ' || c.relrowsecurity || ' ' || c.relforcerowsecurity || ' ' ||"
                     " (SELECT count(*) FROM pg_policy p WHERE p.polrelid = c.oid) FROM pg_class c"
                     " WHERE c.relnamespace = 'agent_lightning'::regnamespace AND c.relkind IN ('r', 'p')"
                     " AND c.relname ~ '^(events|metrics)'"),
              Each(HasSubstr(" true true 1")));
  ASSERT_TRUE(run(insert_event("now()", "t", 1)));
  for (auto const& name :
       column("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'events'::regclass")) {
    Statement const count{"test.count", "SELECT count(*) FROM " + name};
    auto const rows = loop_.wait(database_->read(Scope::of(TenantId{"other"}), count, {}, soon()));
    EXPECT_EQ(std::get<std::int64_t>(rows.at(0).at(0)), 0) << name;
  }
}

TEST_P(Partitions, AreMadeAheadOnceAndTakeTheirRowsFromTheDefault) {
  open();
  auto const month = "date_trunc('month', now(), 'UTC') + interval '5 months'";
  ASSERT_TRUE(run(insert_event(month, "t", 1)));
  ASSERT_TRUE(run(insert_event(std::string(month) + " - interval '1 microsecond'", "t", 2)));
  ASSERT_TRUE(run(insert_event("'1999-01-01T00:00:00Z'", "t", 3)));
  EXPECT_EQ(number("SELECT count(*) FROM events_default"), 3);
  auto const before = rows_of_log();
  EXPECT_EQ(number("SELECT al_make_partitions(5)"), 6) << "three months of each table are there from the beginning";
  EXPECT_EQ(number("SELECT count(*) FROM events_default"), 1);
  EXPECT_EQ(rows_of_log(), before);
  EXPECT_EQ(number("SELECT count(DISTINCT tableoid) FROM events"), 3);
  EXPECT_EQ(number("SELECT al_make_partitions(5)"), 0);
  for (auto const* wrong : {"-1", "25"})
    EXPECT_FALSE(run("SELECT al_make_partitions(" + std::string(wrong) + ")")) << wrong;
}

TEST_P(Partitions, CallersAtTheSameTimeMakeThemOnce) {
  open();
  Statement const make{"test.make", "SELECT al_make_partitions(8)"};
  std::vector<std::future<Result<std::vector<Rows>>>> callers;
  for (int i = 0; i < 6; ++i) {
    Batch batch{Scope::system(), {}};
    batch.steps.push_back({&make, {}});
    callers.push_back(loop_.start(database_->apply(std::move(batch), soon())));
  }
  std::int64_t made = 0;
  std::ptrdiff_t too_late = 0;  // waited for the others longer than they may
  for (auto& caller : callers) {
    try {
      auto const done = caller.get();
      ASSERT_TRUE(done);
      made += std::get<std::int64_t>(done->at(0).at(0).at(0));
    } catch (Unavailable const&) {
      ++too_late;
    }
  }
  EXPECT_LT(too_late, std::ssize(callers));
  EXPECT_EQ(made, 12);
}

TEST_P(Partitions, ABusyTableIsLeftAlone) {
  open();
  auto const target = backend_.target();
  {
    auto const reader = open_snapshot(target);
    reader->for_each(Scope::system(), Statement{"test.hold", "SELECT count(*) FROM events_default"}, {},
                     [](Row const&) {});
    EXPECT_THROW((void)run("SELECT al_make_partitions(9)"), Unavailable);
  }
  EXPECT_EQ(number("SELECT al_make_partitions(9)"), 14);
}

TEST_P(Partitions, AreDroppedWhenPastAndAsExpected) {
  open();
  as_owner("SELECT al_add_partition('events', '2025-06-01'), al_add_partition('events', '2025-07-01')");
  ASSERT_TRUE(run(insert_event("'2025-06-30T23:00:00Z'", "t", 1)));
  ASSERT_TRUE(run(insert_event("'2025-07-01T00:00:00Z'", "t", 2)));
  auto const drop = [&](std::string const& name, std::string const& before, int rows) {
    return run("SELECT al_drop_partition('" + name + "', " + before + ", " + std::to_string(rows) + ")");
  };
  auto const refused = [&](auto const& answer) { return !answer && answer.error().code == Code::conflict; };
  EXPECT_TRUE(refused(drop("events_2025_06", "'2025-06-30T23:59:59Z'", 1))) << "it is not wholly older";
  EXPECT_TRUE(refused(drop("events_2025_06", "'2025-07-01T00:00:00Z'", 0))) << "its row was not archived";
  auto const present = column("SELECT 'events' || to_char(now() AT TIME ZONE 'UTC', '_YYYY_MM')").at(0);
  EXPECT_TRUE(refused(drop(present, "'2999-01-01T00:00:00Z'", 0))) << "its time is not over";
  for (auto const* name :
       {"events_2031_01", "events_default", "events", "agents", "pg_class", "x'; DROP TABLE agents"}) {
    std::string quoted(name);
    if (auto const at = quoted.find('\''); at != std::string::npos)
      quoted.insert(at, "'");
    auto const answer = drop(quoted, "now()", 0);
    ASSERT_TRUE(answer) << name;
    EXPECT_FALSE(std::get<bool>(answer->at(0).at(0))) << name;
  }
  auto const dropped = drop("events_2025_06", "'2025-07-01T00:00:00Z'", 1);
  ASSERT_TRUE(dropped);
  EXPECT_TRUE(std::get<bool>(dropped->at(0).at(0)));
  EXPECT_THAT(column("SELECT aggregate_id || version FROM events"), ElementsAre("t2"));
  ASSERT_TRUE(run(insert_event("'2025-06-30T23:00:00Z'", "t", 1))) << "the default partition takes it";
}

TEST_P(Partitions, OnlyWhoIsGrantedItMayMakeAndDrop) {
  open();
  PostgresServer::shared().execute(
      backend_.name(),
      "DO $$ BEGIN CREATE ROLE stranger; EXCEPTION WHEN duplicate_object THEN NULL; END $$;"
      " GRANT USAGE ON SCHEMA agent_lightning TO stranger");
  for (auto const* function : {"al_make_partitions(integer)", "al_drop_partition(text, timestamptz, bigint)"}) {
    auto const rows =
        run("SELECT has_function_privilege('stranger', CAST($1 AS text), 'EXECUTE'),"
            " has_function_privilege(current_user, CAST($1 AS text), 'EXECUTE'),"
            " (SELECT prosecdef AND proconfig @> ARRAY['search_path=agent_lightning, pg_temp']"
            " FROM pg_proc WHERE oid = CAST($1 AS text)::regprocedure)",
            {std::string(function)});
    ASSERT_TRUE(rows);
    EXPECT_FALSE(std::get<bool>(rows->at(0).at(0))) << function;
    EXPECT_TRUE(std::get<bool>(rows->at(0).at(1))) << function;
    EXPECT_TRUE(std::get<bool>(rows->at(0).at(2))) << function;
  }
}

/// Each part of the log is found by an index of its partition, also when there are many: the conditions are those of
/// events/event_log.cpp and data/metric_store.cpp.
TEST_P(Partitions, AreReadByTheirIndexes) {
  open();
  as_owner(
      "SELECT al_add_partition(p, m::date) FROM unnest(ARRAY['events', 'metrics']) p,"
      " generate_series('2025-01-01'::timestamp, '2025-06-01', '1 month') m;"
      " INSERT INTO events (event_id, tenant_id, timestamp, channel, service, aggregate_id, version, data,"
      " correlation_id, causation_id, user_id, traceparent, xid) SELECT gen_random_uuid(), 'default',"
      " '2025-01-01T00:00:00Z'::timestamptz + i * interval '75 seconds', 'task:progress', 'test', 't' || i / 4,"
      " i % 4 + 1, '{}', '', '', '', '', (i / 3 + 1)::text::xid8 FROM generate_series(1, 200000) i;"
      " INSERT INTO metrics (tenant_id, service, name, value, tags, timestamp) SELECT 'default', 's',"
      " 'm' || i % 100, i, '{}', '2025-01-01T00:00:00Z'::timestamptz + i * interval '75 seconds'"
      " FROM generate_series(1, 200000) i");
  // Statistics are the owner's to make, and autovacuum's in production.
  as_owner("ANALYZE");
  auto const plan = [&](std::string const& text) {
    std::string out;
    for (auto const& line : column("EXPLAIN " + text))
      out += line + "\n";
    return out;
  };
  auto const tenant = std::string(" AND e.tenant_id = 'default' ");
  auto const newest = plan("SELECT * FROM events e WHERE e.xid >= pg_snapshot_xmin('66600:66600:'::pg_snapshot)" +
                           tenant + "ORDER BY e.seq + 0 LIMIT 200");
  EXPECT_THAT(newest, HasSubstr("events_2025_06_xid_seq_idx"));
  EXPECT_THAT(newest, Not(HasSubstr("Seq Scan on events_2025"))) << newest;
  auto const first = plan("SELECT * FROM events e WHERE true" + tenant + "ORDER BY e.seq LIMIT 200");
  EXPECT_THAT(first, HasSubstr("Merge Append"));
  EXPECT_THAT(first, HasSubstr("events_2025_01_pkey"));
  EXPECT_THAT(first, Not(HasSubstr("Seq Scan on events_2025"))) << first;
  auto const replay = plan("SELECT * FROM events e WHERE e.kind = 'task' AND e.aggregate_id = 't9' AND e.version >= 1" +
                           tenant + "ORDER BY e.version LIMIT 100");
  EXPECT_THAT(replay, HasSubstr("events_2025_03_versions"));
  EXPECT_THAT(replay, Not(HasSubstr("Seq Scan on events_2025"))) << replay;
  auto const series = plan(
      "SELECT value FROM metrics WHERE tenant_id = 'default' AND name = 'm7'"
      " AND timestamp >= '2025-02-03T00:00:00Z' AND timestamp < '2025-02-04T00:00:00Z'");
  EXPECT_THAT(series, HasSubstr("metrics_2025_02"));
  EXPECT_THAT(series, Not(HasSubstr("metrics_2025_01"))) << "other months are pruned\n" << series;
  EXPECT_THAT(series, Not(HasSubstr("Seq Scan"))) << series;
}

}  // namespace
}  // namespace al::storage
