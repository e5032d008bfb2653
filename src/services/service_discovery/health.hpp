#pragma once
#include <optional>

#include "data/service_store.hpp"
#include "http/client_pool.hpp"

namespace al::services::service_discovery {

/// What an instance said when it was asked how it is.
enum class HealthAnswer {
  good,   ///< 200
  other,  ///< any other answer
  none,   ///< none in time
};

/// The status that an answer gives it; nothing when it keeps what it has.
[[nodiscard]] std::optional<model::InstanceStatus> status_after(model::InstanceStatus, HealthAnswer);

/// Asks each instance every ten seconds how it is, and lets those go that have expired. Processes share the work: a
/// check is taken in the database, by one of them.
class HealthChecks {
 public:
  /// `clients` may connect to what security::may_be_service allows, and to nothing else.
  HealthChecks(data::ServiceStore& services, http::ClientPool& clients, Clock const& clock)
      : services_(services), clients_(clients), clock_(clock) {}

  /// Until it is cancelled.
  [[nodiscard]] Task<void> run();

  /// What is due now.
  [[nodiscard]] Task<void> look();

 private:
  [[nodiscard]] Task<bool> check(model::ServiceInstance);
  [[nodiscard]] Task<HealthAnswer> ask(model::ServiceInstance const&);

  data::ServiceStore& services_;
  http::ClientPool& clients_;
  Clock const& clock_;
  SteadyTime next_purge_{};
};

}  // namespace al::services::service_discovery
