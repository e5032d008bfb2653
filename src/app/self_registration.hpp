#pragma once
#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "core/async.hpp"
#include "core/config.hpp"
#include "data/service_store.hpp"

namespace al::app {

/// Under which other processes reach this one. Errors: invalid, naming the setting that is no host.
[[nodiscard]] Result<std::string> advertised_host(Config const&);

/// Tells service discovery where the roles of this process answer, for as long as it lives: a process that is killed is
/// gone `ttl` after its last heartbeat. Roles never fail because of it; while the database is away, it tries again.
/// Lives on one executor; everything is called there.
class SelfRegistration {
 public:
  static constexpr std::chrono::seconds ttl{8};
  static constexpr std::chrono::seconds heartbeat_interval{2};

  struct Answering {
    model::ServiceInstance instance;             ///< its status is told by `is_ready`
    std::function<std::size_t()> connections{};  ///< open ones
  };
  /// The ids of the instances stay the same for as long as the process lives.
  SelfRegistration(asio::any_io_executor, data::ServiceStore&, Clock const&, std::vector<Answering>,
                   std::function<bool()> is_ready);

  /// Until leave().
  [[nodiscard]] Task<void> run();

  /// The process takes nothing new from now on, so that gateways send it nothing; what it has comes to its end.
  [[nodiscard]] Task<void> sign_off(Deadline);
  /// Everything has ended. Once run() was spawned.
  [[nodiscard]] Task<void> leave(Deadline);

 private:
  [[nodiscard]] Task<void> step();
  [[nodiscard]] Task<void> add_all();
  [[nodiscard]] Task<void> set_all(model::InstanceStatus, Deadline);
  [[nodiscard]] Task<bool> set_status(model::InstanceId, model::InstanceStatus, Deadline);
  [[nodiscard]] Task<bool> remove(model::InstanceId, Deadline);
  [[nodiscard]] model::InstanceStatus own_status() const;

  data::ServiceStore& services_;
  Clock const& clock_;
  std::string const process_;
  std::vector<Answering> answering_;
  std::function<bool()> const is_ready_;
  asio::steady_timer next_;   ///< cancelled by leave()
  asio::steady_timer ended_;  ///< cancelled when run() has ended
  bool is_registered_ = false;
  bool is_known_ready_ = false;
  bool is_failing_ = false;
  bool is_stopping_ = false;
  bool stop_requested_ = false;
  bool is_running_ = true;
};

}  // namespace al::app
