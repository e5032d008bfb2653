#pragma once
#include <boost/describe/enum.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "core/result.hpp"
#include "core/time.hpp"
#include "services/gateway/breaker.hpp"
#include "services/gateway/config.hpp"

namespace al::services::gateway {

/// Whether an instance takes new calls. `draining`: it is about to stop, and ends what it has.
enum class Availability { up, down, draining };
BOOST_DESCRIBE_ENUM(Availability, up, down, draining)

/// Chooses which instance of one service answers a call. Thread-safe: one mutex, held for a choice among at most
/// GatewayConfig::instances_max instances. It may be destroyed while calls are in flight.
///
/// An instance that came back (from down or draining, or behind a breaker that closed) or joined others warms up: its
/// share grows from a tenth to a whole one within `warm_up`, because it would otherwise get every new call until it has
/// as many in flight as the others, with its caches and connections cold.
class Balancer {
  struct State;
  struct Entry;

 public:
  static constexpr std::chrono::seconds warm_up{10};

  /// One attempt at one instance, counted as in flight while it lives. Any thread.
  class Attempt {
   public:
    Attempt(Attempt&&) noexcept = default;
    Attempt& operator=(Attempt&&) = delete;
    Attempt(Attempt const&) = delete;
    Attempt& operator=(Attempt const&) = delete;
    /// Without a report it was abandoned.
    ~Attempt();

    [[nodiscard]] Instance const& instance() const;
    /// How it ended, for the instance's breaker. Once.
    void report(Outcome const&, SteadyTime now);

   private:
    friend class Balancer;
    Attempt(std::shared_ptr<State> state, std::shared_ptr<Entry> entry, Breaker::Permit permit)
        : state_(std::move(state)), entry_(std::move(entry)), permit_(permit) {}
    std::shared_ptr<State> state_;  ///< null: moved from
    std::shared_ptr<Entry> entry_;
    Breaker::Permit permit_;
    bool is_reported_ = false;
  };

  /// With the instances of the configuration, taken for up until someone says otherwise.
  explicit Balancer(Service service);

  /// An instance that is up and whose breaker lets the call go. A breaker that is half open gets the next call as its
  /// probe. `tried` are the instances that this call was sent to before: one of them is taken only when there is no
  /// other, since a service with one instance could otherwise not be asked again.
  /// Errors: unavailable, naming the service, with the time after which an instance may be there.
  [[nodiscard]] Result<Attempt> pick(std::span<Instance const> tried, SteadyTime now);

  /// The service has exactly these instances. Those that stay keep what is known of them, new ones are up. Those beyond
  /// the limit are left out.
  void set_instances(std::span<Instance const>, SteadyTime now);
  /// What a health check or service discovery says; nothing happens when the service has no such instance.
  void set_availability(Instance const&, Availability, SteadyTime now);

  struct View {
    Instance instance;
    Availability availability = Availability::up;
    BreakerState breaker = BreakerState::closed;
    std::int64_t in_flight = 0;
  };
  /// All instances, for health and metrics.
  [[nodiscard]] std::vector<View> view(SteadyTime now) const;

 private:
  std::shared_ptr<State> state_;
};

}  // namespace al::services::gateway
