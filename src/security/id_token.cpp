#include "security/id_token.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <sodium/utils.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <tuple>
#include <utility>

#include "core/base64.hpp"
#include "core/ids.hpp"
#include "core/json.hpp"
#include "core/utf8.hpp"
#include "http/message.hpp"
#include "security/bytes.hpp"
#include "security/foreign_json.hpp"

namespace al::security::oidc {
namespace {

/// Frees what OpenSSL made.
template <auto free>
struct Free {
  template <class T>
  void operator()(T* object) const {
    free(object);
  }
};

using Big = std::unique_ptr<BIGNUM, Free<&BN_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Free<&EVP_PKEY_CTX_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Free<&EVP_MD_CTX_free>>;
using Parameters = std::unique_ptr<OSSL_PARAM, Free<&OSSL_PARAM_free>>;
using ParameterBuilder = std::unique_ptr<OSSL_PARAM_BLD, Free<&OSSL_PARAM_BLD_free>>;
using PublicKey = std::unique_ptr<EVP_PKEY, Free<&EVP_PKEY_free>>;
using EcdsaSignature = std::unique_ptr<ECDSA_SIG, Free<&ECDSA_SIG_free>>;

/// Failures here are answers. Left in OpenSSL's list, the next TLS call of the thread would take them for its own.
class QuietErrors {
 public:
  QuietErrors() { ERR_set_mark(); }
  ~QuietErrors() { ERR_pop_to_mark(); }
  QuietErrors(QuietErrors const&) = delete;
  QuietErrors& operator=(QuietErrors const&) = delete;
};

constexpr std::string_view rs256 = "RS256";
constexpr std::string_view es256 = "ES256";
constexpr std::string_view eddsa = "EdDSA";
constexpr std::size_t coordinate_bytes = 32;  // RFC 7518 6.2.1.2, RFC 8037 2
constexpr std::size_t key_id_bytes_max = 255;
constexpr std::size_t audiences_max = 64;
constexpr std::size_t email_bytes_max = 254;
constexpr std::size_t full_name_characters_max = 100;
/// 9999-12-31T23:59:59Z, the end of RFC 3339. Larger numbers would overflow a Timestamp.
constexpr double numeric_date_max = 253'402'300'799;

// ---- keys ----

std::optional<std::string> bytes_in(json::object const& jwk, std::string_view name) {
  auto const text = text_of(jwk, name);
  return text ? from_base64url(*text) : std::nullopt;
}

PublicKey key_from(char const* type, OSSL_PARAM_BLD* builder) {
  Parameters const parameters(OSSL_PARAM_BLD_to_param(builder));
  KeyContext const context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (parameters && context && EVP_PKEY_fromdata_init(context.get()) == 1)
    EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get());
  return PublicKey(key);
}

/// RFC 7518 6.3.1.
PublicKey rsa_key(json::object const& jwk) {
  constexpr std::size_t bytes_max = Jwks::rsa_bits_max / 8;
  auto const modulus = bytes_in(jwk, "n");
  auto const exponent = bytes_in(jwk, "e");
  if (!modulus || !exponent || modulus->size() > bytes_max || exponent->size() > sizeof(std::uint64_t))
    return nullptr;
  Big const n(BN_bin2bn(bytes_of(*modulus), static_cast<int>(modulus->size()), nullptr));
  Big const e(BN_bin2bn(bytes_of(*exponent), static_cast<int>(exponent->size()), nullptr));
  ParameterBuilder const builder(OSSL_PARAM_BLD_new());
  // With the exponent 1 every text would be its own signature.
  if (!n || !e || !builder || BN_num_bits(n.get()) < Jwks::rsa_bits_min || BN_is_odd(n.get()) == 0 ||
      BN_is_odd(e.get()) == 0 || BN_is_one(e.get()) == 1)
    return nullptr;
  if (OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1)
    return nullptr;
  return key_from("RSA", builder.get());
}

/// RFC 7518 6.2.1. OpenSSL refuses a point that is not on the curve.
PublicKey p256_key(json::object const& jwk) {
  auto const x = bytes_in(jwk, "x");
  auto const y = bytes_in(jwk, "y");
  ParameterBuilder const builder(OSSL_PARAM_BLD_new());
  if (text_of(jwk, "crv") != "P-256" || !x || !y || x->size() != coordinate_bytes || y->size() != coordinate_bytes)
    return nullptr;
  auto const point = "\x04" + *x + *y;  // SEC 1, 2.3.3: not compressed
  if (!builder || OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) != 1 ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()) != 1)
    return nullptr;
  return key_from("EC", builder.get());
}

/// RFC 8037 2.
PublicKey ed25519_key(json::object const& jwk) {
  auto const x = bytes_in(jwk, "x");
  if (text_of(jwk, "crv") != "Ed25519" || !x || x->size() != coordinate_bytes)
    return nullptr;
  return PublicKey(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes_of(*x), x->size()));
}

struct Kind {
  std::string_view type;  ///< `kty`
  std::string_view algorithm;
  PublicKey (*read)(json::object const&);
};
constexpr std::array<Kind, 3> kinds{{{"RSA", rs256, &rsa_key}, {"EC", es256, &p256_key}, {"OKP", eddsa, &ed25519_key}}};

/// Whether the members that are not the key itself leave it to us: RFC 7517 4.2 to 4.5.
bool is_for_us(json::object const& jwk, std::string_view algorithm) {
  auto const is_absent_or = [&](std::string_view name, std::string_view wanted) {
    return !jwk.contains(name) || text_of(jwk, name) == wanted;
  };
  auto const* operations = jwk.if_contains("key_ops");
  auto const id = text_of(jwk, "kid");
  return is_absent_or("use", "sig") && is_absent_or("alg", algorithm) &&
         (operations == nullptr || contains_text(*operations, "verify")) &&
         (!jwk.contains("kid") || (id && id->size() <= key_id_bytes_max)) && !jwk.contains("d");
}

// ---- signatures ----

/// The form that OpenSSL reads, of R and S in 32 bytes each (RFC 7518 3.4). Empty when it is not that.
std::string der_of(std::string_view raw) {
  if (raw.size() != 2 * coordinate_bytes)
    return {};
  constexpr int half = coordinate_bytes;
  Big r(BN_bin2bn(bytes_of(raw), half, nullptr));
  Big s(BN_bin2bn(bytes_of(raw) + half, half, nullptr));
  EcdsaSignature const signature(ECDSA_SIG_new());
  if (!r || !s || !signature || ECDSA_SIG_set0(signature.get(), r.get(), s.get()) != 1)
    return {};
  std::ignore = r.release();  // the signature owns them now
  std::ignore = s.release();
  unsigned char* der = nullptr;
  auto const size = i2d_ECDSA_SIG(signature.get(), &der);
  if (size <= 0)
    return {};
  std::string out(view_of({der, static_cast<std::size_t>(size)}));
  OPENSSL_free(der);
  return out;
}

}  // namespace

struct Jwks::Key {
  std::string_view algorithm;
  std::optional<std::string> id;
  PublicKey material;

  [[nodiscard]] bool has_signed(std::string_view message, std::string_view signature) const {
    QuietErrors const quiet;
    auto const made = algorithm == es256 ? der_of(signature) : std::string(signature);
    auto const* digest = algorithm == eddsa ? nullptr : EVP_sha256();  // Ed25519 hashes by itself
    DigestContext const context(EVP_MD_CTX_new());
    return context && EVP_DigestVerifyInit(context.get(), nullptr, digest, nullptr, material.get()) == 1 &&
           EVP_DigestVerify(context.get(), bytes_of(made), made.size(), bytes_of(message), message.size()) == 1;
  }
};

namespace {

/// Null for a key that we have no use for.
std::shared_ptr<Jwks::Key const> key_of(json::value const& value) {
  auto const* jwk = value.if_object();
  auto const type = jwk != nullptr ? text_of(*jwk, "kty") : std::nullopt;
  auto const* kind = type ? std::ranges::find(kinds, *type, &Kind::type) : kinds.end();
  if (kind == kinds.end() || !is_for_us(*jwk, kind->algorithm))
    return nullptr;
  auto material = kind->read(*jwk);
  if (!material)
    return nullptr;
  auto const id = text_of(*jwk, "kid");
  return std::make_shared<Jwks::Key const>(kind->algorithm, id ? std::optional<std::string>(*id) : std::nullopt,
                                           std::move(material));
}

// ---- tokens ----

struct Header {
  std::string algorithm;
  std::optional<std::string> key_id;
};

/// Nothing when the token is not `a.b.c` or too long.
std::optional<std::array<std::string_view, 3>> parts_of(std::string_view token) {
  if (token.size() > id_token_bytes_max || std::ranges::count(token, '.') != 2)
    return std::nullopt;
  auto const first = token.find('.');
  auto const last = token.rfind('.');
  return std::array{token.substr(0, first), token.substr(first + 1, last - first - 1), token.substr(last + 1)};
}

/// `crit` and `b64` would change what is signed (RFC 7515 4.1.11, RFC 7797); a `typ` of another kind of token says that
/// this one was made for something else (RFC 8725 3.11).
std::optional<Header> header_of(std::string_view part) {
  auto const header = decoded_object(part);
  if (!header || header->contains("crit") || header->contains("b64"))
    return std::nullopt;
  auto const algorithm = text_of(*header, "alg");
  auto const id = text_of(*header, "kid");
  auto const type = text_of(*header, "typ");
  bool const is_of_type = header->contains("typ") ? type && http::equal_without_case(*type, "JWT") : true;
  if (!algorithm || (header->contains("kid") && !id) || !is_of_type)
    return std::nullopt;
  return Header{.algorithm = std::string(*algorithm), .key_id = id ? std::optional<std::string>(*id) : std::nullopt};
}

/// A NumericDate (RFC 7519 2), which may have a fraction.
std::optional<Timestamp> time_of(json::object const& in, std::string_view name) {
  auto const* found = in.if_contains(name);
  if (found == nullptr || !found->is_number())
    return std::nullopt;
  auto const seconds = found->to_number<double>();
  if (seconds < 0 || seconds > numeric_date_max)
    return std::nullopt;
  return Timestamp(std::chrono::seconds(static_cast<std::int64_t>(std::floor(seconds))));
}

bool is_from_issuer(json::object const& claims, Expected const& expected, Timestamp) {
  return text_of(claims, "iss") == expected.issuer;
}

/// OpenID Connect Core 3.1.3.7, 3 to 5.
bool is_for_client(json::object const& claims, Expected const& expected, Timestamp) {
  auto const* audience = claims.if_contains("aud");
  if (audience == nullptr || (claims.contains("azp") && text_of(claims, "azp") != expected.client_id))
    return false;
  if (auto const* one = audience->if_string())
    return std::string_view(*one) == expected.client_id;
  auto const* list = audience->if_array();
  return list != nullptr && list->size() <= audiences_max &&
         std::ranges::all_of(*list, [](json::value const& element) { return element.is_string(); }) &&
         contains_text(*audience, expected.client_id) && (list->size() == 1 || claims.contains("azp"));
}

bool is_valid_at(json::object const& claims, Expected const&, Timestamp now) {
  auto const issued_at = time_of(claims, "iat");
  auto const expires_at = time_of(claims, "exp");
  auto const not_before = time_of(claims, "nbf");
  if (claims.contains("nbf") && (!not_before || *not_before > now + leeway))
    return false;
  return issued_at && expires_at && *issued_at <= now + leeway && now < *expires_at + leeway;
}

/// How long it takes tells nothing of the nonce.
bool is_answer(json::object const& claims, Expected const& expected, Timestamp) {
  auto const nonce = text_of(claims, "nonce");
  return nonce && !expected.nonce.empty() && nonce->size() == expected.nonce.size() &&
         sodium_memcmp(nonce->data(), expected.nonce.data(), nonce->size()) == 0;
}

bool has_subject(json::object const& claims, Expected const&, Timestamp) {
  auto const subject = text_of(claims, "sub");
  return subject && is_text_id(*subject);
}

struct Rule {
  std::string_view name;
  bool (*holds)(json::object const& claims, Expected const&, Timestamp now);
};
constexpr std::array<Rule, 5> rules{{{"issuer", &is_from_issuer},
                                     {"audience", &is_for_client},
                                     {"time", &is_valid_at},
                                     {"nonce", &is_answer},
                                     {"subject", &has_subject}}};

/// OpenID Connect Core 5.1. A provider that says `"true"` as a text has said nothing.
std::optional<std::string> verified_email(json::object const& claims) {
  auto const* is_verified = claims.if_contains("email_verified");
  auto const email = text_of(claims, "email");
  if (is_verified == nullptr || !is_verified->is_bool() || !is_verified->get_bool() || !email || email->empty() ||
      email->size() > email_bytes_max || !utf8::is_plain(*email))
    return std::nullopt;
  return std::string(*email);
}

std::string full_name_of(json::object const& claims) {
  auto const name = text_of(claims, "name").value_or("");
  if (!utf8::is_plain(name))
    return {};
  auto const is_continuation = [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) == 0x80U; };
  std::size_t end = 0;
  for (std::size_t characters = 0; end < name.size() && characters < full_name_characters_max; ++characters) {
    for (++end; end < name.size() && is_continuation(name[end]);)
      ++end;
  }
  return std::string(name.substr(0, end));
}

std::unexpected<Error> refused(std::string_view rule) {
  return fail({.code = Code::unauthenticated,
               .message = "The answer of the identity provider cannot be trusted. Begin the sign-in anew.",
               .where = std::string(rule)});
}

}  // namespace

Result<Jwks> Jwks::from(std::string_view document) {
  auto const set = object_in(document);
  auto const* list = set ? set->if_contains("keys") : nullptr;
  if (list == nullptr || !list->is_array())
    return fail(Code::invalid, "is no JWK set");
  auto const& keys = list->get_array();
  if (keys.size() > keys_max)
    return fail(Code::invalid, "holds more than " + std::to_string(keys_max) + " keys");
  QuietErrors const quiet;
  Jwks out;
  for (auto const& value : keys) {
    if (auto key = key_of(value))
      out.keys_.push_back(std::move(key));
  }
  if (out.keys_.empty())
    return fail(Code::invalid, "holds no key for RS256 (2048 bits or more), ES256 or EdDSA (Ed25519)");
  return out;
}

Jwks::Key const* Jwks::find(std::string_view algorithm, std::optional<std::string_view> id) const {
  Key const* found = nullptr;
  for (auto const& key : keys_) {
    if (key->algorithm != algorithm || (id && key->id != *id))
      continue;
    if (found != nullptr)
      return nullptr;
    found = key.get();
  }
  return found;
}

bool Jwks::has_key_of(std::string_view token) const {
  auto const parts = parts_of(token);
  auto const header = parts ? header_of(parts->front()) : std::nullopt;
  return header && find(header->algorithm, header->key_id) != nullptr;
}

Result<Identity> verify_id_token(std::string_view token, Jwks const& keys, Expected const& expected, Timestamp now) {
  auto const parts = parts_of(token);
  auto const signature = parts ? from_base64url(parts->at(2)) : std::nullopt;
  if (!signature)
    return refused("form");
  auto const header = header_of(parts->front());
  if (!header)
    return refused("header");
  auto const* key = keys.find(header->algorithm, header->key_id);
  if (key == nullptr)
    return refused("key");
  // What nobody has signed is not read any further.
  if (!key->has_signed(token.substr(0, token.rfind('.')), *signature))
    return refused("signature");
  auto const claims = decoded_object(parts->at(1));
  if (!claims)
    return refused("form");
  for (auto const& rule : rules) {
    if (!rule.holds(*claims, expected, now))
      return refused(rule.name);
  }
  return Identity{.issuer = expected.issuer,
                  .subject = std::string(*text_of(*claims, "sub")),
                  .email = verified_email(*claims),
                  .full_name = full_name_of(*claims)};
}

}  // namespace al::security::oidc
