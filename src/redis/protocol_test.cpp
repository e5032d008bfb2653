#include "redis/protocol.hpp"

#include <gtest/gtest.h>

namespace al::redis {
namespace {

using namespace std::string_literals;
using namespace std::chrono_literals;

TEST(RedisCommand, IsBinarySafe) {
  EXPECT_EQ((Command{"GET", "k"}).bytes(), "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n");
  auto const value = "a\0\r\n%s\xff"s;
  EXPECT_EQ((Command{"SET", "", value}).bytes(), "*3\r\n$3\r\nSET\r\n$0\r\n\r\n$7\r\n" + value + "\r\n");
  EXPECT_EQ((Command{"SET", std::string_view(), "x"}).bytes(), "*3\r\n$3\r\nSET\r\n$0\r\n\r\n$1\r\nx\r\n");
  EXPECT_FALSE((Command{"GET", "k"}).is_repeatable());
  EXPECT_TRUE((Command{"GET", "k"}).repeatable().is_repeatable());
}

TEST(RedisCommand, HasALimit) {
  std::vector<std::string_view> arguments(1000, std::string_view("x"));
  EXPECT_TRUE((Command(arguments)).bytes().starts_with("*1000\r\n"));
  // Nobody reads what lies there, so it need not exist.
  std::string const text(1024, 'x');
  std::vector<std::string_view> const many(Command::bytes_max / 1024, std::string_view(text));
  EXPECT_TRUE((Command(many)).bytes().empty());
}

Parser make_parser(ReplyLimits limits = {}) { return Parser(limits); }

Reply refusal(std::string text) { return Reply(Reply::Refusal{.text = std::move(text)}); }

struct Sample {
  std::string bytes;
  Reply reply;
};

std::vector<Sample> samples() {
  auto const binary = "\r\n\0$5"s;
  return {{.bytes = "+OK\r\n", .reply = Reply("OK"s)},
          {.bytes = "-ERR no\r\n", .reply = refusal("ERR no")},
          {.bytes = ":42\r\n", .reply = Reply(42)},
          {.bytes = ":-9223372036854775808\r\n", .reply = Reply(std::numeric_limits<std::int64_t>::min())},
          {.bytes = "$5\r\n" + binary + "\r\n", .reply = Reply(binary)},
          {.bytes = "$0\r\n\r\n", .reply = Reply(""s)},
          {.bytes = "$-1\r\n", .reply = Reply()},
          {.bytes = "*-1\r\n", .reply = Reply()},
          {.bytes = "*0\r\n", .reply = Reply(Reply::Array{})},
          {.bytes = "*3\r\n:1\r\n*2\r\n$1\r\na\r\n$-1\r\n-ERR x\r\n",
           .reply = Reply(Reply::Array{Reply(1), Reply(Reply::Array{Reply("a"s), Reply()}), refusal("ERR x")})}};
}

TEST(RedisParser, ReadsEveryKindInPiecesOfEverySize) {
  std::string all;
  std::vector<Reply> expected;
  for (auto const& sample : samples()) {
    all += sample.bytes;
    expected.push_back(sample.reply);
  }
  for (std::size_t piece = 1; piece <= all.size(); ++piece) {
    auto parser = make_parser();
    std::vector<Reply> found;
    for (std::size_t at = 0; at < all.size(); at += piece) {
      ASSERT_TRUE(parser.feed(std::string_view(all).substr(at, piece)));
      for (;;) {
        auto reply = parser.next();
        ASSERT_TRUE(reply) << reply.error().message;
        if (!*reply)
          break;
        found.push_back(std::move(**reply));
      }
    }
    EXPECT_EQ(found, expected) << "in pieces of " << piece;
  }
}

/// What came out before the parser refused to go on.
Result<std::vector<Reply>> parse(Parser parser, std::string_view bytes) {
  std::vector<Reply> out;
  if (auto fed = parser.feed(bytes); !fed)
    return fail(fed.error());
  for (;;) {
    auto reply = parser.next();
    if (!reply) {
      EXPECT_FALSE(parser.feed("+OK\r\n") && parser.next()) << "it stays so";
      return fail(reply.error());
    }
    if (!*reply)
      return out;
    out.push_back(std::move(**reply));
  }
}

TEST(RedisParser, RefusesWhatIsNoRedis) {
  for (std::string const bad :
       {"HTTP/1.1 400 Bad Request\r\n\r\n", "*99999999999999999999\r\n", "$-2\r\n", "%1\r\n", "*1\r\n?\r\n", "\r\n"}) {
    auto const replies = parse(make_parser(), bad);
    ASSERT_FALSE(replies) << bad;
    EXPECT_EQ(replies.error().code, Code::unavailable);
    EXPECT_TRUE(replies.error().message.starts_with("The answer is not in Redis's protocol"))
        << replies.error().message;
  }
}

TEST(RedisParser, LimitsBytes) {
  ReplyLimits const limits{.bytes_max = 10};
  EXPECT_TRUE(parse(make_parser(limits), "$10\r\n0123456789\r\n$10\r\n0123456789\r\n")) << "the limit is each reply's";
  EXPECT_FALSE(parse(make_parser(limits), "$11\r\n0123456789a\r\n"));
  EXPECT_FALSE(parse(make_parser(limits), "*2\r\n$6\r\n012345\r\n$6\r\n012345\r\n")) << "nested ones count together";
  auto const endless = parse(make_parser(limits), "$999999999\r\n" + std::string(100'000, 'x'));
  ASSERT_FALSE(endless) << "it is not waited for";
  EXPECT_EQ(endless.error().message, "Redis's answer is larger than the limit.");
  EXPECT_FALSE(parse(make_parser(limits), std::string(100'000, '+'))) << "nor a line without an end";
}

TEST(RedisParser, LimitsElementsAndNesting) {
  ReplyLimits const limits{.elements_max = 4};
  EXPECT_TRUE(parse(make_parser(limits), "*4\r\n:1\r\n:1\r\n:1\r\n:1\r\n"));
  EXPECT_FALSE(parse(make_parser(limits), "*5\r\n"));
  EXPECT_FALSE(parse(make_parser(limits), "*2\r\n*3\r\n")) << "nested ones count together";
  EXPECT_FALSE(parse(make_parser(), "*2147483647\r\n")) << "no memory for what only the server says";
  std::string nested;
  for (int i = 0; i < ReplyLimits::nesting_max; ++i)
    nested += "*1\r\n";
  EXPECT_TRUE(parse(make_parser(), nested + ":1\r\n"));
  EXPECT_FALSE(parse(make_parser(), nested + "*1\r\n*1\r\n:1\r\n"));
}

TEST(RedisReply, KnowsItsKind) {
  EXPECT_TRUE(Reply().is_null());
  EXPECT_EQ(Reply(7).integer(), 7);
  EXPECT_THROW((void)Reply(7).text(), std::bad_variant_access);
  EXPECT_TRUE(refusal("ERR").is_error());
  EXPECT_FALSE(refusal("ERR").is_text());
}

}  // namespace
}  // namespace al::redis
