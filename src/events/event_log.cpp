#include "events/event_log.hpp"

#include <algorithm>
#include <charconv>

#include "events/bus.hpp"

namespace al::events {

namespace {

using storage::Dialect;
using storage::Statement;

std::string const event_columns =
    "event_id, seq, timestamp, channel, service, aggregate_id, version, data, "
    "correlation_id, causation_id, user_id, tenant_id, traceparent";

/// $1 the tenant, NULL in the system scope; $2 an aggregate, or NULL.
std::string const wanted =
    " (CAST($1 AS text) IS NULL OR e.tenant_id = CAST($1 AS text))"
    " AND (CAST($2 AS text) IS NULL OR e.aggregate_id = CAST($2 AS text)) ";

/// Not seen by the snapshot $3: begun after it, or still running when it was taken.
std::string const unseen =
    " (e.xid >= pg_snapshot_xmax($3::text::pg_snapshot)"
    " OR e.xid = ANY (ARRAY(SELECT pg_snapshot_xip($3::text::pg_snapshot)))) ";

Statement const sqlite_tip{"events.tip", "SELECT COALESCE(MAX(seq), 0) FROM events"};
Statement const sqlite_after{"events.after", "SELECT " + event_columns + " FROM events e WHERE e.seq > $3 AND" +
                                                 wanted + "ORDER BY e.seq LIMIT $4"};

Statement const postgres_tip{"events.tip", "SELECT pg_current_snapshot()::text"};

/// What the snapshot of this very statement sees and $3 did not. One row always comes, for the snapshot.
Statement const postgres_new{
    "events.after",
    "SELECT s.snapshot, e.* FROM (SELECT pg_current_snapshot()::text AS snapshot) s LEFT JOIN LATERAL ("
    "SELECT " +
        event_columns + " FROM events e WHERE" + unseen + "AND" + wanted +
        "ORDER BY e.seq LIMIT $4::bigint) e ON true ORDER BY e.seq"};

/// The rest of a page that was cut: seen by $4, not by $3, after position $5.
Statement const postgres_rest{
    "events.rest", "SELECT $4::text, " + event_columns + " FROM events e WHERE" + unseen +
                       "AND pg_visible_in_snapshot(e.xid, $4::text::pg_snapshot) AND e.seq > $5::bigint AND" + wanted +
                       "ORDER BY e.seq LIMIT $6::bigint"};

Statement const replay_aggregate{"events.replay",
                                 "SELECT " + event_columns +
                                     " FROM events e WHERE e.tenant_id = $1 AND e.kind = $2"
                                     " AND e.aggregate_id = $3 AND e.version >= $4 ORDER BY e.version LIMIT $5"};

/// Where a reader stands. On PostgreSQL `seen` is everything before the page, `page` the snapshot that cut it (empty:
/// nothing was cut) and `seq` the last event handed out of it. On SQLite only `seq` counts.
struct Cursor {
  std::string seen;
  std::string page;
  std::int64_t seq = 0;
};

std::string const first_snapshot = "1:1:";

std::string to_token(Dialect dialect, Cursor const& c) {
  if (dialect == Dialect::sqlite)
    return "s." + std::to_string(c.seq);
  return "p." + c.seen + "." + c.page + "." + std::to_string(c.seq);
}

bool is_snapshot(std::string_view text) {
  return std::ranges::count(text, ':') == 2 && text.size() < 4096 &&
         std::ranges::all_of(text, [](char ch) { return (ch >= '0' && ch <= '9') || ch == ':' || ch == ','; });
}

bool parse_number(std::string_view text, std::int64_t& out) {
  auto const [end, ec] = std::from_chars(text.data(), text.data() + text.size(), out);
  return ec == std::errc{} && end == text.data() + text.size() && out >= 0;
}

Result<Cursor> parse_token(Dialect dialect, std::string_view token) {
  auto const refuse = [] {
    return fail(Code::invalid, "the resume token is none of this server's; hand back one as it came, or leave it out");
  };
  Cursor c;
  if (dialect == Dialect::sqlite) {
    if (!token.starts_with("s.") || !parse_number(token.substr(2), c.seq))
      return refuse();
    return c;
  }
  auto const first = token.find('.', 2);
  auto const second = first == std::string_view::npos ? first : token.find('.', first + 1);
  if (!token.starts_with("p.") || second == std::string_view::npos)
    return refuse();
  c.seen = token.substr(2, first - 2);
  c.page = token.substr(first + 1, second - first - 1);
  if (!is_snapshot(c.seen) || !(c.page.empty() || is_snapshot(c.page)))
    return refuse();
  if (!parse_number(token.substr(second + 1), c.seq))
    return refuse();
  return c;
}

std::string text_at(Row const& row, std::size_t i) { return std::get<std::string>(row.at(i)); }

Timestamp time_at(Row const& row, std::size_t i) {
  if (auto const* time = std::get_if<Timestamp>(&row.at(i)))
    return *time;
  return Timestamp{std::chrono::microseconds{std::get<std::int64_t>(row.at(i))}};
}

model::Event to_event(Row const& row, std::size_t first) {
  model::Event e;
  e.event_id = EventId{text_at(row, first)};
  e.seq = std::get<std::int64_t>(row.at(first + 1));
  e.timestamp = time_at(row, first + 2);
  e.channel = text_at(row, first + 3);
  e.service = text_at(row, first + 4);
  e.aggregate_id = text_at(row, first + 5);
  e.version = std::get<std::int64_t>(row.at(first + 6));
  e.data.text = text_at(row, first + 7);
  e.metadata = {.correlation_id = text_at(row, first + 8),
                .causation_id = text_at(row, first + 9),
                .user_id = text_at(row, first + 10),
                .tenant_id = TenantId{text_at(row, first + 11)},
                .traceparent = text_at(row, first + 12)};
  return e;
}

bool passes(Filter const& filter, model::Event const& event) {
  return filter.channels.empty() ||
         std::ranges::any_of(filter.channels, [&](auto const& p) { return channel_matches(p, event.channel); });
}

Value tenant_value(storage::Scope const& scope) { return scope.is_system() ? Value{} : Value{scope.tenant().value}; }

Value aggregate_value(Filter const& filter) { return filter.aggregate_id ? Value{*filter.aggregate_id} : Value{}; }

Task<Page> read_sqlite(storage::Database& database, storage::Scope scope, Cursor cursor, Filter const& filter,
                       std::int64_t limit, Deadline deadline) {
  Values params{tenant_value(scope), aggregate_value(filter), cursor.seq, limit};
  auto const rows = co_await database.read(std::move(scope), sqlite_after, std::move(params), deadline);
  Page page;
  for (auto const& row : rows) {
    auto event = to_event(row, 0);
    cursor.seq = event.seq;
    if (passes(filter, event))
      page.events.push_back({std::move(event), to_token(Dialect::sqlite, cursor)});
  }
  page.token = to_token(Dialect::sqlite, cursor);
  page.more = std::ssize(rows) == limit;
  co_return page;
}

/// Reads what one snapshot added. A page that was cut keeps both snapshots and its position; the read after the last
/// piece goes on from the newer snapshot alone.
Task<Page> read_postgres(storage::Database& database, storage::Scope scope, Cursor cursor, Filter const& filter,
                         std::int64_t limit, Deadline deadline) {
  bool const rest = !cursor.page.empty();
  Values params{tenant_value(scope), aggregate_value(filter), cursor.seen};
  if (rest) {
    params.insert(params.end(), {Value{cursor.page}, Value{cursor.seq}, Value{limit}});
  } else {
    params.emplace_back(limit);
  }
  auto const rows =
      co_await database.read(std::move(scope), rest ? postgres_rest : postgres_new, std::move(params), deadline);
  Page page;
  std::int64_t found = 0;
  std::string snapshot = rest ? cursor.page : text_at(rows.at(0), 0);
  cursor.page = snapshot;
  for (auto const& row : rows) {
    if (is_null(row.at(1)))
      continue;
    ++found;
    auto event = to_event(row, 1);
    cursor.seq = event.seq;
    if (passes(filter, event))
      page.events.push_back({std::move(event), to_token(Dialect::postgres, cursor)});
  }
  if (found < limit)
    cursor = {.seen = std::move(snapshot), .page = {}, .seq = 0};
  page.token = to_token(Dialect::postgres, cursor);
  // After the rest of a cut page, what committed meanwhile still waits behind the newer snapshot.
  page.more = found == limit || rest;
  co_return page;
}

}  // namespace

Task<std::string> EventLog::tip(Deadline deadline) {
  auto const dialect = database_.dialect();
  auto const& statement = dialect == Dialect::sqlite ? sqlite_tip : postgres_tip;
  auto const rows = co_await database_.read(storage::Scope::system(), statement, {}, deadline);
  Cursor cursor;
  if (dialect == Dialect::sqlite) {
    cursor.seq = std::get<std::int64_t>(rows.at(0).at(0));
  } else {
    cursor.seen = text_at(rows.at(0), 0);
  }
  co_return to_token(dialect, cursor);
}

std::string EventLog::beginning() const {
  return to_token(database_.dialect(), {.seen = first_snapshot, .page = {}, .seq = 0});
}

Task<Result<Page>> EventLog::read_after(storage::Scope scope, std::string token, Filter filter, std::int64_t limit,
                                        Deadline deadline) {
  auto const dialect = database_.dialect();
  auto cursor = parse_token(dialect, token);
  if (!cursor)
    co_return fail(std::move(cursor.error()));
  if (dialect == Dialect::sqlite) {
    co_return co_await read_sqlite(database_, std::move(scope), std::move(*cursor), filter, limit, deadline);
  }
  co_return co_await read_postgres(database_, std::move(scope), std::move(*cursor), filter, limit, deadline);
}

Task<std::vector<model::Event>> EventLog::replay(TenantId tenant, std::string kind, std::string aggregate_id,
                                                 std::int64_t from_version, std::int64_t limit, Deadline deadline) {
  Values params{tenant.value, std::move(kind), std::move(aggregate_id), from_version, limit};
  auto const rows =
      co_await database_.read(storage::Scope::of(std::move(tenant)), replay_aggregate, std::move(params), deadline);
  std::vector<model::Event> events;
  events.reserve(rows.size());
  for (auto const& row : rows)
    events.push_back(to_event(row, 0));
  co_return events;
}

}  // namespace al::events
