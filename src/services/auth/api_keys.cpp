#include "model/sign_in.hpp"
#include "security/api_key.hpp"
#include "services/auth/identity.hpp"
#include "services/common/reply.hpp"

namespace al::services::auth {

namespace {

using http::Call;
using http::Method;
using http::Response;
using model::ApiKey;
using model::ApiKeyId;
using model::UserId;

constexpr std::string_view for_services = "service";

std::string location_of(ApiKeyId const& id) { return "/api/v1/auth/api-keys/" + id.value; }

/// The key, and beside it what nobody reads again.
Response shown_once(int status, ApiKey const& key, std::string const& secret) {
  return http::entity_response(status, entity::to_json(NewApiKey{.api_key = secret, .key = key}), key.version,
                               location_of(key.id));
}

bool is_own(http::Principal const& principal, ApiKey const& key) {
  return key.user_id && key.user_id->value == principal.user_id;
}

/// One's own, or anybody's for those who manage keys. Of others' keys nobody else learns that they are there.
Task<Result<ApiKey>> manageable(Identity const& identity, Call const& call) {
  auto const id = id_in_path<ApiKeyId>(call, "key_id", "API key");
  if (!id)
    co_return fail(id.error());
  auto const& principal = call.context.principal;
  auto key = co_await identity.keys.get(principal.tenant, *id, call.context.deadline);
  if (key && !is_own(principal, *key) && !principal.may("api_keys:write"))
    co_return fail(Code::not_found, "there is no API key '" + id->value + "'; it may have been revoked");
  co_return key;
}

/// Rotating answers the new key, so it takes what making that key would take; of another user's, what signing in as
/// him would. Errors: forbidden.
Task<Result<void>> require_may_hold(Identity const& identity, Call const& call, ApiKey const& key) {
  auto const& principal = call.context.principal;
  bool const is_mine = is_own(principal, key);
  if (is_mine && !principal.login_id.empty())
    co_return Result<void>{};  // a key of mine never does more than I may
  if (auto ok = require_may_grant(principal, key.permissions); !ok)
    co_return ok;
  if (is_mine || !key.user_id)
    co_return Result<void>{};
  if (auto const user = co_await require_may_act_for(identity, call, *key.user_id); !user)
    co_return fail(user.error());
  co_return Result<void>{};
}

/// Whose the new key is: the caller's, or nobody's.
Result<std::optional<UserId>> owner_of(Call const& call) {
  auto const& principal = call.context.principal;
  if (call.query("owner") == for_services) {
    if (!principal.may("api_keys:write"))
      return fail(Code::forbidden, "Keys of services need the permission 'api_keys:write'.");
    return std::nullopt;
  }
  if (principal.user_id.empty())
    return fail(Code::forbidden, "The key of a service has no user to make keys for; make one with ?owner=service.");
  return UserId{principal.user_id};
}

Task<Result<Response>> create(Identity const& identity, Call& call) {
  auto key = entity::from_json<ApiKey>(call.body());
  if (!key)
    co_return fail(std::move(key.error()));
  auto owner = owner_of(call);
  if (!owner)
    co_return fail(std::move(owner.error()));
  if (key->expires_at && *key->expires_at <= identity.clock.now())
    co_return fail(entity::invalid({{"expires_at", "must be a time to come"}}));
  // The key of a user never does more than he may, whatever it says; that of a service does. A key makes no wider one.
  bool const is_limited_by_user = owner->has_value() && !call.context.principal.login_id.empty();
  if (auto ok = require_may_grant(call.context.principal, key->permissions); !is_limited_by_user && !ok)
    co_return fail(std::move(ok.error()));
  key->id = identity.keys.new_id();
  key->user_id = std::move(*owner);
  auto const secret = security::new_api_key(identity.random);
  auto created = co_await identity.keys.create(call.context.actor(), std::move(*key), security::stored_form(secret),
                                               call.context.deadline);
  if (!created)
    co_return fail(std::move(created.error()));
  co_return shown_once(201, *created, secret);
}

Task<Result<Response>> list(Identity const& identity, Call& call) {
  auto const page = page_request(call);
  if (!page)
    co_return fail(page.error());
  auto const& principal = call.context.principal;
  std::optional<UserId> owner{UserId{principal.user_id}};
  if (call.query("owner") == "all") {
    if (!principal.may("api_keys:read"))
      co_return fail(Code::forbidden, "Keys of others need the permission 'api_keys:read'.");
    owner.reset();
  }
  if (owner && owner->value.empty())
    co_return fail(entity::invalid({{"owner", "must be all: the key of a service owns none"}}));
  auto keys = co_await identity.keys.list(principal.tenant, std::move(owner), *page, call.context.deadline);
  if (!keys)
    co_return fail(std::move(keys.error()));
  co_return list_response("api_keys", *keys);
}

Task<Result<Response>> get(Identity const& identity, Call& call) {
  auto const key = co_await manageable(identity, call);
  if (!key)
    co_return fail(key.error());
  co_return http::entity_response(200, entity::to_json(*key), key->version);
}

Task<Result<Response>> rotate(Identity const& identity, Call& call) {
  auto const rotation = entity::from_json<model::KeyRotation>(call.body());
  if (!rotation)
    co_return fail(rotation.error());
  auto const expected = call.if_match();
  if (!expected)
    co_return fail(expected.error());
  auto const key = co_await manageable(identity, call);
  if (!key)
    co_return fail(key.error());
  if (auto ok = co_await require_may_hold(identity, call, *key); !ok)
    co_return fail(std::move(ok.error()));
  auto const secret = security::new_api_key(identity.random);
  std::chrono::seconds const grace{rotation->grace_seconds};
  auto rotated = co_await identity.keys.rotate(call.context.actor(), key->id, security::stored_form(secret), grace,
                                               *expected, call.context.deadline);
  if (!rotated)
    co_return fail(std::move(rotated.error()));
  co_return shown_once(200, *rotated, secret);
}

Task<Result<Response>> revoke(Identity const& identity, Call& call) {
  auto const key = co_await manageable(identity, call);
  if (!key)
    co_return fail(key.error());
  if (auto done = co_await identity.keys.revoke(call.context.actor(), key->id, call.context.deadline); !done)
    co_return fail(std::move(done.error()));
  co_return message_response("API key '" + key->name + "' is revoked");
}

}  // namespace

void add_api_key_routes(http::Router& router, Identity const& identity) {
  auto const* key = &entity::entity<ApiKey>();
  router.add({.method = Method::post,
              .path = "/auth/api-keys",
              .permission = "profile:write",
              .summary = "Make an API key, shown once; it may do no more than you may",
              .query = {{.name = "owner",
                         .doc = "service: it belongs to no user and goes on when you leave.",
                         .choices = {"me", for_services}}},
              .takes = http::Body::json,
              .request = key,
              .response = &entity::entity<NewApiKey>(),
              .success = 201,
              .errors = {Code::forbidden},
              .idempotent_key = false,
              .handler = bind(identity, create)});
  router.add({.method = Method::get,
              .path = "/auth/api-keys",
              .permission = "profile:read",
              .summary = "List your API keys, newest first",
              .query = list_parameters({{.name = "owner", .doc = "all: everybody's.", .choices = {"me", "all"}}}),
              .response = key,
              .list = "api_keys",
              .errors = {Code::forbidden},
              .handler = bind(identity, list)});
  router.add({.method = Method::get,
              .path = "/auth/api-keys/{key_id}",
              .permission = "profile:read",
              .summary = "Read one API key, without the key itself",
              .response = key,
              .errors = {Code::not_found},
              .handler = bind(identity, get)});
  router.add({.method = Method::post,
              .path = "/auth/api-keys/{key_id}/rotate",
              .permission = "profile:write",
              .summary = "Replace an API key, shown once; the one before is taken for a while",
              .takes = http::Body::json,
              .request = &entity::entity<model::KeyRotation>(),
              .response = &entity::entity<NewApiKey>(),
              .errors = {Code::not_found, Code::forbidden, Code::version_mismatch},
              .idempotent_key = false,
              .handler = bind(identity, rotate)});
  router.add({.method = Method::del,
              .path = "/auth/api-keys/{key_id}",
              .permission = "profile:write",
              .summary = "Revoke an API key for good",
              .response = &entity::entity<Message>(),
              .errors = {Code::not_found},
              .handler = bind(identity, revoke)});
}

}  // namespace al::services::auth
