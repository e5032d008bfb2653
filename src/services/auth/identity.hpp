#pragma once
/// The role auth (8006): who may come in, as whom, and what he may do there.

#include "data/api_key_store.hpp"
#include "data/audit_store.hpp"
#include "data/login_store.hpp"
#include "data/organisation_store.hpp"
#include "data/password_reset_store.hpp"
#include "data/role_store.hpp"
#include "data/sign_in_failures.hpp"
#include "data/user_identity_store.hpp"
#include "data/user_store.hpp"
#include "http/router.hpp"
#include "security/oidc.hpp"
#include "security/password_hasher.hpp"
#include "security/request_limits.hpp"
#include "security/sealing.hpp"
#include "security/token_keys.hpp"
#include "services/auth/answers.hpp"

namespace al::services::auth {

/// What the handlers work with. All outlive the router.
struct Identity {
  data::UserStore& users;
  data::LoginStore& logins;
  data::ApiKeyStore& keys;
  data::RoleStore& roles;
  data::OrganisationStore& organisations;
  data::AuditStore& audit;
  data::SignInFailures& failures;
  data::PasswordResetStore& resets;
  data::UserIdentityStore& identities;
  security::PasswordHasher& hasher;
  security::TokenKeys& tokens;
  security::Sealing& sealing;
  security::RequestLimits& limits;
  security::oidc::OidcClient& oidc;
  Clock const& clock;
  Random& random;
  bool is_registration_open;
  std::optional<security::oidc::Provider> provider;  ///< none: passwords only
  std::string provider_name;                         ///< for people
};

void add_routes(http::Router&, Identity const&);

// One file each.
void add_sign_in_routes(http::Router&, Identity const&);
void add_provider_routes(http::Router&, Identity const&);
void add_account_routes(http::Router&, Identity const&);
void add_mfa_routes(http::Router&, Identity const&);
void add_recovery_routes(http::Router&, Identity const&);
void add_api_key_routes(http::Router&, Identity const&);
void add_user_routes(http::Router&, Identity const&);
void add_role_routes(http::Router&, Identity const&);
void add_organisation_routes(http::Router&, Identity const&);
void add_audit_routes(http::Router&, Identity const&);

/// Whether a user who has proved himself gets in. Errors: forbidden, with the reason.
[[nodiscard]] Task<Result<void>> may_come_in(Identity const&, data::StoredUser const&, Deadline);

/// A user who is signed in from now on.
struct BegunLogin {
  std::string id;
  std::string access_token;
  std::string refresh_token;
};
/// Errors: those of Sealing.
[[nodiscard]] Task<Result<BegunLogin>> begin_login(Identity const&, http::Call const&, data::StoredUser const&,
                                                   model::LoginMethod);

/// Where a user's TOTP secret is sealed to.
[[nodiscard]] security::Place place_of_totp(model::UserId const&);

/// Nobody gives what he has not. `path` names the field, "permissions". Errors: forbidden, naming the first one.
[[nodiscard]] Result<void> require_may_grant(http::Principal const&, std::vector<std::string> const& permissions);
/// The same of everything that the roles permit. Errors: forbidden; invalid (there is no such role).
[[nodiscard]] Task<Result<void>> require_may_grant_roles(Identity const&, http::Call const&,
                                                         std::vector<std::string> const& roles);
/// The user, if the caller may act for him or change him: nobody does so for who may do more than he. Roles that are
/// gone give nothing. Errors: not_found; forbidden.
[[nodiscard]] Task<Result<model::User>> require_may_act_for(Identity const&, http::Call const&, model::UserId const&);

/// The signed-in user himself. Errors: forbidden (the caller is an API key, which has no account).
[[nodiscard]] Result<model::UserId> own_user(http::Call const&);

/// Errors: invalid, at `field` (it is wrong); too_many_requests.
[[nodiscard]] Task<Result<void>> confirm_password(Identity const&, data::StoredUser const&, std::string password,
                                                  std::string_view field, Deadline);
/// Errors: invalid (the rules for passwords forbid it); too_many_requests.
[[nodiscard]] Task<Result<std::string>> new_password_hash(Identity const&, model::User const&, std::string password,
                                                          Deadline);

/// A one-time token with which the user sets his password. Errors: invalid (no such user).
[[nodiscard]] Task<Result<PasswordResetToken>> issue_password_reset(Identity const&, Actor const&, model::UserId const&,
                                                                    Deadline);

/// Whether the body is a change of a T at all, before anybody looks whether there is one. Errors: invalid.
template <class T>
[[nodiscard]] Result<void> check_change(http::Call const& call) {
  T scratch;
  if (auto ok = entity::patch_json(scratch, call.body()); !ok)
    return fail(std::move(ok.error()));
  return {};
}

/// The id that the path names. Errors: not_found, since what is no UUID names nothing.
template <class Id>
[[nodiscard]] Result<Id> id_in_path(http::Call const& call, std::string_view name, std::string_view what) {
  auto const& id = call.path(name);
  if (!is_uuid(id))
    return fail(Code::not_found, "there is no " + std::string(what) + " '" + id + "'; ids are UUIDs");
  return Id{normal_uuid(id)};
}

template <class F>
[[nodiscard]] http::Handler bind(Identity const& identity, F handler) {
  return [identity, handler](http::Call& call) { return handler(identity, call); };
}

}  // namespace al::services::auth
