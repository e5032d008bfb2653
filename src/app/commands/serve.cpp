#include "app/serve.hpp"

#include "app/command.hpp"

namespace al::app {

void add_serve_command(CLI::App& app, Invocation& invocation) {
  auto* command = app.add_subcommand("serve", "Start the platform, or some of its roles");
  auto roles = std::make_shared<std::vector<std::string>>();
  command->add_option("ROLE", *roles,
                      "gateway (8000), agent-designer (8002), operations (8011), dashboard (8051), worker; "
                      "none named: all of them");
  command->footer(
      "Ports, addresses and limits are settings: `agent-lightning config` lists them all.\n"
      "Several processes need PostgreSQL: set DATABASE_URL.\n\n"
      "Examples:\n"
      "  agent-lightning serve\n"
      "  agent-lightning serve --gateway.port 9000 --data ./playground\n"
      "  DATABASE_URL=postgresql://me@localhost/agents agent-lightning serve gateway worker");
  command->callback([=, &invocation] {
    invocation.logs = true;
    invocation.action = [=](Workplace& workplace) { return serve(workplace, *roles); };
  });
}

}  // namespace al::app
