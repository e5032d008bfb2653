#pragma once
#include "data/service_directory.hpp"
#include "services/gateway/gateway.hpp"

namespace al::app {

/// Tells a gateway once a second where the services answer that it has no configured instances of. While the database
/// is away it keeps to what it knew. All three outlive the call.
[[nodiscard]] Task<void> tell_instances(data::ServiceDirectory&, services::gateway::Gateway&, Clock const&);

}  // namespace al::app
