#pragma once
#include <mutex>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "cache/local_cache.hpp"
#include "events/bus.hpp"
#include "providers/account.hpp"
#include "services/ai_model/registered.hpp"

namespace al::app {

/// The accounts of a tenant: what it registered, then those of the settings. Remembered for at most a second, and
/// forgotten as soon as a change of a provider of the tenant is announced. Thread-safe; of many callers at once one
/// loads.
class Directory final : public providers::Directory {
 public:
  /// Listens on `bus`, which announces nothing any more when this goes.
  Directory(services::ai_model::Registered registered, providers::Accounts const& operators, events::Bus& bus,
            Clock const& clock)
      : registered_(registered), operators_(operators), known_(clock) {
    bus.on("provider:*", [this](events::Announcement const& it) { known_.forget(it.tenant.value); });
  }

  /// A registered provider that cannot be used (its key does not open, its host is not allowed any more) is left out,
  /// and the log says so once. Throws Unavailable.
  [[nodiscard]] Task<std::shared_ptr<providers::Accounts const>> accounts(TenantId const&, Deadline) override;

 private:
  class Turn;
  /// Null: the turn is ours. Otherwise whom to wait with.
  [[nodiscard]] std::shared_ptr<asio::steady_timer> join(std::string const& tenant, asio::any_io_executor, Deadline);
  void leave(std::string const& tenant);
  [[nodiscard]] Task<std::shared_ptr<providers::Accounts const>> load(TenantId const&, Deadline);
  void warn_once(TenantId const&, data::StoredProvider const&, Error const&);

  services::ai_model::Registered registered_;
  providers::Accounts const& operators_;
  cache::LocalCache<providers::Accounts> known_;
  std::mutex mutex_;
  /// By tenant, who waits for the one that loads. Weak: a process that ends drops coroutines with their contexts.
  std::unordered_map<std::string, std::vector<std::weak_ptr<asio::steady_timer>>> loading_;
  std::set<std::string> warned_;
};

}  // namespace al::app
