#include "model/sign_in.hpp"
#include "security/recovery_codes.hpp"
#include "security/totp.hpp"
#include "services/auth/identity.hpp"
#include "services/common/reply.hpp"

namespace al::services::auth {

namespace {

using data::StoredUser;
using http::Call;
using http::Method;
using http::Response;

constexpr std::string_view issuer = "Agent Lightning";

Task<Result<StoredUser>> own_account_of(Identity const& identity, Call const& call) {
  auto const id = own_user(call);
  if (!id)
    co_return fail(id.error());
  co_return co_await identity.users.stored(call.context.principal.tenant, *id, call.context.deadline);
}

/// A secret for the authenticator app. It is asked for only when the user has shown that the app has it.
Task<Result<Response>> begin(Identity const& identity, Call& call) {
  auto const user = co_await own_account_of(identity, call);
  if (!user)
    co_return fail(user.error());
  auto const secret = security::totp::new_secret(identity.random);
  auto sealed =
      co_await identity.sealing.seal(user->tenant, place_of_totp(user->user.id), secret, call.context.deadline);
  if (!sealed)
    co_return fail(std::move(sealed.error()));
  auto begun =
      co_await identity.users.begin_mfa(call.context.actor(), user->user.id, std::move(*sealed), call.context.deadline);
  if (!begun)
    co_return fail(std::move(begun.error()));
  auto const uri = security::totp::otpauth_uri(secret, user->user.email, issuer);
  co_return described_response(200, MfaSecret{.secret = secret, .otpauth_uri = uri});
}

Task<Result<Response>> confirm(Identity const& identity, Call& call) {
  auto const deadline = call.context.deadline;
  auto const body = entity::from_json<model::MfaCode>(call.body());
  if (!body)
    co_return fail(body.error());
  auto const user = co_await own_account_of(identity, call);
  if (!user)
    co_return fail(user.error());
  if (user->sealed_totp.empty() || user->user.mfa_enabled)
    co_return fail(Code::conflict, "There is no second factor to confirm; begin with POST /auth/mfa.");
  auto const secret =
      co_await identity.sealing.open(user->tenant, place_of_totp(user->user.id), user->sealed_totp, deadline);
  if (!secret)
    co_return fail(secret.error());
  auto const step = security::totp::matching_step(*secret, body->code, identity.clock.now(), 0);
  if (!step)
    co_return fail(entity::invalid({{"code", "is not the one that the app shows now; is the phone's clock right?"}}));
  auto const codes = security::new_recovery_codes(identity.random);
  std::vector<std::string> hashes;
  for (auto const& code : codes)
    hashes.push_back(security::recovery_code_hash(code));
  auto enabled = co_await identity.users.enable_mfa(call.context.actor(), user->user.id, *step, std::move(hashes),
                                                    call.context.principal.login_id, deadline);
  if (!enabled)
    co_return fail(std::move(enabled.error()));
  co_return described_response(200, RecoveryCodes{codes});
}

Task<Result<Response>> disable(Identity const& identity, Call& call) {
  auto const deadline = call.context.deadline;
  auto proof = entity::from_json<model::PasswordProof>(call.body());
  if (!proof)
    co_return fail(std::move(proof.error()));
  auto const user = co_await own_account_of(identity, call);
  if (!user)
    co_return fail(user.error());
  if (auto ok = co_await confirm_password(identity, *user, std::move(proof->password), "password", deadline); !ok)
    co_return fail(std::move(ok.error()));
  auto disabled = co_await identity.users.disable_mfa(call.context.actor(), user->user.id, deadline);
  if (!disabled)
    co_return fail(std::move(disabled.error()));
  co_return http::json_response(200, entity::to_json(*disabled));
}

}  // namespace

void add_mfa_routes(http::Router& router, Identity const& identity) {
  router.add({.method = Method::post,
              .path = "/auth/mfa",
              .permission = "profile:write",
              .summary = "Begin a second factor: a secret for an authenticator app, shown once",
              .response = &entity::entity<MfaSecret>(),
              .errors = {Code::conflict},
              .idempotent_key = false,
              .handler = bind(identity, begin)});
  router.add({.method = Method::post,
              .path = "/auth/mfa/confirm",
              .permission = "profile:write",
              .summary = "Enable the second factor with a code of the app; answers recovery codes, shown once",
              .takes = http::Body::json,
              .request = &entity::entity<model::MfaCode>(),
              .response = &entity::entity<RecoveryCodes>(),
              .errors = {Code::conflict},
              .idempotent_key = false,
              .handler = bind(identity, confirm)});
  router.add({.method = Method::post,
              .path = "/auth/mfa/disable",
              .permission = "profile:write",
              .summary = "Sign in without a second factor again",
              .takes = http::Body::json,
              .request = &entity::entity<model::PasswordProof>(),
              .response = &entity::entity<model::User>(),
              .errors = {Code::conflict, Code::too_many_requests},
              .idempotent_key = false,
              .handler = bind(identity, disable)});
}

}  // namespace al::services::auth
