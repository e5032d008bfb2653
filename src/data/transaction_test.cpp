/// One at a time, and whoever was overtaken writes no more.

#include "data/transaction.hpp"

#include <gmock/gmock.h>

#include <future>

#include "data/store_fixture.hpp"

namespace al::data {
namespace {

using std::chrono::milliseconds;
using storage::Guard;
using storage::Scope;
using storage::Statement;
using testing::HasSubstr;
using testing::Not;

/// As if its holder had been paused for longer than the lease.
Statement const expire_lease{"test.expire", "UPDATE fences SET leased_until = al_after(-1) WHERE name = $1"};

class TransactionTest : public StoreFixture {
 protected:
  template <class T>
  using Work = std::function<Task<Result<T>>(Transaction&)>;

  void SetUp() override {
    StoreFixture::SetUp();
    events = std::make_unique<EventStore>(*writer);
  }

  template <class T>
  Task<Result<T>> transaction(TransactionOptions options, Work<T> work, Deadline deadline = soon()) {
    return distributed_transaction<T>(*events, actor(), std::move(options), deadline, std::move(work));
  }

  Result<Transaction> begin(TransactionOptions options) { return begin(*events, std::move(options)); }
  Result<Transaction> begin(EventStore& at, TransactionOptions options) {
    std::optional<Result<Transaction>> begun;
    wait([](EventStore& store, TransactionOptions wanted, std::optional<Result<Transaction>>& out) -> Task<void> {
      out.emplace(co_await begin_transaction(store, TenantId{"default"}, std::move(wanted), soon()));
    }(at, std::move(options), begun));
    return *begun;
  }

  Task<void> expire(std::string name) {
    storage::Batch batch{Scope::of(TenantId{"default"}), {}};
    batch.steps.push_back({&expire_lease, {std::move(name)}, Guard::must_match});
    auto const done = co_await database->apply(std::move(batch), soon());
    EXPECT_TRUE(done);
  }

  static Task<Result<std::int64_t>> say(Writer& writer, std::string id, std::int64_t expected = 0) {
    std::vector<NewEvent> said{{"saga:said", {}}};
    return writer.append(actor(), {"saga", std::move(id)}, expected, std::move(said), soon());
  }

  static Task<Result<model::Agent>> rename(Writer& writer, std::string name) {
    AgentStore agents(writer, nullptr);
    auto const patch = json::Source::from(R"({"name":")" + name + "\"}");
    co_return co_await agents.update(actor(), AgentId{"a"}, patch->root(), std::nullopt, soon());
  }

  /// The data of every alert.
  std::vector<std::string> alerts() {
    events::Filter const filter{.channels = {"system:alert"}};
    auto const page = wait(log->read_after(Scope::of(TenantId{"default"}), log->beginning(), filter, 100, soon()));
    std::vector<std::string> out;
    for (auto const& one : page->events)
      out.push_back(one.event.data.text);
    return out;
  }

  std::unique_ptr<EventStore> events;
};
AL_ON_EVERY_DATABASE(TransactionTest);

TEST_P(TransactionTest, HandsOnTheAnswerAndLeavesNothingHeld) {
  have_agent("a");
  std::int64_t last = 0;
  for (int i = 0; i < 3; ++i) {
    auto const work = [&](Transaction& tx) -> Task<Result<std::string>> {
      EXPECT_GT(tx.fence.token, last);
      last = tx.fence.token;
      auto const renamed = co_await rename(tx.writer, "N" + std::to_string(i));
      EXPECT_TRUE(renamed) << renamed.error().message;
      auto const said = co_await say(tx.writer, "a", i);
      EXPECT_TRUE(said) << said.error().message;
      co_return renamed->name;
    };
    EXPECT_EQ(wait(transaction<std::string>({"agent:a"}, work)), "N" + std::to_string(i));
  }
  EXPECT_EQ(history("agent", "a"), "agent:created agent:updated agent:updated agent:updated");
  EXPECT_EQ(history("saga", "a"), "saga:said saga:said saga:said");
  EXPECT_TRUE(alerts().empty());
}

/// Inserts, guards that refuse and companions behave behind a fence as they do without.
TEST_P(TransactionTest, ChangesBehindAFenceAreTheSame) {
  auto tx = begin({"x"});
  ASSERT_TRUE(tx);
  AgentStore fenced_agents(tx->writer, nullptr);
  auto const made = wait(fenced_agents.create(actor(), agent_named("a"), soon()));
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(made->version, 1);
  EXPECT_EQ(wait(fenced_agents.create(actor(), agent_named("a"), soon())).error().code, Code::conflict);
  KnowledgeStore fenced_knowledge(tx->writer);
  model::Knowledge item;
  item.agent_id = AgentId{"a"};
  item.id = KnowledgeId{"k"};
  item.content = "Volcanoes\n\nMagma rises through a vent.";
  ASSERT_TRUE(wait(fenced_knowledge.add(actor(), {.item = item}, soon())));
  EXPECT_EQ(wait(knowledge->search(TenantId{"default"}, {}, "magma in a vent", 10, soon())).size(), 1U);
  EXPECT_TRUE(wait(fenced_agents.remove(actor(), AgentId{"a"}, std::nullopt, soon())));
  EXPECT_EQ(history("agent", "a"), "agent:created agent:deleted");
}

/// The point of it all. The first holder is paused past its lease, the second one works and ends; then the first one
/// goes on.
TEST_P(TransactionTest, AHolderThatWasOvertakenWritesNoMore) {
  have_agent("a");
  auto const second = [&](Transaction& tx) -> Task<Result<void>> {
    auto const renamed = co_await rename(tx.writer, "second");
    EXPECT_TRUE(renamed);
    co_return Result<void>{};
  };
  auto const first = [&](Transaction& tx) -> Task<Result<void>> {
    auto const before = co_await say(tx.writer, "first");
    EXPECT_TRUE(before);
    co_await expire("agent:a");
    auto const overtaken = co_await transaction<void>({"agent:a"}, second);
    EXPECT_TRUE(overtaken);
    auto const event = co_await say(tx.writer, "first", 1);
    EXPECT_EQ(event.error().code, Code::lease_lost);
    storage::Batch batch{Scope::of(TenantId{"default"}), {fence_step(TenantId{"default"}, tx.fence)}};
    auto const raw = co_await database->apply(std::move(batch), soon());
    EXPECT_EQ(raw.error().code, Code::conflict);
    auto const renamed = co_await rename(tx.writer, "first");
    EXPECT_FALSE(renamed);
    co_return fail(renamed.error());
  };
  auto const answer = wait(transaction<void>({"agent:a"}, first));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::lease_lost);
  EXPECT_EQ(wait(agents->get(TenantId{"default"}, AgentId{"a"}, soon()))->name, "second");
  EXPECT_EQ(history("agent", "a"), "agent:created agent:updated");
  EXPECT_EQ(history("saga", "first"), "saga:said");
  EXPECT_EQ(alerts().size(), 1U);
}

TEST_P(TransactionTest, ALeaseThatIsOverIsNoHarmUntilSomebodyTakesIt) {
  auto const work = [&](Transaction& tx) -> Task<Result<std::int64_t>> {
    co_await expire("x");
    co_return co_await say(tx.writer, "a");
  };
  EXPECT_EQ(wait(transaction<std::int64_t>({"x"}, work)), 1);
}

/// What a cancelled call left on its way must not come after the end.
TEST_P(TransactionTest, NothingIsWrittenAfterTheEnd) {
  std::optional<Writer> kept;
  auto const work = [&](Transaction& tx) -> Task<Result<void>> {
    kept.emplace(tx.writer);
    co_return Result<void>{};
  };
  ASSERT_TRUE(wait(transaction<void>({"x"}, work)));
  EXPECT_EQ(wait(say(*kept, "late")).error().code, Code::lease_lost);
  EXPECT_EQ(history("saga", "late"), "");
}

TEST_P(TransactionTest, AnErrorIsReportedAndHandedOn) {
  std::string id;
  auto const work = [&](Transaction& tx) -> Task<Result<void>> {
    id = tx.id;
    co_return fail(Code::not_found, "there is no \"x\"");
  };
  EXPECT_EQ(wait(transaction<void>({"x"}, work)).error().code, Code::not_found);
  EXPECT_THAT(alerts(), testing::ElementsAre(R"({"type":"transaction_failed","tx_id":")" + id +
                                             R"(","name":"x","error":"there is no \"x\"","service":"test"})"));
  EXPECT_EQ(history("system", id), "system:alert");
  EXPECT_TRUE(begin({"x"})) << "the turn was given back";
}

TEST_P(TransactionTest, AnExceptionIsReportedWithoutItsWords) {
  auto const work = [](Transaction&) -> Task<Result<void>> {
    throw Unavailable("host db-7.internal is gone");
    co_return Result<void>{};
  };
  EXPECT_THROW((void)wait(transaction<void>({"x"}, work)), Unavailable);
  auto const all = alerts();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_THAT(all[0], HasSubstr("a fault ended it"));
  EXPECT_THAT(all[0], Not(HasSubstr("db-7")));
  EXPECT_TRUE(begin({"x"}));
}

TEST_P(TransactionTest, WorkPastItsLimitIsCancelledAndReported) {
  bool was_cancelled = false;
  auto const work = [&](Transaction&) -> Task<Result<void>> {
    try {
      co_await sleep_until(std::chrono::steady_clock::now() + std::chrono::hours(1));
    } catch (boost::system::system_error const&) {
      was_cancelled = true;
      throw;
    }
    co_return Result<void>{};
  };
  auto const answer = wait(transaction<void>({.name = "x", .limit = milliseconds(1)}, work));
  EXPECT_EQ(answer.error().code, Code::timed_out);
  EXPECT_TRUE(was_cancelled);
  EXPECT_EQ(alerts().size(), 1U);
}

TEST_P(TransactionTest, ACancelledOneIsReportedAndGivenBackAllTheSame) {
  auto const bell = bus.subscribe(loop.executor(), {"system:alert"});
  auto const work = [](Transaction&) -> Task<Result<void>> {
    co_await sleep_until(std::chrono::steady_clock::now() + std::chrono::hours(1));
    co_return Result<void>{};
  };
  EXPECT_EQ(wait(within(Deadline::after(milliseconds(100)), transaction<void>({"x"}, work))).error().code,
            Code::timed_out);
  EXPECT_TRUE(wait(bell->wait(soon().at)));
  EXPECT_THAT(alerts(), testing::ElementsAre(HasSubstr("it was cancelled")));
  EXPECT_TRUE(begin({"x"}));
}

TEST_P(TransactionTest, WhoeverComesSecondWaitsOrIsTold) {
  auto const held = begin({"x"});
  ASSERT_TRUE(held);
  auto const nothing = [](Transaction&) -> Task<Result<void>> { co_return Result<void>{}; };
  auto const refused = wait(transaction<void>({"x"}, nothing, Deadline::after(milliseconds(200))));
  EXPECT_EQ(refused.error().code, Code::conflict);
  EXPECT_THAT(refused.error().message, HasSubstr("'x'"));
  EXPECT_TRUE(alerts().empty()) << "nothing had begun";
  EXPECT_TRUE(wait(transaction<void>({"y"}, nothing))) << "another name is free";
  auto waiting = loop.start(transaction<void>({"x"}, nothing));
  wait(end_transaction(*events, actor(), *held, std::nullopt));
  EXPECT_TRUE(waiting.get());
}

TEST_P(TransactionTest, OneAtATime) {
  int inside = 0;
  int inside_max = 0;
  auto const work = [&](Transaction& tx) -> Task<Result<void>> {
    inside_max = std::max(inside_max, ++inside);
    auto const said = co_await say(tx.writer, tx.id);
    EXPECT_TRUE(said);
    --inside;
    co_return Result<void>{};
  };
  std::vector<std::future<Result<void>>> running;
  for (int i = 0; i < 8; ++i)
    running.push_back(loop.start(transaction<void>({"x"}, work)));
  for (auto& one : running)
    EXPECT_TRUE(one.get());
  EXPECT_EQ(inside_max, 1);
}

TEST_P(TransactionTest, RefusesNamesAndLimitsThatMakeNoSense) {
  for (TransactionOptions const& options : {TransactionOptions{.name = ""},
                                            {.name = "a\nb"},
                                            {.name = std::string(256, 'x')},
                                            {.name = "x", .limit = milliseconds(0)},
                                            {.name = "x", .limit = TransactionOptions::limit_max + milliseconds(1)}}) {
    auto const refused = begin(options);
    ASSERT_FALSE(refused) << options.name;
    EXPECT_EQ(refused.error().code, Code::invalid) << options.name;
  }
}

Statement const hold_mark{"test.mark", "SELECT pg_advisory_xact_lock(4711)"};
Statement const take_time{"test.slow", "SELECT pg_sleep(1)"};
Statement const find_mark{"test.marked",
                          "SELECT COUNT(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711 AND granted"
                          " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"};

/// A batch that has passed the check and commits late: the next turn must not begin before.
TEST_P(TransactionTest, ATurnWaitsForABatchThatIsUnderWay) {
  if (database->dialect() == storage::Dialect::sqlite)
    return;  // one batch runs at a time
  TenantId const tenant{"default"};
  auto const first = begin({"x"});
  ASSERT_TRUE(first);
  wait(expire("x"));
  // Another process: in this one the next call might wait on the batch's connection.
  auto const elsewhere = backend->open(clock);
  Writer other_writer(*elsewhere, bus, clock, random, "other");
  EventStore other_events(other_writer);
  storage::Batch batch{Scope::of(tenant), {fence_step(tenant, first->fence), {&hold_mark, {}}, {&take_time, {}}}};
  auto slow = loop.start(database->apply(std::move(batch), soon()));
  std::int64_t marks = 0;
  for (int i = 0; marks == 0 && i < 10'000; ++i)
    marks = std::get<std::int64_t>(wait(elsewhere->read(Scope::of(tenant), find_mark, {}, soon())).at(0).at(0));
  EXPECT_EQ(marks, 1) << "the batch has passed the check";
  EXPECT_TRUE(begin(other_events, {"x"}));
  EXPECT_EQ(slow.wait_for(std::chrono::milliseconds(100)), std::future_status::ready);
  EXPECT_TRUE(slow.get());
  elsewhere->close();
}

}  // namespace
}  // namespace al::data
