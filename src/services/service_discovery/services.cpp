#include <ranges>

#include "services/common/reply.hpp"
#include "services/service_discovery/choice.hpp"
#include "services/service_discovery/routes.hpp"

namespace al::services::service_discovery {

/// Before its instances.
struct OfService {
  std::string service;
};
BOOST_DESCRIBE_STRUCT(OfService, (), (service))

constexpr auto describe(std::type_identity<OfService>) {
  return entity::about("OfService", "", "What the instances answer for.",
                       entity::field<&OfService::service>("The service."));
}

namespace {

using http::Call;
using http::Method;
using http::Response;
using model::ServiceName;

constexpr std::string_view tags_doc = "Only instances with all of these, separated by commas.";

/// As clients write them; the enumerators are C++ names.
constexpr std::array<std::pair<std::string_view, Strategy>, 4> strategies{
    {{"round-robin", Strategy::round_robin},
     {"least-connections", Strategy::least_connections},
     {"weighted", Strategy::weighted},
     {"zone-aware", Strategy::zone_aware}}};

Strategy strategy_of(Call const& call) {
  auto const text = call.query("strategy").value_or("round-robin");
  auto const found = std::ranges::find(strategies, text, &std::pair<std::string_view, Strategy>::first);
  return found == strategies.end() ? Strategy::round_robin : found->second;
}

std::vector<std::string> tags_of(Call const& call) {
  std::vector<std::string> out;
  for (auto const part : std::views::split(call.query("tags").value_or(""), ',')) {
    if (!part.empty())
      out.emplace_back(part.begin(), part.end());
  }
  return out;
}

/// Errors: forbidden; not_found: nothing is registered under the name, which may be none.
Task<Result<Instances>> instances_in_path(Discovery const& discovery, Call const& call) {
  if (auto ok = require_operator(call); !ok)
    co_return fail(std::move(ok.error()));
  auto const& name = call.path("service");
  Instances instances;
  if (is_slug(name))
    instances = co_await discovery.services.all(ServiceName{name}, call.context.deadline);
  if (instances.empty())
    co_return fail(Code::not_found, "nothing answers for the service '" + name + "'");
  co_return instances;
}

Task<Result<Response>> list(Discovery const& discovery, Call& call) {
  if (auto ok = require_operator(call); !ok)
    co_return fail(std::move(ok.error()));
  data::Page<model::ServiceSummary> page;
  page.items = summaries(co_await discovery.services.all({}, call.context.deadline));
  co_return list_response("services", page);
}

Task<Result<Response>> discover(Discovery const& discovery, Call& call) {
  auto instances = co_await instances_in_path(discovery, call);
  if (!instances)
    co_return fail(std::move(instances.error()));
  data::Page<model::ServiceInstance> page;
  page.items = matching(std::move(*instances), tags_of(call), call.query("available") == "true");
  co_return list_response("instances", page, ObjectText(OfService{call.path("service")}));
}

Task<Result<Response>> metrics(Discovery const& discovery, Call& call) {
  auto const instances = co_await instances_in_path(discovery, call);
  if (!instances)
    co_return fail(instances.error());
  co_return http::json_response(200, entity::to_json(metrics_of(*instances, discovery.clock.now())));
}

Task<Result<Response>> choice(Discovery const& discovery, Call& call) {
  auto instances = co_await instances_in_path(discovery, call);
  if (!instances)
    co_return fail(std::move(instances.error()));
  auto const among = matching(std::move(*instances), tags_of(call), true);
  auto const zone = call.query("zone").value_or(discovery.zone);
  auto const* chosen = choose(among, strategy_of(call), zone, discovery.turn->fetch_add(1));
  if (chosen == nullptr)
    co_return fail(Code::not_found, "no instance of '" + call.path("service") + "' takes calls");
  co_return http::json_response(200, entity::to_json(*chosen));
}

Task<Result<Response>> show_topology(Discovery const& discovery, Call& call) {
  if (auto ok = require_operator(call); !ok)
    co_return fail(std::move(ok.error()));
  auto const instances = co_await discovery.services.all({}, call.context.deadline);
  co_return http::json_response(200, entity::to_json(topology(instances)));
}

http::Route choice_route(Discovery const& discovery) {
  std::vector<std::string_view> names;
  for (auto const& [name, strategy] : strategies)
    names.push_back(name);
  return {.method = Method::get,
          .path = "/services/{service}/choice",
          .permission = "services:read",
          .summary = "Choose an instance that takes calls",
          .query = {{.name = "strategy", .doc = "round-robin when left out.", .choices = std::move(names)},
                    {.name = "tags", .doc = tags_doc},
                    {.name = "zone", .doc = "The caller's; that of this server when left out."}},
          .response = &entity::entity<model::ServiceInstance>(),
          .errors = {Code::not_found, Code::forbidden},
          .handler = bind(discovery, choice)};
}

}  // namespace

void add_service_routes(http::Router& router, Discovery const& discovery) {
  router.add({.method = Method::get,
              .path = "/services",
              .permission = "services:read",
              .summary = "List the services that anything answers for, by name",
              .response = &entity::entity<model::ServiceSummary>(),
              .list = "services",
              .errors = {Code::forbidden},
              .handler = bind(discovery, list)});
  router.add({.method = Method::get,
              .path = "/services/{service}",
              .permission = "services:read",
              .summary = "Discover what answers for a service",
              .query = {{.name = "tags", .doc = tags_doc},
                        {.name = "available", .doc = "Only those that take calls.", .type = "boolean"}},
              .response = &entity::entity<model::ServiceInstance>(),
              .list = "instances",
              .head = &entity::entity<OfService>(),
              .errors = {Code::not_found, Code::forbidden},
              .handler = bind(discovery, discover)});
  router.add({.method = Method::get,
              .path = "/services/{service}/metrics",
              .permission = "services:read",
              .summary = "How a service is doing",
              .response = &entity::entity<model::ServiceMetrics>(),
              .errors = {Code::not_found, Code::forbidden},
              .handler = bind(discovery, metrics)});
  router.add(choice_route(discovery));
  router.add({.method = Method::get,
              .path = "/topology",
              .permission = "services:read",
              .summary = "All services, and which of them call which",
              .response = &entity::entity<model::ServiceTopology>(),
              .errors = {Code::forbidden},
              .handler = bind(discovery, show_topology)});
}

void add_routes(http::Router& router, Discovery const& discovery) {
  add_instance_routes(router, discovery);
  add_service_routes(router, discovery);
}

}  // namespace al::services::service_discovery
