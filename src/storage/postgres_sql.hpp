#pragma once
/// What happens to a statement's text before PostgreSQL sees it, and what its SQLSTATEs mean. Pure; any thread.

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/result.hpp"
#include "storage/statement.hpp"

namespace al::storage::postgres {

/// A text ready to be sent.
struct Sql {
  std::string name;  ///< of the statement, for errors and logs
  std::string text;
  std::string prepared_name;   ///< a hash of the text: equal on every connection
  bool discards_rows = false;  ///< its rows exist only to be counted by the guard
};

/// Wraps `text` so that it raises AL001 on the server when it matched no row. That way the decision to roll back needs
/// no round trip. The text may begin with WITH and may have data-modifying CTEs; `added_returning` tells that a
/// RETURNING clause had to be added.
[[nodiscard]] std::string guarded(std::string_view text, bool& added_returning);

/// The statements that the program uses, each kept once. Thread-safe.
class SqlCache {
 public:
  [[nodiscard]] std::shared_ptr<Sql const> get(std::string_view name, std::string_view text, Guard guard);

 private:
  /// Statements are constants, so a program with more of them than this has a defect that must not eat the memory.
  static constexpr std::size_t statements_max = 4096;

  std::mutex mutex_;
  std::unordered_map<std::string, std::shared_ptr<Sql const>> known_;
};

/// What a transaction begins with.
struct FrameSettings {
  bool read_only = false;
  /// Its statements find rows by their keys: they are planned once, and never to read whole tables, as PostgreSQL would
  /// have it with the statistics of a young table. Planning a group anew each time, because it has fewer callers than
  /// the general plan reckons with, took longer than the group.
  bool by_key = false;
  bool as_al_app = false;  ///< the login role would bypass row-level security
  /// TimeZone, DateStyle and jit could not be start-up options (PgBouncer). Compiling a statement takes a second where
  /// its cost is overrated, as that of a scan is that `by_key` forbids and there is no way around; ours run for
  /// milliseconds.
  bool names_options = false;
};
/// One SELECT of set_config calls, all local to the transaction. $1 tenant, $2 app.system, $3 statement timeout in ms.
[[nodiscard]] std::string settings_sql(FrameSettings settings);
/// Changes the tenant in the middle of a transaction that several share. $1 tenant, $2 app.system.
inline constexpr std::string_view tenant_sql =
    "SELECT set_config('app.tenant_id', $1, true), set_config('app.system', $2, true)";

/// What a failed statement means for the caller. In every case its transaction was rolled back.
enum class FailureKind {
  conflict,     ///< a guard or a unique key refused
  invalid,      ///< a constraint or a conversion refused
  again,        ///< the same statement may succeed on another try
  unavailable,  ///< the server lacks something: time, memory, a place to write
  defect,       ///< the statement itself is wrong
};
[[nodiscard]] FailureKind classify(std::string_view sqlstate);

/// The Error for kinds conflict and invalid.
[[nodiscard]] Error error_of(FailureKind kind, std::string_view statement);

/// Whether the connection should be given up after this error, because its prepared statements are stale or its
/// server has become a standby.
[[nodiscard]] bool spoils_connection(std::string_view sqlstate);

}  // namespace al::storage::postgres
