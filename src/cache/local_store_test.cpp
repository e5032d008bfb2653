/// What only the implementations in the process promise, and the names of keys.

#include <deque>

#include "cache/test_backend.hpp"
#include "core/fault.hpp"
#include "core/hash.hpp"

namespace al::cache {
namespace {

TEST(CacheKey, StaysInsideItsTenant) {
  EXPECT_EQ(key(TenantId("acme"), "agent", "writer"), "al:acme:agent:writer");
  EXPECT_EQ(key(TenantId("acme"), "agent", "../other:agent:*\r\n\xc3\xa4 %"),
            "al:acme:agent:../other%3Aagent%3A%2A%0D%0A%C3%A4%20%25");
  EXPECT_NE(key(TenantId("acme"), "agent", "a%3A"), key(TenantId("acme"), "agent", "a:"));
  EXPECT_THROW(std::ignore = key(TenantId("acme:agent"), "x", "y"), Fault);
  EXPECT_THROW(std::ignore = key(TenantId(""), "x", "y"), Fault);
  EXPECT_THROW(std::ignore = key(TenantId("_"), "x", "y"), Fault) << "the platform's own";
  EXPECT_THROW(std::ignore = key(TenantId("acme"), "agent:x", "y"), Fault);
  EXPECT_EQ(platform_key("limit", "::1"), "al:_:limit:%3A%3A1");
  auto const longest = std::string(200, 'x');
  EXPECT_EQ(key(TenantId("acme"), "agent", longest), "al:acme:agent:" + longest);
  EXPECT_EQ(key(TenantId("acme"), "agent", longest + "x"), "al:acme:agent:#" + sha256_hex(longest + "x"));
  EXPECT_EQ(hashed("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad") << "FIPS 180-4";
}

TEST(CacheTtl, IsShorterByUpToATenth) {
  SeededRandom random;
  auto shortest = 1h + 0ms;
  auto longest = 0ms;
  for (int i = 0; i < 1000; ++i) {
    auto const ttl = jittered(1h, random);
    shortest = std::min(shortest, ttl);
    longest = std::max(longest, ttl);
  }
  EXPECT_GE(shortest, 54min);
  EXPECT_LT(shortest, 54min + 1min);
  EXPECT_LE(longest, 60min);
  EXPECT_GT(longest, 59min);
}

class LocalStoreTest : public testing::Test {
 protected:
  Result<bool> put(std::string const& name, std::string value, std::int64_t version = 1) {
    return put(name, std::move(value), version, backend.store().ticket());
  }
  Result<bool> put(std::string const& name, std::string value, std::int64_t version, Ticket ticket) {
    return backend.threads.run(backend.store().put(name, {std::move(value), version}, 1h, std::move(ticket), soon()));
  }
  Result<void> remove(std::string const& name, std::int64_t version) {
    return backend.threads.run(backend.store().remove(name, version, soon()));
  }
  bool has(std::string const& name) {
    return backend.threads.run(backend.store().find(name, soon())).entry.has_value();
  }

  LocalBackend backend{{.entries_max = 3, .bytes_max = 100}};
};

TEST_F(LocalStoreTest, TheOneUsedLongestAgoGoesFirst) {
  for (auto const* name : {"a", "b", "c"})
    EXPECT_EQ(put(name, "x"), true);
  EXPECT_TRUE(has("a"));
  EXPECT_EQ(put("d", "x"), true);
  EXPECT_FALSE(has("b"));
  EXPECT_TRUE(has("a") && has("c") && has("d"));
  backend.clock.advance(1s);
  EXPECT_EQ(put("e", std::string(99, 'x')), true) << "bytes are bounded as well";
  EXPECT_TRUE(has("e"));
  EXPECT_EQ(backend.local_store().size(), 1u);
  EXPECT_EQ(backend.local_store().bytes(), 100u);
  backend.clock.advance(1s);
  EXPECT_EQ(put("f", std::string(100, 'x')), true);
  EXPECT_EQ(backend.local_store().size(), 0u) << "more than there is room for";
}

TEST_F(LocalStoreTest, ATombstoneThatWentForWantOfRoomStopsOldTicketsAllTheSame) {
  auto const before = backend.store().ticket();
  backend.clock.advance(1ms);
  ASSERT_TRUE(remove("row", 2));
  for (auto const* name : {"a", "b", "c"})
    EXPECT_EQ(put(name, "x"), true);
  EXPECT_EQ(put("row", "old", 1, before), false);
  EXPECT_FALSE(has("row"));
  backend.clock.advance(1ms);
  EXPECT_EQ(put("row", "new", 2), true);
}

/// The promise of Limits, for calls of any rhythm.
TEST(LocalLimitsTest, NoWindowHasMoreThanTheLimit) {
  LocalBackend backend;
  constexpr std::int64_t limit = 20;
  constexpr auto window = 1000ms;
  std::deque<std::pair<std::chrono::microseconds, std::int64_t>> taken;
  std::chrono::microseconds now{0};
  std::int64_t total = 0;
  for (int i = 0; i < 20'000; ++i) {
    auto const step = std::chrono::microseconds(backend.random.below(i % 500 < 250 ? 2'000 : 120'000));
    backend.clock.advance(step);
    now += step;
    auto const cost = static_cast<std::int64_t>(backend.random.below(4));
    auto const answer = backend.threads.run(backend.limits().take("k", limit, window, cost, soon()));
    while (!taken.empty() && taken.front().first <= now - window) {
      total -= taken.front().second;
      taken.pop_front();
    }
    if (answer.allowed) {
      taken.emplace_back(now, cost);
      total += cost;
      ASSERT_LE(total, limit) << i;
    } else {
      ASSERT_GT(answer.retry_after, 0us);
      ASSERT_LE(answer.retry_after, window * 11 / 10);
    }
  }
}

TEST(LocalLimitsTest, WhatItPromisesForLaterIsThere) {
  LocalBackend backend;
  auto const take = [&](std::int64_t cost) {
    return backend.threads.run(backend.limits().take("k", 10, 1000ms, cost, soon()));
  };
  EXPECT_TRUE(take(4).allowed);
  backend.clock.advance(350ms);
  EXPECT_TRUE(take(6).allowed);
  auto const refused = take(5);
  ASSERT_FALSE(refused.allowed);
  backend.clock.advance(refused.retry_after - 1us);
  EXPECT_FALSE(take(5).allowed);
  backend.clock.advance(1us);
  EXPECT_TRUE(take(5).allowed);
}

TEST(LocalLimitsTest, ForgetsTheKeyAskedForLongestAgo) {
  ManualClock clock;
  LocalLimits limits(clock, 2);
  Threads threads;
  auto const take = [&](char const* name) { return threads.run(limits.take(name, 1, 60s, 1, soon())).allowed; };
  EXPECT_TRUE(take("a"));
  EXPECT_TRUE(take("b"));
  EXPECT_FALSE(take("a"));
  EXPECT_TRUE(take("c")) << "b is forgotten";
  EXPECT_FALSE(take("a"));
  EXPECT_TRUE(take("b"));
}

}  // namespace
}  // namespace al::cache
