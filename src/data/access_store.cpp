#include "data/access_store.hpp"

#include "core/entity.hpp"

namespace al::data {

namespace {

using storage::Scope;
using storage::Statement;

Statement const find_token{"access.find",
                           "SELECT tenant_id, id, name, permissions FROM access_tokens"
                           " WHERE hash = $1 AND revoked_at IS NULL"};
Statement const count_tokens{"access.count", "SELECT COUNT(*) FROM access_tokens WHERE tenant_id = $1"};
Statement const add_token{"access.add",
                          "INSERT INTO access_tokens (tenant_id, id, hash, name, permissions, created_at)"
                          " VALUES ($1, $2, $3, $4, $5, al_now())"};

}  // namespace

Task<std::optional<Access>> AccessStore::find(std::string hash, Deadline deadline) {
  auto const rows = co_await database_.read(Scope::system(), find_token, {std::move(hash)}, deadline);
  if (rows.empty())
    co_return std::nullopt;
  auto const text = [&](std::size_t i) { return std::get<std::string>(rows[0].at(i)); };
  Access access{.tenant = TenantId{text(0)}, .id = text(1), .name = text(2), .permissions = {}};
  entity::type_of<std::vector<std::string>>().read(rows[0].at(3), &access.permissions);
  co_return access;
}

Task<bool> AccessStore::any(TenantId const& tenant, Deadline deadline) {
  auto const rows = co_await database_.read(Scope::of(tenant), count_tokens, {tenant.value}, deadline);
  co_return std::get<std::int64_t>(rows.at(0).at(0)) > 0;
}

Task<Result<void>> AccessStore::add(Access access, std::string hash, Deadline deadline) {
  auto const permissions = entity::type_of<std::vector<std::string>>().bind(&access.permissions);
  Values params{access.tenant.value, std::move(access.id), std::move(hash), std::move(access.name), permissions};
  auto done = co_await database_.apply({Scope::of(access.tenant), {{&add_token, std::move(params)}}}, deadline);
  if (!done)
    co_return fail(std::move(done.error()));
  co_return Result<void>{};
}

}  // namespace al::data
