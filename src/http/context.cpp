#include "http/context.hpp"

namespace al::http {

bool Principal::may(std::string_view permission) const {
  auto const resource = permission.substr(0, permission.find(':'));
  return std::ranges::any_of(permissions, [&](std::string_view held) {
    if (held == permission || held == "*:*")
      return true;
    return held.size() == resource.size() + 2 && held.ends_with(":*") && held.starts_with(resource);
  });
}

}  // namespace al::http
