#include "core/time.hpp"

#include <gtest/gtest.h>

#include "testing/manual_clock.hpp"

namespace al {
namespace {

using namespace std::chrono_literals;

Timestamp at(int year, unsigned month, unsigned day, std::chrono::microseconds time = 0us) {
  return std::chrono::sys_days(std::chrono::year(year) / std::chrono::month(month) / std::chrono::day(day)) + time;
}

TEST(ParseTime, ReadsWhatRfc3339Allows) {
  struct Case {
    std::string_view text;
    Timestamp expected;
  };
  Case const cases[] = {
      {"2026-03-01T09:30:00Z", at(2026, 3, 1, 9h + 30min)},
      {"2026-03-01t09:30:00z", at(2026, 3, 1, 9h + 30min)},
      {"2026-03-01 09:30:00Z", at(2026, 3, 1, 9h + 30min)},
      {"2026-03-01T09:30:00", at(2026, 3, 1, 9h + 30min)},
      {"2026-03-01T09:30:00+02:00", at(2026, 3, 1, 7h + 30min)},
      {"2026-03-01T00:30:00+01:00", at(2026, 2, 28, 23h + 30min)},
      {"2026-03-01T09:30:00-05:30", at(2026, 3, 1, 15h)},
      {"2026-03-01T09:30:00-00:00", at(2026, 3, 1, 9h + 30min)},
      {"2026-03-01 09:30:00.5+00", at(2026, 3, 1, 9h + 30min + 500ms)},
      {"2026-03-01T09:30:00.000001Z", at(2026, 3, 1, 9h + 30min + 1us)},
      {"2026-03-01T09:30:00.123456789Z", at(2026, 3, 1, 9h + 30min + 123456us)},
      {"2024-02-29T00:00:00Z", at(2024, 2, 29)},
      {"2000-02-29T00:00:00Z", at(2000, 2, 29)},
      {"2016-12-31T23:59:60Z", at(2017, 1, 1)},
      {"2017-01-01T00:59:60+01:00", at(2017, 1, 1)},
      {"1969-12-31T23:59:59.9Z", Timestamp(-100ms)},
      {"0001-01-01T00:00:00Z", at(1, 1, 1)},
      {"9999-12-31T23:59:59.999999Z", at(10000, 1, 1, -1us)},
  };
  for (auto const& [text, expected] : cases) {
    auto const got = parse_time(text);
    ASSERT_TRUE(got.has_value()) << text;
    EXPECT_EQ(*got, expected) << text << " read as " << to_rfc3339(*got);
  }
}

TEST(ParseTime, RefusesWhatIsNoTime) {
  std::string_view const cases[] = {
      "",
      "now",
      "2026-03-01",
      "2026-03-01T09:30Z",
      "2026-3-1T09:30:00Z",
      "2026-03-01T9:30:00Z",
      "2026-03-01T09:30:00.Z",
      "2026-03-01T09:30:00.1234567890Z",
      "2026-03-01T09:30:00,5Z",
      "2026-03-01T09:30:00X",
      "2026-03-01T09:30:00Z ",
      " 2026-03-01T09:30:00Z",
      "2026-03-01T09:30:00+",
      "2026-03-01T09:30:00+2:00",
      "2026-03-01T09:30:00+24:00",
      "2026-03-01T09:30:00+02:60",
      "2026-03-01T09:30:00+02:",
      "2026-03-01T09:30:00+0200",
      "+2026-03-01T09:30:00Z",
      "-026-03-01T09:30:00Z",
      "2026-13-01T09:30:00Z",
      "2026-00-01T09:30:00Z",
      "2026-03-00T09:30:00Z",
      "2026-04-31T09:30:00Z",
      "2026-02-29T09:30:00Z",
      "1900-02-29T09:30:00Z",
      "2026-03-01T24:00:00Z",
      "2026-03-01T09:60:00Z",
      "2026-03-01T09:30:61Z",
      "2026-03-01T09:30:60Z",
      "2016-12-31T23:59:60+01:00",
      "0000-01-01T00:00:00Z",
      "0001-01-01T00:00:00+01:00",
      "9999-12-31T23:59:59-01:00",
      "2026-03-01T09:30:00\xD9\xA0Z",
  };
  for (auto const text : cases) {
    auto const got = parse_time(text);
    ASSERT_FALSE(got.has_value()) << text << " read as " << to_rfc3339(*got);
    EXPECT_EQ(got.error().code, Code::invalid) << text;
    EXPECT_TRUE(got.error().message.starts_with("must be a time")) << got.error().message;
  }
}

TEST(ToRfc3339, WritesUtc) {
  EXPECT_EQ(to_rfc3339(Timestamp{}), "1970-01-01T00:00:00Z");
  EXPECT_EQ(to_rfc3339(at(2026, 12, 31, 23h + 59min + 59s)), "2026-12-31T23:59:59Z");
  EXPECT_EQ(to_rfc3339(at(2026, 3, 1, 1us)), "2026-03-01T00:00:00.000001Z");
  EXPECT_EQ(to_rfc3339(at(2026, 3, 1, 500ms)), "2026-03-01T00:00:00.500000Z");
  EXPECT_EQ(to_rfc3339(Timestamp(-1us)), "1969-12-31T23:59:59.999999Z");
  EXPECT_EQ(to_rfc3339(at(33, 4, 3)), "0033-04-03T00:00:00Z");
  EXPECT_EQ(to_rfc3339(at(0, 1, 1)), "0000-01-01T00:00:00Z");
  EXPECT_EQ(to_rfc3339(Timestamp::max()), "9999-12-31T23:59:59.999999Z");
  EXPECT_EQ(to_rfc3339(Timestamp::min()), "0000-01-01T00:00:00Z");
}

TEST(ToRfc3339, IsReadBackAsTheSameTime) {
  for (auto const step : {0us, 1us, 999999us, 1000000us, 86399999999us}) {
    for (int year : {1, 1583, 1969, 1970, 2024, 9999}) {
      auto const time = at(year, 2, 28, step);
      EXPECT_EQ(parse_time(to_rfc3339(time)), time) << to_rfc3339(time);
    }
  }
}

TEST(AppendRfc3339, KeepsWhatStandsThere) {
  std::string out = "at ";
  append_rfc3339(out, Timestamp{});
  EXPECT_EQ(out, "at 1970-01-01T00:00:00Z");
}

TEST(SystemClock, GoesForward) {
  SystemClock const clock;
  EXPECT_GT(clock.now(), at(2024, 1, 1));
  auto const first = clock.steady();
  EXPECT_GE(clock.steady(), first);
}

TEST(Deadline, SaysWhatIsLeft) {
  EXPECT_GT(Deadline::after(1h).left(), 59min);
  EXPECT_LT(Deadline::after(-1s).left(), 0s);
}

TEST(ManualClock, StandsStillUntilMoved) {
  ManualClock clock;
  EXPECT_EQ(to_rfc3339(clock.now()), "2026-01-01T00:00:00Z");
  auto const before = clock.steady();
  clock.advance(90s);
  EXPECT_EQ(to_rfc3339(clock.now()), "2026-01-01T00:01:30Z");
  EXPECT_EQ(clock.steady() - before, 90s);
  clock.set(at(2025, 1, 1));
  EXPECT_EQ(clock.now(), at(2025, 1, 1));
  EXPECT_EQ(clock.steady() - before, 90s);
}

}  // namespace
}  // namespace al
