#pragma once
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>

#include "testing/temporary_directory.hpp"

namespace al {

/// A certificate that signs itself, with its key.
class TestCertificate {
 public:
  /// `subject_alternative` as in OpenSSL's configuration: "IP:127.0.0.1", "DNS:example.org".
  explicit TestCertificate(std::string const& subject_alternative, long valid_seconds = 3600) {
    key_.reset(EVP_EC_gen("P-256"));
    auto* const x509 = certificate_.get();
    X509_set_version(x509, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
    X509_gmtime_adj(X509_getm_notBefore(x509), -7200);
    X509_gmtime_adj(X509_getm_notAfter(x509), valid_seconds);
    X509_set_pubkey(x509, key_.get());
    auto* const name = X509_get_subject_name(x509);
    auto const* const text = reinterpret_cast<unsigned char const*>("test");
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, text, -1, -1, 0);
    X509_set_issuer_name(x509, name);
    add_extension(NID_subject_alt_name, subject_alternative);
    add_extension(NID_basic_constraints, "critical,CA:TRUE");
    if (X509_sign(x509, key_.get(), EVP_sha256()) == 0)
      throw std::runtime_error("cannot sign");
    write(certificate_file(), [&](FILE* file) { return PEM_write_X509(file, x509); });
    write(key_file(),
          [&](FILE* file) { return PEM_write_PrivateKey(file, key_.get(), nullptr, nullptr, 0, nullptr, nullptr); });
  }

  [[nodiscard]] std::string certificate_file() const { return directory_.file("certificate.pem"); }
  [[nodiscard]] std::string key_file() const { return directory_.file("key.pem"); }
  void use(SSL_CTX* context) const {
    SSL_CTX_use_certificate(context, certificate_.get());
    SSL_CTX_use_PrivateKey(context, key_.get());
  }

 private:
  void add_extension(int kind, std::string const& value) {
    std::unique_ptr<X509_EXTENSION, decltype(&X509_EXTENSION_free)> const extension(
        X509V3_EXT_conf_nid(nullptr, nullptr, kind, value.c_str()), &X509_EXTENSION_free);
    X509_add_ext(certificate_.get(), extension.get(), -1);
  }
  template <class Write>
  static void write(std::string const& path, Write const& put) {
    std::unique_ptr<FILE, int (*)(FILE*)> const file(std::fopen(path.c_str(), "w"), &std::fclose);
    if (!file || put(file.get()) == 0)
      throw std::runtime_error("cannot write " + path);
  }

  TemporaryDirectory directory_;
  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key_{nullptr, &EVP_PKEY_free};
  std::unique_ptr<X509, decltype(&X509_free)> certificate_{X509_new(), &X509_free};
};

}  // namespace al
