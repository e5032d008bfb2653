#include "model/sign_in.hpp"
#include "security/password_rules.hpp"
#include "services/auth/identity.hpp"
#include "services/common/reply.hpp"

namespace al::services::auth {

namespace {

using http::Call;
using http::Method;
using http::Response;
using model::UserId;

/// Of an API key, what it may do; of a user, who he is as well.
Task<Result<Response>> me(Identity const& identity, Call& call) {
  auto const& principal = call.context.principal;
  Me out{.id = principal.id,
         .tenant = principal.tenant.value,
         .permissions = principal.permissions,
         .user = {},
         .organisation = principal.tenant.value,
         .session_id = {}};
  if (!principal.user_id.empty()) {
    auto user = co_await identity.users.get(principal.tenant, UserId{principal.user_id}, call.context.deadline);
    if (!user)
      co_return fail(user.error());
    out.user = std::move(*user);
  }
  auto const organisation = co_await identity.organisations.get(principal.tenant, call.context.deadline);
  if (organisation)
    out.organisation = organisation->name;
  if (!principal.login_id.empty())
    out.session_id = principal.login_id;
  co_return described_response(200, out);
}

Task<Result<Response>> change_password(Identity const& identity, Call& call) {
  auto const deadline = call.context.deadline;
  auto change = entity::from_json<model::PasswordChange>(call.body());
  if (!change)
    co_return fail(std::move(change.error()));
  auto const id = own_user(call);
  if (!id)
    co_return fail(id.error());
  auto const user = co_await identity.users.stored(call.context.principal.tenant, *id, deadline);
  if (!user)
    co_return fail(user.error());
  if (user->password_hash.empty())
    co_return fail(Code::conflict, "This account has no password; it signs in through a provider.");
  if (auto ok =
          co_await confirm_password(identity, *user, std::move(change->current_password), "current_password", deadline);
      !ok)
    co_return fail(std::move(ok.error()));
  auto hash = co_await new_password_hash(identity, user->user, std::move(change->new_password), deadline);
  if (!hash)
    co_return fail(std::move(hash.error()));
  auto changed = co_await identity.users.set_password(call.context.actor(), *id, {.hash = std::move(*hash)},
                                                      call.context.principal.login_id, deadline);
  if (!changed)
    co_return fail(std::move(changed.error()));
  co_return message_response("the password is changed; your other logins have ended");
}

Task<Result<Response>> list_logins(Identity const& identity, Call& call) {
  auto const page = page_request(call);
  if (!page)
    co_return fail(page.error());
  auto const id = own_user(call);
  if (!id)
    co_return fail(id.error());
  auto logins = co_await identity.logins.list(call.context.principal.tenant, *id, *page, call.context.deadline);
  if (!logins)
    co_return fail(std::move(logins.error()));
  co_return list_response("logins", *logins);
}

/// One's own, and for those who manage users those of who may do no more. Of another one's nobody else learns that it
/// is there.
Task<Result<Response>> end_login(Identity const& identity, Call& call) {
  auto const id = id_in_path<model::LoginId>(call, "login_id", "login");
  if (!id)
    co_return fail(id.error());
  auto const& principal = call.context.principal;
  auto const login = co_await identity.logins.get(principal.tenant, *id, call.context.deadline);
  if (!login)
    co_return fail(login.error());
  bool const is_own = login->user_id.value == principal.user_id;
  if (!is_own && !principal.may("users:write"))
    co_return fail(Code::not_found, "there is no login '" + id->value + "'; it may have ended");
  if (!is_own) {
    if (auto const user = co_await require_may_act_for(identity, call, login->user_id); !user)
      co_return fail(user.error());
  }
  if (auto done = co_await identity.logins.end(call.context.actor(), *id, call.context.deadline); !done)
    co_return fail(std::move(done.error()));
  co_return message_response("the login has ended");
}

}  // namespace

void add_account_routes(http::Router& router, Identity const& identity) {
  router.add({.method = Method::get,
              .path = "/auth/me",
              .permission = "profile:read",
              .summary = "Who you are and what you may do",
              .response = &entity::entity<Me>(),
              .handler = bind(identity, me)});
  router.add({.method = Method::post,
              .path = "/auth/change-password",
              .permission = "profile:password",
              .summary = "Set another password; ends your other logins",
              .takes = http::Body::json,
              .request = &entity::entity<model::PasswordChange>(),
              .response = &entity::entity<Message>(),
              .errors = {Code::conflict, Code::too_many_requests},
              .idempotent_key = false,
              .handler = bind(identity, change_password)});
  router.add({.method = Method::get,
              .path = "/auth/logins",
              .permission = "profile:read",
              .summary = "Where you are signed in, newest first",
              .query = list_parameters(),
              .response = &entity::entity<model::Login>(),
              .list = "logins",
              .handler = bind(identity, list_logins)});
  router.add({.method = Method::del,
              .path = "/auth/logins/{login_id}",
              .permission = "profile:write",
              .summary = "End a login: its tokens are refused from then on",
              .response = &entity::entity<Message>(),
              .errors = {Code::not_found, Code::forbidden},
              .handler = bind(identity, end_login)});
}

}  // namespace al::services::auth
