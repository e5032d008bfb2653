#include "storage/measured.hpp"

#include <prometheus/histogram.h>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <map>
#include <shared_mutex>

namespace al::storage {

namespace {

prometheus::Histogram::BucketBoundaries const& buckets() {
  static prometheus::Histogram::BucketBoundaries const seconds{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                                               0.1,    0.25,  0.5,    1,     2.5,  10};
  return seconds;
}

/// Observes when it goes, also when the call threw: what took long and failed took long.
class Stopwatch {
 public:
  explicit Stopwatch(prometheus::Histogram& histogram, prometheus::Histogram* also = nullptr)
      : histogram_(histogram), also_(also) {}
  ~Stopwatch() {
    std::chrono::duration<double> const took = std::chrono::steady_clock::now() - begun_;
    histogram_.Observe(took.count());
    if (also_ != nullptr)
      also_->Observe(took.count());
  }
  Stopwatch(Stopwatch const&) = delete;
  Stopwatch& operator=(Stopwatch const&) = delete;

 private:
  prometheus::Histogram& histogram_;
  prometheus::Histogram* also_;
  SteadyTime begun_ = std::chrono::steady_clock::now();
};

}  // namespace

/// Statements are constants of the program, so there are only so many names.
struct MeasuredDatabase::Figures {
  prometheus::Histogram& of(std::string_view statement) {
    {
      std::shared_lock const lock(mutex);
      if (auto const found = by_statement.find(statement); found != by_statement.end())
        return found->second;
    }
    std::unique_lock const lock(mutex);
    return by_statement.try_emplace(std::string(statement), buckets()).first->second;
  }

  std::shared_mutex mutex;
  std::map<std::string, prometheus::Histogram, std::less<>> by_statement;
  prometheus::Histogram transactions{buckets()};
};

MeasuredDatabase::MeasuredDatabase(std::unique_ptr<Database> database)
    : database_(std::move(database)), figures_(std::make_unique<Figures>()) {}

MeasuredDatabase::~MeasuredDatabase() = default;

Task<Rows> MeasuredDatabase::read(Scope scope, Statement const& statement, Values values, Deadline deadline) {
  Stopwatch const watch(figures_->of(statement.name));
  co_return co_await database_->read(std::move(scope), statement, std::move(values), deadline);
}

Task<Result<std::vector<Rows>>> MeasuredDatabase::apply(Batch batch, Deadline deadline) {
  auto const name = batch.steps.empty() ? std::string_view("empty") : batch.steps.front().statement->name;
  Stopwatch const watch(figures_->of(name), &figures_->transactions);
  co_return co_await database_->apply(std::move(batch), deadline);
}

Task<Result<Row>> MeasuredDatabase::write_row(Scope scope, RowStatement const& statement, Values values,
                                              Deadline deadline) {
  Stopwatch const watch(figures_->of(statement.name), &figures_->transactions);
  co_return co_await database_->write_row(std::move(scope), statement, std::move(values), deadline);
}

std::string MeasuredDatabase::metrics() const {
  prometheus::MetricFamily latency{"service_data_latency_seconds",
                                   "Time from a call of the data layer to its answer, by statement.",
                                   prometheus::MetricType::Histogram,
                                   {}};
  prometheus::MetricFamily transactions{"transaction_duration_seconds",
                                        "Time from a write to its durable answer.",
                                        prometheus::MetricType::Histogram,
                                        {figures_->transactions.Collect()}};
  std::shared_lock const lock(figures_->mutex);
  for (auto const& [name, histogram] : figures_->by_statement) {
    auto metric = histogram.Collect();
    metric.label.push_back({"operation", name});
    latency.metric.push_back(std::move(metric));
  }
  return prometheus::TextSerializer().Serialize({latency, transactions});
}

}  // namespace al::storage
