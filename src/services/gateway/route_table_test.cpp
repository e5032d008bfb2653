#include "services/gateway/route_table.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace al::services::gateway {
namespace {

using enum http::Method;
using testing::HasSubstr;

Route route(std::string path, std::string service, Methods methods = Methods().set()) {
  return {.path = std::move(path), .methods = methods, .service = std::move(service)};
}

/// "service target", or the error's code.
std::string found(RouteTable const& table, std::string_view target, http::Method method = get) {
  auto const match = table.find(method, target);
  if (!match)
    return boost::describe::enum_to_string(match.error().code, "?");
  return match->route->service + " " + match->target;
}

TEST(GatewayRoutes, TheLongestPathWins) {
  RouteTable const table({route("/a", "short"), route("/a/b/c", "long"), route("/a/{x}/c/d", "wild"),
                          route("/a/{x}", "one"), route("/b/{x}/{y}", "two"), route("/b/x/z", "fixed"),
                          route("/b/{x}/z", "half")});
  struct Case {
    std::string target, service;
  };
  for (auto const& [target, service] : std::vector<Case>{{"/a", "short"},
                                                         {"/a/b", "one"},
                                                         {"/a/b/x", "one"},
                                                         {"/a/b/c", "long"},
                                                         {"/a/b/c/x/y", "long"},
                                                         {"/a/b/c/d", "wild"},
                                                         {"/a/b/c/d/e", "wild"},
                                                         {"/a/x/c/d", "wild"},
                                                         {"/b/x/z", "fixed"},
                                                         {"/b/y/z", "half"},
                                                         {"/b/x/y", "two"},
                                                         {"/b/x/zz", "two"}}) {
    EXPECT_EQ(found(table, target), std::string(service).append(" /api/v1").append(target));
  }
  for (auto const* nowhere : {"/", "/ab", "/b", "/b/x", "/c", "/A", "/api/v1", "/api/v1/", "/api", "/api/v1/c"})
    EXPECT_EQ(found(table, nowhere), "not_found") << nowhere;
}

TEST(GatewayRoutes, BothFormsAreOneRoute) {
  RouteTable const table({route("/agents", "designer"), {.path = "/old", .is_bare = true, .service = "legacy"}});
  EXPECT_EQ(found(table, "/agents/x"), "designer /api/v1/agents/x");
  EXPECT_EQ(found(table, "/api/v1/agents/x"), "designer /api/v1/agents/x") << "the prefix is not put in front twice";
  EXPECT_EQ(found(table, "/old/x"), "legacy /old/x");
  EXPECT_EQ(found(table, "/api/v1/old/x?a=b"), "legacy /old/x?a=b");
  EXPECT_EQ(found(table, "/api/v1/api/v1/agents"), "not_found");
  EXPECT_EQ(found(table, "/api/v1agents"), "not_found");
  EXPECT_EQ(found(table, "/api/v2/agents"), "not_found");
}

TEST(GatewayRoutes, ARouteRefusesOtherMethods) {
  RouteTable const table({route("/a", "all"), route("/a/b", "reads", methods_of({get})),
                          route("/a/b", "writes", methods_of({post, del})), route("/a/c", "puts", methods_of({put}))});
  EXPECT_EQ(found(table, "/a/b", get), "reads /api/v1/a/b");
  EXPECT_EQ(found(table, "/a/b", head), "reads /api/v1/a/b");
  EXPECT_EQ(found(table, "/a/b/c", post), "writes /api/v1/a/b/c");
  EXPECT_EQ(found(table, "/a/b", del), "writes /api/v1/a/b");
  EXPECT_EQ(found(table, "/a/b", options), "reads /api/v1/a/b");
  EXPECT_EQ(found(table, "/a/c", options), "puts /api/v1/a/c");
  EXPECT_EQ(found(table, "/a/c", head), "method_not_allowed");
  EXPECT_EQ(found(table, "/a/b", patch), "method_not_allowed") << "it must not fall through to /a";
  EXPECT_THAT(table.find(patch, "/api/v1/a/b").error().message, HasSubstr("GET, HEAD, POST, DELETE, OPTIONS"));
  EXPECT_EQ(table.allowed("/api/v1/a/b/x"), "GET, HEAD, POST, DELETE, OPTIONS");
  EXPECT_EQ(table.allowed("/a/c"), "PUT, OPTIONS");
  EXPECT_EQ(table.allowed("/b"), "");
  EXPECT_EQ(table.allowed("/a/../b"), "");
}

TEST(GatewayRoutes, RefuseWhatCouldMeanTwoPaths) {
  RouteTable const table({route("/agents", "designer"), route("/admin", "admin")});
  for (auto const* target : {"/agents/../admin",
                             "/agents/./x",
                             "/agents/..",
                             "/../agents",
                             "/agents/%2e%2e/admin",
                             "/agents/%2E./admin",
                             "/agents/.%2e",
                             "/agents\\x",
                             "/agents/\\x",
                             "\\agents",
                             "//agents",
                             "/agents//x",
                             "/agents//",
                             "/api/v1//agents",
                             "/api//v1/agents",
                             "/agents/%",
                             "/agents/%2",
                             "/agents/%zz",
                             "/agents/%00",
                             "/agents/%0a",
                             "/agents/%FF",
                             "/agents/a b",
                             "/agents/\t",
                             "/agents#x",
                             "/agents?a=%zz",
                             "/agents?a\nb",
                             "agents",
                             "",
                             "http://x/agents",
                             "*"}) {
    EXPECT_EQ(found(table, target), "bad_request") << target;
  }
}

TEST(GatewayRoutes, AnEscapedSlashDividesNothingAndIsTold) {
  RouteTable const table({route("/agents", "designer"), route("/agents/{id}/chat", "chats"), route("/admin", "admin")});
  for (auto const* path : {"/agents/a%2fb", "/agents/a%5Cb", "/agents/a%2Fchat", "/agents/%2e%2e%2fadmin"}) {
    auto const match = table.find(get, path);
    ASSERT_TRUE(match) << path;
    EXPECT_EQ(match->route->service, "designer") << path;
    EXPECT_TRUE(match->has_escaped_slash) << path;
  }
  EXPECT_EQ(found(table, "/agents/a%2fb"), "designer /api/v1/agents/a%2Fb");
  EXPECT_FALSE(table.find(get, "/agents/a")->has_escaped_slash);
  EXPECT_EQ(found(table, "/agents%2Fx"), "not_found");
  EXPECT_EQ(found(table, "/api/v1%2Fagents"), "not_found");
}

TEST(GatewayRoutes, PassOnWhatWasMatched) {
  RouteTable const table({route("/agents", "d"), route("/k/{id}", "k")});
  EXPECT_EQ(found(table, "/%61gents/x"), "d /api/v1/agents/x");
  EXPECT_EQ(found(table, "/%61pi/v1/agents"), "d /api/v1/agents");
  EXPECT_EQ(found(table, "/k/%7Ea%20b%C3%A9:@!"), "k /api/v1/k/~a%20b%C3%A9%3A%40%21");
  EXPECT_EQ(found(table, "/k/a+b"), "k /api/v1/k/a%2Bb");
  EXPECT_EQ(found(table, "/k/%2525"), "k /api/v1/k/%2525") << "decoded once, escaped once";
  EXPECT_EQ(found(table, "/k/%252e%252e"), "k /api/v1/k/%252e%252e");
  EXPECT_EQ(found(table, "/k/..."), "k /api/v1/k/...");
  EXPECT_EQ(found(table, "/agents/"), "d /api/v1/agents/") << "whether that is the same, its service decides";
  EXPECT_EQ(found(table, "/agents?a=/../b&a=%2F?x"), "d /api/v1/agents?a=/../b&a=%2F?x");
  EXPECT_EQ(found(table, "/agents?"), "d /api/v1/agents?");
  EXPECT_EQ(found(table, "/k/?x"), "not_found") << "a name stands for one segment, and that is not empty";
}

TEST(GatewayRoutes, AreThoseOfTheRoles) {
  RouteTable const table(default_config().routes);
  EXPECT_EQ(found(table, "/agents/researcher/chat", post), "ai-model /api/v1/agents/researcher/chat");
  EXPECT_EQ(found(table, "/agents/researcher/tasks", post), "agent-designer /api/v1/agents/researcher/tasks");
  EXPECT_EQ(found(table, "/api/v1/v1/chat/completions", post), "ai-model /api/v1/v1/chat/completions");
  EXPECT_EQ(found(table, "/v1/messages", post), "ai-model /api/v1/v1/messages");
  EXPECT_EQ(found(table, "/metrics/series"), "operations /api/v1/metrics/series");
  EXPECT_EQ(found(table, "/metrics"), "not_found") << "the process's own";
  EXPECT_EQ(found(table, "/health"), "not_found");
}

TEST(GatewayRoutes, LookAtNoMoreThanTheyMust) {
  std::vector<Route> routes;
  for (int bits = 0; bits < 256; ++bits) {
    std::string path;
    for (int i = 0; i < 8; ++i)
      path += (bits >> i & 1) != 0 ? "/a" : "/{x}";
    routes.push_back(route(path, std::to_string(bits)));
  }
  RouteTable const table(std::move(routes));
  EXPECT_EQ(found(table, "/a/a/a/a/a/a/a/a"), "255 /api/v1/a/a/a/a/a/a/a/a");
  EXPECT_EQ(found(table, "/b/b/b/b/b/b/b/b/b"), "0 /api/v1/b/b/b/b/b/b/b/b/b");
  std::string longest;
  for (int i = 0; i < 5000; ++i)
    longest += "/a";
  EXPECT_EQ(found(table, longest), "255 /api/v1" + longest);
}

TEST(GatewayRoutesDeathTest, TwoOfOnePathAreOurOwnMistake) {
  EXPECT_DEATH(RouteTable({route("/a/{x}", "a"), route("/a/{y}", "b")}), "two routes");
  EXPECT_DEATH(RouteTable({route("/api/v1/a", "a")}), "");
}

}  // namespace
}  // namespace al::services::gateway
