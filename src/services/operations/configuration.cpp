#include "services/operations/configuration.hpp"

#include "services/common/reply.hpp"

namespace al::services::operations {

namespace {

std::string setting_json(EffectiveSetting const& effective) {
  return ObjectText()
      .text("name", effective.setting->name)
      .text("value", effective.shown())
      .text("origin", effective.origin)
      .text("variable", effective.setting->variable)
      .text("doc", effective.setting->doc)
      .done();
}

Task<http::Response> list(Config const& config) {
  std::string out = "{\"settings\":[";
  for (auto const& effective : config.all()) {
    out += &effective == config.all().data() ? "" : ",";
    out += setting_json(effective);
  }
  out += "],\"count\":" + std::to_string(config.all().size()) + "}";
  co_return http::json_response(200, std::move(out));
}

}  // namespace

void add_configuration_routes(http::Router& router, Config const& config) {
  router.add({.method = http::Method::get,
              .path = "/configuration",
              .permission = "configuration:read",
              .of_installation = true,
              .summary = "The settings that the process which answers runs with, and where each comes from",
              .handler = [&config](http::Call&) -> Task<Result<http::Response>> { co_return co_await list(config); }});
}

}  // namespace al::services::operations
