#include "services/service_discovery/health.hpp"

#include <boost/describe/enum_to_string.hpp>

#include "core/log.hpp"

namespace al::services::service_discovery {

namespace {

using model::InstanceStatus;
using model::ServiceInstance;

constexpr std::chrono::seconds check_interval{10};
/// Two statements each time: an idle installation stays quiet.
constexpr std::chrono::seconds look_interval{5};
constexpr std::chrono::seconds purge_interval{3600};
constexpr std::chrono::seconds store_timeout{10};
constexpr std::chrono::seconds answer_timeout{2};
constexpr std::size_t checks_at_once_max = 20;

Deadline store_deadline() { return Deadline::after(store_timeout); }

std::string health_url(ServiceInstance const& instance) {
  bool const is_v6 = instance.host.contains(':');
  auto const scheme = boost::describe::enum_to_string(instance.scheme, "http");
  return std::string(scheme) + "://" + (is_v6 ? "[" + instance.host + "]" : instance.host) + ":" +
         std::to_string(instance.port) + instance.health_path;
}

}  // namespace

std::optional<InstanceStatus> status_after(InstanceStatus now, HealthAnswer answer) {
  auto const found = answer == HealthAnswer::good    ? InstanceStatus::healthy
                     : answer == HealthAnswer::other ? InstanceStatus::degraded
                                                     : InstanceStatus::unhealthy;
  // While it starts it says that it is not ready, which is nothing amiss.
  bool const still_starts = now == InstanceStatus::starting && answer != HealthAnswer::good;
  if (found == now || still_starts || now == InstanceStatus::stopping)
    return std::nullopt;
  return found;
}

Task<void> HealthChecks::run() {
  for (;;) {
    try {
      co_await look();
    } catch (Fault const& fault) {
      log::warning("services could not be checked", {{"reason", std::string_view(fault.what())}});
    }
    co_await sleep_until(clock_.steady() + look_interval);
  }
}

Task<void> HealthChecks::look() {
  auto due = co_await services_.take_due(check_interval, store_deadline());
  for (auto const& id : due.expired) {
    if (co_await services_.expire(id, store_deadline()))
      log::warning("an instance of a service has expired", {{"instance", std::string_view(id.value)}});
  }
  std::exception_ptr fault;
  for (std::size_t at = 0; at < due.checks.size();) {
    std::vector<Task<bool>> together;
    for (; at < due.checks.size() && together.size() < checks_at_once_max; ++at)
      together.push_back(check(std::move(due.checks[at])));
    for (auto const& settled : co_await settle(std::move(together))) {
      if (settled.fault)
        fault = settled.fault;
    }
  }
  if (fault)
    std::rethrow_exception(fault);
  if (clock_.steady() >= next_purge_) {
    next_purge_ = clock_.steady() + purge_interval;
    co_await services_.purge(store_deadline());
  }
}

Task<bool> HealthChecks::check(ServiceInstance instance) {
  auto answer = co_await ask(instance);
  // Calls are not taken away from a busy one for a single late answer.
  if (answer == HealthAnswer::none)
    answer = co_await ask(instance);
  auto const status = status_after(instance.status, answer);
  if (!status)
    co_return false;
  Actor const actor{
      .tenant = default_tenant, .user_id = "system", .correlation_id = {}, .causation_id = {}, .traceparent = {}};
  auto const changed = co_await services_.set_status(actor, instance.id, *status, instance.version, store_deadline());
  co_return changed.has_value();
}

Task<HealthAnswer> HealthChecks::ask(ServiceInstance const& instance) {
  auto const executor = co_await asio::this_coro::executor;
  // The head of the answer is enough; what follows is not read.
  auto const answer = co_await clients_.here(executor).open(http::Method::get, health_url(instance), {}, {},
                                                            Deadline::after(answer_timeout));
  if (!answer)
    co_return HealthAnswer::none;
  co_return (*answer)->head.status == 200 ? HealthAnswer::good : HealthAnswer::other;
}

}  // namespace al::services::service_discovery
