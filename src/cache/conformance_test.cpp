/// What the interfaces promise, in the process and in Redis. An implementation that passes may be put in place of
/// another.

#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <limits>
#include <numeric>
#include <random>

#include "cache/test_backend.hpp"

namespace al::cache {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr auto hour = 1h;

template <class T>
std::optional<Code> code_of(Result<T> const& result) {
  return result ? std::nullopt : std::optional(result.error().code);
}

// ---- the store ----

class StoreConformance : public BackendTest {
 protected:
  Found look_up(std::string const& of = {}) {
    Found found;
    // The first calls through a new connection may not say anything yet.
    eventually(
        [&] {
          found = run(backend->store().find(of.empty() ? key_ : of, soon()));
          return !found.ticket.generation.empty();
        },
        "the store answers");
    return found;
  }
  std::optional<Entry> find() { return look_up().entry; }
  Result<bool> put(std::string value, std::int64_t version) { return put(std::move(value), version, look_up().ticket); }
  Result<bool> put(std::string value, std::int64_t version, Ticket ticket, std::chrono::milliseconds ttl = hour) {
    return run(backend->store().put(key_, {std::move(value), version}, ttl, std::move(ticket), soon()));
  }
  Result<void> remove(std::int64_t version) { return run(backend->store().remove(key_, version, soon())); }

  std::string const key_ = key(default_tenant, "agent", "writer");
};

INSTANTIATE_TEST_SUITE_P(On, StoreConformance, testing::ValuesIn(backend_kinds()),
                         [](auto const& info) { return std::string(info.param.name); });

TEST_P(StoreConformance, FindsWhatWasPut) {
  EXPECT_EQ(find(), std::nullopt);
  auto const bytes = std::string("{\"a\": \"\0\r\n\xff\"}", 14);
  EXPECT_EQ(put(bytes, 7), true);
  EXPECT_EQ(find(), (Entry{bytes, 7}));
  EXPECT_EQ(run(backend->store().find(key_, soon()), 1).entry.has_value(), find().has_value());
  EXPECT_EQ(look_up(key(TenantId("other"), "agent", "writer")).entry, std::nullopt);
  EXPECT_EQ(put("", 8), true);
  EXPECT_EQ(find(), (Entry{"", 8}));
  ASSERT_TRUE(remove(9));
  EXPECT_EQ(find(), std::nullopt);
}

TEST_P(StoreConformance, ANewerEntryStays) {
  EXPECT_EQ(put("two", 2), true);
  EXPECT_EQ(put("one", 1), false);
  EXPECT_EQ(find(), (Entry{"two", 2}));
  EXPECT_EQ(put("two again", 2), true);
  EXPECT_EQ(find(), (Entry{"two again", 2}));
  EXPECT_EQ(put("ten", 10), true) << "as numbers, not as texts";
  EXPECT_EQ(put("nine", 9), false);
  auto const last = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(put("last but one", last - 1), true);
  EXPECT_EQ(put("last", last), true) << "differs in what a double cannot hold";
  EXPECT_EQ(put("last but one", last - 1), false);
  EXPECT_EQ(find(), (Entry{"last", last}));
}

TEST_P(StoreConformance, ATombstoneStopsWhatIsOlder) {
  EXPECT_EQ(put("four", 4), true);
  ASSERT_TRUE(remove(5));
  EXPECT_EQ(find(), std::nullopt);
  EXPECT_EQ(put("four", 4), false);
  ASSERT_TRUE(remove(3));
  EXPECT_EQ(put("four", 4), false) << "an older removal changes nothing";
  EXPECT_EQ(put("five", 5), true) << "the row as the writer left it";
  ASSERT_TRUE(remove(4));
  EXPECT_EQ(find(), (Entry{"five", 5})) << "a late removal spares what is newer";
}

TEST_P(StoreConformance, ATicketEnds) {
  auto const ticket = look_up().ticket;
  EXPECT_EQ(put("no ticket", 1, {}), false);
  backend->clock.advance(Store::ticket_life - 1ms);
  EXPECT_EQ(put("one", 1, ticket), true);
  backend->clock.advance(1ms);
  EXPECT_EQ(put("two", 2, ticket), false);
  EXPECT_EQ(put("two", 2, backend->store().ticket()), true) << "a writer's, without a look-up";
}

TEST_P(StoreConformance, ChecksItsArguments) {
  auto const ticket = look_up().ticket;
  EXPECT_EQ(code_of(put("x", -1, ticket)), Code::invalid);
  EXPECT_EQ(code_of(put("x", 1, ticket, Store::ttl_min - 1ms)), Code::invalid);
  EXPECT_EQ(code_of(put(std::string(Store::value_bytes_max + 1, 'x'), 1, ticket)), Code::payload_too_large);
  EXPECT_EQ(put(std::string(Store::value_bytes_max, 'x'), 1, ticket), true);
  EXPECT_EQ(code_of(remove(-1)), Code::invalid);
}

TEST_P(StoreConformance, AnEntryEnds) {
  EXPECT_EQ(put("x", 1), true);
  backend->expire(key_, hour);
  EXPECT_EQ(find(), std::nullopt);
  EXPECT_EQ(put("x", 1), true);
}

/// Puts and removals of one row in any order, from two threads, as by processes of different speed.
TEST_P(StoreConformance, TheNewestWinsInAnyOrder) {
  std::mt19937 order(7);
  for (int round = 0; round < 40; ++round) {
    auto const name = key(default_tenant, "agent", "round" + std::to_string(round));
    bool const is_removed = round % 2 == 0;
    auto const ticket = look_up(name).ticket;
    std::vector<std::int64_t> versions(20);
    std::iota(versions.begin(), versions.end(), 1);
    std::ranges::shuffle(versions, order);
    std::vector<std::future<bool>> ends;
    auto const write = [&](std::int64_t version) -> Task<bool> {
      if (version == 20 && is_removed)
        co_return (co_await backend->store().remove(name, version, soon())).has_value();
      Entry entry{.value = std::to_string(version), .version = version};
      co_return (co_await backend->store().put(name, std::move(entry), hour, ticket, soon())).has_value();
    };
    for (auto const version : versions)
      ends.push_back(backend->threads.start(write(version), static_cast<std::size_t>(version % 2)));
    for (auto& end : ends)
      EXPECT_TRUE(end.get());
    EXPECT_EQ(look_up(name).entry, is_removed ? std::nullopt : std::optional(Entry{"20", 20})) << round;
  }
}

// ---- locks ----

class LocksConformance : public BackendTest {
 protected:
  Result<Lock> acquire(std::chrono::milliseconds ttl = 60s, std::chrono::milliseconds limit = patience) {
    return run(backend->locks().acquire(name_, ttl, Deadline::after(limit)));
  }
  Result<void> renew(Lock const& lock) { return run(backend->locks().renew(lock, 60s, soon())); }
  Result<void> release(Lock const& lock) { return run(backend->locks().release(lock, soon())); }

  std::string const name_ = key(default_tenant, "lock", "create_agent/writer");
};

INSTANTIATE_TEST_SUITE_P(On, LocksConformance, testing::ValuesIn(backend_kinds()),
                         [](auto const& info) { return std::string(info.param.name); });

TEST_P(LocksConformance, OneHoldsIt) {
  auto const first = acquire();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->name, name_);
  EXPECT_EQ(code_of(acquire(60s, 50ms)), Code::conflict);
  EXPECT_TRUE(renew(*first));
  EXPECT_TRUE(release(*first));
  EXPECT_EQ(code_of(release(*first)), Code::lease_lost);
  auto const second = acquire();
  ASSERT_TRUE(second);
  EXPECT_GT(second->token, first->token);
  EXPECT_EQ(code_of(release(*first)), Code::lease_lost) << "not the other's";
  EXPECT_EQ(code_of(renew(*first)), Code::lease_lost);
  EXPECT_TRUE(renew(*second));
  EXPECT_EQ(code_of(acquire(9ms)), Code::invalid);
}

TEST_P(LocksConformance, EndsByItself) {
  auto const first = acquire(60s);
  ASSERT_TRUE(first);
  backend->expire(name_, 60s);
  EXPECT_EQ(code_of(renew(*first)), Code::lease_lost);
  EXPECT_EQ(code_of(release(*first)), Code::lease_lost);
  auto const second = acquire();
  ASSERT_TRUE(second);
  EXPECT_GT(second->token, first->token);
}

TEST_P(LocksConformance, WaitsForItsTurn) {
  auto const first = acquire();
  auto waiting = backend->threads.start(backend->locks().acquire(name_, 60s, soon()), 1);
  backend->threads.settle();
  ASSERT_TRUE(release(*first));
  auto const second = waiting.get();
  ASSERT_TRUE(second);
  EXPECT_GT(second->token, first->token);
}

TEST_P(LocksConformance, NeverTwoAtATime) {
  std::atomic<int> inside{0};
  std::atomic<int> together{0};
  std::vector<std::int64_t> tokens;
  auto const work = [&](Lock const& lock) -> Task<Result<bool>> {
    together += inside++;
    tokens.push_back(lock.token);
    co_await sleep_until(std::chrono::steady_clock::now() + 1ms);
    --inside;
    co_return true;
  };
  std::vector<std::future<Result<bool>>> ends;
  for (std::size_t i = 0; i < 20; ++i)
    ends.push_back(backend->threads.start(cache_lock<bool>(backend->locks(), name_, 60s, soon(), work), i % 2));
  for (auto& end : ends)
    EXPECT_TRUE(end.get());
  EXPECT_EQ(together, 0);
  EXPECT_EQ(tokens.size(), 20u);
  EXPECT_TRUE(std::ranges::is_sorted(tokens));
}

TEST_P(LocksConformance, WorksUnderALock) {
  auto const answer = [&](Lock const&) -> Task<Result<int>> { co_return 7; };
  auto const refusal = [&](Lock const&) -> Task<Result<int>> { co_return fail(Code::not_found, "none"); };
  auto const fault = [&](Lock const&) -> Task<Result<int>> {
    throw std::runtime_error("broken");
    co_return 0;
  };
  auto const locked = [&](auto work) { return run(cache_lock<int>(backend->locks(), name_, 60s, soon(), work)); };
  EXPECT_EQ(locked(answer), 7);
  EXPECT_EQ(code_of(locked(refusal)), Code::not_found);
  EXPECT_THROW(std::ignore = locked(fault), std::runtime_error);
  EXPECT_EQ(locked(answer), 7) << "given back each time";
}

/// Never ends but by cancellation.
struct Endless {
  std::promise<void> begun;
  std::atomic<bool> was_cancelled = false;
  Task<Result<int>> work() {
    begun.set_value();
    try {
      co_await sleep_until(SteadyTime::max());
    } catch (boost::system::system_error const&) {
      was_cancelled = true;
      throw;
    }
    co_return 0;
  }
};

TEST_P(LocksConformance, WorkWithoutItsLockIsCancelled) {
  Endless endless;
  auto const work = [&](Lock const&) { return endless.work(); };
  auto end = backend->threads.start(cache_lock<int>(backend->locks(), name_, 300ms, soon(), work));
  endless.begun.get_future().get();
  backend->expire(name_, 300ms);
  EXPECT_EQ(code_of(end.get()), Code::lease_lost);
  EXPECT_TRUE(endless.was_cancelled);
}

TEST_P(LocksConformance, WorkKeepsItsLock) {
  Endless endless;
  auto const work = [&](Lock const&) { return endless.work(); };
  // Longer than the lock would last without being renewed.
  auto end = backend->threads.start(
      within(Deadline::after(700ms), cache_lock<int>(backend->locks(), name_, 200ms, soon(), work)));
  endless.begun.get_future().get();
  EXPECT_EQ(code_of(acquire(60s, 400ms)), Code::conflict);
  EXPECT_EQ(code_of(end.get()), Code::timed_out);
  EXPECT_TRUE(endless.was_cancelled) << "by its caller";
  EXPECT_TRUE(acquire()) << "and given back";
}

// ---- limits ----

class LimitsConformance : public BackendTest {
 protected:
  Allowance take(std::int64_t limit, std::chrono::milliseconds window, std::int64_t cost = 1) {
    return run(backend->limits().take(key_, limit, window, cost, soon()));
  }
  std::string const key_ = platform_key("limit", "192.0.2.1");
};

INSTANTIATE_TEST_SUITE_P(On, LimitsConformance, testing::ValuesIn(backend_kinds()),
                         [](auto const& info) { return std::string(info.param.name); });

TEST_P(LimitsConformance, TakesUpToTheLimit) {
  for (int left = 4; left >= 0; --left) {
    auto const taken = take(5, 60s);
    EXPECT_TRUE(taken.allowed);
    EXPECT_EQ(taken.remaining, left);
    EXPECT_EQ(taken.retry_after, 0us);
  }
  auto const refused = take(5, 60s);
  EXPECT_FALSE(refused.allowed);
  EXPECT_EQ(refused.remaining, 0);
  EXPECT_GT(refused.retry_after, 54s);
  EXPECT_LE(refused.retry_after, 66s);
  EXPECT_TRUE(take(5, 120s).allowed) << "another window counts by itself";
  EXPECT_TRUE(take(6, 60s).allowed) << "the limit was raised";
  EXPECT_FALSE(take(3, 60s).allowed) << "and lowered";
  EXPECT_EQ(take(3, 60s, 0).remaining, 0);
}

TEST_P(LimitsConformance, CostsDiffer) {
  EXPECT_FALSE(take(10, 60s, 11).allowed) << "never at once";
  EXPECT_EQ(take(10, 60s, 0).remaining, 10);
  EXPECT_EQ(take(10, 60s, 7).remaining, 3);
  auto const refused = take(10, 60s, 4);
  EXPECT_FALSE(refused.allowed);
  EXPECT_EQ(refused.remaining, 3);
  EXPECT_TRUE(take(10, 60s, 3).allowed);
  EXPECT_FALSE(take(0, 60s).allowed);
  EXPECT_EQ(take(10, 60s, -5).remaining, 0) << "nothing is given back";
}

TEST_P(LimitsConformance, ComesBack) {
  ASSERT_TRUE(take(2, 500ms, 2).allowed);
  auto const begin = std::chrono::steady_clock::now();
  EXPECT_FALSE(take(2, 500ms).allowed);
  // Where the clock is not ours, it goes on by itself.
  eventually(
      [&] {
        backend->clock.advance(5ms);
        return take(2, 500ms).allowed;
      },
      "it is allowed again");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, patience);
}

// ---- presence ----

class PresenceConformance : public BackendTest {
 protected:
  Result<void> beat(std::string id, std::string note, std::chrono::milliseconds ttl = 60s) {
    return run(backend->presence().beat(group_, {std::move(id), std::move(note)}, ttl, soon()));
  }
  std::vector<Member> members() { return run(backend->presence().members(group_, soon())).value(); }
  std::string const group_ = platform_key("presence", "workers");
};

INSTANTIATE_TEST_SUITE_P(On, PresenceConformance, testing::ValuesIn(backend_kinds()),
                         [](auto const& info) { return std::string(info.param.name); });

TEST_P(PresenceConformance, ComesAndLeaves) {
  EXPECT_THAT(members(), IsEmpty());
  ASSERT_TRUE(beat("b", "two words\nand a line"));
  ASSERT_TRUE(beat("a", ""));
  EXPECT_THAT(members(), ElementsAre(Member{"a", ""}, Member{"b", "two words\nand a line"}));
  ASSERT_TRUE(beat("b", "new"));
  ASSERT_TRUE(run(backend->presence().leave(group_, "a", soon())));
  ASSERT_TRUE(run(backend->presence().leave(group_, "nobody", soon())));
  ASSERT_TRUE(run(backend->presence().leave(group_ + "2", "a", soon())));
  EXPECT_THAT(members(), ElementsAre(Member{"b", "new"}));
}

TEST_P(PresenceConformance, WhoIsSilentHasLeft) {
  ASSERT_TRUE(beat("short", "", 40ms));
  ASSERT_TRUE(beat("long", "", 600s));
  ASSERT_TRUE(beat("other", "", 500s));
  eventually(
      [&] {
        backend->clock.advance(5ms);
        return members() == std::vector{Member{"long", ""}, Member{"other", ""}};
      },
      "the short one is gone, and the long ones stay");
}

TEST_P(PresenceConformance, ChecksItsArguments) {
  EXPECT_EQ(code_of(beat("", "")), Code::invalid);
  EXPECT_EQ(code_of(beat("a", "", 0ms)), Code::invalid);
  EXPECT_EQ(code_of(beat("a", std::string(Presence::bytes_max, 'x'))), Code::payload_too_large);
}

TEST_P(PresenceConformance, AGroupIsBounded) {
  auto const fill = [&]() -> Task<std::size_t> {
    std::size_t added = 0;
    for (std::size_t i = 0; i < Presence::members_max; ++i) {
      auto const ttl = i < 3 ? 1ms : 600'000ms;
      auto const done = co_await backend->presence().beat(group_, {std::to_string(i), ""}, ttl, soon());
      added += done ? 1 : 0;
    }
    co_return added;
  };
  EXPECT_GE(run(fill()), Presence::members_max - 3);
  backend->clock.advance(1ms);
  for (auto const* id : {"x", "y", "z"})
    EXPECT_TRUE(beat(id, "")) << "in place of who is silent";
  EXPECT_EQ(code_of(beat("one too many", "")), Code::too_many_requests);
  EXPECT_TRUE(beat("x", "again"));
}

}  // namespace
}  // namespace al::cache
