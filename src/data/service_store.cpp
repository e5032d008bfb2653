#include "data/service_store.hpp"

#include "data/row_values.hpp"

namespace al::data {

namespace {

using model::InstanceId;
using model::InstanceStatus;
using model::ServiceInstance;
using storage::Scope;
using storage::Statement;

entity::Entity const& instance_entity = entity::entity<ServiceInstance>();
Aggregate const instance_aggregate{.entity = instance_entity, .key = {{"id", "uuid"}}, .id = "u.id"};

constexpr std::int64_t due_max = 100;

/// What an event does not tell of: it would be old at once.
constexpr std::string_view live_columns = ", connections, heartbeat_at, expires_at, checked_at, unhealthy_since";

std::string const alive = "t.ended_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > al_now())";
std::string const shown = entity::columns(instance_entity) + std::string(live_columns);
std::string const select_alive = "SELECT " + shown + " FROM service_instances t WHERE t.tenant_id = $1 AND " + alive;

Statement const get_instance{"service.get", select_alive + " AND t.id = $2"};
Statement const all_instances{"service.all", select_alive + " ORDER BY t.name, t.id LIMIT $2"};
Statement const instances_of{"service.of", select_alive + " AND t.name = $3 ORDER BY t.id LIMIT $2"};
Statement const list_instances{
    "service.list", select_alive + " AND (t.name > $2 OR (t.name = $2 AND t.id > $3)) ORDER BY t.name, t.id LIMIT $4"};
Statement const count_instances{"service.count",
                                "SELECT COUNT(*) FROM service_instances t WHERE t.tenant_id = $1 AND " + alive};

std::string const beating =
    "UPDATE service_instances AS t SET heartbeat_at = al_now(),"
    " expires_at = al_after(t.ttl_seconds * 1000000), connections = ";
std::string const of_process = " WHERE t.tenant_id = $1 AND t.process_id = $2 AND " + alive + " RETURNING id";
Statement const beat_process{
    .name = "service.beat",
    .text = beating +
            "COALESCE((SELECT CAST(j.value AS bigint) FROM json_each_text(CAST($3 AS json)) j"
            " WHERE j.key = CAST(t.id AS text)), 0)" +
            of_process,
    .sqlite = beating + "COALESCE((SELECT j.value FROM json_each($3) j WHERE j.key = t.id), 0)" + of_process};
Statement const beat_external{
    "service.heartbeat",
    beating + "$3 WHERE t.tenant_id = $1 AND t.id = $2 AND t.source = 'external' AND " + alive + " RETURNING " + shown};

/// Who waits for the row of another process finds that its turn is over.
Statement const take_checks{
    "service.take_checks",
    "UPDATE service_instances AS t SET next_check_at = al_after($2), checked_at = al_now() WHERE t.tenant_id = $1"
    " AND t.next_check_at <= al_now() AND t.status <> 'stopping' AND " +
        alive +
        " AND t.id IN (SELECT d.id FROM service_instances d WHERE d.tenant_id = $1 AND d.ended_at IS NULL"
        " AND d.status <> 'stopping' AND d.next_check_at <= al_now() ORDER BY d.next_check_at LIMIT $3) RETURNING " +
        shown};

/// Its heartbeats have ended, or it sends none and has not answered for a minute.
std::string const has_expired =
    "t.ended_at IS NULL AND (t.expires_at <= al_now() OR (t.source = 'external'"
    " AND t.unhealthy_since <= al_after(-60000000) AND t.heartbeat_at <= al_after(-60000000)))";
Statement const list_expired{"service.expired", "SELECT t.id FROM service_instances t WHERE t.tenant_id = $1 AND " +
                                                    has_expired + " ORDER BY t.id LIMIT $2"};
Statement const purge_ended{"service.purge",
                            "DELETE FROM service_instances WHERE tenant_id = $1"
                            " AND ended_at <= al_after(-86400000000)"};

/// Everything but what it is known by.
std::string anew() {
  std::string out = "DO UPDATE SET version = t.version + 1";
  for (auto const& field : instance_entity.fields) {
    if (field.options.stored && field.name != "id" && field.name != "version")
      out.append(", ").append(field.name).append(" = excluded.").append(field.name);
  }
  return out +
         ", process_id = excluded.process_id, heartbeat_at = excluded.heartbeat_at, expires_at = excluded.expires_at,"
         " next_check_at = excluded.next_check_at, connections = 0, unhealthy_since = NULL, ended_at = NULL";
}

Change const register_instance = make_insert(
    instance_aggregate,
    {.name = "service.register",
     .channel = "service:registered",
     .extra = {{"process_id", "{process_id}"},
               {"heartbeat_at", "al_now()"},
               {"expires_at", "al_after({ttl_seconds} * 1000000)"},
               {"next_check_at", "al_now()"}},
     .params = {{"process_id", "text"}},
     .where = "({source} = 'process' OR (SELECT COUNT(*) FROM service_instances s WHERE s.tenant_id = {tenant_id}"
              " AND s.source = 'external' AND s.ended_at IS NULL) < " +
              std::to_string(ServiceStore::external_instances_max) + ")",
     .on_conflict = anew()});
/// One that is about to stop stays so, whatever a check has found.
Change const change_status = make_update(
    instance_aggregate, {.name = "service.set_status",
                         .channel = "service:status_changed",
                         .params = {{"expected", "bigint"}, {"status", "text"}},
                         .set = "status = {status}, updated_at = al_now(),"
                                " unhealthy_since = CASE WHEN {status} = 'unhealthy' THEN al_now() ELSE NULL END",
                         .where = alive + " AND t.status <> {status} AND t.status <> 'stopping'"
                                          " AND ({expected} = 0 OR t.version = {expected})"});
Change const deregister_instance = make_update(instance_aggregate, {.name = "service.deregister",
                                                                    .channel = "service:deregistered",
                                                                    .set = "ended_at = al_now(), updated_at = al_now()",
                                                                    .where = alive});
Change const expire_instance = make_update(instance_aggregate, {.name = "service.expire",
                                                                .channel = "service:expired",
                                                                .set = "ended_at = al_now(), updated_at = al_now()",
                                                                .where = has_expired});

ServiceInstance read_instance(Row const& row) {
  auto instance = entity::from_row<ServiceInstance>(row);
  auto at = entity::column_count(instance_entity);
  auto const optional_time = [&](std::optional<Timestamp>& out) {
    if (auto const& value = row.at(at++); !is_null(value))
      entity::type_of<Timestamp>().read(value, &out.emplace());
  };
  entity::type_of<std::int64_t>().read(row.at(at++), &instance.connections);
  entity::type_of<Timestamp>().read(row.at(at++), &instance.heartbeat_at);
  optional_time(instance.expires_at);
  optional_time(instance.checked_at);
  optional_time(instance.unhealthy_since);
  return instance;
}

std::vector<ServiceInstance> read_all(Rows const& rows) {
  std::vector<ServiceInstance> out;
  out.reserve(rows.size());
  for (auto const& row : rows)
    out.push_back(read_instance(row));
  return out;
}

std::vector<InstanceId> read_ids(Rows const& rows) {
  std::vector<InstanceId> out;
  for (auto const& row : rows)
    out.emplace_back(std::get<std::string>(row.at(0)));
  return out;
}

Error no_such_instance(InstanceId const& id) {
  return {.code = Code::not_found, .message = "there is no instance '" + id.value + "'; it may have expired"};
}

Error speaks_for_itself(InstanceId const& id) {
  return {.code = Code::conflict,
          .message = "'" + id.value + "' is a process of this installation, which speaks for itself; stop it instead"};
}

Result<void> check_operator(Actor const& actor) {
  if (actor.tenant == default_tenant)
    return {};
  return fail(Code::forbidden, "Only those who run the installation manage services.");
}

Actor background() {
  return {.tenant = default_tenant, .user_id = "system", .correlation_id = {}, .causation_id = {}, .traceparent = {}};
}

std::string as_json(ServiceStore::Connections const& connections) {
  std::string out = "{";
  for (auto const& [id, count] : connections) {
    if (out.size() > 1)
      out += ',';
    json::append_string(out, id);
    out += ':' + std::to_string(count);
  }
  return out + "}";
}

std::string cursor_of(ServiceInstance const& instance) { return instance.name.value + "/" + instance.id.value; }

}  // namespace

Task<Result<ServiceInstance>> ServiceStore::add(Actor const& actor, ServiceInstance instance, std::string process,
                                                Deadline deadline) {
  if (auto ok = check_operator(actor); !ok)
    co_return fail(std::move(ok.error()));
  auto const id = instance.id;
  instance.source = process.empty() ? model::InstanceSource::external : model::InstanceSource::process;
  instance.version = 1;
  instance.registered_at = instance.updated_at = writer_.clock().now();
  Values params;
  entity::bind_row(instance, params);
  params.emplace_back(std::move(process));
  auto row = co_await writer_.write(register_instance, actor, std::move(params), deadline);
  if (!row && row.error().code == Code::conflict)
    co_return fail(Code::conflict, "there are " + std::to_string(external_instances_max) +
                                       " registered instances, the most there can be; deregister those that are gone");
  if (!row)
    co_return fail(std::move(row.error()));
  co_return co_await get(id, deadline);
}

Task<Result<ServiceInstance>> ServiceStore::get(InstanceId const& id, Deadline deadline) {
  auto const rows = co_await writer_.database().read(Scope::of(default_tenant), get_instance,
                                                     {default_tenant.value, id.value}, deadline);
  if (rows.empty())
    co_return fail(no_such_instance(id));
  co_return read_instance(rows[0]);
}

Task<std::vector<ServiceInstance>> ServiceStore::all(model::ServiceName const& service, Deadline deadline) {
  bool const is_every = service.value.empty();
  Values params{default_tenant.value, instances_max};
  if (!is_every)
    params.emplace_back(service.value);
  co_return read_all(co_await writer_.database().read(
      Scope::of(default_tenant), is_every ? all_instances : instances_of, std::move(params), deadline));
}

Task<Result<Page<ServiceInstance>>> ServiceStore::list(PageRequest request, Deadline deadline) {
  std::string service;
  std::string id{"00000000-0000-0000-0000-000000000000"};
  if (!request.cursor.empty()) {
    auto const slash = request.cursor.find('/');
    service = request.cursor.substr(0, slash);
    id = slash == std::string::npos ? std::string() : request.cursor.substr(slash + 1);
    if (!is_slug(service) || !is_uuid(id))
      co_return fail(wrong_cursor());
  }
  auto rows = co_await writer_.database().read(
      Scope::of(default_tenant), list_instances,
      {default_tenant.value, std::move(service), normal_uuid(id), request.limit + 1}, deadline);
  auto page = page_of(cut_page(rows, request.limit), read_instance, cursor_of);
  if (request.count_total) {
    auto const counted =
        co_await writer_.database().read(Scope::of(default_tenant), count_instances, {default_tenant.value}, deadline);
    page.total = integer_at(counted.at(0), 0);
  }
  co_return page;
}

Task<std::vector<InstanceId>> ServiceStore::beat(std::string process, Connections const& connections,
                                                 Deadline deadline) {
  storage::Batch batch{Scope::of(default_tenant), {}};
  batch.steps.push_back({&beat_process, {default_tenant.value, std::move(process), as_json(connections)}});
  auto const done = co_await writer_.database().apply(std::move(batch), deadline);
  if (!done)
    throw Fault("a heartbeat was refused: " + done.error().message);
  co_return read_ids(done->at(0));
}

Task<Result<ServiceInstance>> ServiceStore::heartbeat(Actor const& actor, InstanceId const& id,
                                                      model::InstanceHeartbeat said, Deadline deadline) {
  if (auto ok = check_operator(actor); !ok)
    co_return fail(std::move(ok.error()));
  storage::Batch batch{Scope::of(default_tenant), {}};
  batch.steps.push_back({&beat_external, {default_tenant.value, id.value, said.connections}});
  auto const done = co_await writer_.database().apply(std::move(batch), deadline);
  if (!done)
    co_return fail(done.error());
  if (!done->at(0).empty())
    co_return read_instance(done->at(0)[0]);
  if (auto const there = co_await get(id, deadline); there && there->source == model::InstanceSource::process)
    co_return fail(speaks_for_itself(id));
  co_return fail(no_such_instance(id));
}

Task<Result<ServiceInstance>> ServiceStore::set_status(Actor const& actor, InstanceId const& id, InstanceStatus status,
                                                       std::optional<std::int64_t> expected, Deadline deadline) {
  if (auto ok = check_operator(actor); !ok)
    co_return fail(std::move(ok.error()));
  Values params{id.value, expected.value_or(0), entity::type_of<InstanceStatus>().bind(&status)};
  auto row = co_await writer_.write(change_status, actor, std::move(params), deadline);
  if (!row)
    co_return fail(std::move(row.error()));
  co_return entity::from_row<ServiceInstance>(*row);
}

Task<Result<void>> ServiceStore::remove(Actor const& actor, InstanceId const& id, Deadline deadline) {
  if (auto ok = check_operator(actor); !ok)
    co_return fail(std::move(ok.error()));
  auto const row = co_await writer_.write(deregister_instance, actor, {id.value}, deadline);
  if (!row && row.error().code == Code::conflict)
    co_return fail(no_such_instance(id));
  if (!row)
    co_return fail(row.error());
  co_return Result<void>{};
}

Task<Result<void>> ServiceStore::remove_external(Actor const& actor, InstanceId const& id, Deadline deadline) {
  auto const there = co_await get(id, deadline);
  if (!there)
    co_return fail(there.error());
  // It never becomes another's.
  if (there->source == model::InstanceSource::process)
    co_return fail(speaks_for_itself(id));
  co_return co_await remove(actor, id, deadline);
}

Task<ServiceStore::Due> ServiceStore::take_due(std::chrono::microseconds interval, Deadline deadline) {
  storage::Batch batch{Scope::of(default_tenant), {}};
  batch.steps.push_back({&take_checks, {default_tenant.value, std::int64_t{interval.count()}, due_max}});
  batch.steps.push_back({&list_expired, {default_tenant.value, due_max}});
  auto const done = co_await writer_.database().apply(std::move(batch), deadline);
  if (!done)
    throw Fault("due checks could not be taken: " + done.error().message);
  co_return Due{read_all(done->at(0)), read_ids(done->at(1))};
}

Task<bool> ServiceStore::expire(InstanceId const& id, Deadline deadline) {
  auto const row = co_await writer_.write(expire_instance, background(), {id.value}, deadline);
  co_return row.has_value();
}

Task<void> ServiceStore::purge(Deadline deadline) {
  storage::Batch batch{Scope::of(default_tenant), {}};
  batch.steps.push_back({&purge_ended, {default_tenant.value}});
  if (auto const done = co_await writer_.database().apply(std::move(batch), deadline); !done)
    throw Fault("instances that ended could not be removed: " + done.error().message);
}

}  // namespace al::data
