#include "services/auth/identity.hpp"
#include "services/common/reply.hpp"

namespace al::services::auth {

namespace {

using http::Call;
using http::Method;
using http::Response;
using model::User;
using model::UserId;

std::string location_of(UserId const& id) { return "/api/v1/users/" + id.value; }

Task<Result<Response>> list(Identity const& identity, Call& call) {
  auto const page = page_request(call);
  if (!page)
    co_return fail(page.error());
  auto const text = query_text(call, "q");
  if (!text)
    co_return fail(text.error());
  auto users = co_await identity.users.list(call.context.principal.tenant, *text, *page, call.context.deadline);
  if (!users)
    co_return fail(std::move(users.error()));
  co_return list_response("users", *users);
}

/// He has no password yet: he sets it with a one-time token, so that nobody else ever knew it.
Task<Result<Response>> create(Identity const& identity, Call& call) {
  auto user = entity::from_json<User>(call.body());
  if (!user)
    co_return fail(std::move(user.error()));
  if (auto ok = co_await require_may_grant_roles(identity, call, user->roles); !ok)
    co_return fail(std::move(ok.error()));
  user->id = id_for_new(call, identity.users);
  auto created = co_await identity.users.create(call.context.actor(), std::move(*user), {}, call.context.deadline);
  if (!created)
    co_return fail(std::move(created.error()));
  co_return http::entity_response(201, entity::to_json(*created), created->version, location_of(created->id));
}

Task<Result<Response>> get(Identity const& identity, Call& call) {
  auto const id = id_in_path<UserId>(call, "user_id", "user");
  if (!id)
    co_return fail(id.error());
  auto const user = co_await identity.users.get(call.context.principal.tenant, *id, call.context.deadline);
  if (!user)
    co_return fail(user.error());
  co_return http::entity_response(200, entity::to_json(*user), user->version);
}

Task<Result<Response>> update(Identity const& identity, Call& call) {
  auto const id = id_in_path<UserId>(call, "user_id", "user");
  if (!id)
    co_return fail(id.error());
  auto const expected = call.if_match();
  if (!expected)
    co_return fail(expected.error());
  if (auto ok = check_change<User>(call); !ok)
    co_return fail(std::move(ok.error()));
  auto const present = co_await require_may_act_for(identity, call, *id);
  if (!present)
    co_return fail(present.error());
  auto wanted = *present;
  if (auto ok = entity::patch_json(wanted, call.body()); !ok)
    co_return fail(std::move(ok.error()));
  if (auto ok = co_await require_may_grant_roles(identity, call, wanted.roles); wanted.roles != present->roles && !ok)
    co_return fail(std::move(ok.error()));
  auto const edit = [&](User& user) -> Result<void> {
    if (auto ok = entity::patch_json(user, call.body()); !ok)
      return fail(std::move(ok.error()));
    return {};
  };
  auto updated = co_await identity.users.update(call.context.actor(), *id, edit, *expected, call.context.deadline);
  if (!updated)
    co_return fail(std::move(updated.error()));
  co_return http::entity_response(200, entity::to_json(*updated), updated->version);
}

Task<Result<Response>> remove(Identity const& identity, Call& call) {
  auto const id = id_in_path<UserId>(call, "user_id", "user");
  if (!id)
    co_return fail(id.error());
  auto const expected = call.if_match();
  if (!expected)
    co_return fail(expected.error());
  if (id->value == call.context.principal.user_id)
    co_return fail(Code::conflict, "You cannot delete yourself; ask another administrator.");
  if (auto const present = co_await require_may_act_for(identity, call, *id); !present)
    co_return fail(present.error());
  if (auto done = co_await identity.users.remove(call.context.actor(), *id, *expected, call.context.deadline); !done)
    co_return fail(std::move(done.error()));
  co_return message_response("user '" + id->value + "' is deleted");
}

/// For who has lost app and recovery codes.
Task<Result<Response>> disable_mfa(Identity const& identity, Call& call) {
  auto const id = id_in_path<UserId>(call, "user_id", "user");
  if (!id)
    co_return fail(id.error());
  if (auto const present = co_await require_may_act_for(identity, call, *id); !present)
    co_return fail(present.error());
  auto disabled = co_await identity.users.disable_mfa(call.context.actor(), *id, call.context.deadline);
  if (!disabled)
    co_return fail(std::move(disabled.error()));
  co_return http::entity_response(200, entity::to_json(*disabled), disabled->version);
}

Task<Result<Response>> list_logins(Identity const& identity, Call& call) {
  auto const id = id_in_path<UserId>(call, "user_id", "user");
  if (!id)
    co_return fail(id.error());
  auto const page = page_request(call);
  if (!page)
    co_return fail(page.error());
  auto logins = co_await identity.logins.list(call.context.principal.tenant, *id, *page, call.context.deadline);
  if (!logins)
    co_return fail(std::move(logins.error()));
  co_return list_response("logins", *logins);
}

}  // namespace

void add_user_routes(http::Router& router, Identity const& identity) {
  auto const* user = &entity::entity<User>();
  router.add({.method = Method::get,
              .path = "/users",
              .permission = "users:read",
              .summary = "List users, newest first",
              .query = list_parameters({{.name = "q",
                                         .doc = "Only those with this in their name or e-mail address, 1 to 200 "
                                                "characters; case does not matter."}}),
              .response = user,
              .list = "users",
              .handler = bind(identity, list)});
  router.add({.method = Method::post,
              .path = "/users",
              .permission = "users:write",
              .summary = "Create a user; give him a one-time token for his password then",
              .takes = http::Body::json,
              .request = user,
              .response = user,
              .success = 201,
              .errors = {Code::conflict, Code::forbidden},
              .handler = bind(identity, create)});
  router.add({.method = Method::get,
              .path = "/users/{user_id}",
              .permission = "users:read",
              .summary = "Read one user",
              .response = user,
              .errors = {Code::not_found},
              .handler = bind(identity, get)});
  router.add({.method = Method::put,
              .path = "/users/{user_id}",
              .permission = "users:write",
              .summary = "Change a user: what is left out stays; who is not active any more is signed out",
              .takes = http::Body::json,
              .request = user,
              .response = user,
              .errors = {Code::not_found, Code::forbidden, Code::conflict, Code::version_mismatch},
              .handler = bind(identity, update)});
  router.add({.method = Method::del,
              .path = "/users/{user_id}",
              .permission = "users:write",
              .summary = "Delete a user; what he did stays",
              .response = &entity::entity<Message>(),
              .errors = {Code::not_found, Code::forbidden, Code::conflict, Code::version_mismatch},
              .handler = bind(identity, remove)});
  router.add({.method = Method::post,
              .path = "/users/{user_id}/mfa/disable",
              .permission = "users:write",
              .summary = "Take a user's second factor away, for who has lost it",
              .response = user,
              .errors = {Code::not_found, Code::forbidden, Code::conflict},
              .handler = bind(identity, disable_mfa)});
  router.add({.method = Method::get,
              .path = "/users/{user_id}/logins",
              .permission = "users:read",
              .summary = "Where a user is signed in, newest first",
              .query = list_parameters(),
              .response = &entity::entity<model::Login>(),
              .list = "logins",
              .handler = bind(identity, list_logins)});
}

}  // namespace al::services::auth
