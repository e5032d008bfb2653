#pragma once
#include <chrono>
#include <deque>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "data/page.hpp"
#include "model/metric.hpp"
#include "storage/database.hpp"

namespace al::data {

/// Series of measured values. Thread-safe.
class MetricStore {
 public:
  static constexpr std::size_t rows_max = 1000;      ///< of one record()
  static constexpr std::int64_t buckets_max = 1000;  ///< of one query()
  static constexpr std::chrono::days range_max{400};
  /// How far a value's time may be from now: what is older than this would soon be removed again.
  static constexpr std::chrono::days past_max{30};
  static constexpr std::chrono::hours ahead_max{1};

  MetricStore(storage::Database& database, Clock const& clock) : database_(database), clock_(clock) {}

  /// Adds the values, all or none; they are durable when it returns. At most rows_max.
  /// Errors: invalid, each fault naming its value (`metrics[3].tags`).
  [[nodiscard]] Task<Result<void>> record(TenantId, std::vector<model::Metric>, Deadline);

  struct Query {
    std::string name{};
    std::string service{};    ///< empty: of all
    std::string tags = "{}";  ///< a JSON object; values that have all of these
    Timestamp from{};
    Timestamp to{};  ///< the first moment that does not count
    std::chrono::seconds step{60};
  };
  /// In order of time; stretches without a value are left out.
  /// Errors: invalid, naming `from`, `to` or `step` (no time left, range_max, buckets_max).
  [[nodiscard]] Task<Result<std::vector<model::MetricBucket>>> query(TenantId, Query, Deadline);

  /// The names in their order, each with its latest value. A cursor is the last name.
  [[nodiscard]] Task<Page<model::MetricName>> names(TenantId, PageRequest, Deadline);

 private:
  storage::Database& database_;
  Clock const& clock_;
};

/// Gathers what the program measures itself and records it once a second. What a crash loses is the last second; when
/// the database is away for long, the newest values are dropped and counted. Thread-safe.
class MetricBuffer {
 public:
  static constexpr std::size_t waiting_max = 10'000;
  static constexpr std::size_t rows_per_write = 500;

  MetricBuffer(MetricStore& store, Clock const& clock) : store_(store), clock_(clock) {}

  /// Never blocks. A value without a time gets the present one.
  void add(TenantId const&, model::Metric);
  /// Records once a second until it is cancelled.
  [[nodiscard]] Task<void> run();
  /// Records all that waits now. Throws what the database throws; what was not recorded waits on.
  [[nodiscard]] Task<void> flush(Deadline);

  [[nodiscard]] std::uint64_t dropped() const;

 private:
  using Waiting = std::pair<TenantId, model::Metric>;
  /// The next values of one tenant.
  [[nodiscard]] std::vector<Waiting> take();
  void add_back(std::vector<Waiting>);

  MetricStore& store_;
  Clock const& clock_;
  mutable std::mutex mutex_;
  std::deque<Waiting> waiting_;
  std::uint64_t dropped_ = 0;
};

}  // namespace al::data
