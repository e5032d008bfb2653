#include "data/access_store.hpp"

#include "core/entity.hpp"
#include "data/row_values.hpp"

namespace al::data {

namespace {

using storage::Scope;
using storage::Statement;

std::string const user_columns = "u.id, u.must_change_password, u.roles, ";

/// Of the roles of `u` that are not built in: a JSON array of their arrays of permissions.
std::string const permissions_on_postgres =
    "(SELECT json_agg(r.permissions) FROM roles r WHERE r.tenant_id = u.tenant_id AND r.deleted_at IS NULL"
    " AND r.id IN (SELECT json_array_elements_text(u.roles)))";
std::string const permissions_on_sqlite =
    "(SELECT json_group_array(json(r.permissions)) FROM roles r WHERE r.tenant_id = u.tenant_id"
    " AND r.deleted_at IS NULL AND r.id IN (SELECT value FROM json_each(u.roles)))";

/// A tenant without a name is nobody's to suspend.
std::string const of_active_organisation =
    " AND NOT EXISTS (SELECT 1 FROM organisations o WHERE o.tenant_id = 'default' AND o.id = t.tenant_id"
    " AND o.status <> 'active')";
std::string const is_active = "u.status = 'active' AND u.deleted_at IS NULL";

std::string key_query(std::string const& permissions) {
  return "SELECT t.tenant_id, t.id, " + user_columns + permissions +
         ", t.permissions, CASE WHEN t.last_used_at > al_after($2) THEN 1 ELSE 0 END"
         " FROM api_keys t LEFT JOIN users u ON u.tenant_id = t.tenant_id AND u.id = t.user_id"
         " WHERE (t.hash = $1 OR (t.previous_hash = $1 AND t.previous_until > al_now())) AND t.revoked_at IS NULL"
         " AND (t.expires_at IS NULL OR t.expires_at > al_now()) AND (t.user_id IS NULL OR (" +
         is_active + "))" + of_active_organisation;
}

std::string login_query(std::string const& permissions) {
  return "SELECT t.tenant_id, u.id, " + user_columns + permissions +
         ", NULL, 1 FROM logins t JOIN users u ON u.tenant_id = t.tenant_id AND u.id = t.user_id"
         " WHERE t.tenant_id = $1 AND t.id = $2 AND t.ended_at IS NULL AND t.expires_at > al_now() AND " +
         is_active + of_active_organisation;
}

Statement const find_by_hash{"access.find_key", key_query(permissions_on_postgres), key_query(permissions_on_sqlite)};
Statement const find_by_login{"access.find_login", login_query(permissions_on_postgres),
                              login_query(permissions_on_sqlite)};
Statement const note_use_of_key{"access.note_use",
                                "UPDATE api_keys SET last_used_at = al_now() WHERE tenant_id = $1 AND id = $2"};

constexpr std::chrono::microseconds use_precision = std::chrono::minutes{1};

void add_texts(Value const& stored, std::vector<std::string>& out) {
  if (is_null(stored))
    return;
  std::vector<std::string> texts;
  entity::type_of<std::vector<std::string>>().read(stored, &texts);
  out.insert(out.end(), texts.begin(), texts.end());
}

/// An array of arrays of texts.
void add_nested(Value const& stored, std::vector<std::string>& out) {
  if (is_null(stored))
    return;
  std::vector<std::vector<std::string>> lists;
  entity::type_of<std::vector<std::vector<std::string>>>().read(stored, &lists);
  for (auto const& list : lists)
    out.insert(out.end(), list.begin(), list.end());
}

Access access_of(Row const& row) {
  Access out{.tenant = TenantId{text_or_empty_at(row, 0)},
             .id = text_or_empty_at(row, 1),
             .user_id = text_or_empty_at(row, 2),
             .must_change_password = false,
             .is_use_noted = integer_at(row, 7) == 1,
             .roles = {},
             .role_permissions = {},
             .key_permissions = {}};
  if (!is_null(row.at(3)))
    entity::bool_type().read(row.at(3), &out.must_change_password);
  add_texts(row.at(4), out.roles);
  add_nested(row.at(5), out.role_permissions);
  add_texts(row.at(6), out.key_permissions);
  return out;
}

}  // namespace

Task<std::optional<Access>> AccessStore::find_key(std::string hash, Deadline deadline) {
  auto const rows =
      co_await database_.read(Scope::system(), find_by_hash, {std::move(hash), -use_precision.count()}, deadline);
  if (rows.empty())
    co_return std::nullopt;
  co_return access_of(rows[0]);
}

Task<std::optional<Access>> AccessStore::find_login(TenantId const& tenant, std::string login_id, Deadline deadline) {
  Values params{tenant.value, std::move(login_id)};
  auto const rows = co_await database_.read(Scope::system(), find_by_login, std::move(params), deadline);
  if (rows.empty())
    co_return std::nullopt;
  co_return access_of(rows[0]);
}

Task<void> AccessStore::note_use(TenantId const& tenant, std::string key_id, Deadline deadline) {
  Values params{tenant.value, std::move(key_id)};
  std::ignore = co_await database_.apply({Scope::of(tenant), {{&note_use_of_key, std::move(params)}}}, deadline);
}

}  // namespace al::data
