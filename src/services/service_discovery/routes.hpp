#pragma once
/// The role service-discovery (8008): which processes answer for which service, and how they are doing.

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "data/service_store.hpp"
#include "http/router.hpp"

namespace al::services::service_discovery {

/// What the handlers work with. Store and clock outlive the router.
struct Discovery {
  data::ServiceStore& services;
  Clock const& clock;
  std::string zone;  ///< of this process: where callers are who name no zone
  /// Names of roles: only processes of the installation answer for these, since callers hand them their credentials.
  std::vector<std::string> roles;
  /// Counts the choices of this process.
  std::shared_ptr<std::atomic<std::uint64_t>> turn = std::make_shared<std::atomic<std::uint64_t>>(0);
};

void add_routes(http::Router&, Discovery const&);

// One file each.
void add_instance_routes(http::Router&, Discovery const&);
void add_service_routes(http::Router&, Discovery const&);

/// Errors: forbidden. Services are the installation's; whoever runs it knows them.
[[nodiscard]] Result<void> require_operator(http::Call const&);

template <class F>
[[nodiscard]] http::Handler bind(Discovery const& discovery, F handler) {
  return [discovery, handler](http::Call& call) { return handler(discovery, call); };
}

}  // namespace al::services::service_discovery
