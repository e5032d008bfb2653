#include "providers/upstream.hpp"

#include <gtest/gtest.h>

namespace al::providers {
namespace {

using namespace std::chrono_literals;

std::optional<std::chrono::milliseconds> wait_of(std::string_view name, std::string_view value) {
  http::Headers headers;
  headers.set(name, value);
  // Sun, 06 Nov 1994 08:49:37 GMT
  return asked_wait(headers, Timestamp{784'111'777s});
}

TEST(AskedWait, TakesSecondsMillisecondsAndDates) {
  EXPECT_EQ(wait_of("Retry-After", "3"), 3s);
  EXPECT_EQ(wait_of("retry-after", "0.25"), 250ms);
  EXPECT_EQ(wait_of("retry-after-ms", "40"), 40ms);
  EXPECT_EQ(wait_of("retry-after", "Sun, 06 Nov 1994 08:50:00 GMT"), 23s);
  EXPECT_EQ(wait_of("retry-after", "Sun, 06 Nov 1994 08:00:00 GMT"), 0ms) << "the time has passed";
}

TEST(AskedWait, PassesOverWhatIsNoTime) {
  for (auto const* value : {"", "soon", "-1", "nan", "inf", "1 s", "Sun, 06 Nov 1994"})
    EXPECT_EQ(wait_of("retry-after", value), std::nullopt) << value;
  EXPECT_EQ(wait_of("retry-after", "1e300"), 24h) << "and has a limit";
}

TEST(MayRetry, FollowsTheStatusUnlessTheProviderKnowsBetter) {
  for (auto const [status, again] : {std::pair{408, true},
                                     {409, true},
                                     {429, true},
                                     {500, true},
                                     {504, true},
                                     {529, true},
                                     {400, false},
                                     {401, false},
                                     {404, false},
                                     {422, false}})
    EXPECT_EQ(may_retry(upstream_error(status, ""), {}), again) << status;
  http::Headers never;
  never.set("x-should-retry", "false");
  EXPECT_FALSE(may_retry(upstream_error(500, ""), never));
}

TEST(Told, NamesTheAccountTakesOutEveryKeyAndEnds) {
  auto const masked = [](std::string message, std::string key, std::size_t max) {
    Account const account{.id = "p", .base_url = {}, .key = std::move(key)};
    return told({.code = Code::invalid, .message = std::move(message)}, account, max).message;
  };
  EXPECT_EQ(masked("key sk-1 is wrong: sk-1", "sk-1", 100), "provider 'p': key *** is wrong: ***");
  EXPECT_EQ(masked("a * b", "*", 100), "provider 'p': a *** b") << "what stands in for the key may hold it";
  EXPECT_EQ(masked("no key", "", 100), "provider 'p': no key");
  EXPECT_EQ(masked("ää", "", 3), "provider 'p': ä…") << "not through a character";
}

TEST(AddKey, GoesByTheProtocol) {
  http::Headers openai;
  add_key(openai, {.id = "o", .kind = Kind::openai, .base_url = {}, .key = "k"});
  EXPECT_EQ(openai.find("Authorization"), "Bearer k");
  http::Headers anthropic;
  add_key(anthropic, {.id = "a", .kind = Kind::anthropic, .base_url = {}, .key = "k"});
  EXPECT_EQ(anthropic.find("x-api-key"), "k");
  http::Headers none;
  add_key(none, {.id = "o", .kind = Kind::openai, .base_url = {}});
  EXPECT_EQ(none.size(), 0U);
}

}  // namespace
}  // namespace al::providers
