#include "services/operations/configuration.hpp"

#include "services/common/reply.hpp"

namespace al::services::operations {

struct ShownSetting {
  std::string name;
  std::string value;
  std::string origin;
  std::string variable;
  std::string doc;
};
BOOST_DESCRIBE_STRUCT(ShownSetting, (), (name, value, origin, variable, doc))

constexpr auto describe(std::type_identity<ShownSetting>) {
  using namespace entity;
  using S = ShownSetting;
  return about("Setting", "", "A setting of the process.", field<&S::name>("Its path in a file."),
               field<&S::value>("What it is; secrets are masked."), field<&S::origin>("Where that comes from."),
               field<&S::variable>("The environment variable that sets it."), field<&S::doc>("What it is for."));
}

struct Configuration {
  std::vector<ShownSetting> settings;
  std::int64_t count = 0;
};
BOOST_DESCRIBE_STRUCT(Configuration, (), (settings, count))

constexpr auto describe(std::type_identity<Configuration>) {
  using namespace entity;
  return about("Configuration", "", "The settings of the process.", field<&Configuration::settings>("All of them."),
               field<&Configuration::count>("How many there are."));
}

namespace {

ShownSetting shown(EffectiveSetting const& effective) {
  return {.name = std::string(effective.setting->name),
          .value = effective.shown(),
          .origin = effective.origin,
          .variable = std::string(effective.setting->variable),
          .doc = std::string(effective.setting->doc)};
}

Task<http::Response> list(Config const& config) {
  Configuration out{.settings = {}, .count = std::ssize(config.all())};
  for (auto const& effective : config.all())
    out.settings.push_back(shown(effective));
  co_return described_response(200, out);
}

}  // namespace

void add_configuration_routes(http::Router& router, Config const& config) {
  router.add({.method = http::Method::get,
              .path = "/configuration",
              .permission = "configuration:read",
              .of_installation = true,
              .summary = "The settings that the process which answers runs with, and where each comes from",
              .response = &entity::entity<Configuration>(),
              .handler = [&config](http::Call&) -> Task<Result<http::Response>> { co_return co_await list(config); }});
}

}  // namespace al::services::operations
