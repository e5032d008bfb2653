#include "data/user_identity_store.hpp"

namespace al::data {

namespace {

using model::UserId;
using model::UserIdentity;
using model::UserIdentityId;
using storage::Scope;
using storage::Statement;

entity::Entity const& identity_entity = entity::entity<UserIdentity>();
Aggregate const identity_aggregate{.entity = identity_entity, .key = {{"id", "uuid"}}, .id = "u.id"};

Statement const find_identity{"user_identity.find",
                              "SELECT tenant_id, user_id FROM user_identities"
                              " WHERE issuer = $1 AND subject = $2 AND ended_at IS NULL"};
Statement const list_identities{"user_identity.list",
                                "SELECT " + entity::columns(identity_entity, "t.") +
                                    " FROM user_identities t WHERE t.tenant_id = $1 AND t.user_id = $2 AND t.id < $3"
                                    " AND t.ended_at IS NULL ORDER BY t.id DESC LIMIT $4"};

Change const link_identity = make_insert(
    identity_aggregate, {.name = "user_identity.link", .channel = "user_identity:linked", .is_audited = true});
Change const unlink_identity =
    make_update(identity_aggregate, {.name = "user_identity.unlink",
                                     .channel = "user_identity:unlinked",
                                     .params = {{"user", "uuid"}},
                                     .set = "ended_at = al_now()",
                                     .where = "t.user_id = {user} AND t.ended_at IS NULL",
                                     .also = {{"UPDATE logins AS l SET ended_at = al_now() FROM u"
                                               " WHERE l.tenant_id = u.tenant_id AND l.user_id = u.user_id"
                                               " AND l.method = 'oidc' AND l.ended_at IS NULL"}},
                                     .is_audited = true});

}  // namespace

Task<std::optional<UserIdentityStore::Owner>> UserIdentityStore::find_owner(std::string issuer, std::string subject,
                                                                            Deadline deadline) {
  auto const rows = co_await writer_.database().read(Scope::system(), find_identity,
                                                     {std::move(issuer), std::move(subject)}, deadline);
  if (rows.empty())
    co_return std::nullopt;
  co_return Owner{.tenant = TenantId{std::get<std::string>(rows[0].at(0))},
                  .user_id = UserId{std::get<std::string>(rows[0].at(1))}};
}

Task<Result<UserIdentity>> UserIdentityStore::link(Actor const& actor, UserId user, std::string issuer,
                                                   std::string subject, Deadline deadline) {
  UserIdentityId id{writer_.new_uuid()};
  co_return co_await add(actor, std::move(id), std::move(user), std::move(issuer), std::move(subject), deadline);
}

// It has the id of the user, so that the database takes one of two that come at once.
Task<Result<UserIdentity>> UserIdentityStore::link_first(Actor const& actor, UserId user, std::string issuer,
                                                         std::string subject, Deadline deadline) {
  UserIdentityId id{user.value};
  co_return co_await add(actor, std::move(id), std::move(user), std::move(issuer), std::move(subject), deadline);
}

Task<Result<UserIdentity>> UserIdentityStore::add(Actor const& actor, UserIdentityId id, UserId user,
                                                  std::string issuer, std::string subject, Deadline deadline) {
  UserIdentity const identity{.id = std::move(id),
                              .user_id = std::move(user),
                              .issuer = std::move(issuer),
                              .subject = std::move(subject),
                              .created_at = writer_.clock().now()};
  Values params;
  entity::bind_row(identity, params);
  auto row = co_await writer_.write(link_identity, actor, std::move(params), deadline);
  if (!row && row.error().code == Code::conflict)
    co_return fail(Code::conflict,
                   "this person of the provider is linked to a user already, or the user to another person");
  if (!row)
    co_return fail(std::move(row.error()));
  co_return entity::from_row<UserIdentity>(*row);
}

Task<Result<Page<UserIdentity>>> UserIdentityStore::list(TenantId const& tenant, UserId const& user,
                                                         PageRequest request, Deadline deadline) {
  auto cursor = request.cursor.empty() ? std::string(last_uuid) : std::move(request.cursor);
  if (!is_uuid(cursor))
    co_return fail(wrong_cursor());
  Values params{tenant.value, user.value, std::move(cursor), request.limit + 1};
  auto rows = co_await writer_.database().read(Scope::of(tenant), list_identities, std::move(params), deadline);
  co_return page_of<UserIdentity>(cut_page(rows, request.limit));
}

Task<Result<void>> UserIdentityStore::unlink(Actor const& actor, UserId const& user, UserIdentityId const& id,
                                             Deadline deadline) {
  auto row = co_await writer_.write(unlink_identity, actor, {id.value, user.value}, deadline);
  if (!row && row.error().code == Code::conflict)
    co_return fail(Code::not_found, "there is no linked identity '" + id.value + "'");
  if (!row)
    co_return fail(std::move(row.error()));
  co_return Result<void>{};
}

}  // namespace al::data
