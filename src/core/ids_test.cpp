#include "core/ids.hpp"

#include <gtest/gtest.h>

#include <array>
#include <set>
#include <thread>
#include <vector>

#include "core/utf8.hpp"
#include "testing/manual_clock.hpp"
#include "testing/seeded_random.hpp"

namespace al {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;

static_assert(!std::is_convertible_v<std::string, AgentId>);
static_assert(!std::is_convertible_v<AgentId, TenantId>);

/// Gives the same byte again and again: the worst that a source can do.
class StuckRandom final : public Random {
 public:
  explicit StuckRandom(unsigned char byte) : byte_(byte) {}
  void fill(std::span<std::byte> out) override { std::ranges::fill(out, std::byte{byte_}); }

 private:
  unsigned char byte_;
};

TEST(UuidV7, CarriesTimeVersionAndVariant) {
  // 2026-01-01T00:00:00Z is 1767225600000 ms, in hexadecimal 019b76daa800.
  ManualClock clock;
  StuckRandom ones(0xFF);
  EXPECT_EQ(uuid_v7(clock, ones), "019b76da-a800-7000-bfff-ffffffffffff");
  StuckRandom zeros(0);
  EXPECT_EQ(uuid_v7(clock, zeros), "019b76da-a800-7000-8000-000000000000");
  clock.advance(999us);
  EXPECT_EQ(uuid_v7(clock, zeros), "019b76da-a800-7ffb-8000-000000000000");
}

TEST(UuidV7, SortsByTheMicrosecond) {
  ManualClock clock;
  SeededRandom random;
  std::string last;
  for (int i = 0; i < 3000; ++i) {
    auto const id = uuid_v7(clock, random);
    ASSERT_TRUE(is_uuid(id)) << id;
    ASSERT_LT(last, id) << i;
    last = id;
    clock.advance(1us);
  }
}

TEST(UuidV7, IsUniqueAcrossThreadsAtOneMoment) {
  ManualClock const clock;
  SystemRandom random;
  constexpr int threads = 4;
  constexpr int each = 500;
  std::array<std::vector<std::string>, threads> made;
  {
    std::vector<std::jthread> running;
    for (auto& mine : made) {
      running.emplace_back([&] {
        for (int i = 0; i < each; ++i)
          mine.push_back(uuid_v7(clock, random));
      });
    }
  }
  std::set<std::string> all;
  for (auto const& mine : made)
    all.insert(mine.begin(), mine.end());
  EXPECT_EQ(all.size(), threads * each);
}

TEST(IsUuid, Table) {
  EXPECT_TRUE(is_uuid("0190b5a3-7c1e-7d2a-9f00-3b6c5d4e2f10"));
  EXPECT_TRUE(is_uuid("0190B5A3-7C1E-7D2A-9F00-3B6C5D4E2F10"));
  EXPECT_TRUE(is_uuid("00000000-0000-0000-0000-000000000000"));
  for (auto const* text : {"", "0190b5a3", "0190b5a37c1e7d2a9f003b6c5d4e2f10", "{0190b5a3-7c1e-7d2a-9f00-3b6c5d4e2f10}",
                           "0190b5a3-7c1e-7d2a-9f00-3b6c5d4e2f1", "0190b5a3-7c1e-7d2a-9f00-3b6c5d4e2f100",
                           "0190b5a3-7c1e-7d2a-9f00-3b6c5d4e2f1g", "0190b5a3-7c1e-7d2a-9f0-03b6c5d4e2f10",
                           "0190b5a3_7c1e_7d2a_9f00_3b6c5d4e2f10", "0190b5a3-7c1e-7d2a-9f00-3b6c5d4e2f\xC3\xA9"}) {
    EXPECT_FALSE(is_uuid(text)) << text;
  }
}

TEST(IsSlug, Table) {
  for (auto const& text : {"a"s, "0"s, "researcher"s, "agent-1"s, "a_b-c"s, "a-"s, std::string(50, 'a')}) {
    EXPECT_TRUE(is_slug(text)) << text;
  }
  for (auto const& text :
       {""s, "-a"s, "_a"s, "A"s, "aB"s, "a b"s, "a.b"s, "a/b"s, "é"s, "a\0"s, "a\n"s, std::string(51, 'a')}) {
    EXPECT_FALSE(is_slug(text)) << text;
  }
}

TEST(IsTextId, Table) {
  for (auto const& text : {"a"s, "kb-1 / é 漢字"s, "😀"s, " "s, "..."s, ".a"s, std::string(255, 'x'), "x\xC2\xA0"s}) {
    EXPECT_TRUE(is_text_id(text)) << text;
  }
  for (auto const& text :
       {""s, std::string(256, 'x'), "a\nb"s, "a\0b"s, "\x7F"s, "a\xC2\x85"s, "\xFF"s, "\xC3"s, "."s, ".."s}) {
    EXPECT_FALSE(is_text_id(text)) << text;
  }
}

TEST(Id, ComparesAndHashesByText) {
  EXPECT_EQ(AgentId("a"), AgentId("a"s));
  EXPECT_NE(AgentId("a"), AgentId("b"));
  EXPECT_LT(AgentId("a"), AgentId("b"));
  EXPECT_EQ(std::hash<AgentId>{}(AgentId("a")), std::hash<AgentId>{}(AgentId("a")));
  EXPECT_EQ(default_tenant.value, "default");
}

TEST(Utf8, ValidPrefixEndsBeforeTheFirstFault) {
  struct Case {
    std::string text;
    std::size_t valid;
  };
  Case const cases[] = {
      {"", 0},
      {"abc", 3},
      {"é€😀", 9},
      {"\xF4\x8F\xBF\xBF", 4},                   // U+10FFFF
      {"\xF4\x90\x80\x80", 0},                   // above it
      {"\xED\x9F\xBF", 3},                       // U+D7FF
      {"a\xED\xA0\x80", 1},                      // a surrogate
      {"\xC0\xAF", 0},                           // overlong
      {"\xE0\x9F\xBF", 0},                       // overlong
      {"\xF0\x8F\xBF\xBF", 0},                   // overlong
      {"\xF5\x80\x80\x80", 0},                   // no such lead
      {"ab\x80", 2},                             // continuation alone
      {"ab\xE2\x82", 2},                         // cut
      {"ab\xE2\x28\xA1", 2},                     // lead without its continuation
      {"0123456789abcdef\xFFzzzzzzzzzzzz", 16},  // after the words that are skipped whole
      {"0123456\xC3\xA9 0123456789", 20},        // across a word
  };
  for (auto const& [text, valid] : cases)
    EXPECT_EQ(utf8::valid_prefix(text), valid) << text;
}

TEST(Utf8, CountsCharacters) {
  EXPECT_EQ(utf8::length(""), 0U);
  EXPECT_EQ(utf8::length("abc"), 3U);
  EXPECT_EQ(utf8::length("é€😀"), 3U);
}

TEST(Utf8, FindsControlCharacters) {
  EXPECT_FALSE(utf8::has_control("é 漢字 ~"));
  EXPECT_FALSE(utf8::has_control("\xC2\xA0"));
  for (auto const& text : {"\t"s, "\0"s, "\x7F"s, "\xC2\x80"s, "a\xC2\x9F"s})
    EXPECT_TRUE(utf8::has_control(text));
}

TEST(Random, BelowStaysBelowAndReachesAll) {
  SeededRandom random;
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 200; ++i)
    seen.insert(random.below(7));
  EXPECT_EQ(seen, (std::set<std::uint64_t>{0, 1, 2, 3, 4, 5, 6}));
  for (int i = 0; i < 20; ++i)
    EXPECT_EQ(random.below(1), 0U);
}

TEST(Random, BelowIsFair) {
  // Two thirds of the range: taking the remainder alone would give the lower half twice as often as the upper.
  SeededRandom random;
  constexpr std::uint64_t bound = 0xAAAAAAAAAAAAAAABULL;
  int low = 0;
  constexpr int rounds = 4000;
  for (int i = 0; i < rounds; ++i)
    low += random.below(bound) < bound / 2 ? 1 : 0;
  EXPECT_NEAR(low, rounds / 2, rounds / 20);
}

TEST(Random, BelowEndsWithABrokenSource) {
  StuckRandom zeros(0);
  EXPECT_LT(zeros.below(3), 3U);
}

TEST(Random, TokensAreUrlSafe) {
  StuckRandom ones(0xFF);
  EXPECT_EQ(ones.token(3), "____");
  EXPECT_EQ(ones.token(1), "_w");
  EXPECT_EQ(ones.token(0), "");
  StuckRandom other(0xFB);
  EXPECT_EQ(other.token(3), "-_v7");
  SystemRandom random;
  EXPECT_EQ(random.token(32).size(), 43U);
  EXPECT_NE(random.token(32), random.token(32));
}

TEST(SeededRandom, RepeatsItself) {
  SeededRandom a(7), b(7), c(8);
  auto const first = a.token(16);
  EXPECT_EQ(first, b.token(16));
  EXPECT_NE(first, a.token(16));
  EXPECT_NE(first, c.token(16));
}

TEST(UuidV7, BeforeIsTheLeastOfAnEarlierMillisecond) {
  EXPECT_EQ(uuid_v7_before("0192f5a1-b2c3-7abc-9def-0123456789ab", std::chrono::milliseconds{0}),
            "0192f5a1-b2c3-7000-8000-000000000000");
  EXPECT_EQ(uuid_v7_before("0192f5a1-0001-7abc-9def-0123456789ab", std::chrono::milliseconds{3}),
            "0192f5a0-fffe-7000-8000-000000000000");
  EXPECT_EQ(uuid_v7_before("00000000-0001-7abc-9def-0123456789ab", std::chrono::milliseconds{3}),
            "00000000-0000-7000-8000-000000000000");
}

}  // namespace
}  // namespace al
