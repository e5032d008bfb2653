#pragma once
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "http/dispatcher.hpp"
#include "services/gateway/balancer.hpp"
#include "services/gateway/config.hpp"
#include "services/gateway/retry.hpp"

namespace al::services::gateway {

/// What the gateway counted of one service since the start. Any thread.
struct ServiceFigures {
  static constexpr std::size_t classes = 6;  ///< 0: the gateway answered itself; 1xx to 5xx of the service

  std::array<std::atomic<std::uint64_t>, classes> answers{};
  std::atomic<std::uint64_t> retries{0};
  std::atomic<std::uint64_t> limited{0};
  std::atomic<std::uint64_t> cache_hits{0};
  std::atomic<std::uint64_t> cache_misses{0};

  void count_answer(int status) {
    auto const of_class = static_cast<std::size_t>(status / 100);
    answers[of_class < classes ? of_class : 0].fetch_add(1, std::memory_order_relaxed);
  }
};

/// A service that this process can answer for itself.
struct LocalService {
  http::Dispatcher* dispatcher = nullptr;  ///< null: it cannot
  /// The process runs this role. Else it stands in only while no instance is well: all state is in the database, so
  /// its answer is as good, and a gateway alone is of use before others are found.
  bool is_run_here = false;
};

/// One service as the configuration describes it, with what is known of its instances. It outlives a configuration that
/// leaves it as it is, and goes with the last call that uses it. Any thread.
class Upstream {
 public:
  Upstream(Service settings, LocalService local, std::shared_ptr<ServiceFigures> counts);

  /// Of a service without configured instances; for others nothing happens.
  void set_instances(std::span<Instance const>, SteadyTime now);
  void set_availability(Instance const& instance, Availability availability, SteadyTime now) {
    balancer.set_availability(instance, availability, now);
  }
  [[nodiscard]] bool is_local() const {
    return local.dispatcher != nullptr && (local.is_run_here || !has_instances_.load(std::memory_order_relaxed));
  }
  /// One of this product's services, whether or not it runs here.
  [[nodiscard]] bool is_ours() const { return local.dispatcher != nullptr; }

  Service const service;
  LocalService const local;
  Balancer balancer;
  RetryBudget budget;
  std::shared_ptr<ServiceFigures> const figures;

 private:
  std::atomic<bool> has_instances_;
};

/// The Prometheus text format (version 0.0.4) of these services, each line ended.
[[nodiscard]] std::string metrics_text(std::span<std::shared_ptr<Upstream> const>, SteadyTime now);

}  // namespace al::services::gateway
