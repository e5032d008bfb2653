#pragma once
/// For tests of identity tokens: the side of the provider, which has the private keys.

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <array>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "core/base64.hpp"
#include "core/json.hpp"
#include "security/bytes.hpp"

namespace al::security::oidc {

class ProviderKey {
 public:
  static ProviderKey rsa(unsigned bits = 2048) { return {"RS256", EVP_RSA_gen(bits)}; }
  static ProviderKey p256() { return {"ES256", EVP_EC_gen("P-256")}; }
  static ProviderKey p384() { return {"ES384", EVP_EC_gen("P-384")}; }
  static ProviderKey ed25519() { return {"EdDSA", EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")}; }

  [[nodiscard]] std::string const& algorithm() const { return algorithm_; }

  /// As a provider publishes it. An empty id is left out.
  [[nodiscard]] json::object jwk(std::string_view id) const {
    json::object out;
    if (!id.empty())
      out["kid"] = id;
    if (algorithm_ == "RS256") {
      out["kty"] = "RSA";
      out["n"] = number(OSSL_PKEY_PARAM_RSA_N, 0);
      out["e"] = number(OSSL_PKEY_PARAM_RSA_E, 0);
    } else if (algorithm_ == "EdDSA") {
      std::string raw(32, '\0');
      std::size_t size = raw.size();
      EVP_PKEY_get_raw_public_key(key_.get(), bytes_of(raw), &size);
      out["kty"] = "OKP";
      out["crv"] = "Ed25519";
      out["x"] = to_base64url(raw);
    } else {
      int const size = algorithm_ == "ES256" ? 32 : 48;
      out["kty"] = "EC";
      out["crv"] = algorithm_ == "ES256" ? "P-256" : "P-384";
      out["x"] = number(OSSL_PKEY_PARAM_EC_PUB_X, size);
      out["y"] = number(OSSL_PKEY_PARAM_EC_PUB_Y, size);
    }
    return out;
  }

  /// As OpenSSL makes it: that of an EC key is DER.
  [[nodiscard]] std::string plain_signature(std::string_view message) const {
    std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> const context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
    std::string out(1024, '\0');
    std::size_t size = out.size();
    auto const* digest = algorithm_ == "EdDSA" ? nullptr : EVP_sha256();
    if (EVP_DigestSignInit(context.get(), nullptr, digest, nullptr, key_.get()) != 1 ||
        EVP_DigestSign(context.get(), bytes_of(out), &size, bytes_of(message), message.size()) != 1)
      throw std::runtime_error("cannot sign");
    out.resize(size);
    return out;
  }
  /// As a token has it.
  [[nodiscard]] std::string signature(std::string_view message) const {
    auto plain = plain_signature(message);
    if (algorithm_ != "ES256")
      return plain;
    unsigned char const* der = bytes_of(plain);
    std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> const pair(
        d2i_ECDSA_SIG(nullptr, &der, static_cast<long>(plain.size())), &ECDSA_SIG_free);
    return padded(ECDSA_SIG_get0_r(pair.get()), 32) + padded(ECDSA_SIG_get0_s(pair.get()), 32);
  }

  [[nodiscard]] std::string token(std::string_view header, std::string_view claims) const {
    auto const text = to_base64url(header) + "." + to_base64url(claims);
    return text + "." + to_base64url(signature(text));
  }
  [[nodiscard]] std::string token(json::object const& header, json::object const& claims) const {
    return token(json::serialize(header), json::serialize(claims));
  }
  /// With the header that fits.
  [[nodiscard]] std::string token(std::string_view id, json::object const& claims) const {
    return token(json::object{{"alg", algorithm_}, {"kid", id}, {"typ", "JWT"}}, claims);
  }

 private:
  ProviderKey(std::string algorithm, EVP_PKEY* key) : algorithm_(std::move(algorithm)), key_(key, &EVP_PKEY_free) {
    if (key == nullptr)
      throw std::runtime_error("cannot make a key");
  }

  static std::string padded(BIGNUM const* number, int size) {
    std::string out(static_cast<std::size_t>(size > 0 ? size : BN_num_bytes(number)), '\0');
    BN_bn2binpad(number, bytes_of(out), static_cast<int>(out.size()));
    return out;
  }
  [[nodiscard]] std::string number(char const* name, int size) const {
    BIGNUM* raw = nullptr;
    EVP_PKEY_get_bn_param(key_.get(), name, &raw);
    std::unique_ptr<BIGNUM, decltype(&BN_free)> const owned(raw, &BN_free);
    return to_base64url(padded(raw, size));
  }

  std::string algorithm_;
  std::shared_ptr<EVP_PKEY> key_;
};

inline std::string jwks_of(std::vector<json::object> const& keys) {
  json::array list;
  for (auto const& key : keys)
    list.emplace_back(key);
  return json::serialize(json::object{{"keys", std::move(list)}});
}

}  // namespace al::security::oidc
