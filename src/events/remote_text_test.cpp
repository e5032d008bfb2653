/// Several processes' texts, joined through a real Redis.

#include "events/remote_text.hpp"

#include <gtest/gtest.h>

#include "events/io_fixture.hpp"
#include "redis/connection.hpp"
#include "redis/subscriber.hpp"
#include "testing/redis_server.hpp"
#include "testing/seeded_random.hpp"

namespace al::events {
namespace {

using namespace std::chrono_literals;

TenantId const ours{"default"};
TenantId const other{"other"};
TaskId const task{"01890000-0000-7000-8000-000000000001"};
std::string const channel = "al:default:live:" + task.value + ":0";

class RemoteTextTest : public IoFixture {
 protected:
  struct Process {
    explicit Process(RemoteTextTest& test, RemoteText::Times times = {.renewal = 300ms, .wanted = 900ms})
        : live(test.lives.emplace_back(test.clock)),
          remote(test.io.get_executor(), *redis::parse_url(test.server.url()), live, test.random,
                 uuid_v7(test.clock, test.random), times) {
      remote.start();
    }
    /// What a stream that is open since `fetch` has been given: the texts of all answers, each behind its step.
    std::string const& seen(TenantId const& tenant = ours) {
      while (auto const more = live.read(tenant, task, answer, offset)) {
        if (more->answer != answer) {
          shown += (shown.empty() ? "" : " | ") + std::to_string(more->step) + ": ";
          offset = 0;
        }
        answer = more->answer;
        offset += more->text.size();
        shown += more->text;
      }
      return shown;
    }
    LiveText& live;
    RemoteText remote;
    std::uint64_t answer = 0;
    std::size_t offset = 0;
    std::string shown;
  };

  void TearDown() override {
    one.reset();
    two.reset();
    three.reset();
    expect_nothing_waits();
  }

  bool sees(Process& process, std::string const& text) {
    auto const is_seen = until([&] { return process.seen().size() >= text.size(); });
    EXPECT_EQ(process.shown, text);
    return is_seen;
  }
  static LiveText::Attempt attempt(std::int64_t epoch, TenantId const& tenant = ours) { return {tenant, task, epoch}; }

  template <class... Words>
  redis::Reply ask_redis(Words const&... words) {
    redis::Connection connection(io.get_executor(), *redis::parse_url(server.url()), random);
    std::optional<Result<redis::Reply>> reply;
    asio::co_spawn(io, connection.run(redis::Command{words...}, Deadline::after(patience)),
                   [&](std::exception_ptr, auto answer) { reply = std::move(answer); });
    EXPECT_TRUE(until([&] { return reply && *reply; }));
    return reply && *reply ? **reply : redis::Reply{};
  }
  std::int64_t listeners(std::string const& name = channel) {
    return ask_redis("PUBSUB", "NUMSUB", name).array().at(1).integer();
  }
  RedisServer server;
  SystemClock clock;
  std::deque<LiveText> lives;
  SeededRandom random;
  std::unique_ptr<Process> one = std::make_unique<Process>(*this);
  std::unique_ptr<Process> two = std::make_unique<Process>(*this);
  std::unique_ptr<Process> three;
};

TEST_F(RemoteTextTest, WhoWatchesFromTheBeginningSeesAllInOrderAndOnce) {
  auto const fetched = two->live.fetch(ours, task);
  ASSERT_TRUE(until([&] { return listeners() == 1; }));
  std::string all = "1: ";
  one->live.begin(attempt(1), 1);
  for (int i = 0; i < 3000; ++i) {
    auto const word = "w\xc3\xb6rd\n" + std::to_string(i) + " ";
    one->live.append(attempt(1), word);
    all += word;
    io.restart();
    io.run_one_for(0ms);
  }
  EXPECT_TRUE(sees(*two, all));
  EXPECT_FALSE(two->live.standing(ours, task)->is_over);
  one->live.end(attempt(1));
  EXPECT_TRUE(until([&] { return two->live.standing(ours, task)->is_over; }));
}

TEST_F(RemoteTextTest, WhoComesLateSeesAllThatWasWrittenAndTheRest) {
  one->live.begin(attempt(1), 1);
  one->live.append(attempt(1), "Let me ");
  auto const fetched = two->live.fetch(ours, task);
  ASSERT_TRUE(sees(*two, "1: Let me "));
  one->live.append(attempt(1), "look.");
  one->live.begin(attempt(1), 2);
  one->live.append(attempt(1), "Paris");
  ASSERT_TRUE(sees(*two, "1: Let me look. | 2: Paris"));
  three = std::make_unique<Process>(*this);
  auto const later = three->live.fetch(ours, task);
  ASSERT_TRUE(sees(*three, "2: Paris"));
  one->live.append(attempt(1), ".");
  EXPECT_TRUE(sees(*three, "2: Paris."));
  EXPECT_TRUE(sees(*two, "1: Let me look. | 2: Paris."));
}

TEST_F(RemoteTextTest, AnAttemptThatEndedIsSentToWhoComesSoon) {
  one->live.begin(attempt(1), 1);
  one->live.append(attempt(1), "Paris");
  one->live.end(attempt(1));
  auto const fetched = two->live.fetch(ours, task);
  ASSERT_TRUE(sees(*two, "1: Paris"));
  EXPECT_TRUE(until([&] { return two->live.standing(ours, task)->is_over; }));
}

TEST_F(RemoteTextTest, NothingOfItIsKeptInRedis) {
  auto const fetched = two->live.fetch(ours, task);
  one->live.begin(attempt(1), 1);
  one->live.append(attempt(1), "Par");
  ASSERT_TRUE(sees(*two, "1: Par"));
  EXPECT_EQ(ask_redis("DBSIZE").integer(), 0);
  ask_redis("FLUSHALL");
  one->live.append(attempt(1), "is");
  EXPECT_TRUE(sees(*two, "1: Paris"));
}

TEST_F(RemoteTextTest, WhatRedisMissedWhileItWasAwayIsSentAfterwards) {
  auto const fetched = two->live.fetch(ours, task);
  one->live.begin(attempt(1), 1);
  one->live.append(attempt(1), "Let ");
  ASSERT_TRUE(sees(*two, "1: Let "));
  server.kill();
  one->live.append(attempt(1), "me look.");
  one->live.begin(attempt(1), 2);
  one->live.append(attempt(1), "Par");
  server.start();
  one->live.append(attempt(1), "is");
  EXPECT_TRUE(sees(*two, "1: Let me look. | 2: Paris"));
}

/// Only the watcher's connection breaks, and the writer has sent what went nowhere.
TEST_F(RemoteTextTest, WhatAWatcherDidNotHearIsSentAgain) {
  auto const fetched = two->live.fetch(ours, task);
  one->live.begin(attempt(1), 1);
  one->live.append(attempt(1), "one ");
  ASSERT_TRUE(sees(*two, "1: one "));
  ask_redis("CLIENT", "KILL", "TYPE", "pubsub");
  one->live.append(attempt(1), "two ");
  one->live.append(attempt(1), "three");
  EXPECT_TRUE(sees(*two, "1: one two three"));
}

/// Words of an answer were lost, and the next one had begun before they were asked for.
TEST_F(RemoteTextTest, AnAnswerBeginsWhenTheOneBeforeItIsWhole) {
  auto const fetched = two->live.fetch(ours, task);
  ASSERT_TRUE(until([&] { return listeners() == 1; }));
  ask_redis("PUBLISH", channel, "x 1 5 0 1 0 0 0 \nLet ");
  ASSERT_TRUE(sees(*two, "1: Let "));
  ask_redis("PUBLISH", channel, "x 1 7 0 2 0 5 6 \nPar");
  ask_redis("PUBLISH", channel, "x 1 5 2 1 0 0 0 \nt me");
  ask_redis("PUBLISH", channel, "x 1 7 0 2 0 5 6 \nPar");
  ASSERT_TRUE(sees(*two, "1: Let me | 2: Par"));
  // Of one that it never saw nothing is asked for.
  ask_redis("PUBLISH", channel, "x 1 9 0 4 0 8 100 \nParma");
  EXPECT_TRUE(sees(*two, "1: Let me | 2: Par | 4: Parma"));
}

/// The old attempt's process has not noticed yet that another one took the task over.
TEST_F(RemoteTextTest, OfTwoAttemptsTheLaterOneIsSeen) {
  three = std::make_unique<Process>(*this);
  auto const fetched = three->live.fetch(ours, task);
  one->live.begin(attempt(1), 1);
  one->live.append(attempt(1), "old ");
  ASSERT_TRUE(sees(*three, "1: old "));
  two->live.begin(attempt(2), 1);
  two->live.append(attempt(2), "new ");
  ASSERT_TRUE(sees(*three, "1: old  | 1: new "));
  one->live.append(attempt(1), "older");
  one->live.begin(attempt(1), 2);
  one->live.append(attempt(1), "oldest");
  one->live.end(attempt(1));
  two->live.append(attempt(2), "newer");
  ASSERT_TRUE(sees(*three, "1: old  | 1: new newer"));
  EXPECT_FALSE(three->live.standing(ours, task)->is_over);
}

/// A process that runs the task hears its own words, and so does one that runs it after having watched.
TEST_F(RemoteTextTest, WhatIsWrittenHereIsNotTakenFromAfar) {
  auto const fetched = two->live.fetch(ours, task);
  auto const own = one->live.fetch(ours, task);
  one->live.begin(attempt(1), 1);
  one->live.append(attempt(1), "Paris");
  ASSERT_TRUE(sees(*two, "1: Paris"));
  EXPECT_TRUE(sees(*one, "1: Paris"));
  EXPECT_FALSE(one->live.standing(ours, task)->is_from_afar);
  two->live.begin(attempt(2), 1);
  two->live.append(attempt(2), "Parma");
  EXPECT_TRUE(sees(*one, "1: Paris | 1: Parma"));
  EXPECT_TRUE(sees(*two, "1: Paris | 1: Parma"));
}

TEST_F(RemoteTextTest, AnotherTenantSeesNothing) {
  auto const foreign = two->live.fetch(other, task);
  ASSERT_TRUE(until([&] { return listeners("al:other:live:" + task.value + ":0") == 1; }));
  one->live.begin(attempt(1), 1);
  one->live.append(attempt(1), "secret");
  auto const fetched = two->live.fetch(ours, task);
  ASSERT_TRUE(sees(*two, "1: secret"));
  EXPECT_FALSE(two->live.standing(other, task));
  EXPECT_FALSE(two->live.read(other, task, 0, 0));
}

/// Neither reaches into a message or another channel.
TEST_F(RemoteTextTest, OddIdsAreNotAskedFor) {
  EXPECT_EQ(two->live.fetch(ours, TaskId{"x 1 0 0\ndefault " + task.value}).use_count(), 0);
  EXPECT_EQ(two->live.fetch(TenantId{"a:b"}, task).use_count(), 0);
}

TEST_F(RemoteTextTest, TheLastWatcherEndsTheSubscriptionAndTheCopy) {
  one->live.begin(attempt(1), 1);
  one->live.append(attempt(1), "Par");
  auto first = two->live.fetch(ours, task);
  auto second = two->live.fetch(ours, task);
  ASSERT_TRUE(sees(*two, "1: Par"));
  first.reset();
  one->live.append(attempt(1), "is");
  ASSERT_TRUE(sees(*two, "1: Paris"));
  EXPECT_EQ(listeners(), 1);
  second.reset();
  ASSERT_TRUE(until([&] { return listeners() == 0; }));
  EXPECT_FALSE(two->live.standing(ours, task));
  EXPECT_TRUE(one->live.standing(ours, task));
  // Watched again it comes again, as another answer.
  auto const again = two->live.fetch(ours, task);
  EXPECT_TRUE(sees(*two, "1: Paris | 1: Paris"));
}

TEST_F(RemoteTextTest, WhatNobodyWatchesIsNotSent) {
  std::size_t sent = 0;
  redis::Subscriber spy(io.get_executor(), *redis::parse_url(server.url()), random,
                        {.on_announcement = [&](auto const&) { ++sent; }, .on_ready = {}});
  spy.subscribe_pattern("al:*:live:*");
  auto fetched = two->live.fetch(ours, task);
  one->live.begin(attempt(1), 1);
  one->live.append(attempt(1), "Par");
  ASSERT_TRUE(sees(*two, "1: Par"));
  fetched.reset();
  std::size_t sent_before = 0;
  int unsent = 0;
  EXPECT_TRUE(until([&] {
    unsent = std::exchange(sent_before, sent) == sent ? unsent + 1 : 0;
    one->live.append(attempt(1), ".");
    return unsent > 50;
  }));
  one->live.begin(attempt(1), 2);
  one->live.append(attempt(1), "Parma");
  auto const again = two->live.fetch(ours, task);
  EXPECT_TRUE(sees(*two, "1: Par | 2: Parma"));
  EXPECT_GT(sent, sent_before);
}

TEST_F(RemoteTextTest, AnAnswerAsLargeAsIsKeptComesWhole) {
  auto const fetched = two->live.fetch(ours, task);
  one->live.begin(attempt(1), 1);
  std::string all(LiveText::bytes_max - 1, 'x');
  one->live.append(attempt(1), all);
  one->live.append(attempt(1), "no room");
  EXPECT_TRUE(sees(*two, "1: " + all));
}

TEST_F(RemoteTextTest, WhatIsWantedIsBounded) {
  one = std::make_unique<Process>(*this, RemoteText::Times{.renewal = 300ms, .wanted = 60s});
  ASSERT_TRUE(until([&] { return listeners("al:live:0") == 2; }));
  TaskId const known{"01890000-0000-7000-8000-100000000000"};
  std::string message = "someone\n";
  for (std::size_t i = 0; i < RemoteText::wishes_max; ++i)
    message += "default 01890000-0000-7000-8000-" + std::to_string(100'000'000'000 + i) + " 0 0 0\n";
  ask_redis("PUBLISH", "al:live:0", message);
  auto const refused = two->live.fetch(ours, task);
  auto const fetched = two->live.fetch(ours, known);
  for (auto const& it : {attempt(1), LiveText::Attempt{ours, known, 1}}) {
    one->live.begin(it, 1);
    one->live.append(it, "Paris");
    one->live.end(it);
  }
  // The refused wish went before the other one, or with it.
  ASSERT_TRUE(until([&] { return two->live.standing(ours, known).has_value(); }));
  EXPECT_EQ(two->seen(), "");
}

TEST_F(RemoteTextTest, WhatOthersWriteIntoTheChannelsIsLeftAlone) {
  auto const fetched = two->live.fetch(ours, task);
  ASSERT_TRUE(until([&] { return listeners() == 1; }));
  one->live.begin(attempt(1), 1);
  one->live.append(attempt(1), "Par");
  ASSERT_TRUE(sees(*two, "1: Par"));
  for (std::string const text : {"", "\n", "x", "x y\n", "x\ndefault no-uuid 0 0 0\n", "x\na:b c 0 0 0\n", "\xff\n\xff",
                                 "x\ndefault 01890000-0000-7000-8000-000000000001 0 0 zero\n"}) {
    ask_redis("PUBLISH", "al:live:0", text);
    ask_redis("PUBLISH", channel, text);
  }
  // One that has no beginning, and one that is old.
  ask_redis("PUBLISH", channel, "x 7 9 100 1 0 0 0 \nmiddle");
  ask_redis("PUBLISH", channel, "x 0 9 0 1 1 0 0 \nold");
  one->live.append(attempt(1), "is");
  EXPECT_TRUE(sees(*two, "1: Paris"));
}

}  // namespace
}  // namespace al::events
