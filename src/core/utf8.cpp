#include "core/utf8.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace al::utf8 {

namespace {

constexpr std::uint64_t high_bits = 0x8080808080808080ULL;

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

/// Length of the valid sequence at the front of `text`, or 0. Table 3-7 of the Unicode standard.
std::size_t sequence(std::string_view text) {
  auto const lead = static_cast<unsigned char>(text[0]);
  if (lead < 0x80)
    return 1;
  std::size_t const size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < size)
    return 0;
  auto const second = static_cast<unsigned char>(text[1]);
  unsigned const low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  unsigned const high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  if (second < low || second > high)
    return 0;
  for (std::size_t i = 2; i < size; ++i) {
    if (!is_continuation(text[i]))
      return 0;
  }
  return size;
}

}  // namespace

std::size_t valid_prefix(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    // Nearly all text is ASCII: eight bytes at a time.
    if (text.size() - at >= sizeof(std::uint64_t)) {
      std::uint64_t word = 0;
      std::memcpy(&word, text.data() + at, sizeof word);
      if ((word & high_bits) == 0) {
        at += sizeof word;
        continue;
      }
    }
    auto const size = sequence(text.substr(at));
    if (size == 0)
      return at;
    at += size;
  }
  return at;
}

std::string_view cut(std::string_view text, std::size_t bytes_max) {
  auto const front = text.substr(0, bytes_max);
  return front.size() == text.size() ? text : front.substr(0, valid_prefix(front));
}

std::string shortened(std::string_view text, std::size_t bytes_max) {
  auto const front = cut(text, bytes_max);
  return front.size() == text.size() ? std::string(text) : std::string(front) + "…";
}

std::size_t length(std::string_view text) {
  return text.size() - static_cast<std::size_t>(std::ranges::count_if(text, is_continuation));
}

bool has_control(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto const byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x20 || byte == 0x7F)
      return true;
    // U+0080 to U+009F are the byte C2 and a byte up to 9F.
    if (byte == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0)
      return true;
  }
  return false;
}

bool is_plain(std::string_view text) { return valid_prefix(text) == text.size() && !has_control(text); }

}  // namespace al::utf8
