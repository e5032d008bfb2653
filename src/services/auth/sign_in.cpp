#include "model/sign_in.hpp"

#include "core/hash.hpp"
#include "core/utf8.hpp"
#include "security/recovery_codes.hpp"
#include "security/totp.hpp"
#include "services/auth/cookie.hpp"
#include "services/auth/identity.hpp"
#include "services/common/reply.hpp"

namespace al::services::auth {

namespace {

using data::Refreshed;
using data::StoredUser;
using http::Call;
using http::Method;
using http::Response;
using model::AuditOutcome;
using model::Credentials;

constexpr security::AddressLimit login_limit{.kind = "login", .calls = 30, .window = std::chrono::seconds{60}};
constexpr security::AddressLimit refresh_limit{.kind = "refresh", .calls = 300, .window = std::chrono::seconds{60}};
constexpr std::size_t shown_text_max = 256;

/// What was typed may be a password, so it is not kept as it is.
std::string account_of(std::string const& email) { return sha256_hex("account:" + data::normal_email(email)); }

std::string header(Call const& call, std::string_view name) {
  return utf8::shortened(call.request.headers.find(name).value_or(""), shown_text_max);
}

/// As whom the request acts until it is known who it is: of a user his tenant, of nobody that of the operators.
Actor actor_of(Call const& call, std::optional<StoredUser> const& user) {
  auto actor = call.context.actor();
  actor.tenant = user ? user->tenant : default_tenant;
  actor.user_id = user ? user->user.id.value : std::string();
  return actor;
}

Error wrong_credentials() {
  return {.code = Code::unauthenticated, .message = "The e-mail address or the password is wrong."};
}

Error locked(std::chrono::seconds left) {
  return {.code = Code::too_many_requests,
          .message = "Too many sign-ins with this address have failed; try again in " + std::to_string(left.count()) +
                     " seconds.",
          .retry_after = left};
}

/// A refusal is counted and written down in the same way whether there is such a user or not.
Task<Error> refuse(Identity const& identity, Call const& call, std::string const& email,
                   std::optional<StoredUser> const& user, std::string reason, Error error) {
  auto const deadline = call.context.deadline;
  bool const is_locked = co_await identity.failures.add(account_of(email), deadline);
  Document details{ObjectText().text("reason", is_locked ? reason + "; locked" : reason).done()};
  auto const target = user ? user->user.id.value : account_of(email);
  co_await identity.audit.record(actor_of(call, user), "login:refused", target, AuditOutcome::refused,
                                 std::move(details), deadline);
  co_return error;
}

/// Whether the password is the user's; of somebody who is not there it takes as long to say no.
Task<Result<bool>> proves_himself(Identity const& identity, std::optional<StoredUser> const& user, std::string password,
                                  Deadline deadline) {
  bool const has_password = user && !user->password_hash.empty();
  auto const& stored = has_password ? user->password_hash : identity.hasher.decoy();
  auto const matches = co_await identity.hasher.matches(stored, std::move(password), deadline);
  if (!matches)
    co_return matches;
  co_return *matches&& has_password;
}

/// Takes the code: it is good once.
Task<Result<bool>> takes_code(Identity const& identity, StoredUser const& user, std::string const& code,
                              Deadline deadline) {
  auto const& id = user.user.id;
  auto const secret = co_await identity.sealing.open(user.tenant, place_of_totp(id), user.sealed_totp, deadline);
  if (!secret)
    co_return fail(secret.error());
  if (auto const step = security::totp::matching_step(*secret, code, identity.clock.now(), 0))
    co_return co_await identity.users.take_totp_step(user.tenant, id, *step, deadline);
  if (security::normal_recovery_code(code).empty())
    co_return false;
  co_return co_await identity.users.take_recovery_code(user.tenant, id, security::recovery_code_hash(code), deadline);
}

/// The password's hash under today's parameters. It is not needed to get in, so nobody waits for it to be possible.
Task<void> renew_hash(Identity const& identity, StoredUser const& user, std::string password, Deadline deadline) {
  if (!identity.hasher.needs_rehash(user.password_hash))
    co_return;
  if (auto hash = co_await identity.hasher.hash(std::move(password), deadline))
    co_await identity.users.refresh_hash(user.tenant, user.user.id, user.password_hash, *hash, deadline);
}

struct TokenPair {
  std::string access;
  std::string refresh;
};

Task<Result<TokenPair>> make_tokens(Identity const& identity, security::RefreshClaims const& claims,
                                    std::string const& user_id, Deadline deadline) {
  auto access = co_await identity.tokens.access_token(
      {.tenant = claims.tenant, .user_id = user_id, .login_id = claims.login_id}, deadline);
  if (!access)
    co_return fail(std::move(access.error()));
  auto refresh = co_await identity.tokens.refresh_token(claims, deadline);
  if (!refresh)
    co_return fail(std::move(refresh.error()));
  co_return TokenPair{std::move(*access), std::move(*refresh)};
}

/// `Answer`: Tokens or SignedIn. Without the refresh token when it goes into the cookie.
template <class Answer>
Answer token_answer(TokenPair const& tokens, std::string_view login_id, bool cookie) {
  Answer out;
  out.access_token = tokens.access;
  out.expires_in = std::chrono::seconds(security::TokenKeys::access_ttl).count();
  if (!cookie)
    out.refresh_token = tokens.refresh;
  out.session_id = login_id;
  return out;
}

Task<Result<Response>> come_in(Identity const& identity, Call& call, StoredUser const& user, bool cookie) {
  auto const begun = co_await begin_login(identity, call, user, model::LoginMethod::password);
  if (!begun)
    co_return fail(begun.error());
  auto answer = token_answer<SignedIn>({begun->access_token, begun->refresh_token}, begun->id, cookie);
  answer.user = user.user;
  auto response = described_response(200, answer);
  if (cookie)
    set_cookies(response, begun->refresh_token, identity.random);
  co_return response;
}

Task<Result<Response>> login(Identity const& identity, Call& call) {
  auto const deadline = call.context.deadline;
  auto credentials = entity::from_json<Credentials>(call.body());
  if (!credentials)
    co_return fail(std::move(credentials.error()));
  if (auto ok = co_await identity.limits.admit(login_limit, call.context.address, deadline); !ok)
    co_return fail(std::move(ok.error()));
  auto const account = account_of(credentials->email);
  if (auto const left = co_await identity.failures.locked_for(account, deadline))
    co_return fail(locked(*left));

  auto const user = co_await identity.users.find_by_email(credentials->email, deadline);
  auto const proved = co_await proves_himself(identity, user, credentials->password, deadline);
  if (!proved)
    co_return fail(proved.error());
  // Of many guesses that waited for their turn at the hasher, those behind the lock learn nothing, right or wrong.
  if (auto const left = co_await identity.failures.locked_for(account, deadline))
    co_return fail(locked(*left));
  if (!*proved)
    co_return fail(co_await refuse(identity, call, credentials->email, user, "password", wrong_credentials()));
  if (auto ok = co_await may_come_in(identity, *user, deadline); !ok)
    co_return fail(std::move(ok.error()));
  if (user->user.mfa_enabled && !credentials->code)
    co_return fail(Code::mfa_required, "Send the code of your authenticator app, or a recovery code, as `code`.");
  if (user->user.mfa_enabled) {
    auto const takes = co_await takes_code(identity, *user, *credentials->code, deadline);
    if (!takes)
      co_return fail(takes.error());
    Error const wrong{.code = Code::unauthenticated,
                      .message = "The code is wrong, or it was used; wait for the next one."};
    if (!*takes)
      co_return fail(co_await refuse(identity, call, credentials->email, user, "code", wrong));
  }
  co_await identity.failures.clear(account, deadline);
  co_await renew_hash(identity, *user, std::move(credentials->password), deadline);
  co_return co_await come_in(identity, call, *user, credentials->cookie);
}

Error ended() { return {.code = Code::unauthenticated, .message = "This token is not valid any more; sign in again."}; }

/// The refresh token of the body, or of the cookie when the page shows that it is ours.
Result<std::string> refresh_token_of(Call const& call, model::RefreshToken const& body) {
  if (body.refresh_token)
    return *body.refresh_token;
  return refresh_cookie(call.request);
}

Task<Result<Response>> refresh(Identity const& identity, Call& call) {
  auto const deadline = call.context.deadline;
  auto const body = entity::from_json<model::RefreshToken>(call.body());
  if (!body)
    co_return fail(body.error());
  auto const token = refresh_token_of(call, *body);
  if (!token)
    co_return fail(token.error());
  if (auto ok = co_await identity.limits.admit(refresh_limit, call.context.address, deadline); !ok)
    co_return fail(std::move(ok.error()));
  auto claims = co_await identity.tokens.verify_refresh(*token, deadline);
  if (!claims)
    co_return fail(std::move(claims.error()));
  auto actor = call.context.actor();
  actor.tenant = claims->tenant;
  model::LoginId const id{claims->login_id};
  auto const done = co_await identity.logins.refresh(actor, id, claims->generation, deadline);
  using enum Refreshed::Outcome;
  if (done.outcome == raced)
    co_return fail(Code::conflict, "This token has just been used; use the one that was answered then.");
  if (done.outcome != refreshed)
    co_return fail(ended());
  claims->generation = done.generation;
  auto const tokens = co_await make_tokens(identity, *claims, done.user_id.value, deadline);
  if (!tokens)
    co_return fail(tokens.error());
  bool const is_cookie = !body->refresh_token.has_value();
  auto response = described_response(200, token_answer<Tokens>(*tokens, claims->login_id, is_cookie));
  if (is_cookie)
    set_cookies(response, tokens->refresh, identity.random);
  co_return response;
}

/// Ends the login of the access token. Cookies go in any case: a page must be able to get rid of them.
Task<Result<Response>> logout(Identity const& identity, Call& call) {
  auto const user = own_user(call);
  if (!user)
    co_return fail(user.error());
  model::LoginId const login{call.context.principal.login_id};
  auto const ended = co_await identity.logins.end(call.context.actor(), login, call.context.deadline);
  if (!ended && ended.error().code != Code::not_found)
    co_return fail(ended.error());
  auto response = message_response("you are signed out");
  clear_cookies(response);
  co_return response;
}

Task<Result<Response>> key_set(Identity const& identity, Call& call) {
  auto keys = co_await identity.tokens.jwks(call.context.deadline);
  if (!keys)
    co_return fail(std::move(keys.error()));
  co_return http::json_response(200, std::move(*keys));
}

Task<Result<Response>> rotate_keys(Identity const& identity, Call& call) {
  if (call.context.principal.tenant != default_tenant)
    co_return fail(Code::forbidden, "Only those who run the installation rotate its keys.");
  auto const deadline = call.context.deadline;
  if (auto done = co_await identity.tokens.rotate(deadline); !done)
    co_return fail(std::move(done.error()));
  co_await identity.audit.record(call.context.actor(), "signing_key:rotated", "", AuditOutcome::succeeded, {},
                                 deadline);
  co_return message_response("new keys sign from now on; tokens of the old ones are good until they expire");
}

}  // namespace

Task<Result<void>> may_come_in(Identity const& identity, StoredUser const& user, Deadline deadline) {
  using enum model::UserStatus;
  if (user.user.status == pending)
    co_return fail(Code::forbidden, "Your registration waits for an administrator.");
  if (user.user.status == disabled)
    co_return fail(Code::forbidden, "This account is disabled; ask an administrator.");
  auto const organisation = co_await identity.organisations.get(user.tenant, deadline);
  if (organisation && organisation->status != model::OrganisationStatus::active)
    co_return fail(Code::forbidden, "Your organisation is suspended.");
  co_return Result<void>{};
}

Task<Result<BegunLogin>> begin_login(Identity const& identity, Call const& call, StoredUser const& user,
                                     model::LoginMethod method) {
  auto const deadline = call.context.deadline;
  model::Login login;
  login.id = identity.logins.new_id();
  login.user_id = user.user.id;
  login.method = method;
  login.address = call.context.address;
  login.user_agent = header(call, "User-Agent");
  auto const begun = co_await identity.logins.begin(actor_of(call, user), std::move(login), deadline);
  if (!begun)
    co_return fail(begun.error());
  security::RefreshClaims const claims{.tenant = user.tenant, .login_id = begun->id.value, .generation = 1};
  auto tokens = co_await make_tokens(identity, claims, user.user.id.value, deadline);
  if (!tokens)
    co_return fail(std::move(tokens.error()));
  co_return BegunLogin{
      .id = begun->id.value, .access_token = std::move(tokens->access), .refresh_token = std::move(tokens->refresh)};
}

void add_sign_in_routes(http::Router& router, Identity const& identity) {
  router.add({.method = Method::post,
              .path = "/auth/login",
              .permission = "",
              .summary = "Sign in with e-mail address, password and, where it is asked for, a second factor",
              .takes = http::Body::json,
              .request = &entity::entity<Credentials>(),
              .response = &entity::entity<SignedIn>(),
              .errors = {Code::unauthenticated, Code::mfa_required, Code::forbidden, Code::too_many_requests},
              .idempotent_key = false,
              .handler = bind(identity, login)});
  router.add({.method = Method::post,
              .path = "/auth/refresh",
              .permission = "",
              .summary = "New tokens for a refresh token, which is good once",
              .takes = http::Body::json,
              .request = &entity::entity<model::RefreshToken>(),
              .response = &entity::entity<Tokens>(),
              .errors = {Code::unauthenticated, Code::conflict, Code::forbidden, Code::too_many_requests},
              .idempotent_key = false,
              .handler = bind(identity, refresh)});
  router.add({.method = Method::post,
              .path = "/auth/logout",
              .permission = "profile:logout",
              .summary = "End the login that the access token belongs to",
              .response = &entity::entity<Message>(),
              .handler = bind(identity, logout)});
  router.add({.method = Method::get,
              .path = "/auth/jwks.json",
              .permission = "",
              .summary = "The public keys that access tokens are signed with (RFC 7517)",
              .handler = bind(identity, key_set)});
  router.add({.method = Method::post,
              .path = "/auth/keys/rotate",
              .permission = "auth:write",
              .summary = "Sign with new keys from now on",
              .response = &entity::entity<Message>(),
              .errors = {Code::forbidden},
              .repeatable = false,
              .handler = bind(identity, rotate_keys)});
}

}  // namespace al::services::auth
