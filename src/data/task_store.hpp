#pragma once
#include <array>
#include <string>
#include <vector>

#include "data/change.hpp"
#include "data/page.hpp"
#include "model/task.hpp"
#include "model/task_queue.hpp"

namespace al::data {

/// One step of an attempt, as the trace shows it.
struct TaskStep {
  std::int64_t attempt = 0;
  std::int64_t step = 0;
  std::string kind;
  std::int64_t duration_us = 0;
  Document detail;
};
BOOST_DESCRIBE_STRUCT(TaskStep, (), (attempt, step, kind, duration_us, detail))

constexpr auto describe(std::type_identity<TaskStep>) {
  using namespace entity;
  return about("TaskStep", "task_steps", "One step on the way to a task's answer.",
               field<&TaskStep::attempt>("Which attempt it belongs to, from 1."),
               field<&TaskStep::step>("Its place in the attempt, from 1."),
               field<&TaskStep::kind>("What was done: retrieve, answer, …"),
               field<&TaskStep::duration_us>("How long it took, in microseconds."),
               field<&TaskStep::detail>("What went in and came out."));
}

/// A task in the hands of a worker. Every write carries `epoch`: who lost the claim cannot overwrite.
struct Claim {
  TenantId tenant;
  model::Task task;
  std::int64_t epoch = 0;
  std::string correlation_id;

  /// The background actor that goes on with what the creator began.
  [[nodiscard]] Actor actor() const;
};

/// A pending task that may be claimed, and what the choice depends on.
struct Claimable {
  TenantId tenant;
  TaskId id;
  AgentId agent_id;
  std::int64_t epoch = 0;
  std::string correlation_id{};
  std::int64_t agent_room = 1;  ///< how many more its agent may run
  bool is_delegated = false;    ///< takes no room
  std::size_t rank = 0;         ///< of its priority; 0 is the most urgent
};

/// Where a worker stands in the queue on PostgreSQL, so that a claim need not begin at the oldest entry of the index.
/// It is an aid, never the truth: what stands before it (retries, tasks of agents that were full, those that committed
/// late) is found when there is nothing after it, and every `look_through_interval` in any case.
struct QueuePosition {
  static constexpr std::size_t ranks = 4;
  static constexpr std::string_view first = "00000000-0000-0000-0000-000000000000";
  static constexpr std::chrono::milliseconds look_through_interval{2000};
  /// Tasks commit in another order than that of their ids; a place lies this far behind the last task that was claimed.
  static constexpr std::chrono::milliseconds overlap{250};

  std::array<std::string, ranks> after{};
  std::string oldest_running{};  ///< empty: nothing is remembered
  std::size_t lost = 0;          ///< of the last claim, to other workers
  SteadyTime look_through_at{};

  void pass(std::size_t rank, TaskId const& id);
};

/// Picks at most `free` of `candidates`, in order, so that no agent runs more than it may. Pure.
[[nodiscard]] std::vector<Claimable> choose_claims(std::vector<Claimable> candidates, std::size_t free);

/// When attempt number `attempt` failed: how long to wait before the next one. Exponential from 1 s to 60 s, with
/// full jitter (AWS architecture blog, "Exponential backoff and jitter"). Pure.
[[nodiscard]] std::chrono::microseconds retry_delay(std::int64_t attempt, Random&);

/// What became of an attempt.
struct Outcome {
  std::string result_json;    ///< of a completed one
  std::string error_message;  ///< of a failed one
  std::vector<TaskStep> steps;
  std::vector<KnowledgeId> used_knowledge;  ///< of the task's own agent
};

/// What of it is not given lets all through.
struct TaskFilter {
  std::optional<AgentId> agent_id{};
  std::vector<model::TaskStatus> statuses{};
  std::vector<model::Priority> priorities{};
  std::optional<Timestamp> created_from{};
  std::optional<Timestamp> created_to{};  ///< the first moment that does not count
  std::optional<TaskId> parent_id{};
  /// A part of the description, in any case of the letters. Looked for in the newest `searched_tasks_max` tasks that
  /// the other conditions let through.
  std::string text{};
};
inline constexpr std::int64_t searched_tasks_max = 100'000;

/// Tasks of a tenant, and the queue that workers claim from. Thread-safe.
class TaskStore {
 public:
  explicit TaskStore(Writer& writer) : writer_(writer) {}

  // ---- for clients ----

  /// `task.id` is made by the caller (new_id), so that a lost reply can be looked up. Errors: not_found (no such
  /// agent).
  [[nodiscard]] Task<Result<model::Task>> create(Actor const&, model::Task, Deadline);
  [[nodiscard]] TaskId new_id() { return TaskId{writer_.new_uuid()}; }
  /// One that has ended may come from the cache. Errors: not_found.
  [[nodiscard]] Task<Result<model::Task>> get(TenantId const&, TaskId const&, Deadline, Freshness = Freshness::cached);
  /// Newest first. Errors: invalid (cursor).
  [[nodiscard]] Task<Result<Page<model::Task>>> list(TenantId const&, TaskFilter, PageRequest, Deadline);
  /// The tasks that have not ended, and whose they are. Reads these alone.
  [[nodiscard]] Task<model::TaskQueue> queue(TenantId const&, Deadline);
  /// Errors: not_found.
  [[nodiscard]] Task<Result<std::vector<TaskStep>>> steps(TenantId const&, TaskId const&, Deadline);
  /// Pending or started becomes cancelled; whoever runs it stops. Errors: not_found, conflict (it has ended).
  [[nodiscard]] Task<Result<model::Task>> cancel(Actor const&, TaskId const&, Deadline);
  /// Failed or cancelled becomes pending, with at least one more attempt. Errors: not_found, conflict (it has not
  /// ended, is completed, or was delegated by a task that has ended).
  [[nodiscard]] Task<Result<model::Task>> retry(Actor const&, TaskId const&, Deadline);
  /// Errors: not_found, conflict (it is no longer pending), version_mismatch.
  [[nodiscard]] Task<Result<model::Task>> set_priority(Actor const&, TaskId const&, model::Priority,
                                                       std::optional<std::int64_t> expected, Deadline);

  // ---- for workers ----

  /// Enters the worker, or renews its lease until `lease` from the database's now.
  [[nodiscard]] Task<void> renew_lease(WorkerId const&, std::string name, std::chrono::seconds lease, Deadline);
  /// Takes the worker off the list. What it still holds must have been released.
  [[nodiscard]] Task<void> leave(WorkerId const&, Deadline);
  enum class Which { all, delegated };
  /// Up to `free` tasks, most urgent and then oldest first. Those that another worker won meanwhile are left out.
  /// `position` is this worker's own.
  [[nodiscard]] Task<std::vector<Claim>> claim(WorkerId const&, std::size_t free, Which, QueuePosition& position,
                                               Deadline);

  /// What the worker still holds; a task that a client cancelled is no longer among them. Of each task only what
  /// ends its attempt is filled in: id, attempt, max_attempts.
  [[nodiscard]] Task<std::vector<Claim>> held(WorkerId const&, Deadline);

  // Each of these answers lease_lost when the claim is no longer ours.
  /// Makes steps durable while the attempt goes on; they must not be empty.
  [[nodiscard]] Task<Result<void>> record(Claim const&, std::vector<TaskStep> const& steps, Deadline);
  [[nodiscard]] Task<Result<void>> progress(Claim const&, std::string text_so_far, Deadline);
  [[nodiscard]] Task<Result<void>> complete(Claim const&, Outcome, Deadline);
  struct Retry {
    bool is_allowed = true;
    std::chrono::seconds wait_min{0};  ///< someone asked for so long
  };
  /// Another attempt after a while when one is left and it can still be in time, else failed for good.
  [[nodiscard]] Task<Result<void>> fail_attempt(Claim const&, Outcome, Retry, Deadline);
  /// Hands the task back as if it had not been claimed (shutdown).
  [[nodiscard]] Task<Result<void>> release(Claim const&, Deadline);

  /// Ends the attempt of a worker that runs it no longer, as fail_attempt() does. False when the claim was gone.
  [[nodiscard]] Task<bool> give_up(Claim, Deadline);

  struct Swept {
    std::size_t requeued = 0;  ///< their worker's lease had run out
    std::size_t failed = 0;    ///< the same, and no attempt was left
    std::size_t overdue = 0;   ///< pending past their deadline
    std::size_t orphaned = 0;  ///< of an agent that was deleted, or delegated by a task that has ended
  };
  /// Mends what crashed workers left, fails what is overdue, cancels what has no agent; at most 1000 of each a call.
  [[nodiscard]] Task<Swept> sweep(Deadline);
  /// Removes workers whose lease ran out and who hold nothing.
  [[nodiscard]] Task<void> bury_workers(Deadline);
  /// Adds the appended uses of knowledge to its counters; answers how many there were.
  [[nodiscard]] Task<std::size_t> fold_knowledge_uses(Deadline);
  /// The earliest time at which a pending task becomes claimable, when that lies ahead.
  [[nodiscard]] Task<std::optional<Timestamp>> next_available(Deadline);

 private:
  [[nodiscard]] Task<std::vector<Claimable>> look(storage::Statement const&, Values, Deadline);
  [[nodiscard]] Task<std::vector<Claimable>> look_onward(QueuePosition&, std::size_t free, Deadline);
  [[nodiscard]] Task<std::vector<Claimable>> look_through(QueuePosition&, std::size_t free, Which, Deadline);
  [[nodiscard]] Task<Result<model::Task>> explain(TenantId const&, TaskId const&, std::string_view wanted, Deadline);
  [[nodiscard]] Task<Result<void>> finish(Change const&, Claim const&, Values, Deadline);

  Writer& writer_;
};

}  // namespace al::data
