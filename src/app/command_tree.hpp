#pragma once
/// The commands as CLI11 holds them, in the shape that completion scripts and the manual need.

#include <CLI/App.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace al::app {

struct Argument {
  std::vector<std::string> names;  ///< of an option with their dashes, the short one first; of a positional its name
  std::string value;               ///< the name of an option's value, as FILE; empty for a flag
  std::string doc;
  std::vector<std::string> choices{};  ///< the values there are, when they are known beforehand
  bool is_required = false;
  bool is_repeated = false;
  bool is_setting = false;  ///< an option that --help leaves out: it is one of the settings

  [[nodiscard]] std::string const& name() const { return names.back(); }
};

struct Command {
  std::string path;  ///< "task run"; empty for the program itself
  std::string doc;
  std::string footer;
  std::vector<Argument> options;  ///< its own; those of the program, which every command takes, stand there only
  std::vector<Argument> positionals;
  struct Sub {
    std::string name;
    std::string doc;
  };
  std::vector<Sub> commands;

  /// "task run AGENT TEXT... [--follow]", with the program in front and without the options.
  [[nodiscard]] std::string usage() const;
};

/// The program first, then every command with its own commands behind it. Hidden ones are left out.
[[nodiscard]] std::vector<Command> command_tree(CLI::App const&);

}  // namespace al::app
