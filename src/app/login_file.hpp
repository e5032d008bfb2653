#pragma once
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace al::app {

/// Where `login` keeps what it was given for a server: a file for each below $XDG_CONFIG_HOME/agent-lightning, else
/// ~/.config/agent-lightning, readable by its owner only. Empty: the environment names no home.
[[nodiscard]] std::filesystem::path login_file(std::string_view url,
                                               std::map<std::string, std::string> const& environment);

/// The key of an earlier `login` at this server. Nothing: there was none.
[[nodiscard]] std::optional<std::string> stored_login(std::string_view url);
/// Errors: invalid (there is nowhere to keep it). Throws Fault when it cannot be written.
[[nodiscard]] Result<std::filesystem::path> store_login(std::string_view url, std::string_view key);
/// False: there was none.
bool forget_login(std::string_view url);

}  // namespace al::app
