#include "app/self_registration.hpp"

#include <boost/asio/ip/host_name.hpp>
#include <boost/asio/redirect_error.hpp>

#include "core/log.hpp"
#include "security/outgoing.hpp"

namespace al::app {
namespace {

using model::InstanceStatus;

/// How often a process that starts looks whether it is ready by now; it asks nobody for that.
constexpr std::chrono::milliseconds ready_interval{50};
/// A heartbeat that takes longer is given up for the next one.
constexpr std::chrono::seconds store_timeout{2};

Actor background() {
  return {.tenant = default_tenant, .user_id = "system", .correlation_id = {}, .causation_id = {}, .traceparent = {}};
}

Task<void> wait_quietly(asio::steady_timer& timer) {
  boost::system::error_code ignored;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

}  // namespace

Result<std::string> advertised_host(Config const& config) {
  if (config.is_set("advertise_host")) {
    auto host = security::service_host(config.text("advertise_host"));
    if (!host)
      return fail(Code::invalid, "AGENT_LIGHTNING_ADVERTISE_HOST " + host.error().message);
    return host;
  }
  auto host = config.text("host");
  if (host == "0.0.0.0" || host == "::")
    return asio::ip::host_name();
  return host;
}

SelfRegistration::SelfRegistration(asio::any_io_executor executor, data::ServiceStore& services, Clock const& clock,
                                   std::vector<Answering> answering, std::function<bool()> is_ready)
    : services_(services),
      clock_(clock),
      process_(services.new_id().value),
      answering_(std::move(answering)),
      is_ready_(std::move(is_ready)),
      next_(executor),
      ended_(executor) {
  for (auto& one : answering_) {
    one.instance.id = services_.new_id();
    one.instance.ttl_seconds = ttl.count();
  }
}

Task<void> SelfRegistration::run() {
  while (!stop_requested_) {
    auto const begun = clock_.steady();
    try {
      co_await step();
      is_failing_ = false;
    } catch (Fault const& fault) {
      // Once: the database says the rest.
      if (!std::exchange(is_failing_, true))
        log::warning("service discovery does not know of this process; trying again",
                     {{"reason", std::string_view(fault.what())}});
    }
    while (!stop_requested_ && clock_.steady() < begun + heartbeat_interval) {
      bool const becomes_ready = is_registered_ && !is_known_ready_;
      if (becomes_ready && is_ready_())
        break;
      auto const until = begun + heartbeat_interval;
      next_.expires_at(becomes_ready ? std::min(until, clock_.steady() + ready_interval) : until);
      co_await wait_quietly(next_);
    }
  }
  is_running_ = false;
  ended_.cancel();
}

Task<void> SelfRegistration::step() {
  if (is_registered_) {
    data::ServiceStore::Connections connections;
    for (auto const& one : answering_)
      connections.emplace(one.instance.id.value, one.connections ? static_cast<std::int64_t>(one.connections()) : 0);
    auto const known = co_await services_.beat(process_, connections, Deadline::after(store_timeout));
    is_registered_ = known.size() == answering_.size();
    if (!is_registered_)
      log::warning("this process had expired in service discovery; it registers anew");
  }
  if (stop_requested_)
    co_return;
  if (!is_registered_)
    co_await add_all();
  if (!is_known_ready_ && is_ready_()) {
    is_known_ready_ = true;
    co_await set_all(own_status(), Deadline::after(store_timeout));
  }
}

InstanceStatus SelfRegistration::own_status() const {
  if (is_stopping_)
    return InstanceStatus::stopping;
  return is_known_ready_ ? InstanceStatus::healthy : InstanceStatus::starting;
}

Task<void> SelfRegistration::add_all() {
  is_known_ready_ = is_ready_();
  for (auto& one : answering_) {
    one.instance.status = own_status();
    auto const made = co_await services_.add(background(), one.instance, process_, Deadline::after(store_timeout));
    if (!made)
      throw Fault(made.error().message);
  }
  is_registered_ = true;
  // Whoever was asked to stop meanwhile may have been overtaken.
  if (is_stopping_)
    co_await set_all(InstanceStatus::stopping, Deadline::after(store_timeout));
}

Task<bool> SelfRegistration::set_status(model::InstanceId id, InstanceStatus status, Deadline deadline) {
  auto const changed = co_await services_.set_status(background(), id, status, {}, deadline);
  co_return changed.has_value();
}

Task<bool> SelfRegistration::remove(model::InstanceId id, Deadline deadline) {
  auto const removed = co_await services_.remove(background(), id, deadline);
  co_return removed.has_value();
}

namespace {

/// All of them were tried, whatever became of some.
Task<void> end_all(std::vector<Task<bool>> tasks) {
  for (auto const& settled : co_await settle(std::move(tasks))) {
    if (settled.fault)
      std::rethrow_exception(settled.fault);
  }
}

}  // namespace

Task<void> SelfRegistration::set_all(InstanceStatus status, Deadline deadline) {
  std::vector<Task<bool>> all;
  for (auto const& one : answering_)
    all.push_back(set_status(one.instance.id, status, deadline));
  co_await end_all(std::move(all));
}

Task<void> SelfRegistration::sign_off(Deadline deadline) {
  is_stopping_ = true;
  co_await set_all(InstanceStatus::stopping, deadline);
}

Task<void> SelfRegistration::leave(Deadline deadline) {
  stop_requested_ = true;
  next_.cancel();
  // What it has begun to write must not come after this.
  while (is_running_ && deadline.left() > std::chrono::steady_clock::duration::zero()) {
    ended_.expires_at(deadline.at);
    co_await wait_quietly(ended_);
  }
  std::vector<Task<bool>> all;
  for (auto const& one : answering_)
    all.push_back(remove(one.instance.id, deadline));
  co_await end_all(std::move(all));
}

}  // namespace al::app
