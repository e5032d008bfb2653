#include "text/words.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace al::text {
namespace {

/// The words of a text with blanks between; `=` before one that stands for a compound.
std::string words_of(std::string_view text) {
  std::string out;
  Words words(text);
  for (Word word; words.next(word);) {
    if (!out.empty())
      out += ' ';
    if (word.whole)
      out += '=';
    out += word.folded;
  }
  return out;
}

TEST(Words, CutsTextsIntoWords) {
  struct Case {
    std::string_view text, words;
  };
  for (auto const& [text, words] : {
           Case{"", ""},
           {" \n\t.,;!? --- ** ", ""},
           {"The quick, brown fox.", "the quick brown fox"},
           {"snake_case", "snake case =snakecase"},
           {"max_output_tokens", "max output tokens"},
           {"CamelCase fooBar", "camel case =camelcase foo bar =foobar"},
           {"HTTPServer APIs VMs", "http server =httpserver apis vms"},
           {"iPhone OAuth LaTeX eBPF", "iphone oauth latex ebpf"},
           {"JavaScript GitHub", "javascript github"},
           {"C++ c++17 C# F# .NET C and R", "cplusplus cplusplus csharp fsharp dotnet c and r"},
           {"TLS1.3 TLS 1.3", "tls 1d3 =tls1d3 tls 1d3"},
           {"k8s i18n s3 ec2 x86", "k8s i18n s3 ec2 x86"},
           {"sha256 SHA-256", "sha 256 =sha256 sha 256 =sha256"},
           {"fine-tuning e-mail", "fine tuning =finetuning mail =email"},
           {"node.js asyncio.gather()", "node js =nodejs asyncio gather =asynciogather"},
           {"CI/CD A/B I/O HTTP/2", "ci cd =cicd =ab =io http =http2"},
           {"client/server and src/core/file.cpp", "client server and src core file cpp =filecpp"},
           {"Python's don't you’re can't", "python dont youre cant"},
           {"'quoted' rock'n'roll", "quoted rock roll"},
           {"1. first 2) second x = 3", "first second"},
           {"10,000 rows 1,2 1,2345 in 2024", "10000 rows 2345 in 2024"},
           {"e.g. U.S. i.e.", "=eg =us =ie"},
           {"Élan café cafe\u0301 naïve", "elan cafe cafe naive"},
           {"Привет, мир", "привет мир"},
           {"漢字かな x1", "漢字 字か かな x1"},
           {"字", "字"},
           {"wait...what", "wait what"},
           {"a--b well", "well"},
       }) {
    EXPECT_EQ(words_of(text), words) << text;
  }
}

TEST(Words, SurvivesBrokenText) {
  EXPECT_EQ(words_of("abc\xFF\xFE"
                     "def \xC3"),
            "abc def");
  EXPECT_EQ(words_of(std::string_view("nul\0byte", 8)), "nul byte");
  EXPECT_EQ(words_of("trailing_ -dash .dot 'x"), "trailing dash dot");
  EXPECT_EQ(words_of("trailing-"), "trailing");
  EXPECT_EQ(words_of("it'"), "it");
  EXPECT_EQ(words_of("1."), "");
}

TEST(Words, LeavesOutData) {
  EXPECT_EQ(words_of("key " + std::string(65, 'a') + " end"), "key end");
  EXPECT_EQ(words_of("key " + std::string(64, 'a') + " end"), "key " + std::string(64, 'a') + " end");
  EXPECT_EQ(words_of("key aGVsbG8gd29ybGQgaGVsbG8gd29ybGQgaGVsbG8gd29ybGQgaGVsbG8gd29ybGQgaGVsbG8gd29ybGQ"), "key");
}

TEST(Words, SaysWhereAWordStands) {
  Words words("é: The node.js way");
  Word word;
  ASSERT_TRUE(words.next(word));
  EXPECT_EQ(word.folded, "the");
  EXPECT_EQ(word.begin, 4U);
  EXPECT_TRUE(word.capital);
  auto const position = word.position;
  ASSERT_TRUE(words.next(word));
  EXPECT_EQ(word.folded, "node");
  EXPECT_EQ(word.position, position + 1);
  EXPECT_FALSE(word.capital);
  ASSERT_TRUE(words.next(word));
  EXPECT_EQ(word.position, position + 2);
  ASSERT_TRUE(words.next(word));
  EXPECT_EQ(word.folded, "nodejs");
  EXPECT_TRUE(word.whole);
  EXPECT_EQ(word.position, position + 1);
  ASSERT_TRUE(words.next(word));
  EXPECT_EQ(word.folded, "way");
  EXPECT_EQ(word.position, position + 3);
  EXPECT_FALSE(words.next(word));
  EXPECT_FALSE(words.next(word));
}

TEST(Words, ReadsLongRunsWithoutSpaces) {
  std::string ideographs;
  for (int i = 0; i < 50; ++i)
    ideographs += i % 2 == 0 ? "漢" : "字";
  auto const found = words_of(ideographs);
  EXPECT_EQ(std::ranges::count(found, ' '), 48);  // 49 pairs
  std::string joined = "a1";
  for (int i = 0; i < 100'000; ++i)
    joined += "_b2";
  EXPECT_FALSE(words_of(joined).empty());
}

}  // namespace
}  // namespace al::text
