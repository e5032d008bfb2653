#pragma once
/// For tests of the stores: a migrated database of each kind with everything that a store needs.

#include <gtest/gtest.h>

#include "data/agent_store.hpp"
#include "data/knowledge_store.hpp"
#include "data/task_store.hpp"
#include "events/event_log.hpp"
#include "storage/migrations.hpp"
#include "storage/test_backend.hpp"
#include "testing/event_loop.hpp"
#include "testing/manual_clock.hpp"
#include "testing/seeded_random.hpp"

namespace al::data {

class StoreFixture : public testing::TestWithParam<storage::BackendKind> {
 public:
  void SetUp() override {
    backend = GetParam().make();
    storage::migrate_up(backend->target());
    database = backend->open(clock);
    writer = std::make_unique<Writer>(*database, bus, clock, random, "test");
    agents = std::make_unique<AgentStore>(*writer, nullptr);
    tasks = std::make_unique<TaskStore>(*writer);
    knowledge = std::make_unique<KnowledgeStore>(*writer);
    log = std::make_unique<events::EventLog>(*database);
  }
  void TearDown() override {
    if (database)
      database->close();
  }

  /// For what is given a time by us and compared with the database's: PostgreSQL has a clock of its own.
  void use_time_of_database() {
    if (database->dialect() == storage::Dialect::postgres)
      clock.advance(std::chrono::duration_cast<std::chrono::milliseconds>(SystemClock().now() - clock.now()));
  }

  static Deadline soon() { return Deadline::after(std::chrono::seconds{60}); }

  template <class T>
  T wait(Task<T> task) {
    return loop.wait(std::move(task));
  }

  static Actor actor(std::string tenant = "default") {
    return {.tenant = TenantId{tenant},
            .user_id = "tester",
            .correlation_id = "request-1",
            .causation_id = {},
            .traceparent = {}};
  }
  static model::Agent agent_named(std::string id) {
    model::Agent agent;
    agent.name = id;
    agent.id = AgentId{std::move(id)};
    agent.specialization = "testing";
    return agent;
  }
  model::Agent have_agent(std::string id, std::string tenant = "default") {
    auto made = wait(agents->create(actor(tenant), agent_named(std::move(id)), soon()));
    EXPECT_TRUE(made) << made.error().message;
    return *made;
  }
  /// Those with a column `tenant_id`; partitions go with their table.
  std::vector<std::string> tables_of_tenants() {
    storage::Statement const list{"test.tables",
                                  "SELECT table_name::text FROM information_schema.columns"
                                  " WHERE table_schema = 'agent_lightning' AND column_name = 'tenant_id'"
                                  " AND NOT EXISTS (SELECT 1 FROM pg_inherits i WHERE i.inhrelid ="
                                  " to_regclass(quote_ident(table_name)))",
                                  "SELECT t.name FROM sqlite_schema t, pragma_table_xinfo(t.name) c"
                                  " WHERE t.type = 'table' AND c.name = 'tenant_id'"};
    std::vector<std::string> tables;
    for (auto const& row : wait(database->read(storage::Scope::system(), list, {}, soon())))
      tables.push_back(std::get<std::string>(row.at(0)));
    return tables;
  }
  Result<model::Task> make_task(std::string agent_id, std::string tenant = "default") {
    clock.advance(std::chrono::milliseconds{1});  // ids are in the order of time, by the millisecond
    model::Task task;
    task.id = tasks->new_id();
    task.agent_id = AgentId{std::move(agent_id)};
    task.description = "say something";
    return wait(tasks->create(actor(tenant), std::move(task), soon()));
  }
  model::Task have_task(std::string agent_id, std::string tenant = "default") {
    auto made = make_task(std::move(agent_id), std::move(tenant));
    EXPECT_TRUE(made) << made.error().message;
    return *made;
  }
  /// As a worker that remembers no place in the queue.
  std::vector<Claim> claim(WorkerId const& worker, std::size_t free) {
    QueuePosition position;
    return wait(tasks->claim(worker, free, TaskStore::Which::all, position, soon()));
  }
  model::Knowledge have_item(std::string agent_id, std::string id, std::string content,
                             std::string tenant = "default") {
    model::Knowledge item;
    item.agent_id = AgentId{std::move(agent_id)};
    item.id = KnowledgeId{std::move(id)};
    item.content = std::move(content);
    auto made = wait(knowledge->add(actor(tenant), {.item = std::move(item)}, soon()));
    EXPECT_TRUE(made) << made.error().message;
    return *made;
  }
  /// "task:created task:started …" of one aggregate, and a failure when its versions have a gap.
  std::string history(std::string kind, std::string id, std::string tenant = "default") {
    std::string out;
    std::int64_t version = 0;
    for (auto const& event : wait(log->replay(TenantId{tenant}, std::move(kind), std::move(id), 1, 100, soon()))) {
      EXPECT_EQ(++version, event.version);
      out += (out.empty() ? "" : " ") + event.channel;
    }
    return out;
  }

  ManualClock clock;
  SeededRandom random;
  events::Bus bus;
  EventLoop loop;
  std::unique_ptr<storage::TestBackend> backend;
  std::unique_ptr<storage::Database> database;
  std::unique_ptr<Writer> writer;
  std::unique_ptr<AgentStore> agents;
  std::unique_ptr<TaskStore> tasks;
  std::unique_ptr<KnowledgeStore> knowledge;
  std::unique_ptr<events::EventLog> log;
};

/// Runs a suite derived from StoreFixture on every database.
#define AL_ON_EVERY_DATABASE(suite)                                                \
  INSTANTIATE_TEST_SUITE_P(On, suite, testing::ValuesIn(storage::backend_kinds()), \
                           [](auto const& info) { return std::string(info.param.name); })

}  // namespace al::data
