#pragma once
#include <span>
#include <string>

#include "app/command_tree.hpp"

namespace al::app {

enum class Shell { bash, zsh, fish };

/// A script that makes the shell complete commands, options, their values and ids. For ids it runs
/// `agent-lightning complete KIND`.
[[nodiscard]] std::string completion_script(Shell, std::span<Command const> tree);

}  // namespace al::app
