#include "security/first_admin.hpp"

#include "security/password_rules.hpp"

namespace al::security {

namespace {

constexpr std::string_view usual_email = "admin@localhost";
constexpr std::string_view usual_name = "Administrator";
constexpr std::size_t password_bytes = 15;

/// What is wrong with what was given, with the name of its variable.
Error unusable(std::string_view variable, Error const& error) {
  auto const& reason = error.faults.empty() ? error.message : error.faults.front().message;
  return {.code = Code::invalid, .message = std::string(variable) + " cannot be used: " + reason};
}

}  // namespace

Task<Result<std::optional<FirstAdmin>>> ensure_first_admin(data::UserStore& users, PasswordHasher& hasher,
                                                           Random& random, FirstAdmin given, Deadline deadline) {
  if (co_await users.any(deadline))
    co_return std::nullopt;
  bool const is_given = !given.password.empty();
  FirstAdmin admin{.email = given.email.empty() ? std::string(usual_email) : given.email, .password = {}};
  PersonalWords const personal{.email = admin.email, .full_name = usual_name};
  if (is_given) {
    if (auto const ok = check_password(given.password, personal); !ok)
      co_return fail(unusable("AGENT_LIGHTNING_ADMIN_PASSWORD", ok.error()));
  } else {
    admin.password = random.token(password_bytes);
  }
  auto hash = co_await hasher.hash(is_given ? given.password : admin.password, deadline);
  if (!hash)
    co_return fail(std::move(hash.error()));
  model::User user;
  user.id = users.new_id();
  user.email = admin.email;
  user.full_name = usual_name;
  user.roles = {"admin"};
  user.must_change_password = !is_given;
  Actor const installer{
      .tenant = default_tenant, .user_id = "system", .correlation_id = {}, .causation_id = {}, .traceparent = {}};
  auto created = co_await users.create(installer, std::move(user), std::move(*hash), deadline);
  if (!created && created.error().code == Code::conflict)
    co_return std::nullopt;
  if (!created)
    co_return fail(unusable("AGENT_LIGHTNING_ADMIN_EMAIL", created.error()));
  co_return admin;
}

}  // namespace al::security
