#pragma once
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/async.hpp"
#include "core/random.hpp"
#include "data/archive.hpp"
#include "storage/database.hpp"

namespace al::data {

struct RetentionOptions {
  std::filesystem::path archive;  ///< directory of the archive files; made when it is needed
  std::chrono::days events_keep{90};
  std::chrono::days metrics_keep{30};
  int months_ahead = 2;                    ///< partitions made before their time
  std::int64_t rows_per_page = 500;        ///< read, compressed and deleted at once
  std::int64_t rows_per_file = 1'000'000;  ///< of rows that are deleted; a partition is one file
};

/// The resume tokens that consumers of the event log have stored: what one of them has not read is kept.
using StoredCursors = std::function<Task<std::vector<std::string>>(Deadline)>;

/// Makes the partitions of `events` and `metrics` before their time, and lets what is past its time leave the database:
/// first into an archive file, then out of the table. On PostgreSQL whole partitions go, so a row stays up to a month
/// longer; rows of the default partition, and all rows on SQLite, are deleted in batches.
///
/// Nothing is removed before its archive is durable, and a crash anywhere neither loses a row nor archives it twice:
/// files are named after what is in them, and a manifest whose rows are still there says what is to be removed.
///
/// One process at a time removes, by a lease in the database. It compresses and waits for the disk on its executor:
/// give it one that no requests wait for.
class Retention {
 public:
  Retention(storage::Database&, Clock const&, Random&, RetentionOptions, StoredCursors = {});

  /// Makes partitions and sweeps, now and daily, sooner after a fault; until it is cancelled.
  [[nodiscard]] Task<void> run();

  /// Makes the partitions of this month and of those to come; answers how many were missing. Nothing on SQLite.
  /// Throws Unavailable when the tables are too busy at the moment.
  [[nodiscard]] Task<std::int64_t> make_partitions();

  struct Swept {
    bool was_ours = false;  ///< false: another process is at it
    std::int64_t rows = 0;  ///< that have left
    std::int64_t kept = 0;  ///< partitions, and parts of tables, that a consumer still needs
  };
  /// Throws Fault when an archive cannot be written or the database fails; the next one goes on from there.
  [[nodiscard]] Task<Swept> sweep();

 private:
  struct Table;
  /// A stretch of a table that leaves as one.
  struct Part {
    std::string partition{};  ///< empty: rows that are deleted
    Timestamp from{};
    Timestamp until{};
    std::int64_t last_seq = 0;
  };
  static std::vector<Table> const& tables();

  [[nodiscard]] bool is_partitioned() const { return database_.dialect() == storage::Dialect::postgres; }
  [[nodiscard]] Task<bool> hold_lease();
  [[nodiscard]] Task<void> leave_lease();
  [[nodiscard]] Task<void> sweep_table(Table const&, Swept&);
  [[nodiscard]] Task<std::vector<Part>> partitions(Table const&, Timestamp until);
  [[nodiscard]] Task<void> finish_pending(Table const&, Swept&);
  [[nodiscard]] Task<void> sweep_partition(Table const&, Part const&, Swept&);
  [[nodiscard]] Task<void> sweep_rest(Table const&, Timestamp until, Swept&);
  [[nodiscard]] Task<std::optional<ArchiveManifest>> archive(Table const&, Part const&);
  [[nodiscard]] Task<bool> drop(ArchiveManifest);
  [[nodiscard]] Task<std::int64_t> delete_rows(Table const&, ArchiveManifest);
  [[nodiscard]] Task<bool> is_needed(Table const&, Timestamp from, Timestamp until);
  [[nodiscard]] Task<std::int64_t> read_by_all();

  storage::Database& database_;
  Clock const& clock_;
  RetentionOptions const options_;
  StoredCursors const cursors_;
  std::string const holder_;
};

}  // namespace al::data
