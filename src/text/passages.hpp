#pragma once
#include <cstddef>
#include <string_view>
#include <vector>

namespace al::text {

/// Limits of one passage, in bytes.
struct PassageLimits {
  std::size_t small = 300;         ///< shorter paragraphs are joined with their neighbours
  std::size_t large = 900;         ///< longer ones are split: at lines, else at sentences, else at blanks
  std::size_t code_large = 2'000;  ///< a fenced block of code up to this stays whole
};

/// Splits a text into passages that can be read by themselves: paragraphs, lists with the line that leads to them,
/// headings with what they head, blocks of code. They come in the order of the text, do not overlap, leave out nothing
/// but white space, and begin and end between characters. Linear in the size of the text. The views point into it.
[[nodiscard]] std::vector<std::string_view> passages(std::string_view text, PassageLimits const& = {});

/// At most `bytes_max` bytes from the front, cut after a line or a sentence when there is one in the second half, else
/// at a blank, and never inside a character.
[[nodiscard]] std::string_view shortened(std::string_view text, std::size_t bytes_max);

}  // namespace al::text
