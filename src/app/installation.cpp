#include "app/installation.hpp"

namespace al::app {
namespace {

/// Reads of one small process overlap little; a third reader would cost a page cache for nothing.
constexpr int sqlite_readers = 2;

storage::PostgresOptions postgres_options(Config const& config) {
  auto const seconds = [&](std::string_view name) { return std::chrono::seconds(config.integer(name)); };
  return {.url = database_url(config),
          .pool_size = static_cast<int>(config.integer("database.pool_size")),
          .pool_overflow = static_cast<int>(config.integer("database.max_overflow")),
          .checkout_timeout = seconds("database.pool_timeout"),
          .recycle = seconds("database.pool_recycle"),
          .connect_timeout = seconds("database.connect_timeout"),
          .statement_timeout = seconds("database.statement_timeout"),
          .prepared = config.boolean("database.prepared")};
}

}  // namespace

bool uses_postgres(Config const& config) { return !database_url(config).empty(); }

std::filesystem::path data_directory(Config const& config) { return config.text("data"); }

std::string local_url(std::string host, std::string_view port) {
  // A client cannot call the address that stands for all of them.
  if (host == "0.0.0.0")
    host = "127.0.0.1";
  if (host == "::")
    host = "::1";
  if (host.contains(':') && !host.starts_with('['))
    host = "[" + host + "]";
  return "http://" + host + ":" + std::string(port);
}

void make_data_directory(Config const& config) {
  auto const directory = data_directory(config);
  std::error_code error;
  if (std::filesystem::create_directories(directory, error)) {
    std::filesystem::permissions(directory, std::filesystem::perms::owner_all, error);
  }
  if (error) {
    throw Fault("cannot make the data directory " + directory.string() + ": " + error.message() +
                "; set AGENT_LIGHTNING_DATA to a place where you may write");
  }
}

Result<std::optional<storage::DirectoryLock>> lock_data_directory(Config const& config) {
  if (uses_postgres(config))
    return std::nullopt;
  auto lock = storage::DirectoryLock::acquire(data_directory(config));
  if (!lock)
    return fail(std::move(lock.error()));
  return std::move(*lock);
}

storage::MigrationTarget migration_target(Config const& config) {
  if (!uses_postgres(config))
    return {.sqlite_path = std::filesystem::absolute(data_directory(config) / "agent-lightning.db").string()};
  auto const& own = config.text("database.migrate_url");
  return {.postgres_url = own.empty() ? database_url(config) : own,
          .connect_timeout = std::chrono::seconds(config.integer("database.connect_timeout"))};
}

std::unique_ptr<storage::Database> open_database(Config const& config, Clock const& clock) {
  if (uses_postgres(config))
    return storage::open_postgres(postgres_options(config));
  return storage::open_sqlite({.path = migration_target(config).sqlite_path, .readers = sqlite_readers}, clock);
}

void migrate(Config const& config) { storage::migrate_up(migration_target(config)); }

}  // namespace al::app
