#include "app/backup/installation.hpp"

#include <unistd.h>

#include <array>

#include "app/installation.hpp"

namespace al::app::backup {
namespace {

namespace fs = std::filesystem;

/// What pg_basebackup does not find would be said in words of another program, after the work of minutes.
constexpr std::array programs_needed{"pg_basebackup", "pg_verifybackup", "pg_controldata", "postgres"};

}  // namespace

Catalog catalog_of(Config const& config) { return Catalog(fs::absolute(config.text("backup.directory"))); }

WalArchive archive_of(Catalog const& catalog) { return WalArchive(catalog.directory() / "wal"); }

Kind kind_of(Config const& config) { return uses_postgres(config) ? Kind::postgresql : Kind::sqlite; }

PostgresAccess access_of(Config const& config) {
  auto const& own = config.text("backup.database_url");
  return {.url = own.empty() ? database_url(config) : own,
          .content_url = database_url(config),
          .programs = config.text("backup.postgres_programs")};
}

Result<void> demand_possible(Config const& config) {
  if (!config.boolean("use_database"))
    return fail(Code::conflict, "USE_DATABASE is off: there is nothing that a backup could keep");
  if (!uses_postgres(config))
    return {};
  fs::path const programs = config.text("backup.postgres_programs");
  for (auto const* name : programs_needed) {
    if (::access((programs / name).c_str(), X_OK) != 0)
      return fail(Code::conflict, std::string(name) + " is not where BACKUP_POSTGRES_PROGRAMS says; install " +
                                      "PostgreSQL's programs on this machine, or let the setting name their directory");
  }
  return {};
}

Result<Manifest> back_up(Config const& config, Catalog const& catalog, Clock const& clock, Making const& making) {
  if (uses_postgres(config))
    return back_up_postgres(catalog, access_of(config), clock, making);
  return back_up_sqlite(catalog, migration_target(config).sqlite_path, clock, making);
}

std::vector<std::string> prune(Catalog const& catalog, std::size_t keep) {
  auto gone = superfluous(catalog.list(), keep);
  for (auto const& id : gone)
    catalog.remove(id);
  std::optional<LogPosition> oldest;
  for (auto const& entry : catalog.list()) {
    if (entry.manifest && entry.manifest->log && (!oldest || entry.manifest->log->begin < oldest->begin))
      oldest = entry.manifest->log;
  }
  if (oldest && fs::exists(archive_of(catalog).directory()))
    archive_of(catalog).remove_before(*oldest);
  return gone;
}

}  // namespace al::app::backup
