#pragma once
/// The backups in a directory. Each is a directory of its own, named after the moment it was begun, that appears when
/// it is complete and verified:
///
///   2026-01-31T040000.123456Z/manifest.json    what it holds and how to know that it is whole
///   2026-01-31T040000.123456Z/database.db.gz   SQLite; of PostgreSQL base.tar.gz, pg_wal.tar.gz, backup_manifest
///   wal/                                        PostgreSQL's log since then, see wal_archive.hpp
///   lock                                        one process at a time makes or removes backups
///
/// What is still being made is `<id>.partial`. Blocking.

#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "app/backup/gzip.hpp"
#include "core/result.hpp"
#include "core/time.hpp"
#include "storage/backup.hpp"
#include "storage/lock.hpp"

namespace al::app::backup {

enum class Kind { sqlite, postgresql };
[[nodiscard]] std::string_view name_of(Kind);

/// Where a base backup stands in PostgreSQL's log.
struct LogPosition {
  std::uint64_t begin = 0;  ///< a restore needs the log from here on
  std::uint64_t end = 0;    ///< until here the backup has it itself
  std::uint64_t segment_bytes = 0;
  std::string system_id{};  ///< of the cluster whose log it is
  bool operator==(LogPosition const&) const = default;
};

struct StoredFile {
  std::string name;
  FileFacts facts;
  bool operator==(StoredFile const&) const = default;
};

struct Manifest {
  std::string id;
  Kind kind = Kind::sqlite;
  Timestamp begun_at{};   ///< all that was acknowledged by then is in it
  Timestamp copied_at{};  ///< nothing that came later is in it
  std::string program{};  ///< the version that made it
  std::vector<StoredFile> files{};
  storage::DatabaseFacts database{};  ///< as it was when the backup was verified by restoring it
  std::optional<LogPosition> log{};   ///< of PostgreSQL
  bool operator==(Manifest const&) const = default;

  [[nodiscard]] std::uintmax_t bytes() const;  ///< of all files
  [[nodiscard]] std::int64_t rows() const;     ///< of all tables
};

[[nodiscard]] std::string to_json(Manifest const&);
/// Errors: invalid, when this is no manifest, or one that this version cannot read.
[[nodiscard]] Result<Manifest> parse_manifest(std::string_view text);

/// What lies in the directory under a name of a backup.
struct Entry {
  std::string id;
  Result<Manifest> manifest;
};

class Catalog {
 public:
  explicit Catalog(std::filesystem::path directory) : directory_(std::move(directory)) {}

  [[nodiscard]] std::filesystem::path const& directory() const { return directory_; }
  [[nodiscard]] std::filesystem::path path_of(std::string const& id) const { return directory_ / id; }

  /// The newest first; also those whose manifest is damaged. Nothing when there is no directory. Throws Fault.
  [[nodiscard]] std::vector<Entry> list() const;
  /// The backup with this id. Errors: not_found; invalid, when its manifest is damaged.
  [[nodiscard]] Result<Manifest> find(std::string const& id) const;
  /// The newest that is whole by its manifest, of those that were copied by `latest`. Errors: not_found.
  [[nodiscard]] Result<Manifest> newest(Kind, std::optional<Timestamp> latest = std::nullopt) const;

  /// The sole right to make and to remove backups; makes the directory, for its owner only. Errors: conflict
  /// (another process has it, or it cannot be made or written).
  [[nodiscard]] Result<storage::DirectoryLock> lock() const;
  /// Takes away what processes that were killed have left. Needs the lock.
  void remove_leftovers() const;
  /// Removes a backup at once; one that is half removed is not listed. Needs the lock.
  void remove(std::string const& id) const;

 private:
  std::filesystem::path directory_;
};

/// Which of the backups go when `keep` of each kind stay: the oldest. What is damaged neither counts nor goes: it is
/// for people to look at. Never the newest one that is whole.
[[nodiscard]] std::vector<std::string> superfluous(std::vector<Entry> const& newest_first, std::size_t keep);

/// "2026-01-31T040000.123456Z": what a backup is called that was begun then.
[[nodiscard]] std::string id_of(Timestamp begun_at);

/// How a backup is made.
struct Making {
  std::optional<Timestamp> begun_at{};  ///< what it is called after; none: now
  storage::CopyProgress progress{};     ///< of SQLite
  std::stop_token stop{};               ///< breaks it off: copying and the programs of PostgreSQL, not what is short
};

/// A backup that is being made: `<id>.partial`, which goes with this object unless it was published.
class Draft {
 public:
  /// Throws Fault.
  Draft(Catalog const&, Timestamp now);
  ~Draft();
  Draft(Draft const&) = delete;
  Draft& operator=(Draft const&) = delete;

  [[nodiscard]] std::string const& id() const { return id_; }
  [[nodiscard]] std::filesystem::path const& path() const { return path_; }
  /// Makes it last, under its name. Throws Fault.
  void publish(Manifest const&);

 private:
  Catalog const& catalog_;
  std::string id_;
  std::filesystem::path path_;
};

/// Measures the files of a backup in `directory`. Errors: invalid, when one is missing, cut off or damaged.
[[nodiscard]] Result<void> check_files(std::filesystem::path const& directory, Manifest const&);

/// Errors: invalid, naming what differs, when a database that was restored is not the one that was backed up.
[[nodiscard]] Result<void> demand_equal(storage::DatabaseFacts const& restored, storage::DatabaseFacts const& wanted);

}  // namespace al::app::backup
