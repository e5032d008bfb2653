#include "data/password_reset_store.hpp"

namespace al::data {

namespace {

using storage::Guard;
using storage::Scope;
using storage::Statement;

Statement const end_others{"password_reset.end_others",
                           "DELETE FROM password_resets WHERE tenant_id = $1 AND user_id = $2"};
Statement const add_reset{"password_reset.add",
                          "INSERT INTO password_resets (tenant_id, user_id, hash, expires_at)"
                          " VALUES ($1, $2, $3, al_after($4))"};
Statement const find_reset{"password_reset.find",
                           "SELECT tenant_id, user_id FROM password_resets"
                           " WHERE hash = $1 AND used_at IS NULL AND expires_at > al_now()"};
Statement const take_reset{"password_reset.take",
                           "UPDATE password_resets SET used_at = al_now()"
                           " WHERE tenant_id = $1 AND hash = $2 AND used_at IS NULL AND expires_at > al_now()"};

}  // namespace

Task<Result<void>> PasswordResetStore::add(TenantId const& tenant, model::UserId const& user, std::string hash,
                                           Deadline deadline) {
  storage::Batch batch{Scope::of(tenant), {}};
  batch.steps.push_back({&end_others, {tenant.value, user.value}});
  batch.steps.push_back(
      {&add_reset, {tenant.value, user.value, std::move(hash), std::chrono::microseconds(password_reset_ttl).count()}});
  auto done = co_await database_.apply(std::move(batch), deadline);
  if (!done)
    co_return fail(std::move(done.error()));
  co_return Result<void>{};
}

Task<std::optional<PasswordResetStore::Taken>> PasswordResetStore::find(std::string hash, Deadline deadline) {
  auto const rows = co_await database_.read(Scope::system(), find_reset, {std::move(hash)}, deadline);
  if (rows.empty())
    co_return std::nullopt;
  co_return Taken{.tenant = TenantId{std::get<std::string>(rows[0].at(0))},
                  .user_id = model::UserId{std::get<std::string>(rows[0].at(1))}};
}

Task<bool> PasswordResetStore::take(TenantId const& tenant, std::string hash, Deadline deadline) {
  storage::Step take{&take_reset, {tenant.value, std::move(hash)}, Guard::must_match};
  co_return (co_await database_.apply({Scope::of(tenant), {std::move(take)}}, deadline)).has_value();
}

}  // namespace al::data
