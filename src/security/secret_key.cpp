#include "security/secret_key.hpp"

#include <sodium.h>

#include <algorithm>

#include "core/base64.hpp"
#include "security/bytes.hpp"

namespace al::security {
namespace {

static_assert(SecretKey::size == crypto_aead_xchacha20poly1305_ietf_KEYBYTES);
constexpr std::size_t nonce_bytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t tag_bytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;
constexpr std::string_view prefix = "s1.";

/// Each word with its length in front, so that ("a", "bc") and ("ab", "c") are not the same.
std::string additional_data(Binding binding) {
  std::string out(prefix);
  for (auto const word : binding) {
    for (std::size_t rest = word.size(), i = 0; i < sizeof(std::uint64_t); ++i, rest >>= 8)
      out += static_cast<char>(rest & 0xFF);
    out += word;
  }
  return out;
}

std::optional<std::string> from_base64(std::string_view text, int variant) {
  std::string out(text.size() / 4 * 3 + 3, '\0');
  std::size_t length = 0;
  char const* end = nullptr;
  bool const done =
      sodium_base642bin(bytes_of(out), out.size(), text.data(), text.size(), nullptr, &length, &end, variant) == 0 &&
      end == text.data() + text.size();
  if (!done) {
    wipe(out);
    return std::nullopt;
  }
  out.resize(length);
  return out;
}

std::optional<std::string> from_hex(std::string_view text) {
  std::string out(text.size() / 2, '\0');
  std::size_t length = 0;
  char const* end = nullptr;
  bool const done = sodium_hex2bin(bytes_of(out), out.size(), text.data(), text.size(), nullptr, &length, &end) == 0 &&
                    end == text.data() + text.size();
  return done && length == out.size() ? std::optional(std::move(out)) : std::nullopt;
}

}  // namespace

SecretKey::SecretKey(Random& random) { random.fill(std::as_writable_bytes(std::span(bytes_))); }

SecretKey::SecretKey(Bytes bytes) { std::ranges::copy(bytes, bytes_.begin()); }

SecretKey::~SecretKey() { sodium_memzero(bytes_.data(), bytes_.size()); }

std::string seal_with(SecretKey const& key, Binding binding, std::string_view plain, Random& random) {
  auto const bound = additional_data(binding);
  std::string raw(nonce_bytes + plain.size() + tag_bytes, '\0');
  random.fill(std::as_writable_bytes(std::span(raw).first(nonce_bytes)));
  auto* out = bytes_of(raw);
  crypto_aead_xchacha20poly1305_ietf_encrypt(out + nonce_bytes, nullptr, bytes_of(plain), plain.size(), bytes_of(bound),
                                             bound.size(), nullptr, out, key.bytes().data());
  return std::string(prefix) + to_base64url(raw);
}

std::optional<std::string> open_with(SecretKey const& key, Binding binding, std::string_view sealed) {
  if (!sealed.starts_with(prefix))
    return std::nullopt;
  auto const raw = from_base64url(sealed.substr(prefix.size()));
  if (!raw || raw->size() < nonce_bytes + tag_bytes)
    return std::nullopt;
  auto const bound = additional_data(binding);
  auto const* in = bytes_of(std::string_view(*raw));
  std::string plain(raw->size() - nonce_bytes - tag_bytes, '\0');
  int const failed = crypto_aead_xchacha20poly1305_ietf_decrypt(bytes_of(plain), nullptr, nullptr, in + nonce_bytes,
                                                                raw->size() - nonce_bytes, bytes_of(bound),
                                                                bound.size(), in, key.bytes().data());
  return failed == 0 ? std::optional(std::move(plain)) : std::nullopt;
}

SecretKeyPtr read_key(std::string_view text) {
  constexpr std::string_view blank = " \t\r\n";
  auto const first = text.find_first_not_of(blank);
  if (first == std::string_view::npos)
    return nullptr;
  text = text.substr(first, text.find_last_not_of(blank) - first + 1);
  std::optional<std::string> raw;
  if (text.size() == 2 * SecretKey::size) {
    raw = from_hex(text);
  } else {
    bool const is_padded = text.ends_with('=');
    bool const is_url_safe = text.contains('-') || text.contains('_');
    raw = from_base64(
        text, is_url_safe ? (is_padded ? sodium_base64_VARIANT_URLSAFE : sodium_base64_VARIANT_URLSAFE_NO_PADDING)
                          : (is_padded ? sodium_base64_VARIANT_ORIGINAL : sodium_base64_VARIANT_ORIGINAL_NO_PADDING));
  }
  SecretKeyPtr key;
  if (raw && raw->size() == SecretKey::size)
    key = std::make_shared<SecretKey const>(SecretKey::Bytes(bytes_of(*raw), SecretKey::size));
  if (raw)
    wipe(*raw);
  return key;
}

std::string key_text(SecretKey const& key) { return to_base64(view_of(key.bytes())); }

void wipe(std::string& text) {
  sodium_memzero(text.data(), text.size());
  text.clear();
}

}  // namespace al::security
