#pragma once
#include <boost/describe.hpp>

#include "core/entity.hpp"

namespace al::model {

struct RoleTag {
  static constexpr IdKind kind = IdKind::slug;
};
using RoleId = Id<RoleTag>;

/// A set of permissions under a name.
struct Role {
  RoleId id;
  std::string description;
  std::vector<std::string> permissions;
  bool built_in = false;
  std::int64_t version = 1;
  Timestamp created_at{};
  Timestamp updated_at{};
};
BOOST_DESCRIBE_STRUCT(Role, (), (id, description, permissions, built_in, version, created_at, updated_at))

constexpr auto describe(std::type_identity<Role>) {
  using namespace entity;
  using R = Role;
  constexpr auto server = Access::read_only;
  return about(
      "Role", "roles", "A set of permissions under a name.",
      field<&R::id>("Slug, chosen by the client.", {.access = Access::create_only}),
      field<&R::description>("What it is for.", {.max = 1000, .defaulted = true}),
      field<&R::permissions>("Such as agents:read; agents:* and *:* stand for all of a kind.", {.max = 200}),
      field<&R::built_in>("It comes with the product and is not changed.", {.access = server, .stored = false}),
      field<&R::version>("Counts its changes; the ETag.", {.access = server}),
      field<&R::created_at>("When it was created, UTC.", {.access = server}),
      field<&R::updated_at>("When it was last changed, UTC.", {.access = server}));
}

/// Those that come with the product; their ids cannot be given to others.
[[nodiscard]] std::vector<Role> const& built_in_roles();

/// Null: there is no built-in role of this id.
[[nodiscard]] Role const* built_in_role(std::string_view id);

/// `RESOURCE:ACTION` of lower-case words with `_`; both, or the action, may be `*`.
[[nodiscard]] bool is_permission(std::string_view);

}  // namespace al::model
