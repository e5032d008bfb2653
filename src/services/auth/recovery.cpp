#include "core/hash.hpp"
#include "model/sign_in.hpp"
#include "services/auth/identity.hpp"
#include "services/common/reply.hpp"

namespace al::services::auth {

namespace {

using http::Call;
using http::Method;
using http::Response;
using model::UserId;

constexpr security::AddressLimit register_limit{.kind = "register", .calls = 10, .window = std::chrono::seconds{60}};
constexpr security::AddressLimit reset_limit{.kind = "reset", .calls = 10, .window = std::chrono::seconds{60}};
constexpr std::size_t link_bytes = 32;

std::string hash_of(std::string_view token) { return sha256_hex("password-reset:" + std::string(token)); }

/// Whether the address is taken, nobody learns here: the answer is the same, and takes as long.
Task<Result<Response>> register_user(Identity const& identity, Call& call) {
  auto const deadline = call.context.deadline;
  auto wanted = entity::from_json<model::Registration>(call.body());
  if (!wanted)
    co_return fail(std::move(wanted.error()));
  if (!identity.is_registration_open)
    co_return fail(Code::forbidden, "Registration is closed here; ask an administrator for an account.");
  if (auto ok = co_await identity.limits.admit(register_limit, call.context.address, deadline); !ok)
    co_return fail(std::move(ok.error()));
  model::User user;
  user.id = identity.users.new_id();
  user.email = wanted->email;
  user.full_name = wanted->full_name;
  user.status = model::UserStatus::pending;
  user.roles = {"viewer"};
  auto hash = co_await new_password_hash(identity, user, std::move(wanted->password), deadline);
  if (!hash)
    co_return fail(std::move(hash.error()));
  auto actor = call.context.actor();
  actor.user_id = user.id.value;
  auto created = co_await identity.users.create(actor, std::move(user), std::move(*hash), deadline);
  if (!created && created.error().code != Code::conflict)
    co_return fail(std::move(created.error()));
  auto response = message_response("an administrator will look at your registration");
  response.status = 202;
  co_return response;
}

/// For who has forgotten his password, and for who never had one. It is shown once, to the administrator who hands it
/// on.
Task<Result<Response>> make_link(Identity const& identity, Call& call) {
  auto const deadline = call.context.deadline;
  auto const id = id_in_path<UserId>(call, "user_id", "user");
  if (!id)
    co_return fail(id.error());
  // Else a password reset would be a way to more rights than one's own.
  if (auto const user = co_await require_may_act_for(identity, call, *id); !user)
    co_return fail(user.error());
  auto reset = co_await issue_password_reset(identity, call.context.actor(), *id, deadline);
  if (!reset)
    co_return fail(std::move(reset.error()));
  co_return described_response(201, *reset);
}

Task<Result<Response>> reset_password(Identity const& identity, Call& call) {
  auto const deadline = call.context.deadline;
  auto body = entity::from_json<model::PasswordReset>(call.body());
  if (!body)
    co_return fail(std::move(body.error()));
  if (auto ok = co_await identity.limits.admit(reset_limit, call.context.address, deadline); !ok)
    co_return fail(std::move(ok.error()));
  Error const unknown{.code = Code::unauthenticated,
                      .message = "This link is used or too old; ask an administrator for another one."};
  auto const hash = hash_of(body->token);
  auto const taken = co_await identity.resets.find(hash, deadline);
  if (!taken)
    co_return fail(unknown);
  auto const user = co_await identity.users.get(taken->tenant, taken->user_id, deadline);
  if (!user)
    co_return fail(unknown);
  // A password that the rules forbid does not use the link up.
  auto password = co_await new_password_hash(identity, *user, std::move(body->new_password), deadline);
  if (!password)
    co_return fail(std::move(password.error()));
  if (!co_await identity.resets.take(taken->tenant, hash, deadline))
    co_return fail(unknown);
  auto actor = call.context.actor();
  actor.tenant = taken->tenant;
  actor.user_id = taken->user_id.value;
  auto changed =
      co_await identity.users.set_password(actor, taken->user_id, {.hash = std::move(*password)}, {}, deadline);
  if (!changed)
    co_return fail(std::move(changed.error()));
  co_return message_response("the password is set; sign in with it");
}

}  // namespace

Task<Result<PasswordResetToken>> issue_password_reset(Identity const& identity, Actor const& actor, UserId const& id,
                                                      Deadline deadline) {
  auto const token = identity.random.token(link_bytes);
  if (auto added = co_await identity.resets.add(actor.tenant, id, hash_of(token), deadline); !added)
    co_return fail(std::move(added.error()));
  co_await identity.audit.record(actor, "user:password_reset_issued", id.value, model::AuditOutcome::succeeded, {},
                                 deadline);
  co_return PasswordResetToken{.token = token, .expires_at = identity.clock.now() + data::password_reset_ttl};
}

void add_recovery_routes(http::Router& router, Identity const& identity) {
  router.add({.method = Method::post,
              .path = "/auth/register",
              .permission = "",
              .summary = "Ask for an account, where the installation allows it; an administrator lets you in",
              .takes = http::Body::json,
              .request = &entity::entity<model::Registration>(),
              .response = &entity::entity<Message>(),
              .success = 202,
              .errors = {Code::forbidden, Code::too_many_requests},
              .idempotent_key = false,
              .handler = bind(identity, register_user)});
  router.add({.method = Method::post,
              .path = "/users/{user_id}/password-reset",
              .permission = "users:write",
              .summary = "A one-time token, shown once, with which the user sets his password",
              .response = &entity::entity<PasswordResetToken>(),
              .success = 201,
              .errors = {Code::not_found, Code::forbidden},
              .idempotent_key = false,
              .handler = bind(identity, make_link)});
  router.add({.method = Method::post,
              .path = "/auth/reset-password",
              .permission = "",
              .summary = "Set a password with a one-time token; ends all logins, keeps the second factor",
              .takes = http::Body::json,
              .request = &entity::entity<model::PasswordReset>(),
              .response = &entity::entity<Message>(),
              .errors = {Code::unauthenticated, Code::too_many_requests},
              .idempotent_key = false,
              .handler = bind(identity, reset_password)});
}

}  // namespace al::services::auth
