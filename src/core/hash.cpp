#include "core/hash.hpp"

#include <openssl/evp.h>
#include <sodium/utils.h>

#include <array>

#include "core/fault.hpp"

namespace al {

// OpenSSL's, which has the processor do it: with it a check of a known token takes half the time.
std::string sha256_hex(std::string_view text) {
  static EVP_MD const* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  constexpr std::size_t size = 32;
  std::array<unsigned char, size> digest{};
  if (algorithm == nullptr || EVP_Digest(text.data(), text.size(), digest.data(), nullptr, algorithm, nullptr) != 1)
    throw Fault("SHA-256 cannot be computed: OpenSSL refuses it");
  std::string hex(2 * digest.size() + 1, '\0');
  sodium_bin2hex(hex.data(), hex.size(), digest.data(), digest.size());
  hex.pop_back();
  return hex;
}

std::uint64_t fnv1a(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (char const c : text)
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

}  // namespace al
