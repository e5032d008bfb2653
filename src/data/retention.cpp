#include "data/retention.hpp"

#include <algorithm>
#include <limits>
#include <memory>

#include "core/failpoint.hpp"
#include "core/ids.hpp"
#include "core/log.hpp"
#include "data/row_values.hpp"
#include "events/cloud_event.hpp"
#include "events/cursor.hpp"
#include "events/event_log.hpp"
#include "model/metric.hpp"

namespace al::data {

namespace {

using storage::Scope;
using storage::Statement;

constexpr std::chrono::hours interval{24};
constexpr std::chrono::seconds pause_after_fault{60};
constexpr std::chrono::microseconds lease = std::chrono::minutes{10};
constexpr std::chrono::seconds statement_limit{30};
/// Before all rows; PostgreSQL and RFC 3339 know no earlier one.
constexpr Timestamp first_time = std::chrono::sys_days{std::chrono::year{1} / 1 / 1};
constexpr auto no_seq_max = std::numeric_limits<std::int64_t>::max();

Statement const make_missing{"retention.make_partitions", "SELECT al_make_partitions(CAST($1 AS integer))"};

/// A partition's name ends with its month: al_add_partition() gives it.
Statement const list_partitions{
    "retention.partitions",
    "SELECT p.name, p.month AT TIME ZONE 'UTC', (p.month + interval '1 month') AT TIME ZONE 'UTC' FROM"
    " (SELECT c.relname::text AS name, to_date(right(c.relname, 7), 'YYYY_MM')::timestamp AS month"
    " FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = to_regclass($1)"
    " AND c.relname ~ '_[0-9]{4}_[0-9]{2}$') p ORDER BY p.name"};
Statement const drop_partition{"retention.drop",
                               "SELECT al_drop_partition($1, CAST($2 AS timestamptz), CAST($3 AS bigint))"};

Statement const take_lease{
    "retention.lease",
    "INSERT INTO upkeep_leases AS l (name, holder, leased_until) VALUES ('retention', $1, al_after($2))"
    " ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, leased_until = excluded.leased_until"
    " WHERE l.holder = excluded.holder OR l.leased_until <= al_now() RETURNING name"};
Statement const give_lease{"retention.leave", "DELETE FROM upkeep_leases WHERE name = 'retention' AND holder = $1"};

/// Whether the snapshot $3 of a consumer has not seen all events from $1 to $2.
Statement const unread_events{"retention.unread",
                              "SELECT EXISTS (SELECT 1 FROM events e WHERE e.timestamp >= $1 AND e.timestamp < $2"
                              " AND e.xid >= pg_snapshot_xmin(CAST(CAST($3 AS text) AS pg_snapshot))"
                              " AND NOT pg_visible_in_snapshot(e.xid, CAST(CAST($3 AS text) AS pg_snapshot)))"};

/// $1 and $2 the times, $3 the number of the last row before, $4 how many. Numbers rise with time on SQLite, so the
/// first row that is not past ends the reading there, without an index of times.
std::string select_page(std::string const& columns, std::string const& from) {
  return "SELECT seq, timestamp, " + columns + " FROM " + from +
         " WHERE timestamp >= $1 AND timestamp < $2 AND seq > $3 ORDER BY seq LIMIT CAST($4 AS bigint)";
}
std::string select_page_of_sqlite(std::string const& columns, std::string const& from) {
  return "SELECT seq, timestamp, " + columns + " FROM " + from + " WHERE $1 <= $2 AND seq > $3 ORDER BY seq LIMIT $4";
}
/// $1 and $2 the first and the last number, $3 the time, $4 how many.
std::string delete_page(std::string const& from) {
  return "DELETE FROM " + from + " WHERE seq IN (SELECT seq FROM " + from +
         " WHERE seq BETWEEN $1 AND $2 AND timestamp < $3 ORDER BY seq LIMIT $4) RETURNING seq";
}

void append_event(std::string& out, Row const& row) { events::append_cloud_event(out, events::event_of(row, 2)); }

void append_metric(std::string& out, Row const& row) {
  out += R"({"tenant_id":)";
  json::append_string(out, text_at(row, 2));
  out += ',';
  out += std::string_view(entity::to_json(entity::from_row<model::Metric>(row, 3))).substr(1);
}

std::int64_t seq_of(Row const& row) { return integer_at(row, 0); }

Deadline soon() { return Deadline::after(statement_limit); }

}  // namespace

struct Retention::Table {
  std::string name;
  Statement page;          ///< of a partition
  Statement page_of_rest;  ///< of the default partition, and of the whole table on SQLite
  Statement remove;        ///< from there
  void (*append)(std::string&, Row const&);
  bool has_consumers = false;
  std::chrono::days RetentionOptions::* keep;
};

std::vector<Retention::Table> const& Retention::tables() {
  auto const table = [](std::string name, std::string const& columns, auto append, bool has_consumers, auto keep) {
    return Table{.name = name,
                 .page = {"retention.page", select_page(columns, name)},
                 .page_of_rest = {"retention.rest", select_page(columns, name + "_default"),
                                  select_page_of_sqlite(columns, name)},
                 .remove = {"retention.delete", delete_page(name + "_default"), delete_page(name)},
                 .append = append,
                 .has_consumers = has_consumers,
                 .keep = keep};
  };
  static std::vector<Table> const all{
      table("events", events::event_columns(), append_event, true, &RetentionOptions::events_keep),
      table("metrics", "tenant_id, " + entity::columns(entity::entity<model::Metric>()), append_metric, false,
            &RetentionOptions::metrics_keep)};
  return all;
}

Retention::Retention(storage::Database& database, Clock const& clock, Random& random, RetentionOptions options,
                     StoredCursors cursors)
    : database_(database),
      clock_(clock),
      options_(std::move(options)),
      cursors_(std::move(cursors)),
      holder_(uuid_v7(clock, random)) {}

Task<void> Retention::run() {
  for (;;) {
    std::chrono::seconds pause = interval;
    try {
      co_await make_partitions();
      auto const swept = co_await sweep();
      if (swept.rows > 0)
        log::info("rows past their time were archived", {{"rows", std::to_string(swept.rows)}});
    } catch (Fault const& fault) {
      log::warning("the upkeep of events and metrics did not end; trying again",
                   {{"error", std::string_view(fault.what())}});
      pause = pause_after_fault;
    }
    co_await sleep_until(std::chrono::steady_clock::now() + pause);
  }
}

Task<std::int64_t> Retention::make_partitions() {
  if (!is_partitioned())
    co_return 0;
  storage::Batch batch{Scope::system(), {}};
  batch.steps.push_back({&make_missing, {std::int64_t{options_.months_ahead}}});
  auto const made = co_await database_.apply(std::move(batch), soon());
  if (!made)
    throw Fault("partitions could not be made: " + made.error().message);
  co_return std::get<std::int64_t>(made->at(0).at(0).at(0));
}

Task<Retention::Swept> Retention::sweep() {
  Swept swept;
  swept.was_ours = co_await hold_lease();
  if (!swept.was_ours)
    co_return swept;
  for (auto const& table : tables())
    co_await sweep_table(table, swept);
  co_await leave_lease();
  co_return swept;
}

Task<bool> Retention::hold_lease() {
  storage::Batch batch{Scope::system(), {}};
  batch.steps.push_back({&take_lease, {holder_, std::int64_t{lease.count()}}});
  auto const taken = co_await database_.apply(std::move(batch), soon());
  co_return taken && !taken->at(0).empty();
}

Task<void> Retention::leave_lease() {
  storage::Batch batch{Scope::system(), {}};
  batch.steps.push_back({&give_lease, {holder_}});
  (void)co_await database_.apply(std::move(batch), soon());
}

Task<void> Retention::sweep_table(Table const& table, Swept& swept) {
  auto const until = clock_.now() - options_.*table.keep;
  co_await finish_pending(table, swept);
  for (auto const& part : co_await partitions(table, until))
    co_await sweep_partition(table, part, swept);
  co_await sweep_rest(table, until, swept);
}

/// Those that end by `until`, the oldest first.
Task<std::vector<Retention::Part>> Retention::partitions(Table const& table, Timestamp until) {
  std::vector<Part> parts;
  if (!is_partitioned())
    co_return parts;
  for (auto const& row : co_await database_.read(Scope::system(), list_partitions, {table.name}, soon())) {
    Part part{.partition = text_at(row, 0),
              .from = value_at<Timestamp>(row, 1),
              .until = value_at<Timestamp>(row, 2),
              .last_seq = no_seq_max};
    if (part.until <= until)
      parts.push_back(std::move(part));
  }
  co_return parts;
}

/// Ends what a crash, or a fault, has cut between the archive and the removal. Partitions are left to
/// sweep_partition(), unless they are gone.
Task<void> Retention::finish_pending(Table const& table, Swept& swept) {
  auto const pending = pending_manifests(options_.archive, table.name);
  if (pending.empty())
    co_return;
  auto const parts = co_await partitions(table, Timestamp::max());
  for (auto manifest : pending) {
    bool const is_there = std::ranges::find(parts, manifest.partition, &Part::partition) != parts.end();
    if (manifest.partition.empty())
      swept.rows += co_await delete_rows(table, manifest);
    if (is_there)
      continue;
    manifest.removed = true;
    write_manifest(options_.archive, manifest);
  }
}

Task<void> Retention::sweep_partition(Table const& table, Part const& part, Swept& swept) {
  if (co_await is_needed(table, part.from, part.until)) {
    ++swept.kept;
    co_return;
  }
  auto const pending = pending_manifests(options_.archive, table.name);
  auto const known = std::ranges::find(pending, part.partition, &ArchiveManifest::partition);
  auto manifest = known != pending.end() ? std::optional(*known) : co_await archive(table, part);
  if (!manifest)
    manifest = {.table = table.name, .partition = part.partition, .until = part.until};
  if (co_await drop(*manifest))
    swept.rows += manifest->rows;
}

/// What lies in no partition that could be dropped.
Task<void> Retention::sweep_rest(Table const& table, Timestamp until, Swept& swept) {
  Part part{.from = first_time, .until = until, .last_seq = no_seq_max};
  if (is_partitioned() && co_await is_needed(table, part.from, part.until)) {
    ++swept.kept;
    co_return;
  }
  if (!is_partitioned() && table.has_consumers)
    part.last_seq = co_await read_by_all();
  for (bool is_full = true; is_full;) {
    auto manifest = co_await archive(table, part);
    if (!manifest)
      co_return;
    is_full = manifest->rows >= options_.rows_per_file;
    swept.rows += co_await delete_rows(table, *manifest);
    AL_FAILPOINT("retention.deleted");
    manifest->removed = true;
    write_manifest(options_.archive, *manifest);
  }
}

/// Nothing when there are no rows. A page is read at a time, each by a statement of its own: past rows do not change.
Task<std::optional<ArchiveManifest>> Retention::archive(Table const& table, Part const& part) {
  ArchiveManifest manifest{.table = table.name, .partition = part.partition, .until = part.until};
  std::unique_ptr<ArchiveFile> file;
  auto const& page = part.partition.empty() ? table.page_of_rest : table.page;
  auto const rows_max = part.partition.empty() ? options_.rows_per_file : no_seq_max;
  for (bool is_over = false; !is_over;) {
    Values params{part.from, part.until, manifest.last_seq, options_.rows_per_page};
    auto const rows = co_await database_.read(Scope::system(), page, std::move(params), soon());
    is_over = std::ssize(rows) < options_.rows_per_page;
    std::string lines;
    for (auto const& row : rows) {
      if (manifest.rows == rows_max || value_at<Timestamp>(row, 1) >= part.until || seq_of(row) > part.last_seq) {
        is_over = true;
        break;
      }
      if (manifest.rows++ == 0)
        manifest.first_seq = seq_of(row);
      manifest.last_seq = seq_of(row);
      table.append(lines, row);
      lines += '\n';
    }
    if (manifest.rows == 0)
      co_return std::nullopt;
    if (!file) {
      manifest.name =
          part.partition.empty() ? table.name + "_from_" + std::to_string(manifest.first_seq) : part.partition;
      file = std::make_unique<ArchiveFile>(options_.archive, manifest.name);
    }
    file->write(lines);
  }
  // Who fell behind for so long must not replace the file of whoever took over.
  if (!co_await hold_lease())
    throw Unavailable("another process has taken over");
  AL_FAILPOINT("retention.publish");
  manifest.sha256 = file->publish();
  AL_FAILPOINT("retention.manifest");
  write_manifest(options_.archive, manifest);
  AL_FAILPOINT("retention.archived");
  co_return manifest;
}

/// False when the partition has other rows than the archive, which is then made anew by the next sweep.
Task<bool> Retention::drop(ArchiveManifest manifest) {
  storage::Batch batch{Scope::system(), {}};
  batch.steps.push_back({&drop_partition, {manifest.partition, manifest.until, manifest.rows}});
  auto const dropped = co_await database_.apply(std::move(batch), soon());
  if (!dropped) {
    log::warning("a partition was not dropped: it has changed since it was archived",
                 {{"partition", std::string_view(manifest.partition)}});
    if (manifest.rows > 0)
      remove_manifest(options_.archive, manifest.name);
    co_return false;
  }
  AL_FAILPOINT("retention.dropped");
  manifest.removed = true;
  if (manifest.rows > 0)
    write_manifest(options_.archive, manifest);
  co_return true;
}

Task<std::int64_t> Retention::delete_rows(Table const& table, ArchiveManifest manifest) {
  std::int64_t deleted = 0;
  for (std::int64_t last = options_.rows_per_page; last == options_.rows_per_page;) {
    storage::Batch batch{Scope::system(), {}};
    batch.steps.push_back(
        {&table.remove, {manifest.first_seq, manifest.last_seq, manifest.until, options_.rows_per_page}});
    auto const done = co_await database_.apply(std::move(batch), soon());
    if (!done)
      throw Fault("archived rows could not be deleted: " + done.error().message);
    last = std::ssize(done->at(0));
    deleted += last;
    AL_FAILPOINT("retention.batch");
  }
  co_return deleted;
}

/// Whether a consumer has not read all events of this time, on PostgreSQL. A cursor that nobody can read might need
/// all.
Task<bool> Retention::is_needed(Table const& table, Timestamp from, Timestamp until) {
  if (!table.has_consumers || !cursors_)
    co_return false;
  for (auto const& token : co_await cursors_(soon())) {
    auto const cursor = events::parse_token(database_.dialect(), token);
    bool needed = !cursor;
    if (cursor) {
      Values params{from, until, cursor->seen};
      auto const rows = co_await database_.read(Scope::system(), unread_events, std::move(params), soon());
      needed = std::get<bool>(rows.at(0).at(0));
    }
    if (needed) {
      log::warning("events past their time are kept for a consumer that has not read them",
                   {{"cursor", std::string_view(token)}, {"until", to_rfc3339(until)}});
      co_return true;
    }
  }
  co_return false;
}

/// The number up to which all consumers have read, on SQLite.
Task<std::int64_t> Retention::read_by_all() {
  auto read = no_seq_max;
  if (!cursors_)
    co_return read;
  for (auto const& token : co_await cursors_(soon())) {
    auto const cursor = events::parse_token(database_.dialect(), token);
    read = std::min(read, cursor ? cursor->seq : 0);
  }
  co_return read;
}

}  // namespace al::data
