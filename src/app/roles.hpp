#pragma once
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace al::app {

/// The parts of the platform that a process can run; the table is in DESIGN "Shape".
enum class Role {
  gateway,
  agent_designer,
  ai_model,
  auth,
  websocket,
  service_discovery,
  operations,
  dashboard,
  worker,
  relay
};

struct RoleFacts {
  Role role;
  std::string_view name;          ///< on the command line
  std::string_view port_setting;  ///< empty: it has no port
};

/// All roles, in the order in which they are shown.
[[nodiscard]] std::vector<RoleFacts> const& all_roles();

/// The roles of these names; all when none is named. Errors: invalid, with the name that was probably meant.
[[nodiscard]] Result<std::set<Role>> read_roles(std::vector<std::string> const& names);

}  // namespace al::app
