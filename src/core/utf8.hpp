#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace al::utf8 {

/// How many bytes at the front are valid UTF-8 (RFC 3629: no overlong forms, no surrogates, at most U+10FFFF).
/// Equals `text.size()` when all of it is valid.
[[nodiscard]] std::size_t valid_prefix(std::string_view text);

/// The front of `text` with at most `bytes_max` bytes, which ends between characters: what a longer text is cut to
/// before it is stored.
[[nodiscard]] std::string_view cut(std::string_view text, std::size_t bytes_max);

/// `text` when it has at most `bytes_max` bytes, else its front and an ellipsis: for messages.
[[nodiscard]] std::string shortened(std::string_view text, std::size_t bytes_max);

/// The number of characters (code points) of valid UTF-8.
[[nodiscard]] std::size_t length(std::string_view text);

/// Whether `text` is valid UTF-8 without control characters, as names are.
[[nodiscard]] bool is_plain(std::string_view text);

/// True when a control character (U+0000 to U+001F, U+007F to U+009F) occurs in valid UTF-8.
[[nodiscard]] bool has_control(std::string_view text);

}  // namespace al::utf8
