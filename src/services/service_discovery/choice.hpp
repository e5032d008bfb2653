#pragma once
/// Which instance of a service a caller is sent to, and what is told of services as a whole. Pure.

#include <boost/describe/enum.hpp>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/time.hpp"
#include "model/service_instance.hpp"

namespace al::services::service_discovery {

enum class Strategy {
  round_robin,        ///< one after the other, by id
  least_connections,  ///< the fewest open connections, as heartbeats said; of equal ones the least id
  weighted,           ///< one after the other, each `weight` times
  zone_aware,         ///< as round_robin, within the caller's zone; of all, when it has none
};
BOOST_DESCRIBE_ENUM(Strategy, round_robin, least_connections, weighted, zone_aware)

using Instances = std::vector<model::ServiceInstance>;

/// Those with all of these tags, in their order; `available`: only those that take calls.
[[nodiscard]] Instances matching(Instances, std::vector<std::string> const& tags, bool available);

/// `turn` counts the choices: the same turn among the same instances chooses the same. Null: there is none.
[[nodiscard]] model::ServiceInstance const* choose(Instances const&, Strategy, std::string_view zone,
                                                   std::uint64_t turn);

/// By name. `instances` are in the order of their services.
[[nodiscard]] std::vector<model::ServiceSummary> summaries(Instances const& instances);
[[nodiscard]] model::ServiceMetrics metrics_of(Instances const& of_one_service, Timestamp now);
[[nodiscard]] model::ServiceTopology topology(Instances const& instances);

}  // namespace al::services::service_discovery
