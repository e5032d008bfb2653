#include "events/event_log.hpp"

#include <algorithm>
#include <limits>

#include "events/cursor.hpp"

namespace al::events {

namespace {

using storage::Dialect;
using storage::Statement;

/// $1 the tenant, NULL in the system scope; $2 an aggregate, or NULL; $3 patterns between commas (",task:*,"), or NULL.
/// The four spellings that channel_matches() takes for a channel; `find` is the dialect's search for a part of a text.
std::string wanted(std::string const& find) {
  std::string out =
      " (CAST($1 AS text) IS NULL OR e.tenant_id = CAST($1 AS text))"
      " AND (CAST($2 AS text) IS NULL OR e.aggregate_id = CAST($2 AS text))"
      " AND (CAST($3 AS text) IS NULL";
  for (auto const* spelling : {"e.channel", "replace(e.channel, ':', '_')", "e.kind || ':*'", "e.kind || '_*'"})
    out += " OR " + find + "(CAST($3 AS text), ',' || " + spelling + " || ',') > 0";
  return out + ") ";
}

/// Not seen by the snapshot $4.
std::string const unseen = unseen_by("e.xid", "$4");

std::string const sqlite_last = "SELECT COALESCE(MAX(seq), 0) AS last FROM events";
Statement const sqlite_tip{"events.tip", sqlite_last};

/// One row always comes, for the end of the log: a reader whose filter lets nothing through moves on all the same.
Statement const sqlite_after{"events.after", "SELECT s.last, e.* FROM (" + sqlite_last + ") s LEFT JOIN (SELECT " +
                                                 event_columns() + " FROM events e WHERE e.seq > $4 AND" +
                                                 wanted("instr") + "ORDER BY e.seq LIMIT $5) e ON true ORDER BY e.seq"};

Statement const postgres_tip{"events.tip", "SELECT al_log_snapshot()"};

Statement const sqlite_since{
    "events.since", "SELECT COALESCE((SELECT MIN(seq) - 1 FROM events WHERE timestamp >= $1), (" + sqlite_last + "))"};
/// Everything from the first such transaction on counts as unseen, and whatever is still running.
Statement const postgres_since{"events.since",
                               "SELECT LEAST((SELECT MIN(xid) FROM events WHERE timestamp >= $1),"
                               " pg_snapshot_xmin(al_log_snapshot()::pg_snapshot))::text"};

/// What this very statement sees and $4 did not. One row always comes, for the snapshot.
std::string newly_seen(std::string const& condition, std::string const& order) {
  return std::string(beside_snapshot) + "(SELECT " + event_columns() + " FROM events e WHERE" + condition + "AND" +
         wanted("strpos") + "ORDER BY " + order + " LIMIT $5::bigint) e ON true ORDER BY e.seq";
}

/// From the beginning everything is new: the log is read along its key until the page is full.
Statement const postgres_first{"events.first", newly_seen(" $4::text IS NOT NULL ", "e.seq")};
/// Later little is new, at the end of the log. The lower bound of xid finds it by the index of each partition; ordered
/// by the plain key the planner hopes to fill the page early and walks the whole log instead (200,000 events: 80 ms
/// against 0.2 ms).
Statement const postgres_new{"events.after",
                             newly_seen(" e.xid >= pg_snapshot_xmin($4::text::pg_snapshot) AND" + unseen, "e.seq + 0")};

/// The rest of a page that was cut: seen by $5, not by $4, after position $6.
Statement const postgres_rest{
    "events.rest", "SELECT $5::text, " + event_columns() + " FROM events e WHERE" + unseen +
                       "AND pg_visible_in_snapshot(e.xid, $5::text::pg_snapshot) AND e.seq > $6::bigint AND" +
                       wanted("strpos") + "ORDER BY e.seq LIMIT $7::bigint"};

/// The last and the first number. Both databases find each along the key of the log, but not both in one SELECT.
Statement const find_ends{"events.ends",
                          "SELECT COALESCE((SELECT MAX(e.seq) FROM events e), 0),"
                          " COALESCE((SELECT MIN(e.seq) FROM events e), 0)"};

/// From before number $4 down to $5, along the key of the log; $6 a correlation and $7 an agent, or NULL.
std::string backwards(std::string const& find) {
  return "SELECT " + event_columns() + " FROM events e WHERE e.seq < $4 AND e.seq >= $5 AND" + wanted(find) +
         "AND (CAST($6 AS text) IS NULL OR e.correlation_id = CAST($6 AS text))"
         " AND (CAST($7 AS text) IS NULL OR"
         " CASE e.kind WHEN 'agent' THEN e.aggregate_id ELSE e.data ->> 'agent_id' END = CAST($7 AS text))"
         " ORDER BY e.seq DESC LIMIT $8";
}
Statement const read_back{"events.before", backwards("strpos"), backwards("instr")};

Statement const replay_aggregate{"events.replay",
                                 "SELECT " + event_columns() +
                                     " FROM events e WHERE e.tenant_id = $1 AND e.kind = $2"
                                     " AND e.aggregate_id = $3 AND e.version >= $4 ORDER BY e.version LIMIT $5"};

Statement const sqlite_backlog{"events.backlog",
                               "SELECT COUNT(*), MIN(b.timestamp) FROM (SELECT e.timestamp FROM events e"
                               " WHERE e.seq > $1 ORDER BY e.seq LIMIT $2) b"};
/// Unseen by $1; of a page that was cut, which $2 saw, only what is after position $3. Along the index of each
/// partition.
Statement const postgres_backlog{"events.backlog",
                                 "SELECT COUNT(*), MIN(b.timestamp) FROM (SELECT e.timestamp FROM events e"
                                 " WHERE e.xid >= pg_snapshot_xmin($1::text::pg_snapshot) AND" +
                                     unseen_by("e.xid", "$1") +
                                     "AND (NOT pg_visible_in_snapshot(e.xid, $2::text::pg_snapshot)"
                                     " OR e.seq > $3::bigint) ORDER BY e.xid, e.seq LIMIT $4::bigint) b"};

/// A number before those of the events from $1 on. There is no index of times, but numbers rise with them: longer and
/// longer steps lead back to an event that is older. A minute lies between, for those that committed out of order. The
/// steps end half a million numbers before the last.
Statement const find_start{"events.start",
                           "WITH RECURSIVE back(seq, width) AS ("
                           "SELECT (SELECT COALESCE(MAX(m.seq), 0) FROM events m), CAST(256 AS bigint) UNION ALL"
                           " SELECT b.seq - b.width, b.width * 2 FROM back b WHERE b.seq > 0 AND b.width <= 262144"
                           " AND (SELECT e.timestamp FROM events e WHERE e.seq >= b.seq ORDER BY e.seq LIMIT 1) >= $1)"
                           " SELECT MIN(back.seq) FROM back"};

Statement const count_flow{"events.flow",
                           "SELECT e.service, e.channel, COUNT(*) FROM events e WHERE e.tenant_id = $1 AND e.seq >= $2"
                           " AND e.timestamp >= $3 GROUP BY e.service, e.channel ORDER BY 3 DESC, 1, 2 LIMIT 500"};

Statement const sqlite_reach{"events.reach",
                             "SELECT $1 >= COALESCE(MIN(e.seq), 0) AND $1 <= COALESCE(MAX(e.seq), 0) FROM events e"};
/// $1 is the newest snapshot of the token. The oldest event is found along the key of the log.
Statement const postgres_reach{
    "events.reach",
    "SELECT pg_snapshot_xmax($1::text::pg_snapshot) <= pg_snapshot_xmax(al_log_snapshot()::pg_snapshot) AND"
    " COALESCE((SELECT pg_visible_in_snapshot(e.xid, $1::text::pg_snapshot) FROM events e ORDER BY e.seq LIMIT 1), "
    "true)"};

constexpr std::chrono::minutes out_of_order_max{1};

std::string text_at(Row const& row, std::size_t i) { return std::get<std::string>(row.at(i)); }

bool bool_at(Row const& row, std::size_t i) {
  if (auto const* plain = std::get_if<bool>(&row.at(i)))
    return *plain;
  return std::get<std::int64_t>(row.at(i)) != 0;
}

Timestamp time_at(Row const& row, std::size_t i) {
  if (auto const* time = std::get_if<Timestamp>(&row.at(i)))
    return *time;
  return Timestamp{std::chrono::microseconds{std::get<std::int64_t>(row.at(i))}};
}

/// $1 to $3 of every read.
Values wanted_values(storage::Scope const& scope, Filter const& filter) {
  Values out{scope.is_system() ? Value{} : Value{scope.tenant().value}};
  out.push_back(filter.aggregate_id ? Value{*filter.aggregate_id} : Value{});
  std::string patterns = ",";
  for (auto const& pattern : filter.channels)
    patterns.append(pattern).append(",");
  bool const is_any = filter.channels.empty() || std::ranges::find(filter.channels, "*") != filter.channels.end();
  out.push_back(is_any ? Value{} : Value{std::move(patterns)});
  return out;
}

Task<Page> read_sqlite(storage::Database& database, storage::Scope scope, Cursor cursor, Filter const& filter,
                       std::int64_t limit, Deadline deadline) {
  auto params = wanted_values(scope, filter);
  params.insert(params.end(), {Value{cursor.seq}, Value{limit}});
  auto const rows = co_await database.read(std::move(scope), sqlite_after, std::move(params), deadline);
  Page page;
  for (auto const& row : rows) {
    if (is_null(row.at(1)))
      continue;
    auto event = event_of(row, 1);
    cursor.seq = event.seq;
    page.events.push_back({std::move(event), to_token(Dialect::sqlite, cursor)});
  }
  page.more = std::ssize(page.events) == limit;
  if (!page.more)
    cursor.seq = std::max(cursor.seq, std::get<std::int64_t>(rows.at(0).at(0)));
  page.token = to_token(Dialect::sqlite, cursor);
  co_return page;
}

/// Reads what one snapshot added. A page that was cut keeps both snapshots and its position; the read after the last
/// piece goes on from the newer snapshot alone.
Task<Page> read_postgres(storage::Database& database, storage::Scope scope, Cursor cursor, Filter const& filter,
                         std::int64_t limit, Deadline deadline) {
  bool const rest = !cursor.page.empty();
  auto params = wanted_values(scope, filter);
  params.emplace_back(cursor.seen);
  if (rest)
    params.insert(params.end(), {Value{cursor.page}, Value{cursor.seq}});
  params.emplace_back(limit);
  auto const& statement = rest ? postgres_rest : cursor.seen == first_snapshot ? postgres_first : postgres_new;
  auto const rows = co_await database.read(std::move(scope), statement, std::move(params), deadline);
  Page page;
  std::string snapshot = rest ? cursor.page : text_at(rows.at(0), 0);
  cursor.page = snapshot;
  for (auto const& row : rows) {
    if (is_null(row.at(1)))
      continue;
    auto event = event_of(row, 1);
    cursor.seq = event.seq;
    page.events.push_back({std::move(event), to_token(Dialect::postgres, cursor)});
  }
  bool const is_full = std::ssize(page.events) == limit;
  if (!is_full)
    cursor = {.seen = std::move(snapshot), .page = {}, .seq = 0};
  page.token = to_token(Dialect::postgres, cursor);
  // After the rest of a cut page, what committed meanwhile still waits behind the newer snapshot.
  page.more = is_full || rest;
  co_return page;
}

}  // namespace

std::string const& event_columns() {
  static std::string const columns =
      "event_id, seq, timestamp, channel, service, aggregate_id, version, data, "
      "correlation_id, causation_id, user_id, tenant_id, traceparent";
  return columns;
}

model::Event event_of(Row const& row, std::size_t first) {
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

Task<std::string> EventLog::since(Timestamp time, Deadline deadline) {
  auto const dialect = database_.dialect();
  auto const& statement = dialect == Dialect::sqlite ? sqlite_since : postgres_since;
  auto const rows = co_await database_.read(storage::Scope::system(), statement, {time}, deadline);
  Cursor cursor;
  if (dialect == Dialect::sqlite) {
    cursor.seq = std::get<std::int64_t>(rows.at(0).at(0));
  } else {
    auto const& first = text_at(rows.at(0), 0);
    cursor.seen = first + ":" + first + ":";
  }
  co_return to_token(dialect, cursor);
}

std::string EventLog::beginning() const { return to_token(database_.dialect(), {.seen = std::string(first_snapshot)}); }

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

Task<Result<Page>> EventLog::read_between(storage::Scope scope, std::string token, std::string until, Filter filter,
                                          std::int64_t limit, Deadline deadline) {
  auto const dialect = database_.dialect();
  auto const bounded = bounded_by(dialect, token, until);
  auto page = co_await read_after(std::move(scope), bounded, std::move(filter), limit, deadline);
  auto const end = parse_token(dialect, until);
  if (!page || !end)
    co_return page;
  if (dialect == Dialect::postgres) {
    page->more = page->token != until;
    co_return page;
  }
  std::erase_if(page->events, [&](Positioned const& it) { return it.event.seq > end->seq; });
  auto const seq = parse_token(dialect, page->token).value_or(Cursor{}).seq;
  page->more = page->more && seq < end->seq;
  if (!page->more)
    page->token = until;
  co_return page;
}

Task<Result<bool>> EventLog::has_all_after(std::string token, Deadline deadline) {
  auto const dialect = database_.dialect();
  auto const cursor = parse_token(dialect, token);
  if (!cursor)
    co_return fail(cursor.error());
  bool const is_sqlite = dialect == Dialect::sqlite;
  auto const& newest = cursor->page.empty() ? cursor->seen : cursor->page;
  Values params{is_sqlite ? Value{cursor->seq} : Value{newest}};
  auto const rows = co_await database_.read(storage::Scope::system(), is_sqlite ? sqlite_reach : postgres_reach,
                                            std::move(params), deadline);
  co_return bool_at(rows.at(0), 0);
}

Task<Result<PageBack>> EventLog::read_before(TenantId tenant, std::string cursor, Search search, std::int64_t limit,
                                             Deadline deadline) {
  Result<std::int64_t> place = std::numeric_limits<std::int64_t>::max();
  if (!cursor.empty())
    place = parse_place(cursor);
  if (!place)
    co_return fail(place.error());
  // In the system scope: within a tenant the ends of the log are to be looked for among the events of all others.
  auto const ends = co_await database_.read(storage::Scope::system(), find_ends, {}, deadline);
  auto const first = std::get<std::int64_t>(ends.at(0).at(1));
  auto const from = std::min(*place, std::get<std::int64_t>(ends.at(0).at(0)) + 1);
  auto const down_to = std::max(first, from - looked_back_max);
  auto const scope = storage::Scope::of(std::move(tenant));
  auto params = wanted_values(scope, search.filter);
  params.insert(params.end(), {Value{from}, Value{down_to}});
  params.push_back(search.correlation_id ? Value{*search.correlation_id} : Value{});
  params.push_back(search.agent_id ? Value{search.agent_id->value} : Value{});
  params.emplace_back(limit);
  PageBack page;
  for (auto const& row : co_await database_.read(scope, read_back, std::move(params), deadline))
    page.events.push_back(event_of(row, 0));
  auto const reached = std::ssize(page.events) == limit ? page.events.back().seq : down_to;
  if (reached > first)
    page.cursor = to_place(reached);
  co_return page;
}

Task<std::vector<model::Event>> EventLog::replay(TenantId tenant, std::string kind, std::string aggregate_id,
                                                 std::int64_t from_version, std::int64_t limit, Deadline deadline) {
  Values params{tenant.value, std::move(kind), std::move(aggregate_id), from_version, limit};
  auto const rows =
      co_await database_.read(storage::Scope::of(std::move(tenant)), replay_aggregate, std::move(params), deadline);
  std::vector<model::Event> events;
  events.reserve(rows.size());
  for (auto const& row : rows)
    events.push_back(event_of(row, 0));
  co_return events;
}

Task<std::vector<model::EventFlow>> EventLog::flow(TenantId tenant, Timestamp from, Deadline deadline) {
  auto const start = co_await database_.read(storage::Scope::system(), find_start, {from - out_of_order_max}, deadline);
  Values params{tenant.value, start.at(0).at(0), from};
  std::vector<model::EventFlow> flows;
  for (auto const& row :
       co_await database_.read(storage::Scope::of(std::move(tenant)), count_flow, std::move(params), deadline)) {
    flows.push_back(
        {.service = text_at(row, 0), .channel = text_at(row, 1), .count = std::get<std::int64_t>(row.at(2))});
  }
  co_return flows;
}

Task<Result<Backlog>> EventLog::backlog(std::string token, std::int64_t count_max, Deadline deadline) {
  auto const dialect = database_.dialect();
  auto const cursor = parse_token(dialect, token);
  if (!cursor)
    co_return fail(cursor.error());
  bool const is_sqlite = dialect == Dialect::sqlite;
  Values params{cursor->seq, count_max};
  if (!is_sqlite)
    params = {cursor->seen, cursor->page.empty() ? cursor->seen : cursor->page, cursor->seq, count_max};
  auto const& statement = is_sqlite ? sqlite_backlog : postgres_backlog;
  auto const rows = co_await database_.read(storage::Scope::system(), statement, std::move(params), deadline);
  auto const& row = rows.at(0);
  Backlog out{.events = std::get<std::int64_t>(row.at(0))};
  if (!is_null(row.at(1)))
    out.oldest = time_at(row, 1);
  co_return out;
}

}  // namespace al::events
