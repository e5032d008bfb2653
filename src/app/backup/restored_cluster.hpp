#pragma once
/// A PostgreSQL data directory made of a base backup. Blocking.

#include "app/backup/postgres.hpp"

namespace al::app::backup {

/// What pg_control of a cluster says.
struct ClusterFacts {
  std::string system_id;
  std::uint64_t segment_bytes = 0;
};

/// A data directory in the making; it goes with this object unless it was kept.
class RestoredCluster {
 public:
  /// Removes what is there under this name. After `stop` every step is unavailable. Throws Fault.
  RestoredCluster(std::filesystem::path directory, std::filesystem::path programs, std::stop_token stop = {});
  ~RestoredCluster();
  RestoredCluster(RestoredCluster const&) = delete;
  RestoredCluster& operator=(RestoredCluster const&) = delete;

  /// Unpacks the base backup in `from`, and compares every file with the manifest that PostgreSQL made of it.
  /// Errors: invalid. Throws Fault.
  [[nodiscard]] Result<ClusterFacts> unpack(std::filesystem::path const& from);
  /// Adds the archived log. Errors: invalid. Throws Fault.
  [[nodiscard]] Result<void> add_log(WalArchive const&, LogPosition const&);
  /// Starts a server on the directory that only this account can reach, waits until it has recovered, counts, and stops
  /// it. Errors: invalid, when it does not recover. Throws Fault.
  [[nodiscard]] Result<storage::DatabaseFacts> recover(RecoveryTarget const&, std::string const& content_url);
  /// Gives it its name. Throws Fault.
  void keep_as(std::filesystem::path const& name);

 private:
  [[nodiscard]] std::string program(std::string_view name) const { return (programs_ / name).string(); }
  [[nodiscard]] Result<void> unpack_tar(std::filesystem::path const& file, std::filesystem::path const& to) const;

  std::filesystem::path directory_;
  std::filesystem::path programs_;
  std::stop_token stop_;
};

}  // namespace al::app::backup
