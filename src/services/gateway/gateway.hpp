#pragma once
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/random.hpp"
#include "http/client_pool.hpp"
#include "http/dispatcher.hpp"
#include "http/origin.hpp"
#include "http/request_id.hpp"
#include "http/router.hpp"
#include "security/request_limits.hpp"
#include "services/gateway/answer_cache.hpp"
#include "services/gateway/config_file.hpp"
#include "services/gateway/forwarding.hpp"
#include "services/gateway/route_table.hpp"

namespace al::services::gateway {

/// What a gateway works with; all of it outlives the gateway.
struct Ties {
  /// What the process answers itself: of these routes those with `of_process`, before all others. The gateway adds
  /// GET /gateway/services, what it knows of services, instances and routes.
  http::Router& own;
  http::Authenticator& authenticator;
  security::RequestLimits& limits;
  http::ClientPool& clients;  ///< of client_options()
  Clock const& clock;
  Random& random;
};

struct GatewayOptions {
  std::filesystem::path config_file{};                        ///< empty: default_config()
  std::map<std::string, LocalService, std::less<>> locals{};  ///< by name of the service
  http::AllowedOrigins origins{};                             ///< of other sites; the own one is always allowed
  std::string_view scheme = "http";                           ///< what callers use to reach this server
};

/// Of the clients that a gateway calls services with: how long to wait is said call by call.
[[nodiscard]] http::ClientOptions client_options();

/// One door to all services: finds the route of a request, looks at credential, limit and kept answers, and has the
/// service answer, in this process or in another one. Any thread.
///
/// What a service does with a request is the service's to decide: it checks the credential and the permission itself.
/// The gateway looks at the credential only where a route has a limit or keeps answers, to tell callers apart.
class Gateway final : public http::Dispatcher {
 public:
  /// Throws Fault, with every mistake, when the configuration is wrong.
  Gateway(Ties, GatewayOptions);
  ~Gateway() override;
  Gateway(Gateway const&) = delete;
  Gateway& operator=(Gateway const&) = delete;

  [[nodiscard]] Task<http::Response> dispatch(http::Context, http::Request) override;
  [[nodiscard]] std::optional<http::RouteLimits> limits(http::Method, std::string_view path) const override;

  /// What service discovery knows: the service has exactly these instances. Remembered for configurations to come;
  /// instances that a configuration lists go before.
  void set_instances(std::string_view service, std::span<Instance const>);
  /// Nothing happens when the service has no such instance.
  void set_availability(std::string_view service, Instance const&, Availability);

  /// Of which set_instances() says where they are: those that this process does not run, and whose instances the
  /// configuration does not list.
  [[nodiscard]] std::vector<std::string> undescribed_services() const;

  /// Looks once a second whether the configuration's file has changed, and asks configured instances how they are,
  /// until it is cancelled. On a thread that the clients know.
  [[nodiscard]] Task<void> run();
  /// Takes the file as it is now. Errors: invalid, with every mistake; what was before stays.
  [[nodiscard]] Result<void> reload();

  /// The Prometheus text format (version 0.0.4), each line ended.
  [[nodiscard]] std::string metrics() const;
  /// {services: [{name, local, instances: [...]}], routes: [...]} as JSON.
  [[nodiscard]] std::string overview() const;
  /// GET /gateway/services, for another port of this process as well. The gateway outlives the router's last call.
  void add_overview(http::Router&) const;

 private:
  /// One configuration in use. Immutable.
  struct Snapshot {
    RouteTable table;
    std::vector<std::shared_ptr<Upstream>> upstreams;
    std::vector<std::shared_ptr<Upstream>> of_route;  ///< by the position of the route
  };
  struct Visit;
  struct Ward;

  [[nodiscard]] std::shared_ptr<Snapshot const> current() const;
  void use(GatewayConfig const&);
  [[nodiscard]] std::shared_ptr<Upstream> upstream_of(Service const&, Snapshot const* before);

  [[nodiscard]] bool is_own(std::string_view target) const;
  [[nodiscard]] Task<http::Response> answer(Visit&);
  [[nodiscard]] Task<http::Response> answer_own(Visit&);
  [[nodiscard]] Task<std::optional<http::Response>> refuse(Visit&);
  [[nodiscard]] Task<void> find_caller(Visit&);
  [[nodiscard]] Task<http::Response> answer_kept(Visit&);
  [[nodiscard]] Task<http::Response> pass(Visit&);
  [[nodiscard]] Task<http::Response> pass_on(Visit&);
  [[nodiscard]] http::Response problem(Visit const&, Error const&, int status = 0) const;
  [[nodiscard]] http::Response preflight(Visit const&) const;
  void finish(Visit const&, http::Response&) const;
  void allow_origin(Visit const&, http::Response&) const;

  [[nodiscard]] Task<void> check_health(SteadyTime now);

  Ties const ties_;
  GatewayOptions const options_;
  std::vector<std::string> own_paths_;
  http::RequestIds ids_;
  AnswerCache kept_;
  ConfigFile file_;                           ///< of run()'s thread, after the start
  std::vector<std::unique_ptr<Ward>> wards_;  ///< of run()'s thread

  mutable std::mutex mutex_;  ///< of what follows; held for a copy of the pointer
  std::shared_ptr<Snapshot const> snapshot_;
  std::map<std::string, std::vector<Instance>, std::less<>> discovered_;
  std::map<std::string, std::shared_ptr<ServiceFigures>, std::less<>> figures_;
};

}  // namespace al::services::gateway
