#pragma once
/// What every command of the command line has in common.

#include <CLI/App.hpp>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "app/console.hpp"
#include "core/config.hpp"

namespace al::app {

/// What a command works with.
struct Workplace {
  Config const& config;
  Console& console;
};

/// The exit codes that scripts can rely on.
enum Exit : int { exit_ok = 0, exit_failure = 1, exit_usage = 2, exit_interrupted = 130 };

/// One run of the program, as its arguments describe it. A command's callback fills `action`; it runs once the
/// arguments are read and the configuration is loaded.
struct Invocation {
  std::optional<std::filesystem::path> config_file;
  std::map<std::string, std::string> settings;  ///< by name, as given: they win over every other source
  bool json = false;
  bool no_pager = false;
  bool logs = false;  ///< it logs from log.level on; other commands speak for themselves, and log warnings only
  std::function<int(Workplace&)> action;  ///< answers the exit code
};

// One file of commands/ each. The Invocation outlives the App.
void add_serve_command(CLI::App&, Invocation&);
void add_setup_commands(CLI::App&, Invocation&);
void add_config_command(CLI::App&, Invocation&);
void add_doctor_command(CLI::App&, Invocation&);
void add_export_command(CLI::App&, Invocation&);
void add_import_command(CLI::App&, Invocation&);
void add_migrate_database_command(CLI::App&, Invocation&);
void add_backup_commands(CLI::App&, Invocation&);
void add_agent_commands(CLI::App&, Invocation&);
void add_chat_command(CLI::App&, Invocation&);
void add_task_commands(CLI::App&, Invocation&);
void add_knowledge_commands(CLI::App&, Invocation&);
void add_event_commands(CLI::App&, Invocation&);
void add_consumer_commands(CLI::App&, Invocation&);
void add_dead_letter_commands(CLI::App&, Invocation&);
void add_metric_commands(CLI::App&, Invocation&);
void add_service_commands(CLI::App&, Invocation&);
void add_provider_commands(CLI::App&, Invocation&);
void add_model_commands(CLI::App&, Invocation&);
void add_login_commands(CLI::App&, Invocation&);
void add_identity_commands(CLI::App&, Invocation&);
void add_completion_commands(CLI::App&, Invocation&);
void add_manual_command(CLI::App&, Invocation&);

/// Restores the export in the file `name`, or on standard input when that is "-". Answers the exit code.
int restore(Workplace&, std::string const& name);

}  // namespace al::app
