#include "app/cli.hpp"

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <iostream>
#include <memory>

#include "app/answer.hpp"
#include "app/api_client.hpp"
#include "core/fault.hpp"
#include "core/log.hpp"
#include "core/nearest.hpp"

namespace al::app {
namespace {

constexpr std::string_view config_file_default = "agent-lightning.yaml";

constexpr std::string_view examples = R"(Examples:
  agent-lightning serve                                    start everything on http://127.0.0.1:8000
  agent-lightning task run security_expert "How do I stop SQL injection?" --follow
  agent-lightning knowledge search "rolling update" --agent devops_engineer
  agent-lightning events tail --channel "task:*"
  agent-lightning doctor                                   what is wrong, and how to mend it

Every setting of `agent-lightning config` is an option as well, such as --database.pool-size 5 or --log.level debug.
Settings come from agent-lightning.yaml (or --config FILE), .env, the environment and options; the latter win.)";

/// "database.pool_size" as an option: "--database.pool-size".
std::string option_of(std::string_view setting) {
  std::string out = "--" + std::string(setting);
  std::ranges::replace(out, '_', '-');
  return out;
}

/// What an option's value is, as help and completion name it.
std::string value_name(Setting const& setting) {
  if (setting.name == "data")
    return "DIR";
  if (!setting.choices.empty())
    return std::string(setting.choices);
  switch (setting.kind) {
    case SettingKind::integer:
      return "N";
    case SettingKind::seconds:
      return "SECONDS";
    case SettingKind::boolean:
      return "on|off";
    case SettingKind::text:
      break;
  }
  return setting.name == "url" ? "URL" : "TEXT";
}

void add_settings(CLI::App& app, Invocation& invocation) {
  for (auto const& setting : settings()) {
    auto const store = [&invocation, name = std::string(setting.name)](std::string const& value) {
      invocation.settings[name] = value;
    };
    auto* option = app.add_option_function<std::string>(option_of(setting.name), store, std::string(setting.doc));
    bool const is_common = setting.name == "data" || setting.name == "url";
    option->type_name(value_name(setting))->group(is_common ? "Options" : "");
  }
}

/// The command that the arguments reached.
CLI::App const& reached(CLI::App const& app) {
  auto const* command = &app;
  for (auto next = command->get_subcommands(); !next.empty(); next = command->get_subcommands()) {
    command = next.front();
  }
  return *command;
}

std::string path_of(CLI::App const& command) {
  auto const* parent = command.get_parent();
  return parent ? path_of(*parent) + " " + command.get_name() : command.get_name();
}

std::vector<std::string> command_names(CLI::App const& command) {
  std::vector<std::string> names;
  for (auto const* sub : command.get_subcommands([](CLI::App const* one) { return !one->get_group().empty(); }))
    names.push_back(sub->get_name());
  return names;
}

/// Of the command and those above it, whose options it takes as well.
std::vector<std::string> option_names(CLI::App const& command) {
  std::vector<std::string> names;
  for (auto const* app = &command; app; app = app->get_parent()) {
    for (auto const* option : app->get_options()) {
      for (auto const& name : option->get_lnames())
        names.push_back("--" + name);
    }
  }
  return names;
}

std::string joined(std::vector<std::string> const& words) {
  std::string out;
  for (auto const& word : words)
    out.append(out.empty() ? "" : ", ").append(word);
  return out;
}

/// What is wrong with arguments that CLI11 refused, in a sentence that leads on.
std::string explain(CLI::App const& app, CLI::ParseError const& error) {
  auto const& command = reached(app);
  auto const path = path_of(command);
  auto const left = app.remaining(true);
  auto const is_option = [](std::string const& word) { return word.starts_with('-') && word.size() > 1; };
  auto const commands = command_names(command);
  auto const option = std::ranges::find_if(left, is_option);
  std::string out;
  if (!commands.empty() && !left.empty() && !is_option(left.front())) {
    out = "there is no command '" + path + " " + left.front() + "'";
    auto const meant = nearest(left.front(), commands);
    return out + (meant.empty() ? "; there are: " + joined(commands)
                                : "; did you mean '" + path + " " + std::string(meant) + "'?");
  }
  if (option != left.end()) {
    auto const name = option->substr(0, option->find('='));
    auto const options = option_names(command);
    auto const meant = nearest(name, options);  // a view into the list
    return "there is no option " + name + (meant.empty() ? "" : "; did you mean " + std::string(meant) + "?");
  }
  if (!commands.empty() && command.get_subcommands().empty())
    return "'" + path + "' needs one of: " + joined(commands);
  if (!left.empty())
    return "'" + path + "' does not take '" + left.front() + "'";
  return error.what();
}

/// CLI11 hands the footer of a command on to those below it, where its examples would be somebody else's.
void keep_footers_apart(CLI::App& app) {
  for (auto* command : app.get_subcommands([](CLI::App*) { return true; })) {
    keep_footers_apart(*command);
    if (command->get_footer() == app.get_footer())
      command->footer("");
  }
}

Result<Config> load_config(Invocation const& invocation, std::map<std::string, std::string> environment) {
  Config::Sources sources{.file = invocation.config_file,
                          .dotenv = ".env",
                          .environment = std::move(environment),
                          .options = invocation.settings};
  std::error_code ignored;
  if (!sources.file && std::filesystem::exists(config_file_default, ignored))
    sources.file = config_file_default;
  auto config = Config::load(sources);
  if (config) {
    if (auto const is_fit = check_server_url(*config); !is_fit)
      return fail(is_fit.error());
  }
  return config;
}

/// What people wait for is what a command prints, so only `serve` fills their terminal with its log, unless the level
/// was asked for in the command itself.
std::string_view log_level(Invocation const& invocation, Config const& config) {
  auto const& level = config.text("log.level");
  bool const is_wanted = invocation.logs || invocation.settings.contains("log.level");
  return is_wanted || level == "error" ? std::string_view(level) : "warning";
}

/// Runs `act` and answers its exit code, or the one that stands for what it throws.
int settled(Console& console, std::function<int()> const& act) {
  try {
    return act();
  } catch (Interrupted const&) {
    return exit_interrupted;
  } catch (Unavailable const& fault) {
    return report(console, {Code::unavailable, fault.what()});
  } catch (std::exception const& fault) {
    return report(console, {Code::internal, fault.what()});
  }
}

/// Loads the settings and runs the command. Answers the exit code.
int run_command(Invocation const& invocation, std::map<std::string, std::string> environment) {
  auto console = Console::of_process(invocation.json, environment, !invocation.no_pager);
  return settled(console, [&]() -> int {
    auto const config = load_config(invocation, std::move(environment));
    if (!config)
      return report(console, config.error(), exit_usage);
    log::configure(log_level(invocation, *config), config->text("log.format"));
    Workplace workplace{*config, console};
    auto const code = invocation.action(workplace);
    console.flush();
    return code;
  });
}

/// Known before the arguments are understood, since it is also how they are refused.
bool wants_json(std::vector<std::string> const& arguments) {
  return std::ranges::find(arguments, "--json") != arguments.end();
}

}  // namespace

void build_cli(CLI::App& app, Invocation& invocation) {
  app.name("agent-lightning");
  app.description("A platform that runs AI agents: give them tasks and knowledge, and watch them work.");
  app.footer(std::string(examples));
  app.set_version_flag("--version", "agent-lightning " AL_VERSION, "Print the version and exit");
  app.set_help_flag("-h,--help", "Print this help and exit");
  app.add_flag("--json", invocation.json, "Results as JSON");
  app.add_flag("--no-pager", invocation.no_pager, "Do not show long results page by page");
  auto const set_file = [&invocation](std::string const& path) { invocation.config_file = path; };
  app.add_option_function<std::string>("--config", set_file, "Settings as YAML")->type_name("FILE");
  add_settings(app, invocation);
  // Options of the program are understood behind the command too. Commands inherit this, so it comes first.
  app.fallthrough();
  app.require_subcommand(1);
  add_serve_command(app, invocation);
  add_setup_commands(app, invocation);
  add_config_command(app, invocation);
  add_doctor_command(app, invocation);
  add_agent_commands(app, invocation);
  add_chat_command(app, invocation);
  add_task_commands(app, invocation);
  add_knowledge_commands(app, invocation);
  add_event_commands(app, invocation);
  add_consumer_commands(app, invocation);
  add_dead_letter_commands(app, invocation);
  add_metric_commands(app, invocation);
  add_service_commands(app, invocation);
  add_provider_commands(app, invocation);
  add_export_command(app, invocation);
  add_import_command(app, invocation);
  add_migrate_database_command(app, invocation);
  add_backup_commands(app, invocation);
  add_model_commands(app, invocation);
  add_login_commands(app, invocation);
  add_identity_commands(app, invocation);
  add_completion_commands(app, invocation);
  add_manual_command(app, invocation);
  keep_footers_apart(app);
}

std::optional<int> read_arguments(CLI::App& app, std::vector<std::string> arguments, std::ostream& out,
                                  std::ostream& err) {
  if (arguments.empty()) {
    out << app.help();
    return exit_usage;
  }
  Console console(out, err, {.json = wants_json(arguments)});
  std::ranges::reverse(arguments);  // CLI11 takes them from the back
  try {
    app.parse(std::move(arguments));
  } catch (CLI::Success const& wish) {
    app.exit(wish, out, err);
    return exit_ok;
  } catch (CLI::ParseError const& error) {
    auto const hint = "Try '" + path_of(reached(app)) + " --help'.";
    auto const reason = explain(app, error);
    auto const* gap = !console.json() ? "\n" : reason.ends_with('?') ? " " : ". ";
    return report(console, {Code::bad_request, reason + gap + hint}, exit_usage);
  }
  return std::nullopt;
}

int run(std::vector<std::string> arguments, std::map<std::string, std::string> environment) {
  Invocation invocation;
  CLI::App app;
  build_cli(app, invocation);
  auto console = Console::of_process(wants_json(arguments), environment);
  return settled(console, [&] {
    if (auto const code = read_arguments(app, std::move(arguments), std::cout, std::cerr)) {
      console.flush();  // the help, or the version
      return *code;
    }
    return run_command(invocation, std::move(environment));
  });
}

}  // namespace al::app
