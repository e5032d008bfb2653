#include "data/task_changes.hpp"

#include "data/store_fixture.hpp"

namespace al::data {
namespace {

// The database has its own clock on PostgreSQL, so these are far from now on either.
Timestamp const ahead{std::chrono::sys_days{std::chrono::year{2999} / 1 / 1}};
Timestamp const passed{std::chrono::sys_days{std::chrono::year{2001} / 1 / 1}};

class TaskRetryTest : public StoreFixture {
 protected:
  void SetUp() override {
    StoreFixture::SetUp();
    have_agent("a");
  }
  /// A task of these times, after it was cancelled and retried.
  model::Task retried(std::optional<Timestamp> scheduled_at, std::optional<Timestamp> deadline_at) {
    model::Task task;
    task.id = tasks->new_id();
    task.agent_id = AgentId{"a"};
    task.description = "say something";
    task.scheduled_at = scheduled_at;
    task.deadline_at = deadline_at;
    auto const created = wait(tasks->create(actor(), task, soon()));
    EXPECT_TRUE(created);
    EXPECT_TRUE(wait(tasks->cancel(actor(), task.id, soon())));
    auto const again = wait(tasks->retry(actor(), task.id, soon()));
    EXPECT_TRUE(again) << again.error().message;
    return again ? *again : model::Task{};
  }
};
AL_ON_EVERY_DATABASE(TaskRetryTest);

/// A retry forgot the deadline, and showed a time that it did not wait for.
TEST_P(TaskRetryTest, KeepsADeadlineThatLiesAhead) {
  EXPECT_EQ(retried(std::nullopt, ahead).deadline_at, ahead);
  EXPECT_EQ(retried(std::nullopt, passed).deadline_at, std::nullopt) << "one that has passed would fail it at once";
  EXPECT_EQ(retried(std::nullopt, std::nullopt).deadline_at, std::nullopt);
}

TEST_P(TaskRetryTest, RunsNowWhateverItWasScheduledFor) {
  auto const task = retried(ahead, std::nullopt);
  EXPECT_EQ(task.scheduled_at, std::nullopt);
  WorkerId const worker{tasks->new_id().value};
  wait(tasks->renew_lease(worker, "w", std::chrono::seconds{60}, soon()));
  auto const claims = claim(worker, 1);
  ASSERT_EQ(claims.size(), 1U);
  EXPECT_EQ(claims[0].task.id, task.id);
}

/// A release gives the attempt's number back, and the mark stood before its steps.
TEST_P(TaskRetryTest, IsMarkedBehindTheStepsOfAnAttemptThatWasHandedBack) {
  auto const task = have_task("a");
  WorkerId const worker{tasks->new_id().value};
  wait(tasks->renew_lease(worker, "w", std::chrono::seconds{60}, soon()));
  auto const claims = claim(worker, 1);
  ASSERT_EQ(claims.size(), 1U);
  std::vector<TaskStep> const steps{{.attempt = 1, .step = 1, .kind = "prompt", .detail = {"{}"}},
                                    {.attempt = 1, .step = 2, .kind = "model", .detail = {"{}"}}};
  ASSERT_TRUE(wait(tasks->record(claims[0], steps, soon())));
  ASSERT_TRUE(wait(tasks->release(claims[0], soon())));
  std::string kinds;
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(wait(tasks->cancel(actor(), task.id, soon())));
    ASSERT_TRUE(wait(tasks->retry(actor(), task.id, soon())));
  }
  for (auto const& step : wait(tasks->steps(default_tenant, task.id, soon())).value())
    kinds += step.kind + " ";
  EXPECT_EQ(kinds, "prompt model retry retry ");
}

/// The retry was accepted, and the sweep cancelled it.
TEST_P(TaskRetryTest, OfDelegatedWorkNeedsAParentThatWaitsForIt) {
  auto const parent = have_task("a");
  model::Task child;
  child.id = tasks->new_id();
  child.agent_id = AgentId{"a"};
  child.parent_id = parent.id;
  child.description = "a part of it";
  ASSERT_TRUE(wait(tasks->create(actor(), child, soon())));
  ASSERT_TRUE(wait(tasks->cancel(actor(), parent.id, soon())));
  auto const refused = wait(tasks->retry(actor(), child.id, soon()));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::conflict);
  EXPECT_NE(refused.error().message.find(parent.id.value), std::string::npos) << refused.error().message;
  ASSERT_TRUE(wait(tasks->retry(actor(), parent.id, soon())));
  EXPECT_TRUE(wait(tasks->retry(actor(), child.id, soon())));
  EXPECT_EQ(wait(tasks->sweep(soon())).orphaned, 0U);
}

}  // namespace
}  // namespace al::data
