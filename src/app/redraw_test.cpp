#include "app/redraw.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace al::app {
namespace {

TEST(Redrawn, TakesThePlaceOfTheLastDrawing) {
  std::size_t lines = 0;
  EXPECT_EQ(redrawn("a\nb", 0, 10, lines), "\x1b[?7la\nb\n\x1b[?7h");
  EXPECT_EQ(lines, 2U);
  EXPECT_EQ(redrawn("c", 2, 10, lines), "\x1b[2A\r\x1b[J\x1b[?7lc\n\x1b[?7h");
  EXPECT_EQ(lines, 1U);
}

TEST(Redrawn, DrawsNoMoreThanTheScreenHolds) {
  std::size_t lines = 0;
  EXPECT_EQ(redrawn("a\nb\nc\nd", 0, 3, lines), "\x1b[?7la\nb\n… 2 more lines\n\x1b[?7h");
  EXPECT_EQ(lines, 3U);
  EXPECT_THAT(redrawn("a\nb\nc", 0, 3, lines), testing::HasSubstr("a\nb\nc\n"));
  EXPECT_THAT(redrawn("a\nb", 0, 0, lines), testing::HasSubstr("… 2 more lines"));
  EXPECT_EQ(lines, 1U);
}

}  // namespace
}  // namespace al::app
