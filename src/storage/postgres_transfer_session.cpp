#include <libpq-fe.h>

#include <array>
#include <optional>

#include "core/fault.hpp"
#include "core/log.hpp"
#include "storage/postgres_sql.hpp"
#include "storage/postgres_value.hpp"
#include "storage/transfer_session.hpp"

namespace al::storage {
namespace {

using postgres::Parameter;
using postgres::Parameters;

constexpr char const* find_bypass =
    "SELECT rolsuper OR rolbypassrls FROM pg_catalog.pg_roles WHERE rolname = current_user";
/// A limit that is set for the role is meant for requests; this transaction lasts as long as the data are large, and
/// waits while the other end of a pipe does. Whoever holds a table must let go of it, or the user looks at nothing.
constexpr char const* no_limits =
    "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL lock_timeout = "
    "'10s'";

struct Closer {
  void operator()(PGconn* connection) const { PQfinish(connection); }
  void operator()(PGresult* result) const { PQclear(result); }
};
using ResultPointer = std::unique_ptr<PGresult, Closer>;

std::string without_line_end(char const* text) {
  std::string message = text == nullptr ? "" : text;
  message.erase(message.find_last_not_of(" \r\n") + 1);
  return message;
}

/// One connection with one transaction at a time, whose settings are those of the pool's transactions: the schema, the
/// formats, the tenant for row-level security, and al_app when the login would bypass it.
class Transaction {
 public:
  Transaction(MigrationTarget const& target, std::string const& how) {
    auto const patience = std::to_string(target.connect_timeout.count());
    std::array<char const*, 8> const names{
        "dbname",          "fallback_application_name", "client_encoding",  "connect_timeout",
        "keepalives_idle", "keepalives_interval",       "keepalives_count", nullptr};
    std::array<char const*, 8> const values{
        target.postgres_url.c_str(), "agent_lightning", "UTF8", patience.c_str(), "30", "10", "3", nullptr};
    connection_.reset(PQconnectdbParams(names.data(), values.data(), 1));
    if (PQstatus(connection_.get()) != CONNECTION_OK)
      throw Unavailable("cannot connect to PostgreSQL: " + error_text());
    auto log_notice = [](void*, char const* text) { log::debug("PostgreSQL", {{"notice", without_line_end(text)}}); };
    PQsetNoticeProcessor(connection_.get(), log_notice, nullptr);
    auto const bypasses = run("role", find_bypass, {});
    settings_ = postgres::settings_sql({.as_al_app = std::get<bool>(bypasses.at(0).at(0)), .names_options = true});
    begin(how);
  }

  void begin(std::string const& how) {
    script(how);
    script(no_limits);
    run("settings", settings_, {"", "on", "0"});
    scope_.reset();
  }

  void enter(Scope const& scope) {
    if (scope_ && *scope_ == scope)
      return;
    run("tenant", std::string(postgres::tenant_sql), {scope.tenant().value, scope.is_system() ? "on" : ""});
    scope_ = scope;
  }

  void script(std::string const& text) {
    ResultPointer const result(PQexec(connection_.get(), text.c_str()));
    demand(text, result.get());
  }

  Rows run(std::string_view name, std::string const& sql, Parameters const& parameters) {
    auto const result = execute(sql, parameters);
    demand(name, result.get());
    Rows rows;
    for (int row = 0; row < PQntuples(result.get()); ++row)
      read_row(result.get(), row, rows.emplace_back());
    return rows;
  }

  ResultPointer execute(std::string const& sql, Parameters const& parameters) {
    auto const values = pointers(parameters);
    return ResultPointer(PQexecParams(connection_.get(), sql.c_str(), static_cast<int>(values.size()), nullptr,
                                      values.data(), nullptr, nullptr, 0));
  }

  void for_each(std::string_view name, std::string const& sql, Parameters const& parameters,
                std::function<void(Row const&)> const& use) {
    auto const values = pointers(parameters);
    if (PQsendQueryParams(connection_.get(), sql.c_str(), static_cast<int>(values.size()), nullptr, values.data(),
                          nullptr, nullptr, 0) != 1 ||
        PQsetSingleRowMode(connection_.get()) != 1)
      throw Unavailable("PostgreSQL: " + error_text());
    Row row;
    while (ResultPointer const result{PQgetResult(connection_.get())}) {
      demand(name, result.get());
      for (int i = 0; i < PQntuples(result.get()); ++i) {
        read_row(result.get(), i, row);
        use(row);
      }
    }
  }

  /// Throws unless the server did it.
  void demand(std::string_view name, PGresult const* result) const {
    auto const status = PQresultStatus(result);
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK && status != PGRES_SINGLE_TUPLE)
      throw Fault("PostgreSQL, " + std::string(name) + ": " + error_text());
  }

 private:
  static std::vector<char const*> pointers(Parameters const& parameters) {
    std::vector<char const*> out;
    for (auto const& parameter : parameters)
      out.push_back(parameter ? parameter->c_str() : nullptr);
    return out;
  }

  static void read_row(PGresult const* result, int row, Row& out) {
    out.clear();
    for (int column = 0; column < PQnfields(result); ++column) {
      if (PQgetisnull(result, row, column) == 1) {
        out.emplace_back();
        continue;
      }
      std::string_view const text(PQgetvalue(result, row, column),
                                  static_cast<std::size_t>(PQgetlength(result, row, column)));
      out.push_back(postgres::decode(PQftype(result, column), text));
    }
  }

  [[nodiscard]] std::string error_text() const { return without_line_end(PQerrorMessage(connection_.get())); }

  std::unique_ptr<PGconn, Closer> connection_;
  std::string settings_;
  std::optional<Scope> scope_;
};

class PostgresSnapshot final : public SnapshotSession {
 public:
  explicit PostgresSnapshot(MigrationTarget const& target)
      : transaction_(target, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY") {}

  [[nodiscard]] Dialect dialect() const override { return Dialect::postgres; }

  void for_each(Scope const& scope, Statement const& select, Values const& params,
                std::function<void(Row const&)> const& use) override {
    transaction_.enter(scope);
    transaction_.for_each(select.name, select.for_dialect(Dialect::postgres), postgres::encode(params), use);
  }

 private:
  Transaction transaction_;
};

/// What the server refused, as the caller acts on it. Throws when it is nothing about the rows.
Error refusal(std::string_view name, PGresult const* result) {
  auto const text = [&](int field) {
    auto const* value = PQresultErrorField(result, field);
    return std::string(value == nullptr ? "" : value);
  };
  auto const kind = postgres::classify(text(PG_DIAG_SQLSTATE));
  auto const message = text(PG_DIAG_MESSAGE_PRIMARY);
  if (kind != postgres::FailureKind::conflict && kind != postgres::FailureKind::invalid)
    throw Fault("PostgreSQL, " + std::string(name) + ": " + message);
  auto error = postgres::error_of(kind, name);
  error.message = message;
  return error;
}

class PostgresLoad final : public LoadSession {
 public:
  explicit PostgresLoad(MigrationTarget const& target) : transaction_(target, "BEGIN") {}

  [[nodiscard]] Dialect dialect() const override { return Dialect::postgres; }

  Rows run(Scope const& scope, Statement const& statement) override {
    transaction_.enter(scope);
    return transaction_.run(statement.name, statement.for_dialect(Dialect::postgres), {});
  }

  Result<void> add(Scope const& scope, RowStatement const& statement, std::vector<Values> const& rows) override {
    if (rows.empty())
      return {};
    transaction_.enter(scope);
    std::vector<Parameters> encoded;
    std::vector<Parameters const*> pointers;
    encoded.reserve(rows.size());
    for (auto const& row : rows) {
      pointers.push_back(&encoded.emplace_back(postgres::encode(row)));
      if (postgres::holds_nul(encoded.back()))
        return fail(Code::invalid, "PostgreSQL cannot keep the character U+0000");
    }
    auto const result = transaction_.execute(statement.postgres, postgres::columns_of(pointers));
    if (PQresultStatus(result.get()) == PGRES_FATAL_ERROR)
      return fail(refusal(statement.name, result.get()));
    transaction_.demand(statement.name, result.get());
    return {};
  }

  void commit() override { transaction_.script("COMMIT"); }

  void commit_and_continue() override {
    commit();
    transaction_.begin("BEGIN");
  }

 private:
  Transaction transaction_;
};

}  // namespace

std::unique_ptr<SnapshotSession> open_postgres_snapshot(MigrationTarget const& target) {
  return std::make_unique<PostgresSnapshot>(target);
}

std::unique_ptr<LoadSession> open_postgres_load(MigrationTarget const& target) {
  return std::make_unique<PostgresLoad>(target);
}

}  // namespace al::storage
