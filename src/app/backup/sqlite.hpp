#pragma once
/// Backups of SQLite: a copy of one moment, made while a server runs. Blocking.

#include "app/backup/catalog.hpp"

namespace al::app::backup {

/// Where a backup is put back to.
struct SqlitePlace {
  std::filesystem::path database;
  bool may_replace = false;
};

/// Copies, packs, restores the copy to see that it is whole, and publishes it. Needs the catalog's lock. Errors:
/// not_found, when there is no database; invalid, when what was copied is damaged. Throws Fault, also when it is broken
/// off.
[[nodiscard]] Result<Manifest> back_up_sqlite(Catalog const&, std::filesystem::path const& database, Clock const&,
                                              Making const& making = {});

/// Restores the backup beside the others, compares, and takes that away again. Needs the catalog's lock.
/// Errors: invalid, with what is wrong. Throws Fault.
[[nodiscard]] Result<void> verify_sqlite(Catalog const&, Manifest const&);

/// Puts the backup in the database's place when it is whole and what it was. Nothing else may have the database open.
/// What is there stays beside it, as `<name>.before-<time>` with its log. Answers where; "" when nothing was there.
/// Errors: conflict, when there is a database and it may not be replaced; invalid, when the backup is damaged; then
/// nothing has changed. Throws Fault.
[[nodiscard]] Result<std::string> restore_sqlite(Catalog const&, Manifest const&, SqlitePlace const&, Clock const&);

}  // namespace al::app::backup
