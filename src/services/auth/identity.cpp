#include "services/auth/identity.hpp"

#include "security/password_rules.hpp"

namespace al::services::auth {

void add_routes(http::Router& router, Identity const& identity) {
  add_sign_in_routes(router, identity);
  add_provider_routes(router, identity);
  add_account_routes(router, identity);
  add_mfa_routes(router, identity);
  add_recovery_routes(router, identity);
  add_api_key_routes(router, identity);
  add_user_routes(router, identity);
  add_role_routes(router, identity);
  add_organisation_routes(router, identity);
  add_audit_routes(router, identity);
}

security::Place place_of_totp(model::UserId const& id) { return {.purpose = "user.totp", .id = id.value}; }

Result<void> require_may_grant(http::Principal const& principal, std::vector<std::string> const& permissions) {
  for (auto const& permission : permissions) {
    if (!principal.may(permission))
      return fail(Code::forbidden, "You cannot give '" + permission + "', which you have not yourself.");
  }
  return {};
}

namespace {

/// Looks at each of them, so that one that is gone hides none behind it. Answers which are gone. Errors: forbidden.
Task<Result<entity::Faults>> look_at_roles(Identity const& identity, http::Call const& call,
                                           std::vector<std::string> const& roles) {
  entity::Faults gone;
  for (std::size_t i = 0; i < roles.size(); ++i) {
    auto const role =
        co_await identity.roles.get(call.context.principal.tenant, model::RoleId{roles[i]}, call.context.deadline);
    if (!role && role.error().code != Code::not_found)
      co_return fail(role.error());
    if (!role) {
      gone.push_back({"roles[" + std::to_string(i) + "]", role.error().message});
    } else if (auto ok = require_may_grant(call.context.principal, role->permissions); !ok) {
      co_return fail(std::move(ok.error()));
    }
  }
  co_return gone;
}

}  // namespace

Task<Result<void>> require_may_grant_roles(Identity const& identity, http::Call const& call,
                                           std::vector<std::string> const& roles) {
  auto gone = co_await look_at_roles(identity, call, roles);
  if (!gone)
    co_return fail(std::move(gone.error()));
  if (!gone->empty())
    co_return fail(entity::invalid(std::move(*gone)));
  co_return Result<void>{};
}

Task<Result<model::User>> require_may_act_for(Identity const& identity, http::Call const& call,
                                              model::UserId const& id) {
  auto user = co_await identity.users.get(call.context.principal.tenant, id, call.context.deadline);
  if (!user)
    co_return user;
  if (auto const gone = co_await look_at_roles(identity, call, user->roles); !gone)
    co_return fail(gone.error());
  co_return user;
}

Result<model::UserId> own_user(http::Call const& call) {
  auto const& principal = call.context.principal;
  if (principal.login_id.empty())
    return fail(Code::forbidden, "This is for a signed-in user; an API key has no account.");
  return model::UserId{principal.user_id};
}

Task<Result<void>> confirm_password(Identity const& identity, data::StoredUser const& user, std::string password,
                                    std::string_view field, Deadline deadline) {
  auto const account = "confirm:" + user.user.id.value;
  auto const check_lock = [&]() -> Task<Result<void>> {
    auto const left = co_await identity.failures.locked_for(account, deadline);
    if (!left)
      co_return Result<void>{};
    co_return fail({.code = Code::too_many_requests,
                    .message = "Too many wrong passwords; try again in " + std::to_string(left->count()) + " seconds.",
                    .retry_after = left});
  };
  if (auto ok = co_await check_lock(); !ok)
    co_return ok;
  auto const matches = co_await identity.hasher.matches(user.password_hash, std::move(password), deadline);
  if (!matches)
    co_return fail(matches.error());
  // As at signing in: what waited behind the lock learns nothing.
  if (auto ok = co_await check_lock(); !ok)
    co_return ok;
  if (*matches) {
    co_await identity.failures.clear(account, deadline);
    co_return Result<void>{};
  }
  std::ignore = co_await identity.failures.add(account, deadline);
  co_return fail(entity::invalid({{std::string(field), "is not your password"}}));
}

Task<Result<std::string>> new_password_hash(Identity const& identity, model::User const& user, std::string password,
                                            Deadline deadline) {
  auto const ok = security::check_password(password, {.email = user.email, .full_name = user.full_name});
  if (!ok)
    co_return fail(ok.error());
  co_return co_await identity.hasher.hash(std::move(password), deadline);
}

}  // namespace al::services::auth
