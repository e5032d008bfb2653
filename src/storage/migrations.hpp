#pragma once
/// Numbered migrations, forward and back, embedded in the binary. Files: migrations/NNNN_name.{sqlite,postgres}.sql,
/// with the parts `-- up` and `-- down`. One runner at a time (advisory lock on PostgreSQL, BEGIN EXCLUSIVE on SQLite);
/// a process that comes second waits and finds nothing to do.

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/embedded.hpp"

namespace al::storage {

struct MigrationState {
  int number;
  std::string name;
  bool applied;
  bool known;  ///< false: applied by a newer binary
};

/// Where migrations run: a SQLite path or a PostgreSQL URL, one of the two (blocking calls; not for an I/O thread).
struct MigrationTarget {
  std::string sqlite_path{};
  std::string postgres_url{};
  /// PostgreSQL: the wait for a connection to each address of the URL. libpq waits 2 seconds at least.
  std::chrono::seconds connect_timeout{10};
  /// PostgreSQL: the wait for another runner. Long, since a migration of a large table takes its time; it ends so that
  /// a runner that hangs is noticed.
  std::chrono::seconds lock_timeout{600};
};

/// Applies what is missing, up to `to` (nullopt: all), each in a transaction of its own: after a failure the ones
/// before it stay. Answers the numbers applied. Leaves a database alone that a newer binary has migrated.
/// Throws Fault, also when an applied migration reads otherwise than in this binary.
std::vector<int> migrate_up(MigrationTarget const&, std::optional<int> to = std::nullopt);
/// Takes back everything above `to`, last first. Answers the numbers taken back. Throws Fault, as migrate_up, and
/// before anything changes when one of them is not in this binary.
std::vector<int> migrate_down(MigrationTarget const&, int to);
/// Every migration of this binary and of the database, by number. Changes nothing: also not there when the database
/// has no file or schema yet. Throws Fault when the database cannot be read.
[[nodiscard]] std::vector<MigrationState> migration_status(MigrationTarget const&);

/// The same with migrations other than the binary's own, for tests.
using MigrationFiles = std::span<EmbeddedFile const>;
std::vector<int> migrate_up(MigrationTarget const&, MigrationFiles, std::optional<int> to = std::nullopt);
std::vector<int> migrate_down(MigrationTarget const&, MigrationFiles, int to);
[[nodiscard]] std::vector<MigrationState> migration_status(MigrationTarget const&, MigrationFiles);

}  // namespace al::storage
