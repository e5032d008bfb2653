#pragma once
/// The role operations (8011): series of measured values.

#include "data/metric_store.hpp"
#include "http/router.hpp"

namespace al::services::operations {

/// What the handlers work with. All outlive the router.
struct MetricsSeries {
  data::MetricStore& metrics;
  Clock const& clock;
};

void add_metrics_series_routes(http::Router&, MetricsSeries const&);

}  // namespace al::services::operations
