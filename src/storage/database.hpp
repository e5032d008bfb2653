#pragma once
/// The one way to the data: SQLite (sqlite.cpp) or PostgreSQL (postgres.cpp) behind the same interface.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/async.hpp"
#include "core/fault.hpp"
#include "core/result.hpp"
#include "core/time.hpp"
#include "storage/statement.hpp"

namespace al::storage {

/// For `/health` and `/metrics`.
struct PoolState {
  std::int64_t size = 0;  ///< connections open
  std::int64_t in_use = 0;
  std::int64_t size_max = 0;  ///< pool + overflow
  std::int64_t waiting = 0;   ///< callers queued
};

/// Thread-safe; any I/O thread may call, and is resumed on its own executor.
///
/// Errors that every call can answer:
///   conflict     a guard did not match, or a unique key exists; Error::where is the statement's name
///   invalid      a foreign key, check or not-null constraint refused; where as above
/// Faults that every call can throw: Unavailable (database gone, queue full, deadline passed before it was sent),
/// OutcomeUnknown (a write was sent, no answer came).
class Database {
 public:
  virtual ~Database() = default;

  [[nodiscard]] virtual Dialect dialect() const = 0;

  /// Runs one SELECT in a read-only snapshot.
  [[nodiscard]] virtual Task<Rows> read(Scope, Statement const&, Values, Deadline) = 0;

  /// Runs the steps as one durable transaction: when it returns a value, the change survives power loss.
  /// The answer holds each step's returned rows.
  [[nodiscard]] virtual Task<Result<std::vector<Rows>>> apply(Batch, Deadline) = 0;

  /// Writes one row through a statement that serves many callers at once; durable like apply().
  /// Errors: conflict also when the statement did not take the row (unknown agent, lost epoch, …).
  [[nodiscard]] virtual Task<Result<Row>> write_row(Scope, RowStatement const&, Values, Deadline) = 0;

  /// Throws Unavailable when the database does not answer.
  [[nodiscard]] virtual Task<void> ping(Deadline) = 0;
  [[nodiscard]] virtual PoolState pool() const = 0;

  /// Waits for what is in flight and closes; nothing may be called after.
  virtual void close() = 0;
};

/// Statement text must outlive the database (constants do). Deadlines default to this.
inline constexpr std::chrono::seconds statement_timeout_default{30};

struct SqliteOptions {
  std::string path;  ///< the database file; the directory is locked by the composition, see lock.hpp
  int readers = 2;
  std::size_t queue_max = 10'000;
  std::size_t group_max = 512;  ///< writes that share one fsync at most
};
/// Opens (creates) the file: WAL, synchronous=FULL, foreign keys on. Throws Fault when it cannot.
[[nodiscard]] std::unique_ptr<Database> open_sqlite(SqliteOptions, Clock const&);

struct PostgresOptions {
  std::string url;  ///< postgresql://…, any libpq parameter
  int pool_size = 20;
  int pool_overflow = 40;
  std::chrono::seconds checkout_timeout{30};
  std::chrono::seconds recycle{3600};
  std::chrono::seconds idle_close{60};
  std::chrono::seconds connect_timeout{10};
  std::chrono::seconds statement_timeout{30};
  bool prepared = true;  ///< off: unnamed statements, for PgBouncer in transaction mode
  std::size_t queue_max = 10'000;
  std::size_t group_max = 512;
};
/// Connects lazily; throws Fault only when the URL is malformed.
[[nodiscard]] std::unique_ptr<Database> open_postgres(PostgresOptions);

}  // namespace al::storage
