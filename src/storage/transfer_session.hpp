#pragma once
/// What export, restore and copies need of a database: one view of all of it, and writes in large transactions. sqlite
/// and postgres each have both. Blocking; one thread.

#include <functional>
#include <memory>
#include <vector>

#include "core/result.hpp"
#include "core/value.hpp"
#include "storage/migrations.hpp"
#include "storage/statement.hpp"

namespace al::storage {

/// The database as it was when the session was opened, whatever others write meanwhile. Everything throws Fault.
/// While it lives, SQLite's log and PostgreSQL's dead rows cannot be cleared away.
class SnapshotSession {
 public:
  virtual ~SnapshotSession() = default;
  [[nodiscard]] virtual Dialect dialect() const = 0;
  /// Hands each row of a SELECT to `use`, one at a time: memory does not grow with their number. Parameters are texts
  /// and integers. `use` must not come back to the session; when it throws, nothing more can be read.
  virtual void for_each(Scope const&, Statement const&, Values const& params,
                        std::function<void(Row const&)> const& use) = 0;
};

/// Writes in one transaction, which takes the whole database for itself where it must and is rolled back unless it is
/// committed. Everything throws Fault.
class LoadSession {
 public:
  virtual ~LoadSession() = default;
  [[nodiscard]] virtual Dialect dialect() const = 0;
  /// Runs one statement without parameters.
  virtual Rows run(Scope const&, Statement const&) = 0;
  /// Adds many rows in their order. After an error the session is of no use any more.
  /// Errors: conflict, a unique key exists; invalid, another constraint refused.
  [[nodiscard]] virtual Result<void> add(Scope const&, RowStatement const&, std::vector<Values> const& rows) = 0;
  virtual void commit() = 0;
  /// Makes what was written so far last, and goes on in another transaction.
  virtual void commit_and_continue() = 0;
};

/// Opens the database that migrations would go to; it is there and migrated. Throws Unavailable when it cannot be
/// reached.
[[nodiscard]] std::unique_ptr<SnapshotSession> open_snapshot(MigrationTarget const&);
[[nodiscard]] std::unique_ptr<LoadSession> open_load(MigrationTarget const&);

// The two ways of the above.
[[nodiscard]] std::unique_ptr<SnapshotSession> open_sqlite_snapshot(MigrationTarget const&);
[[nodiscard]] std::unique_ptr<SnapshotSession> open_postgres_snapshot(MigrationTarget const&);
[[nodiscard]] std::unique_ptr<LoadSession> open_sqlite_load(MigrationTarget const&);
[[nodiscard]] std::unique_ptr<LoadSession> open_postgres_load(MigrationTarget const&);

}  // namespace al::storage
