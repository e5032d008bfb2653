#include "data/row_cache.hpp"

#include "data/cache_fixture.hpp"
#include "data/chat_store.hpp"

namespace al::data {
namespace {

using storage::Scope;
using storage::Statement;

Statement const add_tenant{"test.tenant", "INSERT INTO tenants (id) VALUES ('other')"};
Statement const rename_behind{"test.rename", "UPDATE agents SET name = $2 WHERE tenant_id = 'default' AND id = $1"};
Statement const retitle_behind{"test.retitle", "UPDATE tasks SET description = $2 WHERE CAST(id AS text) = $1"};

TEST(RowJson, KeepsEveryValue) {
  Row const row{Value{},
                true,
                std::int64_t{-9'223'372'036'854'775'807},
                0.1 + 0.2,
                1.0,
                std::string("Żółw \"\\u0000\" \n {\"us\":1}"),
                Timestamp{std::chrono::microseconds{1'767'225'600'000'001}}};
  auto const again = row_from_json(row_to_json(row));
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(*again, row);
}

TEST(RowJson, RefusesWhatIsNoRow) {
  for (auto const* text : {"", "{}", "[", R"([{"us":"1"}])", R"([{"seconds":1}])", "[[1]]", "[18446744073709551615]"})
    EXPECT_FALSE(row_from_json(text)) << text;
}

/// Two processes with one second level. What is changed in the database behind them shows who was asked.
class RowCacheTest : public StoreFixture {
 protected:
  struct Process : CachingProcess {
    Process(RowCacheTest& test, std::string name)
        : CachingProcess(test, test.second, std::move(name)), agents(writer, nullptr), tasks(writer), chats(writer) {}
    AgentStore agents;
    TaskStore tasks;
    ChatStore chats;
  };

  void SetUp() override {
    StoreFixture::SetUp();
    here.emplace(*this, "here");
    there.emplace(*this, "there");
  }

  void behind(Statement const& statement, std::string id, std::string text) {
    auto const done = wait(database->apply({Scope::of(default_tenant), {{&statement, {id, text}}}}, soon()));
    ASSERT_TRUE(done) << done.error().message;
  }
  Result<model::Agent> read(Process& process) { return wait(process.agents.stored(default_tenant, id, soon())); }
  std::string name_at(Process& process) {
    auto const agent = read(process);
    return agent ? agent->name : agent.error().message;
  }
  void rename(AgentStore& store, std::string name) {
    auto const patch = json::Source::from(R"({"name":")" + name + "\"}");
    ASSERT_TRUE(wait(store.update(actor(), id, patch->root(), std::nullopt, soon())));
  }
  /// What the first level keeps is over.
  void a_second_passes() { clock.advance(std::chrono::milliseconds{1001}); }

  AgentId const id{"a"};
  cache::LocalStore second{clock, random};
  std::optional<Process> here;
  std::optional<Process> there;
};

TEST_P(RowCacheTest, WhatOneWritesTheOtherReadsWithoutTheDatabase) {
  ASSERT_TRUE(wait(here->agents.create(actor(), agent_named("a"), soon())));
  behind(rename_behind, "a", "nobody heard of it");
  EXPECT_EQ(name_at(*there), "a") << "the writer has put it there";
  rename(here->agents, "second");
  a_second_passes();
  EXPECT_EQ(name_at(*there), "second");
  EXPECT_EQ(name_at(*here), "second");
  EXPECT_EQ(there->rows.hit_ratios().at("agent"), 1.0);
}

TEST_P(RowCacheTest, AReaderFillsIt) {
  have_agent("a");  // by one without a cache
  EXPECT_EQ(name_at(*here), "a");
  behind(rename_behind, "a", "nobody heard of it");
  EXPECT_EQ(name_at(*there), "a");
  EXPECT_EQ(here->rows.hit_ratios().at("agent"), 0.0);
  EXPECT_FALSE(here->rows.hit_ratios().contains("task"));
}

TEST_P(RowCacheTest, WarmingUpFillsIt) {
  have_agent("a");
  wait(here->agents.warm_up(10, soon()));
  behind(rename_behind, "a", "nobody heard of it");
  EXPECT_EQ(name_at(*there), "a");
}

TEST_P(RowCacheTest, WhatIsDeletedIsGoneForAll) {
  ASSERT_TRUE(wait(here->agents.create(actor(), agent_named("a"), soon())));
  EXPECT_TRUE(read(*there));
  ASSERT_TRUE(wait(here->agents.remove(actor(), id, std::nullopt, soon())));
  EXPECT_EQ(read(*here).error().code, Code::not_found);
  a_second_passes();
  EXPECT_EQ(read(*there).error().code, Code::not_found);
  ASSERT_TRUE(wait(there->agents.create(actor(), agent_named("a"), soon()))) << "its version counts on";
  EXPECT_EQ(read(*here)->version, 3);
}

TEST_P(RowCacheTest, AnAnnouncementEndsTheFirstLevelAtOnce) {
  ASSERT_TRUE(wait(here->agents.create(actor(), agent_named("a"), soon())));
  EXPECT_EQ(name_at(*there), "a");
  rename(here->agents, "second");
  EXPECT_EQ(name_at(*there), "a") << "nobody has told it";
  there->bus.hear({"agent:updated", default_tenant, "a", id});
  EXPECT_EQ(name_at(*there), "second");
}

TEST_P(RowCacheTest, TenantsDoNotShareRows) {
  ASSERT_TRUE(wait(database->apply({Scope::system(), {{&add_tenant, {}}}}, soon())));
  ASSERT_TRUE(wait(here->agents.create(actor(), agent_named("a"), soon())));
  EXPECT_EQ(wait(here->agents.stored(TenantId{"other"}, id, soon())).error().code, Code::not_found);
}

TEST_P(RowCacheTest, OnlyTasksThatHaveEndedAreKept) {
  have_agent("a");
  auto const task = have_task("a");
  auto const described = [&](Process& process) {
    return wait(process.tasks.get(default_tenant, task.id, soon()))->description;
  };
  EXPECT_EQ(described(*here), "say something");
  behind(retitle_behind, task.id.value, "pending");
  EXPECT_EQ(described(*here), "pending");
  ASSERT_TRUE(wait(here->tasks.cancel(actor(), task.id, soon())));
  EXPECT_EQ(described(*here), "pending");
  behind(retitle_behind, task.id.value, "nobody heard of it");
  EXPECT_EQ(described(*there), "pending");
  auto const fresh = wait(there->tasks.get(default_tenant, task.id, soon(), Freshness::fresh));
  EXPECT_EQ(fresh->description, "nobody heard of it");
  ASSERT_TRUE(wait(there->tasks.retry(actor(), task.id, soon())));
  a_second_passes();
  EXPECT_EQ(wait(here->tasks.get(default_tenant, task.id, soon()))->status, model::TaskStatus::pending);
}

TEST_P(RowCacheTest, ASessionIsItsOwnersAlsoInTheCache) {
  auto const made = wait(here->chats.create(actor(), here->chats.new_id(), std::nullopt, soon()));
  ASSERT_TRUE(made);
  auto stranger = actor();
  stranger.user_id = "someone else";
  EXPECT_TRUE(wait(there->chats.get(actor(), made->id, soon())));
  EXPECT_EQ(wait(there->chats.get(stranger, made->id, soon())).error().code, Code::not_found);
  model::ChatMessage said;
  said.content = "hello";
  ASSERT_TRUE(wait(here->chats.append(actor(), made->id, {said}, soon())));
  a_second_passes();
  EXPECT_EQ(wait(there->chats.get(actor(), made->id, soon()))->message_count, 1);
  ASSERT_TRUE(wait(here->chats.remove(actor(), made->id, soon())));
  a_second_passes();
  EXPECT_EQ(wait(there->chats.get(actor(), made->id, soon())).error().code, Code::not_found);
}

/// Writes, and loses the reply.
class LosesReplies final : public storage::Database {
 public:
  explicit LosesReplies(storage::Database& database) : database_(database) {}
  [[nodiscard]] storage::Dialect dialect() const override { return database_.dialect(); }
  [[nodiscard]] Task<Rows> read(Scope scope, Statement const& statement, Values params, Deadline deadline) override {
    return database_.read(std::move(scope), statement, std::move(params), deadline);
  }
  [[nodiscard]] Task<Result<std::vector<Rows>>> apply(storage::Batch batch, Deadline deadline) override {
    return database_.apply(std::move(batch), deadline);
  }
  [[nodiscard]] Task<Result<Row>> write_row(Scope scope, storage::RowStatement const& statement, Values params,
                                            Deadline deadline) override {
    auto const done = co_await database_.write_row(std::move(scope), statement, std::move(params), deadline);
    EXPECT_TRUE(done);
    throw OutcomeUnknown("the reply was lost");
  }
  [[nodiscard]] Task<void> ping(Deadline deadline) override { return database_.ping(deadline); }
  [[nodiscard]] storage::PoolState pool() const override { return database_.pool(); }
  void close() override {}

 private:
  storage::Database& database_;
};

TEST_P(RowCacheTest, ALostReplyTakesTheRowOutOfTheCache) {
  ASSERT_TRUE(wait(here->agents.create(actor(), agent_named("a"), soon())));
  EXPECT_EQ(name_at(*there), "a");
  LosesReplies lossy(*database);
  Writer writer(lossy, here->bus, clock, random, "lossy", &here->rows);
  AgentStore agents(writer, nullptr);
  auto const patch = json::Source::from(R"({"name":"second"})");
  EXPECT_THROW(std::ignore = wait(agents.update(actor(), id, patch->root(), std::nullopt, soon())), OutcomeUnknown);
  EXPECT_EQ(name_at(*here), "second");
  a_second_passes();
  EXPECT_EQ(name_at(*there), "second");
}

AL_ON_EVERY_DATABASE(RowCacheTest);

}  // namespace
}  // namespace al::data
