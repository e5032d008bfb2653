#include "data/idempotency_store.hpp"

namespace al::data {

namespace {

using storage::Scope;
using storage::Statement;

constexpr std::chrono::microseconds kept = std::chrono::hours{24};
/// A call that takes longer than this without an answer has died with its process.
constexpr std::chrono::microseconds owned = std::chrono::seconds{60};

std::string const key = " tenant_id = $1 AND principal = $2 AND route = $3 AND key = $4 ";

/// Takes a key that is free, or whose owner never answered: then what it made, if it did, keeps its id.
Statement const take_key{
    "idempotency.begin",
    "INSERT INTO idempotency_keys AS k"
    " (tenant_id, principal, route, key, body_hash, made_id, owned_until, expires_at)"
    " VALUES ($1, $2, $3, $4, $5, $6, al_after($7), al_after($8)) ON CONFLICT (tenant_id, principal, route, key)"
    " DO UPDATE SET body_hash = excluded.body_hash, owned_until = excluded.owned_until,"
    " expires_at = excluded.expires_at, status = NULL,"
    " made_id = CASE WHEN k.expires_at <= al_now() THEN excluded.made_id"
    " ELSE COALESCE(k.made_id, excluded.made_id) END"
    " WHERE k.expires_at <= al_now() OR ($9 = 1 AND k.status IS NULL AND k.owned_until <= al_now()"
    " AND k.body_hash = excluded.body_hash) RETURNING made_id"};
Statement const find_key{"idempotency.find",
                         "SELECT body_hash, status, location, body, CASE WHEN owned_until <= al_now() THEN 1 ELSE 0 END"
                         " FROM idempotency_keys WHERE" +
                             key};
Statement const save_answer{"idempotency.save",
                            "UPDATE idempotency_keys SET status = $5, location = $6, body = $7,"
                            " expires_at = al_after($8) WHERE" +
                                key};
Statement const free_key{"idempotency.release", "DELETE FROM idempotency_keys WHERE" + key + "AND status IS NULL"};
Statement const disown_key{"idempotency.abandon",
                           "UPDATE idempotency_keys SET owned_until = al_now() WHERE" + key + "AND status IS NULL"};
Statement const delete_expired{"idempotency.sweep", "DELETE FROM idempotency_keys WHERE expires_at <= al_now()"};

/// Why a key that is in the table could not be taken, unless it has an answer.
Result<IdempotencyStore::Begun> found_key(Row const& row, IdempotencyStore::Use const& use) {
  auto const text = [&](std::size_t i) { return std::get<std::string>(row.at(i)); };
  if (text(0) != use.body_hash) {
    return fail(Code::idempotency_mismatch, "Idempotency-Key '" + use.key + "' was sent with another body");
  }
  if (!is_null(row.at(1))) {
    IdempotencyStore::Answer answer{.status = std::get<std::int64_t>(row.at(1)), .location = text(2), .body = text(3)};
    return IdempotencyStore::Begun{.answer = std::move(answer), .made_id = {}};
  }
  bool const is_abandoned = std::get<std::int64_t>(row.at(4)) == 1;
  if (is_abandoned && !use.is_repeatable) {
    return fail(Code::conflict, "nobody knows what became of the first call with Idempotency-Key '" + use.key +
                                    "'; see whether it was done, and use another key if not");
  }
  return fail(Code::conflict, "the first call with Idempotency-Key '" + use.key + "' is still running; try again");
}

}  // namespace

Task<Result<IdempotencyStore::Begun>> IdempotencyStore::begin(Actor const& actor, Use use, Deadline deadline) {
  auto const scope = Scope::of(actor.tenant);
  Values const id{actor.tenant.value, actor.user_id, use.route, use.key};
  auto params = id;
  params.insert(params.end(),
                {Value{use.body_hash}, Value{uuid_v7(clock_, random_)}, Value{std::int64_t{owned.count()}},
                 Value{std::int64_t{kept.count()}}, Value{std::int64_t{use.is_repeatable ? 1 : 0}}});
  auto taken = co_await database_.apply({scope, {{&take_key, std::move(params)}}}, deadline);
  if (!taken)
    co_return fail(std::move(taken.error()));
  if (!taken->at(0).empty())
    co_return Begun{.answer = {}, .made_id = std::get<std::string>(taken->at(0).at(0).at(0))};
  auto const rows = co_await database_.read(scope, find_key, id, deadline);
  if (rows.empty())  // it was given free in between
    co_return fail(Code::conflict, "the first call with Idempotency-Key '" + use.key + "' has just failed; try again");
  co_return found_key(rows[0], use);
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
  co_await end_use(free_key, actor, std::move(route), std::move(name), deadline);
}

Task<void> IdempotencyStore::abandon(Actor const& actor, std::string route, std::string name, Deadline deadline) {
  co_await end_use(disown_key, actor, std::move(route), std::move(name), deadline);
}

Task<void> IdempotencyStore::end_use(Statement const& statement, Actor const& actor, std::string route,
                                     std::string name, Deadline deadline) {
  Values params{actor.tenant.value, actor.user_id, std::move(route), std::move(name)};
  auto done = co_await database_.apply({Scope::of(actor.tenant), {{&statement, std::move(params)}}}, deadline);
  if (!done)
    throw Fault("giving up an idempotency key was refused: " + done.error().message);
}

Task<void> IdempotencyStore::sweep(Deadline deadline) {
  auto done = co_await database_.apply({Scope::system(), {{&delete_expired, {}}}}, deadline);
  if (!done)
    throw Fault("sweeping idempotency keys was refused: " + done.error().message);
}

}  // namespace al::data
