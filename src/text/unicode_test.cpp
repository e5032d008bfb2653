#include "text/unicode.hpp"

#include <gtest/gtest.h>

namespace al::text {
namespace {

std::string folded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    auto const character = decode(text, i);
    append_folded(out, character.code);
    i += character.size;
  }
  return out;
}

TEST(Unicode, DecodesValidAndBrokenText) {
  struct Case {
    std::string_view text;
    char32_t code;
    std::size_t size;
  };
  for (auto const& [text, code, size] : {
           Case{"A", U'A', 1},
           {"é", U'é', 2},
           {"€", U'€', 3},
           {"😀", U'😀', 4},
           {"\x80", 0xFFFD, 1},              // a tail without a head
           {"\xC3", 0xFFFD, 1},              // cut short
           {"\xC0\xAF", 0xFFFD, 1},          // overlong
           {"\xED\xA0\x80", 0xFFFD, 1},      // half of a surrogate pair
           {"\xF4\x90\x80\x80", 0xFFFD, 1},  // beyond U+10FFFF
           {"\xE2\x28\xA1", 0xFFFD, 1},
       }) {
    auto const out = decode(text, 0);
    EXPECT_EQ(static_cast<std::uint32_t>(out.code), static_cast<std::uint32_t>(code)) << text;
    EXPECT_EQ(out.size, size) << text;
  }
}

TEST(Unicode, FoldsCaseAndLatinAccents) {
  EXPECT_EQ(folded("ÀÉÎõüÇñ"), "aeioucn");
  EXPECT_EQ(folded("Straße Łódź Ærø Œuvre Þór"), "strasse lodz aero oeuvre thor");
  EXPECT_EQ(folded("Việt Nam"), "viet nam");
  EXPECT_EQ(folded("ΑΘΗΝΑ Москва Ёлка"), "αθηνα москва ёлка");
  EXPECT_EQ(folded("ＡＢ１"), "ab1");
  EXPECT_EQ(folded("漢字"), "漢字");
}

TEST(Unicode, TellsLettersFromTheRest) {
  for (auto const c : {U'a', U'Z', U'é', U'ß', U'я', U'ω', U'ا', U'क', U'한'})
    EXPECT_EQ(kind_of(c), Kind::letter);
  for (auto const c : {U'0', U'9', U'٣', U'５'})
    EXPECT_EQ(kind_of(c), Kind::digit);
  for (auto const c : {U' ', U'.', U'×', U'“', U'—', U'，', U'😀', U'\uFFFD'})
    EXPECT_EQ(kind_of(c), Kind::separator);
  for (auto const c : {U'漢', U'か', U'カ'})
    EXPECT_EQ(kind_of(c), Kind::ideograph);
  EXPECT_EQ(kind_of(U'\u0301'), Kind::mark);
}

TEST(Unicode, FindsWhereACharacterBegins) {
  std::string_view const text = "a€b";
  EXPECT_EQ(character_start(text, 0), 0U);
  EXPECT_EQ(character_start(text, 1), 1U);
  EXPECT_EQ(character_start(text, 2), 1U);
  EXPECT_EQ(character_start(text, 3), 1U);
  EXPECT_EQ(character_start(text, 4), 4U);
  EXPECT_EQ(character_start(text, 99), text.size());
  EXPECT_EQ(character_start("\x80\x80\x80\x80\x80\x80", 5), 5U);
}

}  // namespace
}  // namespace al::text
