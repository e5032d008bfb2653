#include "app/serve.hpp"

#include <algorithm>

#include "app/command.hpp"
#include "app/roles.hpp"

namespace al::app {
namespace {

/// "gateway (8000), agent-designer (8002), …"
std::string roles_text() {
  std::string out;
  for (auto const& facts : all_roles()) {
    out.append(out.empty() ? "" : ", ").append(facts.name);
    auto const port = std::ranges::find(settings(), facts.port_setting, &Setting::name);
    if (port != settings().end())
      out.append(" (").append(port->fallback).append(")");
  }
  return out;
}

}  // namespace

void add_serve_command(CLI::App& app, Invocation& invocation) {
  auto* command = app.add_subcommand("serve", "Start the platform, or some of its roles");
  auto roles = std::make_shared<std::vector<std::string>>();
  command->add_option("ROLE", *roles, roles_text() + "; none named: all of them");
  command->footer(
      "Ports, addresses and limits are settings: `agent-lightning config` lists them all. Other commands look for the\n"
      "server where the same settings start it, so give them the same options, or write them into .env.\n"
      "Several processes need PostgreSQL: set DATABASE_URL.\n\n"
      "Examples:\n"
      "  agent-lightning serve\n"
      "  agent-lightning serve --gateway.port 9000 --data ./playground\n"
      "  agent-lightning agent list --gateway.port 9000 --data ./playground\n"
      "  DATABASE_URL=postgresql://me@localhost/agents agent-lightning serve gateway worker");
  command->callback([=, &invocation] {
    invocation.logs = true;
    invocation.action = [=](Workplace& workplace) { return serve(workplace, *roles); };
  });
}

}  // namespace al::app
