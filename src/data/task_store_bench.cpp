/// Tasks created with their events on SQLite, without HTTP: one commit each (groups of one), as most programs use
/// SQLite, and in groups. The second is the limit for creating tasks over HTTP. Run it on a real disk (TMPDIR).

#include "data/task_store.hpp"

#include <benchmark/benchmark.h>

#include <future>

#include "data/agent_store.hpp"
#include "storage/migrations.hpp"
#include "testing/event_loop.hpp"
#include "testing/temporary_directory.hpp"

namespace al::data {
namespace {

constexpr std::int64_t agents_count = 1'000;
constexpr std::int64_t tasks_per_caller = 50;

Deadline soon() { return Deadline::after(std::chrono::seconds(60)); }

Actor actor() {
  return {.tenant = default_tenant,
          .user_id = "bench",
          .correlation_id = "0123456789abcdef",
          .causation_id = {},
          .traceparent = {}};
}

class Store {
 public:
  explicit Store(std::size_t group_max) {
    storage::migrate_up({.sqlite_path = path_});
    database_ = storage::open_sqlite({.path = path_, .group_max = group_max}, clock_);
    writer_ = std::make_unique<Writer>(*database_, bus_, clock_, random_, "bench");
    tasks_ = std::make_unique<TaskStore>(*writer_);
    AgentStore agents(*writer_, nullptr);
    for (std::int64_t n = 0; n < agents_count; ++n)
      loop_.wait(agents.create(actor(), agent(n), soon())).value();
  }
  ~Store() { database_->close(); }
  Store(Store const&) = delete;
  Store& operator=(Store const&) = delete;

  void create(std::int64_t callers) {
    std::vector<std::future<void>> ends;
    for (std::int64_t caller = 0; caller < callers; ++caller)
      ends.push_back(loop_.start(create_some()));
    for (auto& end : ends)
      end.get();
  }

 private:
  static AgentId id_of(std::uint64_t n) { return AgentId{"bench_" + std::to_string(n)}; }

  static model::Agent agent(std::int64_t n) {
    model::Agent agent;
    agent.id = id_of(static_cast<std::uint64_t>(n));
    agent.name = agent.id.value;
    agent.specialization = "bench";
    return agent;
  }

  Task<void> create_some() {
    for (std::int64_t i = 0; i < tasks_per_caller; ++i) {
      model::Task task;
      task.id = tasks_->new_id();
      task.agent_id = id_of(random_.below(agents_count));
      task.description = "How do I stop SQL injection?";
      (co_await tasks_->create(actor(), std::move(task), soon())).value();
    }
  }

  TemporaryDirectory directory_;
  std::string const path_ = directory_.file("bench.db");
  SystemClock clock_;
  SystemRandom random_;
  EventLoop loop_;
  events::Bus bus_;
  std::unique_ptr<storage::Database> database_;
  std::unique_ptr<Writer> writer_;
  std::unique_ptr<TaskStore> tasks_;
};

void create_tasks(benchmark::State& state) {
  Store store(static_cast<std::size_t>(state.range(1)));
  for (auto _ : state)
    store.create(state.range(0));
  state.SetItemsProcessed(state.iterations() * state.range(0) * tasks_per_caller);
}
BENCHMARK(create_tasks)
    ->ArgNames({"callers", "group"})
    ->Args({32, 1})
    ->Args({32, 512})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace al::data
