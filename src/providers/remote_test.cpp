#include "providers/remote.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <mutex>

#include "http/test_server.hpp"
#include "testing/event_loop.hpp"

namespace al::providers {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

/// One answer of the provider: a status and a body that comes in pieces.
struct Scripted {
  int status = 200;
  std::vector<std::string> pieces;
  std::vector<std::pair<std::string, std::string>> headers{};
  bool cut = false;  ///< the connection breaks after the pieces
};

std::string text_chunk(std::string_view text) {
  return R"(data: {"model":"m-1","choices":[{"delta":{"content":")" + std::string(text) + "\"}}]}\n\n";
}
std::string const last_chunk = "data: [DONE]\n\n";

/// Our own server, playing the provider over a real connection.
class Remote : public testing::Test {
 protected:
  Remote() : router(nullptr, nullptr, random) {
    for (auto const* path : {"/v1/chat/completions", "/v1/messages"}) {
      router.add({.method = http::Method::post,
                  .path = path,
                  .permission = "",
                  .summary = "",
                  .takes = http::Body::any,
                  .handler = [this](http::Call& call) -> Task<Result<http::Response>> { co_return play(call); }});
    }
    server.emplace(router);
  }

  http::Response play(http::Call& call) {
    std::scoped_lock const lock(mutex);
    seen.push_back(call.request);
    auto scripted = script.empty() ? Scripted{.status = 500, .pieces = {"the script is over"}} : script.front();
    if (!script.empty())
      script.pop_front();
    http::Response out{.status = scripted.status};
    for (auto const& [name, value] : scripted.headers)
      out.headers.set(name, value);
    out.body = http::BodyStream([scripted](http::BodyWriter& writer) -> Task<void> {
      for (auto const& piece : scripted.pieces)
        co_await writer.write(piece);
      if (scripted.cut)
        throw std::runtime_error("cut");
    });
    return out;
  }

  Result<ChatAnswer> ask(std::chrono::milliseconds limit = 20s) {
    return loop.wait([](Remote& self, std::chrono::milliseconds limit) -> Task<Result<ChatAnswer>> {
      http::Client client(co_await asio::this_coro::executor, {});
      OpenAi model({client, self.server->clock, self.random},
                   {.id = "openai",
                    .base_url = "http://127.0.0.1:" + std::to_string(self.server->server.port()) + "/v1",
                    .key = "sk-1"});
      ChatRequest const request{.model = "m", .messages = {{.text = "Where?"}}};
      co_return co_await model.chat(request, Deadline::after(limit), [&self](std::string_view piece) {
        self.text += piece;
        return !self.stop_listening;
      });
    }(*this, limit));
  }

  std::mutex mutex;
  std::deque<Scripted> script;
  std::vector<http::Request> seen;
  std::string text;
  bool stop_listening = false;
  SystemRandom random;
  http::Router router;
  std::optional<http::TestServer> server;
  EventLoop loop;
};

TEST_F(Remote, StreamsAnAnswerWithTheKey) {
  script = {{.pieces = {text_chunk("Par"), text_chunk("is"), last_chunk}}};
  auto const answer = ask();
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(text, "Paris");
  EXPECT_EQ(answer->message.text, "Paris");
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(seen[0].headers.find("Authorization"), "Bearer sk-1");
}

TEST_F(Remote, AsksAgainAfterWhatPasses) {
  script = {{.status = 429, .pieces = {"{}"}, .headers = {{"retry-after-ms", "5"}}},
            {.status = 503, .pieces = {"<html>"}, .headers = {{"retry-after", "0"}}},
            {.pieces = {text_chunk("x"), last_chunk}}};
  ASSERT_TRUE(ask());
  EXPECT_EQ(seen.size(), 3U);
}

TEST_F(Remote, DoesNotAskAgainForWhatStays) {
  script = {{.status = 400, .pieces = {R"({"error":{"message":"too long","code":"context_length_exceeded"}})"}}};
  auto const answer = ask();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::invalid);
  EXPECT_THAT(answer.error().message, HasSubstr("too long"));
  EXPECT_EQ(seen.size(), 1U);
}

TEST_F(Remote, GivesUpAfterThreeAttemptsWithTheReason) {
  for (int i = 0; i < 5; ++i)
    script.push_back(
        {.status = 529, .pieces = {R"({"error":{"message":"busy"}})"}, .headers = {{"retry-after-ms", "1"}}});
  auto const answer = ask();
  ASSERT_FALSE(answer);
  EXPECT_THAT(answer.error().message, HasSubstr("busy"));
  EXPECT_EQ(seen.size(), 3U);
}

TEST_F(Remote, TellsTheWaitThatWasAskedForWhenItGivesUp) {
  for (int i = 0; i < 3; ++i)
    script.push_back({.status = 429, .pieces = {"{}"}, .headers = {{"retry-after", "1"}}});
  auto const answer = ask();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::too_many_requests);
  EXPECT_EQ(answer.error().retry_after, 1s);
  EXPECT_EQ(seen.size(), 3U);
}

TEST_F(Remote, AsksWithTheNewerNameOfTheLimitWhereItIsAskedFor) {
  script = {{.status = 400,
             .pieces = {R"({"error":{"message":"Unsupported parameter: 'max_tokens' is not supported with this model. )"
                        R"(Use 'max_completion_tokens' instead.","param":"max_tokens"}})"}},
            {.pieces = {text_chunk("x"), last_chunk}}};
  ASSERT_TRUE(ask());
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_THAT(seen[0].body, HasSubstr(R"("max_tokens":)"));
  EXPECT_THAT(seen[1].body, HasSubstr(R"("max_completion_tokens":)"));
  EXPECT_THAT(seen[1].body, testing::Not(HasSubstr(R"("max_tokens":)")));
}

TEST_F(Remote, AnAnswerWithoutAnEndIsGivenUp) {
  Scripted endless;
  // Nothing of it is text: what is not handed out must be counted, too.
  std::string const piece = "data: " + json::serialize(json::object{{"padding", std::string(1 << 20, 'x')}}) + "\n\n";
  endless.pieces.assign(2 * (answer_bytes_max >> 20), piece);
  script = {endless};
  auto const answer = ask();
  ASSERT_FALSE(answer);
  EXPECT_THAT(answer.error().message, HasSubstr("no end"));
  EXPECT_EQ(seen.size(), 1U);
}

TEST_F(Remote, AnErrorNamesTheAccountAndNotTheKey) {
  script = {{.status = 401, .pieces = {R"({"error":{"message":"wrong key sk-1"}})"}}};
  EXPECT_EQ(ask().error().message, "provider 'openai': answered with status 401: wrong key ***");
}

TEST_F(Remote, ALongWaitIsLeftToTheCaller) {
  script = {{.status = 429, .pieces = {"{}"}, .headers = {{"retry-after", "120"}}}};
  auto const answer = ask();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().retry_after, 120s);
  EXPECT_EQ(seen.size(), 1U);
}

TEST_F(Remote, NothingIsSaidTwice) {
  script = {{.pieces = {text_chunk("Par")}, .cut = true}, {.pieces = {text_chunk("Paris"), last_chunk}}};
  auto const answer = ask();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::unavailable);
  EXPECT_EQ(text, "Par");
  EXPECT_EQ(seen.size(), 1U);
}

TEST_F(Remote, AnEndWithoutItsMarkIsACut) {
  script = {{.pieces = {text_chunk("Par")}}};
  auto const answer = ask();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::unavailable);
}

TEST_F(Remote, WhoStopsListeningEndsTheCall) {
  stop_listening = true;
  script = {{.pieces = {text_chunk("Par"), text_chunk("is"), last_chunk}}};
  EXPECT_FALSE(ask());
  EXPECT_EQ(text, "Par");
}

}  // namespace
}  // namespace al::providers
