#pragma once
/// Where a reader of the log stands, and the token that says so to clients.

#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "storage/statement.hpp"

namespace al::events {

/// On PostgreSQL `seen` is everything before the page, `page` the snapshot that cut it (empty: nothing was cut) and
/// `seq` the last event handed out of it; al_log_snapshot() takes the snapshots. On SQLite only `seq` counts.
struct Cursor {
  std::string seen{};
  std::string page{};
  std::int64_t seq = 0;
  bool operator==(Cursor const&) const = default;
};

/// The snapshot before the first transaction.
inline constexpr std::string_view first_snapshot = "1:1:";

/// How a statement on PostgreSQL begins that answers what al_log_snapshot() says first, and once, beside each row of
/// the `e` that follows. Unless it is a table of its own, PostgreSQL calls the function for every row.
inline constexpr std::string_view beside_snapshot =
    "WITH s AS MATERIALIZED (SELECT al_log_snapshot() AS snapshot) SELECT s.snapshot, e.* FROM s LEFT JOIN LATERAL ";

/// The SQL condition that the transaction `xid` is not in the snapshot `snapshot` (both expressions of PostgreSQL):
/// begun after it, or still running when it was taken.
[[nodiscard]] std::string unseen_by(std::string const& xid, std::string const& snapshot);

[[nodiscard]] std::string to_token(storage::Dialect, Cursor const&);
/// Errors: invalid. What comes back holds snapshots that PostgreSQL takes, whoever wrote the token.
[[nodiscard]] Result<Cursor> parse_token(storage::Dialect, std::string_view);
/// The place before the event `seq`, for who reads from the end of the log back. Numbers are the same on both
/// databases.
[[nodiscard]] std::string to_place(std::int64_t seq);
/// Errors: invalid.
[[nodiscard]] Result<std::int64_t> parse_place(std::string_view);
/// A token that reads on from `token` only as far as `whole` has seen, and then stands where `whole` stands. Both are
/// ours; `whole` was made later, by a page without more. On SQLite, where one process reads, it is `token` itself.
[[nodiscard]] std::string bounded_by(storage::Dialect, std::string const& token, std::string const& whole);

}  // namespace al::events
