#include "app/gateway_instances.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "app/roles.hpp"
#include "core/fault.hpp"
#include "core/log.hpp"

namespace al::app {
namespace {

using model::InstanceStatus;
using services::gateway::Availability;

constexpr std::chrono::seconds interval{1};
constexpr std::chrono::seconds read_timeout{5};

Availability availability_of(InstanceStatus status) {
  if (model::is_available(status))
    return Availability::up;
  return status == InstanceStatus::stopping ? Availability::draining : Availability::down;
}

/// For a role of ours only our own processes answer: whoever may register instances would otherwise be sent the
/// credentials of all callers.
bool may_answer(model::ServiceInstance const& instance) {
  bool const is_role = std::ranges::find(all_roles(), instance.name.value, &RoleFacts::name) != all_roles().end();
  return !is_role || instance.source == model::InstanceSource::process;
}

Task<void> tell(data::ServiceDirectory& directory, services::gateway::Gateway& gateway, std::string service) {
  auto const known = co_await directory.of(service, Deadline::after(read_timeout));
  std::vector<services::gateway::Instance> instances;
  std::vector<Availability> availabilities;
  for (auto const& one : known ? *known : data::ServiceDirectory::Instances{}) {
    if (!may_answer(one))
      continue;
    instances.push_back({.host = one.host,
                         .port = static_cast<std::uint16_t>(one.port),
                         .is_tls = one.scheme == model::InstanceScheme::https});
    availabilities.push_back(availability_of(one.status));
  }
  // While none is well, as when all of them are just starting, the gateway answers itself, as when none is known.
  if (std::ranges::find(availabilities, Availability::up) == availabilities.end()) {
    instances.clear();
    availabilities.clear();
  }
  gateway.set_instances(service, instances);
  for (std::size_t i = 0; i < instances.size(); ++i)
    gateway.set_availability(service, instances[i], availabilities[i]);
}

}  // namespace

Task<void> tell_instances(data::ServiceDirectory& directory, services::gateway::Gateway& gateway, Clock const& clock) {
  for (std::string told;;) {
    std::string reason;
    try {
      for (auto const& service : gateway.undescribed_services())
        co_await tell(directory, gateway, service);
    } catch (Fault const& fault) {
      reason = fault.what();
    }
    if (!reason.empty() && reason != told)
      log::warning("the gateway cannot read where services answer; it is tried again",
                   {{"reason", std::string_view(reason)}});
    told = std::move(reason);
    co_await sleep_until(clock.steady() + interval);
  }
}

}  // namespace al::app
