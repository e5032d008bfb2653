#include "data/task_changes.hpp"

#include "model/task.hpp"

namespace al::data::task_changes {

Aggregate const& task() {
  static Aggregate const aggregate{.entity = entity::entity<model::Task>(), .key = {{"id", "uuid"}}, .id = "u.id"};
  return aggregate;
}

namespace {

/// Steps come as a JSON array; the event of the same change stands beside them.
/// An attempt that was handed back is counted again, so a step of its may be there already.
Companion store_steps() {
  std::string const kept =
      " ON CONFLICT (tenant_id, task_id, attempt, step) DO UPDATE SET kind = excluded.kind,"
      " duration_us = excluded.duration_us, detail = excluded.detail";
  return {.text =
              "INSERT INTO task_steps (tenant_id, task_id, attempt, step, kind, duration_us, detail)"
              " SELECT u.tenant_id, u.id, (s.value ->> 'attempt')::bigint, (s.value ->> 'step')::bigint,"
              " s.value ->> 'kind', (s.value ->> 'duration_us')::bigint, s.value -> 'detail'"
              " FROM u, json_array_elements({steps}) AS s(value)" +
              kept,
          .sqlite =
              "INSERT INTO task_steps (tenant_id, task_id, attempt, step, kind, duration_us, detail)"
              " SELECT u.tenant_id, u.id, s.value ->> 'attempt', s.value ->> 'step',"
              " s.value ->> 'kind', s.value ->> 'duration_us', s.value -> 'detail'"
              " FROM u, json_each({steps}) AS s WHERE true" +
              kept};
}

/// Where someone asked for a retry: what was thought before does not count any more. The mark stands behind all steps,
/// also behind those of an attempt that was handed back, whose number is above the task's.
Companion mark_retry() {
  std::string const last =
      " FROM task_steps s WHERE s.tenant_id = u.tenant_id AND s.task_id = u.id"
      " ORDER BY s.attempt DESC, s.step DESC LIMIT 1)";
  return {.text =
              "INSERT INTO task_steps (tenant_id, task_id, attempt, step, kind, duration_us, detail)"
              " SELECT u.tenant_id, u.id, COALESCE((SELECT s.attempt" +
              last + ", u.attempt), COALESCE((SELECT s.step" + last + ", 0) + 1, 'retry', 0, '{}' FROM u"};
}

Companion store_uses() {
  std::string const insert =
      "INSERT INTO knowledge_uses (tenant_id, agent_id, knowledge_id, used_at)"
      " SELECT u.tenant_id, u.agent_id, k.value, al_now() FROM u, ";
  return {.text = insert + "json_array_elements_text({used}) AS k(value)", .sqlite = insert + "json_each({used}) AS k"};
}

/// COALESCE hides the state from PostgreSQL's planner, which would otherwise read the whole queue by the partial index
/// of that state instead of the few rows by their keys: the statistics of a young table promise three.
std::string const is_pending = "COALESCE(t.status, '') = 'pending'";
std::string const held = "t.epoch = {epoch} AND COALESCE(t.status, '') = 'started'";
std::string const ended = ", completed_at = al_now(), worker_id = NULL, progress = NULL";
/// The sweep cancels delegated work whose parent has ended. A value for the planner's sake, see agent_is_there.
std::string const is_wanted =
    "COALESCE((SELECT p.status FROM tasks p WHERE p.tenant_id = t.tenant_id AND p.id = t.parent_id), 'pending')"
    " IN ('pending', 'started')";

}  // namespace

Change const& create() {
  static Change const change = make_insert(
      task(),
      {.name = "task.create",
       .channel = "task:created",
       .extra = {{"correlation_id", "{correlation}"}, {"available_at", "COALESCE({scheduled_at}, {created_at})"}},
       .where = std::string(agent_is_there)});
  return change;
}

Change const& cancel() {
  static Change const change = make_update(task(), {.name = "task.cancel",
                                                    .channel = "task:cancelled",
                                                    .set = "status = 'cancelled', epoch = t.epoch + 1" + ended,
                                                    .where = "t.status IN ('pending', 'started')"});
  return change;
}

/// Who asks for a retry wants it now, whatever it was scheduled for; a deadline that lies ahead still holds.
Change const& retry() {
  static Change const change =
      make_update(task(), {.name = "task.retry",
                           .channel = "task:retried",
                           .cache = CacheEffect::remove,
                           .set = "status = 'pending', completed_at = NULL, started_at = NULL, error_message = NULL,"
                                  " progress = NULL,"
                                  " available_at = al_now(), scheduled_at = NULL,"
                                  " deadline_at = CASE WHEN t.deadline_at > al_now() THEN t.deadline_at END,"
                                  " max_attempts = CASE WHEN t.max_attempts > t.attempt THEN t.max_attempts"
                                  " ELSE t.attempt + 1 END",
                           .where = "t.status IN ('failed', 'cancelled') AND " + is_wanted,
                           .also = {mark_retry()}});
  return change;
}

Change const& set_priority() {
  static Change const change =
      make_update(task(), {.name = "task.set_priority",
                           .channel = "task:updated",
                           .params = {{"priority", "text"}, {"expected", "bigint"}},
                           .set = "priority = {priority}",
                           .where = is_pending + " AND t.version = COALESCE({expected}, t.version)"});
  return change;
}

Change const& claim() {
  static Change const change = make_update(
      task(), {.name = "task.claim",
               .channel = "task:started",
               .params = {{"worker", "uuid"}, {"epoch", "bigint"}},
               .set = "status = 'started', worker_id = {worker}, epoch = t.epoch + 1, attempt = t.attempt + 1,"
                      " started_at = al_now(), error_message = NULL",
               .where = "t.epoch = {epoch} AND " + is_pending,
               .skips_locked = true});
  return change;
}

Change const& progress() {
  static Change const change = make_update(task(), {.name = "task.progress",
                                                    .channel = "task:progress",
                                                    .params = {{"epoch", "bigint"}, {"note", "json"}},
                                                    .set = "progress = {note}",
                                                    .where = held});
  return change;
}

Change const& complete() {
  static Change const change =
      make_update(task(), {.name = "task.complete",
                           .channel = "task:completed",
                           .params = {{"epoch", "bigint"}, {"result", "json"}, {"steps", "json"}, {"used", "json"}},
                           .set = "status = 'completed', result = {result}" + ended,
                           .where = held,
                           .also = {store_steps(), store_uses()}});
  return change;
}

Change const& requeue() {
  static Change const change =
      make_update(task(), {.name = "task.requeue",
                           .channel = "task:retried",
                           .params = {{"epoch", "bigint"}, {"error", "text"}, {"delay", "bigint"}, {"steps", "json"}},
                           .set = "status = 'pending', error_message = {error}, available_at = al_after({delay}),"
                                  " worker_id = NULL, progress = NULL",
                           .where = held,
                           .also = {store_steps()}});
  return change;
}

Change const& fail() {
  static Change const change =
      make_update(task(), {.name = "task.fail",
                           .channel = "task:failed",
                           .params = {{"epoch", "bigint"}, {"error", "text"}, {"steps", "json"}},
                           .set = "status = 'failed', error_message = {error}" + ended,
                           .where = held,
                           .also = {store_steps()}});
  return change;
}

Change const& release() {
  static Change const change =
      make_update(task(), {.name = "task.release",
                           .channel = "task:released",
                           .params = {{"epoch", "bigint"}},
                           .set = "status = 'pending', attempt = t.attempt - 1, started_at = NULL,"
                                  " worker_id = NULL, progress = NULL",
                           .where = held});
  return change;
}

Change const& fail_overdue() {
  static Change const change = make_update(
      task(), {.name = "task.fail_overdue",
               .channel = "task:failed",
               .params = {{"epoch", "bigint"}},
               .set = "status = 'failed', error_message = 'its deadline passed before it was started'" + ended,
               .where = "t.epoch = {epoch} AND " + is_pending + " AND t.deadline_at <= al_now()"});
  return change;
}

}  // namespace al::data::task_changes
