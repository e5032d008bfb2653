#include "services/dashboard/dashboard.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <set>

#include "core/fault.hpp"
#include "testing/event_loop.hpp"
#include "testing/seeded_random.hpp"

namespace al::services::dashboard {
namespace {

using http::Method;
using testing::HasSubstr;
using testing::Not;
using namespace std::string_view_literals;

/// As scripts/embed.py packs them.
constexpr std::array<EmbeddedFile, 3> files{
    EmbeddedFile{.name = "assets/app-abc.js",
                 .text =
                     "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\x4b\xce\xcf\x2b\xce\xcf\x49\xd5\xcb\xc9\x4f\xd7\x30\xd4"
                     "\x04\x00\x68\xfe\x01\x43\x0e\x00\x00\x00"sv},
    EmbeddedFile{.name = "favicon.svg",
                 .text =
                     "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xb3\x29\x2e\x4b\xd7\xb7\xe3\x02\x00\x5c\x46\x7b\x3d\x07"
                     "\x00\x00\x00"sv},
    EmbeddedFile{.name = "index.html",
                 .text =
                     "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xb3\x29\x50\xc8\xcb\xcf\x4b\x4e\xb5\x55\x8a\x8f\x77\x0e"
                     "\x0e\x88\xf7\xf3\xf7\x73\x76\x8d\x8f\x57\xb2\xb3\xc9\xc4\x21\xc1\x05\x00\x87\xc1\x6d\x56\x33\x00"
                     "\x00\x00"sv}};

constexpr std::string_view script = "console.log(1)";

/// Answers what reached it.
class Api final : public http::Dispatcher {
 public:
  Task<http::Response> dispatch(http::Context, http::Request request) override {
    co_return http::json_response(200, "\"api " + request.target + '"');
  }
  std::optional<http::RouteLimits> limits(Method, std::string_view) const override {
    return http::RouteLimits{.body_max = 7, .time_max = {}, .ends_with_client = false, .error_format = http::problem};
  }
};

class DashboardTest : public testing::Test {
 protected:
  struct Answer {
    int status = 0;
    http::Headers headers{};
    std::string body{};
    std::string header(std::string_view name) const { return std::string(headers.find(name).value_or("")); }
  };
  using Headers = std::vector<std::pair<std::string_view, std::string_view>>;
  Answer ask(std::string target, Headers const& headers = {}, Method method = Method::get) {
    http::Request request{.method = method, .target = std::move(target)};
    request.headers.set("Host", "lightning.example:8051");
    for (auto const& [name, value] : headers)
      request.headers.set(name, value);
    auto response = loop.wait(dashboard.dispatch({}, std::move(request)));
    return {response.status, std::move(response.headers), std::get<std::string>(std::move(response.body))};
  }

  EventLoop loop;
  SeededRandom random;
  Api api;
  Dashboard dashboard{api, files, random};
};

TEST_F(DashboardTest, EveryPathOfAPageIsThePage) {
  for (auto const* path :
       {"/", "/agents", "/agents/a%2Fb?tab=knowledge", "/index.html", "/healthy", "/apian", "/a.b/c"}) {
    auto const answer = ask(path);
    EXPECT_EQ(answer.status, 200) << path;
    EXPECT_EQ(answer.header("Content-Type"), "text/html; charset=utf-8");
    EXPECT_EQ(answer.header("Cache-Control"), "no-store");
    EXPECT_EQ(answer.header("X-Frame-Options"), "DENY");
    EXPECT_EQ(answer.header("Referrer-Policy"), "no-referrer");
    EXPECT_EQ(answer.header("Cross-Origin-Opener-Policy"), "same-origin");
    EXPECT_FALSE(answer.header("X-Request-Id").empty());
    EXPECT_THAT(answer.body, Not(HasSubstr("__CSP_NONCE__")));
  }
}

TEST_F(DashboardTest, EachPageHasANonceOfItsOwn) {
  std::set<std::string> nonces;
  for (int i = 0; i < 3; ++i) {
    auto const answer = ask("/");
    auto const policy = answer.header("Content-Security-Policy");
    constexpr auto mark = "style-src 'self' 'nonce-"sv;
    auto const begin = policy.find(mark) + mark.size();
    auto const nonce = policy.substr(begin, policy.find('\'', begin) - begin);
    EXPECT_EQ(nonce.size(), 22U) << "128 bits";
    EXPECT_EQ(answer.body,
              std::string("<p nonce=\"").append(nonce).append("\"><i nonce=\"").append(nonce).append("\">\n"));
    EXPECT_TRUE(nonces.insert(nonce).second);
    EXPECT_THAT(policy, HasSubstr("default-src 'none'; script-src 'self';"));
    EXPECT_THAT(policy, HasSubstr("frame-ancestors 'none'"));
  }
}

TEST_F(DashboardTest, TheHostOfTheRequestWritesNoPolicy) {
  constexpr auto sockets = "connect-src 'self' ws://lightning.example:8051 wss://lightning.example:8051;";
  EXPECT_THAT(ask("/").header("Content-Security-Policy"), HasSubstr(sockets));
  EXPECT_THAT(ask("/", {{"Host", "[::1]:8051"}}).header("Content-Security-Policy"), HasSubstr("ws://[::1]:8051 "));
  for (auto const* host : {"a;script-src *", "a b", "a'unsafe-inline'", "a,b", ""})
    EXPECT_THAT(ask("/", {{"Host", host}}).header("Content-Security-Policy"), HasSubstr("connect-src 'self';")) << host;
}

TEST_F(DashboardTest, FilesThatNeverChangeAreKept) {
  auto const packed = ask("/assets/app-abc.js", {{"Accept-Encoding", "br, gzip"}});
  EXPECT_EQ(packed.status, 200);
  EXPECT_EQ(packed.header("Content-Encoding"), "gzip");
  EXPECT_EQ(packed.header("Vary"), "Accept-Encoding");
  EXPECT_EQ(packed.header("Content-Type"), "text/javascript; charset=utf-8");
  EXPECT_EQ(packed.header("Cache-Control"), "public, max-age=31536000, immutable");
  EXPECT_EQ(packed.body, files[0].text);
  for (auto const* coding : {"identity", "gzip;q=0", "br"}) {
    auto const plain = ask("/assets/app-abc.js", {{"Accept-Encoding", coding}});
    EXPECT_EQ(plain.header("Content-Encoding"), "");
    EXPECT_EQ(plain.header("Vary"), "Accept-Encoding");
    EXPECT_EQ(plain.body, script);
  }
}

TEST_F(DashboardTest, OthersAreAskedForAgain) {
  auto const first = ask("/favicon.svg");
  EXPECT_EQ(first.header("Content-Type"), "image/svg+xml");
  EXPECT_EQ(first.header("Cache-Control"), "no-cache");
  EXPECT_EQ(first.body, "<svg/>\n");
  auto const tag = first.header("ETag");
  EXPECT_THAT(tag, testing::MatchesRegex("\"[0-9a-f]+\""));
  auto const again = ask("/favicon.svg", {{"If-None-Match", tag}});
  EXPECT_EQ(again.status, 304);
  EXPECT_EQ(again.body, "");
  EXPECT_EQ(again.header("ETag"), tag);
  auto const packed = ask("/favicon.svg", {{"If-None-Match", tag}, {"Accept-Encoding", "gzip"}});
  EXPECT_EQ(packed.status, 200) << "other bytes have another tag";
  EXPECT_NE(packed.header("ETag"), tag);
}

TEST_F(DashboardTest, WhatIsNotThereIsNotFound) {
  for (auto const* path : {"/assets/none.js", "/assets/", "/assets", "/robots.txt", "/agents/app.js", "/app-abc.js",
                           "/assets%2Fapp-abc.js", "/assets//app-abc.js", "/Assets/app-abc.js"}) {
    auto const answer = ask(path);
    EXPECT_TRUE(answer.status == 404 || path == "/assets"sv) << path;
    if (answer.status == 404)
      EXPECT_EQ(answer.header("Content-Type"), "application/problem+json") << path;
  }
  EXPECT_EQ(ask("/agents", {{"Accept", "application/json"}}).status, 404) << "who asks for no page gets none";
}

TEST_F(DashboardTest, PagesAreOnlyRead) {
  for (auto const method : {Method::post, Method::put, Method::patch, Method::del, Method::options}) {
    auto const answer = ask("/agents", {}, method);
    EXPECT_EQ(answer.status, 405);
    EXPECT_EQ(answer.header("Allow"), "GET, HEAD");
  }
  auto const head = ask("/", {}, Method::head);
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.body, "");
  EXPECT_EQ(head.header("Content-Length"), std::to_string(ask("/").body.size()));
  EXPECT_EQ(ask("/assets/app-abc.js", {}, Method::head).header("Content-Length"), std::to_string(script.size()));
}

TEST_F(DashboardTest, TheApiAndTheProcessAnswerForThemselves) {
  for (auto const* target : {"/api/v1/agents", "/api", "/api/", "/api/v1/tasks?status=failed", "/health", "/ready",
                             "/metrics", "/openapi.json"}) {
    EXPECT_EQ(ask(target).body, "\"api " + std::string(target) + '"');
    EXPECT_TRUE(dashboard.limits(Method::get, target)) << target;
  }
  EXPECT_EQ(ask("/api/v1/agents", {}, Method::post).status, 200);
  EXPECT_FALSE(dashboard.limits(Method::get, "/agents"));
}

/// Whoever says what is wrong with them is the router.
TEST_F(DashboardTest, TargetsThatMeanTwoThingsReachNoFile) {
  for (auto const* target :
       {"/assets/../index.html", "/%2e%2e/etc/passwd", "/assets/%2e%2e/app-abc.js", "/a%00b", "/%zz"})
    EXPECT_EQ(ask(target).body, "\"api " + std::string(target) + '"') << target;
}

TEST(WebFiles, AreNoneWithoutABuild) {
  WebFiles const none({});
  EXPECT_FALSE(none.page("x"));
  EXPECT_EQ(none.find("/index.html"), nullptr);
  WebFile const broken("a.js", "no gzip");
  EXPECT_THROW((void)broken.plain(), Fault);
}

}  // namespace
}  // namespace al::services::dashboard
