#include "app/roles.hpp"

#include <algorithm>

#include "core/nearest.hpp"

namespace al::app {

std::vector<RoleFacts> const& all_roles() {
  static std::vector<RoleFacts> const roles{
      {Role::gateway, "gateway", "gateway.port"},
      {Role::agent_designer, "agent-designer", "agent_designer.port"},
      {Role::ai_model, "ai-model", "ai_model.port"},
      {Role::auth, "auth", "auth.port"},
      {Role::websocket, "websocket", "websocket.port"},
      {Role::service_discovery, "service-discovery", "service_discovery.port"},
      {Role::operations, "operations", "operations.port"},
      {Role::dashboard, "dashboard", "dashboard.port"},
      {Role::worker, "worker", ""},
      {Role::relay, "relay", ""},
  };
  return roles;
}

Result<std::set<Role>> read_roles(std::vector<std::string> const& names) {
  std::vector<std::string> known;
  for (auto const& facts : all_roles())
    known.emplace_back(facts.name);
  std::set<Role> roles;
  for (auto const& name : names) {
    auto const found = std::ranges::find(all_roles(), name, &RoleFacts::name);
    if (found != all_roles().end()) {
      roles.insert(found->role);
      continue;
    }
    auto message = "there is no role '" + name + "'; ";
    if (auto const meant = nearest(name, known); !meant.empty()) {
      return fail(Code::invalid, message + "did you mean '" + std::string(meant) + "'?");
    }
    for (auto const& one : known)
      message.append(&one == known.data() ? "there are: " : ", ").append(one);
    return fail(Code::invalid, std::move(message));
  }
  if (names.empty()) {
    for (auto const& facts : all_roles())
      roles.insert(facts.role);
  }
  return roles;
}

}  // namespace al::app
