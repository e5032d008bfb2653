#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace al::data {

/// Whether the client's `expected` version, if it named one, is that of `what` ("the agent"). Errors: version_mismatch.
[[nodiscard]] inline Result<void> check_version(std::string_view what, std::int64_t version,
                                                std::optional<std::int64_t> expected) {
  if (!expected || *expected == version)
    return {};
  return fail(Code::version_mismatch, std::string(what) + " is at version " + std::to_string(version) + ", not " +
                                          std::to_string(*expected) + "; read it again and repeat the change");
}

}  // namespace al::data
