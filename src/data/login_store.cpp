#include "data/login_store.hpp"

namespace al::data {

namespace {

using model::Login;
using model::LoginId;
using model::UserId;
using std::chrono::microseconds;
using storage::Scope;
using storage::Statement;

entity::Entity const& login_entity = entity::entity<Login>();
Aggregate const login_aggregate{.entity = login_entity, .key = {{"id", "uuid"}}, .id = "u.id"};

std::string const columns = entity::columns(login_entity, "t.");
std::string const goes_on = " AND t.ended_at IS NULL AND t.expires_at > al_now()";

Statement const get_login{"login.get",
                          "SELECT " + columns + " FROM logins t WHERE t.tenant_id = $1 AND t.id = $2" + goes_on};
Statement const list_logins{"login.list", "SELECT " + columns +
                                              " FROM logins t WHERE t.tenant_id = $1 AND t.user_id = $2 AND t.id < $3" +
                                              goes_on + " ORDER BY t.id DESC LIMIT $4"};

Change const begin_login =
    make_insert(login_aggregate, {.name = "login.begin", .channel = "login:created", .is_audited = true});
Change const end_login = make_update(login_aggregate, {.name = "login.end",
                                                       .channel = "login:ended",
                                                       .set = "ended_at = al_now()",
                                                       .where = "t.ended_at IS NULL",
                                                       .is_audited = true});
Change const end_reused = make_update(login_aggregate, {.name = "login.end_reused",
                                                        .channel = "login:token_reused",
                                                        .set = "ended_at = al_now()",
                                                        .where = "t.ended_at IS NULL",
                                                        .is_audited = true});

/// One statement decides, so that of any number of callers with the same token one has it. The last day that a login
/// can reach is that of its first one.
Statement const next_generation{
    .name = "login.refresh",
    .text =
        "UPDATE logins SET generation = generation + 1, last_seen_at = al_now(),"
        " expires_at = LEAST(al_after($4), created_at + $5 * interval '1 microsecond')"
        " WHERE tenant_id = $1 AND id = $2 AND generation = $3 AND ended_at IS NULL AND expires_at > al_now()"
        " RETURNING generation, user_id",
    .sqlite =
        "UPDATE logins SET generation = generation + 1, last_seen_at = al_now(),"
        " expires_at = MIN(al_after($4), created_at + $5)"
        " WHERE tenant_id = $1 AND id = $2 AND generation = $3 AND ended_at IS NULL AND expires_at > al_now()"
        " RETURNING generation, user_id"};

/// The generation that it has now, whether it goes on, and whether that one is young: $3 is the grace.
Statement const generation_of{
    "login.generation",
    "SELECT generation, user_id, CASE WHEN ended_at IS NULL AND expires_at > al_now() THEN 1 ELSE 0 END,"
    " CASE WHEN last_seen_at > al_after($3) THEN 1 ELSE 0 END FROM logins WHERE tenant_id = $1 AND id = $2"};

Error no_such_login(LoginId const& id) {
  return {.code = Code::not_found, .message = "there is no login '" + id.value + "'; it may have ended"};
}

}  // namespace

Task<Result<Login>> LoginStore::begin(Actor const& actor, Login login, Deadline deadline) {
  login.version = 1;
  login.created_at = login.last_seen_at = writer_.clock().now();
  login.expires_at = login.created_at + login_ttl;
  Values params;
  entity::bind_row(login, params);
  auto row = co_await writer_.write(begin_login, actor, std::move(params), deadline);
  if (!row)
    co_return fail(std::move(row.error()));
  co_return entity::from_row<Login>(*row);
}

Task<Refreshed> LoginStore::refresh(Actor const& actor, LoginId const& id, std::int64_t generation, Deadline deadline) {
  storage::Step next{
      &next_generation,
      {actor.tenant.value, id.value, generation, microseconds(login_ttl).count(), microseconds(login_age_max).count()},
      storage::Guard::must_match};
  auto done = co_await writer_.database().apply({Scope::of(actor.tenant), {std::move(next)}}, deadline);
  if (!done)
    co_return co_await explain(actor, id, generation, deadline);
  auto const& row = done->at(0).at(0);
  co_return Refreshed{.outcome = Refreshed::Outcome::refreshed,
                      .generation = std::get<std::int64_t>(row.at(0)),
                      .user_id = UserId{std::get<std::string>(row.at(1))}};
}

/// Why a token was not taken. Its maker was we, so an older generation than the current one was handed out once.
Task<Refreshed> LoginStore::explain(Actor const& actor, LoginId const& id, std::int64_t generation, Deadline deadline) {
  Values params{actor.tenant.value, id.value, -microseconds(refresh_grace).count()};
  auto const rows =
      co_await writer_.database().read(Scope::of(actor.tenant), generation_of, std::move(params), deadline);
  if (rows.empty() || std::get<std::int64_t>(rows[0].at(2)) == 0)
    co_return Refreshed{};
  Refreshed out{.outcome = Refreshed::Outcome::raced,
                .generation = std::get<std::int64_t>(rows[0].at(0)),
                .user_id = UserId{std::get<std::string>(rows[0].at(1))}};
  bool const is_latest = out.generation == generation;
  bool const is_young = out.generation == generation + 1 && std::get<std::int64_t>(rows[0].at(3)) == 1;
  // The latest one was refused and has been there when we looked: it was refreshed in between and ended, or it is
  // about to; the caller may ask again.
  if (is_latest || is_young)
    co_return out;
  out.outcome = Refreshed::Outcome::reused;
  std::ignore = co_await writer_.write(end_reused, actor, {id.value}, deadline);
  co_return out;
}

Task<Result<void>> LoginStore::end(Actor const& actor, LoginId const& id, Deadline deadline) {
  auto row = co_await writer_.write(end_login, actor, {id.value}, deadline);
  if (!row && row.error().code == Code::conflict)
    co_return fail(no_such_login(id));
  if (!row)
    co_return fail(std::move(row.error()));
  co_return Result<void>{};
}

Task<Result<Page<Login>>> LoginStore::list(TenantId const& tenant, UserId const& user, PageRequest request,
                                           Deadline deadline) {
  auto cursor = request.cursor.empty() ? std::string(last_uuid) : std::move(request.cursor);
  if (!is_uuid(cursor))
    co_return fail(wrong_cursor());
  Values params{tenant.value, user.value, std::move(cursor), request.limit + 1};
  auto rows = co_await writer_.database().read(Scope::of(tenant), list_logins, std::move(params), deadline);
  co_return page_of<Login>(cut_page(rows, request.limit));
}

Task<Result<Login>> LoginStore::get(TenantId const& tenant, LoginId const& id, Deadline deadline) {
  auto const rows = co_await writer_.database().read(Scope::of(tenant), get_login, {tenant.value, id.value}, deadline);
  if (rows.empty())
    co_return fail(no_such_login(id));
  co_return entity::from_row<Login>(rows[0]);
}

}  // namespace al::data
