/// What becomes of the cache when Redis forgets, hangs, is full, or is gone.

#include <gmock/gmock.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include "cache/test_backend.hpp"
#include "core/fault.hpp"

namespace al::cache {
namespace {

template <class T>
std::optional<Code> code_of(Result<T> const& result) {
  return result ? std::nullopt : std::optional(result.error().code);
}

/// A process of the platform. Its Redis answers at once, or does not.
class Process {
 public:
  explicit Process(RedisServer const& server) : backend(server, {.timeout = 300ms, .rest = 100ms}) {}

  Found look_up(std::string const& name) { return backend.threads.run(backend.store().find(name, soon())); }
  std::optional<Entry> find(std::string const& name) { return look_up(name).entry; }
  /// A ticket shows that the store reads Redis again.
  Ticket wait_until_back() {
    Ticket ticket;
    eventually(
        [&] {
          ticket = look_up("al:_:none:none").ticket;
          return !ticket.generation.empty();
        },
        "the store answers");
    return ticket;
  }
  Result<bool> put(std::string const& name, std::int64_t version, Ticket ticket) {
    return backend.threads.run(
        backend.store().put(name, {std::to_string(version), version}, 1h, std::move(ticket), soon()));
  }
  Result<bool> put(std::string const& name, std::int64_t version) { return put(name, version, wait_until_back()); }
  Result<void> remove(std::string const& name, std::int64_t version) {
    return backend.threads.run(backend.store().remove(name, version, soon()));
  }
  RedisStoreView view() { return backend.redis_store().view(); }

  RedisBackend backend;
};

class RedisStoreTest : public testing::Test {
 protected:
  RedisServer server{{.lines = {"appendonly yes", "appendfsync always"}}};
  Process a{server};
  Process b{server};
  std::string const name = key(default_tenant, "agent", "writer");
};

TEST_F(RedisStoreTest, ProcessesShareIt) {
  EXPECT_EQ(a.put(name, 1), true);
  b.wait_until_back();
  EXPECT_EQ(b.find(name), (Entry{"1", 1}));
  EXPECT_TRUE(b.remove(name, 2));
  EXPECT_EQ(a.find(name), std::nullopt);
  EXPECT_EQ(a.put(name, 1), false);
}

TEST_F(RedisStoreTest, TimesToLive) {
  EXPECT_EQ(a.put(name, 1), true);
  auto const left = a.backend.command({"PTTL", name}).integer();
  EXPECT_GT(left, 53 * 60'000);
  EXPECT_LE(left, 60 * 60'000);
  EXPECT_TRUE(a.remove(name, 2));
  EXPECT_GT(a.backend.command({"PTTL", name}).integer(), 9 * 60'000);
}

/// A reader has read the row, another process writes it, and Redis forgets the tombstone.
TEST_F(RedisStoreTest, WhatWasReadBeforeRedisForgotIsNotPut) {
  auto const ticket = a.wait_until_back();
  EXPECT_TRUE(b.remove(name, 2));
  b.backend.command({"FLUSHALL"});
  EXPECT_EQ(a.put(name, 1, ticket), false);
  b.wait_until_back();
  EXPECT_EQ(a.put(name, 1, ticket), false) << "also when it is in use again";
  EXPECT_EQ(b.find(name), std::nullopt);
  EXPECT_EQ(a.put(name, 2), true);
  EXPECT_EQ(b.find(name), (Entry{"2", 2}));
}

/// What is on disk may lack what was told it last, as a replica that takes over may.
TEST_F(RedisStoreTest, AnotherServerBeginsAnew) {
  EXPECT_EQ(a.put(name, 1), true);
  auto const ticket = a.wait_until_back();
  server.stop();
  server.start();
  EXPECT_EQ(a.backend.command({"EXISTS", name}).integer(), 1) << "it is still there";
  b.wait_until_back();
  EXPECT_EQ(b.find(name), std::nullopt);
  EXPECT_EQ(a.put(name, 1, ticket), false);
  a.wait_until_back();
  EXPECT_EQ(a.find(name), std::nullopt);
  EXPECT_EQ(a.put(name, 1), true);
  EXPECT_EQ(b.find(name), (Entry{"1", 1}));
}

TEST_F(RedisStoreTest, AwayMeansNothingIsKnown) {
  EXPECT_EQ(a.put(name, 1), true);
  auto const ticket = a.wait_until_back();
  server.kill();
  EXPECT_EQ(a.find(name), std::nullopt);
  EXPECT_EQ(code_of(a.put(name, 2, ticket)), Code::unavailable);
  EXPECT_EQ(code_of(a.remove(name, 2)), Code::unavailable);
  auto const begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 1000; ++i)
    EXPECT_EQ(a.find(name), std::nullopt);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 5s) << "nobody waits for Redis";
  server.start();
  a.wait_until_back();
  EXPECT_EQ(a.view().unsent, 0u);
  EXPECT_EQ(a.find(name), std::nullopt);
  EXPECT_EQ(a.put(name, 2), true);
}

TEST_F(RedisStoreTest, AHangingRedisCostsLittle) {
  a.wait_until_back();
  server.pause();
  auto const begin = std::chrono::steady_clock::now();
  EXPECT_EQ(a.find(name), std::nullopt);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 5s) << "not the connection's own limit and more";
  auto const failures = a.view().failures;
  for (int i = 0; i < 10; ++i)
    EXPECT_EQ(a.find(name), std::nullopt);
  EXPECT_GT(a.view().failures, failures) << "refused during the rest";
  server.resume();
  a.wait_until_back();
}

TEST_F(RedisStoreTest, ARemovalThatFailedIsSentAgain) {
  EXPECT_EQ(a.put(name, 1), true);
  b.wait_until_back();
  server.pause();
  EXPECT_EQ(code_of(a.remove(name, 2)), Code::timed_out);
  EXPECT_EQ(a.view().unsent, 1u);
  server.resume();
  // Nobody asks it for anything.
  eventually([&] { return a.view().unsent == 0; }, "it was sent again");
  EXPECT_GE(a.view().resent, 1u);
  b.wait_until_back();
  EXPECT_EQ(b.find(name), std::nullopt);
  EXPECT_EQ(b.put(name, 1), false) << "and left a tombstone";
}

TEST_F(RedisStoreTest, UntilThenThisProcessReadsNothing) {
  EXPECT_EQ(a.put(name, 1), true);
  auto const ticket = a.wait_until_back();
  // Only the removal is refused, so that the old row can be read.
  b.backend.command({"ACL", "SETUSER", "default", "-evalsha", "-eval"});
  EXPECT_EQ(code_of(a.remove(name, 2)), Code::internal);
  EXPECT_EQ(a.backend.command({"EXISTS", name}).integer(), 1) << "Redis still has it";
  EXPECT_EQ(a.find(name), std::nullopt);
  EXPECT_EQ(code_of(a.put(name, 3, ticket)), Code::unavailable);
  b.backend.command({"ACL", "SETUSER", "default", "+evalsha", "+eval"});
  a.wait_until_back();
  EXPECT_EQ(a.find(name), std::nullopt);
  EXPECT_EQ(b.put(name, 1), false);
}

TEST_F(RedisStoreTest, ACancelledRemovalIsSentAllTheSame) {
  EXPECT_EQ(a.put(name, 1), true);
  server.pause();
  asio::cancellation_signal signal;
  std::promise<bool> cancelled;
  asio::co_spawn(
      a.backend.threads.at(0), a.backend.store().remove(name, 2, soon()),
      asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr const& thrown, Result<void> const&) {
        cancelled.set_value(thrown != nullptr);
      }));
  asio::post(a.backend.threads.at(0), [&] { signal.emit(asio::cancellation_type::terminal); });
  EXPECT_TRUE(cancelled.get_future().get());
  EXPECT_EQ(a.view().unsent, 1u);
  server.resume();
  eventually([&] { return a.view().unsent == 0; }, "it was sent");
  b.wait_until_back();
  EXPECT_EQ(b.find(name), std::nullopt);
}

TEST_F(RedisStoreTest, TooManyFailedRemovalsEmptyTheCache) {
  auto const other = key(default_tenant, "agent", "other");
  EXPECT_EQ(b.put(other, 1), true);
  EXPECT_EQ(a.put(name, 1), true);
  server.pause();
  for (std::size_t i = 0; i <= RedisStore::unsent_max; ++i)
    EXPECT_FALSE(a.remove(i == 0 ? name : key(default_tenant, "agent", std::to_string(i)), 2));
  EXPECT_TRUE(a.view().must_begin_anew);
  EXPECT_EQ(a.view().unsent, 0u);
  server.resume();
  eventually([&] { return !a.view().must_begin_anew; }, "a new generation begins");
  b.wait_until_back();
  EXPECT_EQ(b.find(name), std::nullopt);
  EXPECT_EQ(b.find(other), std::nullopt);
  EXPECT_EQ(a.put(name, 2), true);
  EXPECT_EQ(b.find(name), (Entry{"2", 2}));
}

TEST_F(RedisStoreTest, AFullRedisStillRemoves) {
  EXPECT_EQ(a.put(name, 1), true);
  b.backend.command({"CONFIG", "SET", "maxmemory", "1"});
  EXPECT_EQ(code_of(a.put(name, 2)), Code::unavailable);
  EXPECT_TRUE(a.remove(name, 2));
  EXPECT_EQ(b.find(name), std::nullopt);
  b.backend.command({"CONFIG", "SET", "maxmemory", "0"});
  EXPECT_EQ(b.put(name, 1), false) << "there is a tombstone";
}

TEST_F(RedisStoreTest, WhatIsNoRecordIsNoEntry) {
  auto const generation = a.wait_until_back().generation;
  for (auto const& record : {std::string("x"), generation, generation + "E12", generation + "E000000000000000000x",
                             generation + "X0000000000000000001value"}) {
    a.backend.command({"SET", name, record});
    EXPECT_EQ(a.find(name), std::nullopt) << record;
  }
  a.backend.command({"SET", name, generation + "E0000000000000000001value"});
  EXPECT_EQ(a.find(name), (Entry{"value", 1}));
}

// ---- the other parts without Redis ----

TEST_F(RedisStoreTest, TokensRiseWhenRedisForgets) {
  auto const acquire = [&] { return a.backend.threads.run(a.backend.locks().acquire(name, 60s, soon())); };
  auto const first = acquire();
  ASSERT_TRUE(first);
  a.backend.command({"FLUSHALL"});
  auto const second = acquire();
  ASSERT_TRUE(second);
  EXPECT_GT(second->token, first->token);
  EXPECT_EQ(code_of(a.backend.threads.run(a.backend.locks().renew(*first, 60s, soon()))), Code::lease_lost);
  // The last token is ahead of the clock, as after a failover to a server whose clock is behind.
  a.backend.command({"DEL", name});
  a.backend.command({"SET", name + ":last", std::to_string(second->token + 3'600'000'000)});
  auto const third = acquire();
  ASSERT_TRUE(third);
  EXPECT_EQ(third->token, second->token + 3'600'000'001);
}

TEST_F(RedisStoreTest, WithoutRedisThereAreNoLocks) {
  std::promise<void> begun;
  bool was_cancelled = false;
  auto const work = [&](Lock const&) -> Task<Result<int>> {
    begun.set_value();
    try {
      co_await sleep_until(SteadyTime::max());
    } catch (...) {
      was_cancelled = true;
      throw;
    }
    co_return 0;
  };
  auto end = a.backend.threads.start(cache_lock<int>(a.backend.locks(), name, 600ms, soon(), work));
  begun.get_future().get();
  server.kill();
  EXPECT_EQ(code_of(end.get()), Code::lease_lost) << "it cannot be renewed";
  EXPECT_TRUE(was_cancelled);
  EXPECT_EQ(code_of(a.backend.threads.run(a.backend.locks().acquire(name, 60s, soon()))), Code::unavailable);
  server.start();
  eventually([&] { return a.backend.threads.run(a.backend.locks().acquire(name, 60s, soon())).has_value(); },
             "there are locks again");
}

TEST_F(RedisStoreTest, WithoutRedisEachProcessLimitsByItself) {
  auto const take = [&](Process& process) {
    return process.backend.threads.run(process.backend.limits().take(name, 2, 600s, 1, soon())).allowed;
  };
  EXPECT_TRUE(take(a));
  EXPECT_TRUE(take(b));
  EXPECT_FALSE(take(a)) << "together";
  server.kill();
  EXPECT_TRUE(take(a));
  EXPECT_TRUE(take(a));
  EXPECT_FALSE(take(a)) << "by itself";
  EXPECT_TRUE(take(b));
}

TEST_F(RedisStoreTest, PresenceComesBackWithTheNextBeat) {
  auto const beat = [&] {
    return a.backend.threads.run(a.backend.presence().beat(name, {"worker", "x"}, 60s, soon())).has_value();
  };
  auto const members = [&] { return b.backend.threads.run(b.backend.presence().members(name, soon())); };
  EXPECT_TRUE(beat());
  EXPECT_EQ(members(), std::vector({Member{"worker", "x"}}));
  server.kill();
  EXPECT_FALSE(beat());
  EXPECT_EQ(code_of(members()), Code::unavailable);
  server.start();
  a.wait_until_back();
  b.wait_until_back();
  a.backend.command({"FLUSHALL"});
  EXPECT_TRUE(beat());
  EXPECT_EQ(members(), std::vector({Member{"worker", "x"}}));
}

TEST_F(RedisStoreTest, AThreadWithoutAConnectionIsAMistake) {
  asio::io_context other;
  EXPECT_THROW(std::ignore = a.backend.connections().here(other.get_executor()), Fault);
  auto& first = a.backend.connections().here(a.backend.threads.at(0).get_executor());
  auto& second = a.backend.connections().here(a.backend.threads.at(1).get_executor());
  EXPECT_NE(&first, &second);
}

}  // namespace
}  // namespace al::cache
