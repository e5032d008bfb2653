#pragma once
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace al::app {

/// Asks on the terminal and reads a line that is not shown while it is typed. Errors: invalid (there is no terminal).
[[nodiscard]] Result<std::string> ask_secretly(std::string_view question);
/// The same, shown.
[[nodiscard]] Result<std::string> ask(std::string_view question);
/// The first line of a file, or of standard input when it is "-". Errors: not_found, invalid (it is empty).
[[nodiscard]] Result<std::string> read_secret_file(std::string const& name);

}  // namespace al::app
