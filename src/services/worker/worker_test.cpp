#include "services/worker/worker.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <future>

#include "core/failpoint.hpp"
#include "data/store_fixture.hpp"

namespace al::services::worker {
namespace {

using model::TaskStatus;

/// Answers as the test says.
class ScriptedRunner final : public agents::Runner {
 public:
  using Script = std::function<Task<Result<providers::Answer>>(agents::Host&, Deadline)>;
  explicit ScriptedRunner(Script script) : script_(std::move(script)) {}

  [[nodiscard]] Task<Result<providers::Answer>> run(agents::Assignment const&, agents::Host& host,
                                                    Deadline deadline) override {
    return script_(host, deadline);
  }

 private:
  Script script_;
};

Task<Result<providers::Answer>> answer_at_once(agents::Host&, Deadline) {
  providers::Answer answer;
  answer.text = "done";
  answer.provider = "scripted";
  co_return answer;
}

/// Ends when it is cancelled, or after a minute.
Task<Result<providers::Answer>> never_answer(agents::Host&, Deadline) {
  asio::steady_timer timer(co_await asio::this_coro::executor, std::chrono::minutes{1});
  co_await timer.async_wait(asio::use_awaitable);
  co_return fail(Code::internal, "nobody cancelled it");
}

Task<Result<providers::Answer>> throw_something(agents::Host&, Deadline) {
  throw std::runtime_error("a defect");
  co_return fail(Code::internal, "");
}

class WorkerTest : public data::StoreFixture {
 public:
  void SetUp() override {
    StoreFixture::SetUp();
    have_agent("a");
    answers = std::make_unique<data::IdempotencyStore>(*database, clock, random);
  }
  void TearDown() override {
    stop();
    StoreFixture::TearDown();
  }

  void start(ScriptedRunner::Script script) {
    runner = std::make_unique<ScriptedRunner>(std::move(script));
    worker = std::make_unique<Worker>(
        loop.executor(), Stores{*tasks, *agents, *answers}, *runner, bus, live, clock, random,
        WorkerOptions{.sweep_interval = std::chrono::milliseconds{20}, .drain_timeout = drain_timeout});
    asio::post(loop.executor(), [this] { worker->start(); });
  }
  void stop() {
    if (!worker)
      return;
    wait(worker->stop());
    worker.reset();
  }

  void pass(std::chrono::milliseconds real) { wait(sleep_until(std::chrono::steady_clock::now() + real)); }

  /// Time passes until the task is in `wanted`, for retries wait for it; a minute of ours at most.
  model::Task task_in(TaskStatus wanted, TaskId const& id) {
    auto const limit = std::chrono::steady_clock::now() + std::chrono::minutes{1};
    for (;;) {
      auto task = wait(tasks->get(default_tenant, id, soon()));
      if (!task || task->status == wanted || std::chrono::steady_clock::now() > limit) {
        EXPECT_TRUE(task);
        EXPECT_EQ(task->status, wanted) << history("task", id.value);
        return *task;
      }
      clock.advance(std::chrono::milliseconds{200});
      pass(std::chrono::milliseconds{10});
    }
  }

  std::unique_ptr<data::IdempotencyStore> answers;
  std::unique_ptr<ScriptedRunner> runner;
  events::LiveText live{clock};
  std::chrono::milliseconds drain_timeout{200};
  std::unique_ptr<Worker> worker;
};

TEST_P(WorkerTest, BringsATaskToItsEnd) {
  auto const task = have_task("a");
  start(answer_at_once);
  task_in(TaskStatus::completed, task.id);
  EXPECT_EQ(history("task", task.id.value), "task:created task:started task:completed");
}

TEST_P(WorkerTest, ACancelReachesWhatRuns) {
  auto const task = have_task("a");
  start(never_answer);
  task_in(TaskStatus::started, task.id);
  ASSERT_TRUE(wait(tasks->cancel(actor(), task.id, soon())));
  bus.ring("task:cancelled");
  auto const limit = std::chrono::steady_clock::now() + std::chrono::seconds{30};
  auto const running = [&]() -> Task<std::size_t> { co_return worker->running(); };
  while (wait(running()) > 0 && std::chrono::steady_clock::now() < limit)
    pass(std::chrono::milliseconds{5});
  EXPECT_EQ(wait(running()), 0u);
  EXPECT_EQ(history("task", task.id.value), "task:created task:started task:cancelled");
}

/// Who cancelled a task of a server that was being stopped paid for it for 30 s.
TEST_P(WorkerTest, ACancelReachesWhatRunsDuringTheDrain) {
  drain_timeout = std::chrono::minutes{1};
  auto const task = have_task("a");
  start(never_answer);
  task_in(TaskStatus::started, task.id);
  auto stopped = loop.start(worker->stop());
  ASSERT_TRUE(wait(tasks->cancel(actor(), task.id, soon())));
  EXPECT_EQ(stopped.wait_for(std::chrono::seconds{20}), std::future_status::ready);
  stopped.get();
  worker.reset();
  EXPECT_EQ(history("task", task.id.value), "task:created task:started task:cancelled");
}

/// Each word of any model woke every stream of events, which read the database.
TEST_P(WorkerTest, WordsWakeOnlyThoseWhoWatchTheTask) {
  auto const all = bus.subscribe(loop.executor(), {"*"});
  auto const has_rung = [&] { return wait(all->wait(std::chrono::steady_clock::now())); };
  auto const task = have_task("a");
  auto const watch = live.watch(loop.executor(), task.id);
  std::promise<agents::Host*> begun;
  start([&](agents::Host& host, Deadline deadline) {
    host.begin_text(1);
    begun.set_value(&host);
    return never_answer(host, deadline);
  });
  auto* const host = begun.get_future().get();
  EXPECT_TRUE(has_rung()) << "it was created and started";
  auto const write = [&]() -> Task<void> {
    host->text("word");
    co_return;
  };
  wait(write());
  EXPECT_TRUE(wait(watch->wait(std::chrono::steady_clock::now() + std::chrono::seconds{20})));
  EXPECT_FALSE(has_rung());
  stop();  // before what its script refers to goes
}

TEST_P(WorkerTest, AnUnexpectedExceptionEndsTheTaskAndNotTheWorker) {
  auto const task = have_task("a");
  start(throw_something);
  auto const ended = task_in(TaskStatus::failed, task.id);
  EXPECT_EQ(ended.attempt, 3);
  EXPECT_NE(ended.error_message, std::nullopt);
  auto const running = [&]() -> Task<std::size_t> { co_return worker->running(); };
  EXPECT_EQ(wait(running()), 0u);
}

TEST_P(WorkerTest, HandsBackWhatItCannotEndInTime) {
  auto const task = have_task("a");
  start(never_answer);
  task_in(TaskStatus::started, task.id);
  stop();
  EXPECT_EQ(task_in(TaskStatus::pending, task.id).attempt, 0);
  EXPECT_EQ(history("task", task.id.value), "task:created task:started task:released");
}

#ifdef AL_FAILPOINTS
TEST_P(WorkerTest, AClaimWhoseReplyWasLostIsGivenUp) {
  auto const task = have_task("a");
  failpoint::arm("worker.claimed=error@1");
  start(answer_at_once);
  task_in(TaskStatus::completed, task.id);
  failpoint::arm("");
  EXPECT_EQ(history("task", task.id.value), "task:created task:started task:retried task:started task:completed");
}
#endif

AL_ON_EVERY_DATABASE(WorkerTest);

}  // namespace
}  // namespace al::services::worker
