#include "redis/script.hpp"

#include "redis/test_fixture.hpp"

namespace al::redis {
namespace {

class RedisScriptTest : public RedisTest {
 protected:
  Result<Reply> evaluate(Connection& redis, Script const& script, std::vector<std::string> keys,
                         std::vector<std::string> arguments) {
    return run(script.run(redis, std::move(keys), std::move(arguments), Deadline::after(patience)));
  }

  RedisServer server;
};

TEST_F(RedisScriptTest, IsKnownByItsDigest) {
  EXPECT_EQ(Script("abc").digest(), "a9993e364706816aba3e25717850c26c9cd0d89d") << "FIPS 180-4";
}

TEST_F(RedisScriptTest, TellsItsTextOnce) {
  auto const redis = connect(server);
  Script const script("redis.call('SET', KEYS[1], ARGV[1]) return {KEYS[1], ARGV[2], #KEYS, #ARGV}");
  Reply const expected(Reply::Array{Reply(std::string("k")), Reply(std::string("b\0", 2)), Reply(1), Reply(2)});
  auto const known = [&] {
    return call(*redis, Command{"SCRIPT", "EXISTS", script.digest()})->array().at(0).integer();
  };
  EXPECT_EQ(known(), 0);
  EXPECT_EQ(evaluate(*redis, script, {"k"}, {"a", std::string("b\0", 2)}), expected);
  EXPECT_EQ(known(), 1);
  EXPECT_EQ(evaluate(*redis, script, {"k"}, {"a", std::string("b\0", 2)}), expected);
  ASSERT_TRUE(call(*redis, Command{"SCRIPT", "FLUSH"}));
  EXPECT_EQ(evaluate(*redis, script, {"k"}, {"c", std::string("b\0", 2)}), expected) << "also after a restart";
  EXPECT_EQ(text_of(call(*redis, Command{"GET", "k"})), "c");
  EXPECT_TRUE(evaluate(*redis, Script("return nil"), {}, {})->is_null());
}

TEST_F(RedisScriptTest, ItsErrorsAreErrors) {
  auto const redis = connect(server);
  auto const own = evaluate(*redis, Script("return redis.error_reply('STALE token 7')"), {}, {});
  EXPECT_EQ(code_of(own), Code::internal);
  EXPECT_TRUE(own.error().where.starts_with("STALE token 7")) << own.error().where;
  EXPECT_EQ(code_of(evaluate(*redis, Script("this is no Lua"), {}, {})), Code::internal);
  EXPECT_EQ(code_of(evaluate(*redis, Script("return redis.call('NONSENSE')"), {}, {})), Code::internal);
}

}  // namespace
}  // namespace al::redis
