#include "data/api_key_store.hpp"

#include "data/decide.hpp"
#include "data/permission_faults.hpp"
#include "model/role.hpp"

namespace al::data {

namespace {

using model::ApiKey;
using model::ApiKeyId;
using storage::Scope;
using storage::Statement;

entity::Entity const& key_entity = entity::entity<ApiKey>();
Aggregate const key_aggregate{.entity = key_entity, .key = {{"id", "uuid"}}, .id = "u.id"};

std::string const shown = "SELECT " + entity::columns(key_entity, "t.") +
                          ", t.last_used_at FROM api_keys t WHERE t.tenant_id = $1 AND t.revoked_at IS NULL";
std::string const in_order = " ORDER BY t.id DESC LIMIT $3";

Statement const any_key{"api_key.any", "SELECT 1 FROM api_keys WHERE tenant_id = $1 LIMIT 1"};
Statement const get_key{"api_key.get", shown + " AND t.id = $2"};
Statement const list_keys{"api_key.list", shown + " AND t.id < $2" + in_order};
Statement const list_of_user{"api_key.list_user", shown + " AND t.id < $2 AND t.user_id = $4" + in_order};

Change const create_key = make_insert(key_aggregate, {.name = "api_key.create",
                                                      .channel = "api_key:created",
                                                      .extra = {{"hash", "{hash}"}},
                                                      .params = {{"hash", "text"}},
                                                      .is_audited = true});
Change const rotate_key = make_update(
    key_aggregate, {.name = "api_key.rotate",
                    .channel = "api_key:rotated",
                    .params = {{"expected", "bigint"}, {"hash", "text"}, {"prefix", "text"}, {"grace", "bigint"}},
                    .set = "previous_hash = t.hash, previous_until = al_after({grace}), hash = {hash},"
                           " prefix = {prefix}, rotated_at = al_now(), updated_at = al_now()",
                    .where = "t.version = {expected} AND t.revoked_at IS NULL",
                    .is_audited = true});
Change const revoke_key = make_update(key_aggregate, {.name = "api_key.revoke",
                                                      .channel = "api_key:revoked",
                                                      .set = "revoked_at = al_now(), updated_at = al_now()",
                                                      .where = "t.revoked_at IS NULL",
                                                      .is_audited = true});

Error no_such_key(ApiKeyId const& id) {
  return {.code = Code::not_found, .message = "there is no API key '" + id.value + "'; it may have been revoked"};
}

ApiKey key_of(Row const& row) {
  auto key = entity::from_row<ApiKey>(row);
  if (!is_null(row.back()))
    entity::time_type().read(row.back(), &key.last_used_at.emplace());
  return key;
}

}  // namespace

Task<bool> ApiKeyStore::any(TenantId const& tenant, Deadline deadline) {
  co_return !(co_await writer_.database().read(Scope::of(tenant), any_key, {tenant.value}, deadline)).empty();
}

Task<Result<ApiKey>> ApiKeyStore::create(Actor const& actor, ApiKey key, NewKey made, Deadline deadline) {
  if (auto faults = permission_faults(key.permissions); !faults.empty())
    co_return fail(entity::invalid(std::move(faults)));
  key.prefix = std::move(made.prefix);
  auto params = bind_first(key, writer_.clock().now());
  params.emplace_back(std::move(made.hash));
  auto row = co_await writer_.write(create_key, actor, std::move(params), deadline);
  if (!row && row.error().code == Code::conflict)
    co_return fail(Code::conflict, "this API key exists already");
  if (!row)
    co_return fail(std::move(row.error()));
  co_return entity::from_row<ApiKey>(*row);
}

Task<Result<ApiKey>> ApiKeyStore::get(TenantId const& tenant, ApiKeyId const& id, Deadline deadline) {
  auto const rows = co_await writer_.database().read(Scope::of(tenant), get_key, {tenant.value, id.value}, deadline);
  if (rows.empty())
    co_return fail(no_such_key(id));
  co_return key_of(rows[0]);
}

Task<Result<Page<ApiKey>>> ApiKeyStore::list(TenantId const& tenant, std::optional<model::UserId> owner,
                                             PageRequest request, Deadline deadline) {
  auto cursor = request.cursor.empty() ? std::string(last_uuid) : std::move(request.cursor);
  if (!is_uuid(cursor))
    co_return fail(wrong_cursor());
  Values params{tenant.value, std::move(cursor), request.limit + 1};
  if (owner)
    params.emplace_back(owner->value);
  auto rows = co_await writer_.database().read(Scope::of(tenant), owner ? list_of_user : list_keys, std::move(params),
                                               deadline);
  co_return page_of(cut_page(rows, request.limit), key_of);
}

Task<Result<ApiKey>> ApiKeyStore::rotate(Actor const& actor, ApiKeyId const& id, NewKey made,
                                         std::chrono::seconds grace, std::optional<std::int64_t> expected,
                                         Deadline deadline) {
  auto const write = [&](ApiKey const& key) -> Task<Result<ApiKey>> {
    Values params{id.value, key.version, made.hash, made.prefix, std::chrono::microseconds(grace).count()};
    auto row = co_await writer_.write(rotate_key, actor, std::move(params), deadline);
    if (!row)
      co_return fail(std::move(row.error()));
    co_return entity::from_row<ApiKey>(*row);
  };
  co_return co_await decide<ApiKey, ApiKey>(
      {.what = "the API key", .read = [&] { return get(actor.tenant, id, deadline); }, .write = write}, expected);
}

Task<Result<void>> ApiKeyStore::revoke(Actor const& actor, ApiKeyId const& id, Deadline deadline) {
  auto row = co_await writer_.write(revoke_key, actor, {id.value}, deadline);
  if (!row && row.error().code == Code::conflict)
    co_return fail(no_such_key(id));
  if (!row)
    co_return fail(std::move(row.error()));
  co_return Result<void>{};
}

}  // namespace al::data
