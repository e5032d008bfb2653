#include "app/command_tree.hpp"

#include <algorithm>
#include <ranges>

#include "app/roles.hpp"

namespace al::app {
namespace {

std::vector<std::string> choices_of(std::string_view value) {
  std::vector<std::string> choices;
  if (value.contains('|')) {
    for (auto const& choice : std::views::split(value, '|'))
      choices.emplace_back(std::string_view(choice));
  }
  return choices;
}

std::vector<std::string> role_names() {
  std::vector<std::string> names;
  for (auto const& facts : all_roles())
    names.emplace_back(facts.name);
  return names;
}

Argument argument_of(CLI::Option const& option) {
  Argument out;
  for (auto const& name : option.get_snames())
    out.names.push_back("-" + name);
  for (auto const& name : option.get_lnames())
    out.names.push_back("--" + name);
  out.doc = option.get_description();
  bool const is_flag = option.get_items_expected_max() == 0;
  if (option.get_positional()) {
    out.names = {option.get_name(true)};
    out.choices = out.name() == "ROLE" ? role_names() : choices_of(option.get_type_name());
  } else if (is_flag) {
    out.value = option.get_option_text();
  } else {
    out.value = option.get_type_name();
    out.choices = choices_of(out.value);
  }
  out.is_required = option.get_required();
  out.is_repeated = option.get_expected_max() == CLI::detail::expected_max_vector_size;
  out.is_setting = option.get_group().empty();
  return out;
}

bool is_hidden(CLI::App const& app) { return app.get_parent() != nullptr && app.get_group().empty(); }

void add(CLI::App const& app, std::string const& path, std::vector<Command>& out) {
  Command command{.path = path,
                  .doc = app.get_description(),
                  .footer = app.get_footer(),
                  .options = {},
                  .positionals = {},
                  .commands = {}};
  for (auto const* option : app.get_options()) {
    bool const is_inherited = app.get_parent() != nullptr && option == app.get_help_ptr();
    if (!is_inherited)
      (option->get_positional() ? command.positionals : command.options).push_back(argument_of(*option));
  }
  auto const subs = app.get_subcommands([](CLI::App const* sub) { return !is_hidden(*sub); });
  for (auto const* sub : subs)
    command.commands.push_back({sub->get_name(), sub->get_description()});
  out.push_back(std::move(command));
  for (auto const* sub : subs)
    add(*sub, path.empty() ? sub->get_name() : path + " " + sub->get_name(), out);
}

}  // namespace

std::string Command::usage() const {
  auto out = "agent-lightning" + (path.empty() ? std::string() : " " + path);
  for (auto const& positional : positionals) {
    auto const text = positional.name() + (positional.is_repeated ? "..." : "");
    out += positional.is_required ? " " + text : " [" + text + "]";
  }
  if (!commands.empty())
    out += positionals.empty() ? " COMMAND" : " | COMMAND";
  return out;
}

std::vector<Command> command_tree(CLI::App const& app) {
  std::vector<Command> out;
  add(app, {}, out);
  return out;
}

}  // namespace al::app
