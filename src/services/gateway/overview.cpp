#include <boost/describe/enum_to_string.hpp>

#include "core/entity.hpp"
#include "services/gateway/gateway.hpp"

namespace al::services::gateway {

struct InstanceOverview {
  std::string url;
  Availability availability = Availability::up;
  BreakerState breaker = BreakerState::closed;
  std::int64_t in_flight = 0;
};
BOOST_DESCRIBE_STRUCT(InstanceOverview, (), (url, availability, breaker, in_flight))

constexpr auto describe(std::type_identity<InstanceOverview>) {
  using namespace entity;
  using I = InstanceOverview;
  return about("GatewayInstance", "", "An instance of a service, as this gateway sees it.",
               field<&I::url>("Where it listens."), field<&I::availability>("Whether it takes new calls."),
               field<&I::breaker>("Whether it is left alone after failures."),
               field<&I::in_flight>("Calls that it is answering."));
}

struct ServiceOverview {
  std::string name;
  Balancing balancing = Balancing::round_robin;
  bool local = false;
  std::vector<InstanceOverview> instances;
};
BOOST_DESCRIBE_STRUCT(ServiceOverview, (), (name, balancing, local, instances))

constexpr auto describe(std::type_identity<ServiceOverview>) {
  using namespace entity;
  using S = ServiceOverview;
  return about("GatewayService", "", "A service behind this gateway.", field<&S::name>("The service."),
               field<&S::balancing>("How an instance is chosen."), field<&S::local>("This process answers itself."),
               field<&S::instances>("Those of other processes."));
}

struct RouteOverview {
  std::string path;
  std::vector<std::string> methods;
  std::string service;
  std::int64_t timeout = 0;
  std::int64_t retries = 0;
  bool idempotency_key = false;
  std::int64_t cache_ttl = 0;
  std::int64_t rate_limit = 0;
  Access auth = Access::required;
  std::int64_t body_max = 0;
};
BOOST_DESCRIBE_STRUCT(RouteOverview, (),
                      (path, methods, service, timeout, retries, idempotency_key, cache_ttl, rate_limit, auth,
                       body_max))

constexpr auto describe(std::type_identity<RouteOverview>) {
  using namespace entity;
  using R = RouteOverview;
  return about("GatewayRoute", "", "A path with all below it.", field<&R::path>("Without /api/v1."),
               field<&R::methods>("That it is for."), field<&R::service>("Who answers."),
               field<&R::timeout>("Seconds until an answer begins, all attempts together."),
               field<&R::retries>("Attempts after the first."),
               field<&R::idempotency_key>("A POST that comes again with its key is done once."),
               field<&R::cache_ttl>("Seconds that answers are kept; 0: not."),
               field<&R::rate_limit>("Calls of one caller in a minute; 0: no limit."),
               field<&R::auth>("required: a call without a credential is refused here."),
               field<&R::body_max>("Bytes of a request's body."));
}

struct Overview {
  std::vector<ServiceOverview> services;
  std::vector<RouteOverview> routes;
};
BOOST_DESCRIBE_STRUCT(Overview, (), (services, routes))

constexpr auto describe(std::type_identity<Overview>) {
  using namespace entity;
  return about("GatewayOverview", "", "What the gateway knows.", field<&Overview::services>("The services behind it."),
               field<&Overview::routes>("Which paths go to which."));
}

namespace {

ServiceOverview of_service(Upstream const& upstream, SteadyTime now) {
  ServiceOverview out{.name = upstream.service.name,
                      .balancing = upstream.service.balancing,
                      .local = upstream.is_local(),
                      .instances = {}};
  for (auto const& view : upstream.balancer.view(now)) {
    out.instances.push_back({.url = url_of(view.instance),
                             .availability = view.availability,
                             .breaker = view.breaker,
                             .in_flight = view.in_flight});
  }
  return out;
}

RouteOverview of_route(Route const& route) {
  RouteOverview out{.path = route.path,
                    .methods = {},
                    .service = route.service,
                    .timeout = route.timeout.count(),
                    .retries = route.retries,
                    .idempotency_key = route.honours_key,
                    .cache_ttl = route.cache_ttl.count(),
                    .rate_limit = route.rate_limit,
                    .auth = route.auth,
                    .body_max = static_cast<std::int64_t>(route.body_max)};
  for (std::size_t i = 0; i < route.methods.size(); ++i) {
    if (route.methods.test(i))
      out.methods.emplace_back(http::method_name(static_cast<http::Method>(i)));
  }
  return out;
}

}  // namespace

std::string Gateway::overview() const {
  auto const snapshot = current();
  auto const now = ties_.clock.steady();
  Overview out;
  for (auto const& upstream : snapshot->upstreams)
    out.services.push_back(of_service(*upstream, now));
  for (auto const& route : snapshot->table.routes())
    out.routes.push_back(of_route(route));
  return entity::to_json(out);
}

void Gateway::add_overview(http::Router& router) const {
  router.add({.method = http::Method::get,
              .path = "/gateway/services",
              .permission = "services:read",
              .of_installation = true,
              .summary = "The services behind this gateway: their instances, breakers and routes",
              .response = &entity::entity<Overview>(),
              .of_process = true,
              .handler = [this](http::Call&) -> Task<Result<http::Response>> {
                co_return http::json_response(200, overview());
              }});
}

}  // namespace al::services::gateway
