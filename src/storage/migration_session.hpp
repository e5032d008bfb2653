#pragma once
/// What the migration runner needs of a database: sqlite and postgres each have one. Blocking; one thread.

#include <memory>
#include <string>
#include <vector>

#include "storage/migrations.hpp"

namespace al::storage {

/// One migration as one database runs it.
struct Migration {
  int number;
  std::string name;
  std::string up;
  std::string down;
  std::string checksum;  ///< SHA-256 of the file, hexadecimal
};

/// A row of the table schema_migrations.
struct AppliedMigration {
  int number;
  std::string name;
  std::string checksum;
};

/// The sole right to migrate a database; others wait in open_… until it is gone, on PostgreSQL up to the target's
/// lock_timeout. Everything throws Fault.
class MigrationSession {
 public:
  virtual ~MigrationSession() = default;
  [[nodiscard]] virtual std::vector<AppliedMigration> applied() = 0;
  /// Runs `up` and notes it, or does neither.
  virtual void apply(Migration const&) = 0;
  /// Runs `down` and forgets it, or does neither.
  virtual void take_back(Migration const&) = 0;
  /// Makes what was done last. Also after a failure; what succeeded before it stays.
  virtual void finish() = 0;
};

[[nodiscard]] std::unique_ptr<MigrationSession> open_sqlite_migrations(std::string const& path);
[[nodiscard]] std::unique_ptr<MigrationSession> open_postgres_migrations(MigrationTarget const&);

/// What is applied, without waiting for another runner and without changing anything.
[[nodiscard]] std::vector<AppliedMigration> applied_on_sqlite(std::string const& path);
[[nodiscard]] std::vector<AppliedMigration> applied_on_postgres(MigrationTarget const&);

/// "migration 0002 (name)", for messages.
[[nodiscard]] std::string label(int number, std::string const& name);

}  // namespace al::storage
