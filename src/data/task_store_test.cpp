#include <set>

#include "core/failpoint.hpp"
#include "data/store_fixture.hpp"

namespace al::data {
namespace {

using std::chrono::seconds;

class TaskStoreTest : public StoreFixture {
 protected:
  void SetUp() override {
    StoreFixture::SetUp();
    have_agent("a");
  }
  WorkerId have_worker(seconds lease = seconds{60}) {
    WorkerId worker{tasks->new_id().value};
    wait(tasks->renew_lease(worker, "worker", lease, soon()));
    return worker;
  }
  std::vector<Claim> claim(WorkerId const& worker, std::size_t free = 10) { return StoreFixture::claim(worker, free); }
  Claim claim_one(WorkerId const& worker) {
    auto claims = claim(worker, 1);
    EXPECT_EQ(claims.size(), 1U);
    return claims.empty() ? Claim{} : claims[0];
  }
  model::Task get(TaskId const& id) { return *wait(tasks->get(default_tenant, id, soon())); }
  Result<void> complete(Claim const& claim, Outcome outcome = {.result_json = R"({"text":"done"})",
                                                               .error_message = {},
                                                               .steps = {},
                                                               .used_knowledge = {}}) {
    return wait(tasks->complete(claim, std::move(outcome), soon()));
  }
  Result<void> fail_attempt(Claim const& claim, bool may_retry) {
    return wait(tasks->fail_attempt(claim,
                                    {.result_json = {}, .error_message = "no luck", .steps = {}, .used_knowledge = {}},
                                    {may_retry}, soon()));
  }
};
AL_ON_EVERY_DATABASE(TaskStoreTest);

TEST_P(TaskStoreTest, GoesFromPendingToCompleted) {
  auto const task = have_task("a");
  EXPECT_EQ(task.status, model::TaskStatus::pending);
  auto const held = claim_one(have_worker());
  EXPECT_EQ(held.task.id, task.id);
  EXPECT_EQ(held.task.attempt, 1);
  EXPECT_EQ(held.correlation_id, "request-1");
  TaskStep step{.attempt = 1, .step = 1, .kind = "answer", .duration_us = 12, .detail = {R"({"x":1})"}};
  ASSERT_TRUE(complete(
      held,
      {.result_json = R"({"text":"it's \"done\""})", .error_message = {}, .steps = {step}, .used_knowledge = {}}));
  auto const done = get(task.id);
  EXPECT_EQ(done.status, model::TaskStatus::completed);
  EXPECT_EQ(done.result->text, R"({"text":"it's \"done\""})");
  EXPECT_TRUE(done.started_at && done.completed_at);
  auto const steps = wait(tasks->steps(default_tenant, task.id, soon()));
  ASSERT_TRUE(steps);
  ASSERT_EQ(steps->size(), 1U);
  EXPECT_EQ(steps->at(0).kind, "answer");
  EXPECT_EQ(steps->at(0).duration_us, 12);
  EXPECT_EQ(history("task", task.id.value), "task:created task:started task:completed");
}

TEST_P(TaskStoreTest, AnEventCarriesTheStateAfterTheChange) {
  auto const task = have_task("a");
  ASSERT_TRUE(complete(claim_one(have_worker())));
  auto const events = wait(log->replay(default_tenant, "task", task.id.value, 1, 10, soon()));
  ASSERT_EQ(events.size(), 3U);
  for (auto const& event : events) {
    auto const source = json::Source::from(event.data.text);
    ASSERT_TRUE(source) << event.data.text;
    auto const state = entity::from_json<model::Task>(source->root(), entity::Mode::stored);
    ASSERT_TRUE(state) << event.data.text;
    EXPECT_EQ(state->version, event.version);
    EXPECT_EQ(state->id, task.id);
    EXPECT_EQ(state->created_at, task.created_at);
  }
  EXPECT_EQ(events[2].metadata.correlation_id, "request-1") << "the worker goes on with what the client began";
  EXPECT_EQ(events[2].metadata.user_id, "system");
}

TEST_P(TaskStoreTest, NobodyTakesATaskOfNobody) {
  auto const refused = make_task("nobody");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::not_found);
}

TEST_P(TaskStoreTest, IsMadeOnceUnderAnId) {
  auto const task = have_task("a");
  ASSERT_TRUE(complete(claim_one(have_worker())));
  auto again = task;
  auto const made = wait(tasks->create(actor(), std::move(again), soon()));
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(made->status, model::TaskStatus::completed) << "as it is by now";
  EXPECT_EQ(history("task", task.id.value), "task:created task:started task:completed");
}

TEST_P(TaskStoreTest, ManyAtOnceHaveEachTheirOwnResult) {
  std::vector<Task<Result<model::Task>>> creates;
  auto const who = actor();
  for (int i = 0; i < 64; ++i) {
    model::Task task;
    task.id = tasks->new_id();
    task.agent_id = AgentId{i % 4 == 0 ? "nobody" : "a"};
    task.description = "number " + std::to_string(i);
    creates.push_back(tasks->create(who, std::move(task), soon()));
  }
  auto const settled = wait(settle(std::move(creates)));
  for (int i = 0; i < 64; ++i) {
    auto const& one = settled[static_cast<std::size_t>(i)];
    ASSERT_FALSE(one.fault);
    ASSERT_EQ(one.value.has_value(), i % 4 != 0) << i;
    if (one.value)
      EXPECT_EQ(one.value->description, "number " + std::to_string(i));
  }
}

TEST_P(TaskStoreTest, UrgentOnesFirstThenTheOldest) {
  auto const normal = have_task("a");
  auto const second = have_task("a");
  auto const urgent = have_task("a");
  ASSERT_TRUE(wait(tasks->set_priority(actor(), urgent.id, model::Priority::urgent, std::nullopt, soon())));
  auto const worker = have_worker();
  EXPECT_EQ(claim_one(worker).task.id, urgent.id);
  EXPECT_EQ(claim_one(worker).task.id, normal.id);
  EXPECT_EQ(claim_one(worker).task.id, second.id);
}

/// On PostgreSQL all but one of them met a conflict.
TEST_P(TaskStoreTest, ManyMayChangeOneTaskAtOnce) {
  auto const task = have_task("a");
  auto const who = actor();
  std::vector<Task<Result<model::Task>>> changes;
  for (int i = 0; i < 16; ++i)
    changes.push_back(tasks->set_priority(who, task.id, model::Priority::high, std::nullopt, soon()));
  for (auto const& one : wait(settle(std::move(changes)))) {
    ASSERT_FALSE(one.fault);
    EXPECT_TRUE(one.value) << one.value.error().message;
  }
  EXPECT_EQ(get(task.id).version, 17);
}

TEST_P(TaskStoreTest, AnAgentRunsNoMoreThanItMay) {
  auto narrow = agent_named("narrow");
  narrow.max_concurrency = 2;
  ASSERT_TRUE(wait(agents->create(actor(), narrow, soon())));
  for (int i = 0; i < 5; ++i)
    have_task("narrow");
  auto const worker = have_worker();
  auto const first = claim(worker);
  EXPECT_EQ(first.size(), 2U);
  EXPECT_EQ(claim(worker).size(), 0U);
  ASSERT_TRUE(complete(first[0]));
  EXPECT_EQ(claim(worker).size(), 1U);
}

TEST_P(TaskStoreTest, FullAndOfflineAgentsHoldNobodyUp) {
  auto full = agent_named("full");
  full.max_concurrency = 1;
  ASSERT_TRUE(wait(agents->create(actor(), full, soon())));
  auto offline = agent_named("offline");
  offline.status = model::AgentStatus::offline;
  ASSERT_TRUE(wait(agents->create(actor(), offline, soon())));
  for (int i = 0; i < 20; ++i) {
    have_task("full");
    have_task("offline");
  }
  auto const behind = have_task("a");
  auto const worker = have_worker();
  EXPECT_EQ(claim_one(worker).task.agent_id.value, "full");
  EXPECT_EQ(claim_one(worker).task.id, behind.id);
  EXPECT_EQ(claim(worker).size(), 0U);
}

TEST_P(TaskStoreTest, TwoClaimersNeverHaveTheSameTask) {
  auto wide = agent_named("wide");
  wide.max_concurrency = 1000;
  ASSERT_TRUE(wait(agents->create(actor(), wide, soon())));
  for (int i = 0; i < 40; ++i)
    have_task("wide");
  std::vector<WorkerId> workers;
  for (int i = 0; i < 4; ++i)
    workers.push_back(have_worker());
  std::vector<Task<std::vector<Claim>>> claims;
  std::vector<QueuePosition> positions(workers.size());
  for (std::size_t i = 0; i < workers.size(); ++i)
    claims.push_back(tasks->claim(workers[i], 20, TaskStore::Which::all, positions[i], soon()));
  std::set<std::string> taken;
  for (auto const& one : wait(settle(std::move(claims)))) {
    ASSERT_FALSE(one.fault);
    for (auto const& claim : one.value)
      EXPECT_TRUE(taken.insert(claim.task.id.value).second);
  }
  EXPECT_GE(taken.size(), 20U);
}

/// A worker that goes on from the place it remembers finds what comes after it, and by itself also what stands before
/// it: retries, and what was left because its agent was full.
TEST_P(TaskStoreTest, AWorkerThatRemembersItsPlaceMissesNothing) {
  auto wide = agent_named("wide");
  wide.max_concurrency = 1000;
  ASSERT_TRUE(wait(agents->create(actor(), wide, soon())));
  std::vector<TaskId> ids;
  for (int i = 0; i < 12; ++i) {
    ids.push_back(have_task("wide").id);
    clock.advance(std::chrono::seconds{1});
  }
  auto const worker = have_worker();
  QueuePosition position;
  std::vector<Claim> held;
  auto const take = [&](std::size_t free) {
    auto more = wait(tasks->claim(worker, free, TaskStore::Which::all, position, soon()));
    auto const count = more.size();
    std::ranges::move(more, std::back_inserter(held));
    return count;
  };
  EXPECT_EQ(take(3), 3U);
  EXPECT_EQ(position.oldest_running.empty(), database->dialect() == storage::Dialect::sqlite);
  EXPECT_EQ(take(4), 4U);
  for (std::size_t i = 0; i < held.size(); ++i)
    EXPECT_EQ(held[i].task.id, ids[i]) << "in order";
  ASSERT_TRUE(wait(tasks->release(held[0], soon())));
  EXPECT_EQ(take(6), 6U) << "the five after the place, and the one before it";
  EXPECT_EQ(take(1), 0U);
}

/// With the place remembered, agents that are full are still full.
TEST_P(TaskStoreTest, AWorkerThatRemembersItsPlaceKeepsToTheRoomOfAgents) {
  auto narrow = agent_named("narrow");
  narrow.max_concurrency = 2;
  ASSERT_TRUE(wait(agents->create(actor(), narrow, soon())));
  for (int i = 0; i < 6; ++i)
    have_task("narrow");
  auto const worker = have_worker();
  QueuePosition position;
  std::size_t claimed = 0;
  for (int i = 0; i < 4; ++i)
    claimed += wait(tasks->claim(worker, 1, TaskStore::Which::all, position, soon())).size();
  EXPECT_EQ(claimed, 2U);
}

#ifdef AL_FAILPOINTS
/// A create whose reply was lost was once answered with what the task had become by then.
TEST_P(TaskStoreTest, ACreateWhoseReplyIsLostIsAnsweredWithWhatItWrote) {
  auto const worker = have_worker();
  failpoint::arm("storage.commit.after=error@1");
  auto const made = have_task("a");
  failpoint::arm("");
  EXPECT_EQ(made.version, 1);
  EXPECT_EQ(entity::to_json(get(made.id)), entity::to_json(made));
  EXPECT_EQ(claim(worker).size(), 1U);
}
#endif

TEST_P(TaskStoreTest, AFailedAttemptIsTriedAgainUntilNoneIsLeft) {
  auto const task = have_task("a");
  auto const worker = have_worker();
  auto held = claim_one(worker);
  ASSERT_TRUE(fail_attempt(held, true));
  auto const waiting = get(task.id);
  EXPECT_EQ(waiting.status, model::TaskStatus::pending);
  EXPECT_EQ(waiting.error_message, "no luck");
  if (database->dialect() == storage::Dialect::sqlite) {  // whose clock stands still
    EXPECT_TRUE(claim(worker).empty()) << "not before its delay is over";
    EXPECT_TRUE(wait(tasks->next_available(soon())));
  }
  EXPECT_EQ(history("task", task.id.value), "task:created task:started task:retried");
}

TEST_P(TaskStoreTest, WhatCannotPassFailsAtOnce) {
  auto const task = have_task("a");
  ASSERT_TRUE(fail_attempt(claim_one(have_worker()), false));
  EXPECT_EQ(get(task.id).status, model::TaskStatus::failed);
  EXPECT_EQ(get(task.id).error_message, "no luck");
}

TEST_P(TaskStoreTest, ALostClaimChangesNothing) {
  auto const task = have_task("a");
  auto const zombie = claim_one(have_worker(seconds{0}));  // its lease is over at once
  auto const swept = wait(tasks->sweep(soon()));
  EXPECT_EQ(swept.requeued, 1U);
  for (auto const& late : {complete(zombie), fail_attempt(zombie, true), wait(tasks->progress(zombie, "x", soon())),
                           wait(tasks->release(zombie, soon()))}) {
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().code, Code::lease_lost);
  }
  EXPECT_EQ(get(task.id).status, model::TaskStatus::pending);
  EXPECT_EQ(get(task.id).error_message, "the worker that ran it lost it");  // docs/services/worker.md names it
  EXPECT_EQ(history("task", task.id.value), "task:created task:started task:retried");
}

TEST_P(TaskStoreTest, TheSweepFailsWhatHasNoAttemptLeft) {
  model::Task once;
  once.id = tasks->new_id();
  once.agent_id = AgentId{"a"};
  once.description = "once";
  once.max_attempts = 1;
  ASSERT_TRUE(wait(tasks->create(actor(), once, soon())));
  claim_one(have_worker(seconds{0}));
  EXPECT_EQ(wait(tasks->sweep(soon())).failed, 1U);
  EXPECT_EQ(get(once.id).status, model::TaskStatus::failed);
}

TEST_P(TaskStoreTest, TheSweepLeavesLiveWorkersAlone) {
  have_task("a");
  claim_one(have_worker());
  auto const swept = wait(tasks->sweep(soon()));
  EXPECT_EQ(swept.requeued + swept.failed + swept.overdue + swept.orphaned, 0U);
}

TEST_P(TaskStoreTest, TheSweepCancelsTasksOfDeletedAgents) {
  auto const task = have_task("a");
  ASSERT_TRUE(wait(agents->remove(actor(), AgentId{"a"}, std::nullopt, soon())));
  EXPECT_TRUE(claim(have_worker()).empty());
  EXPECT_EQ(wait(tasks->sweep(soon())).orphaned, 1U);
  EXPECT_EQ(get(task.id).status, model::TaskStatus::cancelled);
}

TEST_P(TaskStoreTest, APendingOnePastItsDeadlineFails) {
  model::Task late;
  late.id = tasks->new_id();
  late.agent_id = AgentId{"a"};
  late.description = "late";
  late.deadline_at = clock.now() - std::chrono::hours{1};
  ASSERT_TRUE(wait(tasks->create(actor(), late, soon())));
  EXPECT_TRUE(claim(have_worker()).empty());
  EXPECT_EQ(wait(tasks->sweep(soon())).overdue, 1U);
  EXPECT_EQ(get(late.id).status, model::TaskStatus::failed);
  EXPECT_EQ(history("task", late.id.value), "task:created task:failed");
}

TEST_P(TaskStoreTest, AScheduledOneWaitsForItsTime) {
  model::Task later;
  later.id = tasks->new_id();
  later.agent_id = AgentId{"a"};
  later.description = "later";
  later.scheduled_at = Timestamp{std::chrono::sys_days{std::chrono::year{2999} / 1 / 1}};
  ASSERT_TRUE(wait(tasks->create(actor(), later, soon())));
  EXPECT_TRUE(claim(have_worker()).empty());
  EXPECT_EQ(wait(tasks->next_available(soon())), later.scheduled_at);
}

TEST_P(TaskStoreTest, ACancelTakesTheTaskFromItsWorker) {
  auto const task = have_task("a");
  auto const worker = have_worker();
  auto const held = claim_one(worker);
  auto const known = wait(tasks->held(worker, soon()));
  ASSERT_EQ(known.size(), 1u);
  EXPECT_EQ(known[0].task.id, task.id);
  EXPECT_EQ(known[0].epoch, held.epoch);
  ASSERT_TRUE(wait(tasks->cancel(actor(), task.id, soon())));
  EXPECT_TRUE(wait(tasks->held(worker, soon())).empty());
  EXPECT_EQ(complete(held).error().code, Code::lease_lost);
  auto const again = wait(tasks->cancel(actor(), task.id, soon()));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Code::conflict);
  EXPECT_EQ(history("task", task.id.value), "task:created task:started task:cancelled");
}

TEST_P(TaskStoreTest, ARetryRunsAFailedTaskOnceMore) {
  auto const task = have_task("a");
  auto const worker = have_worker();
  ASSERT_FALSE(wait(tasks->retry(actor(), task.id, soon())));
  ASSERT_TRUE(fail_attempt(claim_one(worker), false));
  auto const retried = wait(tasks->retry(actor(), task.id, soon()));
  ASSERT_TRUE(retried) << retried.error().message;
  EXPECT_EQ(retried->status, model::TaskStatus::pending);
  ASSERT_TRUE(complete(claim_one(worker)));
  EXPECT_EQ(get(task.id).attempt, 2);
  EXPECT_FALSE(wait(tasks->retry(actor(), task.id, soon()))) << "a completed one is done";
}

TEST_P(TaskStoreTest, AReleasedTaskIsAsIfItHadNotBeenClaimed) {
  auto const task = have_task("a");
  auto const worker = have_worker();
  ASSERT_TRUE(wait(tasks->release(claim_one(worker), soon())));
  EXPECT_EQ(get(task.id).attempt, 0);
  EXPECT_EQ(claim_one(worker).task.id, task.id);
}

TEST_P(TaskStoreTest, ProgressIsSeenWhileItRuns) {
  auto const task = have_task("a");
  auto const held = claim_one(have_worker());
  ASSERT_TRUE(wait(tasks->progress(held, "half \"way\"", soon())));
  EXPECT_EQ(get(task.id).progress->text, R"({"text":"half \"way\""})");
  ASSERT_TRUE(complete(held));
  EXPECT_FALSE(get(task.id).progress);
  EXPECT_EQ(history("task", task.id.value), "task:created task:started task:progress task:completed");
}

TEST_P(TaskStoreTest, ProgressGoesWithTheAttempt) {
  auto const task = have_task("a");
  ASSERT_TRUE(wait(tasks->progress(claim_one(have_worker()), "half way", soon())));
  auto const cancelled = wait(tasks->cancel(actor(), task.id, soon()));
  ASSERT_TRUE(cancelled);
  EXPECT_FALSE(cancelled->progress);
  EXPECT_FALSE(wait(tasks->retry(actor(), task.id, soon()))->progress);
}

TEST_P(TaskStoreTest, UsesOfKnowledgeAreCounted) {
  have_item("a", "k", "some text");
  for (int i = 0; i < 2; ++i) {
    have_task("a");
    ASSERT_TRUE(
        complete(claim_one(have_worker()),
                 {.result_json = "{}", .error_message = {}, .steps = {}, .used_knowledge = {KnowledgeId{"k"}}}));
  }
  EXPECT_EQ(wait(tasks->fold_knowledge_uses(soon())), 2U);
  EXPECT_EQ(wait(tasks->fold_knowledge_uses(soon())), 0U);
  auto const item = wait(knowledge->get(default_tenant, AgentId{"a"}, KnowledgeId{"k"}, soon()));
  ASSERT_TRUE(item);
  EXPECT_EQ(item->usage_count, 2);
  EXPECT_TRUE(item->last_used_at);
  EXPECT_EQ(item->version, 1) << "being used is no change";
}

TEST_P(TaskStoreTest, ListsNewestFirstAndFiltered) {
  have_agent("b");
  auto const first = have_task("a");
  auto const second = have_task("b");
  auto const third = have_task("a");
  ASSERT_TRUE(wait(tasks->cancel(actor(), third.id, soon())));
  auto const ids = [&](TaskFilter filter) {
    std::vector<TaskId> out;
    for (auto const& task : wait(tasks->list(default_tenant, std::move(filter), {}, soon()))->items)
      out.push_back(task.id);
    return out;
  };
  EXPECT_EQ(ids({}), (std::vector<TaskId>{third.id, second.id, first.id}));
  EXPECT_EQ(ids({.agent_id = AgentId{"a"}}), (std::vector<TaskId>{third.id, first.id}));
  using enum model::TaskStatus;
  EXPECT_EQ(ids({.statuses = {pending}}), (std::vector<TaskId>{second.id, first.id}));
  EXPECT_EQ(ids({.statuses = {pending, cancelled}}), (std::vector<TaskId>{third.id, second.id, first.id}));
  EXPECT_TRUE(ids({.statuses = {completed}}).empty());
  EXPECT_EQ(ids({.priorities = {model::Priority::normal}}).size(), 3U);
  EXPECT_TRUE(ids({.priorities = {model::Priority::low, model::Priority::urgent}}).empty());
  EXPECT_EQ(ids({.created_from = second.created_at}), (std::vector<TaskId>{third.id, second.id}));
  EXPECT_EQ(ids({.created_to = second.created_at}), std::vector<TaskId>{first.id});
  EXPECT_TRUE(ids({.created_from = third.created_at + seconds{1}}).empty());
  EXPECT_TRUE(ids({.parent_id = first.id}).empty());
}

TEST_P(TaskStoreTest, FindsAPartOfTheDescription) {
  auto const have = [&](std::string description) {
    clock.advance(std::chrono::milliseconds{1});
    model::Task task;
    task.id = tasks->new_id();
    task.agent_id = AgentId{"a"};
    task.description = std::move(description);
    auto made = wait(tasks->create(actor(), std::move(task), soon()));
    EXPECT_TRUE(made);
    return made->id;
  };
  auto const first = have("Rotate 100% of the keys_now");
  auto const second = have("rotate the logs");
  auto const find = [&](std::string text, PageRequest request = {}) {
    request.count_total = true;
    return *wait(tasks->list(default_tenant, {.text = std::move(text)}, std::move(request), soon()));
  };
  EXPECT_EQ(find("ROTATE").total, 2);
  auto const page = find("rotate", {.limit = 1, .cursor = {}});
  ASSERT_EQ(page.items.size(), 1U);
  EXPECT_EQ(page.items[0].id, second);
  auto const rest = find("rotate", {.limit = 1, .cursor = page.next_cursor});
  ASSERT_EQ(rest.items.size(), 1U);
  EXPECT_EQ(rest.items[0].id, first);
  EXPECT_EQ(rest.next_cursor, "");
  EXPECT_EQ(find("100% of").total, 1);
  EXPECT_EQ(find("%").total, 1) << "it is no wildcard";
  EXPECT_EQ(find("s_n").total, 1);
  EXPECT_EQ(find("e_t").total, 0) << "it is no wildcard";
  EXPECT_EQ(find("\\").total, 0);
}

TEST_P(TaskStoreTest, CountsTheOpenOnes) {
  auto const empty = wait(tasks->queue(default_tenant, soon()));
  EXPECT_EQ(empty.pending + empty.scheduled + empty.started, 0);
  EXPECT_FALSE(empty.oldest_pending_at);
  have_agent("b");
  have_agent("c");
  auto const started = have_task("b");
  EXPECT_EQ(claim_one(have_worker()).task.id, started.id);
  auto const oldest = have_task("b");
  have_task("a");
  have_task("b");
  ASSERT_TRUE(wait(tasks->cancel(actor(), have_task("a").id, soon())));
  model::Task later;
  later.id = tasks->new_id();
  later.agent_id = AgentId{"c"};
  later.description = "not yet";
  later.scheduled_at = std::chrono::sys_days{std::chrono::year{2100} / 1 / 1};
  ASSERT_TRUE(wait(tasks->create(actor(), std::move(later), soon())));
  auto const queue = wait(tasks->queue(default_tenant, soon()));
  EXPECT_EQ(queue.pending, 3);
  EXPECT_EQ(queue.scheduled, 1);
  EXPECT_EQ(queue.started, 1);
  EXPECT_EQ(queue.oldest_pending_at, oldest.created_at);
  EXPECT_EQ(entity::type_of<std::vector<model::AgentQueue>>().size(&queue.agents), 2) << "c has only one to come";
  EXPECT_EQ(entity::to_json(queue.agents.at(0)), R"({"agent_id":"b","pending":2,"started":1})");
  EXPECT_EQ(entity::to_json(queue.agents.at(1)), R"({"agent_id":"a","pending":1,"started":0})");
}

TEST(ChooseClaims, TakesInOrderAndKeepsWithinEachAgentsLimit) {
  auto const c = [](char const* id, char const* agent, std::int64_t room) {
    return Claimable{.tenant = default_tenant, .id = TaskId{id}, .agent_id = AgentId{agent}, .agent_room = room};
  };
  auto const chosen = choose_claims({c("1", "a", 1), c("2", "a", 1), c("3", "b", 9), c("4", "b", 9)}, 2);
  ASSERT_EQ(chosen.size(), 2U);
  EXPECT_EQ(chosen[0].id.value, "1");
  EXPECT_EQ(chosen[1].id.value, "3");
}

TEST(ChooseClaims, WhatWasDelegatedNeedsNoRoom) {
  auto const c = [](char const* id, bool is_delegated) {
    return Claimable{
        .tenant = default_tenant, .id = TaskId{id}, .agent_id = AgentId{"a"}, .is_delegated = is_delegated};
  };
  auto const chosen = choose_claims({c("1", false), c("2", true), c("3", false), c("4", true)}, 4);
  ASSERT_EQ(chosen.size(), 3U);
  EXPECT_EQ(chosen[1].id.value, "2");
  EXPECT_EQ(chosen[2].id.value, "4");
}

TEST(RetryDelay, GrowsAndStaysWithinAMinute) {
  SeededRandom random;
  for (int attempt = 1; attempt < 100; ++attempt) {
    auto const delay = retry_delay(attempt, random);
    EXPECT_GT(delay.count(), 0);
    EXPECT_LE(delay, seconds{60});
    if (attempt == 1)
      EXPECT_LE(delay, seconds{1});
  }
}

}  // namespace
}  // namespace al::data
