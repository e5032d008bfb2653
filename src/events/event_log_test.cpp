/// What only readers of the log see; the rows are written plainly, as another process would, without a ring.
/// data/event_log_test.cpp reads what the stores write.

#include "events/event_log.hpp"

#include "events/cursor.hpp"
#include "events/event_fixture.hpp"

namespace al::events {
namespace {

using storage::Scope;

class EventReadingTest : public EventFixture {
 protected:
  void have(std::string channel, std::string aggregate) {
    storage::Batch batch{.scope = Scope::of(default_tenant), .steps = {}};
    Values params{uuid_v7(clock, random), default_tenant.value, std::move(channel), std::move(aggregate), ++version};
    batch.steps.push_back({.statement = &append_event, .params = std::move(params)});
    ASSERT_TRUE(loop.wait(database->apply(std::move(batch), soon())));
  }
  Page read(std::string token, std::int64_t limit, Filter filter) {
    auto page =
        loop.wait(log->read_after(Scope::of(default_tenant), std::move(token), std::move(filter), limit, soon()));
    EXPECT_TRUE(page);
    return std::move(*page);
  }

  PageBack read_back(std::string cursor, std::int64_t limit, Search search = {}, TenantId tenant = default_tenant) {
    auto page = loop.wait(log->read_before(std::move(tenant), std::move(cursor), std::move(search), limit, soon()));
    EXPECT_TRUE(page);
    return std::move(*page);
  }

  std::int64_t version = 0;
};
INSTANTIATE_TEST_SUITE_P(On, EventReadingTest, testing::ValuesIn(storage::backend_kinds()),
                         [](auto const& info) { return std::string(info.param.name); });

/// Pages were once cut first and filtered then, so that a rare channel came in empty pages with more to come.
TEST_P(EventReadingTest, FiltersBeforeThePageIsCut) {
  for (int i = 0; i < 20; ++i)
    have("task:progress", "t");
  have("agent:created", "a");
  auto const rare = read(log->beginning(), 2, {.channels = {"agent:*"}});
  ASSERT_EQ(rare.events.size(), 1U);
  EXPECT_EQ(rare.events[0].event.channel, "agent:created");
  EXPECT_FALSE(rare.more);

  std::size_t found = 0;
  auto page = read(log->beginning(), 3, {.channels = {"task_progress"}});
  for (; page.more; page = read(page.token, 3, {.channels = {"task_progress"}}))
    found += page.events.size();
  EXPECT_EQ(found + page.events.size(), 20U);
}

TEST_P(EventReadingTest, AReaderMovesOnPastWhatItsFilterHoldsBack) {
  auto begin = log->beginning();
  for (auto const& filter : {Filter{.aggregate_id = "other"}, Filter{.channels = {"knowledge:*"}}}) {
    for (int i = 0; i < 5; ++i)
      have("task:progress", "t");
    auto const none = read(begin, 2, filter);
    EXPECT_TRUE(none.events.empty());
    EXPECT_FALSE(none.more);
    EXPECT_TRUE(read(none.token, 2, {}).events.empty()) << "the token stands behind what was held back";
    have("knowledge:added", "other");
    auto const one = read(none.token, 2, filter);
    EXPECT_EQ(one.events.size(), 1U);
    begin = one.token;
  }
}

/// The database and channel_matches() must take the same patterns.
TEST_P(EventReadingTest, TakesPatternsAsTheBusDoes) {
  have("task:created", "t");
  for (auto const* pattern : {"*", "task:*", "task_*", "task:created", "task_created", "task", "task:", "task:create",
                              "ask:created", "agent:*", "%", "task:%", "created", ":", "_", "'"}) {
    auto const page = read(log->beginning(), 5, {.channels = {"agent:none", pattern}});
    EXPECT_EQ(!page.events.empty(), channel_matches(pattern, "task:created")) << pattern;
  }
}

TEST_P(EventReadingTest, ReadsBackFromTheEndInPages) {
  EXPECT_TRUE(read_back({}, 3).events.empty());
  EXPECT_TRUE(read_back({}, 3).cursor.empty()) << "an empty log begins here";
  for (int i = 0; i < 7; ++i)
    have("task:progress", "t");
  for (std::int64_t const limit : {1, 3, 7, 8}) {
    std::vector<std::int64_t> versions;
    std::string cursor;
    do {
      auto page = read_back(cursor, limit);
      for (auto const& event : page.events)
        versions.push_back(event.version);
      cursor = std::move(page.cursor);
    } while (!cursor.empty() && versions.size() < 100);
    EXPECT_EQ(versions, (std::vector<std::int64_t>{7, 6, 5, 4, 3, 2, 1})) << limit;
  }
  auto const first = read_back({}, 2);
  have("task:progress", "t");
  EXPECT_EQ(read_back(first.cursor, 1).events.at(0).version, 5) << "what comes meanwhile moves nothing";
}

TEST_P(EventReadingTest, ReadsBackWhatPassesTheFilter) {
  for (int i = 0; i < 5; ++i) {
    have("task:progress", i % 2 == 0 ? "even" : "odd");
    have("agent:updated", "a");
  }
  auto const page = read_back({}, 2, {.filter = {.channels = {"task:*"}, .aggregate_id = "even"}});
  ASSERT_EQ(page.events.size(), 2U);
  EXPECT_EQ(page.events[0].version, 9);
  EXPECT_EQ(page.events[1].version, 5);
  EXPECT_FALSE(page.cursor.empty());
  EXPECT_TRUE(read_back({}, 2, {}, TenantId{"other"}).events.empty());
}

/// What is rare is looked for in parts, so that no request reads a log of millions.
TEST_P(EventReadingTest, LooksBackOnlySoFarAtATime) {
  static storage::Statement const append_at{
      "test.append_at",
      "INSERT INTO events (seq, event_id, tenant_id, timestamp, channel, service, aggregate_id, version, data,"
      " correlation_id, causation_id, user_id, traceparent) VALUES ($1, '01890a5d-ac96-774b-bcce-b302099a8057',"
      " 'default', al_now(), 'task:progress', 'test', 't', $1, '{}', '', '', '', '')"};
  for (auto const seq : {std::int64_t{1}, looked_back_max + 2})
    ASSERT_TRUE(loop.wait(database->apply({Scope::system(), {{&append_at, {seq}}}}, soon())));
  auto const near = read_back({}, 10);
  ASSERT_EQ(near.events.size(), 1U);
  EXPECT_EQ(near.events[0].seq, looked_back_max + 2);
  ASSERT_FALSE(near.cursor.empty());
  auto const far = read_back(near.cursor, 10);
  ASSERT_EQ(far.events.size(), 1U);
  EXPECT_EQ(far.events[0].seq, 1);
  EXPECT_TRUE(far.cursor.empty());
}

/// PostgreSQL gives the numbers of transactions that a crash took back to others. A reader once missed their events.
TEST_P(EventReadingTest, ATokenKnowsOfNoTransactionAfterTheLastEvent) {
  if (database->dialect() == storage::Dialect::sqlite)
    GTEST_SKIP() << "its numbers are those of the log";
  static storage::Statement const take_number{"test.take", "SELECT pg_current_xact_id()::text"};
  static storage::Statement const next_number{"test.next", "SELECT MAX(xid::text::bigint) + 1 FROM events"};
  auto const take_numbers = [this] {
    for (int i = 0; i < 5; ++i)
      ASSERT_TRUE(loop.wait(database->apply({Scope::system(), {{&take_number, {}}}}, soon())));
  };
  auto const expect_no_later = [this](std::string const& token) {
    auto const rows = loop.wait(database->read(Scope::system(), next_number, {}, soon()));
    auto const next = is_null(rows.at(0).at(0)) ? "1" : std::to_string(std::get<std::int64_t>(rows.at(0).at(0)));
    auto const cursor = parse_token(storage::Dialect::postgres, token);
    ASSERT_TRUE(cursor);
    EXPECT_EQ(cursor->seen, next + ":" + next + ":");
  };
  take_numbers();
  expect_no_later(loop.wait(log->tip(soon())));
  have("agent:created", "a");
  take_numbers();
  expect_no_later(loop.wait(log->tip(soon())));
  expect_no_later(read(log->beginning(), 10, {}).token);
  // Another tenant's reader goes on with the log, too: it must not look at the same events for ever.
  auto const others = loop.wait(log->read_after(Scope::of(TenantId{"other"}), log->beginning(), {}, 10, soon()));
  ASSERT_TRUE(others);
  EXPECT_TRUE(others->events.empty());
  expect_no_later(others->token);
}

}  // namespace
}  // namespace al::events
