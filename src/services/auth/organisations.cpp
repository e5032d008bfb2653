#include "services/auth/identity.hpp"
#include "services/common/reply.hpp"

namespace al::services::auth {

namespace {

using http::Call;
using http::Method;
using http::Response;
using model::Organisation;
using model::User;

/// Errors: forbidden. Everybody else knows one organisation, his own, which GET /auth/me names.
Result<void> require_operator(Call const& call) {
  if (call.context.principal.tenant == default_tenant)
    return {};
  return fail(Code::forbidden, "Only those who run the installation manage organisations.");
}

/// Errors: not_found, since what is no slug names none.
Result<TenantId> organisation_id(Call const& call) {
  auto const& id = call.path("organisation_id");
  if (!is_slug(id))
    return fail(Code::not_found, "there is no organisation '" + id + "'");
  return TenantId{id};
}

Task<Result<Response>> list(Identity const& identity, Call& call) {
  if (auto ok = require_operator(call); !ok)
    co_return fail(std::move(ok.error()));
  auto const page = page_request(call);
  if (!page)
    co_return fail(page.error());
  auto organisations = co_await identity.organisations.list(*page, call.context.deadline);
  if (!organisations)
    co_return fail(std::move(organisations.error()));
  co_return list_response("organisations", *organisations);
}

Task<Result<Response>> create(Identity const& identity, Call& call) {
  auto organisation = entity::from_json<Organisation>(call.body());
  if (!organisation)
    co_return fail(std::move(organisation.error()));
  auto created =
      co_await identity.organisations.create(call.context.actor(), std::move(*organisation), call.context.deadline);
  if (!created)
    co_return fail(std::move(created.error()));
  co_return http::entity_response(201, entity::to_json(*created), created->version,
                                  "/api/v1/organisations/" + created->id.value);
}

Task<Result<Response>> get(Identity const& identity, Call& call) {
  if (auto ok = require_operator(call); !ok)
    co_return fail(std::move(ok.error()));
  auto const id = organisation_id(call);
  if (!id)
    co_return fail(id.error());
  auto const organisation = co_await identity.organisations.get(*id, call.context.deadline);
  if (!organisation)
    co_return fail(organisation.error());
  co_return http::entity_response(200, entity::to_json(*organisation), organisation->version);
}

Task<Result<Response>> update(Identity const& identity, Call& call) {
  auto const expected = call.if_match();
  if (!expected)
    co_return fail(expected.error());
  auto const id = organisation_id(call);
  if (!id)
    co_return fail(id.error());
  if (auto ok = check_change<Organisation>(call); !ok)
    co_return fail(std::move(ok.error()));
  auto const edit = [&](Organisation& organisation) -> Result<void> {
    if (auto ok = entity::patch_json(organisation, call.body()); !ok)
      return fail(std::move(ok.error()));
    return {};
  };
  auto updated =
      co_await identity.organisations.update(call.context.actor(), *id, edit, *expected, call.context.deadline);
  if (!updated)
    co_return fail(std::move(updated.error()));
  co_return http::entity_response(200, entity::to_json(*updated), updated->version);
}

/// How an organisation gets its first user; its own administrators make the others.
Task<Result<Response>> add_user(Identity const& identity, Call& call) {
  auto const deadline = call.context.deadline;
  auto user = entity::from_json<User>(call.body());
  if (!user)
    co_return fail(std::move(user.error()));
  if (auto ok = require_operator(call); !ok)
    co_return fail(std::move(ok.error()));
  auto const id = organisation_id(call);
  if (!id)
    co_return fail(id.error());
  if (auto const there = co_await identity.organisations.get(*id, deadline); !there)
    co_return fail(there.error());
  for (std::size_t i = 0; i < user->roles.size(); ++i) {
    if (model::built_in_role(user->roles[i]) == nullptr)
      co_return fail(entity::invalid({{"roles[" + std::to_string(i) + "]", "must be a built-in role, such as admin"}}));
  }
  if (auto ok = co_await require_may_grant_roles(identity, call, user->roles); !ok)
    co_return fail(std::move(ok.error()));
  user->id = identity.users.new_id();
  auto actor = call.context.actor();
  actor.tenant = *id;
  auto created = co_await identity.users.create(actor, std::move(*user), {}, deadline);
  if (!created)
    co_return fail(std::move(created.error()));
  auto reset = co_await issue_password_reset(identity, actor, created->id, deadline);
  if (!reset)
    co_return fail(std::move(reset.error()));
  co_return described_response(201, NewUser{.user = std::move(*created), .password_reset = std::move(*reset)});
}

}  // namespace

void add_organisation_routes(http::Router& router, Identity const& identity) {
  auto const* organisation = &entity::entity<Organisation>();
  router.add({.method = Method::get,
              .path = "/organisations",
              .permission = "organisations:read",
              .summary = "List the organisations of the installation",
              .query = list_parameters(),
              .response = organisation,
              .list = "organisations",
              .errors = {Code::forbidden},
              .handler = bind(identity, list)});
  router.add({.method = Method::post,
              .path = "/organisations",
              .permission = "organisations:write",
              .summary = "Create an organisation: a tenant of its own",
              .takes = http::Body::json,
              .request = organisation,
              .response = organisation,
              .success = 201,
              .errors = {Code::conflict, Code::forbidden},
              .handler = bind(identity, create)});
  router.add({.method = Method::get,
              .path = "/organisations/{organisation_id}",
              .permission = "organisations:read",
              .summary = "Read one organisation",
              .response = organisation,
              .errors = {Code::not_found, Code::forbidden},
              .handler = bind(identity, get)});
  router.add({.method = Method::put,
              .path = "/organisations/{organisation_id}",
              .permission = "organisations:write",
              .summary = "Rename or suspend an organisation: nobody of a suspended one gets in",
              .takes = http::Body::json,
              .request = organisation,
              .response = organisation,
              .errors = {Code::not_found, Code::forbidden, Code::conflict, Code::version_mismatch},
              .handler = bind(identity, update)});
  router.add(
      {.method = Method::post,
       .path = "/organisations/{organisation_id}/users",
       .permission = "organisations:write",
       .summary = "Create a user of an organisation, such as its first administrator, with a token for his password",
       .takes = http::Body::json,
       .request = &entity::entity<User>(),
       .response = &entity::entity<NewUser>(),
       .success = 201,
       .errors = {Code::not_found, Code::forbidden, Code::conflict},
       .idempotent_key = false,
       .handler = bind(identity, add_user)});
}

}  // namespace al::services::auth
