#include "security/token_keys.hpp"

#include <sodium.h>

#include <algorithm>
#include <charconv>

#include "core/base64.hpp"
#include "data/login_store.hpp"

namespace al::security {

namespace {

constexpr std::string_view access_purpose = "access";
constexpr std::string_view refresh_purpose = "refresh";
constexpr std::string_view audit_purpose = "audit";
/// The audience of tokens for the API of an installation, and who makes them: itself.
jwt::Expected const expected{.issuer = "agent-lightning", .audience = "agent-lightning"};

/// How old what we know of the keys may be.
constexpr std::chrono::milliseconds age_max = std::chrono::minutes{1};
/// Before a token is refused that another process may have signed with a new key; a flood of forged ones asks the
/// database no more often.
constexpr std::chrono::milliseconds age_max_of_unknown = std::chrono::seconds{1};

constexpr std::string_view refresh_prefix = "alr_";
constexpr std::size_t refresh_bytes_max = 512;

std::chrono::seconds kept_after_retirement() {
  return std::max<std::chrono::seconds>(TokenKeys::access_ttl + jwt::leeway, data::login_ttl);
}

Place place_of(std::string_view id) { return {.purpose = "signing.key", .id = std::string(id)}; }

std::unexpected<Error> refused() { return fail(Code::unauthenticated, "This token is not valid here; sign in again."); }

/// Up to `delimiter`, which is taken from `rest` as well; all of it when there is none.
std::string_view take_until(std::string_view& rest, char delimiter) {
  auto const at = rest.find(delimiter);
  auto const part = rest.substr(0, at);
  rest.remove_prefix(at == std::string_view::npos ? rest.size() : at + 1);
  return part;
}

}  // namespace

bool TokenKeys::is_access_token(std::string_view token) { return std::ranges::count(token, '.') == 2; }

Task<Result<std::string>> TokenKeys::access_token(TokenSubject const& subject, Deadline deadline) {
  auto const keys = co_await this->keys(age_max, deadline);
  if (!keys)
    co_return fail(keys.error());
  auto const now = clock_.now();
  co_return jwt::sign({.issuer = expected.issuer,
                       .audience = expected.audience,
                       .subject = subject.user_id,
                       .tenant = subject.tenant,
                       .session_id = subject.login_id,
                       .id = uuid_v7(clock_, random_),
                       .issued_at = now,
                       .expires_at = now + access_ttl},
                      *(*keys)->signs_access);
}

Task<Result<std::string>> TokenKeys::refresh_token(RefreshClaims const& claims, Deadline deadline) {
  auto const keys = co_await this->keys(age_max, deadline);
  if (!keys)
    co_return fail(keys.error());
  auto const& key = *(*keys)->signs_refresh;
  auto text = std::string(refresh_prefix) + key.id() + "." + claims.tenant.value + "." + claims.login_id + "." +
              std::to_string(claims.generation);
  auto const signature = to_base64url(key.signature(text));
  co_return text + "." + signature;
}

Task<Result<jwt::Claims>> TokenKeys::verify_access(std::string_view token, Deadline deadline) {
  auto keys = co_await this->keys(age_max, deadline);
  if (!keys)
    co_return fail(keys.error());
  auto claims = jwt::verify(token, (*keys)->access, expected, clock_.now());
  if (claims)
    co_return claims;
  keys = co_await this->keys(age_max_of_unknown, deadline);
  if (!keys)
    co_return fail(keys.error());
  co_return jwt::verify(token, (*keys)->access, expected, clock_.now());
}

Task<Result<RefreshClaims>> TokenKeys::verify_refresh(std::string_view token, Deadline deadline) {
  if (token.size() > refresh_bytes_max || !token.starts_with(refresh_prefix))
    co_return refused();
  auto const dot = token.rfind('.');
  auto const signature = from_base64url(token.substr(dot + 1));
  auto const text = token.substr(0, dot);
  auto rest = text.substr(refresh_prefix.size());
  auto const key_id = take_until(rest, '.');
  auto keys = co_await this->keys(age_max, deadline);
  if (keys && !(*keys)->refresh.contains(key_id))
    keys = co_await this->keys(age_max_of_unknown, deadline);
  if (!keys)
    co_return fail(keys.error());
  auto const key = (*keys)->refresh.find(key_id);
  if (key == (*keys)->refresh.end() || !signature || !key->second.verification_key().has_signed(text, *signature))
    co_return refused();
  RefreshClaims claims{
      .tenant = TenantId{take_until(rest, '.')}, .login_id = std::string(take_until(rest, '.')), .generation = 0};
  auto const [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), claims.generation);
  if (error != std::errc{} || end != rest.data() + rest.size())
    co_return refused();
  co_return claims;
}

Task<Result<void>> TokenKeys::rotate(Deadline deadline) {
  if (auto made = co_await make(std::string(access_purpose), access_, false, deadline); !made)
    co_return made;
  if (auto made = co_await make(std::string(refresh_purpose), jwt::Algorithm::hmac_sha256, false, deadline); !made)
    co_return made;
  if (auto keys = co_await read(deadline); !keys)
    co_return fail(keys.error());
  co_return Result<void>{};
}

Task<Result<std::string>> TokenKeys::jwks(Deadline deadline) {
  auto const keys = co_await this->keys(age_max, deadline);
  if (!keys)
    co_return fail(keys.error());
  co_return jwt::jwks((*keys)->access, clock_.now());
}

Task<bool> TokenKeys::has_keys(Deadline deadline) {
  co_return known() != nullptr || !(co_await store_.list(kept_after_retirement(), deadline)).empty();
}

Task<Result<TokenKeys::Signature>> TokenKeys::sign_statement(std::string_view statement, Deadline deadline) {
  auto const keys = co_await this->keys(age_max, deadline);
  if (!keys)
    co_return fail(keys.error());
  auto const& [id, key] = *(*keys)->audit.begin();
  co_return Signature{.key_id = id, .text = to_base64url(key.signature(statement))};
}

Task<Result<bool>> TokenKeys::has_signed(std::string_view statement, Signature const& signature, Deadline deadline) {
  auto const keys = co_await this->keys(age_max, deadline);
  if (!keys)
    co_return fail(keys.error());
  auto const key = (*keys)->audit.find(signature.key_id);
  auto const raw = from_base64url(signature.text);
  co_return key != (*keys)->audit.end() && raw && key->second.verification_key().has_signed(statement, *raw);
}

TokenKeys::KeysPtr TokenKeys::known() {
  std::scoped_lock const lock(mutex_);
  return keys_;
}

Task<Result<TokenKeys::KeysPtr>> TokenKeys::keys(std::chrono::milliseconds age, Deadline deadline) {
  auto held = known();
  if (held != nullptr && clock_.steady() - held->read_at <= age)
    co_return held;
  co_return co_await read(deadline);
}

Task<Result<void>> TokenKeys::make(std::string purpose, jwt::Algorithm algorithm, bool only_if_none,
                                   Deadline deadline) {
  jwt::SigningKey const key(algorithm, random_);
  auto text = key.text();
  auto sealed = co_await sealing_.seal(default_tenant, place_of(key.id()), text, deadline);
  wipe(text);
  if (!sealed)
    co_return fail(sealed.error());
  std::ignore = co_await store_.add(key.id(), std::move(purpose), std::move(*sealed), only_if_none, deadline);
  co_return Result<void>{};
}

Task<Result<TokenKeys::KeysPtr>> TokenKeys::read(Deadline deadline) {
  auto const read_at = clock_.steady();
  auto stored = co_await store_.list(kept_after_retirement(), deadline);
  auto const lacks = [&](std::string_view purpose) {
    return std::ranges::none_of(stored, [&](auto const& key) { return key.purpose == purpose && !key.retired_at; });
  };
  for (auto const& [purpose, algorithm] :
       {std::pair{access_purpose, access_}, std::pair{refresh_purpose, jwt::Algorithm::hmac_sha256},
        std::pair{audit_purpose, jwt::Algorithm::ed25519}}) {
    if (!lacks(purpose))
      continue;
    if (auto made = co_await make(std::string(purpose), algorithm, true, deadline); !made)
      co_return fail(made.error());
  }
  stored = co_await store_.list(kept_after_retirement(), deadline);

  auto out = std::make_shared<Keys>();
  out->read_at = read_at;
  std::vector<jwt::VerificationKey> access;
  for (auto const& one : stored) {
    auto text = co_await sealing_.open(default_tenant, place_of(one.id), one.sealed, deadline);
    if (!text)
      co_return fail(text.error());
    auto key = jwt::SigningKey::from(*text);
    wipe(*text);
    if (!key)
      co_return fail(Code::internal, "a signing key in the database is none of ours");
    if (one.purpose == audit_purpose) {
      out->audit.insert_or_assign(one.id, std::move(*key));
      continue;
    }
    if (one.purpose == refresh_purpose) {
      out->refresh.insert_or_assign(one.id, *key);
      if (!one.retired_at)
        out->signs_refresh = std::move(*key);
      continue;
    }
    auto verification = key->verification_key();
    if (one.retired_at)
      verification.accepted_until = *one.retired_at + access_ttl + jwt::leeway;
    if (verification.accepted_until.value_or(Timestamp::max()) > clock_.now())
      access.push_back(std::move(verification));
    if (!one.retired_at)
      out->signs_access = std::move(*key);
  }
  // The oldest come first. Tokens of those that go here are renewed with refresh tokens, as expired ones are.
  if (access.size() > jwt::KeySet::keys_max)
    access.erase(access.begin(), access.end() - jwt::KeySet::keys_max);
  auto set = jwt::KeySet::from(std::move(access));
  if (!set)
    co_return fail(set.error());
  out->access = std::move(*set);
  std::scoped_lock const lock(mutex_);
  keys_ = out;
  co_return out;
}

}  // namespace al::security
