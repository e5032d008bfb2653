#pragma once
/// One SQLite connection with its prepared statements, for the driver (sqlite.cpp) and the migrations. Blocking, and
/// used by one thread at a time.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/fault.hpp"
#include "core/result.hpp"
#include "core/time.hpp"
#include "core/value.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace al::storage::sqlite {

/// What SQLite answered instead of doing it.
class SqlFault : public Fault {
 public:
  SqlFault(int code, std::string const& message) : Fault(message), code_(code) {}
  /// SQLite's extended result code.
  [[nodiscard]] int code() const { return code_; }
  /// The kernel may have dropped the pages that it could not write, so a later fsync that succeeds proves nothing.
  [[nodiscard]] bool lost_writes() const;
  /// The file is damaged, or is no database.
  [[nodiscard]] bool damaged() const;
  /// Full, busy, interrupted or unreadable: the same call may succeed later.
  [[nodiscard]] bool passing() const;

 private:
  int code_;
};

enum class Access {
  writer,      ///< creates the file; WAL, synchronous=FULL
  reader,      ///< read-only; the file must exist
  migrations,  ///< as writer, with foreign keys off: a table is changed by making it anew, see foreign_key_check
};

/// What a statement did.
struct Ran {
  Rows rows;
  bool took_effect = false;  ///< it changed or returned at least one row
};

class Connection {
 public:
  /// Throws SqlFault or Fault when the file cannot be opened or does not take the settings that durability needs.
  Connection(std::string const& path, Access, Clock const&);
  ~Connection();
  Connection(Connection const&) = delete;
  Connection& operator=(Connection const&) = delete;

  /// Runs one statement. `$N` takes the N-th of `params`; values that it does not name are ignored, because the steps
  /// of a row share one list. Errors: conflict for a unique key, invalid for any other constraint, with `name` as
  /// Error::where. Throws SqlFault, and Fault when the statement itself is wrong.
  [[nodiscard]] Result<Ran> run(std::string_view name, std::string_view sql, std::span<Value const> params);

  /// Runs BEGIN, SAVEPOINT, COMMIT and their like. Throws SqlFault.
  void command(std::string_view sql);
  /// Runs one or more statements without parameters and results.
  void execute(std::string const& script);

  /// From now on a statement is interrupted (SqlFault, passing) when this moment has passed. Not for writes:
  /// an interrupted write rolls back the whole transaction, and with it the callers that share it.
  void set_deadline(Deadline deadline) { deadline_ = deadline.at; }

  /// SQLite has rolled back or committed: no transaction is open.
  [[nodiscard]] bool idle() const;
  /// A deferred foreign key is violated now, and COMMIT would refuse.
  [[nodiscard]] bool owes_foreign_keys() const;
  /// Pages in the write-ahead log after the last commit; one of SQLite's own pages is 4 KiB.
  [[nodiscard]] int log_pages() const { return log_pages_; }
  /// Moves what no reader still needs from the log to the database file; waits for nobody. Throws SqlFault.
  void checkpoint();

 private:
  struct Closer {
    void operator()(sqlite3* db) const;
    void operator()(sqlite3_stmt* statement) const;
  };
  struct Prepared {
    std::unique_ptr<sqlite3_stmt, Closer> handle;
    std::vector<std::size_t> positions;  ///< of each bound parameter of SQLite, the N of its `$N`
  };
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };

  void open(std::string const& path, Access);
  void configure(Access);
  void use_write_ahead_log();
  void add_functions();
  [[nodiscard]] Prepared& prepare(std::string_view name, std::string_view sql);
  void bind(std::string_view name, Prepared const&, std::span<Value const> params);
  [[nodiscard]] Row read_row(sqlite3_stmt*) const;
  [[nodiscard]] std::string pragma(std::string const& text);
  [[noreturn]] void throw_fault(std::string_view what, int code) const;
  /// The time as this statement sees it, the same wherever the statement asks.
  [[nodiscard]] std::int64_t statement_time();

  Clock const& clock_;
  std::unique_ptr<sqlite3, Closer> db_;
  std::unordered_map<std::string, Prepared, TextHash, std::equal_to<>> prepared_;
  std::optional<std::int64_t> statement_time_;
  SteadyTime deadline_ = SteadyTime::max();
  int log_pages_ = 0;
};

}  // namespace al::storage::sqlite
