#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "app/command.hpp"

namespace al::app {

/// Puts every command and option into `app`. The Invocation outlives it.
void build_cli(CLI::App& app, Invocation&);

/// Reads the arguments (without the program's name) into the Invocation that `app` was built for. An exit code when
/// there is nothing to run: after --help and --version, which print to `out`, and for arguments that cannot be
/// understood, which are explained on `err`, with what was probably meant.
[[nodiscard]] std::optional<int> read_arguments(CLI::App& app, std::vector<std::string> arguments, std::ostream& out,
                                                std::ostream& err);

/// The whole program: arguments, configuration, command. Answers the exit code.
[[nodiscard]] int run(std::vector<std::string> arguments, std::map<std::string, std::string> environment);

}  // namespace al::app
