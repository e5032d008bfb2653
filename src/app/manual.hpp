#pragma once
#include <span>
#include <string>

#include "app/command_tree.hpp"

namespace al::app {

/// The manual page of section 1, as roff with the man macros: every command, option, setting, file and exit code.
[[nodiscard]] std::string manual(std::span<Command const> tree);

}  // namespace al::app
