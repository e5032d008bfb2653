#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace al::text {

/// One character of a text. Bytes that are no UTF-8 come out one at a time as U+FFFD, which is no letter.
struct Character {
  char32_t code;
  std::size_t size;  ///< bytes, at least 1
};

/// The character at `at`, which must be inside of `text`.
[[nodiscard]] Character decode(std::string_view text, std::size_t at);

/// What a character is to the search; not all of Unicode, but every script keeps its words together.
enum class Kind { separator, letter, digit, ideograph, mark };
[[nodiscard]] Kind kind_of(char32_t);

/// Appends the character in lower case; Latin letters lose their accents, full-width forms become ordinary ones.
void append_folded(std::string& out, char32_t);

/// The nearest position at or before `at` where a character begins.
[[nodiscard]] std::size_t character_start(std::string_view text, std::size_t at);

}  // namespace al::text
