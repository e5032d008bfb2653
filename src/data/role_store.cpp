#include "data/role_store.hpp"

#include "data/decide.hpp"
#include "data/permission_faults.hpp"

namespace al::data {

namespace {

using model::Role;
using model::RoleId;
using storage::Scope;
using storage::Statement;

entity::Entity const& role_entity = entity::entity<Role>();
Aggregate const role_aggregate{.entity = role_entity, .key = {{"id", "text"}}, .id = "u.id"};

std::string const shown =
    "SELECT " + entity::columns(role_entity, "t.") + " FROM roles t WHERE t.tenant_id = $1 AND t.deleted_at IS NULL";
Statement const get_role{"role.get", shown + " AND t.id = $2"};
Statement const list_roles{"role.list", shown + " AND t.id > $2 ORDER BY t.id LIMIT $3"};

Change const create_role =
    make_insert(role_aggregate, {.name = "role.create",
                                 .channel = "role:created",
                                 .on_conflict = "DO UPDATE SET description = excluded.description,"
                                                " permissions = excluded.permissions, version = t.version + 1,"
                                                " created_at = excluded.created_at, updated_at = excluded.updated_at,"
                                                " deleted_at = NULL WHERE t.deleted_at IS NOT NULL",
                                 .is_audited = true});
Change const update_role = make_update(
    role_aggregate, {.name = "role.update",
                     .channel = "role:updated",
                     .params = {{"expected", "bigint"}, {"description", "text"}, {"permissions", "json"}},
                     .set = "description = {description}, permissions = {permissions}, updated_at = al_now()",
                     .where = "t.version = {expected} AND t.deleted_at IS NULL",
                     .is_audited = true});
Change const remove_role = make_update(role_aggregate, {.name = "role.delete",
                                                        .channel = "role:deleted",
                                                        .params = {{"expected", "bigint"}},
                                                        .set = "deleted_at = al_now(), updated_at = al_now()",
                                                        .where = "t.version = {expected} AND t.deleted_at IS NULL",
                                                        .is_audited = true});

Error no_such_role(RoleId const& id) {
  return {.code = Code::not_found, .message = "there is no role '" + id.value + "'"};
}

Result<void> check_own(RoleId const& id) {
  if (model::built_in_role(id.value) == nullptr)
    return {};
  return fail(Code::conflict,
              "the role '" + id.value + "' comes with the product and is not changed; make another one");
}

}  // namespace

Task<Result<Role>> RoleStore::get(TenantId const& tenant, RoleId const& id, Deadline deadline) {
  if (auto const* built_in = model::built_in_role(id.value))
    co_return *built_in;
  auto const rows = co_await writer_.database().read(Scope::of(tenant), get_role, {tenant.value, id.value}, deadline);
  if (rows.empty())
    co_return fail(no_such_role(id));
  co_return entity::from_row<Role>(rows[0]);
}

Task<Result<Page<Role>>> RoleStore::list(TenantId const& tenant, PageRequest request, Deadline deadline) {
  if (!request.cursor.empty() && !is_slug(request.cursor))
    co_return fail(wrong_cursor());
  Values params{tenant.value, std::move(request.cursor), request.limit + 1};
  auto rows = co_await writer_.database().read(Scope::of(tenant), list_roles, std::move(params), deadline);
  co_return page_of<Role>(cut_page(rows, request.limit));
}

Task<Result<Role>> RoleStore::create(Actor const& actor, Role role, Deadline deadline) {
  if (auto ok = check_own(role.id); !ok)
    co_return fail(std::move(ok.error()));
  if (auto faults = permission_faults(role.permissions); !faults.empty())
    co_return fail(entity::invalid(std::move(faults)));
  auto params = bind_first(role, writer_.clock().now());
  auto row = co_await writer_.write(create_role, actor, std::move(params), deadline);
  if (!row && row.error().code == Code::conflict)
    co_return fail(Code::conflict, "role '" + role.id.value + "' exists already; update it, or choose another id");
  if (!row)
    co_return fail(std::move(row.error()));
  co_return entity::from_row<Role>(*row);
}

Task<Result<Role>> RoleStore::update(Actor const& actor, RoleId const& id, Edit edit,
                                     std::optional<std::int64_t> expected, Deadline deadline) {
  if (auto ok = check_own(id); !ok)
    co_return fail(std::move(ok.error()));
  auto const edit_checked = [&](Role& role) -> Result<void> {
    if (auto ok = edit(role); !ok)
      return ok;
    if (auto faults = permission_faults(role.permissions); !faults.empty())
      return fail(entity::invalid(std::move(faults)));
    return {};
  };
  auto const write = [&](Role const& role) -> Task<Result<Role>> {
    auto const permissions = entity::type_of<std::vector<std::string>>().bind(&role.permissions);
    Values params{id.value, role.version, role.description, permissions};
    auto row = co_await writer_.write(update_role, actor, std::move(params), deadline);
    if (!row)
      co_return fail(std::move(row.error()));
    co_return entity::from_row<Role>(*row);
  };
  co_return co_await decide<Role, Role>({.what = "the role",
                                         .read = [&] { return get(actor.tenant, id, deadline); },
                                         .edit = edit_checked,
                                         .write = write},
                                        expected);
}

Task<Result<void>> RoleStore::remove(Actor const& actor, RoleId const& id, std::optional<std::int64_t> expected,
                                     Deadline deadline) {
  if (auto ok = check_own(id); !ok)
    co_return fail(std::move(ok.error()));
  auto const write = [&](Role const& role) -> Task<Result<void>> {
    auto row = co_await writer_.write(remove_role, actor, {id.value, role.version}, deadline);
    if (!row)
      co_return fail(std::move(row.error()));
    co_return Result<void>{};
  };
  co_return co_await decide<Role, void>(
      {.what = "the role", .read = [&] { return get(actor.tenant, id, deadline); }, .write = write}, expected);
}

}  // namespace al::data
