#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>
#include <unistd.h>

#include <fstream>

#include "services/system/system.hpp"

namespace al::services::system {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

MetricFamily gauge(std::string name, std::string help, double value) {
  ClientMetric metric;
  metric.gauge.value = value;
  return {std::move(name), std::move(help), MetricType::Gauge, {metric}};
}

MetricFamily counter(std::string name, std::string help, double value) {
  ClientMetric metric;
  metric.counter.value = value;
  return {std::move(name), std::move(help), MetricType::Counter, {metric}};
}

MetricFamily pool(Figures const& figures) {
  MetricFamily family{
      "agent_lightning_database_connections", "Connections to the database, by state.", MetricType::Gauge, {}};
  auto const add = [&](std::string state, std::int64_t count) {
    ClientMetric metric;
    metric.label = {{"state", std::move(state)}};
    metric.gauge.value = static_cast<double>(count);
    family.metric.push_back(std::move(metric));
  };
  add("in_use", figures.pool_in_use);
  add("idle", figures.pool_size - figures.pool_in_use);
  return family;
}

MetricFamily cache_hit_ratio(Figures const& figures) {
  MetricFamily family{"cache_hit_ratio", "Finds that found, since the start, by cache.", MetricType::Gauge, {}};
  for (auto const& [cache, ratio] : figures.cache_hit_ratios) {
    ClientMetric metric;
    metric.label = {{"cache", cache}};
    metric.gauge.value = ratio;
    family.metric.push_back(std::move(metric));
  }
  return family;
}

MetricFamily counters(std::string name, std::string help, std::string const& label,
                      std::map<std::string, std::uint64_t> const& counts) {
  MetricFamily family{std::move(name), std::move(help), MetricType::Counter, {}};
  for (auto const& [value, count] : counts) {
    ClientMetric metric;
    metric.label = {{label, value}};
    metric.counter.value = static_cast<double>(count);
    family.metric.push_back(std::move(metric));
  }
  return family;
}

/// A constant 1 whose labels say what runs.
MetricFamily build_info(std::string_view database) {
  MetricFamily family{"agent_lightning_build_info", "The version that runs.", MetricType::Gauge, {}};
  ClientMetric metric;
  metric.label = {{"version", AL_VERSION}, {"database", std::string(database)}};
  metric.gauge.value = 1;
  family.metric.push_back(std::move(metric));
  return family;
}

}  // namespace

std::uint64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::uint64_t total_pages = 0;
  std::uint64_t resident_pages = 0;
  file >> total_pages >> resident_pages;
  return resident_pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

std::string metrics_text(Process const& process, Clock const& clock, SteadyTime started) {
  auto const figures = process.figures();
  auto const number = [](auto value) { return static_cast<double>(value); };
  std::chrono::duration<double> const uptime = clock.steady() - started;
  std::vector<MetricFamily> const families{
      build_info(process.database_kind()),
      gauge("process_resident_memory_bytes", "Memory that the process holds.", number(resident_bytes())),
      gauge("agent_lightning_uptime_seconds", "Time since the start.", uptime.count()),
      gauge("agent_lightning_ready", "1 when migrated and seeded.", process.is_ready() ? 1 : 0),
      counter("agent_lightning_http_requests_total", "Requests answered, on all ports.", number(figures.requests)),
      gauge("agent_lightning_http_connections", "Connections open, on all ports.", number(figures.connections)),
      pool(figures),
      gauge("database_connections_active", "Connections to the database that are in use.", number(figures.pool_in_use)),
      cache_hit_ratio(figures),
      counter("cache_failures_total", "Calls that the cache did not answer; the database did.",
              number(figures.cache_failures)),
      counters("events_published_total", "Events that this process committed, by channel.", "channel",
               figures.published),
      counters("events_failed_total", "Attempts to handle an event that failed, by consumer.", "consumer",
               figures.failed),
      gauge("agent_lightning_database_connections_max", "Connections there may be.", number(figures.pool_size_max)),
      gauge("agent_lightning_database_waiting", "Callers that wait for the database.", number(figures.pool_waiting)),
      counter("agent_lightning_background_failures_total", "Background tasks that ended in an exception.",
              number(spawn_failures())),
  };
  return prometheus::TextSerializer().Serialize(families) + process.role_metrics();
}

}  // namespace al::services::system
