#pragma once
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "data/change.hpp"
#include "data/page.hpp"
#include "model/service_instance.hpp"

namespace al::data {

/// Where services answer. All rows belong to `default_tenant`, whose people run the installation; actors of other
/// tenants are refused. What has expired by the database's clock is gone for every reader at once, and is swept later.
/// Registering, leaving, expiry and status changes are events `service:*`; heartbeats and checks are none. Thread-safe.
class ServiceStore {
 public:
  /// Of what clients registered; processes of the installation always find room.
  static constexpr std::int64_t external_instances_max = 1000;
  /// What readers and checks take at once, also the processes' own.
  static constexpr std::int64_t instances_max = 5000;

  explicit ServiceStore(Writer& writer) : writer_(writer) {}

  [[nodiscard]] model::InstanceId new_id() { return model::InstanceId{writer_.new_uuid()}; }

  /// One that has its id already is registered anew. `process` names all that one process answers for; empty: a client
  /// registers it. Errors: forbidden, conflict (there are too many), invalid.
  [[nodiscard]] Task<Result<model::ServiceInstance>> add(Actor const&, model::ServiceInstance, std::string process,
                                                         Deadline);
  /// Errors: not_found.
  [[nodiscard]] Task<Result<model::ServiceInstance>> get(model::InstanceId const&, Deadline);
  /// Those of a service, by id; of all services, by service, when it is empty. Up to `instances_max`.
  [[nodiscard]] Task<std::vector<model::ServiceInstance>> all(model::ServiceName const& service, Deadline);
  /// By service and id. Errors: invalid (a cursor that is none of ours).
  [[nodiscard]] Task<Result<Page<model::ServiceInstance>>> list(PageRequest, Deadline);

  /// Open connections by instance.
  using Connections = std::map<std::string, std::int64_t>;
  /// Says that a process lives, for all its instances in one statement; the answer is those that are still there.
  [[nodiscard]] Task<std::vector<model::InstanceId>> beat(std::string process, Connections const&, Deadline);
  /// The same of one that a client registered. Errors: forbidden, not_found, conflict (a process speaks for itself).
  [[nodiscard]] Task<Result<model::ServiceInstance>> heartbeat(Actor const&, model::InstanceId const&,
                                                               model::InstanceHeartbeat, Deadline);

  /// `expected` is the version that the decision rests on; none: whatever it is. Errors: forbidden, conflict (it has
  /// this status, has changed, or is gone).
  [[nodiscard]] Task<Result<model::ServiceInstance>> set_status(Actor const&, model::InstanceId const&,
                                                                model::InstanceStatus,
                                                                std::optional<std::int64_t> expected, Deadline);
  /// Errors: forbidden, not_found.
  [[nodiscard]] Task<Result<void>> remove(Actor const&, model::InstanceId const&, Deadline);
  /// As remove(), of what a client registered. Errors: also conflict (a process speaks for itself).
  [[nodiscard]] Task<Result<void>> remove_external(Actor const&, model::InstanceId const&, Deadline);

  struct Due {
    std::vector<model::ServiceInstance> checks;  ///< the caller asks them how they are; no other process does
    std::vector<model::InstanceId> expired;      ///< for expire()
  };
  /// Takes the checks that are due, each of which is due again after `interval`, and looks for what has expired.
  [[nodiscard]] Task<Due> take_due(std::chrono::microseconds interval, Deadline);
  /// False: another process was first, or it lives again.
  [[nodiscard]] Task<bool> expire(model::InstanceId const&, Deadline);
  /// Removes rows that ended a day ago.
  [[nodiscard]] Task<void> purge(Deadline);

 private:
  Writer& writer_;
};

}  // namespace al::data
