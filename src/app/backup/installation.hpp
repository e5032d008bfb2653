#pragma once
/// The backups of this installation, as the configuration says. Blocking.

#include "app/backup/postgres.hpp"
#include "app/backup/sqlite.hpp"
#include "core/config.hpp"

namespace al::app::backup {

[[nodiscard]] Catalog catalog_of(Config const&);
[[nodiscard]] WalArchive archive_of(Catalog const&);
/// Of the database that the settings name.
[[nodiscard]] Kind kind_of(Config const&);
[[nodiscard]] PostgresAccess access_of(Config const&);

/// Errors: conflict, naming the remedy, when what this installation lacks is seen without an attempt.
[[nodiscard]] Result<void> demand_possible(Config const&);

/// Makes a backup of the database that the settings name. Needs the catalog's lock. Errors: as back_up_sqlite and
/// back_up_postgres. Throws Fault.
[[nodiscard]] Result<Manifest> back_up(Config const&, Catalog const&, Clock const&, Making const&);

/// Removes what is over the number, and the log that nothing needs any more. Needs the catalog's lock. Answers the ids
/// that went. Throws Fault.
std::vector<std::string> prune(Catalog const&, std::size_t keep);

}  // namespace al::app::backup
