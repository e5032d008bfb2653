#include "core/backoff.hpp"

#include <gtest/gtest.h>

namespace al {
namespace {

using namespace std::chrono_literals;

TEST(BackoffTest, GrowsToASecondWithJitter) {
  constexpr auto most = 1000ms;
  Backoff low(20ms, most);
  Backoff high(20ms, most);
  std::chrono::milliseconds total{0};
  for (int i = 0; i < 20; ++i) {
    auto const shortest = low.next(0);
    auto const longest =
        high.next(static_cast<std::uint64_t>((std::min(most, 20ms * (1 << std::min(i, 6))) / 2).count()));
    EXPECT_EQ(longest, std::min(most, 20ms * (1 << std::min(i, 6))));
    EXPECT_EQ(shortest, longest / 2);
    total += longest;
  }
  EXPECT_EQ(low.failures(), 20);
  EXPECT_LE(total, 20s);
}

TEST(BackoffTest, FlappingCountsAsFailing) {
  Backoff backoff(20ms, 1000ms);
  EXPECT_FALSE(backoff.lost_after(1ms)) << "the first time another attempt is made at once";
  EXPECT_TRUE(backoff.lost_after(1ms));
  (void)backoff.next(0);
  EXPECT_TRUE(backoff.lost_after(1ms));
  EXPECT_FALSE(backoff.lost_after(1min)) << "one that lived long was fine";
  EXPECT_EQ(backoff.failures(), 1);
}

}  // namespace
}  // namespace al
