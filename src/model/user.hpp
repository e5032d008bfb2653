#pragma once
#include <boost/describe.hpp>

#include "core/entity.hpp"

namespace al::model {

struct UserTag {
  static constexpr IdKind kind = IdKind::uuid;
};
using UserId = Id<UserTag>;

/// `pending`: registered, and nobody has let him in yet.
enum class UserStatus { pending, active, disabled };
BOOST_DESCRIBE_ENUM(UserStatus, pending, active, disabled)

/// A person who may sign in. What he proves it with is in columns that no member shows.
struct User {
  UserId id;
  std::string email;
  std::string full_name;
  UserStatus status = UserStatus::active;
  std::vector<std::string> roles;
  bool must_change_password = false;
  bool mfa_enabled = false;
  std::int64_t version = 1;
  Timestamp created_at{};
  Timestamp updated_at{};
};
BOOST_DESCRIBE_STRUCT(User, (),
                      (id, email, full_name, status, roles, must_change_password, mfa_enabled, version, created_at,
                       updated_at))

constexpr auto describe(std::type_identity<User>) {
  using namespace entity;
  using U = User;
  constexpr auto server = Access::read_only;
  return about("User", "users", "A person who may sign in.", field<&U::id>("UUIDv7.", {.access = server}),
               field<&U::email>("What he signs in with; one user has it in the whole installation. Kept in lower case.",
                                {.min = 3, .max = 254}),
               field<&U::full_name>("Name shown to people.", {.min = 1, .max = 100}),
               field<&U::status>("pending: registered and not let in yet. Nobody else gets in but active ones.",
                                 {.defaulted = true}),
               field<&U::roles>("What he may do: built-in roles or those of /roles.", {.max = 32, .defaulted = true}),
               field<&U::must_change_password>("Until he has, he may do nothing else.", {.access = server}),
               field<&U::mfa_enabled>("He signs in with a second factor.", {.access = server}),
               field<&U::version>("Counts his changes; the ETag.", {.access = server}),
               field<&U::created_at>("When he was created, UTC.", {.access = server}),
               field<&U::updated_at>("When he was last changed, UTC.", {.access = server}));
}

}  // namespace al::model
