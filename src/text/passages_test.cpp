#include "text/passages.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "core/utf8.hpp"

namespace al::text {
namespace {

std::string sentences(std::size_t count, std::string_view mark = "x") {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) {
    out += "This is sentence " + std::to_string(i) + " about " + std::string(mark) + ". ";
  }
  return out;
}

std::string without_blanks(std::string_view text) {
  std::string out;
  for (auto const c : text) {
    if (!std::string_view(" \t\r\n").contains(c))
      out += c;
  }
  return out;
}

/// What holds for every text: order, nothing lost, size, whole characters.
void expect_sound(std::string_view text, std::size_t bytes_max = 2'000) {
  std::string all;
  auto const* last = text.data();
  for (auto const passage : passages(text)) {
    EXPECT_GE(passage.data(), last);
    last = passage.data() + passage.size();
    EXPECT_FALSE(passage.empty());
    EXPECT_LE(passage.size(), bytes_max);
    EXPECT_EQ(utf8::valid_prefix(passage), passage.size());
    all += without_blanks(passage);
  }
  EXPECT_EQ(all, without_blanks(text));
}

TEST(Passages, NothingIsNoPassage) {
  EXPECT_TRUE(passages("").empty());
  EXPECT_TRUE(passages(" \n\n\t\r\n ").empty());
}

TEST(Passages, ShortTextIsOne) {
  std::string_view const text = "A title\n\nOne paragraph.\n\n- a\n- b\n";
  EXPECT_EQ(passages(text), (std::vector<std::string_view>{"A title\n\nOne paragraph.\n\n- a\n- b"}));
}

TEST(Passages, SplitsAtParagraphs) {
  auto const one = sentences(12, "one");
  auto const two = sentences(12, "two");
  auto const text = one + "\n\n" + two;
  auto const out = passages(text);
  ASSERT_EQ(out.size(), 2U);
  EXPECT_TRUE(out[0].starts_with("This is sentence 0 about one"));
  EXPECT_TRUE(out[1].starts_with("This is sentence 0 about two"));
}

TEST(Passages, KeepsAListWithWhatLeadsToIt) {
  auto const text = sentences(14) + "\n\nTake these steps:\n\n1. first " + std::string(200, 'a') + "\n2. second " +
                    std::string(200, 'b') + "\n3. third";
  auto const out = passages(text);
  ASSERT_EQ(out.size(), 2U);
  EXPECT_TRUE(out[1].starts_with("Take these steps:"));
  EXPECT_TRUE(out[1].ends_with("3. third"));
}

TEST(Passages, StartsAnewAtAHeading) {
  auto const text = "# One\n\n" + sentences(14) + "\n## Two\n\n" + sentences(14);
  auto const out = passages(text);
  ASSERT_EQ(out.size(), 2U);
  EXPECT_TRUE(out[0].starts_with("# One"));
  EXPECT_TRUE(out[1].starts_with("## Two"));
}

TEST(Passages, KeepsCodeWhole) {
  std::string code = "```cpp\n";
  while (code.size() < 1'500)
    code += "int f();\n\n";
  code += "```";
  auto const text = sentences(14) + "\n\n" + code + "\n\n" + sentences(14);
  auto const out = passages(text);
  EXPECT_TRUE(std::ranges::any_of(out, [&](std::string_view passage) { return passage.contains(code); }));
  expect_sound(text);
}

TEST(Passages, SplitsCodeThatIsTooLong) {
  std::string code = "```\n";
  for (int i = 0; i < 1'000; ++i)
    code += "line " + std::to_string(i) + ";\n";
  auto const text = code + "```\n\nAfterwards.\n\n```\nshort\n```\n";
  expect_sound(text);
  EXPECT_GT(passages(text).size(), 10U);
  // A fence that is never closed.
  expect_sound("```\n" + sentences(300));
}

TEST(Passages, SplitsLongLinesAtSentences) {
  auto const text = sentences(200);
  expect_sound(text, 900);
  for (auto const passage : passages(text))
    EXPECT_TRUE(passage.ends_with('.')) << passage;
}

TEST(Passages, CutsBetweenCharacters) {
  std::string euros;
  for (int i = 0; i < 5'000; ++i)
    euros += "€";
  expect_sound(euros, 900);
  std::string mixed = "a";
  for (int i = 0; i < 5'000; ++i)
    mixed += i % 3 == 0 ? "😀" : "é";
  expect_sound(mixed, 900);
}

TEST(Passages, StaysSoundOnOddTexts) {
  for (auto const& text : {std::string(5'000, '\n') + "end", std::string(5'000, 'a'), "a:\n" + std::string(3'000, '\n'),
                           std::string("```"), std::string("```\n```\n```"), std::string("# \n#\n#x\n:"),
                           std::string("\r\na\r\n\r\nb\r\n")}) {
    expect_sound(text);
  }
  std::string leads;
  for (int i = 0; i < 2'000; ++i)
    leads += "lead in:\n";
  expect_sound(leads);
}

TEST(Passages, TakesTimeInProportionToTheText) {
  // Quadratic work on 1 MiB would take minutes; the limit is wide because sanitizers and neighbours slow tests down.
  auto const start = std::chrono::steady_clock::now();
  for (auto const piece : {"```\n", "a:\n", "\n", "word ", "- item\n", "x", "# h\n", "~~~\n```\n", "é"}) {
    std::string text;
    while (text.size() < 1'048'576)
      text += piece;
    EXPECT_GE(passages(text).size(), std::string_view(piece) == "\n" ? 0U : 1U);
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(30));
}

TEST(Shortened, CutsWhereItReadsWell) {
  EXPECT_EQ(shortened("short", 10), "short");
  EXPECT_EQ(shortened("", 10), "");
  EXPECT_EQ(shortened("First line here\nsecond line", 20), "First line here");
  EXPECT_EQ(shortened("One sentence. Another sentence.", 20), "One sentence.");
  EXPECT_EQ(shortened("only words without an end", 15), "only words");
  EXPECT_EQ(shortened("€€€€", 4), "€");
  EXPECT_EQ(shortened("€€€€", 1), "");
  EXPECT_EQ(shortened("abc", 0), "");
}

}  // namespace
}  // namespace al::text
