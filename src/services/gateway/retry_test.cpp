#include "services/gateway/retry.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <span>
#include <thread>
#include <vector>

#include "testing/seeded_random.hpp"

namespace al::services::gateway {
namespace {

using namespace std::chrono_literals;
using enum http::Method;
using Kind = Outcome::Kind;

/// Its numbers are all 0, so delays are the shortest there are.
class ZeroRandom final : public Random {
 public:
  void fill(std::span<std::byte> out) override { std::ranges::fill(out, std::byte{0}); }
};

bool may(EndedAttempt const& ended) {
  ZeroRandom random;
  return may_retry(ended, random).has_value();
}

EndedAttempt ended(http::Method method, bool has_key, Outcome outcome) {
  return {.method = method,
          .has_honoured_key = has_key,
          .attempts = 1,
          .retries_max = 3,
          .outcome = outcome,
          .time_left = 30s};
}

Outcome answered(int status) { return {.kind = Kind::answered, .status = status}; }

TEST(GatewayRetry, RepeatsWhatMayBeRepeated) {
  struct Case {
    http::Method method;
    bool has_key;
    bool is_repeatable;
  };
  for (auto const& [method, has_key, is_repeatable] : std::vector<Case>{{get, false, true},
                                                                        {head, false, true},
                                                                        {put, false, true},
                                                                        {del, false, true},
                                                                        {options, false, true},
                                                                        {post, false, false},
                                                                        {post, true, true},
                                                                        {patch, false, false},
                                                                        {patch, true, false}}) {
    auto const name = http::method_name(method);
    EXPECT_TRUE(may(ended(method, has_key, {.kind = Kind::connect_failed}))) << name << " nothing was sent";
    EXPECT_EQ(may(ended(method, has_key, {.kind = Kind::no_answer})), is_repeatable) << name;
    for (int const status : {502, 503, 504})
      EXPECT_EQ(may(ended(method, has_key, answered(status))), is_repeatable) << name << status;
    EXPECT_FALSE(may(ended(method, has_key, {.kind = Kind::cut_off}))) << name;
    EXPECT_FALSE(may(ended(method, has_key, {.kind = Kind::abandoned}))) << name;
    for (int const status : {200, 201, 204, 304, 400, 401, 404, 408, 409, 425, 429, 500, 501, 505, 507})
      EXPECT_FALSE(may(ended(method, has_key, answered(status)))) << name << status;
  }
}

TEST(GatewayRetry, EndsAtTheRoutesLimit) {
  auto call = ended(get, false, answered(503));
  for (std::int64_t const retries : {0, 1, 3}) {
    call.retries_max = retries;
    int made = 0;
    for (call.attempts = 1; may(call); ++call.attempts)
      ++made;
    EXPECT_EQ(made, retries);
  }
}

TEST(GatewayRetry, WaitsLongerEachTimeWithFullJitter) {
  SeededRandom random;
  auto call = ended(get, false, answered(503));
  call.retries_max = 10;
  std::chrono::microseconds total{0};
  for (auto const most : {50ms, 100ms, 200ms, 400ms, 800ms, 1000ms, 1000ms}) {
    std::chrono::microseconds shortest = 1h;
    std::chrono::microseconds longest{0};
    for (int i = 0; i < 2000; ++i) {
      auto const delay = may_retry(call, random).value();
      shortest = std::min(shortest, delay);
      longest = std::max(longest, delay);
    }
    EXPECT_GT(shortest, 0us);
    EXPECT_LT(shortest, most / 20);
    EXPECT_GT(longest, most - most / 20);
    EXPECT_LE(longest, most);
    total += longest;
    ++call.attempts;
  }
  EXPECT_LT(total, 4s);
}

TEST(GatewayRetry, LeavesTimeForAnAnswer) {
  auto call = ended(get, false, answered(503));
  ZeroRandom shortest;
  call.time_left = 100ms + 1us;
  EXPECT_EQ(may_retry(call, shortest), 1us);
  call.time_left -= 1us;
  EXPECT_EQ(may_retry(call, shortest), std::nullopt);
  call.time_left = 0s;
  EXPECT_EQ(may_retry(call, shortest), std::nullopt);
  call.time_left = -1s;
  EXPECT_EQ(may_retry(call, shortest), std::nullopt);
}

// ---- the budget ----

class RetryBudgetTest : public testing::Test {
 protected:
  void calls(int times) {
    for (int i = 0; i < times; ++i)
      budget.count_call(now);
  }
  /// How many retries of at most `wanted` are given.
  int take(int wanted) {
    int taken = 0;
    while (taken < wanted && budget.take_retry(now))
      ++taken;
    return taken;
  }

  RetryBudget budget;
  SteadyTime now{24h};
};

TEST_F(RetryBudgetTest, GivesAFewForNothing) {
  EXPECT_EQ(take(100), 10);
  now += 9s;
  EXPECT_EQ(take(100), 0);
  now += 1s;
  EXPECT_EQ(take(100), 10) << "a window later";
}

TEST_F(RetryBudgetTest, GivesAFifthOfTheCalls) {
  calls(1000);
  EXPECT_EQ(take(1000), 210);
  calls(4);
  EXPECT_EQ(take(1), 0);
  calls(1);
  EXPECT_EQ(take(10), 1);
  now += 10s;
  EXPECT_EQ(take(1000), 10) << "calls of the past earn nothing";
}

TEST_F(RetryBudgetTest, CannotMultiplyAnOverload) {
  int sent = 0;
  for (int second = 0; second < 60; ++second) {
    for (int i = 0; i < 100; ++i) {
      calls(1);
      sent += 1 + take(3);
    }
    now += 1s;
  }
  EXPECT_LE(sent, 6000 + 6000 / 5 + 6 * 10);
  EXPECT_GE(sent, 6000 + 6000 / 5);
}

TEST_F(RetryBudgetTest, MayBeUsedFromSeveralThreads) {
  std::atomic<int> taken = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int call = 0; call < 250; ++call)
          budget.count_call(now);
      });
    }
  }
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([&] { taken += take(1000); });
  }
  EXPECT_EQ(taken, 210);
}

}  // namespace
}  // namespace al::services::gateway
