#include "redis/connection.hpp"

#include "core/failpoint.hpp"
#include "redis/test_fixture.hpp"

namespace al::redis {
namespace {

using namespace std::string_literals;

class RedisConnectionTest : public RedisTest {
 protected:
  void SetUp() override { ASSERT_TRUE(call(*connect(server), Command{"FLUSHALL"})); }

  RedisServer& server = RedisServer::shared();
};

// ---- answers ----

TEST_F(RedisConnectionTest, AnswersOfEveryKind) {
  auto const redis = connect(server);
  auto const binary = "a\0\r\n\xff"s;
  EXPECT_EQ(text_of(call(*redis, Command{"SET", "kind:text", binary})), "OK");
  EXPECT_EQ(text_of(call(*redis, Command{"GET", "kind:text"})), binary);
  EXPECT_TRUE(call(*redis, Command{"GET", "kind:none"})->is_null());
  EXPECT_EQ(call(*redis, Command{"INCRBY", "kind:number", "-3"})->integer(), -3);
  EXPECT_EQ(call(*redis, Command{"RPUSH", "kind:list", "a", "b"})->integer(), 2);
  EXPECT_EQ(call(*redis, Command{"LRANGE", "kind:list", "0", "-1"})->array(), (Reply::Array{Reply("a"s), Reply("b"s)}));
  EXPECT_EQ(redis->view().connects, 1u);
  EXPECT_EQ(redis->view().commands, 0u);
  EXPECT_EQ(redis->view().bytes, 0u);
}

TEST_F(RedisConnectionTest, ARefusalIsAnErrorWithoutArguments) {
  auto const redis = connect(server);
  ASSERT_TRUE(call(*redis, Command{"SET", "refusal", "x"}));
  auto const wrong = call(*redis, Command{"LPUSH", "refusal", "y"});
  EXPECT_EQ(code_of(wrong), Code::internal);
  EXPECT_TRUE(wrong.error().where.starts_with("WRONGTYPE ")) << wrong.error().where;
  auto const unknown = call(*redis, Command{"NONSENSE", "hunter2"});
  EXPECT_EQ(code_of(unknown), Code::internal);
  EXPECT_EQ(unknown.error().where, "ERR unknown command 'NONSENSE'");
  EXPECT_EQ(text_of(call(*redis, Command{"GET", "refusal"})), "x") << "the connection goes on";
  EXPECT_EQ(redis->view().connects, 1u);
}

TEST_F(RedisConnectionTest, HasItsNameAndItsDatabase) {
  auto const redis = connect(options_of(server.url(5)));
  auto const info = text_of(call(*redis, Command{"CLIENT", "INFO"}));
  EXPECT_NE(info.find(" name=agent-lightning "), info.npos) << info;
  EXPECT_NE(info.find(" db=5 "), info.npos) << info;
}

// ---- pipelining ----

Task<bool> echo(Connection& redis, int number) {
  auto const text = std::to_string(number);
  auto const reply = co_await redis.run(Command{"ECHO", text}, Deadline::after(patience));
  co_return reply && reply->text() == text;
}

Task<std::size_t> echo_all(Connection& redis, int count) {
  std::vector<Task<bool>> tasks;
  for (int i = 0; i < count; ++i)
    tasks.push_back(echo(redis, i));
  std::size_t right = 0;
  for (auto const& settled : co_await settle(std::move(tasks)))
    right += settled.value ? 1 : 0;
  co_return right;
}

std::int64_t statistic(std::string const& info, std::string const& name) {
  auto const at = info.find(name + ":");
  return at == info.npos ? -1 : std::stoll(info.substr(at + name.size() + 1));
}

TEST_F(RedisConnectionTest, ManyCoroutinesShareOneConnection) {
  auto const redis = connect(server);
  auto const before = text_of(call(*redis, Command{"INFO", "stats"}));
  EXPECT_EQ(run(echo_all(*redis, 5000)), 5000u) << "each has its own answer";
  auto const after = text_of(call(*redis, Command{"INFO", "stats"}));
  EXPECT_EQ(redis->view().connects, 1u);
  auto const reads = statistic(after, "total_reads_processed") - statistic(before, "total_reads_processed");
  EXPECT_LT(reads, 500) << "their commands went out together";
}

TEST_F(RedisConnectionTest, ALargeValueAmongSmallOnes) {
  auto const redis = connect(server);
  std::string value(20 << 20, '\0');
  for (std::size_t i = 0; i < value.size(); ++i)
    value[i] = static_cast<char>(i * 31 >> 3);
  auto const both = [&]() -> Task<bool> {
    std::vector<Task<bool>> tasks;
    auto const large = [&]() -> Task<bool> {
      auto const set = co_await redis->run(Command{"SET", "large", value}, Deadline::after(patience));
      auto const get = co_await redis->run(Command{"GET", "large"}, Deadline::after(patience));
      co_return set&& get && get->text() == value;
    };
    auto const small = [&]() -> Task<bool> { co_return co_await echo_all(*redis, 100) == 100; };
    tasks.push_back(small());
    tasks.push_back(large());
    tasks.push_back(small());
    bool all = true;
    for (auto const& settled : co_await settle(std::move(tasks)))
      all = all && !settled.fault && settled.value;
    co_return all;
  };
  EXPECT_TRUE(run(both()));
  EXPECT_TRUE(call(*redis, Command{"DEL", "large"}));
  EXPECT_EQ(redis->view().connects, 1u);
}

// ---- limits ----

TEST_F(RedisConnectionTest, BoundsWhatWaits) {
  auto const redis = connect(options_of(server.url()), {.commands_max = 10, .bytes_max = 1000});
  EXPECT_EQ(run(echo_all(*redis, 25)), 10u);
  EXPECT_EQ(run(echo_all(*redis, 10)), 10u) << "room again";
  EXPECT_EQ(code_of(call(*redis, Command{"ECHO", std::string(1000, 'x')})), Code::payload_too_large);
  auto const two = [&]() -> Task<std::size_t> {
    auto const one = [&]() -> Task<bool> {
      auto const reply = co_await redis->run(Command{"ECHO", std::string(600, 'x')}, Deadline::after(patience));
      co_return reply.has_value();
    };
    std::vector<Task<bool>> tasks;
    tasks.push_back(one());
    tasks.push_back(one());
    auto const settled = co_await settle(std::move(tasks));
    co_return (settled[0].value ? 1 : 0) + (settled[1].value ? 10 : 0);
  };
  EXPECT_EQ(run(two()), 1u) << "bytes are counted as well";
}

TEST_F(RedisConnectionTest, AnAnswerOverTheLimitCostsTheConnection) {
  auto const redis = connect(options_of(server.url()), {.reply = {.bytes_max = 1000}});
  ASSERT_TRUE(call(*redis, Command{"SETRANGE", "long", "2000", "x"}));
  auto const reply = call(*redis, Command{"GET", "long"});
  EXPECT_EQ(code_of(reply), Code::unavailable);
  EXPECT_NE(reply.error().message.find("larger than the limit"), std::string::npos) << reply.error().message;
  EXPECT_EQ(text_of(call(*redis, Command{"ECHO", "x"})), "x") << "the next one is made at once";
  EXPECT_EQ(redis->view().connects, 2u);
}

TEST_F(RedisConnectionTest, ADeadlineInThePastSendsNothing) {
  auto const redis = connect(server);
  EXPECT_EQ(code_of(call(*redis, Command{"SET", "late", "x"}, 0ms)), Code::timed_out);
  EXPECT_TRUE(call(*redis, Command{"GET", "late"})->is_null());
}

TEST_F(RedisConnectionTest, Failpoints) {
  auto const redis = connect(server);
#ifdef AL_FAILPOINTS
  failpoint::arm("redis.send.before=error@1;redis.send.after=error@1");
  EXPECT_EQ(code_of(call(*redis, Command{"SET", "failpoint", "x"})), Code::unavailable);
  EXPECT_EQ(code_of(call(*redis, Command{"SET", "failpoint", "y"})), Code::unavailable) << "done, and not known";
  failpoint::arm("");
  EXPECT_EQ(text_of(call(*redis, Command{"GET", "failpoint"})), "y");
#endif
}

// ---- wrong settings ----

TEST_F(RedisConnectionTest, SaysWhatIsWrongWithTheSettings) {
  RedisServer locked({.lines = {"requirepass hunter2", "user ann on >hunter3 ~* +@all", "databases 4"}});
  struct Case {
    Credentials credentials;
    int database = 0;
    char const* message = "";
  };
  for (auto const& c : {
           Case{{}, 0, "Redis wants a password, and none is configured"},
           Case{{}, 1, "Redis wants a password, and none is configured"},
           Case{{.username = {}, .password = "guess1"}, 0, "Redis refuses the configured user or password: WRONGPASS"},
           Case{{.username = "ann", .password = "hunter2"}, 0, "Redis refuses the configured user or password"},
           Case{{.username = {}, .password = "hunter2"}, 4, "Redis refuses database 4: ERR DB index is out of range"},
       }) {
    auto options = options_of(locked.url(c.database));
    options.credentials = c.credentials;
    auto const redis = connect(options);
    auto const reply = call(*redis, Command{"PING"});
    ASSERT_FALSE(reply) << c.message;
    EXPECT_EQ(reply.error().code, Code::unavailable);
    EXPECT_NE(reply.error().message.find(c.message), std::string::npos) << reply.error().message;
    EXPECT_EQ(reply.error().message.find("hunter"), std::string::npos);
    EXPECT_EQ(reply.error().message.find("guess"), std::string::npos);
  }
  for (auto const& right :
       {Credentials{.username = {}, .password = "hunter2"}, Credentials{.username = "ann", .password = "hunter3"}}) {
    auto options = options_of(locked.url(3));
    options.credentials = right;
    EXPECT_EQ(text_of(call(*connect(options), Command{"PING"})), "PONG");
  }
}

TEST_F(RedisConnectionTest, AnAclMayForbidWhatTheGreetingAsks) {
  RedisServer strict({.lines = {"user bob on >pw ~k* -@all +get"}});
  auto options = options_of(strict.url());
  options.credentials = {.username = "bob", .password = "pw"};
  auto const redis = connect(options);
  EXPECT_TRUE(call(*redis, Command{"GET", "k"})->is_null());
  auto const refused = call(*redis, Command{"GET", "x"});
  EXPECT_EQ(code_of(refused), Code::internal);
  EXPECT_TRUE(refused.error().where.starts_with("NOPERM"));
}

TEST_F(RedisConnectionTest, NobodyThere) {
  std::uint16_t port = 0;
  {
    port = OddServer([](int, int) {}).port;
  }
  auto options = options_of("redis://127.0.0.1:" + std::to_string(port));
  auto const redis = connect(options);
  auto const reply = call(*redis, Command{"PING"});
  EXPECT_EQ(code_of(reply), Code::unavailable);
  EXPECT_NE(reply.error().message.find("Connection refused"), std::string::npos) << reply.error().message;
  options.server.host = "no.such.host.invalid";
  EXPECT_EQ(code_of(call(*connect(options), Command{"PING"})), Code::unavailable);
}

// ---- servers that do what Redis does not ----

TEST_F(RedisConnectionTest, ADeafServerIsWaitedForOnceOnly) {
  OddServer deaf([](int socket, int) {
    while (OddServer::read_some(socket)) {
    }
  });
  auto options = options_of("redis://127.0.0.1:" + std::to_string(deaf.port));
  options.connect_timeout = 300ms;
  auto const redis = connect(options);
  EXPECT_EQ(code_of(call(*redis, Command{"PING"}, 50ms)), Code::timed_out) << "no longer than the caller's deadline";
  EXPECT_EQ(code_of(call(*redis, Command{"PING"})), Code::unavailable);
  // The next attempts take their time; whoever calls meanwhile hears at once that Redis is away.
  auto const begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 1000; ++i)
    EXPECT_EQ(code_of(call(*redis, Command{"PING"})), Code::unavailable);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 10s) << "a thousand attempts would take five minutes";
}

TEST_F(RedisConnectionTest, AServerThatHangsUpIsNotCalledInATightLoop) {
  OddServer rude([](int socket, int) {
    greet(socket);
    OddServer::say(socket, "-ERR max number of clients reached\r\n");
  });
  auto const redis = connect(options_of("redis://127.0.0.1:" + std::to_string(rude.port)));
  std::ignore = call(*redis, Command{"PING"});
  io.restart();
  io.run_for(1s);
  EXPECT_GE(rude.connections, 3);
  EXPECT_LE(rude.connections, 15) << "20 ms, doubling, of which half is by chance";
}

TEST_F(RedisConnectionTest, AnAnswerThatNobodyAskedForEndsTheConnection) {
  OddServer chatty([](int socket, int) {
    greet(socket);
    OddServer::read_some(socket);
    OddServer::say(socket, "+PONG\r\n:1\r\n");
    while (OddServer::read_some(socket)) {
    }
  });
  auto const redis = connect(options_of("redis://127.0.0.1:" + std::to_string(chatty.port)));
  std::ignore = call(*redis, Command{"PING"});
  run_until([&] { return redis->view().losses > 0; }, "it cannot tell which answer is whose");
}

TEST_F(RedisConnectionTest, NoRedisAtAll) {
  OddServer web([](int socket, int) {
    OddServer::say(socket, "HTTP/1.1 400 Bad Request\r\n\r\n");
    while (OddServer::read_some(socket)) {
    }
  });
  auto const redis = connect(options_of("redis://127.0.0.1:" + std::to_string(web.port)));
  auto const reply = call(*redis, Command{"PING"});
  EXPECT_EQ(code_of(reply), Code::unavailable);
  EXPECT_NE(reply.error().message.find("not in Redis's protocol"), std::string::npos) << reply.error().message;
}

}  // namespace
}  // namespace al::redis
