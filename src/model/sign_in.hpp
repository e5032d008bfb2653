#pragma once
/// What people send to sign in and to look after their account. None of it is stored.

#include <boost/describe.hpp>

#include "core/entity.hpp"

namespace al::model {

inline constexpr std::int64_t password_field_max = 1024;

struct Credentials {
  std::string email;
  std::string password;
  std::optional<std::string> code;
  bool cookie = false;
};
BOOST_DESCRIBE_STRUCT(Credentials, (), (email, password, code, cookie))

constexpr auto describe(std::type_identity<Credentials>) {
  using namespace entity;
  using C = Credentials;
  return about("Credentials", "", "What a user signs in with.",
               field<&C::email>("His e-mail address.", {.min = 1, .max = 254}),
               field<&C::password>("His password.", {.min = 1, .max = password_field_max}),
               field<&C::code>("Of his authenticator app, or a recovery code, if he has a second factor.", {.max = 64}),
               field<&C::cookie>("For pages: the refresh token goes into a cookie that scripts cannot read.",
                                 {.defaulted = true}));
}

struct RefreshToken {
  std::optional<std::string> refresh_token;
};
BOOST_DESCRIBE_STRUCT(RefreshToken, (), (refresh_token))

constexpr auto describe(std::type_identity<RefreshToken>) {
  using namespace entity;
  return about(
      "RefreshToken", "", "The token that new ones are given for.",
      field<&RefreshToken::refresh_token>("As it was given last; left out where it is in the cookie.", {.max = 512}));
}

struct PasswordChange {
  std::string current_password;
  std::string new_password;
};
BOOST_DESCRIBE_STRUCT(PasswordChange, (), (current_password, new_password))

constexpr auto describe(std::type_identity<PasswordChange>) {
  using namespace entity;
  using P = PasswordChange;
  return about("PasswordChange", "", "A new password from someone who knows the present one.",
               field<&P::current_password>("The present one.", {.min = 1, .max = password_field_max}),
               field<&P::new_password>("8 characters or more; any character.", {.min = 1, .max = password_field_max}));
}

struct PasswordReset {
  std::string token;
  std::string new_password;
};
BOOST_DESCRIBE_STRUCT(PasswordReset, (), (token, new_password))

constexpr auto describe(std::type_identity<PasswordReset>) {
  using namespace entity;
  using P = PasswordReset;
  return about("PasswordReset", "", "A new password from someone who was given a link.",
               field<&P::token>("What the link carries.", {.min = 20, .max = 128}),
               field<&P::new_password>("8 characters or more; any character.", {.min = 1, .max = password_field_max}));
}

struct Registration {
  std::string email;
  std::string full_name;
  std::string password;
};
BOOST_DESCRIBE_STRUCT(Registration, (), (email, full_name, password))

constexpr auto describe(std::type_identity<Registration>) {
  using namespace entity;
  using R = Registration;
  return about("Registration", "", "Somebody who would like to be let in.",
               field<&R::email>("What he will sign in with.", {.min = 3, .max = 254}),
               field<&R::full_name>("Name shown to people.", {.min = 1, .max = 100}),
               field<&R::password>("8 characters or more; any character.", {.min = 1, .max = password_field_max}));
}

struct MfaCode {
  std::string code;
};
BOOST_DESCRIBE_STRUCT(MfaCode, (), (code))

constexpr auto describe(std::type_identity<MfaCode>) {
  using namespace entity;
  return about("MfaCode", "", "Proof that the authenticator app has the secret.",
               field<&MfaCode::code>("The six digits that it shows now.", {.min = 6, .max = 6}));
}

struct PasswordProof {
  std::string password;
};
BOOST_DESCRIBE_STRUCT(PasswordProof, (), (password))

constexpr auto describe(std::type_identity<PasswordProof>) {
  using namespace entity;
  return about("PasswordProof", "", "Proof that it is not just somebody at an open screen.",
               field<&PasswordProof::password>("The user's password.", {.min = 1, .max = password_field_max}));
}

struct KeyRotation {
  std::int64_t grace_seconds = 86'400;
};
BOOST_DESCRIBE_STRUCT(KeyRotation, (), (grace_seconds))

constexpr auto describe(std::type_identity<KeyRotation>) {
  using namespace entity;
  return about("KeyRotation", "", "How an API key is rotated.",
               field<&KeyRotation::grace_seconds>("How long the present key is still taken; 0: not any more.",
                                                  {.min = 0, .max = 30 * 86'400, .defaulted = true}));
}

/// What is kept in the browser, sealed, between leaving for an identity provider and its answer.
struct ProviderAttempt {
  std::string provider;
  std::string state;
  std::string nonce;
  std::string code_verifier;
  bool expects_issuer = false;
  Timestamp expires_at{};
  std::string return_to;
  std::string tenant;
  std::string login_id;
};
BOOST_DESCRIBE_STRUCT(ProviderAttempt, (),
                      (provider, state, nonce, code_verifier, expects_issuer, expires_at, return_to, tenant, login_id))

constexpr auto describe(std::type_identity<ProviderAttempt>) {
  using namespace entity;
  using A = ProviderAttempt;
  return about("ProviderAttempt", "", "A sign-in with a provider that has begun.",
               field<&A::provider>("Its id in the settings."), field<&A::state>("Comes back in the answer."),
               field<&A::nonce>("Comes back in the token."), field<&A::code_verifier>("Shows that we asked."),
               field<&A::expects_issuer>("Whether the answer names its issuer."),
               field<&A::expires_at>("When it is too old, UTC."), field<&A::return_to>("Where to go then."),
               field<&A::tenant>("Of who wants to link himself; else empty.", {.defaulted = true}),
               field<&A::login_id>("In which he wants to; else empty.", {.defaulted = true}));
}

}  // namespace al::model
