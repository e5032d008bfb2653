#include "core/base64.hpp"

#include <sodium/utils.h>

#include <algorithm>

namespace al {

namespace {

constexpr int url_safe = sodium_base64_VARIANT_URLSAFE_NO_PADDING;

std::string encoded(std::string_view bytes, int variant) {
  std::string out(sodium_base64_encoded_len(bytes.size(), variant), '\0');
  auto const* raw = reinterpret_cast<unsigned char const*>(bytes.data());
  sodium_bin2base64(out.data(), out.size(), raw, bytes.size(), variant);
  out.pop_back();  // libsodium counts and writes the closing NUL
  return out;
}

bool is_url_safe(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

}  // namespace

std::string to_base64(std::string_view bytes) { return encoded(bytes, sodium_base64_VARIANT_ORIGINAL); }

std::string to_base64url(std::string_view bytes) { return encoded(bytes, url_safe); }

// libsodium alone takes 0xAD for '-' and 0xDF for '_'.
std::optional<std::string> from_base64url(std::string_view text) {
  if (!std::ranges::all_of(text, is_url_safe))
    return std::nullopt;
  std::string out(text.size() / 4 * 3 + 2, '\0');
  std::size_t length = 0;
  auto* const raw = reinterpret_cast<unsigned char*>(out.data());
  if (sodium_base642bin(raw, out.size(), text.data(), text.size(), nullptr, &length, nullptr, url_safe) != 0)
    return std::nullopt;
  out.resize(length);
  return out;
}

}  // namespace al
