#include "services/gateway/breaker.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace al::services::gateway {
namespace {

using namespace std::chrono_literals;
using enum BreakerState;
using Kind = Outcome::Kind;

Outcome answered(int status) { return {.kind = Kind::answered, .status = status}; }

class BreakerTest : public testing::Test {
 protected:
  /// One call from begin to end, now.
  void call(Outcome const& outcome) {
    auto const permit = breaker.acquire(now);
    ASSERT_TRUE(permit);
    breaker.report(*permit, outcome, now);
  }
  void calls(int times, Outcome const& outcome) {
    for (int i = 0; i < times; ++i)
      call(outcome);
  }
  BreakerState state() const { return breaker.state(now); }

  BreakerSettings const settings{.failures = 5, .window = 60s, .open_for = 60s};
  Breaker breaker{settings};
  SteadyTime now{24h};
};

TEST_F(BreakerTest, HasTheDefaultsOfTheBrief) {
  EXPECT_EQ(BreakerSettings{}.failures, settings.failures);
  EXPECT_EQ(BreakerSettings{}.window, settings.window);
  EXPECT_EQ(BreakerSettings{}.open_for, settings.open_for);
}

TEST_F(BreakerTest, OpensAtTheFifthFailure) {
  calls(4, answered(500));
  EXPECT_EQ(state(), closed);
  EXPECT_TRUE(breaker.is_ready(now));
  call(answered(500));
  EXPECT_EQ(state(), open);
  EXPECT_FALSE(breaker.is_ready(now));
  EXPECT_FALSE(breaker.acquire(now));
  EXPECT_EQ(breaker.open_left(now), 60s);
}

TEST(BreakerFailure, IsWhatTheInstanceIsToBlameFor) {
  for (int const status : {500, 502, 503, 504})
    EXPECT_TRUE(is_failure(answered(status))) << status;
  for (int const status :
       {100, 200, 204, 301, 304, 400, 401, 403, 404, 408, 409, 422, 429, 499, 501, 505, 507, 511, 599})
    EXPECT_FALSE(is_failure(answered(status))) << status;
  for (auto const kind : {Kind::connect_failed, Kind::no_answer, Kind::cut_off})
    EXPECT_TRUE(is_failure({.kind = kind}));
  EXPECT_FALSE(is_failure({.kind = Kind::abandoned}));
}

TEST_F(BreakerTest, NeverOpensForWhatCallersDoWrong) {
  for (int const status : {400, 401, 403, 404, 409, 422, 429, 501}) {
    calls(1000, answered(status));
    EXPECT_EQ(state(), closed) << status;
  }
  calls(1000, {.kind = Kind::abandoned});
  EXPECT_EQ(state(), closed);
}

TEST_F(BreakerTest, CountsEveryKindOfFailureTogether) {
  call({.kind = Kind::connect_failed});
  call({.kind = Kind::no_answer});
  call({.kind = Kind::cut_off});
  call(answered(503));
  EXPECT_EQ(state(), closed);
  call(answered(504));
  EXPECT_EQ(state(), open);
}

TEST_F(BreakerTest, ForgetsFailuresOlderThanTheWindow) {
  calls(4, answered(500));
  now += 60s;
  call(answered(500));
  EXPECT_EQ(state(), closed) << "the first four are a window old";
  calls(3, answered(500));
  EXPECT_EQ(state(), closed);
  call(answered(500));
  EXPECT_EQ(state(), open);
}

TEST_F(BreakerTest, KeepsFailuresYoungerThanNineTenthsOfTheWindow) {
  calls(4, answered(500));
  now += 54s;
  call(answered(500));
  EXPECT_EQ(state(), open);
}

TEST_F(BreakerTest, StaysClosedWhileMostCallsSucceed) {
  calls(6, answered(200));
  calls(5, answered(500));
  EXPECT_EQ(state(), closed) << "5 of 11";
  call(answered(500));
  EXPECT_EQ(state(), open) << "6 of 12";
}

TEST_F(BreakerTest, OpensForAnInstanceThatIsGoneAfterManySuccesses) {
  calls(1000, answered(200));
  calls(4, {.kind = Kind::connect_failed});
  call(answered(200));
  calls(4, {.kind = Kind::connect_failed});
  EXPECT_EQ(state(), closed) << "not in a row";
  call({.kind = Kind::connect_failed});
  EXPECT_EQ(state(), open);
  now += 60s;
  call(answered(200));
  call({.kind = Kind::connect_failed});
  EXPECT_EQ(state(), closed) << "those before are forgotten";
}

TEST_F(BreakerTest, AProbeThatSucceedsClosesIt) {
  calls(5, answered(500));
  now += 59'999ms;
  EXPECT_EQ(state(), open);
  EXPECT_EQ(breaker.open_left(now), 1ms);
  now += 1ms;
  EXPECT_EQ(state(), half_open);
  EXPECT_EQ(breaker.open_left(now), 0s);
  call(answered(404));
  EXPECT_EQ(state(), closed) << "it answered";
  calls(4, answered(500));
  EXPECT_EQ(state(), closed) << "the failures before are forgotten";
  call(answered(500));
  EXPECT_EQ(state(), open);
}

TEST_F(BreakerTest, ItForgetsAlsoWhatIsYoungerThanTheWindow) {
  breaker = Breaker({.failures = 5, .window = 60s, .open_for = 5s});
  calls(5, answered(500));
  now += 5s;
  call(answered(200));
  calls(4, answered(500));
  EXPECT_EQ(state(), closed);
  call(answered(500));
  EXPECT_EQ(state(), open);
}

TEST_F(BreakerTest, AProbeThatFailsOpensItAgain) {
  calls(5, answered(500));
  now += 60s;
  auto const probe = breaker.acquire(now);
  ASSERT_TRUE(probe);
  now += 10s;
  breaker.report(*probe, {.kind = Kind::no_answer}, now);
  EXPECT_EQ(state(), open);
  EXPECT_EQ(breaker.open_left(now), 60s) << "from the end of the probe on";
  now += 60s;
  call(answered(200));
  EXPECT_EQ(state(), closed);
}

TEST_F(BreakerTest, OneProbeAtATime) {
  calls(5, answered(500));
  now += 60s;
  auto const probe = breaker.acquire(now);
  ASSERT_TRUE(probe);
  EXPECT_EQ(state(), half_open);
  EXPECT_FALSE(breaker.is_ready(now));
  EXPECT_FALSE(breaker.acquire(now));
  now += 1h;
  EXPECT_FALSE(breaker.acquire(now)) << "however long it takes";
  breaker.release(*probe);
  EXPECT_EQ(state(), half_open);
  auto const next = breaker.acquire(now);
  ASSERT_TRUE(next) << "a probe whose caller left makes room";
  EXPECT_FALSE(breaker.acquire(now));
  breaker.report(*next, {.kind = Kind::abandoned}, now);
  EXPECT_TRUE(breaker.acquire(now));
}

TEST_F(BreakerTest, CallsOfAnEarlierStateCountForNothing) {
  std::vector<Breaker::Permit> permits;
  for (int i = 0; i < 8; ++i)
    permits.push_back(breaker.acquire(now).value());
  for (std::size_t i = 0; i < 5; ++i)
    breaker.report(permits[i], answered(500), now);
  EXPECT_EQ(state(), open);
  breaker.report(permits[5], answered(200), now);
  EXPECT_EQ(state(), open) << "a late success does not close it";
  now += 60s;
  auto const probe = breaker.acquire(now);
  ASSERT_TRUE(probe);
  breaker.report(permits[6], answered(500), now);
  EXPECT_EQ(state(), half_open) << "a late failure is not the probe's";
  breaker.release(permits[7]);
  EXPECT_FALSE(breaker.acquire(now)) << "nor is its end";
  breaker.report(*probe, answered(200), now);
  EXPECT_EQ(state(), closed);
}

// ---- the count ----

TEST(SlidingCountTest, SlidesInTenths) {
  SlidingCount count(10s);
  SteadyTime const start(100s);
  count.add(start);
  count.add(start + 900ms);
  count.add(start + 1s);
  EXPECT_EQ(count.sum(start + 1s), 3);
  EXPECT_EQ(count.sum(start + 9999ms), 3);
  EXPECT_EQ(count.sum(start + 10s), 1) << "the first slot went as a whole";
  EXPECT_EQ(count.sum(start + 11s), 0);
  count.add(start + 20s);
  count.add(start + 19'900ms);
  EXPECT_EQ(count.sum(start + 20s), 2) << "a little out of order";
  count.add(start + 10s);
  EXPECT_EQ(count.sum(start + 20s), 2) << "one that comes a window late counts nowhere";
  count.clear();
  EXPECT_EQ(count.sum(start + 20s), 0);
}

TEST(SlidingCountTest, CountsFromTheClocksBeginOn) {
  SlidingCount count(10s);
  count.add(SteadyTime{});
  EXPECT_EQ(count.sum(SteadyTime{}), 1);
  EXPECT_EQ(count.sum(SteadyTime{9s}), 1);
  EXPECT_EQ(count.sum(SteadyTime{10s}), 0);
}

}  // namespace
}  // namespace al::services::gateway
