#pragma once
/// What the role auth answers beside entities.

#include <boost/describe.hpp>

#include "core/entity.hpp"
#include "model/api_key.hpp"
#include "model/user.hpp"

namespace al::services::auth {

/// With tokens that are good from now on.
struct Tokens {
  std::string access_token;
  std::string token_type = "Bearer";
  std::int64_t expires_in = 0;
  std::optional<std::string> refresh_token;
  std::string session_id;
};
BOOST_DESCRIBE_STRUCT(Tokens, (), (access_token, token_type, expires_in, refresh_token, session_id))

inline constexpr std::string_view access_token_doc = "Goes into the header Authorization.";
inline constexpr std::string_view expires_in_doc = "Seconds that the access token is good for.";
inline constexpr std::string_view refresh_token_doc = "Good once, for new tokens; left out where it is in the cookie.";
inline constexpr std::string_view session_id_doc = "The login.";

constexpr auto describe(std::type_identity<Tokens>) {
  using namespace entity;
  using T = Tokens;
  return about("Tokens", "", "New tokens of a login.", field<&T::access_token>(access_token_doc),
               field<&T::token_type>("Bearer."), field<&T::expires_in>(expires_in_doc),
               field<&T::refresh_token>(refresh_token_doc, {.left_out = true}), field<&T::session_id>(session_id_doc));
}

struct SignedIn {
  std::string access_token;
  std::string token_type = "Bearer";
  std::int64_t expires_in = 0;
  std::optional<std::string> refresh_token;
  std::string session_id;
  model::User user;
};
BOOST_DESCRIBE_STRUCT(SignedIn, (), (access_token, token_type, expires_in, refresh_token, session_id, user))

constexpr auto describe(std::type_identity<SignedIn>) {
  using namespace entity;
  using S = SignedIn;
  return about("SignedIn", "", "A login that has begun.", field<&S::access_token>(access_token_doc),
               field<&S::token_type>("Bearer."), field<&S::expires_in>(expires_in_doc),
               field<&S::refresh_token>(refresh_token_doc, {.left_out = true}), field<&S::session_id>(session_id_doc),
               field<&S::user>("Who is signed in."));
}

struct Me {
  std::string id;
  std::string tenant;
  std::vector<std::string> permissions;
  std::optional<model::User> user;
  std::string organisation;
  std::optional<std::string> session_id;
};
BOOST_DESCRIBE_STRUCT(Me, (), (id, tenant, permissions, user, organisation, session_id))

constexpr auto describe(std::type_identity<Me>) {
  using namespace entity;
  return about("Me", "", "Who asks, and what he may do.", field<&Me::id>("A user, or an API key."),
               field<&Me::tenant>("The id of his organisation."),
               field<&Me::permissions>("What he may do; agents:* and * stand for several."),
               field<&Me::user>("Of a user, who he is; null: the key of a service."),
               field<&Me::organisation>("The name of his organisation."),
               field<&Me::session_id>("The login that asks; null: an API key."));
}

struct ProviderWay {
  std::string name;
  std::string start;
};
BOOST_DESCRIBE_STRUCT(ProviderWay, (), (name, start))

constexpr auto describe(std::type_identity<ProviderWay>) {
  using namespace entity;
  return about("ProviderWay", "", "An identity provider that people may sign in with.",
               field<&ProviderWay::name>("For people."), field<&ProviderWay::start>("Where the browser goes."));
}

struct Ways {
  bool password = true;
  bool registration = false;
  std::optional<ProviderWay> provider;
};
BOOST_DESCRIBE_STRUCT(Ways, (), (password, registration, provider))

constexpr auto describe(std::type_identity<Ways>) {
  using namespace entity;
  return about("Ways", "", "How people may sign in.", field<&Ways::password>("With e-mail address and password."),
               field<&Ways::registration>("Strangers may ask for an account."),
               field<&Ways::provider>("With an identity provider; null: there is none."));
}

struct MfaSecret {
  std::string secret;
  std::string otpauth_uri;
};
BOOST_DESCRIBE_STRUCT(MfaSecret, (), (secret, otpauth_uri))

constexpr auto describe(std::type_identity<MfaSecret>) {
  using namespace entity;
  return about("MfaSecret", "", "The secret of an authenticator app, shown once.",
               field<&MfaSecret::secret>("In Base32, to type in."),
               field<&MfaSecret::otpauth_uri>("The same for a QR code."));
}

struct RecoveryCodes {
  std::vector<std::string> recovery_codes;
};
BOOST_DESCRIBE_STRUCT(RecoveryCodes, (), (recovery_codes))

constexpr auto describe(std::type_identity<RecoveryCodes>) {
  using namespace entity;
  return about("RecoveryCodes", "", "For who has lost his phone, shown once.",
               field<&RecoveryCodes::recovery_codes>("Each is good once, in place of the app's code."));
}

struct NewApiKey {
  std::string api_key;
  model::ApiKey key;
};
BOOST_DESCRIBE_STRUCT(NewApiKey, (), (api_key, key))

constexpr auto describe(std::type_identity<NewApiKey>) {
  using namespace entity;
  return about("NewApiKey", "", "An API key, shown once.", field<&NewApiKey::api_key>("The key itself."),
               field<&NewApiKey::key>("What is kept of it."));
}

struct ProviderLink {
  std::string authorization_url;
};
BOOST_DESCRIBE_STRUCT(ProviderLink, (), (authorization_url))

constexpr auto describe(std::type_identity<ProviderLink>) {
  using namespace entity;
  return about("ProviderLink", "", "How an identity provider is linked.",
               field<&ProviderLink::authorization_url>("Where the browser must go."));
}

struct PasswordResetToken {
  std::string token;
  Timestamp expires_at{};
};
BOOST_DESCRIBE_STRUCT(PasswordResetToken, (), (token, expires_at))

constexpr auto describe(std::type_identity<PasswordResetToken>) {
  using namespace entity;
  return about("PasswordResetToken", "", "With which a user sets his password, shown once.",
               field<&PasswordResetToken::token>("Good once, for POST /auth/reset-password."),
               field<&PasswordResetToken::expires_at>("Until when, UTC."));
}

struct NewUser {
  model::User user;
  PasswordResetToken password_reset;
};
BOOST_DESCRIBE_STRUCT(NewUser, (), (user, password_reset))

constexpr auto describe(std::type_identity<NewUser>) {
  using namespace entity;
  return about("NewUser", "", "A user of an organisation, who has no password yet.", field<&NewUser::user>("The user."),
               field<&NewUser::password_reset>("With which he sets his password."));
}

struct AuditReport {
  bool intact = false;
  std::int64_t links = 0;
  std::string head;
  std::int64_t pending = 0;
  std::int64_t checkpoints = 0;
  std::vector<std::string> faults;
};
BOOST_DESCRIBE_STRUCT(AuditReport, (), (intact, links, head, pending, checkpoints, faults))

constexpr auto describe(std::type_identity<AuditReport>) {
  using namespace entity;
  using R = AuditReport;
  return about("AuditReport", "", "Whether the audit trail is what was written.",
               field<&R::intact>("It is: there are no faults."), field<&R::links>("That are as they were written."),
               field<&R::head>("The hash of the last one."), field<&R::pending>("Entries that no chain covers yet."),
               field<&R::checkpoints>("Signatures that hold."), field<&R::faults>("What is wrong, for people."));
}

}  // namespace al::services::auth
