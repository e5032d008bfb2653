#include "app/command.hpp"
#include "core/json.hpp"

namespace al::app {
namespace {

std::string as_json(Config const& config) {
  std::string out = "{";
  for (auto const& value : config.all()) {
    if (out.size() > 1)
      out += ',';
    json::append_string(out, value.setting->name);
    out += ":{\"value\":";
    json::append_string(out, value.shown());
    out += ",\"origin\":";
    json::append_string(out, value.origin);
    out += ",\"variable\":";
    json::append_string(out, value.setting->variable);
    out += '}';
  }
  return out + "}";
}

int show_config(Workplace& workplace) {
  auto& console = workplace.console;
  if (console.json()) {
    console.print(as_json(workplace.config));
    return exit_ok;
  }
  Table table({"SETTING", "VALUE", "ORIGIN", "VARIABLE"}, true);
  for (auto const& value : workplace.config.all()) {
    bool const is_default = value.origin == "default";
    table.add({{std::string(value.setting->name)},
               {value.shown(), is_default ? Tone::faint : Tone::strong},
               {value.origin, is_default ? Tone::faint : Tone::accent},
               {std::string(value.setting->variable), Tone::faint}});
  }
  console.print(table.text(console));
  return exit_ok;
}

}  // namespace

void add_config_command(CLI::App& app, Invocation& invocation) {
  auto* command = app.add_subcommand("config", "The settings in force, and where each comes from; secrets are masked");
  command->callback([&invocation] { invocation.action = show_config; });
}

}  // namespace al::app
