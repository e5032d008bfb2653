#include "storage/migrations.hpp"

#include <algorithm>
#include <charconv>
#include <functional>
#include <map>
#include <optional>

#include "core/fault.hpp"
#include "core/hash.hpp"
#include "core/log.hpp"
#include "embedded/migrations.hpp"
#include "storage/migration_session.hpp"
#include "storage/statement.hpp"

namespace al::storage {
namespace {

using Migrations = std::map<int, Migration>;

/// The next line, without its end; `text` goes on behind it.
std::string_view next_line(std::string_view& text) {
  auto const end = text.find('\n');
  auto line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line.substr(0, line.find_last_not_of(" \t\r") + 1);
}

/// Cuts the file at its lines `-- up` and `-- down`, one each and in that order.
void split_parts(std::string_view file, std::string_view text, Migration& out) {
  std::string* part = nullptr;
  std::size_t parts = 0;
  auto const bad = [&] { return Fault(std::string(file) + ": one part `-- up`, then one part `-- down`"); };
  while (!text.empty()) {
    auto const line = next_line(text);
    if (line == "-- up" || line == "-- down") {
      if (parts++ != (line == "-- up" ? 0u : 1u))
        throw bad();
      part = line == "-- up" ? &out.up : &out.down;
    } else if (part != nullptr) {
      part->append(line).append("\n");
    } else if (!line.empty() && !line.starts_with("--")) {
      throw bad();
    }
  }
  if (parts != 2)
    throw bad();
}

struct ParsedName {
  Migration migration;
  Dialect dialect;
};

/// `0001_foundation.sqlite.sql`
ParsedName parse_name(std::string_view file) {
  std::string_view rest = file;
  ParsedName parsed{};
  auto const bad = [&] { return Fault(std::string(file) + ": migrations are called NNNN_name.{sqlite,postgres}.sql"); };
  auto const [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), parsed.migration.number);
  if (error != std::errc{} || end - rest.data() != 4 || parsed.migration.number < 1)
    throw bad();
  rest.remove_prefix(4);
  if (rest.ends_with(".sqlite.sql")) {
    parsed.dialect = Dialect::sqlite;
    rest.remove_suffix(std::string_view(".sqlite.sql").size());
  } else if (rest.ends_with(".postgres.sql")) {
    parsed.dialect = Dialect::postgres;
    rest.remove_suffix(std::string_view(".postgres.sql").size());
  } else {
    throw bad();
  }
  if (rest.size() < 2 || rest.front() != '_' ||
      rest.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") != std::string_view::npos) {
    throw bad();
  }
  parsed.migration.name = rest.substr(1);
  return parsed;
}

/// Every migration must be there for both databases, or they would drift apart.
void demand_both(Migrations const& ours, Migrations const& theirs) {
  for (auto const& [number, migration] : ours) {
    auto const other = theirs.find(number);
    if (other == theirs.end() || other->second.name != migration.name) {
      throw Fault(label(number, migration.name) + " is not there under this name for both databases");
    }
  }
}

Migrations parse(MigrationFiles files, Dialect dialect) {
  Migrations by_dialect[2];
  for (auto const& file : files) {
    auto parsed = parse_name(file.name);
    split_parts(file.name, file.text, parsed.migration);
    parsed.migration.checksum = sha256_hex(file.text);
    auto const number = parsed.migration.number;
    auto& known = by_dialect[parsed.dialect == dialect ? 0 : 1];
    if (!known.emplace(number, std::move(parsed.migration)).second) {
      throw Fault(std::string(file.name) + ": another migration has this number");
    }
  }
  demand_both(by_dialect[0], by_dialect[1]);
  demand_both(by_dialect[1], by_dialect[0]);
  return std::move(by_dialect[0]);
}

/// What a runner has to go by.
struct Situation {
  Migrations known;
  std::map<int, AppliedMigration> applied;

  [[nodiscard]] bool newer() const {
    return std::ranges::any_of(applied, [this](auto const& entry) { return !known.contains(entry.first); });
  }
};

Situation compare(Migrations known, std::vector<AppliedMigration> applied) {
  Situation situation{.known = std::move(known), .applied = {}};
  for (auto& row : applied) {
    auto const ours = situation.known.find(row.number);
    if (ours != situation.known.end() && (ours->second.checksum != row.checksum || ours->second.name != row.name)) {
      throw Fault(label(row.number, row.name) +
                  " was applied with another text than this program has; an applied "
                  "migration must not be changed, a new one must follow it");
    }
    situation.applied.emplace(row.number, std::move(row));
  }
  return situation;
}

Dialect dialect_of(MigrationTarget const& target) {
  if (target.sqlite_path.empty() == target.postgres_url.empty()) {
    throw Fault("migrations need either a SQLite file or a PostgreSQL URL");
  }
  return target.sqlite_path.empty() ? Dialect::postgres : Dialect::sqlite;
}

std::unique_ptr<MigrationSession> open_session(MigrationTarget const& target, Dialect dialect) {
  return dialect == Dialect::sqlite ? open_sqlite_migrations(target.sqlite_path) : open_postgres_migrations(target);
}

/// Runs `step` on each; what was done before a failure is finished all the same.
std::vector<int> run_all(MigrationSession& session, std::vector<Migration const*> const& migrations,
                         void (MigrationSession::*step)(Migration const&), std::string_view done) {
  std::vector<int> numbers;
  try {
    for (auto const* migration : migrations) {
      (session.*step)(*migration);
      numbers.push_back(migration->number);
      log::info("migration", {{"number", std::int64_t{migration->number}}, {"name", migration->name}, {"done", done}});
    }
  } catch (Fault const&) {
    try {
      session.finish();
    } catch (Fault const& second) {
      log::error("the migrations before the one that failed could not be finished", {{"reason", second.what()}});
    }
    throw;
  }
  session.finish();
  return numbers;
}

}  // namespace

std::string label(int number, std::string const& name) {
  auto digits = std::to_string(number);
  digits.insert(0, digits.size() < 4 ? 4 - digits.size() : 0, '0');
  return "migration " + digits + " (" + name + ")";
}

std::vector<int> migrate_up(MigrationTarget const& target, MigrationFiles files, std::optional<int> to) {
  auto const dialect = dialect_of(target);
  auto known = parse(files, dialect);
  auto const session = open_session(target, dialect);
  auto const situation = compare(std::move(known), session->applied());
  std::vector<Migration const*> missing;
  if (situation.newer()) {
    log::warning("a newer program has migrated this database; it is left as it is");
  } else {
    for (auto const& [number, migration] : situation.known) {
      if (!situation.applied.contains(number) && (!to || number <= *to))
        missing.push_back(&migration);
    }
  }
  return run_all(*session, missing, &MigrationSession::apply, "applied");
}

std::vector<int> migrate_down(MigrationTarget const& target, MigrationFiles files, int to) {
  auto const dialect = dialect_of(target);
  auto known = parse(files, dialect);
  auto const session = open_session(target, dialect);
  auto const situation = compare(std::move(known), session->applied());
  std::vector<Migration const*> surplus;
  for (auto const& [number, row] : situation.applied) {
    if (number <= to)
      continue;
    auto const ours = situation.known.find(number);
    if (ours == situation.known.end()) {
      throw Fault(label(number, row.name) + " is not in this program; take it back with the one that applied it");
    }
    surplus.insert(surplus.begin(), &ours->second);
  }
  return run_all(*session, surplus, &MigrationSession::take_back, "taken back");
}

std::vector<MigrationState> migration_status(MigrationTarget const& target, MigrationFiles files) {
  auto const dialect = dialect_of(target);
  auto applied = dialect == Dialect::sqlite ? applied_on_sqlite(target.sqlite_path) : applied_on_postgres(target);
  auto const situation = compare(parse(files, dialect), std::move(applied));
  std::map<int, MigrationState> states;
  for (auto const& [number, migration] : situation.known) {
    states.emplace(number, MigrationState{number, migration.name, situation.applied.contains(number), true});
  }
  for (auto const& [number, row] : situation.applied)
    states.emplace(number, MigrationState{number, row.name, true, false});
  std::vector<MigrationState> out;
  for (auto& [number, state] : states)
    out.push_back(std::move(state));
  return out;
}

std::vector<int> migrate_up(MigrationTarget const& target, std::optional<int> to) {
  return migrate_up(target, embedded::migrations(), to);
}

std::vector<int> migrate_down(MigrationTarget const& target, int to) {
  return migrate_down(target, embedded::migrations(), to);
}

std::vector<MigrationState> migration_status(MigrationTarget const& target) {
  return migration_status(target, embedded::migrations());
}

}  // namespace al::storage
