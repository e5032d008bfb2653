#include "app/completion.hpp"

#include <algorithm>
#include <array>

#include "app/answer.hpp"
#include "app/command.hpp"
#include "app/option_values.hpp"

namespace al::app {
namespace {

/// Who types waits for it.
constexpr std::chrono::seconds ids_timeout{2};
constexpr std::size_t label_columns_max = 60;

struct ShellName {
  std::string_view name;
  Shell shell;
};
constexpr std::array<ShellName, 3> shells{{{"bash", Shell::bash}, {"zsh", Shell::zsh}, {"fish", Shell::fish}}};

struct IdList {
  std::string_view kind;
  std::string_view path;
  std::string_view key;
  std::string_view label;  ///< the member that says what it is
};
constexpr std::array<IdList, 4> id_lists{{{"agent", "/agents?limit=500", "agents", "name"},
                                          {"task", "/tasks?limit=50", "tasks", "description"},
                                          {"provider", "/providers?limit=500", "providers", "base_url"},
                                          {"model", "/models", "models", "provider"}}};

int print_script(Workplace& workplace, CLI::App const& app, std::string const& name) {
  auto const* shell = std::ranges::find(shells, name, &ShellName::name);
  workplace.console.write(completion_script(shell->shell, command_tree(app)));
  return exit_ok;
}

/// A word for every shell, whatever a server calls its things: nothing that a shell would obey.
bool is_word(std::string_view id) {
  constexpr std::string_view plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:/@+-";
  return !id.empty() && !id.starts_with('-') && id.find_first_not_of(plain) == std::string_view::npos;
}

/// One id a line, with a tab and what it is. Says nothing when no server answers: someone is typing.
int print_ids(Workplace& workplace, std::string const& kind) {
  auto const* found = std::ranges::find(id_lists, kind, &IdList::kind);
  ApiClient client(workplace.config);
  auto const page = client.get(std::string(found->path), ids_timeout);
  if (!page)
    return exit_failure;
  std::string out;
  for (auto const& element : list_of(*page->body.root().parsed, found->key)) {
    auto const id = text_of(element, "id");
    if (is_word(id))
      out += id + "\t" + cut(printable(text_of(element, found->label)), label_columns_max) + "\n";
  }
  workplace.console.write(out);
  return exit_ok;
}

}  // namespace

void add_completion_commands(CLI::App& app, Invocation& invocation) {
  auto* command = app.add_subcommand("completion", "Print a script that makes a shell complete commands");
  auto shell = std::make_shared<std::string>();
  take_choice(command->add_option("SHELL", *shell, "Which one"), "bash|zsh|fish")->required();
  command->footer(
      "Examples:\n"
      "  eval \"$(agent-lightning completion bash)\"       in ~/.bashrc\n"
      "  eval \"$(agent-lightning completion zsh)\"        in ~/.zshrc, after compinit\n"
      "  agent-lightning completion fish | source        in ~/.config/fish/config.fish");
  command->callback([=, &app, &invocation] {
    invocation.action = [=, &app](Workplace& workplace) { return print_script(workplace, app, *shell); };
  });

  auto* ids = app.add_subcommand("complete", "For the scripts of `completion`: the ids that a server knows");
  auto kind = std::make_shared<std::string>();
  take_choice(ids->add_option("KIND", *kind, "Of what"), "agent|task|provider|model")->required();
  ids->group("");
  ids->callback(
      [=, &invocation] { invocation.action = [=](Workplace& workplace) { return print_ids(workplace, *kind); }; });
}

}  // namespace al::app
