#pragma once
#include <string>
#include <string_view>

/// Text of protocols and settings, whose syntax is ASCII: other bytes stay as they are, whatever the locale.
namespace al {

/// The blanks of JSON and of text files.
inline constexpr std::string_view white_space = " \t\r\n";

/// `text` without the `blanks` around it; by default those of header fields (OWS, RFC 9110, section 5.6.3).
[[nodiscard]] std::string_view trimmed(std::string_view text, std::string_view blanks = " \t");

/// Takes the part before the next `mark` off `rest`, and the mark, and trims the part. A list is read while `rest` is
/// not empty.
[[nodiscard]] std::string_view take_part(std::string_view& rest, char mark);

[[nodiscard]] constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
[[nodiscard]] std::string lower(std::string_view text);

}  // namespace al
