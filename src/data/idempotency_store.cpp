#include "data/idempotency_store.hpp"

namespace al::data {

namespace {

using storage::Scope;
using storage::Statement;

constexpr std::chrono::microseconds kept = std::chrono::hours{24};
/// A call that takes longer than this without an answer has died with its process.
constexpr std::chrono::microseconds owned = std::chrono::seconds{60};

std::string const key = " tenant_id = $1 AND principal = $2 AND route = $3 AND key = $4 ";

/// Takes a key that is free, or whose owner never answered.
Statement const take_key{
    "idempotency.begin",
    "INSERT INTO idempotency_keys AS k (tenant_id, principal, route, key, body_hash, expires_at)"
    " VALUES ($1, $2, $3, $4, $5, al_after($6)) ON CONFLICT (tenant_id, principal, route, key)"
    " DO UPDATE SET body_hash = excluded.body_hash, expires_at = excluded.expires_at, status = NULL"
    " WHERE k.expires_at <= al_now() RETURNING body_hash"};
Statement const find_key{"idempotency.find",
                         "SELECT body_hash, status, location, body FROM idempotency_keys WHERE" + key};
Statement const save_answer{"idempotency.save",
                            "UPDATE idempotency_keys SET status = $5, location = $6, body = $7,"
                            " expires_at = al_after($8) WHERE" +
                                key};
Statement const free_key{"idempotency.release", "DELETE FROM idempotency_keys WHERE" + key + "AND status IS NULL"};
Statement const delete_expired{"idempotency.sweep", "DELETE FROM idempotency_keys WHERE expires_at <= al_now()"};

}  // namespace

Task<Result<std::optional<IdempotencyStore::Answer>>> IdempotencyStore::begin(Actor const& actor, std::string route,
                                                                              std::string name, std::string body_hash,
                                                                              Deadline deadline) {
  auto const scope = Scope::of(actor.tenant);
  Values const id{actor.tenant.value, actor.user_id, route, name};
  auto params = id;
  params.insert(params.end(), {Value{body_hash}, Value{std::int64_t{owned.count()}}});
  auto taken = co_await database_.apply({scope, {{&take_key, std::move(params)}}}, deadline);
  if (!taken)
    co_return fail(std::move(taken.error()));
  if (!taken->at(0).empty())
    co_return std::nullopt;
  auto const rows = co_await database_.read(scope, find_key, id, deadline);
  if (rows.empty() || is_null(rows[0].at(1))) {
    if (!rows.empty() && std::get<std::string>(rows[0].at(0)) != body_hash) {
      co_return fail(Code::idempotency_mismatch, "Idempotency-Key '" + name + "' was sent with another body");
    }
    co_return fail(Code::conflict, "the first call with Idempotency-Key '" + name + "' is still running; try again");
  }
  auto const text = [&](std::size_t i) { return std::get<std::string>(rows[0].at(i)); };
  if (text(0) != body_hash) {
    co_return fail(Code::idempotency_mismatch, "Idempotency-Key '" + name + "' was sent with another body");
  }
  co_return Answer{.status = std::get<std::int64_t>(rows[0].at(1)), .location = text(2), .body = text(3)};
}

Task<void> IdempotencyStore::save(Actor const& actor, std::string route, std::string name, Answer answer,
                                  Deadline deadline) {
  Values params{
      actor.tenant.value,         actor.user_id,          std::move(route),          std::move(name), answer.status,
      std::move(answer.location), std::move(answer.body), std::int64_t{kept.count()}};
  auto done = co_await database_.apply({Scope::of(actor.tenant), {{&save_answer, std::move(params)}}}, deadline);
  if (!done)
    throw Fault("storing an idempotent answer was refused: " + done.error().message);
}

Task<void> IdempotencyStore::release(Actor const& actor, std::string route, std::string name, Deadline deadline) {
  Values params{actor.tenant.value, actor.user_id, std::move(route), std::move(name)};
  auto done = co_await database_.apply({Scope::of(actor.tenant), {{&free_key, std::move(params)}}}, deadline);
  if (!done)
    throw Fault("releasing an idempotency key was refused: " + done.error().message);
}

Task<void> IdempotencyStore::sweep(Deadline deadline) {
  auto done = co_await database_.apply({Scope::system(), {{&delete_expired, {}}}}, deadline);
  if (!done)
    throw Fault("sweeping idempotency keys was refused: " + done.error().message);
}

}  // namespace al::data
