#pragma once
/// Backups of PostgreSQL: base backups by pg_basebackup, and the log since then by pg_receivewal, see wal_archive.hpp.
/// A backup is verified by restoring it: a server of our own recovers it, and counts what is in it. Blocking.

#include "app/backup/catalog.hpp"
#include "app/backup/wal_archive.hpp"

namespace al::app::backup {

struct PostgresAccess {
  std::string url;                 ///< its role may replicate
  std::string content_url;         ///< the role and the database that the platform works with
  std::filesystem::path programs;  ///< where pg_basebackup and the others lie, of the server's major version or a later
};

/// Where a restore ends. Without either: where the base backup itself ends.
struct RecoveryTarget {
  bool latest = false;              ///< all of the log that there is
  std::optional<Timestamp> time{};  ///< what was committed by then
};

struct PostgresRestore {
  std::filesystem::path directory;  ///< becomes a data directory; it is empty or not there
  RecoveryTarget target;
};

/// Makes a base backup, restores it to see that it is whole, and publishes it. Needs the catalog's lock.
/// Errors: invalid, when the cluster has what we cannot back up; internal, with what a program said; unavailable, when
/// it is broken off. Throws Fault.
[[nodiscard]] Result<Manifest> back_up_postgres(Catalog const&, PostgresAccess const&, Clock const&,
                                                Making const& making = {});

/// Restores the backup beside the others, compares, and takes that away again. Needs the catalog's lock.
/// Errors: as above, and invalid, with what is wrong. Throws Fault.
[[nodiscard]] Result<void> verify_postgres(Catalog const&, Manifest const&, PostgresAccess const&);

/// Makes a data directory of the backup and the archived log, recovers it with a server that only we can reach, and
/// stops that: what remains is a cluster that was shut down in order. Answers what is in it; without a target that is
/// what was backed up. Needs the catalog's lock. Errors: conflict, when the directory is not empty; as above. Then
/// nothing remains of it. Throws Fault.
[[nodiscard]] Result<storage::DatabaseFacts> restore_postgres(Catalog const&, Manifest const&, PostgresAccess const&,
                                                              PostgresRestore const&);

/// Receives the log until it is stopped: this process becomes pg_receivewal. Its slot makes the server keep what was
/// not received yet. Errors: internal, with what the program said. Throws Fault.
[[nodiscard]] Error receive_log(WalArchive const&, PostgresAccess const&);

}  // namespace al::app::backup
