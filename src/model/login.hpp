#pragma once
#include <boost/describe.hpp>

#include "core/entity.hpp"
#include "model/user.hpp"

namespace al::model {

struct LoginTag {
  static constexpr IdKind kind = IdKind::uuid;
};
using LoginId = Id<LoginTag>;

/// What a user proved himself with.
enum class LoginMethod { password, oidc };
BOOST_DESCRIBE_ENUM(LoginMethod, password, oidc)

/// A user who is signed in somewhere: one browser, one command line. Its tokens end with it.
struct Login {
  LoginId id;
  UserId user_id;
  LoginMethod method = LoginMethod::password;
  std::string address;
  std::string user_agent;
  std::int64_t version = 1;
  Timestamp created_at{};
  Timestamp last_seen_at{};
  Timestamp expires_at{};
};
BOOST_DESCRIBE_STRUCT(Login, (),
                      (id, user_id, method, address, user_agent, version, created_at, last_seen_at, expires_at))

constexpr auto describe(std::type_identity<Login>) {
  using namespace entity;
  using L = Login;
  constexpr auto server = Access::read_only;
  return about("Login", "logins", "A user who is signed in somewhere.",
               field<&L::id>("UUIDv7; `sid` in the access token.", {.access = server}),
               field<&L::user_id>("Who is signed in.", {.access = server}),
               field<&L::method>("What he proved himself with.", {.access = server}),
               field<&L::address>("Where he signed in from.", {.max = 64, .access = server}),
               field<&L::user_agent>("With which program, as it calls itself.", {.max = 256, .access = server}),
               field<&L::version>("Counts its changes.", {.access = server}),
               field<&L::created_at>("When he signed in, UTC.", {.access = server}),
               field<&L::last_seen_at>("When it was last refreshed, UTC.", {.access = server}),
               field<&L::expires_at>("When it ends unless it is refreshed, UTC.", {.access = server}));
}

}  // namespace al::model
