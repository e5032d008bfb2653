#include "core/strings.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace al {
namespace {

TEST(Strings, TrimsBlanksAround) {
  EXPECT_EQ(trimmed(" \ta b\t "), "a b");
  EXPECT_EQ(trimmed("a\r\n"), "a\r\n");
  EXPECT_EQ(trimmed(" \t\r\na\n", white_space), "a");
  EXPECT_EQ(trimmed(" \t"), "");
  EXPECT_EQ(trimmed(""), "");
}

TEST(Strings, TakesPartsOffAList) {
  std::string_view rest = " a,b c ,,d";
  std::vector<std::string_view> parts;
  while (!rest.empty())
    parts.push_back(take_part(rest, ','));
  EXPECT_EQ(parts, (std::vector<std::string_view>{"a", "b c", "", "d"}));

  std::string_view pair = "name = value = more";
  EXPECT_EQ(take_part(pair, '='), "name");
  EXPECT_EQ(pair, " value = more");
}

TEST(Strings, LowersAsciiOnly) { EXPECT_EQ(lower("AZ[`az{\xC3\x84"), "az[`az{\xC3\x84"); }

}  // namespace
}  // namespace al
