#pragma once
#include <boost/describe.hpp>

#include "core/entity.hpp"

namespace al::model {

/// One measured value.
struct Metric {
  std::string service;
  std::string name;
  double value = 0;
  Document tags;
  std::optional<Timestamp> timestamp;
};
BOOST_DESCRIBE_STRUCT(Metric, (), (service, name, value, tags, timestamp))

constexpr auto describe(std::type_identity<Metric>) {
  using namespace entity;
  return about("Metric", "metrics", "A value that a service measured.",
               field<&Metric::service>("Who measured it: letters, digits and _ . : -", {.min = 1, .max = 50}),
               field<&Metric::name>("What was measured: letters, digits and _ . : -", {.min = 1, .max = 100}),
               field<&Metric::value>("The value, from -1e290 to 1e290."),
               field<&Metric::tags>("Texts that tell values of one name apart: {host: \"a\"}.",
                                    {.max = 2048, .defaulted = true}),
               field<&Metric::timestamp>("When, UTC; now when it is left out."));
}

/// What a client records at once.
struct MetricBatch {
  std::vector<Metric> metrics;
};
BOOST_DESCRIBE_STRUCT(MetricBatch, (), (metrics))

constexpr auto describe(std::type_identity<MetricBatch>) {
  using namespace entity;
  return about("MetricBatch", "", "Values to record, all or none.",
               field<&MetricBatch::metrics>("The values.", {.min = 1, .max = 1000}));
}

/// The values of a stretch of time that begins at `start`.
struct MetricBucket {
  Timestamp start{};
  std::int64_t count = 0;
  double min = 0;
  double max = 0;
  double mean = 0;
  double sum = 0;
  double last = 0;
  double p50 = 0;
  double p95 = 0;
  double p99 = 0;
};
BOOST_DESCRIBE_STRUCT(MetricBucket, (), (start, count, min, max, mean, sum, last, p50, p95, p99))

constexpr auto describe(std::type_identity<MetricBucket>) {
  using namespace entity;
  return about("MetricBucket", "", "The values of a stretch of time; one without values is left out.",
               field<&MetricBucket::start>("Its first moment, UTC."), field<&MetricBucket::count>("How many values."),
               field<&MetricBucket::min>("The least of them."), field<&MetricBucket::max>("The greatest of them."),
               field<&MetricBucket::mean>("Their mean."), field<&MetricBucket::sum>("Their sum."),
               field<&MetricBucket::last>("The latest of them."),
               field<&MetricBucket::p50>("Half of them are not greater: the nearest rank, one of the values."),
               field<&MetricBucket::p95>("The same of 95 in 100."),
               field<&MetricBucket::p99>("The same of 99 in 100."));
}

/// A name that has values, with the latest of them.
struct MetricName {
  std::string name;
  std::string service;
  double value = 0;
  Timestamp timestamp{};
};
BOOST_DESCRIBE_STRUCT(MetricName, (), (name, service, value, timestamp))

constexpr auto describe(std::type_identity<MetricName>) {
  using namespace entity;
  return about("MetricName", "", "A metric and its latest value.", field<&MetricName::name>("What is measured."),
               field<&MetricName::service>("Who measured it last."), field<&MetricName::value>("The latest value."),
               field<&MetricName::timestamp>("When that was, UTC."));
}

}  // namespace al::model
