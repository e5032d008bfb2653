#include "security/jwt.hpp"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cstdint>
#include <memory>
#include <utility>

#include "core/base64.hpp"
#include "core/json.hpp"
#include "security/bytes.hpp"
#include "security/foreign_json.hpp"

namespace al::security::jwt {
namespace {

static_assert(SecretKey::size == crypto_sign_SEEDBYTES);
static_assert(SecretKey::size == crypto_sign_PUBLICKEYBYTES);
static_assert(SecretKey::size == crypto_auth_hmacsha256_KEYBYTES);
/// So that no token of another kind passes for an access token (RFC 8725 3.11, RFC 9068 4).
constexpr std::string_view type = "at+jwt";
constexpr std::int64_t lifetime_seconds_max = std::chrono::seconds(lifetime_max).count();
constexpr std::size_t key_id_size_max = 64;
constexpr std::size_t new_key_id_bytes = 12;
/// 9999-12-31T23:59:59Z, the end of RFC 3339. Larger numbers would overflow a Timestamp.
constexpr std::int64_t numeric_date_max = 253'402'300'799;

constexpr std::array<std::pair<Algorithm, std::string_view>, 2> algorithm_names{
    {{Algorithm::ed25519, "EdDSA"}, {Algorithm::hmac_sha256, "HS256"}}};

constexpr std::array<std::pair<std::string_view, std::string Claims::*>, 5> text_claims{{{"iss", &Claims::issuer},
                                                                                         {"aud", &Claims::audience},
                                                                                         {"sub", &Claims::subject},
                                                                                         {"sid", &Claims::session_id},
                                                                                         {"jti", &Claims::id}}};

std::string_view name_of(Algorithm algorithm) {
  return std::ranges::find(algorithm_names, algorithm, &decltype(algorithm_names)::value_type::first)->second;
}

bool is_url_safe(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

bool is_key_id(std::string_view text) {
  return !text.empty() && text.size() <= key_id_size_max && std::ranges::all_of(text, is_url_safe);
}

/// What libsodium signs with: the seed, expanded. Wiped when it goes.
class KeyPair {
 public:
  explicit KeyPair(SecretKey const& seed) {
    crypto_sign_seed_keypair(public_.data(), secret_.data(), seed.bytes().data());
  }
  ~KeyPair() { sodium_memzero(secret_.data(), secret_.size()); }
  KeyPair(KeyPair const&) = delete;
  KeyPair& operator=(KeyPair const&) = delete;

  [[nodiscard]] unsigned char const* secret_key() const { return secret_.data(); }
  [[nodiscard]] SecretKey::Bytes public_key() const { return public_; }

 private:
  std::array<unsigned char, crypto_sign_PUBLICKEYBYTES> public_{};
  std::array<unsigned char, crypto_sign_SECRETKEYBYTES> secret_{};
};

SecretKeyPtr checking_half(Algorithm algorithm, SecretKeyPtr const& secret) {
  if (algorithm == Algorithm::hmac_sha256)
    return secret;
  return std::make_shared<SecretKey const>(KeyPair(*secret).public_key());
}

/// A NumericDate (RFC 7519 2). We write whole seconds, and take nothing else.
std::optional<Timestamp> time_of(json::object const& in, std::string_view name) {
  auto const* found = in.if_contains(name);
  if (found == nullptr || !found->is_int64() || found->get_int64() < 0 || found->get_int64() > numeric_date_max)
    return std::nullopt;
  return Timestamp(std::chrono::seconds(found->get_int64()));
}

/// The key that a header names, when the header is one of ours and the key still counts.
VerificationKey const* key_of(std::string_view part, KeySet const& keys, Timestamp now) {
  auto const header = decoded_object(part);
  if (!header || text_of(*header, "typ") != type || header->contains("crit") || header->contains("b64"))
    return nullptr;
  auto const id = text_of(*header, "kid");
  auto const* key = id ? keys.find(*id) : nullptr;
  bool const fits = key != nullptr && text_of(*header, "alg") == name_of(key->algorithm) && key->is_accepted_at(now);
  return fits ? key : nullptr;
}

std::int64_t numeric_date(Timestamp time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

bool is_sound(Claims const& claims) {
  auto const lifetime = numeric_date(claims.expires_at) - numeric_date(claims.issued_at);
  return is_text_id(claims.subject) && is_slug(claims.tenant.value) && is_text_id(claims.session_id) &&
         is_text_id(claims.id) && lifetime > 0 && lifetime <= lifetime_seconds_max;
}

std::optional<Claims> claims_of(json::object const& payload) {
  Claims out;
  for (auto const& [name, member] : text_claims) {
    auto const text = text_of(payload, name);
    if (!text)
      return std::nullopt;
    out.*member = *text;
  }
  auto const tenant = text_of(payload, "tenant");
  auto const issued_at = time_of(payload, "iat");
  auto const expires_at = time_of(payload, "exp");
  if (!tenant || !issued_at || !expires_at)
    return std::nullopt;
  out.tenant = TenantId(*tenant);
  out.issued_at = *issued_at;
  out.expires_at = *expires_at;
  return is_sound(out) ? std::optional(std::move(out)) : std::nullopt;
}

/// RFC 7519 4.1.4 to 4.1.6.
bool is_valid_at(Timestamp now, Claims const& claims, json::object const& payload) {
  auto const not_before = time_of(payload, "nbf");
  if (payload.contains("nbf") && (!not_before || *not_before > now + leeway))
    return false;
  return claims.issued_at <= now + leeway && now < claims.expires_at + leeway;
}

std::optional<Claims> accepted(std::string_view token, KeySet const& keys, Expected const& expected, Timestamp now) {
  if (token.size() > token_bytes_max || std::ranges::count(token, '.') != 2)
    return std::nullopt;
  auto const first = token.find('.');
  auto const last = token.rfind('.');
  auto const* key = key_of(token.substr(0, first), keys, now);
  auto const signature = from_base64url(token.substr(last + 1));
  // What nobody has signed is not read any further.
  if (key == nullptr || !signature || !key->has_signed(token.substr(0, last), *signature))
    return std::nullopt;
  auto const payload = decoded_object(token.substr(first + 1, last - first - 1));
  auto claims = payload ? claims_of(*payload) : std::nullopt;
  bool const is_accepted = claims && claims->issuer == expected.issuer && claims->audience == expected.audience &&
                           is_valid_at(now, *claims, *payload);
  return is_accepted ? std::move(claims) : std::nullopt;
}

}  // namespace

bool VerificationKey::has_signed(std::string_view message, std::string_view signature) const {
  auto const* key = bytes->bytes().data();
  if (algorithm == Algorithm::hmac_sha256) {
    return signature.size() == crypto_auth_hmacsha256_BYTES &&
           crypto_auth_hmacsha256_verify(bytes_of(signature), bytes_of(message), message.size(), key) == 0;
  }
  return signature.size() == crypto_sign_BYTES &&
         crypto_sign_verify_detached(bytes_of(signature), bytes_of(message), message.size(), key) == 0;
}

SigningKey::SigningKey(std::string id, Algorithm algorithm, SecretKeyPtr secret)
    : secret_(std::move(secret)), verification_key_{std::move(id), algorithm, checking_half(algorithm, secret_)} {}

SigningKey::SigningKey(Algorithm algorithm, Random& random)
    : SigningKey(random.token(new_key_id_bytes), algorithm, std::make_shared<SecretKey const>(random)) {}

Result<SigningKey> SigningKey::from(std::string_view text) {
  auto const first = text.find('.');
  auto const last = text.rfind('.');
  if (first != last) {
    auto const* named =
        std::ranges::find(algorithm_names, text.substr(0, first), &decltype(algorithm_names)::value_type::second);
    auto const id = text.substr(first + 1, last - first - 1);
    auto secret = read_key(text.substr(last + 1));
    if (named != algorithm_names.end() && is_key_id(id) && secret)
      return SigningKey(std::string(id), named->first, std::move(secret));
  }
  return fail(Code::invalid, "this is no signing key; make a new one");
}

std::string SigningKey::text() const {
  auto secret = key_text(*secret_);
  std::string out;
  // Its size beforehand, so that no copy of the secret stays behind.
  out.reserve(name_of(algorithm()).size() + id().size() + secret.size() + 2);
  out.append(name_of(algorithm())).append(".").append(id()).append(".").append(secret);
  wipe(secret);
  return out;
}

std::string SigningKey::signature(std::string_view message) const {
  if (algorithm() == Algorithm::hmac_sha256) {
    std::string out(crypto_auth_hmacsha256_BYTES, '\0');
    crypto_auth_hmacsha256(bytes_of(out), bytes_of(message), message.size(), secret_->bytes().data());
    return out;
  }
  KeyPair const pair(*secret_);
  std::string out(crypto_sign_BYTES, '\0');
  crypto_sign_detached(bytes_of(out), nullptr, bytes_of(message), message.size(), pair.secret_key());
  return out;
}

Result<KeySet> KeySet::from(std::vector<VerificationKey> keys) {
  if (keys.size() > keys_max)
    return fail(Code::invalid, "there may be " + std::to_string(keys_max) + " signing keys; remove the oldest");
  KeySet out;
  for (auto& key : keys) {
    if (!is_key_id(key.id) || !key.bytes || out.find(key.id) != nullptr)
      return fail(Code::invalid, "each signing key needs an id of its own, of 1 to 64 letters, digits, _ and -");
    out.keys_.push_back(std::move(key));
  }
  return out;
}

VerificationKey const* KeySet::find(std::string_view id) const {
  auto const found = std::ranges::find(keys_, id, &VerificationKey::id);
  return found == keys_.end() ? nullptr : &*found;
}

std::string sign(Claims const& claims, SigningKey const& key) {
  assert(is_sound(claims) && "no one would take this token");
  json::object const header{{"alg", name_of(key.algorithm())}, {"kid", key.id()}, {"typ", type}};
  json::object payload;
  for (auto const& [name, member] : text_claims)
    payload[name] = claims.*member;
  payload["tenant"] = claims.tenant.value;
  payload["iat"] = numeric_date(claims.issued_at);
  payload["exp"] = numeric_date(claims.expires_at);
  auto token = to_base64url(json::serialize(header)) + "." + to_base64url(json::serialize(payload));
  return token + "." + to_base64url(key.signature(token));
}

Result<Claims> verify(std::string_view token, KeySet const& keys, Expected const& expected, Timestamp now) {
  auto claims = accepted(token, keys, expected, now);
  if (!claims)
    return fail(Code::unauthenticated, "This token is not valid here, or not any more. Sign in again.");
  return *std::move(claims);
}

std::string jwks(KeySet const& set, Timestamp now) {
  json::array keys;
  for (auto const& key : set.keys()) {
    if (key.algorithm != Algorithm::ed25519 || !key.is_accepted_at(now))
      continue;
    keys.push_back(json::object{{"kty", "OKP"},
                                {"crv", "Ed25519"},
                                {"x", to_base64url(view_of(key.bytes->bytes()))},
                                {"kid", key.id},
                                {"use", "sig"},
                                {"alg", name_of(key.algorithm)}});
  }
  return json::serialize(json::object{{"keys", std::move(keys)}});
}

}  // namespace al::security::jwt
