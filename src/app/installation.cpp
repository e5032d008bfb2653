#include "app/installation.hpp"

#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>

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

/// Memory that is used as a file system: the database of USE_DATABASE=off has a writer and readers on snapshots, as any
/// other, which SQLite gives to files only.
std::filesystem::path memory_place() {
  std::error_code error;
  std::filesystem::path const shared = "/dev/shm";
  return std::filesystem::is_directory(shared, error) ? shared : std::filesystem::temp_directory_path();
}

constexpr std::string_view volatile_prefix = "agent-lightning-";

/// A process that was killed leaves its directory, and that is memory.
void remove_those_of_the_dead(std::filesystem::path const& place) {
  std::error_code error;
  for (auto const& entry : std::filesystem::directory_iterator(place, error)) {
    auto const name = entry.path().filename().string();
    pid_t process = 0;
    if (!name.starts_with(volatile_prefix))
      continue;
    auto const digits = std::string_view(name).substr(volatile_prefix.size());
    std::from_chars(digits.data(), digits.data() + digits.size(), process);
    if (process > 0 && ::kill(process, 0) != 0 && errno == ESRCH)
      std::filesystem::remove_all(entry.path(), error);
  }
}

/// One for the process, for its owner only; gone with it. Throws Fault.
std::filesystem::path const& volatile_directory() {
  struct Directory {
    Directory() {
      remove_those_of_the_dead(memory_place());
      auto name = (memory_place() / (std::string(volatile_prefix) + std::to_string(::getpid()) + "-XXXXXX")).string();
      if (::mkdtemp(name.data()) == nullptr)
        throw Fault("cannot make a directory in " + memory_place().string() + " for the database in memory");
      path = name;
    }
    ~Directory() {
      std::error_code error;
      std::filesystem::remove_all(path, error);
    }
    std::filesystem::path path;
  };
  static Directory const directory;
  return directory.path;
}

}  // namespace

bool uses_postgres(Config const& config) { return !database_url(config).empty(); }

std::filesystem::path data_directory(Config const& config) { return config.text("data"); }

std::string_view public_scheme(Config const& config) { return config.is_set("tls.certificate") ? "https" : "http"; }

std::string local_url(std::string host, std::string_view port, std::string_view scheme) {
  // A client cannot call the address that stands for all of them.
  if (host == "0.0.0.0")
    host = "127.0.0.1";
  if (host == "::")
    host = "::1";
  if (host.contains(':') && !host.starts_with('['))
    host = "[" + host + "]";
  return std::string(scheme) + "://" + host + ":" + std::string(port);
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

Result<std::optional<redis::Options>> redis_options(Config const& config) {
  auto const url = redis_url(config);
  if (url.empty() || !uses_postgres(config))
    return std::nullopt;
  auto options = redis::parse_url(url);
  if (!options)
    return fail(Code::invalid, "REDIS_URL: " + options.error().message);
  return std::move(*options);
}

storage::MigrationTarget sqlite_target(Config const& config) {
  return {.sqlite_path = std::filesystem::absolute(data_directory(config) / "agent-lightning.db").string()};
}

storage::MigrationTarget migration_target(Config const& config) {
  if (!config.boolean("use_database"))
    return {.sqlite_path = (volatile_directory() / "agent-lightning.db").string()};
  if (!uses_postgres(config))
    return sqlite_target(config);
  auto const& own = config.text("database.migrate_url");
  return {.postgres_url = own.empty() ? database_url(config) : own,
          .connect_timeout = std::chrono::seconds(config.integer("database.connect_timeout"))};
}

Result<void> demand_migrated(storage::MigrationTarget const& target) {
  for (auto const& state : storage::migration_status(target)) {
    if (!state.known)
      return fail(Code::conflict, "a newer version of agent-lightning has migrated this database; use that one");
    if (!state.applied)
      return fail(Code::conflict, "the database is not migrated; run 'agent-lightning migrate up' first");
  }
  return {};
}

std::unique_ptr<storage::Database> open_database(Config const& config, Clock const& clock) {
  if (uses_postgres(config))
    return storage::open_postgres(postgres_options(config));
  return storage::open_sqlite({.path = migration_target(config).sqlite_path, .readers = sqlite_readers}, clock);
}

void migrate(Config const& config) { storage::migrate_up(migration_target(config)); }

}  // namespace al::app
