#include "data/task_store.hpp"

#include <algorithm>
#include <exception>
#include <map>

#include "core/backoff.hpp"
#include "core/log.hpp"
#include "data/contains.hpp"
#include "data/expected_version.hpp"
#include "data/page_statement.hpp"
#include "data/row_values.hpp"
#include "data/task_changes.hpp"

namespace al::data {

namespace {

using storage::Guard;
using storage::Scope;
using storage::Statement;

std::string const task_columns = entity::columns(entity::entity<model::Task>(), "t.");

/// Of the columns of a row.
std::size_t const status_column = [] {
  std::size_t column = 0;
  for (auto const& field : entity::entity<model::Task>().fields) {
    if (field.name == "status")
      break;
    column += field.options.stored ? 1 : 0;
  }
  return column;
}();

RowSource const stored_task = [] {
  auto source = make_source(task_changes::task(), "task", "task.get", "");
  source.is_kept = [](Row const& row) {
    auto const& status = std::get<std::string>(row.at(status_column));
    return status != "pending" && status != "started";
  };
  return source;
}();

/// $2 the agent, $3 and $4 states and priorities between commas (",pending,failed,"), $5 and $6 the times, $7 the
/// parent, each of them NULL when it does not matter; $8 an id that lies before all that are wanted.
std::string is_wanted(std::string const& in_state) {
  return "t.tenant_id = $1 AND (CAST($2 AS text) IS NULL OR t.agent_id = CAST($2 AS text)) AND " + in_state +
         " AND (CAST($4 AS text) IS NULL OR CAST($4 AS text) LIKE '%,' || t.priority || ',%')"
         " AND (t.created_at >= $5 OR $5 IS NULL) AND (t.created_at < $6 OR $6 IS NULL)"
         " AND (t.parent_id = $7 OR $7 IS NULL) AND t.id > $8";
}

/// Whether a description has the text of `pattern`, a parameter.
std::string has_text(std::string const& pattern) {
  return "lower(t.description) LIKE lower(CAST(" + pattern + " AS text)) ESCAPE '\\'";
}

/// What a list takes: without and with a text that is looked for, and how many there are.
struct ListStatements {
  struct Names {
    std::string_view list, count, search_few, search, count_found;
  };
  ListStatements(Names const& names, std::string const& in_state)
      : list(page_statement(spec_of(names.list, is_wanted(in_state) + " AND t.id < $9", {}))),
        count{names.count, "SELECT COUNT(*) FROM tasks t WHERE " + is_wanted(in_state)},
        search_few(search_statement(names.search_few, in_state, few_max)),
        search(search_statement(names.search, in_state, searched_tasks_max)),
        count_found{names.count_found,
                    "SELECT COUNT(*) FROM (" + newest(in_state, searched_tasks_max) + ") t WHERE " + has_text("$9")} {}

  Statement list;
  Statement count;
  /// The databases put what they find in order before they cut it, so that a common word would be looked for in all.
  Statement search_few;
  Statement search;
  Statement count_found;

 private:
  static constexpr std::int64_t few_max = 2'000;
  static Statement search_statement(std::string_view name, std::string const& in_state, std::int64_t limit) {
    return page_statement(spec_of(name, "t.id < $9 AND " + has_text("$11"), newest(in_state, limit)));
  }
  static PageSpec spec_of(std::string_view name, std::string where, std::string from) {
    return {.name = name,
            .table = "tasks",
            .alias = "t",
            .key = {"id"},
            .direction = "DESC",
            .columns = task_columns,
            .where = std::move(where),
            .limit = "$10",
            .large = {"context", "result"},
            .from = std::move(from)};
  }
  /// The newest wanted ones, among which a text is looked for.
  static std::string newest(std::string const& in_state, std::int64_t limit) {
    return "SELECT t.tenant_id, t.id, t.description, t.context, t.result FROM tasks t WHERE " + is_wanted(in_state) +
           " ORDER BY t.id DESC LIMIT " + std::to_string(limit);
  }
};

ListStatements const any_states({"task.list", "task.count", "task.search_few", "task.search", "task.count_found"},
                                "(CAST($3 AS text) IS NULL OR CAST($3 AS text) LIKE '%,' || t.status || ',%')");
/// Most tasks are completed; those of another state are found along an index of their own.
ListStatements const one_state({"task.list_state", "task.count_state", "task.search_few_state", "task.search_state",
                                "task.count_found_state"},
                               "t.status = CAST($3 AS text) AND t.status <> 'completed'");

/// Along the index of tasks that are not completed, whose condition SQLite wants to read word by word. What is put off
/// has its time to come.
std::string const open_tasks =
    "SELECT p.agent_id, CASE WHEN p.available_at <= al_now() THEN 1 ELSE 0 END AS pending,"
    " CASE WHEN p.available_at <= al_now() THEN 0 ELSE 1 END AS scheduled, 0 AS started,"
    " CASE WHEN p.available_at <= al_now() THEN p.created_at END AS oldest"
    " FROM tasks p WHERE p.tenant_id = $1 AND p.status = 'pending' AND p.status <> 'completed'"
    " UNION ALL SELECT s.agent_id, 0, 0, 1, NULL FROM tasks s WHERE s.tenant_id = $1 AND s.status = 'started'"
    " AND s.status <> 'completed'";

/// The sums of all agents stand in each row.
Statement const count_open{"task.queue",
                           "SELECT o.agent_id, SUM(o.pending), SUM(o.started),"
                           " CAST(SUM(SUM(o.pending)) OVER () AS bigint),"
                           " CAST(SUM(SUM(o.scheduled)) OVER () AS bigint),"
                           " CAST(SUM(SUM(o.started)) OVER () AS bigint), MIN(MIN(o.oldest)) OVER () FROM (" +
                               open_tasks +
                               ") o GROUP BY o.agent_id ORDER BY SUM(o.pending) + SUM(o.started) DESC, o.agent_id"
                               " LIMIT 500"};

Statement const list_steps{"task.steps", "SELECT " + entity::columns(entity::entity<TaskStep>()) +
                                             " FROM task_steps WHERE tenant_id = $1 AND task_id = $2"
                                             " AND (attempt, step) > ($3, $4) ORDER BY attempt, step LIMIT $5"};

/// The steps of a running attempt, before it ends. Written again after a lost reply they are the same.
Statement const record_steps{
    .name = "task.record_steps",
    .text =
        "INSERT INTO task_steps (tenant_id, task_id, attempt, step, kind, duration_us, detail)"
        " SELECT t.tenant_id, t.id, (s.value ->> 'attempt')::bigint, (s.value ->> 'step')::bigint,"
        " s.value ->> 'kind', (s.value ->> 'duration_us')::bigint, s.value -> 'detail'"
        " FROM tasks t, json_array_elements(CAST($4 AS json)) AS s(value)"
        " WHERE t.tenant_id = $1 AND t.id = $2 AND t.epoch = $3 AND t.status = 'started'"
        " ON CONFLICT (tenant_id, task_id, attempt, step) DO UPDATE SET detail = excluded.detail",
    .sqlite =
        "INSERT INTO task_steps (tenant_id, task_id, attempt, step, kind, duration_us, detail)"
        " SELECT t.tenant_id, t.id, s.value ->> 'attempt', s.value ->> 'step', s.value ->> 'kind',"
        " s.value ->> 'duration_us', s.value -> 'detail' FROM tasks t, json_each($4) AS s"
        " WHERE t.tenant_id = $1 AND t.id = $2 AND t.epoch = $3 AND t.status = 'started'"
        " ON CONFLICT (tenant_id, task_id, attempt, step) DO UPDATE SET detail = excluded.detail"};

/// The first $1 pending tasks whose time has come, of agents that can take one more, and how many each can. Across
/// tenants. SQLite walks the queue in the order of its index until it has enough. PostgreSQL cannot be made to: with
/// the statistics of a young table it sorts the whole queue for each claim (45 tasks a second with 10,000 waiting).
/// There each agent is asked for its own first ones in the order of an index. (On SQLite that is the slower way: 500
/// tasks a second against 1,800 with a thousand agents.) What was delegated needs no room at its agent: two agents that
/// wait for each other would wait for ever. $2: only what was delegated.
Statement const list_claimable{
    .name = "task.claimable",
    .text =
        "SELECT a.tenant_id, t.id, a.id, t.epoch, t.correlation_id, t.parent_id,"
        " a.max_concurrency - running.tasks, t.queue_rank FROM agents a"
        " CROSS JOIN LATERAL (SELECT COUNT(*) AS tasks FROM tasks WHERE tenant_id = a.tenant_id"
        " AND agent_id = a.id AND status = 'started' AND parent_id IS NULL) running"
        " CROSS JOIN LATERAL (SELECT id, epoch, queue_rank, correlation_id, parent_id FROM tasks"
        " WHERE tenant_id = a.tenant_id AND agent_id = a.id AND status = 'pending'"
        " AND available_at <= al_now() AND (deadline_at IS NULL OR deadline_at > al_now())"
        " AND (parent_id IS NOT NULL OR (running.tasks < a.max_concurrency AND NOT $2))"
        " ORDER BY queue_rank, id LIMIT $1) t"
        " WHERE a.deleted_at IS NULL AND a.status <> 'offline'"
        " ORDER BY t.queue_rank, t.id LIMIT $1",
    .sqlite =
        "WITH running AS (SELECT tenant_id, agent_id, COUNT(*) AS tasks FROM tasks WHERE status = 'started'"
        " AND parent_id IS NULL GROUP BY tenant_id, agent_id)"
        " SELECT t.tenant_id, t.id, t.agent_id, t.epoch, t.correlation_id, t.parent_id,"
        " a.max_concurrency - COALESCE(r.tasks, 0), t.queue_rank"
        " FROM tasks t JOIN agents a ON a.tenant_id = t.tenant_id AND a.id = t.agent_id"
        " LEFT JOIN running r ON r.tenant_id = t.tenant_id AND r.agent_id = t.agent_id"
        " WHERE t.status = 'pending' AND t.available_at <= al_now() AND a.deleted_at IS NULL"
        " AND a.status <> 'offline' AND (t.deadline_at IS NULL OR t.deadline_at > al_now())"
        " AND (t.parent_id IS NOT NULL OR (COALESCE(r.tasks, 0) < a.max_concurrency AND NOT $2))"
        " ORDER BY t.queue_rank, t.id LIMIT $1"};

/// The same on PostgreSQL for a worker that finds its next tasks at once: of each rank those after the place that it
/// remembers ($2 to $5), instead of all agents' first ones. What runs is counted from $6 on. Without these two bounds a
/// claim steps over everything that was ever claimed while a transaction stays open somewhere on the server, because
/// until then no vacuum takes it out of the indexes.
Statement const list_next{
    "task.next", [] {
      std::string ranks;
      for (std::size_t rank = 0; rank < QueuePosition::ranks; ++rank) {
        ranks += rank > 0 ? " UNION ALL " : "";
        ranks +=
            "(SELECT tenant_id, agent_id, id, epoch, queue_rank, correlation_id, parent_id FROM tasks"
            " WHERE status = 'pending' AND queue_rank = " +
            std::to_string(rank) + " AND id > $" + std::to_string(rank + 2) +
            "::uuid AND available_at <= al_now() AND (deadline_at IS NULL OR deadline_at > al_now())"
            " ORDER BY id LIMIT $1)";
      }
      return "WITH t AS MATERIALIZED (SELECT * FROM (" + ranks +
             ") q ORDER BY queue_rank, id LIMIT $1),"
             " a AS MATERIALIZED (SELECT o.tenant_id, o.id, o.max_concurrency - (SELECT COUNT(*) FROM tasks r"
             " WHERE r.tenant_id = o.tenant_id AND r.agent_id = o.id AND r.status = 'started'"
             " AND r.parent_id IS NULL AND r.id >= $6::uuid) AS room"
             " FROM (SELECT DISTINCT tenant_id, agent_id FROM t) d"
             " JOIN agents o ON o.tenant_id = d.tenant_id AND o.id = d.agent_id"
             " WHERE o.deleted_at IS NULL AND o.status <> 'offline')"
             " SELECT t.tenant_id, t.id, t.agent_id, t.epoch, t.correlation_id, t.parent_id, a.room, t.queue_rank"
             " FROM t JOIN a ON a.tenant_id = t.tenant_id AND a.id = t.agent_id"
             " WHERE t.parent_id IS NOT NULL OR a.room > 0 ORDER BY t.queue_rank, t.id";
    }()};

/// Where to count from: nothing that runs is older.
Statement const oldest_running{
    "task.oldest_running",
    "SELECT COALESCE(MIN(id::text), '" + std::string(QueuePosition::first) + "') FROM tasks WHERE status = 'started'"};

/// Everything that a sweep mends, in one statement, because an idle worker asks every two seconds: tasks of workers
/// that fell silent, those whose deadline passed, those of deleted agents, and delegated work whose parent has ended
/// without it.
Statement const list_sweep{
    "task.sweep", [] {
      auto const some = [](std::string const& what, std::string const& from) {
        return "SELECT * FROM (SELECT '" + what +
               "' AS what, t.tenant_id, t.id, t.epoch, t.correlation_id, t.attempt, t.max_attempts FROM " + from +
               " LIMIT 1000) AS " + what;
      };
      std::string const and_so = " UNION ALL ";
      return some("abandoned",
                  "tasks t LEFT JOIN workers w ON w.id = t.worker_id"
                  " WHERE t.status = 'started' AND (w.id IS NULL OR w.leased_until <= al_now())") +
             and_so +
             some("overdue",
                  "tasks t WHERE t.status = 'pending' AND t.deadline_at IS NOT NULL AND t.deadline_at <= al_now()") +
             and_so +
             some("orphaned",
                  "agents a JOIN tasks t ON t.tenant_id = a.tenant_id AND t.agent_id = a.id"
                  " WHERE a.deleted_at IS NOT NULL AND t.status = 'pending'") +
             and_so +
             some("unwanted",
                  "tasks t JOIN tasks p ON p.tenant_id = t.tenant_id AND p.id = t.parent_id"
                  " WHERE t.parent_id IS NOT NULL AND t.status IN ('pending', 'started')"
                  " AND p.status IN ('completed', 'failed', 'cancelled')");
    }()};

Statement const list_held{"task.held",
                          "SELECT tenant_id, id, epoch, correlation_id, attempt, max_attempts FROM tasks"
                          " WHERE worker_id = $1 AND status = 'started'"};

Statement const list_children{"task.children",
                              "SELECT t.id FROM tasks t WHERE t.tenant_id = $1 AND t.parent_id = $2"
                              " AND t.status IN ('pending', 'started')"};

Statement const earliest_available{
    "task.next_available",
    // The second condition is the index's: tasks that were put off.
    "SELECT MIN(available_at) FROM tasks WHERE status = 'pending' AND available_at > created_at"
    " AND available_at > al_now()"};

Statement const upsert_worker{"worker.renew",
                              "INSERT INTO workers (id, name, leased_until) VALUES ($1, $2, al_after($3))"
                              " ON CONFLICT (id) DO UPDATE SET leased_until = excluded.leased_until"};
Statement const delete_worker{"worker.leave", "DELETE FROM workers WHERE id = $1"};
Statement const delete_dead_workers{
    "worker.bury",
    "DELETE FROM workers WHERE leased_until <= al_now()"
    " AND NOT EXISTS (SELECT 1 FROM tasks t WHERE t.worker_id = workers.id AND t.status = 'started')"};

Statement const count_uses{"knowledge.uses.any", "SELECT COUNT(*) FROM knowledge_uses"};
Statement const fold_uses{
    "knowledge.uses.fold",
    "WITH taken AS (DELETE FROM knowledge_uses RETURNING *), u AS (SELECT tenant_id, agent_id, knowledge_id,"
    " COUNT(*) AS uses, MAX(used_at) AS last FROM taken GROUP BY tenant_id, agent_id, knowledge_id)"
    " UPDATE knowledge AS k SET usage_count = k.usage_count + u.uses, last_used_at = u.last FROM u"
    " WHERE k.tenant_id = u.tenant_id AND k.agent_id = u.agent_id AND k.id = u.knowledge_id",
    "UPDATE knowledge AS k SET usage_count = k.usage_count + u.uses, last_used_at = u.last FROM"
    " (SELECT tenant_id, agent_id, knowledge_id, COUNT(*) AS uses, MAX(used_at) AS last FROM knowledge_uses"
    " GROUP BY tenant_id, agent_id, knowledge_id) AS u"
    " WHERE k.tenant_id = u.tenant_id AND k.agent_id = u.agent_id AND k.id = u.knowledge_id"};
/// On PostgreSQL fold_uses has taken them already, in the snapshot that it counted.
Statement const clear_uses{"knowledge.uses.clear", "SELECT 1", "DELETE FROM knowledge_uses"};

Error no_such_task(TaskId const& id) {
  return {.code = Code::not_found, .message = "there is no task '" + id.value + "'"};
}

Actor system_actor(TenantId tenant, std::string correlation) {
  return {.tenant = std::move(tenant),
          .user_id = "system",
          .correlation_id = std::move(correlation),
          .causation_id = {},
          .traceparent = {}};
}

std::string steps_json(std::vector<TaskStep> const& steps) {
  std::string out = "[";
  for (auto const& step : steps) {
    if (out.size() > 1)
      out += ',';
    out += entity::to_json(step);
  }
  return out + "]";
}

std::string ids_json(std::vector<KnowledgeId> const& ids) {
  std::string out = "[";
  for (auto const& id : ids) {
    if (out.size() > 1)
      out += ',';
    json::append_string(out, id.value);
  }
  return out + "]";
}

/// A claim as far as list_held and list_sweep tell, whose columns begin at `first`: enough to end its attempt.
Claim held_claim(Row const& row, std::size_t first) {
  Claim claim{TenantId{text_at(row, first)}, {}, integer_at(row, first + 2), text_at(row, first + 3)};
  claim.task.id = TaskId{text_at(row, first + 1)};
  claim.task.attempt = integer_at(row, first + 4);
  claim.task.max_attempts = integer_at(row, first + 5);
  return claim;
}

constexpr std::chrono::seconds retry_delay_max{60};
constexpr std::int64_t steps_page = 500;

// ---- what a client wants to see ----

/// ",pending,failed,"; NULL for all of them.
template <class E>
Value names_of(std::vector<E> const& wanted) {
  if (wanted.empty())
    return {};
  std::string out = ",";
  for (auto const one : wanted)
    out.append(boost::describe::enum_to_string(one, "?")).append(",");
  return out;
}

template <class T>
Value or_null(std::optional<T> const& value) {
  return value ? entity::type_of<T>().bind(&*value) : Value{};
}

/// The least id of a moment. Ids tell when they were made, and the list is in their order: with them it can begin at a
/// time, and end at one, without looking at what lies beyond.
std::string id_at(Timestamp time) {
  constexpr std::string_view digits = "0123456789abcdef";
  auto ms = std::max(std::int64_t{0}, std::chrono::floor<std::chrono::milliseconds>(time).time_since_epoch().count());
  std::string id(QueuePosition::first);
  for (std::size_t at : {12, 11, 10, 9, 7, 6, 5, 4, 3, 2, 1, 0}) {
    id[at] = digits[static_cast<std::size_t>(ms % 16)];
    ms /= 16;
  }
  return id;
}

/// An id is made before its task is: by an Idempotency-Key up to a day earlier. Clocks of processes differ a little.
std::string first_id_since(std::optional<Timestamp> const& from) {
  return from ? id_at(*from - std::chrono::hours{25}) : std::string(QueuePosition::first);
}
std::string last_id_until(std::optional<Timestamp> const& to) {
  return to ? id_at(*to + std::chrono::hours{1}) : std::string(last_uuid);
}

/// Whether the statements of one state serve it, whose $3 is the state alone.
bool is_one_state(TaskFilter const& filter) {
  return filter.statuses.size() == 1 && filter.statuses.front() != model::TaskStatus::completed;
}

/// $1 to $8 of is_wanted.
Values wanted_values(TenantId const& tenant, TaskFilter const& filter) {
  return {tenant.value,
          or_null(filter.agent_id),
          is_one_state(filter) ? entity::type_of<model::TaskStatus>().bind(&filter.statuses.front())
                               : names_of(filter.statuses),
          names_of(filter.priorities),
          or_null(filter.created_from),
          or_null(filter.created_to),
          or_null(filter.parent_id),
          first_id_since(filter.created_from)};
}

}  // namespace

Actor Claim::actor() const { return system_actor(tenant, correlation_id); }

std::vector<Claimable> choose_claims(std::vector<Claimable> candidates, std::size_t free) {
  std::map<std::pair<std::string, std::string>, std::int64_t> taken;
  std::vector<Claimable> chosen;
  for (auto& c : candidates) {
    if (chosen.size() == free)
      break;
    auto& count = taken[{c.tenant.value, c.agent_id.value}];
    if (!c.is_delegated && count >= c.agent_room)
      continue;
    count += c.is_delegated ? 0 : 1;
    chosen.push_back(std::move(c));
  }
  return chosen;
}

void QueuePosition::pass(std::size_t rank, TaskId const& id) {
  auto const floor = uuid_v7_before(id.value, overlap);
  after[rank] = std::max(after[rank], floor);
}

std::chrono::microseconds retry_delay(std::int64_t attempt, Random& random) {
  return full_jitter(attempt, std::chrono::seconds{1}, retry_delay_max, random);
}

Task<Result<model::Task>> TaskStore::create(Actor const& actor, model::Task task, Deadline deadline) {
  task.status = model::TaskStatus::pending;
  task.version = 1;
  task.attempt = 0;
  task.created_at = writer_.clock().now();
  task.created_by = actor.user_id;
  auto const id = task.id;
  auto const agent_id = task.agent_id;
  Values params;
  entity::bind_row(task, params);
  std::exception_ptr unknown;
  try {
    auto row = co_await writer_.write(task_changes::create(), actor, std::move(params), deadline);
    if (row)
      co_return entity::from_row<model::Task>(*row);
    if (row.error().code != Code::conflict)
      co_return fail(std::move(row.error()));
    // An id comes from a call's key: the task is there when the call has been here before.
    if (auto there = co_await get(actor.tenant, id, deadline, Freshness::fresh))
      co_return there;
    co_return fail(Code::not_found, "there is no agent '" + agent_id.value + "' to give the task to");
  } catch (OutcomeUnknown const&) {
    unknown = std::current_exception();
  }
  // The reply was lost, not necessarily the task: its id tells. The answer is what was written, as it would have been:
  // a worker may have gone on with it meanwhile. A task that is not there yet may still come: the server may not have
  // noticed that we are gone.
  try {
    if (co_await get(actor.tenant, id, deadline))
      co_return task;
  } catch (Fault const& fault) {
    log::warning("whether a task was made stays unknown", {{"task", id.value}, {"reason", fault.what()}});
  }
  std::rethrow_exception(unknown);
}

Task<Result<model::Task>> TaskStore::get(TenantId const& tenant, TaskId const& id, Deadline deadline,
                                         Freshness freshness) {
  auto const row = co_await writer_.read(stored_task, tenant, id.value, freshness, deadline);
  if (!row)
    co_return fail(row.error());
  if (*row == nullptr)
    co_return fail(no_such_task(id));
  co_return entity::from_row<model::Task>(**row);
}

Task<Result<Page<model::Task>>> TaskStore::list(TenantId const& tenant, TaskFilter filter, PageRequest request,
                                                Deadline deadline) {
  if (!request.cursor.empty() && !is_uuid(request.cursor))
    co_return fail(wrong_cursor());
  auto params = wanted_values(tenant, filter);
  auto count_params = params;
  auto const cursor = request.cursor.empty() ? std::string(last_uuid) : normal_uuid(request.cursor);
  params.emplace_back(std::min(cursor, last_id_until(filter.created_to)));
  params.emplace_back(request.limit + 1);
  bool const is_search = !filter.text.empty();
  auto const& statements = is_one_state(filter) ? one_state : any_states;
  auto& database = writer_.database();
  if (is_search) {
    params.emplace_back(pattern_of(filter.text));
    count_params.emplace_back(pattern_of(filter.text));
  }
  Rows rows;
  if (is_search)
    rows = co_await database.read(Scope::of(tenant), statements.search_few, params, deadline);
  bool const is_page_full = !rows.empty() && integer_at(rows.front(), rows.front().size() - 1) > request.limit;
  if (!is_page_full) {
    rows = co_await database.read(Scope::of(tenant), is_search ? statements.search : statements.list, std::move(params),
                                  deadline);
  }
  auto page = page_of<model::Task>(cut_large_page(rows, request.limit));
  if (request.count_total) {
    auto const counted = co_await database.read(
        Scope::of(tenant), is_search ? statements.count_found : statements.count, std::move(count_params), deadline);
    page.total = integer_at(counted.at(0), 0);
  }
  co_return page;
}

Task<model::TaskQueue> TaskStore::queue(TenantId const& tenant, Deadline deadline) {
  model::TaskQueue queue;
  for (auto const& row : co_await writer_.database().read(Scope::of(tenant), count_open, {tenant.value}, deadline)) {
    queue.pending = integer_at(row, 3);
    queue.scheduled = integer_at(row, 4);
    queue.started = integer_at(row, 5);
    if (!is_null(row.at(6)))
      queue.oldest_pending_at = value_at<Timestamp>(row, 6);
    model::AgentQueue const of_agent{
        .agent_id = AgentId{text_at(row, 0)}, .pending = integer_at(row, 1), .started = integer_at(row, 2)};
    if (of_agent.pending + of_agent.started > 0)
      queue.agents.push_back(of_agent);
  }
  co_return queue;
}

Task<Result<std::vector<TaskStep>>> TaskStore::steps(TenantId const& tenant, TaskId const& id, Deadline deadline) {
  if (auto task = co_await get(tenant, id, deadline); !task)
    co_return fail(std::move(task.error()));
  std::vector<TaskStep> out;
  for (bool is_whole = false; !is_whole;) {
    auto const after = out.empty() ? TaskStep{} : out.back();
    auto const rows = co_await writer_.database().read(
        Scope::of(tenant), list_steps, {tenant.value, id.value, after.attempt, after.step, steps_page}, deadline);
    for (auto const& row : rows)
      out.push_back(entity::from_row<TaskStep>(row));
    is_whole = std::ssize(rows) < steps_page;
  }
  co_return out;
}

/// Why a guarded change of a client was refused.
Task<Result<model::Task>> TaskStore::explain(TenantId const& tenant, TaskId const& id, std::string_view wanted,
                                             Deadline deadline) {
  auto task = co_await get(tenant, id, deadline);
  if (!task)
    co_return task;
  auto const status = std::string(boost::describe::enum_to_string(task->status, "?"));
  co_return fail(Code::conflict, "task '" + id.value + "' is " + status + "; " + std::string(wanted));
}

Task<Result<model::Task>> TaskStore::cancel(Actor const& actor, TaskId const& id, Deadline deadline) {
  auto row = co_await writer_.write(task_changes::cancel(), actor, {id.value}, deadline);
  if (!row)
    co_return co_await explain(actor.tenant, id, "only a pending or started one can be cancelled", deadline);
  // What it delegated goes as well; the sweep finds what a crash leaves here.
  auto const children = co_await writer_.database().read(Scope::of(actor.tenant), list_children,
                                                         {actor.tenant.value, id.value}, deadline);
  for (auto const& child : children)
    (void)co_await cancel(actor, TaskId{text_at(child, 0)}, deadline);
  co_return entity::from_row<model::Task>(*row);
}

Task<Result<model::Task>> TaskStore::retry(Actor const& actor, TaskId const& id, Deadline deadline) {
  auto row = co_await writer_.write(task_changes::retry(), actor, {id.value}, deadline);
  if (row)
    co_return entity::from_row<model::Task>(*row);
  auto const task = co_await get(actor.tenant, id, deadline);
  if (task && task->parent_id &&
      (task->status == model::TaskStatus::failed || task->status == model::TaskStatus::cancelled)) {
    co_return fail(Code::conflict, "task '" + id.value + "' was delegated by task '" + task->parent_id->value +
                                       "', which has ended and waits for it no longer; retry that one");
  }
  co_return co_await explain(actor.tenant, id, "only a failed or cancelled one can be retried", deadline);
}

Task<Result<model::Task>> TaskStore::set_priority(Actor const& actor, TaskId const& id, model::Priority priority,
                                                  std::optional<std::int64_t> expected, Deadline deadline) {
  auto const value = entity::type_of<model::Priority>().bind(&priority);
  auto row = co_await writer_.write(task_changes::set_priority(), actor,
                                    {id.value, value, expected ? Value{*expected} : Value{}}, deadline);
  if (row)
    co_return entity::from_row<model::Task>(*row);
  auto task = co_await get(actor.tenant, id, deadline);
  if (task) {
    if (auto ok = check_version("the task", task->version, expected); !ok)
      co_return fail(std::move(ok.error()));
  }
  co_return co_await explain(actor.tenant, id, "only a pending one can change its priority", deadline);
}

Task<void> TaskStore::renew_lease(WorkerId const& worker, std::string name, std::chrono::seconds lease,
                                  Deadline deadline) {
  std::chrono::microseconds const micros = lease;
  auto done = co_await writer_.database().apply(
      {Scope::system(), {{&upsert_worker, {worker.value, std::move(name), std::int64_t{micros.count()}}}}}, deadline);
  if (!done)
    throw Fault("renewing the lease of a worker was refused: " + done.error().message);
}

Task<void> TaskStore::leave(WorkerId const& worker, Deadline deadline) {
  auto done = co_await writer_.database().apply({Scope::system(), {{&delete_worker, {worker.value}}}}, deadline);
  if (!done)
    throw Fault("taking a worker off the list was refused: " + done.error().message);
}

Task<std::vector<Claimable>> TaskStore::look(storage::Statement const& statement, Values params, Deadline deadline) {
  std::vector<Claimable> out;
  for (auto const& row : co_await writer_.database().read(Scope::system(), statement, std::move(params), deadline)) {
    out.push_back({.tenant = TenantId{text_at(row, 0)},
                   .id = TaskId{text_at(row, 1)},
                   .agent_id = AgentId{text_at(row, 2)},
                   .epoch = integer_at(row, 3),
                   .correlation_id = text_at(row, 4),
                   .agent_room = integer_at(row, 6),
                   .is_delegated = !is_null(row.at(5)),
                   .rank = static_cast<std::size_t>(integer_at(row, 7))});
  }
  co_return out;
}

/// What comes after the place that the worker remembers, when that is enough for it; else nothing. Who lost tasks to
/// others leaves them the first ones, some by chance, or they would all want the same again.
Task<std::vector<Claimable>> TaskStore::look_onward(QueuePosition& position, std::size_t free, Deadline deadline) {
  auto const skipped = position.lost == 0 ? 0 : writer_.random().below(std::min(position.lost, free) + 1);
  // Some are left out when their agent is full, so a few more are looked at than are wanted.
  Values params{static_cast<std::int64_t>(skipped + free * 2)};
  for (auto const& after : position.after)
    params.emplace_back(after);
  params.emplace_back(position.oldest_running);
  auto found = co_await look(list_next, std::move(params), deadline);
  if (found.size() >= skipped + free)
    found.erase(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(skipped));
  auto chosen = choose_claims(std::move(found), free);
  co_return chosen.size() == free ? std::move(chosen) : std::vector<Claimable>{};
}

Task<std::vector<Claimable>> TaskStore::look_through(QueuePosition& position, std::size_t free, Which which,
                                                     Deadline deadline) {
  position = {};
  Values params{static_cast<std::int64_t>(free * 4), which == Which::delegated};
  auto chosen = choose_claims(co_await look(list_claimable, std::move(params), deadline), free);
  bool const has_more = chosen.size() == free && which == Which::all;
  if (has_more && writer_.database().dialect() == storage::Dialect::postgres) {
    auto const oldest = co_await writer_.database().read(Scope::system(), oldest_running, {}, deadline);
    position.oldest_running = text_at(oldest.at(0), 0);
    position.after.fill(std::string(QueuePosition::first));
    position.look_through_at = writer_.clock().steady() + QueuePosition::look_through_interval;
  }
  co_return chosen;
}

Task<std::vector<Claim>> TaskStore::claim(WorkerId const& worker, std::size_t free, Which which,
                                          QueuePosition& position, Deadline deadline) {
  std::vector<Claimable> chosen;
  bool const is_remembered = !position.oldest_running.empty() && writer_.clock().steady() < position.look_through_at;
  if (which == Which::all && is_remembered)
    chosen = co_await look_onward(position, free, deadline);
  if (chosen.empty())
    chosen = co_await look_through(position, free, which, deadline);
  // All at once, so that they share a round trip; each is won or lost on its own.
  std::vector<Task<Result<Row>>> writes;
  for (auto const& c : chosen) {
    writes.push_back(writer_.write(task_changes::claim(), system_actor(c.tenant, c.correlation_id),
                                   {c.id.value, worker.value, c.epoch}, deadline));
  }
  auto const settled = co_await settle(std::move(writes));
  std::vector<Claim> claims;
  for (std::size_t i = 0; i < settled.size(); ++i) {
    // Past what was left to others only once nothing is lost to them.
    if (position.lost == 0)
      position.pass(chosen[i].rank, chosen[i].id);
    if (settled[i].fault || !settled[i].value)
      continue;  // another was first; or nobody knows, and then held() will tell
    claims.push_back({chosen[i].tenant, entity::from_row<model::Task>(*settled[i].value), chosen[i].epoch + 1,
                      chosen[i].correlation_id});
  }
  position.lost = chosen.size() - claims.size();
  co_return claims;
}

Task<std::vector<Claim>> TaskStore::held(WorkerId const& worker, Deadline deadline) {
  std::vector<Claim> out;
  for (auto const& row : co_await writer_.database().read(Scope::system(), list_held, {worker.value}, deadline))
    out.push_back(held_claim(row, 0));
  co_return out;
}

Task<Result<void>> TaskStore::finish(Change const& change, Claim const& claim, Values own, Deadline deadline) {
  Values params{claim.task.id.value, claim.epoch};
  params.insert(params.end(), std::make_move_iterator(own.begin()), std::make_move_iterator(own.end()));
  auto row = co_await writer_.write(change, claim.actor(), std::move(params), deadline);
  if (row)
    co_return Result<void>{};
  if (row.error().code != Code::conflict)
    co_return fail(std::move(row.error()));
  co_return fail(Code::lease_lost, "task '" + claim.task.id.value + "' is no longer held by this worker");
}

Task<Result<void>> TaskStore::record(Claim const& claim, std::vector<TaskStep> const& steps, Deadline deadline) {
  Values params{claim.tenant.value, claim.task.id.value, claim.epoch, steps_json(steps)};
  auto done = co_await writer_.database().apply(
      {Scope::of(claim.tenant), {{&record_steps, std::move(params), Guard::must_match}}}, deadline);
  if (done)
    co_return Result<void>{};
  if (done.error().code == Code::conflict)
    co_return fail(Code::lease_lost, "task '" + claim.task.id.value + "' is no longer ours");
  co_return fail(std::move(done.error()));
}

Task<Result<void>> TaskStore::progress(Claim const& claim, std::string text_so_far, Deadline deadline) {
  std::string note = "{\"text\":";
  json::append_string(note, text_so_far);
  note += '}';
  co_return co_await finish(task_changes::progress(), claim, {std::move(note)}, deadline);
}

Task<Result<void>> TaskStore::complete(Claim const& claim, Outcome outcome, Deadline deadline) {
  co_return co_await finish(
      task_changes::complete(), claim,
      {std::move(outcome.result_json), steps_json(outcome.steps), ids_json(outcome.used_knowledge)}, deadline);
}

Task<Result<void>> TaskStore::fail_attempt(Claim const& claim, Outcome outcome, Retry retry, Deadline deadline) {
  auto const& task = claim.task;
  auto const delay = std::max<std::chrono::microseconds>(retry_delay(task.attempt, writer_.random()), retry.wait_min);
  bool const in_time = !task.deadline_at || writer_.clock().now() + delay < *task.deadline_at;
  if (retry.is_allowed && in_time && task.attempt < task.max_attempts) {
    co_return co_await finish(
        task_changes::requeue(), claim,
        {std::move(outcome.error_message), std::int64_t{delay.count()}, steps_json(outcome.steps)}, deadline);
  }
  co_return co_await finish(task_changes::fail(), claim, {std::move(outcome.error_message), steps_json(outcome.steps)},
                            deadline);
}

Task<Result<void>> TaskStore::release(Claim const& claim, Deadline deadline) {
  co_return co_await finish(task_changes::release(), claim, {}, deadline);
}

Task<bool> TaskStore::give_up(Claim claim, Deadline deadline) {
  Outcome outcome{
      .result_json = {}, .error_message = "the worker that ran it lost it", .steps = {}, .used_knowledge = {}};
  auto done = co_await fail_attempt(claim, std::move(outcome), Retry{}, deadline);
  co_return done.has_value();
}

Task<TaskStore::Swept> TaskStore::sweep(Deadline deadline) {
  Swept swept;
  for (auto const& row : co_await writer_.database().read(Scope::system(), list_sweep, {}, deadline)) {
    auto const what = text_at(row, 0);
    auto const claim = held_claim(row, 1);
    if (what == "abandoned") {
      bool const last = claim.task.attempt >= claim.task.max_attempts;
      if (co_await give_up(claim, deadline))
        ++(last ? swept.failed : swept.requeued);
    } else if (what == "overdue") {
      auto const done = co_await writer_.write(task_changes::fail_overdue(), claim.actor(),
                                               {claim.task.id.value, claim.epoch}, deadline);
      swept.overdue += done ? 1 : 0;
    } else {
      auto const done = co_await writer_.write(task_changes::cancel(), claim.actor(), {claim.task.id.value}, deadline);
      swept.orphaned += done ? 1 : 0;
    }
  }
  co_return swept;
}

Task<void> TaskStore::bury_workers(Deadline deadline) {
  auto buried = co_await writer_.database().apply({Scope::system(), {{&delete_dead_workers, {}}}}, deadline);
  if (!buried)
    throw Fault("removing dead workers was refused: " + buried.error().message);
}

Task<std::size_t> TaskStore::fold_knowledge_uses(Deadline deadline) {
  auto& database = writer_.database();
  auto const waiting = integer_at((co_await database.read(Scope::system(), count_uses, {}, deadline)).at(0), 0);
  if (waiting == 0)
    co_return 0;
  auto done = co_await database.apply({Scope::system(), {{&fold_uses, {}}, {&clear_uses, {}}}}, deadline);
  if (!done)
    throw Fault("counting knowledge uses was refused: " + done.error().message);
  co_return static_cast<std::size_t>(waiting);
}

Task<std::optional<Timestamp>> TaskStore::next_available(Deadline deadline) {
  auto const rows = co_await writer_.database().read(Scope::system(), earliest_available, {}, deadline);
  std::optional<Timestamp> out;
  if (!is_null(rows.at(0).at(0)))
    entity::time_type().read(rows[0][0], &out.emplace());
  co_return out;
}

}  // namespace al::data
