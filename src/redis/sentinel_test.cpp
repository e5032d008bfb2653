#include "redis/connection.hpp"
#include "redis/subscriber.hpp"
#include "redis/test_fixture.hpp"

namespace al::redis {
namespace {

class RedisSentinelTest : public RedisTest {
 protected:
  static std::vector<std::string> watch(RedisServer const& master) {
    return {"sentinel monitor mymaster 127.0.0.1 " + std::to_string(master.port()) + " 1",
            "sentinel down-after-milliseconds mymaster 300", "sentinel failover-timeout mymaster 2000"};
  }
  [[nodiscard]] Options through(std::vector<std::uint16_t> const& ports) const {
    std::string url = "redis+sentinel://";
    for (auto const port : ports)
      url += (url.ends_with('/') ? "127.0.0.1:" : ",127.0.0.1:") + std::to_string(port);
    return options_of(url + "/mymaster/1");
  }
  static std::uint16_t closed_port() {
    return OddServer([](int, int) {}).port;
  }

  /// Waits until the sentinel has found the replica, without which it has nobody to promote.
  void wait_for_replica(RedisServer const& sentinel) {
    auto const admin = connect(sentinel);
    run_until(
        [&] {
          auto const master = call(*admin, Command{"INFO", "sentinel"});
          return text_of(master).find("slaves=1,") != std::string::npos;
        },
        "the sentinel knows the replica");
  }
};

TEST_F(RedisSentinelTest, FindsTheMasterThroughTheOneThatAnswers) {
  RedisServer master;
  RedisServer sentinel({.lines = watch(master), .sentinel = true});
  auto const redis = connect(through({closed_port(), sentinel.port(), closed_port()}));
  EXPECT_EQ(text_of(call(*redis, Command{"SET", "x", "1"})), "OK");
  auto const info = text_of(call(*redis, Command{"CLIENT", "INFO"}));
  EXPECT_NE(info.find(":" + std::to_string(master.port()) + " "), info.npos) << info;
  EXPECT_NE(info.find(" db=1 "), info.npos) << info;

  auto unknown = through({sentinel.port()});
  unknown.master_name = "another";
  auto const reply = call(*connect(unknown), Command{"PING"});
  EXPECT_EQ(code_of(reply), Code::unavailable);
  EXPECT_NE(reply.error().message.find("Sentinel knows no master of the configured name"), std::string::npos)
      << reply.error().message;
  EXPECT_EQ(code_of(call(*connect(through({closed_port()})), Command{"PING"})), Code::unavailable);
}

TEST_F(RedisSentinelTest, ASentinelThatIsBehindIsNotBelieved) {
  RedisServer master;
  RedisServer replica({.lines = {"replicaof 127.0.0.1 " + std::to_string(master.port())}});
  OddServer behind([&](int socket, int) {
    OddServer::read_some(socket);
    auto const port = std::to_string(replica.port());
    OddServer::say(socket, "*2\r\n$9\r\n127.0.0.1\r\n$" + std::to_string(port.size()) + "\r\n" + port + "\r\n");
  });
  RedisServer sentinel({.lines = watch(master), .sentinel = true});
  auto const redis = connect(through({behind.port, sentinel.port()}));
  auto const reply = call(*redis, Command{"PING"});
  EXPECT_NE(reply.error().message.find("is a replica"), std::string::npos) << reply.error().message;
  wait_until_back(*redis);
}

TEST_F(RedisSentinelTest, FollowsAFailover) {
  RedisServer first;
  RedisServer second({.lines = {"replicaof 127.0.0.1 " + std::to_string(first.port())}});
  RedisServer sentinel({.lines = watch(first), .sentinel = true});
  auto const redis = connect(through({sentinel.port()}));
  int ready = 0;
  std::vector<std::string> heard;
  Subscriber subscriber(
      io.get_executor(), through({sentinel.port()}), random,
      {.on_announcement = [&](Announcement const& a) { heard.push_back(a.text); }, .on_ready = [&] { ++ready; }});
  subscriber.subscribe("one");
  run_until([&] { return ready == 1; }, "the subscription stands");
  ASSERT_TRUE(call(*redis, Command{"SET", "x", "1"}));
  wait_for_replica(sentinel);

  first.kill();
  wait_until_back(*redis);
  EXPECT_EQ(text_of(call(*redis, Command{"SET", "x", "2"})), "OK");
  auto const info = text_of(call(*redis, Command{"CLIENT", "INFO"}));
  EXPECT_NE(info.find(":" + std::to_string(second.port()) + " "), info.npos) << info;
  run_until([&] { return ready == 2; }, "the subscriber follows");
  ASSERT_TRUE(call(*redis, Command{"PUBLISH", "one", "after"}));
  run_until([&] { return !heard.empty(); }, "and hears");
  EXPECT_EQ(heard, std::vector<std::string>{"after"});
}

}  // namespace
}  // namespace al::redis
