#pragma once
#include <string>
#include <vector>

#include "core/entity.hpp"
#include "model/role.hpp"

namespace al::data {

/// What is wrong with the member `permissions` of a role or a key, which its type leaves open.
[[nodiscard]] inline entity::Faults permission_faults(std::vector<std::string> const& permissions) {
  entity::Faults faults;
  for (std::size_t i = 0; i < permissions.size(); ++i) {
    if (!model::is_permission(permissions[i]))
      faults.push_back({"permissions[" + std::to_string(i) + "]", "must be such as agents:read, agents:* or *:*"});
  }
  return faults;
}

}  // namespace al::data
