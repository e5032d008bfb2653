#pragma once
/// PostgreSQL's log (WAL) as pg_receivewal writes it: a file a segment, packed, in the directory `wal` of the backups.
/// The segment at work is `<name>.gz.partial`. Blocking.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "app/backup/catalog.hpp"

namespace al::app::backup {

/// "000000010000000A000000FF": a timeline, and the place in the log.
struct Segment {
  std::uint32_t timeline = 0;
  std::uint64_t number = 0;  ///< counted from the beginning of the log
  bool operator==(Segment const&) const = default;
};

/// Nothing when it is the name of something else.
[[nodiscard]] std::optional<Segment> parse_segment(std::string_view name, std::uint64_t segment_bytes);

/// "A/FF000028" as a number. Nothing when it is no place in the log.
[[nodiscard]] std::optional<std::uint64_t> parse_position(std::string_view text);

/// The first segment after `first` that is missing before the last one there is. Nothing when there is no gap.
[[nodiscard]] std::optional<std::uint64_t> find_gap(std::uint64_t first, std::vector<std::uint64_t> segments);

class WalArchive {
 public:
  explicit WalArchive(std::filesystem::path directory) : directory_(std::move(directory)) {}

  [[nodiscard]] std::filesystem::path const& directory() const { return directory_; }

  /// Makes the directory when it is not there, and sets aside the segment that pg_receivewal was at: it begins that one
  /// anew, over the old bytes, and while it does so the old ones are the only copy. Throws Fault.
  void prepare() const;

  /// Unpacks what came after the base backup began into the restored cluster's own log directory, where PostgreSQL
  /// finds it without the archive. Errors: invalid, when a segment is missing or damaged. Throws Fault.
  [[nodiscard]] Result<void> unpack_into(std::filesystem::path const& pg_wal, LogPosition const&) const;

  /// Removes segments that no restore needs any more; those of `oldest` and later stay. Answers how many. Throws Fault.
  std::size_t remove_before(LogPosition const& oldest) const;

 private:
  std::filesystem::path directory_;
};

}  // namespace al::app::backup
