#pragma once
#include <boost/describe.hpp>

#include "core/entity.hpp"
#include "model/user.hpp"

namespace al::model {

struct UserIdentityTag {
  static constexpr IdKind kind = IdKind::uuid;
};
using UserIdentityId = Id<UserIdentityTag>;

/// Who a user is at an identity provider, where he proves himself instead of by a password here.
struct UserIdentity {
  UserIdentityId id;
  UserId user_id;
  std::string issuer;
  std::string subject;
  std::int64_t version = 1;
  Timestamp created_at{};
};
BOOST_DESCRIBE_STRUCT(UserIdentity, (), (id, user_id, issuer, subject, version, created_at))

constexpr auto describe(std::type_identity<UserIdentity>) {
  using namespace entity;
  using I = UserIdentity;
  constexpr auto server = Access::read_only;
  return about("UserIdentity", "user_identities", "Who a user is at an identity provider.",
               field<&I::id>("UUIDv7.", {.access = server}), field<&I::user_id>("The user.", {.access = server}),
               field<&I::issuer>("The provider, as its tokens name it.", {.access = server}),
               field<&I::subject>("The person there; never given to another one.", {.access = server}),
               field<&I::version>("Counts its changes.", {.access = server}),
               field<&I::created_at>("When it became his, UTC.", {.access = server}));
}

}  // namespace al::model
