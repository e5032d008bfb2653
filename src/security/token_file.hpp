#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace al::security {

/// Where a data directory keeps the token of its first start.
[[nodiscard]] std::filesystem::path token_file(std::filesystem::path const& data_directory);

/// The token in the file. Errors: not_found (there is no file), invalid (it holds no token), forbidden (we may not
/// read it).
[[nodiscard]] Result<std::string> read_token_file(std::filesystem::path const& file);

/// Writes the file for its owner only (0600). A reader sees the whole token or what was there before, also after a
/// power cut. Throws Fault when it cannot be written.
void write_token_file(std::filesystem::path const& file, std::string_view token);

/// Errors: invalid, when it is too short to be a secret, too long for a header, or has characters that a header cannot
/// carry.
[[nodiscard]] Result<void> check_token(std::string_view token);

}  // namespace al::security
