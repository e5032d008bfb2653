#include <filesystem>
#include <utility>

#include "core/fault.hpp"
#include "core/time.hpp"
#include "storage/migration_session.hpp"
#include "storage/sqlite_connection.hpp"

namespace al::storage {
namespace {

using sqlite::Connection;

constexpr char const* create_ledger =
    "CREATE TABLE IF NOT EXISTS schema_migrations ("
    " number INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at INTEGER NOT NULL, checksum TEXT NOT NULL) STRICT";
constexpr char const* read_ledger = "SELECT number, name, checksum FROM schema_migrations ORDER BY number";
constexpr char const* note = "INSERT INTO schema_migrations VALUES ($1, $2, al_now(), $3)";
constexpr char const* forget = "DELETE FROM schema_migrations WHERE number = $1";

SystemClock const& system_clock() {
  static SystemClock const clock;
  return clock;
}

Rows rows_of(Connection& connection, char const* sql, Values const& params = {}) {
  auto ran = connection.run("migrations", sql, params);
  if (!ran)
    throw Fault("schema_migrations: " + ran.error().message);
  return std::move(ran->rows);
}

std::vector<AppliedMigration> applied_in(Connection& connection) {
  std::vector<AppliedMigration> applied;
  for (auto const& row : rows_of(connection, read_ledger)) {
    applied.push_back({.number = static_cast<int>(std::get<std::int64_t>(row.at(0))),
                       .name = std::get<std::string>(row.at(1)),
                       .checksum = std::get<std::string>(row.at(2))});
  }
  return applied;
}

/// One exclusive transaction for the whole run, a savepoint for each migration.
class SqliteMigrations final : public MigrationSession {
 public:
  explicit SqliteMigrations(std::string const& path) : connection_(path, sqlite::Access::migrations, system_clock()) {
    connection_.command("BEGIN EXCLUSIVE");
    connection_.execute(create_ledger);
  }

  std::vector<AppliedMigration> applied() override { return applied_in(connection_); }

  void apply(Migration const& migration) override {
    step(migration, migration.up, note, {std::int64_t{migration.number}, migration.name, migration.checksum});
  }

  void take_back(Migration const& migration) override {
    step(migration, migration.down, forget, {std::int64_t{migration.number}});
  }

  void finish() override {
    if (!connection_.idle())
      connection_.command("COMMIT");
  }

 private:
  void step(Migration const& migration, std::string const& script, char const* ledger, Values const& params) {
    connection_.command("SAVEPOINT migration");
    try {
      connection_.execute(script);
      if (connection_.idle())
        throw Fault("it must not end the transaction");
      auto const orphans = rows_of(connection_, "PRAGMA foreign_key_check");
      if (!orphans.empty()) {
        throw Fault(std::to_string(orphans.size()) + " rows refer to rows that are not there");
      }
      rows_of(connection_, ledger, params);
    } catch (Fault const& fault) {
      if (!connection_.idle()) {
        connection_.command("ROLLBACK TO migration");
        connection_.command("RELEASE migration");
      }
      throw Fault(label(migration.number, migration.name) + ": " + fault.what());
    }
    connection_.command("RELEASE migration");
  }

  Connection connection_;
};

}  // namespace

std::unique_ptr<MigrationSession> open_sqlite_migrations(std::string const& path) {
  return std::make_unique<SqliteMigrations>(path);
}

std::vector<AppliedMigration> applied_on_sqlite(std::string const& path) {
  if (!std::filesystem::exists(path))
    return {};
  Connection connection(path, sqlite::Access::reader, system_clock());
  auto const table = rows_of(connection, "SELECT 1 FROM sqlite_schema WHERE name = 'schema_migrations'");
  return table.empty() ? std::vector<AppliedMigration>{} : applied_in(connection);
}

}  // namespace al::storage
