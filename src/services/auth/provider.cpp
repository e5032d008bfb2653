/// Signing in with an identity provider (OpenID Connect) instead of a password.

#include <algorithm>

#include "model/sign_in.hpp"
#include "services/auth/cookie.hpp"
#include "services/auth/identity.hpp"
#include "services/common/reply.hpp"

namespace al::services::auth {

namespace {

using data::StoredUser;
using http::Call;
using http::Method;
using http::Response;
using model::ProviderAttempt;
using security::oidc::Attempt;

constexpr security::AddressLimit start_limit{.kind = "provider", .calls = 30, .window = std::chrono::seconds{60}};
constexpr std::size_t return_to_bytes_max = 512;

/// Not kept in the database: strangers would fill it. A cookie that is brought again is of no use, since the provider
/// takes each code once.
security::Place const place_of_attempt{.purpose = "auth.provider_attempt", .id = "cookie"};

Result<security::oidc::Provider const*> provider_of(Identity const& identity) {
  if (!identity.provider)
    return fail(Code::not_found, "No identity provider is set up here; sign in with e-mail address and password.");
  return &*identity.provider;
}

/// A path of ours: anything else would send who has just signed in wherever a stranger's link says.
Result<std::string> return_to(Call const& call) {
  std::string path(call.query("return_to").value_or("/"));
  bool const is_path = path.starts_with('/') && !path.starts_with("//") && path.size() <= return_to_bytes_max &&
                       std::ranges::all_of(path, [](char c) { return c > ' ' && c < 127 && c != '\\' && c != '"'; });
  if (!is_path)
    return fail(entity::invalid({{"return_to", "must be a path of this server, such as /agents"}}));
  return path;
}

ProviderAttempt kept(Attempt attempt, std::string path, std::string tenant, std::string login) {
  return {.provider = std::move(attempt.provider),
          .state = std::move(attempt.state),
          .nonce = std::move(attempt.nonce),
          .code_verifier = std::move(attempt.code_verifier),
          .expects_issuer = attempt.expects_issuer,
          .expires_at = attempt.expires_at,
          .return_to = std::move(path),
          .tenant = std::move(tenant),
          .login_id = std::move(login)};
}

Attempt attempt_of(ProviderAttempt const& it) {
  return {.provider = it.provider,
          .state = it.state,
          .nonce = it.nonce,
          .code_verifier = it.code_verifier,
          .expects_issuer = it.expects_issuer,
          .expires_at = it.expires_at};
}

struct Departure {
  std::string url;
  std::string cookie;
};

/// `login_id`: of who wants to link the person of the provider to himself; empty: somebody wants to sign in.
Task<Result<Departure>> depart(Identity const& identity, Call& call, std::string login_id) {
  auto const deadline = call.context.deadline;
  auto path = return_to(call);
  if (!path)
    co_return fail(std::move(path.error()));
  auto const provider = provider_of(identity);
  if (!provider)
    co_return fail(provider.error());
  if (auto ok = co_await identity.limits.admit(start_limit, call.context.address, deadline); !ok)
    co_return fail(std::move(ok.error()));
  auto start = co_await identity.oidc.begin(**provider, deadline);
  if (!start)
    co_return fail(std::move(start.error()));
  auto const tenant = login_id.empty() ? std::string() : call.context.principal.tenant.value;
  auto const attempt = entity::to_json(kept(std::move(start->attempt), std::move(*path), tenant, std::move(login_id)));
  auto cookie = co_await identity.sealing.seal(default_tenant, place_of_attempt, attempt, deadline);
  if (!cookie)
    co_return fail(std::move(cookie.error()));
  co_return Departure{.url = std::move(start->authorization_url), .cookie = std::move(*cookie)};
}

Response redirect(std::string const& to) {
  Response response{.status = 303};
  response.headers.set("Location", to);
  response.headers.set("Cache-Control", "no-store");
  return response;
}

Task<Result<Response>> start(Identity const& identity, Call& call) {
  auto const departure = co_await depart(identity, call, {});
  if (!departure)
    co_return fail(departure.error());
  auto response = redirect(departure->url);
  set_attempt_cookie(response, departure->cookie);
  co_return response;
}

/// A page sends the browser on: its request carries the access token, which a navigation cannot.
Task<Result<Response>> link(Identity const& identity, Call& call) {
  auto const user = own_user(call);
  if (!user)
    co_return fail(user.error());
  auto const departure = co_await depart(identity, call, call.context.principal.login_id);
  if (!departure)
    co_return fail(departure.error());
  auto response = described_response(200, ProviderLink{departure->url});
  response.headers.set("Cache-Control", "no-store");
  set_attempt_cookie(response, departure->cookie);
  co_return response;
}

Task<Result<ProviderAttempt>> take_attempt(Identity const& identity, Call const& call) {
  Error const none{.code = Code::unauthenticated,
                   .message = "This sign-in was not begun in this browser, or too long ago; begin again."};
  auto const cookie = attempt_cookie(call.request);
  if (cookie.empty())
    co_return fail(none);
  auto const text = co_await identity.sealing.open(default_tenant, place_of_attempt, cookie, call.context.deadline);
  if (!text && text.error().code != Code::internal)
    co_return fail(text.error());
  auto const source = text ? json::Source::from(*text) : fail(none);
  if (!source)
    co_return fail(none);
  auto attempt = entity::from_json<ProviderAttempt>(source->root());
  if (!attempt)
    co_return fail(none);
  co_return attempt;
}

Actor actor_of(Call const& call, TenantId tenant, std::string user) {
  auto actor = call.context.actor();
  actor.tenant = std::move(tenant);
  actor.user_id = std::move(user);
  return actor;
}

/// Whoever an administrator has made with this address and without a password waits for the person who can show it.
/// Who has a password links the provider himself: else an address that has gone to another person would open his
/// account.
bool awaits_provider(StoredUser const& user) {
  return user.password_hash.empty() && user.user.status != model::UserStatus::disabled;
}

/// Somebody whom the provider knows and we do not.
Task<Result<StoredUser>> welcome(Identity const& identity, Call const& call, security::oidc::Identity const& person) {
  auto const deadline = call.context.deadline;
  if (!person.email)
    co_return fail(Code::forbidden, "The provider has not verified your e-mail address; ask an administrator.");
  auto user = co_await identity.users.find_by_email(*person.email, deadline);
  if (user && !awaits_provider(*user))
    co_return fail(Code::forbidden,
                   "An account has this address: sign in to it with its password, and link the provider there.");
  if (!user && !identity.is_registration_open)
    co_return fail(Code::forbidden, "You have no account here; ask an administrator for one.");
  if (!user) {
    model::User wanted;
    wanted.id = identity.users.new_id();
    wanted.email = *person.email;
    wanted.full_name = person.full_name.empty() ? *person.email : person.full_name;
    wanted.status = model::UserStatus::pending;
    wanted.roles = {"viewer"};
    auto const actor = actor_of(call, default_tenant, wanted.id.value);
    auto const id = wanted.id;
    if (auto made = co_await identity.users.create(actor, std::move(wanted), {}, deadline); !made)
      co_return fail(std::move(made.error()));
    auto stored = co_await identity.users.stored(default_tenant, id, deadline);
    if (!stored)
      co_return stored;
    user = std::move(*stored);
  }
  auto const actor = actor_of(call, user->tenant, user->user.id.value);
  auto linked = co_await identity.identities.link_first(actor, user->user.id, person.issuer, person.subject, deadline);
  if (!linked && linked.error().code == Code::conflict)
    co_return fail(Code::forbidden, "The account with this address is another person's; ask an administrator.");
  if (!linked)
    co_return fail(std::move(linked.error()));
  co_return std::move(*user);
}

Task<Result<StoredUser>> user_of(Identity const& identity, Call const& call, security::oidc::Identity const& person) {
  auto const owner = co_await identity.identities.find_owner(person.issuer, person.subject, call.context.deadline);
  if (!owner)
    co_return co_await welcome(identity, call, person);
  co_return co_await identity.users.stored(owner->tenant, owner->user_id, call.context.deadline);
}

/// The login that began it counts until the link is made: else who had somebody's token for a moment would keep a way
/// in that outlives it.
Task<Result<Response>> finish_link(Identity const& identity, Call const& call, ProviderAttempt const& attempt,
                                   security::oidc::Identity const& person) {
  auto const deadline = call.context.deadline;
  TenantId const tenant{attempt.tenant};
  auto const login = co_await identity.logins.get(tenant, model::LoginId{attempt.login_id}, deadline);
  if (!login && login.error().code == Code::not_found)
    co_return fail(Code::unauthenticated, "You are signed out; sign in, and link the provider again.");
  if (!login)
    co_return fail(login.error());
  auto const user = co_await identity.users.stored(tenant, login->user_id, deadline);
  if (!user)
    co_return fail(user.error());
  if (auto ok = co_await may_come_in(identity, *user, deadline); !ok)
    co_return fail(std::move(ok.error()));
  auto const actor = actor_of(call, tenant, login->user_id.value);
  auto linked = co_await identity.identities.link(actor, login->user_id, person.issuer, person.subject, deadline);
  if (!linked)
    co_return fail(std::move(linked.error()));
  co_return redirect(attempt.return_to);
}

Task<Result<Response>> finish_sign_in(Identity const& identity, Call& call, ProviderAttempt const& attempt,
                                      security::oidc::Identity const& person) {
  auto const deadline = call.context.deadline;
  auto const user = co_await user_of(identity, call, person);
  if (!user)
    co_return fail(user.error());
  if (auto ok = co_await may_come_in(identity, *user, deadline); !ok)
    co_return fail(std::move(ok.error()));
  auto const login = co_await begin_login(identity, call, *user, model::LoginMethod::oidc);
  if (!login)
    co_return fail(login.error());
  auto response = redirect(attempt.return_to);
  set_cookies(response, login->refresh_token, identity.random);
  co_return response;
}

Task<Result<Response>> answer(Identity const& identity, Call& call) {
  auto const provider = provider_of(identity);
  if (!provider)
    co_return fail(provider.error());
  auto const attempt = co_await take_attempt(identity, call);
  if (!attempt)
    co_return fail(attempt.error());
  auto const person =
      co_await identity.oidc.finish(**provider, attempt_of(*attempt), call.request.query, call.context.deadline);
  if (!person)
    co_return fail(person.error());
  auto response = attempt->login_id.empty() ? co_await finish_sign_in(identity, call, *attempt, *person)
                                            : co_await finish_link(identity, call, *attempt, *person);
  if (response)
    clear_attempt_cookie(*response);
  co_return response;
}

/// What a page that signs people in offers.
Task<Result<Response>> list_ways(Identity const& identity, Call&) {
  Ways out{.password = true, .registration = identity.is_registration_open, .provider = {}};
  if (identity.provider)
    out.provider = ProviderWay{.name = identity.provider_name, .start = "/api/v1/auth/provider"};
  co_return described_response(200, out);
}

Task<Result<Response>> list_identities(Identity const& identity, Call& call) {
  auto const page = page_request(call);
  if (!page)
    co_return fail(page.error());
  auto const user = own_user(call);
  if (!user)
    co_return fail(user.error());
  auto found = co_await identity.identities.list(call.context.principal.tenant, *user, *page, call.context.deadline);
  if (!found)
    co_return fail(std::move(found.error()));
  co_return list_response("identities", *found);
}

Task<Result<Response>> unlink(Identity const& identity, Call& call) {
  auto const id = id_in_path<model::UserIdentityId>(call, "identity_id", "linked identity");
  if (!id)
    co_return fail(id.error());
  auto const user = own_user(call);
  if (!user)
    co_return fail(user.error());
  auto done = co_await identity.identities.unlink(call.context.actor(), *user, *id, call.context.deadline);
  if (!done)
    co_return fail(std::move(done.error()));
  co_return message_response("the provider is not linked to you any more");
}

http::Parameter const return_parameter{.name = "return_to", .doc = "The path to go to then; / without it."};

}  // namespace

void add_provider_routes(http::Router& router, Identity const& identity) {
  router.add({.method = Method::get,
              .path = "/auth/ways",
              .permission = "",
              .summary = "How people may sign in here",
              .response = &entity::entity<Ways>(),
              .handler = bind(identity, list_ways)});
  router.add({.method = Method::get,
              .path = "/auth/provider",
              .permission = "",
              .summary = "Sign in with the identity provider: sends the browser there",
              .query = {return_parameter},
              .success = 303,
              .errors = {Code::not_found, Code::too_many_requests, Code::unavailable},
              .handler = bind(identity, start)});
  router.add({.method = Method::get,
              .path = "/auth/provider/callback",
              .permission = "",
              .summary = "Where the identity provider sends the browser back to",
              .success = 303,
              .errors = {Code::not_found, Code::unauthenticated, Code::forbidden, Code::conflict, Code::unavailable},
              .passes_through = true,
              .handler = bind(identity, answer)});
  router.add({.method = Method::post,
              .path = "/auth/provider/link",
              .permission = "profile:write",
              .summary = "Link the identity provider to yourself: answers where the browser must go",
              .query = {return_parameter},
              .response = &entity::entity<ProviderLink>(),
              .errors = {Code::not_found, Code::too_many_requests, Code::unavailable},
              .idempotent_key = false,
              .handler = bind(identity, link)});
  router.add({.method = Method::get,
              .path = "/auth/identities",
              .permission = "profile:read",
              .summary = "Who you are at identity providers",
              .query = list_parameters(),
              .response = &entity::entity<model::UserIdentity>(),
              .list = "identities",
              .handler = bind(identity, list_identities)});
  router.add({.method = Method::del,
              .path = "/auth/identities/{identity_id}",
              .permission = "profile:write",
              .summary = "Unlink an identity provider; ends the logins that came through one",
              .response = &entity::entity<Message>(),
              .errors = {Code::not_found},
              .handler = bind(identity, unlink)});
}

}  // namespace al::services::auth
