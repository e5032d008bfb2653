#pragma once
/// Copies a whole SQLite database into PostgreSQL, row by row as it is, and compares the two afterwards. Unlike an
/// export it takes tokens, keys and the numbers of the event log along: the installation moves, not only its content.
///
/// Rows go in batches, each a transaction that also notes in the table `database_copy` of the target how far it is. A
/// copy that was interrupted, however hard, goes on behind its last batch when it is run again. The table goes when
/// everything was found equal.

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "storage/migrations.hpp"

namespace al::data {

struct CopyOptions {
  std::size_t batch_rows_max = 1'000;
  std::size_t batch_bytes_max = std::size_t{4} << 20;  ///< a larger row goes alone
  std::chrono::milliseconds lock_wait{10'000};         ///< for what a killed copy has sent last
};

struct CopiedTable {
  std::string name;
  std::int64_t rows = 0;
};

struct CopySummary {
  std::vector<CopiedTable> tables;  ///< in the order in which they were copied
  std::int64_t rows_before = 0;     ///< that an interrupted copy had brought already
  std::string sha256;               ///< of the rows of all tables, equal on both sides
  std::string token_prefix;         ///< a subscriber who had the token `s.N` goes on with this and N behind it
};

/// How far it is: of so many rows to be read, and what is done at the moment.
using CopyProgress = std::function<void(std::int64_t done, std::int64_t total, std::string_view what)>;

/// Both are migrated by this program; nobody writes to the source meanwhile, and nobody uses the target.
/// Errors: conflict, when the target holds something else, when another copy is at work there, or when the source is
/// not the one that the interrupted copy had; internal, when the two are not equal in the end, naming the table and the
/// first row that differs. Throws Fault, also when PostgreSQL refuses a row.
[[nodiscard]] Result<CopySummary> copy_database(storage::MigrationTarget const& sqlite,
                                                storage::MigrationTarget const& postgres, CopyOptions const& = {},
                                                CopyProgress const& = {});

}  // namespace al::data
