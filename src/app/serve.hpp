#pragma once
#include <string>
#include <vector>

#include "app/command.hpp"

namespace al::app {

/// Serves until SIGTERM or SIGINT: then it stops accepting, lets what runs come to its end (30 s at most), hands leases
/// back, and answers 0. A second signal ends the process at once.
[[nodiscard]] int serve(Workplace&, std::vector<std::string> const& roles);

}  // namespace al::app
