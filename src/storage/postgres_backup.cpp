#include <libpq-fe.h>

#include <array>
#include <charconv>
#include <memory>
#include <string_view>
#include <vector>

#include "core/fault.hpp"
#include "storage/backup.hpp"

namespace al::storage {
namespace {

constexpr char const* connect_timeout_s = "5";

constexpr char const* find_superuser =
    "SELECT rolname FROM pg_catalog.pg_roles WHERE rolsuper AND rolcanlogin ORDER BY oid LIMIT 1";
constexpr char const* find_schema_version = "SELECT coalesce(max(number), 0) FROM agent_lightning.schema_migrations";
/// A partition's rows are counted with its table.
constexpr char const* find_tables =
    "SELECT relname FROM pg_catalog.pg_class WHERE relnamespace = 'agent_lightning'::regnamespace"
    " AND relkind IN ('r', 'p') AND NOT relispartition ORDER BY relname";

struct Closer {
  void operator()(PGconn* connection) const { PQfinish(connection); }
  void operator()(PGresult* result) const { PQclear(result); }
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
  void operator()(char* text) const { PQfreemem(text); }
};
using Connection = std::unique_ptr<PGconn, Closer>;

/// libpq's message may quote the URL, and with it the password, so it is not shown.
std::unique_ptr<PQconninfoOption, Closer> parse(std::string const& url) {
  char* message = nullptr;
  std::unique_ptr<PQconninfoOption, Closer> options(PQconninfoParse(url.c_str(), &message));
  std::unique_ptr<char, Closer> const owner(message);
  if (!options)
    throw Fault("the database URL is malformed");
  return options;
}

/// "" when the URL does not say.
std::string part_of(PQconninfoOption const* options, std::string_view keyword) {
  for (; options->keyword != nullptr; ++options) {
    if (keyword == options->keyword && options->val != nullptr)
      return options->val;
  }
  return {};
}

std::string error_text(PGconn* connection) {
  std::string message = PQerrorMessage(connection);
  message.erase(message.find_last_not_of(" \r\n") + 1);
  return message;
}

/// A server that does not take connections yet is another thing than one that refuses this one for good.
Connection connect(std::string const& directory, std::string const& database, std::string const& user) {
  std::array<char const*, 6> const names{"host", "dbname", "user", "connect_timeout", "sslmode", nullptr};
  std::array<char const*, 6> const values{directory.c_str(), database.c_str(), user.c_str(),
                                          connect_timeout_s, "disable",        nullptr};
  if (PQpingParams(names.data(), values.data(), 0) != PQPING_OK)
    throw Unavailable("the restored PostgreSQL does not answer yet");
  Connection connection(PQconnectdbParams(names.data(), values.data(), 0));
  if (PQstatus(connection.get()) != CONNECTION_OK)
    throw Fault("the restored PostgreSQL: " + error_text(connection.get()));
  return connection;
}

/// The first column.
std::vector<std::string> column(PGconn* connection, std::string const& sql) {
  std::unique_ptr<PGresult, Closer> const result(PQexec(connection, sql.c_str()));
  if (PQresultStatus(result.get()) != PGRES_TUPLES_OK)
    throw Fault("the restored PostgreSQL: " + error_text(connection));
  std::vector<std::string> out;
  for (int row = 0; row < PQntuples(result.get()); ++row)
    out.emplace_back(PQgetvalue(result.get(), row, 0));
  return out;
}

std::int64_t number(PGconn* connection, std::string const& sql) {
  auto const text = column(connection, sql).at(0);
  std::int64_t out = 0;
  std::from_chars(text.data(), text.data() + text.size(), out);
  return out;
}

}  // namespace

std::map<std::string, std::string> login_environment(std::string const& url) {
  auto const options = parse(url);
  std::map<std::string, std::string> out;
  for (auto const* option = options.get(); option->keyword != nullptr; ++option) {
    if (option->envvar != nullptr && option->val != nullptr)
      out[option->envvar] = option->val;
  }
  return out;
}

DatabaseFacts examine_postgres(std::string const& url, std::filesystem::path const& directory) {
  auto const options = parse(url);
  auto const user = part_of(options.get(), "user");
  auto const named = part_of(options.get(), "dbname");
  auto const database = named.empty() ? user : named;
  auto const superuser = column(connect(directory, database, user).get(), find_superuser).at(0);
  auto const connection = connect(directory, database, superuser);
  DatabaseFacts facts;
  facts.schema_version = static_cast<int>(number(connection.get(), find_schema_version));
  for (auto const& table : column(connection.get(), find_tables)) {
    std::unique_ptr<char, Closer> const name(PQescapeIdentifier(connection.get(), table.c_str(), table.size()));
    facts.rows[table] = number(connection.get(), "SELECT count(*) FROM agent_lightning." + std::string(name.get()));
  }
  return facts;
}

}  // namespace al::storage
