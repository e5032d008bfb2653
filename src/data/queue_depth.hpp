#pragma once
#include <map>
#include <string>

#include "core/random.hpp"
#include "data/metric_store.hpp"
#include "storage/database.hpp"

namespace al::data {

/// Records every 15 s how many tasks wait and run, as the metrics `queue.pending` and `queue.started` of each tenant,
/// so that the depth of the queue can be seen over time. Of all processes one does so: whoever holds the lease. A
/// tenant whose queue is and stays empty gets no values. Lives on one thread.
class QueueDepth {
 public:
  QueueDepth(storage::Database& database, MetricBuffer& metrics, Clock const& clock, Random& random)
      : database_(database), metrics_(metrics), holder_(uuid_v7(clock, random)) {}

  /// Looks again and again, until it is cancelled.
  [[nodiscard]] Task<void> run();
  /// Looks once; false when another process does so.
  [[nodiscard]] Task<bool> look(Deadline);

 private:
  struct Depth {
    std::int64_t pending = 0;
    std::int64_t started = 0;
  };
  [[nodiscard]] Task<bool> hold_lease(Deadline);
  void record(std::string const& tenant, std::string name, std::int64_t before, std::int64_t now);

  storage::Database& database_;
  MetricBuffer& metrics_;
  std::string const holder_;
  bool is_ours_ = false;
  std::map<std::string, Depth, std::less<>> last_;  ///< by tenant
};

}  // namespace al::data
