#include <libpq-fe.h>
#include <poll.h>

#include <array>
#include <charconv>
#include <chrono>
#include <optional>
#include <utility>

#include "core/fault.hpp"
#include "core/log.hpp"
#include "storage/migration_session.hpp"

namespace al::storage {
namespace {

/// Any number will do, as long as no one else in the same database uses it: "agentlig" read as bytes.
constexpr char const* take_lock = "SELECT pg_try_advisory_lock(7018131323462346087)";
constexpr char const* find_lock_owner =
    "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    " AND classid = (7018131323462346087 >> 32)::oid AND objid = (7018131323462346087 & 4294967295)::oid";
constexpr std::chrono::milliseconds lock_pause{100};
constexpr char const* find_schema = "SELECT 1 FROM pg_namespace WHERE nspname = 'agent_lightning'";
constexpr char const* find_ledger = "SELECT to_regclass('agent_lightning.schema_migrations') IS NOT NULL";
constexpr char const* create_ledger =
    "CREATE TABLE IF NOT EXISTS schema_migrations (number integer PRIMARY KEY, name text NOT NULL,"
    " applied_at timestamptz NOT NULL DEFAULT clock_timestamp(), checksum text NOT NULL)";
constexpr char const* read_ledger =
    "SELECT number, name, checksum FROM agent_lightning.schema_migrations ORDER BY number";
constexpr char const* note = "INSERT INTO schema_migrations (number, name, checksum) VALUES ($1, $2, $3)";
constexpr char const* forget = "DELETE FROM schema_migrations WHERE number = $1";

/// A migration that cannot get its locks gives up, so that it does not stand in front of the traffic behind it.
constexpr char const* begin = "BEGIN; SET LOCAL lock_timeout = '10s'; SELECT set_config('app.system', 'on', true)";

/// Row-level security does not bind such a login, so the driver switches to al_app.
constexpr char const* find_bypass = "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user";
constexpr char const* find_app_rights =
    "SELECT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'al_app')"
    " AND COALESCE((SELECT has_schema_privilege(oid, 'agent_lightning', 'USAGE')"
    " FROM pg_roles WHERE rolname = 'al_app'), false)";
/// Roles belong to the whole server: another database may make it at the same moment.
constexpr char const* create_app = R"(DO $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'al_app') THEN
    CREATE ROLE al_app NOLOGIN NOSUPERUSER NOBYPASSRLS;
  END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
  NULL;
END $$;
DO $$
BEGIN
  IF NOT pg_has_role(current_user, 'al_app', 'MEMBER') THEN
    EXECUTE format('GRANT al_app TO %I', current_user);
  END IF;
END $$;)";
constexpr char const* grant_app = R"(
GRANT USAGE ON SCHEMA agent_lightning TO al_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA agent_lightning TO al_app;
GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA agent_lightning TO al_app;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA agent_lightning TO al_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA agent_lightning GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO al_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA agent_lightning GRANT USAGE, SELECT, UPDATE ON SEQUENCES TO al_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA agent_lightning GRANT EXECUTE ON FUNCTIONS TO al_app;
REVOKE INSERT, UPDATE, DELETE ON schema_migrations FROM al_app;)";

struct Closer {
  void operator()(PGconn* connection) const { PQfinish(connection); }
  void operator()(PGresult* result) const { PQclear(result); }
};

std::string without_line_end(char const* text) {
  std::string message = text == nullptr ? "" : text;
  message.erase(message.find_last_not_of(" \r\n") + 1);
  return message;
}

int to_number(std::string const& text) {
  int number = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{})
    throw Fault("schema_migrations: \"" + text + "\" is no number");
  return number;
}

/// A blocking connection; migrations do not go through the pool, nor through PgBouncer.
class Session {
 public:
  explicit Session(MigrationTarget const& target) {
    auto const patience = std::to_string(target.connect_timeout.count());
    // What stands behind the URL wins over it, as in the pool. Keepalives end the wait for a machine that is gone.
    std::array<char const*, 8> const names{
        "dbname",          "fallback_application_name", "client_encoding",  "connect_timeout",
        "keepalives_idle", "keepalives_interval",       "keepalives_count", nullptr};
    std::array<char const*, 8> const values{
        target.postgres_url.c_str(), "agent_lightning", "UTF8", patience.c_str(), "30", "10", "3", nullptr};
    connection_.reset(PQconnectdbParams(names.data(), values.data(), 1));
    if (PQstatus(connection_.get()) != CONNECTION_OK)
      throw_fault("cannot connect to PostgreSQL");
    auto log_notice = [](void*, char const* text) { log::debug("PostgreSQL", {{"notice", without_line_end(text)}}); };
    PQsetNoticeProcessor(connection_.get(), log_notice, nullptr);
    // A limit that is set for the role would end a migration of a large table, or the wait for another runner.
    execute("SET statement_timeout = 0; SET lock_timeout = 0");
  }

  /// Runs a script without parameters.
  void execute(std::string const& script) {
    check(std::unique_ptr<PGresult, Closer>(PQexec(connection_.get(), script.c_str())));
  }

  std::vector<std::vector<std::string>> query(char const* sql, std::vector<std::string> const& params = {}) {
    std::vector<char const*> values;
    for (auto const& param : params)
      values.push_back(param.c_str());
    auto const result = check(std::unique_ptr<PGresult, Closer>(PQexecParams(
        connection_.get(), sql, static_cast<int>(values.size()), nullptr, values.data(), nullptr, nullptr, 0)));
    std::vector<std::vector<std::string>> rows;
    for (int row = 0; row < PQntuples(result.get()); ++row) {
      auto& cells = rows.emplace_back();
      for (int column = 0; column < PQnfields(result.get()); ++column) {
        cells.emplace_back(PQgetvalue(result.get(), row, column));
      }
    }
    return rows;
  }

  bool yes(char const* sql) {
    auto const rows = query(sql);
    return !rows.empty() && rows.front().front() == "t";
  }

  /// Waits that long, or until the server says something: at a shutdown it does.
  void pause(std::chrono::milliseconds length) const {
    pollfd watched{.fd = PQsocket(connection_.get()), .events = POLLIN, .revents = 0};
    ::poll(&watched, 1, static_cast<int>(length.count()));
  }

  /// False also when the connection is gone.
  [[nodiscard]] bool in_transaction() const {
    auto const status = PQtransactionStatus(connection_.get());
    return status == PQTRANS_INTRANS || status == PQTRANS_INERROR;
  }

 private:
  std::unique_ptr<PGresult, Closer> check(std::unique_ptr<PGresult, Closer> result) {
    auto const status = PQresultStatus(result.get());
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK || status == PGRES_EMPTY_QUERY)
      return result;
    throw_fault("PostgreSQL");
  }

  [[noreturn]] void throw_fault(std::string const& what) const {
    throw Fault(what + ": " + without_line_end(PQerrorMessage(connection_.get())));
  }

  std::unique_ptr<PGconn, Closer> connection_;
};

std::vector<AppliedMigration> applied_in(Session& session) {
  std::vector<AppliedMigration> applied;
  for (auto& row : session.query(read_ledger)) {
    applied.push_back({.number = to_number(row.at(0)), .name = std::move(row.at(1)), .checksum = std::move(row.at(2))});
  }
  return applied;
}

/// The advisory lock ends with the connection, so a runner that dies leaves the way free.
class PostgresMigrations final : public MigrationSession {
 public:
  explicit PostgresMigrations(MigrationTarget const& target) : session_(target) {
    wait_for_lock(target.lock_timeout);
    // Asked first: IF NOT EXISTS demands the right to create schemas even when there is nothing to create.
    if (session_.query(find_schema).empty())
      session_.execute("CREATE SCHEMA agent_lightning");
    session_.execute("SET search_path = agent_lightning, public");
    if (!session_.yes(find_ledger))
      session_.execute(create_ledger);
  }

  std::vector<AppliedMigration> applied() override { return applied_in(session_); }

  void apply(Migration const& migration) override {
    step(migration, migration.up, note, {std::to_string(migration.number), migration.name, migration.checksum});
  }

  void take_back(Migration const& migration) override {
    step(migration, migration.down, forget, {std::to_string(migration.number)});
  }

  void finish() override {
    if (!session_.yes(find_bypass) || (!changed_ && session_.yes(find_app_rights)))
      return;
    session_.execute(create_app);
    session_.execute(grant_app);
  }

 private:
  // Asking again and again, since a query that waits inside the server is a transaction, which would stand in the way
  // of what the other runner does (an index that is built concurrently waits for every older transaction).
  void wait_for_lock(std::chrono::seconds patience) {
    auto const begun = std::chrono::steady_clock::now();
    for (bool is_told = false; !session_.yes(take_lock); session_.pause(lock_pause)) {
      bool const is_over = std::chrono::steady_clock::now() - begun >= patience;
      if (is_told && !is_over)
        continue;
      auto const owners = session_.query(find_lock_owner);
      auto const owner = owners.empty() ? std::string("unknown") : owners.front().at(0);
      if (is_over) {
        throw Fault("another process migrates this database and has not ended for " + std::to_string(patience.count()) +
                    " seconds; it is PostgreSQL's process " + owner + " (see pg_stat_activity)");
      }
      log::warning("waiting for another process that migrates this database", {{"postgres_process", owner}});
      is_told = true;
    }
  }

  void step(Migration const& migration, std::string const& script, char const* ledger,
            std::vector<std::string> const& params) {
    session_.execute(begin);
    try {
      session_.execute(script);
      if (!session_.in_transaction())
        throw Fault("it must not end the transaction");
      session_.query(ledger, params);
      session_.execute("COMMIT");
    } catch (Fault const& fault) {
      if (session_.in_transaction())
        session_.execute("ROLLBACK");
      throw Fault(label(migration.number, migration.name) + ": " + fault.what());
    }
    changed_ = true;
  }

  Session session_;
  bool changed_ = false;
};

}  // namespace

std::unique_ptr<MigrationSession> open_postgres_migrations(MigrationTarget const& target) {
  return std::make_unique<PostgresMigrations>(target);
}

std::vector<AppliedMigration> applied_on_postgres(MigrationTarget const& target) {
  Session session(target);
  return session.yes(find_ledger) ? applied_in(session) : std::vector<AppliedMigration>{};
}

}  // namespace al::storage
