#include "data/change.hpp"

#include <algorithm>
#include <exception>
#include <limits>
#include <numeric>

#include "core/failpoint.hpp"
#include "events/channel.hpp"

namespace al::data {

namespace {

using storage::Dialect;

using storage::Guard;
using storage::Scope;
using storage::Statement;

/// What every change carries, in this order, before its own parameters: Writer::stamp().
std::vector<Parameter> stamp() {
  return {{"tenant_id", "text"}, {"event_id", "uuid"}, {"service", "text"},    {"correlation", "text"},
          {"causation", "text"}, {"actor", "text"},    {"traceparent", "text"}};
}

/// `{name}` becomes `p_name` (a column of the callers' rows) on PostgreSQL and `$position` on SQLite.
std::string bind_names(std::string_view text, std::vector<Parameter> const& params, Dialect dialect) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    auto const open = text.find('{', at);
    auto const close = text.find('}', open);
    out += text.substr(at, open - at);
    if (open == std::string_view::npos || close == std::string_view::npos)
      break;
    auto const name = text.substr(open + 1, close - open - 1);
    auto const found = std::ranges::find(params, name, &Parameter::name);
    if (found == params.end()) {
      out += text.substr(open, close + 1 - open);
    } else if (dialect == Dialect::postgres) {
      out += "p_" + std::string(name);
    } else {
      out += "$" + std::to_string(found - params.begin() + 1);
    }
    at = close + 1;
  }
  return out;
}

std::string time_as_json(std::string const& column, Dialect dialect) {
  if (dialect == Dialect::postgres) {
    return "to_char(" + column + " AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')";
  }
  return "al_rfc3339(" + column + ")";
}

/// Of a large value an event carries the size only, as {"omitted_bytes": n}: a reader must see that it is not the
/// value, which a text cut short would not show.
std::string omitted_when_large(std::string const& column, std::string const& value, Dialect dialect) {
  bool const postgres = dialect == Dialect::postgres;
  auto const bytes = postgres ? "octet_length(CAST(" + column + " AS text))" : "length(CAST(" + column + " AS BLOB))";
  return "CASE WHEN " + bytes + " > " + std::to_string(event_value_bytes_max) + " THEN json" +
         (postgres ? "_build" : "") + "_object('omitted_bytes', " + bytes + ") ELSE " + value + " END";
}

std::string value_as_json(entity::Field const& field, Dialect dialect) {
  std::string column = "u." + std::string(field.name);
  bool const postgres = dialect == Dialect::postgres;
  if (field.type->format == "date-time")
    return time_as_json(column, dialect);
  if (field.type->json == "boolean" && !postgres)
    return "json(CASE WHEN " + column + " THEN 'true' ELSE 'false' END)";
  if (field.type->json == "object" || field.type->json == "array") {
    return omitted_when_large(column, postgres ? column : "json(" + column + ")", dialect);
  }
  // A character has up to four bytes.
  if (field.type->json == "string" && field.options.max > event_value_bytes_max / 4 && field.type->choices.empty() &&
      field.type->format.empty()) {
    return omitted_when_large(column, postgres ? "to_json(" + column + ")" : column, dialect);
  }
  return column;
}

/// The row `u` as JSON, as far as clients may see it.
std::string row_as_json(entity::Entity const& entity, Dialect dialect) {
  std::string out = dialect == Dialect::postgres ? "json_build_object(" : "json_object(";
  bool first = true;
  for (auto const& field : entity.fields) {
    if (!field.options.stored || !field.options.shown)
      continue;
    if (!std::exchange(first, false))
      out += ", ";
    out += "'" + std::string(field.name) + "', " + value_as_json(field, dialect);
  }
  return out + ")";
}

/// The one statement that adds events. The arguments are expressions; `source` is what they are taken from.
std::string add_event(std::string const& channel, std::string const& aggregate_id, std::string const& version,
                      std::string const& data, std::string const& source) {
  return "INSERT INTO events (event_id, tenant_id, timestamp, channel, service, aggregate_id, version, data, "
         "correlation_id, causation_id, user_id, traceparent) SELECT {event_id}, {tenant_id}, al_now(), " +
         channel + ", {service}, " + aggregate_id + ", " + version + ", " + data +
         ", {correlation}, {causation}, {actor}, {traceparent}" + source;
}

/// The event of the changed row `u`.
std::string row_event(Aggregate const& aggregate, std::string_view channel, Dialect dialect, std::string const& u) {
  return add_event("'" + std::string(channel) + "'", "CAST(" + std::string(aggregate.id) + " AS text)", "u.version",
                   row_as_json(aggregate.entity, dialect), " FROM " + u);
}

std::string key_condition(Aggregate const& aggregate, std::string_view row) {
  std::string out = std::string(row) + ".tenant_id = {tenant_id}";
  for (auto const& key : aggregate.key) {
    out += " AND " + std::string(row) + "." + std::string(key.name) + " = {" + std::string(key.name) + "}";
  }
  return out;
}

/// The audit trail's entry of the changed row `u`, under the id of its event, and the note that no chain has it yet.
std::string audit_entry(Aggregate const& aggregate, std::string_view channel, Dialect dialect) {
  return "INSERT INTO audit_entries (tenant_id, id, at, actor, action, target, outcome, address, request_id, details)"
         " SELECT {tenant_id}, {event_id}, al_now(), {actor}, '" +
         std::string(channel) + "', CAST(" + std::string(aggregate.id) + " AS text), 'succeeded', {from_address}, " +
         "{correlation}, " + row_as_json(aggregate.entity, dialect) + " FROM u";
}

std::vector<Companion> with_audit(std::vector<Companion> also, Aggregate const& aggregate, std::string_view channel) {
  also.push_back(
      {audit_entry(aggregate, channel, Dialect::postgres), audit_entry(aggregate, channel, Dialect::sqlite)});
  also.push_back({"INSERT INTO audit_pending (tenant_id, entry_id) SELECT {tenant_id}, {event_id} FROM u"});
  return also;
}

enum class Callers { one, many };

/// "r AS (SELECT * FROM unnest($1::text[], …) WITH ORDINALITY AS r(p_tenant_id, …, n))", of one caller
/// "… unnest(ARRAY[$1::text], …) …".
std::string callers_rows(std::vector<Parameter> const& params, Callers callers) {
  std::string arrays;
  std::string names;
  for (std::size_t i = 0; i < params.size(); ++i) {
    auto const value = "$" + std::to_string(i + 1) + "::" + std::string(params[i].type);
    arrays += i > 0 ? ", " : "";
    arrays += callers == Callers::many ? value + "[]" : "ARRAY[" + value + "]";
    names += "p_" + std::string(params[i].name) + ", ";
  }
  return "r AS MATERIALIZED (SELECT * FROM unnest(" + arrays + ") WITH ORDINALITY AS r(" + names + "n))";
}

/// `rest`, which follows the callers' rows, for many callers and for one.
void set_postgres(Change& change, std::vector<Parameter> const& params, std::string const& rest) {
  auto const bound = bind_names(rest, params, Dialect::postgres);
  change.statement.postgres = "WITH " + callers_rows(params, Callers::many) + bound;
  change.alone = {change.statement.name, "WITH " + callers_rows(params, Callers::one) + bound};
}

std::string result_columns(Aggregate const& aggregate) { return entity::columns(aggregate.entity, "u."); }

/// Everything after `u`, the changed rows with their callers' parameters, is there.
std::string postgres_tail(Aggregate const& aggregate, std::string_view channel, std::vector<Companion> const& also) {
  std::string out = ", e AS (" + row_event(aggregate, channel, Dialect::postgres, "u") + ")";
  int i = 0;
  for (auto const& companion : also)
    out += ", c" + std::to_string(i++) + " AS (" + companion.text + ")";
  return out + " SELECT u.n, " + result_columns(aggregate) + " FROM u";
}

void add_sqlite_tail(std::vector<storage::Statement>& steps, std::string_view name, Aggregate const& aggregate,
                     std::string_view channel, std::vector<Companion> const& also,
                     std::vector<Parameter> const& params) {
  std::string const row = std::string(aggregate.entity.table) + " AS u WHERE " + key_condition(aggregate, "u");
  auto const add = [&](std::string const& text) { steps.push_back({name, bind_names(text, params, Dialect::sqlite)}); };
  add(row_event(aggregate, channel, Dialect::sqlite, row));
  // A companion reads the changed row under the name `u`, as it does on PostgreSQL. It may touch no row.
  for (auto const& companion : also) {
    add("WITH u AS (SELECT * FROM " + row + ") " + (companion.sqlite.empty() ? companion.text : companion.sqlite));
    steps.back().optional = true;
  }
  add("SELECT " + result_columns(aggregate) + " FROM " + row);
}

/// Of an audited change the address comes last: Writer::write() adds it.
std::vector<Parameter> all_params(std::vector<Parameter> const& key, std::vector<Parameter> const& own,
                                  bool is_audited) {
  auto params = stamp();
  params.insert(params.end(), key.begin(), key.end());
  params.insert(params.end(), own.begin(), own.end());
  if (is_audited)
    params.push_back({"from_address", "text"});
  return params;
}

std::vector<Parameter> column_params(entity::Entity const& entity, std::vector<Parameter> const& more) {
  std::vector<Parameter> params;
  for (auto const& field : entity.fields) {
    if (field.options.stored)
      params.push_back({field.name, field.type->postgres});
  }
  params.insert(params.end(), more.begin(), more.end());
  return params;
}

std::vector<std::string_view> stored_columns(entity::Entity const& entity) {
  std::vector<std::string_view> out;
  for (auto const& field : entity.fields) {
    if (field.options.stored)
      out.push_back(field.name);
  }
  return out;
}

std::optional<std::size_t> column_of(Aggregate const& aggregate, std::string_view name) {
  auto const columns = stored_columns(aggregate.entity);
  auto const found = std::ranges::find(columns, name);
  if (found == columns.end())
    return std::nullopt;
  return static_cast<std::size_t>(found - columns.begin());
}

std::size_t version_column(Aggregate const& aggregate) { return column_of(aggregate, "version").value(); }

/// A call's own parameters of append_event, after the stamp.
std::vector<Parameter> event_params() {
  auto params = stamp();
  params.insert(params.end(), {{"channel", "text"}, {"aggregate_id", "text"}, {"version", "bigint"}, {"data", "json"}});
  return params;
}

/// `$n` serves both databases where there is one caller.
Statement const append_event{
    "event_stream.event",
    bind_names(add_event("{channel}", "{aggregate_id}", "{version}", "{data}", ""), event_params(), Dialect::sqlite)};

/// The version of a stream stands in one row, which whoever appends must move: two cannot move it from the same
/// version. The events' own key would not do where the log is partitioned by time.
Statement const begin_stream{"event_stream.begin",
                             "INSERT INTO event_streams (tenant_id, kind, aggregate_id, version)"
                             " VALUES ($1, $2, $3, $4) ON CONFLICT (tenant_id, kind, aggregate_id) DO NOTHING"};
Statement const advance_stream{"event_stream.advance",
                               "UPDATE event_streams SET version = $4"
                               " WHERE tenant_id = $1 AND kind = $2 AND aggregate_id = $3 AND version = $5"};

/// The lock makes a later turn wait until the batch has ended, and the batch see a turn that was taken meanwhile. On
/// SQLite one batch runs at a time.
Statement const check_fence{.name = "fence.check",
                            .text = "SELECT 1 FROM fences WHERE tenant_id = $1 AND name = $2 AND token = $3 FOR SHARE",
                            .sqlite = "SELECT 1 FROM fences WHERE tenant_id = $1 AND name = $2 AND token = $3"};

/// What the refusal of a batch behind a fence means to its caller.
Error refusal(Error error, std::optional<Fence> const& fence) {
  if (!fence || error.code != Code::conflict || error.where != check_fence.name)
    return error;
  return {.code = Code::lease_lost,
          .message = "'" + fence->name + "' has been taken over; nothing was written. Begin again",
          .where = std::move(error.where)};
}

Error another_version(Stream const& stream, std::int64_t expected) {
  auto const name = stream.kind + " '" + stream.id + "'";
  if (expected == 0)
    return {.code = Code::version_mismatch, .message = name + " exists already; load it, or choose another id"};
  return {.code = Code::version_mismatch,
          .message = name + " is not at version " + std::to_string(expected) + "; load it and decide again"};
}

storage::Step move_stream(TenantId const& tenant, Stream const& stream, std::int64_t expected, std::int64_t version) {
  Values params{tenant.value, stream.kind, stream.id, version};
  if (expected == 0)
    return {&begin_stream, std::move(params), Guard::must_match};
  params.emplace_back(expected);
  return {&advance_stream, std::move(params), Guard::must_match};
}

}  // namespace

storage::Step fence_step(TenantId const& tenant, Fence const& fence) {
  return {&check_fence, {tenant.value, fence.name, fence.token}, Guard::must_match};
}

Change make_update(Aggregate const& aggregate, UpdateSpec const& spec) {
  auto const params = all_params(aggregate.key, spec.params, spec.is_audited);
  auto const also = spec.is_audited ? with_audit(spec.also, aggregate, spec.channel) : spec.also;
  auto const table = std::string(aggregate.entity.table);
  auto const set = " SET " + spec.set + ", version = t.version + 1";
  auto const where = " WHERE " + key_condition(aggregate, "t") + " AND " + spec.where;
  Change change{.channel = std::string(spec.channel),
                .cache = spec.cache,
                .is_audited = spec.is_audited,
                .version_column = version_column(aggregate),
                .statement = {.name = spec.name, .postgres = {}, .sqlite = {}},
                .alone = {},
                .id_params = std::vector<std::size_t>(aggregate.key.size()),
                .agent_column = column_of(aggregate, "agent_id")};
  std::string const free =
      ", l AS MATERIALIZED (SELECT t.tenant_id, t.id FROM " + table + " t, r" + where + " FOR UPDATE OF t SKIP LOCKED)";
  set_postgres(change, params,
               (spec.skips_locked ? free : "") + ", u AS (UPDATE " + table + " AS t" + set + " FROM r" + where +
                   (spec.skips_locked ? " AND (t.tenant_id, t.id) IN (SELECT tenant_id, id FROM l)" : "") +
                   " RETURNING t.*, r.*)" + postgres_tail(aggregate, spec.channel, also));
  auto& sqlite = change.statement.sqlite;
  sqlite.push_back({spec.name, bind_names("UPDATE " + table + " AS t" + set + where, params, Dialect::sqlite)});
  add_sqlite_tail(sqlite, spec.name, aggregate, spec.channel, also, params);
  std::iota(change.id_params.begin(), change.id_params.end(), 0);
  return change;
}

Change make_insert(Aggregate const& aggregate, InsertSpec const& spec) {
  auto const params = all_params({}, column_params(aggregate.entity, spec.params), spec.is_audited);
  auto const also = spec.is_audited ? with_audit(spec.also, aggregate, spec.channel) : spec.also;
  auto const table = std::string(aggregate.entity.table);
  std::string columns = "tenant_id, " + entity::columns(aggregate.entity);
  std::string values = "{tenant_id}";
  for (auto const& field : aggregate.entity.fields) {
    if (field.options.stored)
      values += ", {" + std::string(field.name) + "}";
  }
  for (auto const& [column, expression] : spec.extra) {
    columns += ", " + std::string(column);
    values += ", " + expression;
  }
  std::string keys = "tenant_id";
  std::string key_params = "{tenant_id}";
  for (auto const& key : aggregate.key) {
    keys += ", " + std::string(key.name);
    key_params += ", {" + std::string(key.name) + "}";
  }
  auto const insert = "INSERT INTO " + table + " AS t (" + columns + ") SELECT " + values;
  auto const conflict = " ON CONFLICT (" + keys + ") " + spec.on_conflict;
  Change change{.channel = std::string(spec.channel),
                .cache = spec.cache,
                .is_audited = spec.is_audited,
                .version_column = version_column(aggregate),
                .statement = {.name = spec.name, .postgres = {}, .sqlite = {}},
                .alone = {},
                .id_params = {},
                .agent_column = column_of(aggregate, "agent_id")};
  // Two callers may name the same key in one group: the first one has it, the other is refused.
  set_postgres(change, params,
               ", f AS MATERIALIZED (SELECT DISTINCT ON (" + key_params + ") * FROM r ORDER BY " + key_params +
                   ", n), i AS (" + insert + " FROM f WHERE " + spec.where + conflict +
                   " RETURNING *), u AS (SELECT i.*, f.* FROM i JOIN f ON " + key_condition(aggregate, "i") + ")" +
                   postgres_tail(aggregate, spec.channel, also));
  auto& sqlite = change.statement.sqlite;
  sqlite.push_back({spec.name, bind_names(insert + " WHERE " + spec.where + conflict, params, Dialect::sqlite)});
  add_sqlite_tail(sqlite, spec.name, aggregate, spec.channel, also, params);
  auto const names = stored_columns(aggregate.entity);
  for (auto const& key : aggregate.key)
    change.id_params.push_back(static_cast<std::size_t>(std::ranges::find(names, key.name) - names.begin()));
  return change;
}

RowSource make_source(Aggregate const& aggregate, std::string_view kind, std::string_view name,
                      std::string const& condition) {
  return {.kind = kind,
          .statement = {name, "SELECT " + entity::columns(aggregate.entity, "t.") + " FROM " +
                                  std::string(aggregate.entity.table) + " t WHERE t.tenant_id = $1 AND t.id = $2" +
                                  condition},
          .version_column = version_column(aggregate)};
}

Task<Result<RowCache::Pointer>> Writer::read(RowSource const& source, TenantId const& tenant, std::string id,
                                             Freshness freshness, Deadline deadline) {
  auto const load = [&]() -> Task<Result<std::optional<cache::Loaded<Row>>>> {
    auto rows = co_await database_.read(Scope::of(tenant), source.statement, {tenant.value, id}, deadline);
    if (rows.empty())
      co_return std::nullopt;
    auto const version = std::get<std::int64_t>(rows[0].at(source.version_column));
    bool const is_kept = source.is_kept(rows[0]);
    co_return cache::Loaded<Row>{std::move(rows[0]), version, is_kept};
  };
  if (rows_ != nullptr)
    co_return co_await rows_->get({tenant, source.kind, id, source.version_column}, freshness, deadline, load);
  auto loaded = co_await load();
  if (!loaded)
    co_return fail(std::move(loaded.error()));
  co_return *loaded ? std::make_shared<Row const>(std::move((*loaded)->value)) : nullptr;
}

/// Before anyone is told: who is told reads again.
Task<void> Writer::refresh(Change const& change, TenantId const& tenant, std::string const& id, Row const* row,
                           cache::Ticket ticket, Deadline deadline) {
  if (rows_ == nullptr || change.cache == CacheEffect::none)
    co_return;
  auto const kind = events::kind_of(change.channel);
  if (row != nullptr && change.cache == CacheEffect::put) {
    co_await rows_->put({tenant, kind, id, change.version_column}, *row, std::move(ticket), deadline);
    co_return;
  }
  // Of a change whose outcome is unknown the version is unknown too; the highest stands for all.
  auto const version = row != nullptr ? std::get<std::int64_t>(row->at(change.version_column))
                                      : std::numeric_limits<std::int64_t>::max();
  co_await rows_->remove(tenant, kind, id, version, deadline);
}

Task<Result<Row>> Writer::write(Change const& change, Actor actor, Values params, Deadline deadline) {
  std::string aggregate_id;
  for (auto const i : change.id_params)
    aggregate_id.append(aggregate_id.empty() ? "" : "/").append(std::get<std::string>(params.at(i)));
  auto all = stamp(actor);
  all.insert(all.end(), std::make_move_iterator(params.begin()), std::make_move_iterator(params.end()));
  if (change.is_audited)
    all.emplace_back(actor.address);
  auto const ticket = rows_ != nullptr && change.cache != CacheEffect::none ? rows_->ticket() : cache::Ticket{};
  std::exception_ptr unknown;
  try {
    auto writing = fence_ ? write_fenced(change, actor.tenant, std::move(all), deadline)
                          : database_.write_row(Scope::of(actor.tenant), change.statement, std::move(all), deadline);
    auto row = co_await std::move(writing);
    if (!row)
      co_return fail(std::move(row.error()));
    AL_FAILPOINT("cache.refresh");
    co_await refresh(change, actor.tenant, aggregate_id, &*row, ticket, deadline);
    AL_FAILPOINT("bus.announce");
    announce(change, actor.tenant, std::move(aggregate_id), &*row);
    co_return std::move(*row);
  } catch (OutcomeUnknown const&) {
    unknown = std::current_exception();
  }
  co_await refresh(change, actor.tenant, aggregate_id, nullptr, ticket, deadline);
  announce(change, actor.tenant, std::move(aggregate_id), nullptr);
  std::rethrow_exception(unknown);
}

Task<Result<Row>> Writer::write_fenced(Change const& change, TenantId const& tenant, Values values, Deadline deadline) {
  bool const postgres = database_.dialect() == Dialect::postgres;
  storage::Batch batch{Scope::of(tenant), {fence_step(tenant, *fence_)}};
  if (postgres) {
    batch.steps.push_back({&change.alone, std::move(values), Guard::must_match});
  } else {
    for (auto const& step : change.statement.sqlite)
      batch.steps.push_back({&step, values, step.optional ? Guard::none : Guard::must_match});
  }
  auto done = co_await database_.apply(std::move(batch), deadline);
  if (!done)
    co_return fail(refusal(std::move(done.error()), fence_));
  auto row = std::move(done->back().at(0));
  if (postgres)
    row.erase(row.begin());  // the caller's number
  co_return row;
}

Task<Result<std::int64_t>> Writer::append(Actor actor, Stream stream, std::int64_t expected,
                                          std::vector<NewEvent> events, Deadline deadline) {
  auto const version = expected + std::ssize(events);
  storage::Batch batch{Scope::of(actor.tenant), {}};
  if (fence_)
    batch.steps.push_back(fence_step(actor.tenant, *fence_));
  batch.steps.push_back(move_stream(actor.tenant, stream, expected, version));
  for (auto at = expected; auto& event : events) {
    auto params = stamp(actor);
    params.insert(params.end(), {event.channel, stream.id, ++at, std::move(event.data.text)});
    batch.steps.push_back({&append_event, std::move(params)});
  }
  auto const announce_all = [&] {
    for (auto const& event : events)
      bus_.announce({event.channel, actor.tenant, stream.id, {}});
  };
  try {
    auto done = co_await database_.apply(std::move(batch), deadline);
    if (!done && (done.error().where == begin_stream.name || done.error().where == advance_stream.name))
      co_return fail(another_version(stream, expected));
    if (!done)
      co_return fail(refusal(std::move(done.error()), fence_));
    AL_FAILPOINT("bus.announce");
    announce_all();
    co_return version;
  } catch (OutcomeUnknown const&) {
    announce_all();
    throw;
  }
}

Writer Writer::behind(Fence fence) const {
  auto out = *this;
  out.fence_ = std::move(fence);
  return out;
}

Values Writer::stamp(Actor const& actor) {
  return {actor.tenant.value, new_uuid(),    service_,         actor.correlation_id,
          actor.causation_id, actor.user_id, actor.traceparent};
}

void Writer::announce(Change const& change, TenantId const& tenant, std::string aggregate_id, Row const* row) {
  AgentId agent;
  if (row != nullptr && change.agent_column && !is_null(row->at(*change.agent_column)))
    agent = AgentId{std::get<std::string>(row->at(*change.agent_column))};
  bus_.announce({change.channel, tenant, std::move(aggregate_id), std::move(agent)});
}

}  // namespace al::data
