#include "services/auth/identity.hpp"
#include "services/common/reply.hpp"

namespace al::services::auth {

namespace {

using http::Call;
using http::Method;
using http::Response;
using model::Role;
using model::RoleId;

RoleId role_id(Call const& call) { return RoleId{call.path("role_id")}; }

/// The built-in ones stand first, on the first page.
Task<Result<Response>> list(Identity const& identity, Call& call) {
  auto const page = page_request(call);
  if (!page)
    co_return fail(page.error());
  auto roles = co_await identity.roles.list(call.context.principal.tenant, *page, call.context.deadline);
  if (!roles)
    co_return fail(std::move(roles.error()));
  if (page->cursor.empty())
    roles->items.insert(roles->items.begin(), model::built_in_roles().begin(), model::built_in_roles().end());
  co_return list_response("roles", *roles);
}

Task<Result<Response>> create(Identity const& identity, Call& call) {
  auto role = entity::from_json<Role>(call.body());
  if (!role)
    co_return fail(std::move(role.error()));
  if (auto ok = require_may_grant(call.context.principal, role->permissions); !ok)
    co_return fail(std::move(ok.error()));
  auto created = co_await identity.roles.create(call.context.actor(), std::move(*role), call.context.deadline);
  if (!created)
    co_return fail(std::move(created.error()));
  co_return http::entity_response(201, entity::to_json(*created), created->version,
                                  "/api/v1/roles/" + created->id.value);
}

Task<Result<Response>> get(Identity const& identity, Call& call) {
  auto const role = co_await identity.roles.get(call.context.principal.tenant, role_id(call), call.context.deadline);
  if (!role)
    co_return fail(role.error());
  co_return http::entity_response(200, entity::to_json(*role), role->version);
}

/// Who has less than the role gives neither adds to it nor takes from it.
Task<Result<Response>> update(Identity const& identity, Call& call) {
  auto const expected = call.if_match();
  if (!expected)
    co_return fail(expected.error());
  if (auto ok = check_change<Role>(call); !ok)
    co_return fail(std::move(ok.error()));
  auto const edit = [&](Role& role) -> Result<void> {
    if (auto ok = require_may_grant(call.context.principal, role.permissions); !ok)
      return ok;
    if (auto ok = entity::patch_json(role, call.body()); !ok)
      return fail(std::move(ok.error()));
    return require_may_grant(call.context.principal, role.permissions);
  };
  auto updated =
      co_await identity.roles.update(call.context.actor(), role_id(call), edit, *expected, call.context.deadline);
  if (!updated)
    co_return fail(std::move(updated.error()));
  co_return http::entity_response(200, entity::to_json(*updated), updated->version);
}

Task<Result<Response>> remove(Identity const& identity, Call& call) {
  auto const expected = call.if_match();
  if (!expected)
    co_return fail(expected.error());
  auto const id = role_id(call);
  auto const role = co_await identity.roles.get(call.context.principal.tenant, id, call.context.deadline);
  if (!role)
    co_return fail(role.error());
  if (auto ok = require_may_grant(call.context.principal, role->permissions); !ok)
    co_return fail(std::move(ok.error()));
  if (auto done = co_await identity.roles.remove(call.context.actor(), id, *expected, call.context.deadline); !done)
    co_return fail(std::move(done.error()));
  co_return message_response("role '" + id.value + "' is deleted");
}

}  // namespace

void add_role_routes(http::Router& router, Identity const& identity) {
  auto const* role = &entity::entity<Role>();
  router.add({.method = Method::get,
              .path = "/roles",
              .permission = "roles:read",
              .summary = "List roles, the built-in ones first",
              .query = list_parameters(),
              .response = role,
              .list = "roles",
              .handler = bind(identity, list)});
  router.add({.method = Method::post,
              .path = "/roles",
              .permission = "roles:write",
              .summary = "Make a role of permissions that you have yourself",
              .takes = http::Body::json,
              .request = role,
              .response = role,
              .success = 201,
              .errors = {Code::conflict, Code::forbidden},
              .handler = bind(identity, create)});
  router.add({.method = Method::get,
              .path = "/roles/{role_id}",
              .permission = "roles:read",
              .summary = "Read one role",
              .response = role,
              .errors = {Code::not_found},
              .handler = bind(identity, get)});
  router.add({.method = Method::put,
              .path = "/roles/{role_id}",
              .permission = "roles:write",
              .summary = "Change a role: what is left out stays; it bites within a second",
              .takes = http::Body::json,
              .request = role,
              .response = role,
              .errors = {Code::not_found, Code::forbidden, Code::conflict, Code::version_mismatch},
              .handler = bind(identity, update)});
  router.add({.method = Method::del,
              .path = "/roles/{role_id}",
              .permission = "roles:write",
              .summary = "Delete a role: who has it loses what it gave",
              .response = &entity::entity<Message>(),
              .errors = {Code::not_found, Code::forbidden, Code::conflict, Code::version_mismatch},
              .handler = bind(identity, remove)});
}

}  // namespace al::services::auth
