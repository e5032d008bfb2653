#include "storage/sqlite_connection.hpp"

#include <sqlite3.h>
#include <sys/stat.h>

#include <cassert>
#include <charconv>
#include <cmath>
#include <mutex>
#include <type_traits>

#include "core/failpoint.hpp"

namespace al::storage::sqlite {
namespace {

constexpr int busy_timeout_ms = 5'000;
/// A migration of a large table takes its time, and the process that comes second waits for it.
constexpr int migration_busy_timeout_ms = 600'000;
constexpr int busy_pause_ms = 5;
/// Statements are constants, so this is only a net under a caller that builds them.
constexpr std::size_t prepared_max = 1'024;
constexpr int writer_cache_kib = 8'192;
constexpr int reader_cache_kib = 2'048;
/// How often a running statement looks at its deadline, in steps of SQLite's virtual machine (some 20 microseconds).
constexpr int steps_per_deadline_check = 4'096;
/// What the log file shrinks to once it is empty; the file keeps the size of the busiest minute otherwise.
constexpr int log_bytes_kept = 16 * 1024 * 1024;

int primary(int code) { return code & 0xff; }

/// Memory statistics cost a global lock on every allocation of every thread.
void start_library() {
  static std::once_flag once;
  std::call_once(once, [] { sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); });
}

Error refusal(int code, std::string_view name) {
  Error error{.code = Code::invalid, .message = "a value breaks a rule of the database", .where = std::string(name)};
  switch (code) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID:
      error.code = Code::conflict;
      error.message = "it exists already";
      break;
    case SQLITE_CONSTRAINT_FOREIGNKEY:
      error.message = "something it refers to does not exist, or something refers to it";
      break;
    case SQLITE_CONSTRAINT_NOTNULL:
      error.message = "a required value is missing";
      break;
    default:
      break;
  }
  return error;
}

/// `$12` -> 12; 0 when it is anything else.
std::size_t parameter_position(char const* name) {
  std::string_view text = name == nullptr ? std::string_view{} : std::string_view{name};
  std::size_t position = 0;
  if (!text.starts_with('$'))
    return 0;
  auto [end, error] = std::from_chars(text.data() + 1, text.data() + text.size(), position);
  return error == std::errc{} && end == text.data() + text.size() ? position : 0;
}

bool blank(std::string_view text) { return text.find_first_not_of(" \t\r\n;") == std::string_view::npos; }

int bind_one(sqlite3_stmt* statement, int index, Value const& value) {
  return std::visit(
      [&]<class T>(T const& v) {
        if constexpr (std::is_same_v<T, std::monostate>)
          return sqlite3_bind_null(statement, index);
        if constexpr (std::is_same_v<T, bool>)
          return sqlite3_bind_int(statement, index, v ? 1 : 0);
        if constexpr (std::is_same_v<T, std::int64_t>)
          return sqlite3_bind_int64(statement, index, v);
        if constexpr (std::is_same_v<T, double>)
          return sqlite3_bind_double(statement, index, v);
        if constexpr (std::is_same_v<T, std::string>) {
          return sqlite3_bind_text64(statement, index, v.data(), v.size(), SQLITE_STATIC, SQLITE_UTF8);
        }
        if constexpr (std::is_same_v<T, Timestamp>) {
          return sqlite3_bind_int64(statement, index, v.time_since_epoch().count());
        }
      },
      value);
}

}  // namespace

bool SqlFault::lost_writes() const { return code_ == SQLITE_IOERR_FSYNC || code_ == SQLITE_IOERR_DIR_FSYNC; }

bool SqlFault::damaged() const { return primary(code_) == SQLITE_CORRUPT || primary(code_) == SQLITE_NOTADB; }

bool SqlFault::passing() const {
  switch (primary(code_)) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_NOMEM:
    case SQLITE_INTERRUPT:
    case SQLITE_CANTOPEN:
    case SQLITE_PROTOCOL:
      return true;
    default:
      return false;
  }
}

void Connection::Closer::operator()(sqlite3* db) const { sqlite3_close_v2(db); }
void Connection::Closer::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

Connection::Connection(std::string const& path, Access access, Clock const& clock) : clock_(clock) {
  start_library();
  open(path, access);
  configure(access);
  add_functions();
  auto past_deadline = [](void* self) {
    return std::chrono::steady_clock::now() > static_cast<Connection*>(self)->deadline_ ? 1 : 0;
  };
  if (access == Access::reader) {
    sqlite3_progress_handler(db_.get(), steps_per_deadline_check, past_deadline, this);
  }
}

Connection::~Connection() = default;

void Connection::open(std::string const& path, Access access) {
  // mknod and not open: closing a descriptor of the file would drop the locks that other connections of this process
  // hold on it. SQLite gives the log and its index the mode of this file.
  if (access != Access::reader && path != ":memory:")
    ::mknod(path.c_str(), S_IFREG | S_IRUSR | S_IWUSR, 0);
  int const flags = (access == Access::reader ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE) |
                    SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE;
  sqlite3* db = nullptr;
  int const code = sqlite3_open_v2(path.c_str(), &db, flags, nullptr);
  db_.reset(db);
  if (code != SQLITE_OK) {
    throw SqlFault(code, "cannot open the database " + path + ": " + sqlite3_errstr(code));
  }
}

void Connection::configure(Access access) {
  sqlite3_busy_timeout(db_.get(), access == Access::migrations ? migration_busy_timeout_ms : busy_timeout_ms);
  sqlite3_db_config(db_.get(), SQLITE_DBCONFIG_DQS_DDL, 0, nullptr);
  sqlite3_db_config(db_.get(), SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
  execute("PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY; PRAGMA mmap_size = 0;");
  if (access == Access::reader) {
    execute("PRAGMA query_only = ON; PRAGMA cache_size = -" + std::to_string(reader_cache_kib));
    return;
  }
  use_write_ahead_log();
  execute("PRAGMA synchronous = FULL; PRAGMA cache_size = -" + std::to_string(writer_cache_kib) +
          "; PRAGMA journal_size_limit = " + std::to_string(log_bytes_kept));
  if (pragma("PRAGMA synchronous") != "2")
    throw Fault("SQLite did not accept synchronous=FULL");
  if (AL_PLANTED_BUG("synchronous_off"))
    execute("PRAGMA synchronous = OFF");
  execute(access == Access::writer ? "PRAGMA foreign_keys = ON" : "PRAGMA foreign_keys = OFF");
  if (pragma("PRAGMA foreign_keys") != (access == Access::writer ? "1" : "0")) {
    throw Fault("SQLite did not accept the setting of foreign_keys");
  }
  // SQLite's own hook would checkpoint inside COMMIT and hide an fsync that failed.
  auto note_pages = [](void* self, sqlite3*, char const*, int pages) {
    static_cast<Connection*>(self)->log_pages_ = pages;
    return SQLITE_OK;
  };
  sqlite3_wal_hook(db_.get(), note_pages, this);
}

void Connection::use_write_ahead_log() {
  // Two connections that change the mode at once each hold a lock that the other needs; SQLite answers BUSY without
  // waiting, so the waiting is here.
  for (int waited_ms = 0;; waited_ms += busy_pause_ms) {
    try {
      if (pragma("PRAGMA journal_mode") == "wal")
        return;
      auto const mode = pragma("PRAGMA journal_mode = WAL");
      if (mode == "wal")
        return;
      throw Fault("the database cannot use a write-ahead log (journal_mode=" + mode + "); is it on a local disk?");
    } catch (SqlFault const& fault) {
      if (primary(fault.code()) != SQLITE_BUSY || waited_ms >= busy_timeout_ms)
        throw;
    }
    sqlite3_sleep(busy_pause_ms);
  }
}

void Connection::add_functions() {
  constexpr int flags = SQLITE_UTF8 | SQLITE_INNOCUOUS;
  auto now = [](sqlite3_context* context, int, sqlite3_value**) {
    sqlite3_result_int64(context, static_cast<Connection*>(sqlite3_user_data(context))->statement_time());
  };
  auto after = [](sqlite3_context* context, int, sqlite3_value** arguments) {
    if (sqlite3_value_type(arguments[0]) == SQLITE_NULL)
      return sqlite3_result_null(context);
    std::int64_t moment = 0;
    if (sqlite3_value_type(arguments[0]) != SQLITE_INTEGER) {
      return sqlite3_result_error(context, "al_after needs whole microseconds", -1);
    }
    auto const base = static_cast<Connection*>(sqlite3_user_data(context))->statement_time();
    if (__builtin_add_overflow(base, sqlite3_value_int64(arguments[0]), &moment)) {
      return sqlite3_result_error(context, "al_after leaves the range of times", -1);
    }
    sqlite3_result_int64(context, moment);
  };
  // SQLite's own strftime knows no microseconds and takes a third of the time of an insert.
  auto rfc3339 = [](sqlite3_context* context, int, sqlite3_value** arguments) {
    if (sqlite3_value_type(arguments[0]) == SQLITE_NULL)
      return sqlite3_result_null(context);
    auto const text = to_rfc3339(Timestamp{std::chrono::microseconds{sqlite3_value_int64(arguments[0])}});
    sqlite3_result_text64(context, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  };
  sqlite3_create_function_v2(db_.get(), "al_rfc3339", 1, flags | SQLITE_DETERMINISTIC, this, rfc3339, nullptr, nullptr,
                             nullptr);
  sqlite3_create_function_v2(db_.get(), "al_now", 0, flags, this, now, nullptr, nullptr, nullptr);
  sqlite3_create_function_v2(db_.get(), "al_after", 1, flags, this, after, nullptr, nullptr, nullptr);
}

std::int64_t Connection::statement_time() {
  if (!statement_time_)
    statement_time_ = clock_.now().time_since_epoch().count();
  return *statement_time_;
}

Connection::Prepared& Connection::prepare(std::string_view name, std::string_view sql) {
  if (auto found = prepared_.find(sql); found != prepared_.end())
    return found->second;
  sqlite3_stmt* handle = nullptr;
  char const* tail = nullptr;
  int const code = sqlite3_prepare_v3(db_.get(), sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT,
                                      &handle, &tail);
  Prepared prepared{.handle{handle}, .positions{}};
  if (code != SQLITE_OK)
    throw_fault(name, code);
  if (handle == nullptr)
    throw Fault(std::string(name) + ": the statement is empty");
  if (!blank(sql.substr(static_cast<std::size_t>(tail - sql.data())))) {
    throw Fault(std::string(name) + ": more than one statement");
  }
  for (int index = 1; index <= sqlite3_bind_parameter_count(handle); ++index) {
    auto const position = parameter_position(sqlite3_bind_parameter_name(handle, index));
    if (position == 0)
      throw Fault(std::string(name) + ": parameters are written $1, $2, …");
    prepared.positions.push_back(position);
  }
  if (prepared_.size() >= prepared_max)
    prepared_.clear();
  return prepared_.emplace(std::string(sql), std::move(prepared)).first->second;
}

void Connection::bind(std::string_view name, Prepared const& prepared, std::span<Value const> params) {
  int index = 0;
  for (std::size_t position : prepared.positions) {
    ++index;
    if (position > params.size()) {
      throw Fault(std::string(name) + ": $" + std::to_string(position) + " has no value, " +
                  std::to_string(params.size()) + " were given");
    }
    auto const& value = params[position - 1];
    // SQLite would store NULL in its place.
    if (auto const* number = std::get_if<double>(&value); number != nullptr && std::isnan(*number)) {
      throw Fault(std::string(name) + ": $" + std::to_string(position) + " is not a number");
    }
    if (int const code = bind_one(prepared.handle.get(), index, value); code != SQLITE_OK)
      throw_fault(name, code);
  }
}

Row Connection::read_row(sqlite3_stmt* statement) const {
  int const columns = sqlite3_column_count(statement);
  Row row;
  row.reserve(static_cast<std::size_t>(columns));
  for (int column = 0; column < columns; ++column) {
    switch (sqlite3_column_type(statement, column)) {
      case SQLITE_INTEGER:
        row.emplace_back(std::int64_t{sqlite3_column_int64(statement, column)});
        break;
      case SQLITE_FLOAT:
        row.emplace_back(sqlite3_column_double(statement, column));
        break;
      case SQLITE_NULL:
        row.emplace_back();
        break;
      default: {
        auto const* text = static_cast<char const*>(sqlite3_column_blob(statement, column));
        auto const size = static_cast<std::size_t>(sqlite3_column_bytes(statement, column));
        row.emplace_back(text == nullptr ? std::string{} : std::string(text, size));
      }
    }
  }
  return row;
}

Result<Ran> Connection::run(std::string_view name, std::string_view sql, std::span<Value const> params) {
  auto& prepared = prepare(name, sql);
  auto* statement = prepared.handle.get();
  bind(name, prepared, params);
  statement_time_.reset();
  auto const changes_before = sqlite3_total_changes64(db_.get());

  // Also when reading a row throws for lack of memory: a statement that is not reset keeps its snapshot.
  struct Reset {  // NOLINT(cppcoreguidelines-special-member-functions): it stays where it is
    sqlite3_stmt* statement;
    ~Reset() {
      sqlite3_reset(statement);
      sqlite3_clear_bindings(statement);
    }
  } reset{statement};

  Ran ran;
  int code = SQLITE_OK;
  while ((code = sqlite3_step(statement)) == SQLITE_ROW)
    ran.rows.push_back(read_row(statement));
  if (primary(code) == SQLITE_CONSTRAINT)
    return fail(refusal(code, name));
  if (code != SQLITE_DONE)
    throw_fault(name, code);
  ran.took_effect = !ran.rows.empty() || sqlite3_total_changes64(db_.get()) != changes_before;
  return ran;
}

void Connection::command(std::string_view sql) {
  auto ran = run(sql, sql, {});
  if (!ran)
    throw SqlFault(SQLITE_CONSTRAINT, std::string(sql) + ": " + ran.error().message);
}

void Connection::execute(std::string const& script) {
  statement_time_.reset();
  if (int const code = sqlite3_exec(db_.get(), script.c_str(), nullptr, nullptr, nullptr); code != SQLITE_OK) {
    throw_fault("SQLite", code);
  }
}

std::string Connection::pragma(std::string const& text) {
  sqlite3_stmt* handle = nullptr;
  int code = sqlite3_prepare_v2(db_.get(), text.c_str(), -1, &handle, nullptr);
  std::unique_ptr<sqlite3_stmt, Closer> const statement(handle);
  if (code != SQLITE_OK)
    throw_fault(text, code);
  code = sqlite3_step(handle);
  if (code == SQLITE_DONE)
    return {};
  if (code != SQLITE_ROW)
    throw_fault(text, code);
  auto const* answer = sqlite3_column_text(handle, 0);
  return answer == nullptr ? std::string{} : std::string(static_cast<char const*>(static_cast<void const*>(answer)));
}

bool Connection::idle() const { return sqlite3_get_autocommit(db_.get()) != 0; }

bool Connection::owes_foreign_keys() const {
  int current = 0;
  int highest = 0;
  sqlite3_db_status(db_.get(), SQLITE_DBSTATUS_DEFERRED_FKS, &current, &highest, 0);
  return current != 0;
}

void Connection::checkpoint() {
  int const code = sqlite3_wal_checkpoint_v2(db_.get(), "main", SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
  if (code != SQLITE_OK && primary(code) != SQLITE_BUSY)
    throw_fault("checkpoint", code);
}

void Connection::throw_fault(std::string_view what, int code) const {
  int const system_error = sqlite3_system_errno(db_.get());
  auto const cause = primary(code) == SQLITE_IOERR || primary(code) == SQLITE_CANTOPEN
                         ? " (errno " + std::to_string(system_error) + ")"
                         : std::string{};
  throw SqlFault(
      code, std::string(what) + ": " + sqlite3_errmsg(db_.get()) + cause + " [SQLite " + std::to_string(code) + "]");
}

}  // namespace al::storage::sqlite
