#include "model/role.hpp"

#include <algorithm>

namespace al::model {

namespace {

Role built_in(std::string id, std::string description, std::vector<std::string> permissions) {
  return {.id = RoleId{std::move(id)},
          .description = std::move(description),
          .permissions = std::move(permissions),
          .built_in = true,
          .version = 1,
          .created_at = {},
          .updated_at = {}};
}

bool is_word(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
}

}  // namespace

std::vector<Role> const& built_in_roles() {
  static std::vector<Role> const roles{
      built_in("admin", "May do everything.", {"*:*"}),
      built_in("developer", "Builds agents and workflows and gives them work.",
               {"agents:*", "tasks:*", "knowledge:*", "workflows:*", "models:*", "sessions:*", "providers:read",
                "integrations:read", "metrics:*", "events:read", "consumers:read", "services:read", "websocket:connect",
                "messages:send"}),
      built_in(
          "operator", "Keeps the system running and gives agents work.",
          {"agents:read", "agents:chat", "tasks:*", "knowledge:read", "workflows:read", "workflows:execute",
           "models:read", "models:use", "sessions:*", "providers:read", "metrics:*", "events:*", "consumers:*",
           "backups:*", "configuration:read", "services:*", "websocket:connect", "connections:read", "messages:send"}),
      built_in("viewer", "Looks on.",
               {"agents:read", "tasks:read", "knowledge:read", "workflows:read", "models:read", "providers:read",
                "metrics:read", "events:read", "services:read", "websocket:connect"}),
      built_in("guest", "Sees how things go.", {"metrics:read"})};
  return roles;
}

Role const* built_in_role(std::string_view id) {
  auto const found = std::ranges::find(built_in_roles(), id, [](Role const& role) { return role.id.value; });
  return found == built_in_roles().end() ? nullptr : &*found;
}

bool is_permission(std::string_view text) {
  auto const colon = text.find(':');
  if (colon == std::string_view::npos)
    return false;
  auto const resource = text.substr(0, colon);
  auto const action = text.substr(colon + 1);
  return (is_word(resource) && (is_word(action) || action == "*")) || text == "*:*";
}

}  // namespace al::model
