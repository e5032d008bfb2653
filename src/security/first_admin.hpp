#pragma once
#include <optional>
#include <string>

#include "data/user_store.hpp"
#include "security/password_hasher.hpp"

namespace al::security {

/// The first user of an installation, as somebody must learn of him.
struct FirstAdmin {
  std::string email;
  std::string password;  ///< made up here, shown once; empty: it was given
};

/// Sees to it that there is a user who may do everything, as long as there is none at all. A password that was made up
/// must be changed at the first sign-in. Nothing when there are users; of processes that start together one makes him.
/// Errors: invalid (address or password cannot be used), with the variable's name. Throws Unavailable.
[[nodiscard]] Task<Result<std::optional<FirstAdmin>>> ensure_first_admin(data::UserStore&, PasswordHasher&, Random&,
                                                                         FirstAdmin given, Deadline);

}  // namespace al::security
