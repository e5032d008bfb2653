#include "data/data_key_store.hpp"

namespace al::data {

namespace {

using storage::Scope;
using storage::Statement;

constexpr std::int64_t tenants_per_page = 500;

Statement const find_key{"data_key.find", "SELECT wrapped FROM data_keys WHERE tenant_id = $1"};
Statement const add_key{"data_key.add",
                        "INSERT INTO data_keys (tenant_id, wrapped, created_at) VALUES ($1, $2, al_now())"
                        " ON CONFLICT (tenant_id) DO NOTHING"};
Statement const list_tenants{"data_key.tenants", "SELECT id FROM tenants WHERE id > $1 ORDER BY id LIMIT $2"};

}  // namespace

Task<std::optional<std::string>> DataKeyStore::find(TenantId const& tenant, Deadline deadline) {
  auto const rows = co_await database_.read(Scope::of(tenant), find_key, {tenant.value}, deadline);
  if (rows.empty())
    co_return std::nullopt;
  co_return std::get<std::string>(rows[0].at(0));
}

Task<Result<std::string>> DataKeyStore::add(TenantId const& tenant, std::string wrapped, Deadline deadline) {
  Values params{tenant.value, std::move(wrapped)};
  auto done = co_await database_.apply({Scope::of(tenant), {{&add_key, std::move(params)}}}, deadline);
  if (!done)
    co_return fail(std::move(done.error()));
  auto kept = co_await find(tenant, deadline);
  if (!kept)
    throw Fault("the data key of tenant " + tenant.value + " was written and is not there");
  co_return std::move(*kept);
}

Task<std::vector<WrappedKey>> DataKeyStore::all(Deadline deadline) {
  std::vector<WrappedKey> out;
  std::string last;
  for (;;) {
    auto const tenants = co_await database_.read(Scope::system(), list_tenants, {last, tenants_per_page}, deadline);
    for (auto const& row : tenants) {
      TenantId const tenant{std::get<std::string>(row.at(0))};
      if (auto wrapped = co_await find(tenant, deadline))
        out.push_back({tenant, std::move(*wrapped)});
      last = tenant.value;
    }
    if (std::ssize(tenants) < tenants_per_page)
      co_return out;
  }
}

}  // namespace al::data
