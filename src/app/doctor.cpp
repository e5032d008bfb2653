#include "app/doctor.hpp"

#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <iterator>

#include "app/answer.hpp"
#include "app/api_client.hpp"
#include "app/doctor_models.hpp"
#include "app/installation.hpp"
#include "app/roles.hpp"
#include "app/with_database.hpp"
#include "security/token_file.hpp"

namespace al::app {
namespace {

using enum Finding::Level;

constexpr std::chrono::seconds database_timeout{5};
constexpr std::chrono::seconds probe_timeout{2};

Finding check_config(Config const& config) {
  auto const changed = std::ranges::count_if(config.all(), [](auto const& value) { return value.origin != "default"; });
  return {ok, "config", std::to_string(changed) + " settings differ from their defaults; see `agent-lightning config`"};
}

// ---- data directory ----

/// Where a lock or a file that was synced may not be what it seems.
std::string_view doubtful_file_system(std::filesystem::path const& directory) {
  struct statfs info{};
  if (::statfs(directory.c_str(), &info) != 0)
    return {};
  switch (static_cast<unsigned long>(info.f_type)) {
    case NFS_SUPER_MAGIC:
    case SMB_SUPER_MAGIC:
    case SMB2_SUPER_MAGIC:
      return "a network file system, where file locks do not hold";
    case TMPFS_MAGIC:
    case RAMFS_MAGIC:
      return "memory, whose content is gone after a restart of the machine";
    default:
      return {};
  }
}

Finding unreadable(std::string_view subject, std::string const& name, int code) {
  return {error, std::string(subject),
          "this user may not look at " + name + ": " + std::generic_category().message(code),
          "run as the user who owns it"};
}

/// The first start makes it, where it may.
Finding absent_directory(std::filesystem::path const& directory) {
  auto parent = std::filesystem::absolute(directory).parent_path();
  std::error_code ignored;
  while (parent.has_relative_path() && !std::filesystem::exists(parent, ignored))
    parent = parent.parent_path();
  if (::access(parent.c_str(), W_OK | X_OK) != 0) {
    return {error, "data directory",
            directory.string() + " cannot be made: this user may not write to " + parent.string(),
            "set AGENT_LIGHTNING_DATA to another place"};
  }
  return {warning, "data directory", directory.string() + " is not there yet",
          "the first `agent-lightning serve` makes it"};
}

Finding check_data_directory(Config const& config) {
  constexpr std::string_view subject = "data directory";
  auto const directory = data_directory(config);
  auto const name = directory.string();
  struct stat info{};
  if (::stat(directory.c_str(), &info) != 0)
    return errno == ENOENT ? absent_directory(directory) : unreadable(subject, name, errno);
  if (!S_ISDIR(info.st_mode)) {
    return {error, std::string(subject), name + " is no directory", "set AGENT_LIGHTNING_DATA to another place"};
  }
  if (::access(directory.c_str(), R_OK | W_OK | X_OK) != 0) {
    return {error, std::string(subject), "this user may not write to " + name,
            "run as the user who owns it, or set AGENT_LIGHTNING_DATA to another place"};
  }
  if ((info.st_mode & 077) != 0) {
    return {warning, std::string(subject), "other users may enter " + name, "chmod 700 " + name};
  }
  if (auto const doubt = doubtful_file_system(directory); !doubt.empty() && !uses_postgres(config)) {
    return {warning, std::string(subject), name + " lies on " + std::string(doubt),
            "set AGENT_LIGHTNING_DATA to a directory on a local disk"};
  }
  return {ok, std::string(subject), name};
}

// ---- database ----

Finding check_migrations(std::vector<storage::MigrationState> const& states) {
  auto const missing = std::ranges::count_if(states, [](auto const& state) { return !state.applied; });
  bool const is_newer = std::ranges::any_of(states, [](auto const& state) { return !state.known; });
  if (is_newer) {
    return {warning, "migrations", "a newer version of this program has migrated the database",
            "update this program, or go back with the newer one: agent-lightning migrate down"};
  }
  if (missing > 0) {
    return {warning, "migrations", std::to_string(missing) + " are not applied yet",
            "`agent-lightning serve` applies them, or run: agent-lightning migrate up"};
  }
  return {ok, "migrations", "all " + std::to_string(states.size()) + " applied"};
}

storage::Statement const postgres_settings{
    "doctor.settings",
    "SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'synchronous_commit', 'full_page_writes')"};
storage::Statement const sqlite_settings{"doctor.settings",
                                         "SELECT 'journal_mode', journal_mode FROM pragma_journal_mode"};

/// Settings that would let an acknowledged write get lost. On SQLite `synchronous` is no property of the file: whoever
/// writes sets it, so there is none to look at.
Finding check_durability(Config const& config) {
  bool const is_postgres = uses_postgres(config);
  auto const rows = with_database(config, [&](storage::Database& database) {
    return database.read(storage::Scope::system(), is_postgres ? postgres_settings : sqlite_settings, {},
                         Deadline::after(database_timeout));
  });
  std::string bad;
  std::string all;
  for (auto const& row : rows) {
    auto const name = std::get<std::string>(row.at(0));
    auto const value = std::get<std::string>(row.at(1));
    bool const is_fit = is_postgres ? value != "off" : value == "wal";
    all.append(all.empty() ? "" : ", ").append(name).append(" = ").append(value);
    if (!is_fit)
      bad.append(bad.empty() ? "" : ", ").append(name).append(" = ").append(value);
  }
  if (bad.empty())
    return {ok, "durability", all};
  return {error, "durability", "acknowledged writes can get lost: " + bad,
          is_postgres ? "turn these on in postgresql.conf and reload it" : "put the data on a local disk"};
}

/// Who has the directory. Changes nothing: without its file nobody has ever served it.
struct Ownership {
  std::optional<storage::DirectoryLock> lock;  ///< ours, while we look: then no server has it, and none starts
  bool is_served = false;                      ///< by another process, as far as that can be known
};

Ownership look_who_owns(Config const& config) {
  std::error_code ignored;
  if (uses_postgres(config))
    return {.lock = std::nullopt, .is_served = true};
  if (!std::filesystem::exists(data_directory(config) / "lock", ignored))
    return {};
  try {
    if (auto lock = lock_data_directory(config))
      return {.lock = std::move(*lock)};
    return {.lock = std::nullopt, .is_served = true};
  } catch (Fault const&) {  // NOLINT(bugprone-empty-catch): what is wrong with the directory is a finding of its own
  }
  return {};
}

/// Whether the content may be looked at. A file that a server has is not opened for writing beside it.
bool may_open(Config const& config, Ownership const& owner) { return uses_postgres(config) || owner.lock; }

/// Adds the findings about the database; whether it is migrated and may be opened.
bool check_database(Config const& config, Ownership const& owner, std::vector<Finding>& findings) {
  auto const kind = uses_postgres(config) ? "PostgreSQL" : "SQLite";
  auto const target = migration_target(config);
  std::error_code why;
  if (!uses_postgres(config) && !std::filesystem::exists(target.sqlite_path, why)) {
    findings.push_back(why ? unreadable("database", target.sqlite_path, why.value())
                           : Finding{warning, "database", "SQLite; there is no file yet",
                                     "the first `agent-lightning serve` makes it"});
    return false;
  }
  try {
    auto const states = storage::migration_status(target);
    findings.push_back({ok, "database", std::string(kind) + " answers"});
    findings.push_back(check_migrations(states));
    if (may_open(config, owner))
      findings.push_back(check_durability(config));
    return may_open(config, owner) && findings.back().level != error &&
           std::ranges::all_of(states, &storage::MigrationState::applied);
  } catch (std::exception const& fault) {
    findings.push_back({error, "database", std::string(kind) + " cannot be used: " + fault.what(),
                        uses_postgres(config) ? "start it, or mend DATABASE_URL (`agent-lightning config` shows it)"
                                              : "restore agent-lightning.db from a backup, or mend its permissions"});
  }
  return false;
}

// ---- ports ----

/// What answers there, when it is one of us: "gateway 0.1.0".
std::string who_answers(std::string const& url) {
  ApiClient client(url, {});
  auto const health = client.get("/health", probe_timeout);
  if (!health)
    return {};
  auto const& body = *health->body.root().parsed;
  auto const service = text_of(body, "service");
  return service.empty() ? service : service + " " + text_of(body, "version");
}

bool can_bind(std::string const& host, std::uint16_t port, std::string& reason) {
  using asio::ip::tcp;
  asio::io_context context;
  boost::system::error_code error;
  auto const found = tcp::resolver(context).resolve(host, std::to_string(port), tcp::resolver::passive, error);
  if (!error) {
    tcp::acceptor acceptor(context);
    auto const endpoint = found.begin()->endpoint();
    acceptor.open(endpoint.protocol(), error);
    if (!error)
      acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error)
      acceptor.bind(endpoint, error);
  }
  if (error)
    reason = error.message();
  return !error;
}

Finding check_port(Config const& config, RoleFacts const& facts, bool is_served) {
  auto const subject = "port of " + std::string(facts.name);
  auto const& host = config.text("host");
  auto const port = static_cast<std::uint16_t>(config.integer(facts.port_setting));
  auto const shown = std::to_string(port);
  std::string reason;
  if (port == 0)
    return {ok, subject, "a free one"};
  if (can_bind(host, port, reason))
    return {ok, subject, shown + " is free"};
  bool const is_public = facts.role == Role::gateway || facts.role == Role::dashboard;
  auto const ours = who_answers(local_url(host, shown, is_public ? public_scheme(config) : "http"));
  if (!ours.empty() && is_served)
    return {ok, subject, shown + " is served by " + ours};
  if (!ours.empty())
    reason = ours + " of another data directory has it";
  auto const setting = std::ranges::find(settings(), facts.port_setting, &Setting::name);
  return {error, subject, shown + " on " + host + " cannot be had: " + reason,
          "stop the program that uses it, or set " + std::string(setting->variable) + " (or AGENT_LIGHTNING_HOST)"};
}

// ---- token, server ----

bool has_database(Config const& config) {
  std::error_code ignored;
  return uses_postgres(config) || std::filesystem::exists(migration_target(config).sqlite_path, ignored);
}

Finding check_token(Config const& config) {
  if (auto const& given = config.text("token"); !given.empty()) {
    auto const fit = security::check_token(given);
    if (!fit)
      return {error, "token", "AGENT_LIGHTNING_TOKEN: " + fit.error().message, "set it to a longer secret"};
    return {ok, "token", "from AGENT_LIGHTNING_TOKEN"};
  }
  auto const file = security::token_file(data_directory(config));
  auto const held = security::read_token_file(file);
  if (!held) {
    if (held.error().code != Code::not_found)
      return {error, "token", held.error().message, "run as the user who owns it, or set AGENT_LIGHTNING_TOKEN"};
    return {warning, "token", held.error().message,
            has_database(config) ? "set AGENT_LIGHTNING_TOKEN to a token of this database; without one see 'A lost "
                                   "token' in docs/SECURITY.md"
                                 : "the first `agent-lightning serve` writes it; for a server elsewhere set "
                                   "AGENT_LIGHTNING_TOKEN"};
  }
  struct stat info{};
  if (::stat(file.c_str(), &info) == 0 && (info.st_mode & 077) != 0) {
    return {warning, "token", "other users may read " + file.string(), "chmod 600 " + file.string()};
  }
  return {ok, "token", file.string()};
}

Finding check_server(Config const& config) {
  auto const url = server_url(config);
  auto const who = who_answers(url);
  if (who.empty()) {
    return {warning, "server", "none answers at " + url, "agent-lightning serve, or set AGENT_LIGHTNING_URL"};
  }
  ApiClient client(config);
  auto const agents = client.get("/agents?limit=1", probe_timeout);
  if (!agents)
    return {error, "server", who + " at " + url + ": " + agents.error().message,
            "set AGENT_LIGHTNING_TOKEN to a token of that server"};
  return {ok, "server", who + " at " + url + " takes the token"};
}

}  // namespace

std::vector<Finding> examine(Config const& config) {
  std::vector<Finding> findings{check_config(config), check_data_directory(config)};
  auto const owner = look_who_owns(config);
  bool const is_open = check_database(config, owner, findings);
  for (auto const& facts : all_roles()) {
    if (!facts.port_setting.empty())
      findings.push_back(check_port(config, facts, owner.is_served));
  }
  findings.push_back(check_token(config));
  findings.push_back(check_server(config));
  findings.push_back(check_master_key(config, is_open));
  std::ranges::move(check_providers(config), std::back_inserter(findings));
  return findings;
}

}  // namespace al::app
