#include "app/command.hpp"
#include "app/manual.hpp"

namespace al::app {

void add_manual_command(CLI::App& app, Invocation& invocation) {
  auto* command = app.add_subcommand("man", "Print the manual page, as roff");
  command->footer("Example:\n  agent-lightning man | man -l -");
  command->callback([&app, &invocation] {
    invocation.action = [&app](Workplace& workplace) {
      workplace.console.write(manual(command_tree(app)));
      return exit_ok;
    };
  });
}

}  // namespace al::app
