#pragma once
/// Texts as the unsigned bytes that libsodium and OpenSSL work on, and back. Nothing is copied.

#include <span>
#include <string>
#include <string_view>

namespace al::security {

[[nodiscard]] inline unsigned char const* bytes_of(std::string_view text) {
  return reinterpret_cast<unsigned char const*>(text.data());
}
[[nodiscard]] inline unsigned char* bytes_of(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}

[[nodiscard]] inline std::string_view view_of(std::span<unsigned char const> bytes) {
  return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
}

}  // namespace al::security
