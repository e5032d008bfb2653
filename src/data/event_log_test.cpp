/// The log as readers see it: in pages, resumed anywhere, while others write.

#include <future>
#include <set>

#include "data/chat_store.hpp"
#include "data/store_fixture.hpp"

namespace al::data {
namespace {

using storage::Scope;

class EventLogTest : public StoreFixture {
 protected:
  /// The newest first.
  std::vector<std::string> find(events::Search search) {
    std::vector<std::string> out;
    for (auto const& event : wait(log->read_before(default_tenant, {}, std::move(search), 100, soon())).value().events)
      out.push_back(event.channel + " " + event.aggregate_id);
    return out;
  }
  /// Reads everything after `token` in pages of `limit`, resuming each time from the token of the last event.
  std::vector<std::string> read_all(std::string token, std::int64_t limit, events::Filter filter = {}) {
    std::vector<std::string> out;
    for (int i = 0; i < 1000; ++i) {
      auto const page = wait(log->read_after(Scope::of(default_tenant), token, filter, limit, soon()));
      EXPECT_TRUE(page);
      for (auto const& one : page->events)
        out.push_back(one.event.channel + " " + one.event.aggregate_id);
      token = page->token;
      if (!page->more)
        return out;
    }
    ADD_FAILURE() << "the log does not end";
    return out;
  }
};
AL_ON_EVERY_DATABASE(EventLogTest);

TEST_P(EventLogTest, ReadsInPagesOfAnySize) {
  for (int i = 0; i < 10; ++i)
    have_agent("a" + std::to_string(i));
  auto const whole = read_all(log->beginning(), 500);
  ASSERT_EQ(whole.size(), 10U);
  for (std::int64_t const limit : {1, 2, 3, 5, 9, 10, 11})
    EXPECT_EQ(read_all(log->beginning(), limit), whole) << limit;
}

TEST_P(EventLogTest, ResumesAfterAnyEvent) {
  for (int i = 0; i < 7; ++i)
    have_agent("a" + std::to_string(i));
  auto const page = wait(log->read_after(Scope::of(default_tenant), log->beginning(), {}, 5, soon()));
  ASSERT_EQ(page->events.size(), 5U);
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(read_all(page->events[i].token, 2).size(), 6 - i) << "after event " << i;
  }
}

TEST_P(EventLogTest, TheTipSeesOnlyWhatComes) {
  have_agent("before");
  auto const tip = wait(log->tip(soon()));
  EXPECT_TRUE(read_all(tip, 10).empty());
  have_agent("after");
  EXPECT_EQ(read_all(tip, 10), std::vector<std::string>{"agent:created after"});
}

TEST_P(EventLogTest, FiltersByChannelAndAggregate) {
  have_agent("a");
  have_agent("b");
  have_task("a");
  EXPECT_EQ(read_all(log->beginning(), 10, {.channels = {"task:*"}}).size(), 1U);
  EXPECT_EQ(read_all(log->beginning(), 10, {.channels = {"agent_created"}}).size(), 2U);
  EXPECT_EQ(read_all(log->beginning(), 10, {.channels = {}, .aggregate_id = "b"}),
            std::vector<std::string>{"agent:created b"});
}

TEST_P(EventLogTest, FindsWhatIsOfAnAgent) {
  have_agent("a");
  have_agent("b");
  have_item("a", "item", "It is so.");
  have_item("b", "item", "It is not so.");
  auto const task = have_task("a");
  have_task("b");
  ChatStore chats(*writer);
  auto const session = wait(chats.create(actor(), chats.new_id(), AgentId{"a"}, soon())).value();
  EXPECT_EQ(find({.agent_id = AgentId{"a"}}),
            (std::vector<std::string>{"session:created " + session.id.value, "task:created " + task.id.value,
                                      "knowledge:added a/item", "agent:created a"}));
  EXPECT_EQ(find({.filter = {.channels = {"task:*"}}, .agent_id = AgentId{"a"}}),
            std::vector<std::string>{"task:created " + task.id.value});
  EXPECT_TRUE(find({.agent_id = AgentId{"c"}}).empty());
}

TEST_P(EventLogTest, FindsWhatOneRequestDid) {
  have_agent("a");
  auto other = actor();
  other.correlation_id = "request-2";
  ASSERT_TRUE(wait(agents->create(other, agent_named("b"), soon())));
  EXPECT_EQ(find({.correlation_id = "request-1"}), std::vector<std::string>{"agent:created a"});
  EXPECT_EQ(find({.correlation_id = "request-2"}), std::vector<std::string>{"agent:created b"});
  EXPECT_TRUE(find({.correlation_id = "request"}).empty());
}

TEST_P(EventLogTest, ReadsOnlyAsFarAsALaterTokenHasSeen) {
  for (int i = 0; i < 3; ++i)
    have_agent("a" + std::to_string(i));
  auto const first = wait(log->tip(soon()));
  for (int i = 3; i < 8; ++i)
    have_agent("a" + std::to_string(i));
  auto const until = wait(log->tip(soon()));
  have_agent("beyond");
  for (std::int64_t const limit : {1, 2, 4, 5, 6, 100}) {
    std::vector<std::string> seen;
    auto token = first;
    for (bool more = true; more;) {
      auto const page = wait(log->read_between(Scope::of(default_tenant), token, until, {}, limit, soon()));
      ASSERT_TRUE(page);
      for (auto const& one : page->events)
        seen.push_back(one.event.aggregate_id);
      token = page->token;
      more = page->more && seen.size() < 100;
    }
    EXPECT_EQ(seen, (std::vector<std::string>{"a3", "a4", "a5", "a6", "a7"})) << limit;
    EXPECT_EQ(token, until);
    EXPECT_EQ(read_all(token, 10), std::vector<std::string>{"agent:created beyond"});
  }
  auto const nothing = wait(log->read_between(Scope::of(default_tenant), until, until, {}, 5, soon()));
  EXPECT_TRUE(nothing->events.empty());
  EXPECT_FALSE(nothing->more);
}

TEST_P(EventLogTest, KnowsWhatHasLeftIt) {
  auto const before = wait(log->tip(soon()));
  have_agent("first");
  auto const between = wait(log->tip(soon()));
  have_agent("second");
  auto const tip = wait(log->tip(soon()));
  EXPECT_TRUE(wait(log->has_all_after(between, soon())).value());
  EXPECT_TRUE(wait(log->has_all_after(tip, soon())).value());
  EXPECT_FALSE(wait(log->has_all_after(before, soon())).value());
  storage::Statement const forget{"test.forget", "DELETE FROM events WHERE aggregate_id = $1"};
  storage::Batch batch{.scope = Scope::system(), .steps = {{.statement = &forget, .params = {std::string("first")}}}};
  ASSERT_TRUE(wait(database->apply(std::move(batch), soon())));
  EXPECT_FALSE(wait(log->has_all_after(between, soon())).value());
  EXPECT_TRUE(wait(log->has_all_after(tip, soon())).value());
  bool const is_sqlite = database->dialect() == storage::Dialect::sqlite;
  EXPECT_FALSE(wait(log->has_all_after(is_sqlite ? "s.999999" : "p.99999999:99999999:..0", soon())).value());
  EXPECT_EQ(wait(log->has_all_after("x.1", soon())).error().code, Code::invalid);
}

TEST_P(EventLogTest, RefusesForeignTokens) {
  for (auto const* token : {"", "x", "s.", "s.-1", "s.1x", "p.", "p.1:1:", "p.a.b.c", "p.1:1:..x", "p.1:1:;DROP..0"}) {
    auto const refused = wait(log->read_after(Scope::of(default_tenant), token, {}, 1, soon()));
    ASSERT_FALSE(refused) << token;
    EXPECT_EQ(refused.error().code, Code::invalid) << token;
  }
}

TEST_P(EventLogTest, AReaderMissesNothingAndSeesNothingTwiceWhileOthersWrite) {
  auto writing = loop.start([](EventLogTest& test) -> Task<void> {
    auto const who = actor();
    for (int round = 0; round < 20; ++round) {
      std::vector<Task<Result<model::Agent>>> creates;
      for (int i = 0; i < 10; ++i) {
        creates.push_back(test.agents->create(who, agent_named("a" + std::to_string(round * 10 + i)), soon()));
      }
      co_await settle(std::move(creates));
    }
  }(*this));
  std::set<std::string> seen;
  auto token = log->beginning();
  auto const limit = std::chrono::steady_clock::now() + std::chrono::seconds{30};
  while (seen.size() < 200 && std::chrono::steady_clock::now() < limit) {
    auto const page = wait(log->read_after(Scope::of(default_tenant), token, {}, 7, soon()));
    ASSERT_TRUE(page);
    for (auto const& one : page->events)
      EXPECT_TRUE(seen.insert(one.event.event_id.value).second) << "twice";
    token = page->token;
  }
  writing.get();
  EXPECT_EQ(seen.size(), 200U);
}

TEST_P(EventLogTest, TheDoorbellWakesAWaiter) {
  auto const subscription = bus.subscribe(loop.executor(), {"agent:*"});
  auto woken = loop.start([](events::Bus::Subscription& s) -> Task<bool> {
    auto const until = std::chrono::steady_clock::now() + std::chrono::seconds{30};
    co_await s.wait(until);
    co_return std::chrono::steady_clock::now() < until;
  }(*subscription));
  have_agent("a");
  EXPECT_TRUE(woken.get());
}

TEST_P(EventLogTest, CountsWhoPublishedWhat) {
  for (int i = 0; i < 3; ++i)
    have_agent("a" + std::to_string(i));
  have_task("a1");
  have_agent("theirs", "default");
  auto const flows = wait(log->flow(default_tenant, Timestamp{}, soon()));
  ASSERT_EQ(flows.size(), 2U);
  EXPECT_EQ(entity::to_json(flows[0]), R"({"service":"test","channel":"agent:created","count":4})");
  EXPECT_EQ(entity::to_json(flows[1]), R"({"service":"test","channel":"task:created","count":1})");
  auto const to_come = std::chrono::sys_days{std::chrono::year{2100} / 1 / 1};
  EXPECT_TRUE(wait(log->flow(default_tenant, to_come, soon())).empty());
  EXPECT_TRUE(wait(log->flow(TenantId{"other"}, Timestamp{}, soon())).empty());
}

}  // namespace
}  // namespace al::data
