#include "services/service_discovery/choice.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

namespace al::services::service_discovery {

namespace {

using model::InstanceStatus;
using model::ServiceInstance;
using Pointers = std::vector<ServiceInstance const*>;

Pointers in_order(Instances const& instances) {
  Pointers out;
  for (auto const& instance : instances)
    out.push_back(&instance);
  std::ranges::sort(out, {}, &ServiceInstance::id);
  return out;
}

ServiceInstance const* one_after_the_other(Pointers const& among, std::uint64_t turn) {
  return among.at(static_cast<std::size_t>(turn % among.size()));
}

ServiceInstance const* by_weight(Pointers const& among, std::uint64_t turn) {
  auto const total = std::accumulate(among.begin(), among.end(), std::int64_t{0},
                                     [](std::int64_t sum, auto const* one) { return sum + one->weight; });
  auto left = static_cast<std::int64_t>(turn % static_cast<std::uint64_t>(total));
  for (auto const* one : among) {
    left -= one->weight;
    if (left < 0)
      return one;
  }
  return among.back();
}

std::int64_t count(Instances const& instances, InstanceStatus status) {
  return std::ranges::count(instances, status, &ServiceInstance::status);
}

}  // namespace

Instances matching(Instances instances, std::vector<std::string> const& tags, bool available) {
  std::erase_if(instances, [&](ServiceInstance const& one) {
    bool const has_tags =
        std::ranges::all_of(tags, [&](auto const& tag) { return std::ranges::find(one.tags, tag) != one.tags.end(); });
    return !has_tags || (available && !model::is_available(one.status));
  });
  return instances;
}

ServiceInstance const* choose(Instances const& instances, Strategy strategy, std::string_view zone,
                              std::uint64_t turn) {
  auto among = in_order(instances);
  if (among.empty())
    return nullptr;
  switch (strategy) {
    case Strategy::round_robin:
      return one_after_the_other(among, turn);
    case Strategy::least_connections:
      return *std::ranges::min_element(among, {}, &ServiceInstance::connections);
    case Strategy::weighted:
      return by_weight(among, turn);
    case Strategy::zone_aware:
      break;
  }
  Pointers near;
  std::ranges::copy_if(among, std::back_inserter(near), [&](auto const* one) { return one->zone == zone; });
  return one_after_the_other(near.empty() ? among : near, turn);
}

std::vector<model::ServiceSummary> summaries(Instances const& instances) {
  std::map<std::string, model::ServiceSummary> services;
  for (auto const& instance : instances) {
    auto& service = services[instance.name.value];
    service.name = instance.name;
    ++service.instances;
    service.available += model::is_available(instance.status) ? 1 : 0;
    service.healthy += instance.status == InstanceStatus::healthy ? 1 : 0;
  }
  std::vector<model::ServiceSummary> out;
  for (auto& [name, service] : services)
    out.push_back(std::move(service));
  return out;
}

model::ServiceMetrics metrics_of(Instances const& instances, Timestamp now) {
  model::ServiceMetrics out;
  std::set<std::string> zones;
  std::set<std::string> releases;
  std::chrono::microseconds uptime{};
  for (auto const& instance : instances) {
    out.name = instance.name;
    zones.insert(instance.zone);
    if (!instance.release.empty())
      releases.insert(instance.release);
    uptime += std::max(now - instance.registered_at, std::chrono::microseconds{});
  }
  out.total_instances = std::ssize(instances);
  out.healthy = count(instances, InstanceStatus::healthy);
  out.degraded = count(instances, InstanceStatus::degraded);
  out.unhealthy = count(instances, InstanceStatus::unhealthy);
  if (out.total_instances > 0) {
    out.availability = static_cast<double>(out.healthy + out.degraded) / static_cast<double>(out.total_instances);
    out.average_uptime_seconds = std::chrono::duration_cast<std::chrono::seconds>(uptime / out.total_instances).count();
  }
  out.zones.assign(zones.begin(), zones.end());
  out.releases.assign(releases.begin(), releases.end());
  return out;
}

model::ServiceTopology topology(Instances const& instances) {
  std::map<std::string, std::set<std::string>> calls;
  for (auto const& instance : instances) {
    for (auto const& other : instance.depends_on)
      calls[instance.name.value].insert(other.value);
  }
  model::ServiceTopology out{.services = summaries(instances),
                             .total_instances = std::ssize(instances),
                             .healthy_instances = count(instances, InstanceStatus::healthy),
                             .dependencies = {}};
  for (auto const& [service, others] : calls) {
    model::ServiceDependency dependency{.service = model::ServiceName{service}, .depends_on = {}};
    for (auto const& other : others)
      dependency.depends_on.emplace_back(other);
    out.dependencies.push_back(std::move(dependency));
  }
  return out;
}

}  // namespace al::services::service_discovery
