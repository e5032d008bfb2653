#include "app/api_client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/ip/tcp.hpp>

#include "http/router.hpp"
#include "http/server.hpp"
#include "testing/event_loop.hpp"

namespace al::app {
namespace {

using testing::HasSubstr;

/// Knows one token.
class OneToken final : public http::Authenticator {
 public:
  Task<Result<http::Principal>> authenticate(http::Request const& request, Deadline) override {
    if (request.headers.find("Authorization") != "Bearer right")
      co_return fail(Code::unauthenticated, "Unknown token.");
    co_return http::Principal{default_tenant, "tester", {"*:*"}};
  }
};

/// A port where nobody listens: it was free a moment ago.
std::uint16_t closed_port() {
  using asio::ip::tcp;
  asio::io_context context;
  tcp::acceptor const probe(context, tcp::endpoint(asio::ip::address_v4::loopback(), 0), false);
  return probe.local_endpoint().port();
}

/// A server with a few routes of the shapes that the client meets.
class ApiClientTest : public testing::Test {
 protected:
  void SetUp() override {
    add("/echo", [](http::Call& call) -> Task<Result<http::Response>> {
      co_return http::json_response(200, "{\"value\":\"" + std::string(call.query("value").value_or("")) + "\"}");
    });
    add("/invalid", [](http::Call&) -> Task<Result<http::Response>> {
      co_return fail({.code = Code::invalid,
                      .message = "The request is not valid.",
                      .faults = {{"name", "is required"}, {"model", "is too long"}}});
    });
    add("/events/stream", [this](http::Call& call) { return stream(call); });
    add("/refused", [](http::Call&) -> Task<Result<http::Response>> {
      http::Response response;
      response.body = http::BodyStream([](http::BodyWriter& writer) -> Task<void> {
        co_await writer.write(http::sse_event({}, "task", "{}"));
        co_await writer.write(http::sse_event({}, "ended", R"({"code":"unauthenticated","error":"it was revoked"})"));
      });
      co_return response;
    });
    add("/watched", [this](http::Call&) -> Task<Result<http::Response>> {
      http::Response response;
      response.body = http::BodyStream([this](http::BodyWriter& writer) -> Task<void> {
        co_await writer.write(http::sse_event({}, "task", "{}"));
        co_await writer.write(http::sse_event({}, watches_++ == 0 ? "text" : "end", "{}"));
      });
      co_return response;
    });
    router_.add({.method = http::Method::post,
                 .path = "/post",
                 .permission = "x:y",
                 .summary = "",
                 .takes = http::Body::json,
                 .handler = [](http::Call& call) -> Task<Result<http::Response>> {
                   co_return http::json_response(201, std::string(call.body().raw));
                 }});
    server_.emplace(std::vector{&context_}, "127.0.0.1", std::uint16_t{0}, router_, http::ServerLimits{}, clock_,
                    random_);
    server_->start();
    thread_ = std::thread([this] { context_.run(); });
  }
  void TearDown() override {
    server_->stop(Deadline::after(std::chrono::seconds{10}));
    work_.reset();
    context_.stop();
    thread_.join();
  }

  void add(std::string_view path, http::Handler handler) {
    router_.add({.method = http::Method::get,
                 .path = path,
                 .permission = "x:y",
                 .summary = "",
                 .query = {{.name = "value", .doc = ""}},
                 .handler = std::move(handler)});
  }

  /// Each connection gets the next two of the events and is then cut.
  Task<Result<http::Response>> stream(http::Call& call) {
    int const after = std::stoi(std::string(call.request.headers.find("Last-Event-ID").value_or("0")));
    seen_after_.push_back(after);
    http::Response response;
    response.body = http::BodyStream([after](http::BodyWriter& writer) -> Task<void> {
      co_await writer.write("id: " + std::to_string(after) + "\n: keep-alive\n\n");
      for (int i = after + 1; i <= after + 2; ++i) {
        auto const number = std::to_string(i);
        co_await writer.write(http::sse_event(number, "task:created", "{\"number\":" + number + "}"));
      }
    });
    co_return response;
  }

  std::string url() const { return "http://127.0.0.1:" + std::to_string(server_->port()); }

  SystemClock clock_;
  SystemRandom random_;
  OneToken authenticator_;
  http::Router router_{&authenticator_, nullptr, random_};
  asio::io_context context_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_ = asio::make_work_guard(context_);
  std::optional<http::Server> server_;
  std::thread thread_;
  std::vector<int> seen_after_;
  int watches_ = 0;
};

TEST_F(ApiClientTest, GetsAndPosts) {
  ApiClient client(url() + "/", "right");
  auto const got = client.get("/echo?value=" + escaped("a b&c=ä"));
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->text, R"({"value":"a b&c=ä"})");
  auto const posted = client.post("/post", R"({"x":[1]})");
  ASSERT_TRUE(posted) << posted.error().message;
  EXPECT_EQ(posted->status, 201);
  EXPECT_EQ(posted->text, R"({"x":[1]})");
}

TEST_F(ApiClientTest, EveryWrongFieldIsNamedInOneLine) {
  ApiClient client(url(), "right");
  auto const got = client.get("/invalid");
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, Code::invalid);
  EXPECT_EQ(got.error().message, "The request is not valid: name is required; model is too long");
}

TEST_F(ApiClientTest, AWrongTokenLeadsToTheVariable) {
  ApiClient client(url(), "wrong");
  auto const got = client.get("/echo");
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, Code::unauthenticated);
  EXPECT_THAT(got.error().message, HasSubstr("Set AGENT_LIGHTNING_TOKEN"));
  EXPECT_THAT(got.error().message, HasSubstr(url())) << "of which server?";
}

TEST(ServerUrl, IsTheGatewayOfTheSameSettingsUnlessItIsGiven) {
  auto const url_of = [](std::map<std::string, std::string> environment) {
    auto const config = Config::load({.file = {}, .dotenv = {}, .environment = std::move(environment), .options = {}});
    return server_url(config.value());
  };
  EXPECT_EQ(url_of({}), "http://127.0.0.1:8000");
  EXPECT_EQ(url_of({{"GATEWAY_PORT", "41880"}}), "http://127.0.0.1:41880");
  EXPECT_EQ(url_of({{"AGENT_LIGHTNING_HOST", "0.0.0.0"}}), "http://127.0.0.1:8000");
  EXPECT_EQ(url_of({{"AGENT_LIGHTNING_HOST", "::"}}), "http://[::1]:8000");
  EXPECT_EQ(url_of({{"AGENT_LIGHTNING_HOST", "10.0.0.5"}}), "http://10.0.0.5:8000");
  EXPECT_EQ(url_of({{"AGENT_LIGHTNING_URL", "https://h:1"}, {"GATEWAY_PORT", "41880"}}), "https://h:1");
}

TEST(ServerUrl, IsRefusedWhenItIsNone) {
  for (auto const* url : {"ftp://x", "localhost:8000", "x"}) {
    auto const config =
        Config::load({.file = {}, .dotenv = {}, .environment = {{"AGENT_LIGHTNING_URL", url}}, .options = {}});
    auto const checked = check_server_url(config.value());
    ASSERT_FALSE(checked) << url;
    EXPECT_THAT(checked.error().message, HasSubstr("AGENT_LIGHTNING_URL"));
  }
}

TEST_F(ApiClientTest, AMissingTokenFileIsNamed) {
  auto const config =
      Config::load({.file = {},
                    .dotenv = {},
                    .environment = {{"AGENT_LIGHTNING_URL", url()}, {"AGENT_LIGHTNING_DATA", "/nonexistent/data"}},
                    .options = {}});
  ASSERT_TRUE(config);
  ApiClient client(*config);
  auto const got = client.get("/echo");
  ASSERT_FALSE(got);
  EXPECT_THAT(got.error().message, HasSubstr("/nonexistent/data/token"));
}

TEST_F(ApiClientTest, AServerThatIsNotThereLeadsToServe) {
  auto const port = closed_port();
  ApiClient client("http://127.0.0.1:" + std::to_string(port), "right");
  auto const got = client.get("/echo");
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, Code::unavailable);
  EXPECT_THAT(got.error().message, HasSubstr("agent-lightning serve"));
  EXPECT_THAT(got.error().message, HasSubstr("make run"));
}

TEST_F(ApiClientTest, AnAddressThatIsNoneIsExplained) {
  ApiClient client("localhost:8000", "right");
  auto const got = client.get("/echo");
  ASSERT_FALSE(got);
  EXPECT_THAT(got.error().message, HasSubstr("AGENT_LIGHTNING_URL"));
}

TEST_F(ApiClientTest, TheTipIsAnIdThatAStreamBeginsWith) {
  ApiClient client(url(), "right");
  // What came in one piece with the first id is passed over with it.
  EXPECT_THAT(client.run(client.events_tip()).value(), testing::AnyOf("0", "1", "2"));
  ApiClient stranger(url(), "wrong");
  EXPECT_EQ(stranger.run(stranger.events_tip()).error().code, Code::unauthenticated);
}

TEST_F(ApiClientTest, AStreamThatIsCutIsTakenUpWhereItWas) {
  ApiClient client(url(), "right");
  std::vector<std::int64_t> numbers;
  std::string token = "10";
  auto const done = client.run(client.events_after(token, "", [&](json::Input event) {
    numbers.push_back(event.parsed->at("number").as_int64());
    return numbers.size() < 5;
  }));
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(numbers, (std::vector<std::int64_t>{11, 12, 13, 14, 15}));
  EXPECT_EQ(seen_after_, (std::vector<int>{10, 12, 14}));
  EXPECT_EQ(token, "15");
}

TEST_F(ApiClientTest, AStateThatIsWatchedIsToldAgainAfterACut) {
  ApiClient client(url(), "right");
  int begun = 0;
  std::vector<std::string> seen;
  auto const done = client.run(client.watch(
      "/watched", [&] { ++begun; },
      [&](http::SseEvent const& event) {
        seen.push_back(event.name);
        return event.name != "end";
      }));
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(begun, 2);
  EXPECT_EQ(seen, (std::vector<std::string>{"task", "text", "task", "end"}));
  auto const missing = client.run(client.watch("/missing", [] {}, [](http::SseEvent const&) { return true; }));
  EXPECT_EQ(missing.error().code, Code::not_found) << "what is not there does not come back";
}

TEST_F(ApiClientTest, AStreamThatTheServerEndsForGoodIsNotBegunAgain) {
  ApiClient client(url(), "right");
  std::vector<std::string> seen;
  auto const refused = client.run(client.watch(
      "/refused", [] {},
      [&](http::SseEvent const& event) {
        seen.push_back(event.name);
        return true;
      }));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::unauthenticated);
  EXPECT_THAT(refused.error().message, testing::HasSubstr("it was revoked"));
  EXPECT_EQ(seen, (std::vector<std::string>{"task"}));
}

TEST(ReadProblem, SaysWhatAProxyLeavesUnsaid) {
  struct Case {
    int status;
    std::string text;
    Code code;
    std::string says;
  };
  for (auto const& [status, text, code, says] : std::vector<Case>{
           {404, R"({"title":"Not found","detail":"No agent 'x'.","code":"not_found"})", Code::not_found,
            "No agent 'x'."},
           {409, R"({"title":"Conflict","code":"conflict"})", Code::conflict, "Conflict"},
           {503, R"({"title":"Unavailable","detail":"Try again.","code":"unavailable","request_id":"r1"})",
            Code::unavailable, "Try again. (request r1)"},
           {418, R"({"title":"Teapot","detail":"Short.","code":"no_code_of_ours"})", Code::bad_request, "Short."},
           {502, "<html>Bad Gateway</html>", Code::unavailable, "status 502"},
           {500, "", Code::unavailable, "status 500"},
           {400, "[]", Code::unavailable, "status 400"},
           {422, R"({"title":"Invalid","detail":"Wrong.","code":"invalid","errors":"nonsense"})", Code::invalid,
            "Wrong."},
       }) {
    auto const error = read_problem(status, text);
    EXPECT_EQ(error.code, code) << text;
    EXPECT_THAT(error.message, HasSubstr(says)) << text;
  }
}

TEST(ReadProblem, SaysNothingTwice) {
  constexpr auto message_of = [](char const* detail) {
    return read_problem(422,
                        std::string(R"({"title":"Invalid","code":"invalid","detail":")") + detail +
                            R"(","errors":[{"path":"a","message":"is required"},{"path":"b","message":"is long"}]})")
        .message;
  };
  EXPECT_EQ(message_of("a is required; b is long"), "a is required; b is long");
  EXPECT_EQ(message_of("Wrong: a is required; b is long."), "Wrong: a is required; b is long");
  EXPECT_EQ(message_of("a is required (and 1 more fault)"), "a is required; b is long");
  EXPECT_EQ(message_of("Two fields are wrong."), "Two fields are wrong: a is required; b is long");
}

TEST(Escaped, LeavesNothingThatAPathObeys) {
  EXPECT_EQ(escaped("a-b_c.d~9"), "a-b_c.d~9");
  EXPECT_EQ(escaped("a/../b?c=1&d#e%"), "a%2F..%2Fb%3Fc%3D1%26d%23e%25");
  EXPECT_EQ(escaped("ä\n"), "%C3%A4%0A");
}

}  // namespace
}  // namespace al::app
