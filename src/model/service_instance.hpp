#pragma once
#include <boost/describe.hpp>

#include "core/entity.hpp"

namespace al::model {

struct InstanceTag {
  static constexpr IdKind kind = IdKind::uuid;
};
using InstanceId = Id<InstanceTag>;

struct ServiceTag {
  static constexpr IdKind kind = IdKind::slug;
};
using ServiceName = Id<ServiceTag>;

enum class InstanceStatus {
  starting,
  healthy,
  degraded,   ///< it answers, but says that something is amiss
  unhealthy,  ///< it does not answer
  stopping,   ///< it ends what it has and takes nothing new
  unknown,    ///< nobody has asked it yet
};
BOOST_DESCRIBE_ENUM(InstanceStatus, starting, healthy, degraded, unhealthy, stopping, unknown)

/// Whether it takes new calls.
[[nodiscard]] constexpr bool is_available(InstanceStatus status) {
  return status == InstanceStatus::healthy || status == InstanceStatus::degraded;
}

enum class InstanceScheme { http, https };
BOOST_DESCRIBE_ENUM(InstanceScheme, http, https)

/// Who speaks for it.
enum class InstanceSource {
  process,   ///< a process of this installation registered itself
  external,  ///< a client registered it
};
BOOST_DESCRIBE_ENUM(InstanceSource, process, external)

inline constexpr std::int64_t instance_tags_max = 20;
inline constexpr std::size_t instance_tag_bytes_max = 50;

/// One process that answers for a service. All of them belong to the tenant of those who run the installation.
struct ServiceInstance {
  InstanceId id;
  ServiceName name;
  std::string host;
  std::int64_t port = 0;
  InstanceScheme scheme = InstanceScheme::http;
  std::string release;
  std::string zone = "zone-1";
  std::int64_t weight = 1;
  std::vector<std::string> tags;
  std::vector<ServiceName> depends_on;
  Document metadata;
  std::string health_path = "/ready";
  std::optional<std::int64_t> ttl_seconds;
  InstanceSource source = InstanceSource::external;
  InstanceStatus status = InstanceStatus::unknown;
  std::int64_t version = 1;
  Timestamp registered_at{};
  Timestamp updated_at{};
  // Below is what changes without an event; stores read and write these columns by hand.
  std::int64_t connections = 0;
  Timestamp heartbeat_at{};
  std::optional<Timestamp> expires_at;
  std::optional<Timestamp> checked_at;
  std::optional<Timestamp> unhealthy_since;
};
BOOST_DESCRIBE_STRUCT(ServiceInstance, (),
                      (id, name, host, port, scheme, release, zone, weight, tags, depends_on, metadata, health_path,
                       ttl_seconds, source, status, version, registered_at, updated_at, connections, heartbeat_at,
                       expires_at, checked_at, unhealthy_since))

constexpr auto describe(std::type_identity<ServiceInstance>) {
  using namespace entity;
  using I = ServiceInstance;
  constexpr auto server = Access::read_only;
  constexpr auto client = Access::create_only;
  return about(
      "ServiceInstance", "service_instances", "One process that answers for a service.",
      field<&I::id>("UUIDv7, given by the server.", {.access = server}),
      field<&I::name>("Of the service, a slug.", {.access = client}),
      field<&I::host>("A name, an IPv4 address, or an IPv6 address without brackets.",
                      {.min = 1, .max = 253, .access = client}),
      field<&I::port>("Where it listens.", {.min = 1, .max = 65535, .access = client}),
      field<&I::scheme>("How it is spoken to.", {.access = client, .defaulted = true}),
      field<&I::release>("Of its software, such as 1.4.0.", {.max = 50, .access = client, .defaulted = true}),
      field<&I::zone>("Where it runs; calls within a zone are short.",
                      {.min = 1, .max = 50, .access = client, .defaulted = true}),
      field<&I::weight>("Its share of calls that are spread by weight.",
                        {.min = 1, .max = 1000, .access = client, .defaulted = true}),
      field<&I::tags>("By which it can be found; each up to 50 bytes, without commas.",
                      {.max = instance_tags_max, .access = client, .defaulted = true}),
      field<&I::depends_on>("Services that it calls.", {.max = instance_tags_max, .access = client, .defaulted = true}),
      field<&I::metadata>("Anything else about it.", {.max = 16'384, .access = client, .defaulted = true}),
      field<&I::health_path>("What is asked whether it is well; 200 says so.",
                             {.min = 1, .max = 500, .access = client, .defaulted = true}),
      field<&I::ttl_seconds>("It is gone so long after its last heartbeat; null: it sends none, and is gone once it "
                             "has not answered for a minute.",
                             {.min = 5, .max = 86'400, .access = client, .defaulted = true}),
      field<&I::source>("Who speaks for it: a process of this installation itself, or a client.", {.access = server}),
      field<&I::status>("healthy and degraded ones take calls.", {.access = server}),
      field<&I::version>("Counts its changes; heartbeats are none. The ETag.", {.access = server}),
      field<&I::registered_at>("When it was registered, UTC.", {.access = server}),
      field<&I::updated_at>("When it was last changed, UTC.", {.access = server}),
      field<&I::connections>("Open connections, as its last heartbeat said.", {.access = server, .stored = false}),
      field<&I::heartbeat_at>("Its last sign of life, UTC.", {.access = server, .stored = false}),
      field<&I::expires_at>("When it is gone without a heartbeat, UTC; null: never.",
                            {.access = server, .stored = false}),
      field<&I::checked_at>("When it was last asked, UTC; null: not yet.", {.access = server, .stored = false}),
      field<&I::unhealthy_since>("Since when it does not answer, UTC; null: it does.",
                                 {.access = server, .stored = false}));
}

/// What a heartbeat may say.
struct InstanceHeartbeat {
  std::int64_t connections = 0;
};
BOOST_DESCRIBE_STRUCT(InstanceHeartbeat, (), (connections))

constexpr auto describe(std::type_identity<InstanceHeartbeat>) {
  using namespace entity;
  return about("InstanceHeartbeat", "", "A sign of life.",
               field<&InstanceHeartbeat::connections>("How many connections the instance has open.",
                                                      {.min = 0, .max = 1'000'000'000, .defaulted = true}));
}

/// A service as the sum of its instances.
struct ServiceSummary {
  ServiceName name;
  std::int64_t instances = 0;
  std::int64_t available = 0;
  std::int64_t healthy = 0;
};
BOOST_DESCRIBE_STRUCT(ServiceSummary, (), (name, instances, available, healthy))

constexpr auto describe(std::type_identity<ServiceSummary>) {
  using namespace entity;
  using S = ServiceSummary;
  return about("ServiceSummary", "", "A service as the sum of its instances.", field<&S::name>("The service's name."),
               field<&S::instances>("How many there are."),
               field<&S::available>("How many of them take calls: those that are healthy or degraded."),
               field<&S::healthy>("How many are healthy."));
}

struct ServiceMetrics {
  ServiceName name;
  std::int64_t total_instances = 0;
  std::int64_t healthy = 0;
  std::int64_t degraded = 0;
  std::int64_t unhealthy = 0;
  double availability = 0;
  std::int64_t average_uptime_seconds = 0;
  std::vector<std::string> zones;
  std::vector<std::string> releases;
};
BOOST_DESCRIBE_STRUCT(ServiceMetrics, (),
                      (name, total_instances, healthy, degraded, unhealthy, availability, average_uptime_seconds, zones,
                       releases))

constexpr auto describe(std::type_identity<ServiceMetrics>) {
  using namespace entity;
  using M = ServiceMetrics;
  return about("ServiceMetrics", "", "How a service is doing.", field<&M::name>("The service's name."),
               field<&M::total_instances>("How many instances there are."), field<&M::healthy>("Healthy ones."),
               field<&M::degraded>("Degraded ones, which take calls too."), field<&M::unhealthy>("Unhealthy ones."),
               field<&M::availability>("The part of them that takes calls, 0 to 1."),
               field<&M::average_uptime_seconds>("Since they registered, on average."),
               field<&M::zones>("Where they run, in order."),
               field<&M::releases>("Of their software, in order; those that say none are left out."));
}

/// Which services the instances of a service say that they call.
struct ServiceDependency {
  ServiceName service;
  std::vector<ServiceName> depends_on;
};
BOOST_DESCRIBE_STRUCT(ServiceDependency, (), (service, depends_on))

constexpr auto describe(std::type_identity<ServiceDependency>) {
  using namespace entity;
  return about("ServiceDependency", "", "Which services a service calls.",
               field<&ServiceDependency::service>("The one that calls."),
               field<&ServiceDependency::depends_on>("Those that it calls, in order."));
}

struct ServiceTopology {
  std::vector<ServiceSummary> services;
  std::int64_t total_instances = 0;
  std::int64_t healthy_instances = 0;
  std::vector<ServiceDependency> dependencies;
};
BOOST_DESCRIBE_STRUCT(ServiceTopology, (), (services, total_instances, healthy_instances, dependencies))

constexpr auto describe(std::type_identity<ServiceTopology>) {
  using namespace entity;
  using T = ServiceTopology;
  return about("ServiceTopology", "", "All services and who calls whom.", field<&T::services>("By name."),
               field<&T::total_instances>("Of all services."), field<&T::healthy_instances>("Of all services."),
               field<&T::dependencies>("Of the services that name any, by name."));
}

}  // namespace al::model
