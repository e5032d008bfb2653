/// Servers that die, sleep, or change their role, and callers that leave.
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/system/system_error.hpp>

#include "redis/connection.hpp"
#include "redis/test_fixture.hpp"

namespace al::redis {
namespace {

using namespace std::string_literals;

class RedisOutageTest : public RedisTest {
 protected:
  /// Starts a call, and has it handed to the connection before it returns.
  std::shared_ptr<std::optional<Result<Reply>>> start(Connection& redis, Command command,
                                                      std::chrono::milliseconds limit = patience) {
    auto answer = std::make_shared<std::optional<Result<Reply>>>();
    auto const before = redis.view().commands;
    asio::co_spawn(io, redis.run(std::move(command), Deadline::after(limit)),
                   [answer](std::exception_ptr const& thrown, Result<Reply> reply) {
                     *answer = thrown ? fail(Code::internal, "thrown") : std::move(reply);
                   });
    run_until([&] { return redis.view().commands > before || answer->has_value(); }, "the call begins");
    return answer;
  }

  RedisServer server;
};

// What the load of a test has seen.
struct Load {
  bool stop = false;
  int running = 0;
  int answered = 0;
  int unavailable = 0;
  int other = 0;
};

Task<void> keep_calling(Connection& redis, Load& load) {
  ++load.running;
  while (!load.stop) {
    auto const reply = co_await redis.run(Command{"INCR", "load"}, Deadline::after(patience));
    if (reply)
      ++load.answered;
    else
      ++(reply.error().code == Code::unavailable ? load.unavailable : load.other);
    // A refused call comes back at once, without having waited for anything.
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
  }
  --load.running;
}

TEST_F(RedisOutageTest, KilledAndRestartedUnderLoad) {
  auto const redis = connect(server);
  Load load;
  for (int i = 0; i < 50; ++i)
    spawn(io.get_executor(), "load", keep_calling(*redis, load));
  for (int round = 0; round < 3; ++round) {
    auto const answered = load.answered;
    run_until([&] { return load.answered > answered + 500; }, "Redis answers");
    server.kill();
    auto const unavailable = load.unavailable;
    run_until([&] { return load.unavailable > unavailable + 500; }, "calls fail at once");
    server.start();
    auto const begin = std::chrono::steady_clock::now();
    auto const again = load.answered;
    run_until([&] { return load.answered > again; }, "Redis is back");
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 5s) << "the longest wait is a second";
  }
  load.stop = true;
  run_until([&] { return load.running == 0; }, "all calls end");
  EXPECT_EQ(load.other, 0) << "nobody waited until the deadline";
  EXPECT_EQ(redis->view().losses, 3u);
}

TEST_F(RedisOutageTest, OnlyRepeatableCommandsAreSentAgain) {
  auto const redis = connect(server);
  ASSERT_TRUE(call(*redis, Command{"SET", "x", "1"}));
  server.pause();
  auto const write = start(*redis, Command{"INCR", "x"});
  auto const read = start(*redis, Command{"EXISTS", "x"}.repeatable());
  auto const second_write = start(*redis, Command{"INCR", "x"});
  server.kill();
  server.start();
  run_until([&] { return *write && *read && *second_write; }, "all three come to an end");
  for (auto const& answer : {*write, *second_write}) {
    ASSERT_FALSE(*answer) << "a write was sent again";
    EXPECT_EQ(code_of(*answer), Code::unavailable);
    EXPECT_NE(answer->error().message.find("may have been done"), std::string::npos) << answer->error().message;
  }
  ASSERT_TRUE(**read) << (*read)->error().message;
  EXPECT_EQ((**read)->integer(), 0) << "the new server was asked, and neither write was sent to it";
}

TEST_F(RedisOutageTest, ASleepingServerHoldsNobodyPastTheDeadline) {
  auto const redis = connect(server);
  ASSERT_TRUE(call(*redis, Command{"PING"}));
  server.pause();
  auto const begin = std::chrono::steady_clock::now();
  auto const patient = start(*redis, Command{"ECHO", "patient"});
  EXPECT_EQ(code_of(call(*redis, Command{"ECHO", "hasty"}, 100ms)), Code::timed_out);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 4s);
  server.resume();
  EXPECT_EQ(text_of(call(*redis, Command{"ECHO", "later"})), "later") << "answers stay in order";
  ASSERT_TRUE(*patient);
  EXPECT_EQ(text_of(**patient), "patient");
  EXPECT_EQ(redis->view().connects, 1u);
  EXPECT_EQ(redis->view().bytes, 0u);
}

TEST_F(RedisOutageTest, AServerThatIsSilentTooLongCountsAsGone) {
  auto options = options_of(server.url());
  // Far apart: an attempt must fail well before the call that waits for it runs out of time.
  options.command_timeout = 1500ms;
  options.connect_timeout = 300ms;
  auto const redis = connect(options);
  ASSERT_TRUE(call(*redis, Command{"PING"}));
  server.pause();
  EXPECT_EQ(code_of(call(*redis, Command{"PING"})), Code::timed_out) << "the command's own limit";
  run_until([&] { return redis->view().losses == 1; }, "the connection is given up");
  EXPECT_EQ(code_of(call(*redis, Command{"PING"})), Code::unavailable) << "so is the attempt to make another one";
  server.resume();
  wait_until_back(*redis);
}

TEST_F(RedisOutageTest, CancellingACallerLeavesThePipelineInOrder) {
  auto const redis = connect(server);
  ASSERT_TRUE(call(*redis, Command{"PING"}));
  server.pause();
  asio::cancellation_signal signal;
  bool was_cancelled = false;
  asio::co_spawn(io, redis->run(Command{"INCR", "cancelled"}, Deadline::after(patience)),
                 asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr const& thrown, Result<Reply>) {
                   try {
                     if (thrown)
                       std::rethrow_exception(thrown);
                   } catch (boost::system::system_error const& error) {
                     was_cancelled = error.code() == asio::error::operation_aborted;
                   }
                 }));
  run_until([&] { return redis->view().commands == 1; }, "the call begins");
  auto const other = start(*redis, Command{"ECHO", "other"});
  signal.emit(asio::cancellation_type::terminal);
  run_until([&] { return was_cancelled; }, "the caller goes on at once");
  EXPECT_EQ(redis->view().commands, 2u) << "its command keeps its place";
  server.resume();
  run_until([&] { return other->has_value(); }, "the other one is answered");
  EXPECT_EQ(text_of(**other), "other");
  EXPECT_EQ(text_of(call(*redis, Command{"GET", "cancelled"})), "1") << "what was sent is done";
}

TEST_F(RedisOutageTest, CallersMayLeaveBeforeThereIsAConnection) {
  server.pause();
  auto const redis = connect(server);
  auto const hasty = start(*redis, Command{"SET", "hasty", "x"}, 50ms);
  auto const patient = start(*redis, Command{"ECHO", "patient"}, 60s);
  run_until([&] { return hasty->has_value(); }, "the deadline passes");
  EXPECT_EQ(code_of(**hasty), Code::timed_out);
  EXPECT_EQ(redis->view().commands, 1u) << "what was not sent is forgotten";
  server.resume();
  run_until([&] { return patient->has_value(); }, "the patient one is answered");
  EXPECT_EQ(text_of(**patient), "patient");
  EXPECT_TRUE(call(*redis, Command{"GET", "hasty"})->is_null());
}

TEST_F(RedisOutageTest, DestroyedWhileCallsRun) {
  auto redis = connect(server);
  ASSERT_TRUE(call(*redis, Command{"PING"}));
  server.pause();
  auto const running = start(*redis, Command{"PING"});
  redis.reset();
  run_until([&] { return running->has_value(); }, "the call ends");
  EXPECT_EQ(code_of(**running), Code::unavailable);
  auto early = connect(server);
  auto const waiting = start(*early, Command{"PING"});
  early.reset();
  run_until([&] { return waiting->has_value(); }, "the call ends");
  EXPECT_EQ(code_of(**waiting), Code::unavailable);
  server.resume();
}

TEST_F(RedisOutageTest, AServerThatBecomesAReplicaIsLeft) {
  auto const redis = connect(server);
  auto const admin = connect(server);
  ASSERT_TRUE(call(*redis, Command{"SET", "role", "1"}));
  ASSERT_TRUE(call(*admin, Command{"REPLICAOF", "127.0.0.1", "1"}));
  auto const reply = call(*redis, Command{"SET", "role", "2"});
  EXPECT_EQ(code_of(reply), Code::unavailable);
  EXPECT_NE(reply.error().message.find("READONLY"), std::string::npos) << reply.error().message;
  run_until([&] { return redis->view().losses == 1; }, "another one may be the master now");
  ASSERT_TRUE(call(*admin, Command{"REPLICAOF", "NO", "ONE"}));
  wait_until_back(*redis);
  EXPECT_EQ(text_of(call(*redis, Command{"SET", "role", "3"})), "OK");
}

TEST_F(RedisOutageTest, AServerWithoutItsMasterIsNotTaken) {
  auto const admin = connect(server);
  ASSERT_TRUE(call(*admin, Command{"CONFIG", "SET", "replica-serve-stale-data", "no"}));
  ASSERT_TRUE(call(*admin, Command{"REPLICAOF", "127.0.0.1", "1"}));
  auto const redis = connect(server);
  auto const reply = call(*redis, Command{"GET", "x"});
  EXPECT_EQ(code_of(reply), Code::unavailable);
  EXPECT_NE(reply.error().message.find("MASTERDOWN"), std::string::npos) << reply.error().message;
  ASSERT_TRUE(call(*admin, Command{"REPLICAOF", "NO", "ONE"}));
  wait_until_back(*redis);
}

TEST_F(RedisOutageTest, KilledByTheServerItComesBackAtOnce) {
  auto const redis = connect(server);
  auto const admin = connect(server);
  ASSERT_TRUE(call(*redis, Command{"PING"}));
  ASSERT_TRUE(call(*admin, Command{"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"}));
  run_until([&] { return redis->view().losses == 1; }, "an idle connection notices");
  EXPECT_EQ(text_of(call(*redis, Command{"ECHO", "x"})), "x") << "the first attempt is waited for";
}

}  // namespace
}  // namespace al::redis
