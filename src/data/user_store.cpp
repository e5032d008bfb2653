#include "data/user_store.hpp"

#include <algorithm>

#include "data/contains.hpp"
#include "data/decide.hpp"
#include "data/row_values.hpp"

namespace al::data {

namespace {

using model::User;
using model::UserId;
using storage::Scope;
using storage::Statement;

entity::Entity const& user_entity = entity::entity<User>();
Aggregate const user_aggregate{.entity = user_entity, .key = {{"id", "uuid"}}, .id = "u.id"};

std::string const columns = entity::columns(user_entity, "t.");
std::string const all_columns = columns + ", t.tenant_id, t.password_hash, t.sealed_totp";

Statement const find_by_address{"user.find",
                                "SELECT " + all_columns + " FROM users t WHERE t.email = $1 AND t.deleted_at IS NULL"};
Statement const get_user{"user.get", "SELECT " + all_columns +
                                         " FROM users t WHERE t.tenant_id = $1 AND t.id = $2 AND t.deleted_at IS NULL"};
/// $2 a pattern, or NULL.
std::string const wanted =
    " FROM users t WHERE t.tenant_id = $1 AND t.deleted_at IS NULL AND (CAST($2 AS text) IS NULL"
    " OR lower(t.full_name) LIKE lower(CAST($2 AS text)) ESCAPE '\\'"
    " OR t.email LIKE lower(CAST($2 AS text)) ESCAPE '\\')";
Statement const list_users{"user.list", "SELECT " + columns + wanted + " AND t.id < $3 ORDER BY t.id DESC LIMIT $4"};
Statement const count_users{"user.count", "SELECT COUNT(*)" + wanted};
Statement const any_user{"user.any", "SELECT 1 FROM users LIMIT 1"};

/// What ends with his access; `{kept}` is the login that goes on, or empty.
std::string const logins_of_user =
    "UPDATE logins AS l SET ended_at = al_now() FROM u"
    " WHERE l.tenant_id = u.tenant_id AND l.user_id = u.id AND l.ended_at IS NULL";
Companion const end_logins{logins_of_user + " AND CAST(l.id AS text) <> {kept}"};
Companion const end_all_logins{logins_of_user};
Companion const end_logins_unless_active{logins_of_user + " AND u.status <> 'active'"};
Companion const end_resets{
    "UPDATE password_resets AS p SET used_at = al_now() FROM u"
    " WHERE p.tenant_id = u.tenant_id AND p.user_id = u.id AND p.used_at IS NULL"};
Companion const end_identities{
    "UPDATE user_identities AS i SET ended_at = al_now() FROM u"
    " WHERE i.tenant_id = u.tenant_id AND i.user_id = u.id AND i.ended_at IS NULL"};
Companion const forget_codes{
    "DELETE FROM recovery_codes WHERE (tenant_id, user_id) IN (SELECT u.tenant_id, u.id FROM u)"};

Change const create_user = make_insert(user_aggregate, {.name = "user.create",
                                                        .channel = "user:created",
                                                        .extra = {{"password_hash", "{password_hash}"}},
                                                        .params = {{"password_hash", "text"}},
                                                        .is_audited = true});

std::string const at_version = "t.version = {expected} AND t.deleted_at IS NULL";

Change const update_user = make_update(
    user_aggregate,
    {.name = "user.update",
     .channel = "user:updated",
     .params =
         {{"expected", "bigint"}, {"email", "text"}, {"full_name", "text"}, {"status", "text"}, {"roles", "json"}},
     .set = "email = {email}, full_name = {full_name}, status = {status}, roles = {roles}, updated_at = al_now()",
     .where = at_version,
     .also = {end_logins_unless_active},
     .is_audited = true});

Change const change_password =
    make_update(user_aggregate, {.name = "user.password",
                                 .channel = "user:password_changed",
                                 .params = {{"hash", "text"}, {"must_change", "boolean"}, {"kept", "text"}},
                                 .set = "password_hash = {hash}, must_change_password = {must_change},"
                                        " updated_at = al_now()",
                                 .where = "t.deleted_at IS NULL",
                                 .also = {end_logins, end_resets},
                                 .is_audited = true});

Change const begin_second_factor = make_update(user_aggregate, {.name = "user.mfa_begin",
                                                                .channel = "user:mfa_begun",
                                                                .params = {{"sealed", "text"}},
                                                                .set = "sealed_totp = {sealed}, updated_at = al_now()",
                                                                .where = "NOT t.mfa_enabled AND t.deleted_at IS NULL",
                                                                .is_audited = true});

Change const enable_second_factor = make_update(
    user_aggregate,
    {.name = "user.mfa_enable",
     .channel = "user:mfa_enabled",
     .params = {{"step", "bigint"}, {"codes", "json"}, {"kept", "text"}},
     .set = "mfa_enabled = true, totp_step = {step}, updated_at = al_now()",
     .where = "NOT t.mfa_enabled AND t.sealed_totp IS NOT NULL AND t.totp_step < {step} AND t.deleted_at IS NULL",
     .also = {end_logins,
              {"INSERT INTO recovery_codes (tenant_id, user_id, hash)"
               " SELECT {tenant_id}, u.id, c.value FROM u, json_array_elements_text({codes}) AS c (value)",
               "INSERT INTO recovery_codes (tenant_id, user_id, hash)"
               " SELECT {tenant_id}, u.id, c.value FROM u, json_each({codes}) AS c WHERE true"}},
     .is_audited = true});

Change const disable_second_factor =
    make_update(user_aggregate, {.name = "user.mfa_disable",
                                 .channel = "user:mfa_disabled",
                                 .set = "mfa_enabled = false, sealed_totp = NULL, updated_at = al_now()",
                                 .where = "t.sealed_totp IS NOT NULL AND t.deleted_at IS NULL",
                                 .also = {forget_codes},
                                 .is_audited = true});

Change const remove_user =
    make_update(user_aggregate, {.name = "user.delete",
                                 .channel = "user:deleted",
                                 .params = {{"expected", "bigint"}},
                                 .set = "deleted_at = al_now(), updated_at = al_now(), status = 'disabled',"
                                        " password_hash = NULL, sealed_totp = NULL",
                                 .where = at_version,
                                 .also = {end_all_logins, end_resets, end_identities, forget_codes},
                                 .is_audited = true});

Statement const replace_hash{"user.rehash",
                             "UPDATE users SET password_hash = $4"
                             " WHERE tenant_id = $1 AND id = $2 AND password_hash = $3"};
Statement const take_step{"user.totp_step",
                          "UPDATE users SET totp_step = $3"
                          " WHERE tenant_id = $1 AND id = $2 AND totp_step < $3 AND mfa_enabled"};
Statement const take_code{"user.recovery_code",
                          "UPDATE recovery_codes SET used_at = al_now()"
                          " WHERE tenant_id = $1 AND user_id = $2 AND hash = $3 AND used_at IS NULL"};

Error no_such_user(UserId const& id) {
  return {.code = Code::not_found, .message = "there is no user '" + id.value + "'"};
}

Error taken(std::string const& email) {
  return {.code = Code::conflict, .message = "a user has the address '" + email + "' already; choose another one"};
}

StoredUser stored_of(Row const& row) {
  auto const at = entity::column_count(user_entity);
  return {.tenant = TenantId{text_at(row, at)},
          .user = entity::from_row<User>(row),
          .password_hash = text_or_empty_at(row, at + 1),
          .sealed_totp = text_or_empty_at(row, at + 2)};
}

/// Only what every address has: one @ with something before and a host behind. Whether somebody reads what is sent
/// there, no pattern tells.
bool is_address(std::string_view email) {
  auto const at = email.find('@');
  auto const is_plain = [](char c) { return c > ' ' && c != 127; };
  return at != std::string_view::npos && at > 0 && email.find('@', at + 1) == std::string_view::npos &&
         at + 1 < email.size() && std::ranges::all_of(email, is_plain);
}

entity::Faults faults_of(User const& user) {
  entity::Faults faults;
  if (!is_address(user.email))
    faults.push_back({"email", "must be an e-mail address, such as ada@example.org"});
  for (std::size_t i = 0; i < user.roles.size(); ++i) {
    if (!is_slug(user.roles[i]))
      faults.push_back({"roles[" + std::to_string(i) + "]", "must be the id of a role: a-z, 0-9, _ and -, at most 50"});
  }
  return faults;
}

auto value_of(auto const& member) { return entity::type_of<std::remove_cvref_t<decltype(member)>>().bind(&member); }

}  // namespace

std::string normal_email(std::string_view email) {
  constexpr std::string_view space = " \t\r\n";
  auto const begin = email.find_first_not_of(space);
  if (begin == std::string_view::npos)
    return {};
  std::string out(email.substr(begin, email.find_last_not_of(space) + 1 - begin));
  for (auto& c : out) {
    if (c >= 'A' && c <= 'Z')
      c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

Task<std::optional<StoredUser>> UserStore::find_by_email(std::string email, Deadline deadline) {
  auto const rows = co_await writer_.database().read(Scope::system(), find_by_address, {normal_email(email)}, deadline);
  if (rows.empty())
    co_return std::nullopt;
  co_return stored_of(rows[0]);
}

Task<Result<StoredUser>> UserStore::stored(TenantId const& tenant, UserId const& id, Deadline deadline) {
  auto const rows = co_await writer_.database().read(Scope::of(tenant), get_user, {tenant.value, id.value}, deadline);
  if (rows.empty())
    co_return fail(no_such_user(id));
  co_return stored_of(rows[0]);
}

Task<Result<User>> UserStore::get(TenantId const& tenant, UserId const& id, Deadline deadline) {
  auto found = co_await stored(tenant, id, deadline);
  if (!found)
    co_return fail(std::move(found.error()));
  co_return std::move(found->user);
}

Task<Result<Page<User>>> UserStore::list(TenantId const& tenant, std::string text, PageRequest request,
                                         Deadline deadline) {
  auto cursor = request.cursor.empty() ? std::string(last_uuid) : std::move(request.cursor);
  if (!is_uuid(cursor))
    co_return fail(wrong_cursor());
  Values params{tenant.value, text.empty() ? Value{} : Value{pattern_of(text)}};
  auto count_params = params;
  params.insert(params.end(), {Value{std::move(cursor)}, Value{request.limit + 1}});
  auto rows = co_await writer_.database().read(Scope::of(tenant), list_users, std::move(params), deadline);
  auto page = page_of<User>(cut_page(rows, request.limit));
  if (request.count_total) {
    auto const counted =
        co_await writer_.database().read(Scope::of(tenant), count_users, std::move(count_params), deadline);
    page.total = integer_at(counted.at(0), 0);
  }
  co_return page;
}

Task<bool> UserStore::any(Deadline deadline) {
  co_return !(co_await writer_.database().read(Scope::system(), any_user, {}, deadline)).empty();
}

Task<Result<User>> UserStore::create(Actor const& actor, User user, std::string password_hash, Deadline deadline) {
  user.email = normal_email(user.email);
  if (auto faults = faults_of(user); !faults.empty())
    co_return fail(entity::invalid(std::move(faults)));
  user.mfa_enabled = false;
  auto params = bind_first(user, writer_.clock().now());
  params.push_back(password_hash.empty() ? Value{} : Value(std::move(password_hash)));
  auto row = co_await writer_.write(create_user, actor, std::move(params), deadline);
  if (row)
    co_return entity::from_row<User>(*row);
  if (row.error().code != Code::conflict)
    co_return fail(std::move(row.error()));
  // An id comes from a call's key: the user is there when the call has been here before.
  if (auto there = co_await get(actor.tenant, user.id, deadline))
    co_return there;
  co_return fail(taken(user.email));
}

Task<Result<User>> UserStore::update(Actor const& actor, UserId const& id, Edit edit,
                                     std::optional<std::int64_t> expected, Deadline deadline) {
  auto const read = [&] { return get(actor.tenant, id, deadline); };
  auto const edit_checked = [&](User& user) -> Result<void> {
    if (auto ok = edit(user); !ok)
      return ok;
    user.email = normal_email(user.email);
    if (auto faults = faults_of(user); !faults.empty())
      return fail(entity::invalid(std::move(faults)));
    return {};
  };
  auto const write = [&](User const& user) -> Task<Result<User>> {
    Values params{id.value, user.version, user.email, user.full_name, value_of(user.status), value_of(user.roles)};
    auto row = co_await writer_.write(update_user, actor, std::move(params), deadline);
    if (row)
      co_return entity::from_row<User>(*row);
    if (row.error().code != Code::conflict)
      co_return fail(std::move(row.error()));
    auto const holder = co_await find_by_email(user.email, deadline);
    if (holder && holder->user.id != id)
      co_return fail(entity::invalid({{"email", taken(user.email).message}}));
    co_return fail(std::move(row.error()));
  };
  co_return co_await decide<User, User>({.what = "the user", .read = read, .edit = edit_checked, .write = write},
                                        expected);
}

Task<Result<User>> UserStore::change_one(Change const& change, Actor const& actor, UserId const& id, Values more,
                                         std::string refusal, Deadline deadline) {
  Values params{id.value};
  params.insert(params.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  auto row = co_await writer_.write(change, actor, std::move(params), deadline);
  if (row)
    co_return entity::from_row<User>(*row);
  if (row.error().code != Code::conflict)
    co_return fail(std::move(row.error()));
  if (auto there = co_await get(actor.tenant, id, deadline); !there)
    co_return there;
  co_return fail(Code::conflict, std::move(refusal));
}

Task<Result<User>> UserStore::set_password(Actor const& actor, UserId const& id, NewPassword password,
                                           std::string kept_login, Deadline deadline) {
  Values params{std::move(password.hash), password.must_change, std::move(kept_login)};
  co_return co_await change_one(change_password, actor, id, std::move(params), "the user kept changing; try again",
                                deadline);
}

Task<void> UserStore::refresh_hash(TenantId const& tenant, UserId const& id, std::string old_hash, std::string new_hash,
                                   Deadline deadline) {
  Values params{tenant.value, id.value, std::move(old_hash), std::move(new_hash)};
  std::ignore = co_await writer_.database().apply({Scope::of(tenant), {{&replace_hash, std::move(params)}}}, deadline);
}

Task<Result<User>> UserStore::begin_mfa(Actor const& actor, UserId const& id, std::string sealed, Deadline deadline) {
  co_return co_await change_one(begin_second_factor, actor, id, {std::move(sealed)},
                                "there is a second factor already; disable it before another one is set up", deadline);
}

Task<Result<User>> UserStore::enable_mfa(Actor const& actor, UserId const& id, std::int64_t step,
                                         std::vector<std::string> code_hashes, std::string kept_login,
                                         Deadline deadline) {
  Values params{step, value_of(code_hashes), std::move(kept_login)};
  co_return co_await change_one(enable_second_factor, actor, id, std::move(params),
                                "there is no second factor to confirm, or the code was used; begin again", deadline);
}

Task<Result<User>> UserStore::disable_mfa(Actor const& actor, UserId const& id, Deadline deadline) {
  co_return co_await change_one(disable_second_factor, actor, id, {}, "there is no second factor", deadline);
}

Task<bool> UserStore::take_totp_step(TenantId const& tenant, UserId const& id, std::int64_t step, Deadline deadline) {
  storage::Step take{&take_step, {tenant.value, id.value, step}, storage::Guard::must_match};
  co_return (co_await writer_.database().apply({Scope::of(tenant), {std::move(take)}}, deadline)).has_value();
}

Task<bool> UserStore::take_recovery_code(TenantId const& tenant, UserId const& id, std::string hash,
                                         Deadline deadline) {
  storage::Step take{&take_code, {tenant.value, id.value, std::move(hash)}, storage::Guard::must_match};
  co_return (co_await writer_.database().apply({Scope::of(tenant), {std::move(take)}}, deadline)).has_value();
}

Task<Result<void>> UserStore::remove(Actor const& actor, UserId const& id, std::optional<std::int64_t> expected,
                                     Deadline deadline) {
  auto const write = [&](User const& user) -> Task<Result<void>> {
    auto row = co_await writer_.write(remove_user, actor, {id.value, user.version}, deadline);
    if (!row)
      co_return fail(std::move(row.error()));
    co_return Result<void>{};
  };
  co_return co_await decide<User, void>(
      {.what = "the user", .read = [&] { return get(actor.tenant, id, deadline); }, .write = write}, expected);
}

}  // namespace al::data
