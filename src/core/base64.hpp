#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace al {

/// Bytes as base64 with padding (RFC 4648, section 4).
[[nodiscard]] std::string to_base64(std::string_view bytes);

/// Bytes as URL-safe base64 without padding (RFC 4648, section 5).
[[nodiscard]] std::string to_base64url(std::string_view bytes);

/// Nothing for padding, white space, another alphabet, or last bits that are not zero: each sequence of bytes has one
/// text.
[[nodiscard]] std::optional<std::string> from_base64url(std::string_view text);

}  // namespace al
