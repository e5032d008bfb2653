#include "redis/subscriber.hpp"

#include <stdexcept>
#include <vector>

#include "redis/test_fixture.hpp"

namespace al::redis {
namespace {

class RedisSubscriberTest : public RedisTest {
 protected:
  std::unique_ptr<Subscriber> subscribe(Options options, SubscriberTimes times = {}) {
    return std::make_unique<Subscriber>(
        io.get_executor(), std::move(options), random,
        SubscriberHandlers{.on_announcement =
                               [this](Announcement const& a) {
                                 heard.push_back(a.channel + "=" + a.text + (a.pattern.empty() ? "" : " " + a.pattern));
                               },
                           .on_ready = [this] { ++ready; },
                           .on_broken = [this] { ++broken; }},
        times);
  }
  std::unique_ptr<Subscriber> subscribe(SubscriberTimes times = {}) {
    return subscribe(options_of(server.url()), times);
  }
  /// How many heard of it.
  std::int64_t publish(Connection& redis, std::string_view channel, std::string_view text) {
    auto const reply = call(redis, Command{"PUBLISH", channel, text});
    return reply && reply->is_integer() ? reply->integer() : -1;
  }
  void run_until_heard(std::size_t count) {
    run_until([&] { return heard.size() >= count; }, "the announcement comes");
  }
  void run_until_ready(int count) {
    run_until([&] { return ready >= count; }, "the subscriptions stand");
  }

  RedisServer server;
  std::vector<std::string> heard;
  int ready = 0;
  int broken = 0;
};

TEST_F(RedisSubscriberTest, HearsChannelsAndPatterns) {
  auto const redis = connect(server);
  auto const subscriber = subscribe();
  subscriber->subscribe("one");
  subscriber->subscribe_pattern("task:*");
  run_until_ready(1);
  EXPECT_TRUE(subscriber->view().is_ready);
  std::string const binary("a\0\r\n", 4);
  EXPECT_EQ(publish(*redis, "one", binary), 1);
  EXPECT_EQ(publish(*redis, "task:created", "x"), 1);
  EXPECT_EQ(publish(*redis, "two", "y"), 0);
  run_until_heard(2);
  EXPECT_EQ(heard, (std::vector<std::string>{"one=" + binary, "task:created=x task:*"}));
  EXPECT_EQ(ready, 1) << "once for both";
}

TEST_F(RedisSubscriberTest, SubscriptionsComeAndGo) {
  auto const redis = connect(server);
  auto const subscriber = subscribe();
  subscriber->subscribe("one");
  subscriber->subscribe("one");
  run_until_ready(1);
  subscriber->subscribe("two");
  EXPECT_FALSE(subscriber->view().is_ready) << "what is announced there now is missed";
  run_until_ready(2);
  subscriber->unsubscribe("one");
  subscriber->unsubscribe("never");
  run_until_ready(3);
  EXPECT_EQ(publish(*redis, "one", "x"), 0);
  EXPECT_EQ(publish(*redis, "two", "y"), 1);
  run_until_heard(1);
  EXPECT_EQ(heard, std::vector<std::string>{"two=y"});
  EXPECT_EQ(subscriber->view().connects, 1u);
}

TEST_F(RedisSubscriberTest, SubscribesAgainAndSaysSo) {
  auto const redis = connect(server);
  auto const subscriber = subscribe();
  subscriber->subscribe("one");
  subscriber->subscribe_pattern("t*");
  run_until_ready(1);
  for (int round = 1; round <= 3; ++round) {
    server.kill();
    run_until([&] { return broken == round; }, "the owner hears that it may miss something");
    EXPECT_FALSE(subscriber->view().is_ready);
    server.start();
    run_until_ready(round + 1);
    wait_until_back(*redis);
    heard.clear();
    EXPECT_EQ(publish(*redis, "one", "x"), 1);
    EXPECT_EQ(publish(*redis, "two", "y"), 1);
    run_until_heard(2);
    EXPECT_EQ(heard, (std::vector<std::string>{"one=x", "two=y t*"}));
  }
  EXPECT_EQ(broken, 3) << "once an outage";
}

TEST_F(RedisSubscriberTest, StartsBeforeRedisDoes) {
  server.stop();
  auto const subscriber = subscribe();
  subscriber->subscribe("one");
  run_until([&] { return broken == 1; }, "nobody is there");
  server.start();
  run_until_ready(1);
}

TEST_F(RedisSubscriberTest, PingsNoticeADeadServer) {
  auto options = options_of(server.url());
  options.connect_timeout = 200ms;
  auto const subscriber = subscribe(options, {.ping_interval = 100ms});
  subscriber->subscribe("one");
  run_until_ready(1);
  io.restart();
  io.run_for(500ms);
  EXPECT_EQ(subscriber->view().connects, 1u) << "pings are answered, though nothing else comes";
  server.pause();
  run_until([&] { return broken == 1; }, "silence is noticed");
  server.resume();
  run_until_ready(2);
}

TEST_F(RedisSubscriberTest, ARefusedSubscriptionIsBroken) {
  RedisServer strict({.lines = {"user bob on >pw resetchannels &fine* +@all ~*"}});
  auto options = options_of(strict.url());
  options.credentials = {.username = "bob", .password = "pw"};
  auto const subscriber = subscribe(options);
  subscriber->subscribe("fine");
  run_until_ready(1);
  subscriber->subscribe("forbidden");
  run_until([&] { return broken == 1; }, "the owner is not left in the belief that it hears");
  EXPECT_FALSE(subscriber->view().is_ready);
  subscriber->unsubscribe("forbidden");
  run_until_ready(2);
}

TEST_F(RedisSubscriberTest, AHandlerMayThrowOrDestroy) {
  auto const redis = connect(server);
  std::unique_ptr<Subscriber> subscriber;
  int calls = 0;
  subscriber = std::make_unique<Subscriber>(io.get_executor(), options_of(server.url()), random,
                                            SubscriberHandlers{.on_announcement =
                                                                   [&](Announcement const& a) {
                                                                     ++calls;
                                                                     if (a.text == "end")
                                                                       subscriber.reset();
                                                                     throw std::runtime_error("from the handler");
                                                                   },
                                                               .on_ready = [this] { ++ready; }});
  subscriber->subscribe("one");
  run_until_ready(1);
  EXPECT_EQ(publish(*redis, "one", "x"), 1);
  EXPECT_EQ(publish(*redis, "one", "end"), 1);
  EXPECT_GE(publish(*redis, "one", "after"), 0);
  run_until([&] { return !subscriber; }, "the handler ends it");
  run_until([&] { return publish(*redis, "one", "later") == 0; }, "Redis notices");
  EXPECT_EQ(calls, 2) << "no handler is called after the end";
}

TEST_F(RedisSubscriberTest, EndsAtAnyTime) {
  subscribe();
  auto subscriber = subscribe();
  subscriber->subscribe("one");
  subscriber.reset();
  server.pause();
  subscriber = subscribe();
  subscriber->subscribe("one");
  io.restart();
  io.run_for(50ms);
  subscriber.reset();
  io.restart();
  io.run_for(patience);
  EXPECT_TRUE(io.stopped());
  EXPECT_EQ(ready + broken, 0);
  server.resume();
}

}  // namespace
}  // namespace al::redis
