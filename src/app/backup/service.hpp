#pragma once
/// Backups that a serving process makes beside its requests.

#include <boost/asio/thread_pool.hpp>
#include <mutex>
#include <thread>

#include "app/backup/installation.hpp"
#include "services/operations/backups.hpp"

namespace al::app::backup {

/// Keeps the one that is being made, or the last one that failed, in memory; the others are those of the catalog, also
/// what other processes have made. Thread-safe.
class Service final : public services::operations::Backups {
 public:
  /// The configuration and the clock outlive it.
  Service(Config const&, Clock const&);
  /// Breaks off what is being made and waits for its end. No call may be under way then, nor come any more.
  ~Service() override;
  Service(Service const&) = delete;
  Service& operator=(Service const&) = delete;

  [[nodiscard]] Task<std::vector<model::Backup>> list() override;
  [[nodiscard]] Task<Result<model::Backup>> find(std::string id) override;
  [[nodiscard]] Task<Result<model::Backup>> start() override;

  /// What is being made ends soon, without a result; it is not waited for.
  void break_off();

 private:
  template <class F>
  [[nodiscard]] auto on_disk_thread(F work) -> Task<std::invoke_result_t<F>>;
  [[nodiscard]] std::optional<model::Backup> latest() const;
  [[nodiscard]] std::vector<model::Backup> read_all() const;
  [[nodiscard]] Result<model::Backup> read(std::string const& id) const;
  [[nodiscard]] Result<model::Backup> begin();
  void make(storage::DirectoryLock, Timestamp begun_at, std::stop_token);
  [[nodiscard]] Result<Manifest> try_to_make(Timestamp begun_at, std::stop_token) const;

  Config const& config_;
  Clock const& clock_;
  Catalog const catalog_;
  mutable std::mutex mutex_;
  std::optional<model::Backup> latest_;  ///< running or failed
  std::jthread maker_;
  /// Of what looks at the disk, which may be a slow or a distant one.
  asio::thread_pool disk_{1};
};

}  // namespace al::app::backup
