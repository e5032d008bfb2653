#include "data/agent_store.hpp"

#include <algorithm>

#include "data/contains.hpp"
#include "data/expected_version.hpp"
#include "data/row_values.hpp"

namespace al::data {

namespace {

using storage::Scope;
using storage::Statement;

entity::Entity const& agent_entity = entity::entity<model::Agent>();

Aggregate const agent_aggregate{.entity = agent_entity, .key = {{"id", "text"}}, .id = "u.id"};

/// Idle turned into busy for those who have a task running.
std::string const shown_status =
    "CASE WHEN a.status = 'idle' AND EXISTS (SELECT 1 FROM tasks r WHERE r.tenant_id = a.tenant_id"
    " AND r.agent_id = a.id AND r.status = 'started') THEN 'busy' ELSE a.status END";

/// The columns of alias `a`, with the status that is shown.
std::string const shown_columns = [] {
  auto text = entity::columns(agent_entity, "a.");
  std::string const stored = "a.status";
  text.replace(text.find(stored), stored.size(), shown_status);
  return text;
}();

Statement const get_agent{"agent.get", "SELECT " + shown_columns +
                                           " FROM agents a WHERE a.tenant_id = $1 AND a.id = $2"
                                           " AND a.deleted_at IS NULL"};

RowSource const stored_agent = make_source(agent_aggregate, "agent", "agent.stored", " AND t.deleted_at IS NULL");

/// What was changed last is asked for first.
Statement const list_recent{"agent.recent",
                            "SELECT a.tenant_id, a.id FROM agents a WHERE a.deleted_at IS NULL"
                            " ORDER BY a.updated_at DESC LIMIT $1"};

Statement const get_deleted_agent{"agent.get_deleted",
                                  "SELECT id FROM agents WHERE tenant_id = $1 AND id = $2 AND deleted_at IS NOT NULL"};

/// $2 a pattern, $3 a status as it is shown, each NULL when it does not matter; `capabilities` are those of alias `a`
/// as rows c(value).
std::string is_wanted(std::string const& capabilities) {
  std::string out =
      "a.tenant_id = $1 AND a.deleted_at IS NULL AND (CAST($3 AS text) IS NULL OR CAST($3 AS text) = " + shown_status +
      ") AND (CAST($2 AS text) IS NULL";
  std::string const fits = " LIKE lower(CAST($2 AS text)) ESCAPE '\\'";
  for (auto const* column : {"a.id", "a.name", "a.specialization"})
    out.append(" OR lower(").append(column).append(")").append(fits);
  return out + " OR EXISTS (SELECT 1 FROM " + capabilities + " WHERE lower(c.value)" + fits + "))";
}
std::string const wanted_postgres = is_wanted("json_array_elements_text(a.capabilities) AS c(value)");
std::string const wanted_sqlite = is_wanted("json_each(a.capabilities) c");

std::string list_text(std::string const& wanted) {
  return "SELECT " + shown_columns + " FROM agents a WHERE " + wanted + " AND a.id > $4 ORDER BY a.id LIMIT $5";
}
Statement const list_agents{"agent.list", list_text(wanted_postgres), list_text(wanted_sqlite)};

Statement const count_agents{"agent.count", "SELECT COUNT(*) FROM agents a WHERE " + wanted_postgres,
                             "SELECT COUNT(*) FROM agents a WHERE " + wanted_sqlite};

Statement const list_candidates{
    "agent.candidates", "SELECT " + shown_columns +
                            ", (SELECT COUNT(*) FROM tasks o WHERE o.tenant_id = a.tenant_id AND o.agent_id = a.id"
                            " AND o.status IN ('pending', 'started'))"
                            " FROM agents a WHERE a.tenant_id = $1 AND a.deleted_at IS NULL AND a.status = 'idle'"
                            " ORDER BY a.id LIMIT 1000"};

std::string const seconds_taken_sqlite = "AVG(CASE WHEN status = 'completed' THEN completed_at - started_at END) / 1e6";
std::string const seconds_taken_postgres =
    "AVG(CASE WHEN status = 'completed' THEN EXTRACT(EPOCH FROM completed_at - started_at) END)::double precision";

std::string performance_text(std::string const& seconds_taken) {
  return "SELECT COUNT(*), COUNT(CASE WHEN status = 'completed' THEN 1 END),"
         " COUNT(CASE WHEN status = 'failed' THEN 1 END),"
         " COUNT(CASE WHEN status IN ('pending', 'started') THEN 1 END), " +
         seconds_taken + " FROM tasks WHERE tenant_id = $1 AND agent_id = $2";
}

Statement const agent_performance{"agent.performance", performance_text(seconds_taken_postgres),
                                  performance_text(seconds_taken_sqlite)};

Change const create_agent = make_insert(
    agent_aggregate,
    {.name = "agent.create",
     .channel = "agent:created",
     .cache = CacheEffect::put,
     .on_conflict = "DO UPDATE SET name = excluded.name, model = excluded.model, "
                    "specialization = excluded.specialization, status = excluded.status, "
                    "capabilities = excluded.capabilities, config = excluded.config, "
                    "max_concurrency = excluded.max_concurrency, imported = excluded.imported, "
                    "version = t.version + 1, created_at = excluded.created_at, updated_at = excluded.updated_at, "
                    "deleted_at = NULL WHERE t.deleted_at IS NOT NULL"});

Change const update_agent = make_update(
    agent_aggregate, {.name = "agent.update",
                      .channel = "agent:updated",
                      .cache = CacheEffect::put,
                      .params = {{"expected", "bigint"},
                                 {"name", "text"},
                                 {"model", "text"},
                                 {"specialization", "text"},
                                 {"status", "text"},
                                 {"capabilities", "json"},
                                 {"config", "json"},
                                 {"max_concurrency", "bigint"}},
                      .set = "name = {name}, model = {model}, specialization = {specialization}, status = {status}, "
                             "capabilities = {capabilities}, config = {config}, max_concurrency = {max_concurrency}, "
                             "updated_at = al_now()",
                      .where = "t.version = {expected} AND t.deleted_at IS NULL"});

Change const remove_agent = make_update(agent_aggregate, {.name = "agent.delete",
                                                          .channel = "agent:deleted",
                                                          .cache = CacheEffect::remove,
                                                          .params = {{"expected", "bigint"}},
                                                          .set = "deleted_at = al_now(), updated_at = al_now()",
                                                          .where = "t.version = {expected} AND t.deleted_at IS NULL"});

std::string cache_key(TenantId const& tenant, AgentId const& id) { return tenant.value + ":agent:" + id.value; }

Error no_such_agent(AgentId const& id) {
  return {.code = Code::not_found, .message = "there is no agent '" + id.value + "'"};
}

constexpr std::int64_t capability_size_max = 50;

/// What the description of the entity cannot say.
entity::Faults faults_of(model::Agent const& agent) {
  entity::Faults faults;
  if (std::ranges::count(reserved_agent_ids, agent.id.value) > 0) {
    faults.push_back({"id", "'" + agent.id.value + "' is a word of the API; choose another id"});
  }
  if (agent.status == model::AgentStatus::busy) {
    faults.push_back({"status", "busy follows from running tasks; set idle, error or offline"});
  }
  for (std::size_t i = 0; i < agent.capabilities.size(); ++i) {
    auto const size = entity::string_type().size(&agent.capabilities[i]).value_or(0);
    if (size < 1 || size > capability_size_max) {
      faults.push_back(
          {"capabilities[" + std::to_string(i) + "]",
           "must have 1 to " + std::to_string(capability_size_max) + " characters, has " + std::to_string(size)});
    }
  }
  return faults;
}

/// How often an update that lost a race is decided anew, when the client named no version.
constexpr int update_tries_max = 5;

}  // namespace

AgentStore::AgentStore(Writer& writer, cache::LocalCache<AgentView>* cache) : writer_(writer), cache_(cache) {
  if (!cache_)
    return;
  auto const forget = [this](TenantId const& tenant, AgentId const& id) { cache_->forget(cache_key(tenant, id)); };
  using events::Announcement;
  writer_.bus().on("agent:*", [forget](Announcement const& it) { forget(it.tenant, AgentId{it.aggregate_id}); });
  // An agent is busy while a task of it runs.
  for (auto const* channel :
       {"task:started", "task:retried", "task:released", "task:completed", "task:failed", "task:cancelled"}) {
    writer_.bus().on(channel, [forget](Announcement const& it) { forget(it.tenant, it.agent_id); });
  }
}

Task<Result<std::shared_ptr<AgentView const>>> AgentStore::view(TenantId const& tenant, AgentId const& id,
                                                                Freshness freshness, Deadline deadline) {
  bool const fresh = freshness == Freshness::fresh;
  auto const key = cache_key(tenant, id);
  std::uint64_t ticket = 0;
  if (cache_ && !fresh) {
    if (auto hit = cache_->find(key, ticket))
      co_return hit;
  }
  auto agent = co_await get(tenant, id, deadline);
  if (!agent)
    co_return fail(std::move(agent.error()));
  auto view = std::make_shared<AgentView const>(AgentView{entity::to_json(*agent), agent->version});
  if (cache_ && !fresh)
    cache_->put(key, view, ticket);
  co_return view;
}

Task<Result<model::Agent>> AgentStore::get(TenantId const& tenant, AgentId const& id, Deadline deadline) {
  auto const rows = co_await writer_.database().read(Scope::of(tenant), get_agent, {tenant.value, id.value}, deadline);
  if (rows.empty())
    co_return fail(no_such_agent(id));
  co_return entity::from_row<model::Agent>(rows[0]);
}

Task<Result<model::Agent>> AgentStore::stored(TenantId const& tenant, AgentId const& id, Deadline deadline) {
  auto const row = co_await writer_.read(stored_agent, tenant, id.value, Freshness::cached, deadline);
  if (!row)
    co_return fail(row.error());
  if (*row == nullptr)
    co_return fail(no_such_agent(id));
  co_return entity::from_row<model::Agent>(**row);
}

Task<void> AgentStore::warm_up(std::int64_t limit, Deadline deadline) {
  for (auto const& row : co_await writer_.database().read(Scope::system(), list_recent, {limit}, deadline)) {
    TenantId const tenant{std::get<std::string>(row.at(0))};
    AgentId const id{std::get<std::string>(row.at(1))};
    std::ignore = co_await stored(tenant, id, deadline);
  }
}

Task<bool> AgentStore::was_deleted(TenantId const& tenant, AgentId const& id, Deadline deadline) {
  auto const rows =
      co_await writer_.database().read(Scope::of(tenant), get_deleted_agent, {tenant.value, id.value}, deadline);
  co_return !rows.empty();
}

Task<Result<Page<model::Agent>>> AgentStore::list(TenantId const& tenant, AgentFilter filter, PageRequest request,
                                                  Deadline deadline) {
  if (!request.cursor.empty() && !is_slug(request.cursor)) {
    co_return fail(wrong_cursor());
  }
  Values params{tenant.value, filter.text.empty() ? Value{} : Value{pattern_of(filter.text)},
                filter.status ? entity::type_of<model::AgentStatus>().bind(&*filter.status) : Value{}};
  auto count_params = params;
  params.insert(params.end(), {Value{std::move(request.cursor)}, Value{request.limit + 1}});
  auto rows = co_await writer_.database().read(Scope::of(tenant), list_agents, std::move(params), deadline);
  auto page = page_of<model::Agent>(cut_page(rows, request.limit));
  if (request.count_total) {
    auto const counted =
        co_await writer_.database().read(Scope::of(tenant), count_agents, std::move(count_params), deadline);
    page.total = integer_at(counted.at(0), 0);
  }
  co_return page;
}

Task<Result<model::Agent>> AgentStore::create(Actor const& actor, model::Agent agent, Deadline deadline) {
  if (auto faults = faults_of(agent); !faults.empty())
    co_return fail(entity::invalid(std::move(faults)));
  auto params = bind_first(agent, writer_.clock().now());
  auto row = co_await writer_.write(create_agent, actor, std::move(params), deadline);
  if (!row && row.error().code == Code::conflict) {
    co_return fail(Code::conflict, "agent '" + agent.id.value + "' exists already; update it, or choose another id");
  }
  if (!row)
    co_return fail(std::move(row.error()));
  co_return entity::from_row<model::Agent>(*row);
}

Task<Result<model::Agent>> AgentStore::update(Actor const& actor, AgentId const& id, json::Input patch,
                                              std::optional<std::int64_t> expected, Deadline deadline) {
  Edit const edit = [patch](model::Agent& agent) -> Result<void> {
    if (auto ok = entity::patch_json(agent, patch); !ok)
      return fail(std::move(ok.error()));
    return {};
  };
  co_return co_await change(actor, id, edit, expected, deadline);
}

Task<Result<model::Agent>> AgentStore::set_status(Actor const& actor, AgentId const& id, model::AgentStatus status,
                                                  std::optional<std::int64_t> expected, Deadline deadline) {
  Edit const edit = [status](model::Agent& agent) -> Result<void> {
    agent.status = status;
    return {};
  };
  co_return co_await change(actor, id, edit, expected, deadline);
}

Task<Result<model::Agent>> AgentStore::change(Actor const& actor, AgentId const& id, Edit edit,
                                              std::optional<std::int64_t> expected, Deadline deadline) {
  for (int i = 0; i < update_tries_max; ++i) {
    auto agent = co_await get(actor.tenant, id, deadline);
    if (!agent)
      co_return agent;
    if (auto ok = check_version("the agent", agent->version, expected); !ok)
      co_return fail(std::move(ok.error()));
    bool const is_busy = agent->status == model::AgentStatus::busy;
    if (is_busy)
      agent->status = model::AgentStatus::idle;
    if (auto ok = edit(*agent); !ok)
      co_return fail(std::move(ok.error()));
    if (auto faults = faults_of(*agent); !faults.empty())
      co_return fail(entity::invalid(std::move(faults)));
    auto const bind = [](auto const& member) {
      return entity::type_of<std::remove_cvref_t<decltype(member)>>().bind(&member);
    };
    auto row = co_await writer_.write(
        update_agent, actor,
        {id.value, agent->version, agent->name, agent->model, agent->specialization, bind(agent->status),
         bind(agent->capabilities), agent->config.text, agent->max_concurrency},
        deadline);
    if (row) {
      // The row as this change left it: read again it could be someone else's.
      auto changed = entity::from_row<model::Agent>(*row);
      if (is_busy && changed.status == model::AgentStatus::idle)
        changed.status = model::AgentStatus::busy;
      co_return changed;
    }
    if (row.error().code != Code::conflict)
      co_return fail(std::move(row.error()));
  }
  co_return fail(Code::conflict, "agent '" + id.value + "' kept changing; try again");
}

Task<Result<void>> AgentStore::remove(Actor const& actor, AgentId const& id, std::optional<std::int64_t> expected,
                                      Deadline deadline) {
  for (int i = 0; i < update_tries_max; ++i) {
    auto agent = co_await get(actor.tenant, id, deadline);
    if (!agent)
      co_return fail(std::move(agent.error()));
    if (auto ok = check_version("the agent", agent->version, expected); !ok)
      co_return ok;
    auto row = co_await writer_.write(remove_agent, actor, {id.value, agent->version}, deadline);
    if (row)
      co_return Result<void>{};
    if (row.error().code != Code::conflict)
      co_return fail(std::move(row.error()));
  }
  co_return fail(Code::conflict, "agent '" + id.value + "' kept changing; try again");
}

Task<Result<AgentPerformance>> AgentStore::performance(TenantId const& tenant, AgentId const& id, Deadline deadline) {
  if (auto agent = co_await get(tenant, id, deadline); !agent)
    co_return fail(std::move(agent.error()));
  auto const rows =
      co_await writer_.database().read(Scope::of(tenant), agent_performance, {tenant.value, id.value}, deadline);
  auto const number = [&](std::size_t i) { return std::get<std::int64_t>(rows.at(0).at(i)); };
  AgentPerformance out{.agent_id = id,
                       .total_tasks = number(0),
                       .completed_tasks = number(1),
                       .failed_tasks = number(2),
                       .open_tasks = number(3),
                       .average_completion_time = std::nullopt,
                       .success_rate = std::nullopt};
  if (auto const* seconds = std::get_if<double>(&rows.at(0).at(4)))
    out.average_completion_time = *seconds;
  auto const ended = out.completed_tasks + out.failed_tasks;
  if (ended > 0)
    out.success_rate = 100.0 * static_cast<double>(out.completed_tasks) / static_cast<double>(ended);
  co_return out;
}

Task<std::vector<AgentStore::Candidate>> AgentStore::candidates(TenantId const& tenant, Deadline deadline) {
  auto const rows = co_await writer_.database().read(Scope::of(tenant), list_candidates, {tenant.value}, deadline);
  std::vector<Candidate> out;
  for (auto const& row : rows) {
    out.push_back({entity::from_row<model::Agent>(row), std::get<std::int64_t>(row.back())});
  }
  co_return out;
}

}  // namespace al::data
