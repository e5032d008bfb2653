#include <sqlite3.h>

#include "core/fault.hpp"
#include "core/log.hpp"
#include "core/time.hpp"
#include "storage/sqlite_connection.hpp"
#include "storage/transfer_session.hpp"

namespace al::storage {
namespace {

/// A server that checkpoints holds a lock for moments only.
constexpr int busy_timeout_ms = 5'000;

struct Closer {
  void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};

Value read_column(sqlite3_stmt* statement, int column) {
  switch (sqlite3_column_type(statement, column)) {
    case SQLITE_INTEGER:
      return std::int64_t{sqlite3_column_int64(statement, column)};
    case SQLITE_FLOAT:
      return sqlite3_column_double(statement, column);
    case SQLITE_NULL:
      return {};
    default: {
      auto const* bytes = static_cast<char const*>(sqlite3_column_blob(statement, column));
      auto const size = static_cast<std::size_t>(sqlite3_column_bytes(statement, column));
      return bytes == nullptr ? std::string{} : std::string(bytes, size);
    }
  }
}

void bind(sqlite3_stmt* statement, int index, Value const& value) {
  if (auto const* number = std::get_if<std::int64_t>(&value)) {
    sqlite3_bind_int64(statement, index, *number);
  } else {
    auto const& text = std::get<std::string>(value);
    sqlite3_bind_text64(statement, index, text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8);
  }
}

/// A handle of its own: the driver's connection answers all rows of a statement at once, which is what must not happen
/// here.
class SqliteSnapshot final : public SnapshotSession {
 public:
  explicit SqliteSnapshot(std::string const& path) {
    sqlite3* db = nullptr;
    int const code = sqlite3_open_v2(
        path.c_str(), &db,
        SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE, nullptr);
    db_.reset(db);
    if (code != SQLITE_OK)
      throw Unavailable("cannot open the database " + path + ": " + sqlite3_errstr(code));
    sqlite3_busy_timeout(db, busy_timeout_ms);
    execute("PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY; BEGIN");
    // A deferred transaction has no snapshot before its first read.
    execute("SELECT COUNT(*) FROM sqlite_schema");
  }

  [[nodiscard]] Dialect dialect() const override { return Dialect::sqlite; }

  void for_each(Scope const& /*scope*/, Statement const& select, Values const& params,
                std::function<void(Row const&)> const& use) override {
    auto const& sql = select.for_dialect(Dialect::sqlite);
    sqlite3_stmt* handle = nullptr;
    int code = sqlite3_prepare_v2(db_.get(), sql.data(), static_cast<int>(sql.size()), &handle, nullptr);
    std::unique_ptr<sqlite3_stmt, Closer> const statement(handle);
    if (code != SQLITE_OK)
      throw_fault(select.name);
    for (std::size_t i = 0; i < params.size(); ++i)
      bind(handle, static_cast<int>(i) + 1, params[i]);
    Row row(static_cast<std::size_t>(sqlite3_column_count(handle)));
    while ((code = sqlite3_step(handle)) == SQLITE_ROW) {
      for (std::size_t column = 0; column < row.size(); ++column)
        row[column] = read_column(handle, static_cast<int>(column));
      use(row);
    }
    if (code != SQLITE_DONE)
      throw_fault(select.name);
  }

 private:
  void execute(char const* script) {
    if (sqlite3_exec(db_.get(), script, nullptr, nullptr, nullptr) != SQLITE_OK)
      throw_fault("the snapshot");
  }

  [[noreturn]] void throw_fault(std::string_view what) const {
    throw Fault(std::string(what) + ": " + sqlite3_errmsg(db_.get()));
  }

  std::unique_ptr<sqlite3, Closer> db_;
};

SystemClock const& system_clock() {
  static SystemClock const clock;
  return clock;
}

class SqliteLoad final : public LoadSession {
 public:
  explicit SqliteLoad(std::string const& path) : connection_(path, sqlite::Access::writer, system_clock()) {
    connection_.command("BEGIN IMMEDIATE");
  }

  [[nodiscard]] Dialect dialect() const override { return Dialect::sqlite; }

  Rows run(Scope const& /*scope*/, Statement const& statement) override {
    auto ran = connection_.run(statement.name, statement.for_dialect(Dialect::sqlite), {});
    if (!ran)
      throw Fault(std::string(statement.name) + ": " + ran.error().message);
    return std::move(ran->rows);
  }

  Result<void> add(Scope const& /*scope*/, RowStatement const& statement, std::vector<Values> const& rows) override {
    for (auto const& row : rows) {
      for (auto const& step : statement.sqlite) {
        if (auto ran = connection_.run(step.name, step.text, row); !ran)
          return fail(std::move(ran.error()));
      }
    }
    return {};
  }

  void commit() override {
    connection_.command("COMMIT");
    try {
      connection_.checkpoint();  // the log holds the whole load, and a server would begin with it
    } catch (Fault const& fault) {
      // All is in and stays; with a full disk there is no room for it twice.
      log::warning("the database's log could not be emptied yet", {{"error", std::string_view(fault.what())}});
    }
  }

  void commit_and_continue() override {
    commit();
    connection_.command("BEGIN IMMEDIATE");
  }

 private:
  sqlite::Connection connection_;
};

}  // namespace

std::unique_ptr<SnapshotSession> open_sqlite_snapshot(MigrationTarget const& target) {
  return std::make_unique<SqliteSnapshot>(target.sqlite_path);
}

std::unique_ptr<LoadSession> open_sqlite_load(MigrationTarget const& target) {
  return std::make_unique<SqliteLoad>(target.sqlite_path);
}

}  // namespace al::storage
