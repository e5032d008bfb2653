#pragma once
/// Where this installation keeps its data, as the configuration says.

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/config.hpp"
#include "redis/settings.hpp"
#include "storage/database.hpp"
#include "storage/lock.hpp"
#include "storage/migrations.hpp"

namespace al::app {

[[nodiscard]] bool uses_postgres(Config const&);
[[nodiscard]] std::filesystem::path data_directory(Config const&);

/// How the ports are spoken to that users see, the gateway's and the dashboard's: "https" with a certificate.
[[nodiscard]] std::string_view public_scheme(Config const&);

/// Where clients on this machine find what listens on `host`, which may stand for all addresses.
[[nodiscard]] std::string local_url(std::string host, std::string_view port, std::string_view scheme = "http");

/// Makes the data directory, for its owner only, when it is not there. Throws Fault.
void make_data_directory(Config const&);

/// The sole right to a data directory with SQLite; PostgreSQL is shared, and there it is none. Errors: conflict, when
/// another process has it. Throws Fault.
[[nodiscard]] Result<std::optional<storage::DirectoryLock>> lock_data_directory(Config const&);

/// Where Redis is; none when it is not configured, or not needed: SQLite is one process's. Errors: invalid.
[[nodiscard]] Result<std::optional<redis::Options>> redis_options(Config const&);

[[nodiscard]] storage::MigrationTarget migration_target(Config const&);

/// The database in the data directory, also when the configuration names another one.
[[nodiscard]] storage::MigrationTarget sqlite_target(Config const&);

/// Its columns and tables must be those that this program knows. Errors: conflict, with the remedy. Throws Fault.
[[nodiscard]] Result<void> demand_migrated(storage::MigrationTarget const&);

/// Throws Fault when it cannot be opened; PostgreSQL connects lazily.
[[nodiscard]] std::unique_ptr<storage::Database> open_database(Config const&, Clock const&);

/// Applies the migrations that are missing; leaves a database alone that is newer than this program, and logs that.
/// Blocks. Throws Fault, with the remedy when the database cannot be reached.
void migrate(Config const&);

}  // namespace al::app
