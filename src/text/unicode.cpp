#include "text/unicode.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace al::text {
namespace {

// The Latin letter under each accented one, from the canonical decompositions of Unicode; '.' where there is none.
constexpr char32_t latin_first = 0xC0;
constexpr std::string_view latin =
    "aaaaaa.ceeeeiiiidnooooo.ouuuuy..aaaaaa.ceeeeiiiidnooooo.ouuuuy.yaaaaaaccccccccddddeeeeeeeeeegggg"
    "gggghhhhiiiiiiiiii..jjkkkllllllllllnnnnnnnnnoooooo..rrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs"
    ".................ff.............oo.............uu............................aaiioouuuuuuuuuu.aa"
    "aa....ggkkoooo..j...gg..nnaa..ooaaaaeeeeiiiioooorrrruuuusstt..hh......aaeeooooooooyy............"
    "................";
constexpr char32_t latin_additional_first = 0x1E00;
constexpr std::string_view latin_additional =
    "aabbbbbbccddddddddddeeeeeeeeeeffgghhhhhhhhhhiiiikkkkkkllllllllmmmmmmnnnnnnnnoooooooopppprrrrrrrr"
    "ssssssssssttttttttuuuuuuuuuuvvvvwwwwwwwwwwxxxxyyzzzzzzhtwy.s....aaaaaaaaaaaaaaaaaaaaaaaaeeeeeeee"
    "eeeeeeeeiiiioooooooooooooooooooooooouuuuuuuuuuuuuuyyyyyyyy......";

struct Range {
  char32_t first, last;
  Kind kind;
};

// Beyond ASCII: what is not an ordinary letter, in ascending order.
constexpr auto ranges = std::to_array<Range>({
    {0x80, 0xA9, Kind::separator},        {0xAB, 0xB4, Kind::separator},       {0xB6, 0xB9, Kind::separator},
    {0xBB, 0xBF, Kind::separator},        {0xD7, 0xD7, Kind::separator},       {0xF7, 0xF7, Kind::separator},
    {0x300, 0x36F, Kind::mark},           {0x37E, 0x37E, Kind::separator},     {0x387, 0x387, Kind::separator},
    {0x55A, 0x55F, Kind::separator},      {0x589, 0x58F, Kind::separator},     {0x591, 0x5BD, Kind::mark},
    {0x5BE, 0x5BE, Kind::separator},      {0x5C0, 0x5C0, Kind::separator},     {0x5C3, 0x5C3, Kind::separator},
    {0x5F3, 0x5F4, Kind::separator},      {0x600, 0x60F, Kind::separator},     {0x61B, 0x61F, Kind::separator},
    {0x64B, 0x65F, Kind::mark},           {0x660, 0x669, Kind::digit},         {0x66A, 0x66D, Kind::separator},
    {0x964, 0x965, Kind::separator},      {0x966, 0x96F, Kind::digit},         {0x1DC0, 0x1DFF, Kind::mark},
    {0x2000, 0x2BFF, Kind::separator},    {0x2E00, 0x2E7F, Kind::separator},   {0x2E80, 0x2FFF, Kind::ideograph},
    {0x3000, 0x3004, Kind::separator},    {0x3005, 0x3007, Kind::ideograph},   {0x3008, 0x3020, Kind::separator},
    {0x3040, 0x30FF, Kind::ideograph},    {0x31F0, 0x31FF, Kind::ideograph},   {0x3200, 0x33FF, Kind::separator},
    {0x3400, 0x9FFF, Kind::ideograph},    {0xD800, 0xF8FF, Kind::separator},   {0xF900, 0xFAFF, Kind::ideograph},
    {0xFE00, 0xFE0F, Kind::mark},         {0xFE10, 0xFE6F, Kind::separator},   {0xFEFF, 0xFEFF, Kind::mark},
    {0xFF00, 0xFF0F, Kind::separator},    {0xFF10, 0xFF19, Kind::digit},       {0xFF1A, 0xFF20, Kind::separator},
    {0xFF3B, 0xFF40, Kind::separator},    {0xFF5B, 0xFF65, Kind::separator},   {0xFF66, 0xFF9F, Kind::ideograph},
    {0xFFF0, 0xFFFF, Kind::separator},    {0x1F000, 0x1FAFF, Kind::separator}, {0x20000, 0x3FFFF, Kind::ideograph},
    {0xE0000, 0x10FFFF, Kind::separator},
});
static_assert(std::ranges::is_sorted(ranges, {}, &Range::first));

bool is_tail(char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U; }

void append_utf8(std::string& out, char32_t c) {
  if (c < 0x80) {
    out += static_cast<char>(c);
    return;
  }
  if (c < 0x800) {
    out += static_cast<char>(0xC0U | (c >> 6U));
  } else {
    if (c < 0x10000) {
      out += static_cast<char>(0xE0U | (c >> 12U));
    } else {
      out += static_cast<char>(0xF0U | (c >> 18U));
      out += static_cast<char>(0x80U | ((c >> 12U) & 0x3FU));
    }
    out += static_cast<char>(0x80U | ((c >> 6U) & 0x3FU));
  }
  out += static_cast<char>(0x80U | (c & 0x3FU));
}

/// Letters that stand for two.
std::string_view pair_of(char32_t c) {
  switch (c) {
    case 0xC6:
    case 0xE6:
      return "ae";
    case 0xDE:
    case 0xFE:
      return "th";
    case 0xDF:
    case 0x1E9E:
      return "ss";
    case 0x132:
    case 0x133:
      return "ij";
    case 0x14A:
    case 0x14B:
      return "n";
    case 0x152:
    case 0x153:
      return "oe";
    default:
      return {};
  }
}

/// Simple lower case of Greek, Cyrillic and Armenian; other scripts beside Latin have none or are rare.
char32_t lower(char32_t c) {
  if ((c >= 0x391 && c <= 0x3A9) || (c >= 0x410 && c <= 0x42F))
    return c + 32;
  if (c >= 0x400 && c <= 0x40F)
    return c + 80;
  if (c >= 0x460 && c <= 0x481)
    return c | 1U;
  if (c >= 0x531 && c <= 0x556)
    return c + 48;
  return c;
}

}  // namespace

Character decode(std::string_view text, std::size_t at) {
  auto const byte = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i])); };
  auto const first = byte(at);
  if (first < 0x80)
    return {first, 1};
  std::size_t const size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  Character const broken{0xFFFD, 1};
  if (first < 0xC2 || first > 0xF4 || at + size > text.size())
    return broken;
  std::uint32_t code = first & (0xFFU >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    if (!is_tail(text[at + i]))
      return broken;
    code = (code << 6U) | (byte(at + i) & 0x3FU);
  }
  constexpr std::array<std::uint32_t, 5> smallest{0, 0, 0x80, 0x800, 0x10000};
  if (code < smallest[size] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
    return broken;
  return {code, size};
}

Kind kind_of(char32_t c) {
  if (c < 0x80) {
    if ((c | 0x20U) >= 'a' && (c | 0x20U) <= 'z')
      return Kind::letter;
    return c >= '0' && c <= '9' ? Kind::digit : Kind::separator;
  }
  auto const after = std::ranges::upper_bound(ranges, c, {}, &Range::first);
  if (after == ranges.begin() || c > std::prev(after)->last)
    return Kind::letter;
  return std::prev(after)->kind;
}

void append_folded(std::string& out, char32_t c) {
  if (c < 0x80) {
    out += static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
    return;
  }
  if (c >= 0xFF10 && c <= 0xFF5A)
    return append_folded(out, c - 0xFF10 + '0');
  if (auto const pair = pair_of(c); !pair.empty()) {
    out += pair;
    return;
  }
  auto const plain = [](std::string_view table, char32_t first, char32_t code) {
    return code >= first && code < first + table.size() ? table[code - first] : '.';
  };
  auto letter = plain(latin, latin_first, c);
  if (letter == '.')
    letter = plain(latin_additional, latin_additional_first, c);
  if (letter == '.') {
    append_utf8(out, lower(c));
  } else {
    out += letter;
  }
}

std::size_t character_start(std::string_view text, std::size_t at) {
  if (at >= text.size())
    return text.size();
  auto const lowest = at < 3 ? 0 : at - 3;
  auto start = at;
  while (start > lowest && is_tail(text[start]))
    --start;
  // Tails without a head are no characters: they are cut anywhere.
  return is_tail(text[start]) ? at : start;
}

}  // namespace al::text
