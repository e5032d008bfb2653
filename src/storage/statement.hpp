#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "core/ids.hpp"
#include "core/value.hpp"

namespace al::storage {

enum class Dialect { sqlite, postgres };

/// SQL with a name that labels logs, metrics and prepared statements. Constants at the top of the store's .cpp.
/// `$1` parameters on both databases. `al_now()` is the database's time (on SQLite the injected clock) and
/// `al_after(microseconds)` that time plus an interval. Statements name the tenant themselves as well (`tenant_id =
/// $1`).
struct Statement {
  std::string_view name;
  std::string text;
  std::string sqlite{};   ///< only where the dialects must differ; empty: `text` serves both
  bool optional = false;  ///< in a RowStatement's steps: it may change and return nothing
  [[nodiscard]] std::string const& for_dialect(Dialect d) const {
    return d == Dialect::sqlite && !sqlite.empty() ? sqlite : text;
  }
};

/// A write that takes the rows of many callers in one round trip, each caller its own outcome.
/// PostgreSQL: one statement over `unnest($1::text[], …) WITH ORDINALITY AS r(…, n)` that returns, for each row that
/// took effect, `n` first and then the result columns; a caller without a row is asked once more, alone, since a
/// statement changes a row once only, whoever else means it. SQLite: the steps of one row, run in a savepoint; the last
/// step's row is the result (without `n`); a step that changes and returns nothing refuses the row, unless it is
/// optional. Both take the same parameters in the same order.
struct RowStatement {
  std::string_view name;
  std::string postgres;
  std::vector<Statement> sqlite;
};

/// Whose rows a call may touch. PostgreSQL enforces it by row-level security; statements name the tenant as well.
class Scope {
 public:
  static Scope of(TenantId tenant) { return Scope(std::move(tenant)); }
  /// For the few statements that sign-in, claiming, delivery and sweeps run across tenants.
  static Scope system() { return Scope(TenantId{}); }
  [[nodiscard]] bool is_system() const { return tenant_.value.empty(); }
  [[nodiscard]] TenantId const& tenant() const { return tenant_; }
  bool operator==(Scope const&) const = default;

 private:
  explicit Scope(TenantId tenant) : tenant_(std::move(tenant)) {}
  TenantId tenant_;
};

/// What must be true of a step for its batch to commit.
enum class Guard {
  none,
  must_match,  ///< it changed or returned at least one row; else the whole batch is rolled back as `conflict`
};

struct Step {
  Statement const* statement;
  Values params;
  Guard guard = Guard::none;
};

/// A fixed list of statements that commit together or not at all.
struct Batch {
  Scope scope;
  std::vector<Step> steps;
};

}  // namespace al::storage
