#pragma once
/// Authenticated encryption of small texts: XChaCha20-Poly1305 (libsodium). No I/O.

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/random.hpp"

namespace al::security {

/// A key that is wiped from memory when it goes. Shared, never copied.
class SecretKey {
 public:
  static constexpr std::size_t size = 32;
  using Bytes = std::span<unsigned char const, size>;

  explicit SecretKey(Random&);
  explicit SecretKey(Bytes);
  ~SecretKey();
  SecretKey(SecretKey const&) = delete;
  SecretKey& operator=(SecretKey const&) = delete;

  [[nodiscard]] Bytes bytes() const { return bytes_; }

 private:
  std::array<unsigned char, size> bytes_{};
};

using SecretKeyPtr = std::shared_ptr<SecretKey const>;

/// What a sealed text belongs to. It opens only with the same words in the same order.
using Binding = std::span<std::string_view const>;

/// "s1." and URL-safe base64 of nonce, ciphertext and tag. The nonce is 24 random bytes, so that one key may seal
/// without counting.
[[nodiscard]] std::string seal_with(SecretKey const&, Binding, std::string_view plain, Random&);

/// Nothing when the text is none of ours, was changed, or belongs to another key or binding: these cannot be told
/// apart.
[[nodiscard]] std::optional<std::string> open_with(SecretKey const&, Binding, std::string_view sealed);

/// 32 bytes as base64 (either alphabet, padded or not) or as 64 hexadecimal digits, with white space around. Null for
/// anything else.
[[nodiscard]] SecretKeyPtr read_key(std::string_view text);
/// As standard base64.
[[nodiscard]] std::string key_text(SecretKey const&);

/// Overwrites a text that is not needed any more.
void wipe(std::string& text);

}  // namespace al::security
