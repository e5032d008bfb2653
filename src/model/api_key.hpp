#pragma once
#include <boost/describe.hpp>

#include "core/entity.hpp"
#include "model/user.hpp"

namespace al::model {

struct ApiKeyTag {
  static constexpr IdKind kind = IdKind::uuid;
};
using ApiKeyId = Id<ApiKeyTag>;

/// A credential for programs. The key itself is shown once, when it is made or rotated.
struct ApiKey {
  ApiKeyId id;
  std::string name;
  std::string prefix;
  std::optional<UserId> user_id;
  std::vector<std::string> permissions;
  std::optional<Timestamp> expires_at;
  std::optional<Timestamp> last_used_at;
  std::optional<Timestamp> rotated_at;
  std::optional<Timestamp> previous_until;
  std::int64_t version = 1;
  Timestamp created_at{};
  Timestamp updated_at{};
};
BOOST_DESCRIBE_STRUCT(ApiKey, (),
                      (id, name, prefix, user_id, permissions, expires_at, last_used_at, rotated_at, previous_until,
                       version, created_at, updated_at))

constexpr auto describe(std::type_identity<ApiKey>) {
  using namespace entity;
  using K = ApiKey;
  constexpr auto server = Access::read_only;
  return about(
      "ApiKey", "api_keys", "A credential for programs.", field<&K::id>("UUIDv7.", {.access = server}),
      field<&K::name>("What it is for.", {.min = 1, .max = 100}),
      field<&K::prefix>("How the key begins, to recognise it by.", {.max = 16, .access = server}),
      field<&K::user_id>("Whose it is: it may never do more than he may. Null: it belongs to a service.",
                         {.access = server}),
      field<&K::permissions>("What it may do, such as agents:read.", {.min = 1, .max = 200}),
      field<&K::expires_at>("When it ends, UTC; null: never.", {.access = Access::create_only, .defaulted = true}),
      field<&K::last_used_at>("When it was last used, to the minute, UTC.", {.access = server, .stored = false}),
      field<&K::rotated_at>("When it was last rotated, UTC.", {.access = server}),
      field<&K::previous_until>("Until when the key from before the rotation is still taken, UTC.", {.access = server}),
      field<&K::version>("Counts its changes; the ETag.", {.access = server}),
      field<&K::created_at>("When it was made, UTC.", {.access = server}),
      field<&K::updated_at>("When it was last changed, UTC.", {.access = server}));
}

}  // namespace al::model
