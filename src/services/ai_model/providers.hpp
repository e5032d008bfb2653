#pragma once
#include "http/router.hpp"
#include "services/ai_model/registered.hpp"
#include "services/ai_model/routes.hpp"

namespace al::services::ai_model {

/// What the handlers work with. All outlive the router.
struct ProviderServices {
  data::ProviderStore& store;
  security::Sealing& sealing;
  security::OutgoingHosts const& hosts;
  providers::Accounts const& operators;  ///< those of the settings
  Clients clients;                       ///< for the test of a provider
};

/// `/providers`: where models are to be had. Keys come in and never go out.
void add_provider_routes(http::Router&, ProviderServices const&);

}  // namespace al::services::ai_model
