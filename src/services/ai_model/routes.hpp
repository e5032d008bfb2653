#pragma once
/// The role ai-model (8005): models and their providers, and the endpoints that OpenAI's and Anthropic's clients call.

#include "data/usage_store.hpp"
#include "http/client_pool.hpp"
#include "http/router.hpp"
#include "providers/account.hpp"
#include "services/ai_model/usage.hpp"

namespace al::services::ai_model {

/// Who calls providers. An account of the operator may have any address; the other clients refuse private ones.
struct Clients {
  http::ClientPool& of_operator;
  http::ClientPool& of_tenants;

  [[nodiscard]] http::Client& client_for(providers::Account const& account, asio::any_io_executor const& here) const {
    return (account.is_operators ? of_operator : of_tenants).here(here);
  }
};

/// What the handlers work with. All outlive the router.
struct Models {
  providers::Directory& directory;
  Clients clients;
  Usage& usage;
  data::UsageStore& usage_store;
};

void add_routes(http::Router&, Models const&);

// One file each.
void add_passthrough_routes(http::Router&, Models const&);
void add_model_routes(http::Router&, Models const&);
void add_usage_routes(http::Router&, Models const&);

}  // namespace al::services::ai_model
