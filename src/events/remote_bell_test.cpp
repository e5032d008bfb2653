/// Two processes' buses, joined through a real Redis.

#include "events/remote_bell.hpp"

#include <gtest/gtest.h>

#include "events/io_fixture.hpp"
#include "redis/connection.hpp"
#include "testing/redis_server.hpp"
#include "testing/seeded_random.hpp"

namespace al::events {
namespace {

using namespace std::chrono_literals;

class RemoteBellTest : public IoFixture {
 protected:
  struct Process {
    Process(RemoteBellTest& test, std::string name)
        : bell(test.io.get_executor(), *redis::parse_url(test.server.url()), bus, test.random, std::move(name)) {
      bus.on("*", [this](Announcement const& it) {
        heard.push_back(it.channel + " " + it.tenant.value + " " + it.aggregate_id + " " + it.agent_id.value);
      });
      bus.forward_to([this](Announcement const& it) { bell.send(it); });
      bell.start();
    }
    Bus bus;
    std::vector<std::string> heard;
    RemoteBell bell;
  };

  void TearDown() override {
    one.reset();
    two.reset();
    expect_nothing_waits();
  }

  bool both_hear() {
    return until([&] { return one->bell.hearing().is_whole && two->bell.hearing().is_whole; });
  }

  RedisServer server;
  SeededRandom random;
  std::unique_ptr<Process> one = std::make_unique<Process>(*this, "one");
  std::unique_ptr<Process> two = std::make_unique<Process>(*this, "two");
};

TEST_F(RemoteBellTest, WhatOneAnnouncesTheOtherHearsOnce) {
  ASSERT_TRUE(both_hear());
  one->bus.announce({"task:created", TenantId{"t"}, "an \"odd\" id\t\n", AgentId{"a"}});
  one->bus.announce({.channel = "agent:updated", .tenant = TenantId{"t"}, .aggregate_id = "a"});
  two->bus.announce({.channel = "knowledge:added", .tenant = TenantId{"u"}, .aggregate_id = "a/k"});
  ASSERT_TRUE(until([&] { return two->heard.size() >= 3 && one->heard.size() >= 3; }));
  // Each tells its own listeners itself, and does not hear its own echo.
  EXPECT_EQ(two->heard, (std::vector<std::string>{"knowledge:added u a/k ", "task:created t an \"odd\" id\t\n a",
                                                  "agent:updated t a "}));
  EXPECT_EQ(one->heard.size(), 3U);
  EXPECT_EQ(one->heard.back(), "knowledge:added u a/k ");
}

TEST_F(RemoteBellTest, ManyGoTogetherAndNoneIsLost) {
  ASSERT_TRUE(both_hear());
  for (int i = 0; i < 5000; ++i)
    one->bus.announce({.channel = "task:created", .tenant = TenantId{"t"}, .aggregate_id = std::to_string(i)});
  ASSERT_TRUE(until([&] { return two->heard.size() >= 5000; }));
  EXPECT_EQ(two->heard.back(), "task:created t 4999 ");
}

TEST_F(RemoteBellTest, ItGoesAlsoWhileRedisOwesItAnAnswer) {
  ASSERT_TRUE(both_hear());
  server.pause();
  one->bus.announce({.channel = "task:created", .tenant = TenantId{"t"}, .aggregate_id = "a"});
  io.restart();
  io.run_for(50ms);  // it is on its way
  auto const begun = std::chrono::steady_clock::now();
  one.reset();
  two.reset();
  io.restart();
  io.run_for(patience);
  EXPECT_TRUE(io.stopped());
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 1500ms) << "it waited for the answer";
  server.resume();
}

TEST_F(RemoteBellTest, MoreThanItKeepsBecomesOneMark) {
  ASSERT_TRUE(both_hear());
  auto const gaps = two->bell.hearing().gaps;
  for (std::size_t i = 0; i < RemoteBell::waiting_max + 10; ++i)
    one->bus.announce({.channel = "task:created", .tenant = TenantId{"t"}, .aggregate_id = std::to_string(i)});
  ASSERT_TRUE(until([&] { return two->bell.hearing().gaps > gaps; })) << "it must know that it has not heard all";
  ASSERT_TRUE(until([&] { return !two->heard.empty(); }));
}

TEST_F(RemoteBellTest, AnOutageIsAGapAndThenAllIsHeardAgain) {
  ASSERT_TRUE(both_hear());
  auto const before = two->bell.hearing().gaps;
  server.kill();
  ASSERT_TRUE(until([&] { return !two->bell.hearing().is_whole && !one->bell.hearing().is_whole; }));
  EXPECT_GT(two->bell.hearing().gaps, before);
  one->bus.announce({.channel = "task:created", .tenant = TenantId{"t"}, .aggregate_id = "lost"});
  server.start();
  ASSERT_TRUE(both_hear());
  one->bus.announce({.channel = "task:created", .tenant = TenantId{"t"}, .aggregate_id = "after"});
  ASSERT_TRUE(until([&] { return !two->heard.empty() && two->heard.back() == "task:created t after "; }));
}

/// Redis takes no announcement from one, while the other hears it well all the time.
TEST_F(RemoteBellTest, WhatCouldNotBeSentIsTheOthersGap) {
  ASSERT_TRUE(both_hear());
  auto const gaps = two->bell.hearing().gaps;
  redis::Connection connection(io.get_executor(), *redis::parse_url(server.url()), random);
  bool is_paused = false;
  asio::co_spawn(io, connection.run(redis::Command{"CLIENT", "PAUSE", "3000", "WRITE"}, Deadline::after(patience)),
                 [&](std::exception_ptr, auto const& done) { is_paused = done.has_value(); });
  ASSERT_TRUE(until([&] { return is_paused; }));
  one->bus.announce({.channel = "task:created", .tenant = TenantId{"t"}, .aggregate_id = "late"});
  ASSERT_TRUE(until([&] { return two->bell.hearing().gaps > gaps; }));
  EXPECT_TRUE(two->bell.hearing().is_whole);
}

TEST_F(RemoteBellTest, WhatOthersWriteIntoTheChannelIsLeftAlone) {
  ASSERT_TRUE(both_hear());
  redis::Connection connection(io.get_executor(), *redis::parse_url(server.url()), random);
  auto published = std::make_shared<int>(0);
  for (auto const* text : {"", "{}", "[1]", "[]", R"(["x","task:created"])", "\xff", R"(["x",1,2,3,4])"}) {
    asio::co_spawn(io, connection.run(redis::Command{"PUBLISH", "al:bell:0", text}, Deadline::after(patience)),
                   [published](std::exception_ptr, auto const&) { ++*published; });
  }
  ASSERT_TRUE(until([&] { return *published == 7; }));
  one->bus.announce({.channel = "agent:updated", .tenant = TenantId{"t"}, .aggregate_id = "a"});
  ASSERT_TRUE(until([&] { return !two->heard.empty(); }));
  EXPECT_EQ(two->heard, (std::vector<std::string>{"agent:updated t a "}));
}

}  // namespace
}  // namespace al::events
