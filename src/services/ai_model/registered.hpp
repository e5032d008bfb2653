#pragma once
#include "data/provider_store.hpp"
#include "providers/account.hpp"
#include "security/outgoing.hpp"
#include "security/sealing.hpp"

namespace al::services::ai_model {

/// Where a provider's key stands, for Sealing.
[[nodiscard]] security::Place place_of_key(model::ProviderId const&);

/// What it takes to use what clients registered. All outlive it.
struct Registered {
  data::ProviderStore& store;
  security::Sealing& sealing;
  security::OutgoingHosts const& hosts;
};

/// A registered provider as an account, its key unsealed. Errors: forbidden (its host is not allowed any more), and
/// those of Sealing::open.
[[nodiscard]] Task<Result<providers::Account>> account_of(Registered, TenantId const&, data::StoredProvider, Deadline);

/// An account of the settings as clients see it, without its key.
[[nodiscard]] model::Provider shown(providers::Account const&);

}  // namespace al::services::ai_model
