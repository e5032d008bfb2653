#include <boost/describe/enum_to_string.hpp>

#include "services/common/reply.hpp"
#include "services/gateway/gateway.hpp"

namespace al::services::gateway {
namespace {

std::string instances_text(Upstream const& upstream, SteadyTime now) {
  std::string out = "[";
  for (auto const& view : upstream.balancer.view(now)) {
    out += out.size() > 1 ? "," : "";
    out += ObjectText()
               .text("url", url_of(view.instance))
               .text("availability", boost::describe::enum_to_string(view.availability, ""))
               .text("breaker", boost::describe::enum_to_string(view.breaker, ""))
               .number("in_flight", view.in_flight)
               .done();
  }
  return out + "]";
}

std::string methods_text(Methods methods) {
  std::string out = "[";
  for (std::size_t i = 0; i < methods.size(); ++i) {
    if (methods.test(i))
      out.append(out.size() > 1 ? ",\"" : "\"").append(http::method_name(static_cast<http::Method>(i))).append("\"");
  }
  return out + "]";
}

std::string route_text(Route const& route) {
  return ObjectText()
      .text("path", route.path)
      .raw("methods", methods_text(route.methods))
      .text("service", route.service)
      .number("timeout", route.timeout.count())
      .number("retries", route.retries)
      .raw("idempotency_key", route.honours_key ? "true" : "false")
      .number("cache_ttl", route.cache_ttl.count())
      .number("rate_limit", route.rate_limit)
      .text("auth", boost::describe::enum_to_string(route.auth, ""))
      .number("body_max", static_cast<std::int64_t>(route.body_max))
      .done();
}

template <class Items, class Text>
std::string list_text(Items const& items, Text text) {
  std::string out = "[";
  for (auto const& item : items)
    out.append(out.size() > 1 ? "," : "").append(text(item));
  return out + "]";
}

}  // namespace

std::string Gateway::overview() const {
  auto const snapshot = current();
  auto const now = ties_.clock.steady();
  auto const service_text = [&](std::shared_ptr<Upstream> const& upstream) {
    return ObjectText()
        .text("name", upstream->service.name)
        .text("balancing", boost::describe::enum_to_string(upstream->service.balancing, ""))
        .raw("local", upstream->is_local() ? "true" : "false")
        .raw("instances", instances_text(*upstream, now))
        .done();
  };
  return ObjectText()
      .raw("services", list_text(snapshot->upstreams, service_text))
      .raw("routes", list_text(snapshot->table.routes(), route_text))
      .done();
}

void Gateway::add_overview(http::Router& router) const {
  router.add({.method = http::Method::get,
              .path = "/gateway/services",
              .permission = "services:read",
              .of_installation = true,
              .summary = "The services behind this gateway: their instances, breakers and routes",
              .of_process = true,
              .handler = [this](http::Call&) -> Task<Result<http::Response>> {
                co_return http::json_response(200, overview());
              }});
}

}  // namespace al::services::gateway
