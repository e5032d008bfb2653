#pragma once
/// Rows of one database as the other one has them, and their checksums.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "data/copy_plan.hpp"

namespace al::data {

/// The rows of one table and tenant.
struct CopyPart {
  CopyTable const* table;
  std::string tenant;  ///< empty: rows that belong to none
};

inline constexpr std::int64_t all_rows = INT64_MAX;

/// Hands out `count` rows behind the first `skip`, in the order of their key, compared by bytes. The values are
/// PostgreSQL's, whatever database they come from; positions in the event log are SQLite's tokens, also when they are
/// read from PostgreSQL. Throws Fault, naming the row, when a value of SQLite's has no place in PostgreSQL.
void read_part(storage::SnapshotSession&, CopyPart const&, std::int64_t skip, std::int64_t count,
               std::function<void(Values)> const& use);

/// `tenant_id "default", id "writer"`, for messages.
[[nodiscard]] std::string key_text(CopyTable const&, Values const& row);

/// Equal for equal rows in equal order.
struct PartSum {
  std::int64_t rows = 0;
  std::vector<std::string> blocks{};  ///< SHA-256 of every `block_rows` of them
  bool operator==(PartSum const&) const = default;
};
inline constexpr std::int64_t block_rows = 1'000;

/// `count` hears of each block how many rows it had.
[[nodiscard]] PartSum sum_part(storage::SnapshotSession&, CopyPart const&,
                               std::function<void(std::int64_t)> const& count);

/// The first row in which the two differ, and how; for messages.
[[nodiscard]] std::string first_difference(storage::SnapshotSession& source, PartSum const& source_sum,
                                           storage::SnapshotSession& target, PartSum const& target_sum,
                                           CopyPart const&);

/// The token of PostgreSQL for "everything up to the event `seq` of the copy, and nothing else", where `snapshot` sees
/// all of the copied events. The copied rows carry the numbers of the copy's transactions, which say nothing about the
/// order of the events; so the token is that of a reader who began before the first transaction, whose page was cut by
/// `snapshot`, and who was handed its events up to `seq`. It is given the rest of the copied events, and then what
/// commits after `snapshot`.
[[nodiscard]] std::string copied_cursor(std::string const& snapshot, std::int64_t seq);

/// A position as SQLite has it, turned into that. What is no token of SQLite's is no position, and stays.
[[nodiscard]] std::string to_copied_cursor(std::string const& token, std::string const& snapshot);

}  // namespace al::data
