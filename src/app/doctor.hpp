#pragma once
#include <string>
#include <vector>

#include "core/config.hpp"

namespace al::app {

/// One thing that was looked at.
struct Finding {
  enum class Level { ok, warning, error };
  Level level = Level::ok;
  std::string subject;   ///< "data directory"
  std::string message;   ///< what is the case
  std::string remedy{};  ///< what to do; of warnings and errors
};

/// Looks at everything that keeps an installation from working, and changes nothing. Blocks for some seconds at most
/// when a database or server does not answer.
[[nodiscard]] std::vector<Finding> examine(Config const&);

}  // namespace al::app
