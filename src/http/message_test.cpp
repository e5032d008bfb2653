#include "http/message.hpp"

#include <gtest/gtest.h>

#include "http/context.hpp"
#include "http/request_id.hpp"
#include "http/response_head.hpp"

namespace al::http {
namespace {

TEST(Headers, NamesCompareWithoutCase) {
  Headers headers;
  headers.add("Content-Type", "text/plain");
  EXPECT_EQ(headers.find("content-type"), "text/plain");
  EXPECT_EQ(headers.find("CONTENT-TYPE"), "text/plain");
  EXPECT_EQ(headers.find("Content-Typ"), std::nullopt);
}

TEST(Headers, SetReplacesAllAndAddKeepsAll) {
  Headers headers;
  headers.add("A", "1");
  headers.add("a", "2");
  EXPECT_EQ(headers.count("A"), 2u);
  EXPECT_EQ(headers.find("A"), "1");
  headers.set("A", "3");
  EXPECT_EQ(headers.count("a"), 1u);
  EXPECT_EQ(headers.find("a"), "3");
  headers.erase("a");
  EXPECT_EQ(headers.size(), 0u);
}

TEST(HeadersDeathTest, RefusesWhatWouldEndTheLine) {
  using namespace std::string_view_literals;
  for (auto const value : {"a\r\nSet-Cookie: b"sv, "a\nb"sv, "a\0b"sv, "\r"sv}) {
    Headers headers;
    EXPECT_DEATH(headers.set("Location", value), "is_one_line");
  }
  Headers headers;
  EXPECT_DEATH(headers.add("", "x"), "empty");
  headers.set("Location", "/a\tb");
  EXPECT_EQ(headers.find("location"), "/a\tb");
}

TEST(Method, NamesAreCaseSensitive) {
  for (auto const name : {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}) {
    auto const method = method_of(name);
    ASSERT_TRUE(method) << name;
    EXPECT_EQ(method_name(*method), name);
  }
  for (auto const name : {"get", "TRACE", "CONNECT", "", "GETS", "PRI"})
    EXPECT_EQ(method_of(name), std::nullopt);
}

TEST(Principal, PermissionsAndWildcards) {
  struct Case {
    std::string held, asked;
    bool may;
  };
  for (auto const& [held, asked, may] : std::vector<Case>{{"agents:read", "agents:read", true},
                                                          {"agents:read", "agents:write", false},
                                                          {"agents:*", "agents:write", true},
                                                          {"agents:*", "agents_more:write", false},
                                                          {"agent:*", "agents:write", false},
                                                          {"*:*", "tasks:read", true},
                                                          {"*:read", "tasks:read", false},
                                                          {"*", "tasks:read", false},
                                                          {"", "tasks:read", false}}) {
    Principal const principal{.tenant = default_tenant, .id = "u", .permissions = {held}};
    EXPECT_EQ(principal.may(asked), may) << held << " asked for " << asked;
  }
  EXPECT_FALSE(Principal{}.may("agents:read"));
}

TEST(ResponseHead, FramingIsTheServers) {
  auto response = json_response(200, "{}");
  response.headers.add("Content-Length", "999");
  response.headers.add("Transfer-Encoding", "chunked");
  response.headers.add("Connection", "upgrade");
  std::string out;
  append_response_head(out, response, {.framing = Framing::length, .length = 2});
  EXPECT_EQ(out,
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"
            "X-Content-Type-Options: nosniff\r\n\r\n");
}

TEST(ResponseHead, ClosesAndKeeps) {
  std::string out;
  append_response_head(out, {.status = 204}, {.framing = Framing::none, .keep_alive = false});
  EXPECT_EQ(out, "HTTP/1.1 204 No Content\r\nConnection: close\r\nX-Content-Type-Options: nosniff\r\n\r\n");
  out.clear();
  append_response_head(out, {.status = 299}, {.framing = Framing::chunked, .is_http_1_0 = true});
  EXPECT_EQ(out,
            "HTTP/1.1 299 \r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n"
            "X-Content-Type-Options: nosniff\r\n\r\n");
}

TEST(ResponseHead, DateIsRfc9110) {
  using namespace std::chrono;
  EXPECT_EQ(date_line(sys_days{1994y / November / 6} + 8h + 49min + 37s + 999ms),
            "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
  EXPECT_EQ(date_line(sys_days{2024y / February / 29}), "Date: Thu, 29 Feb 2024 00:00:00 GMT\r\n");
}

TEST(ResponseHead, ChunkSizesAreHexadecimal) {
  EXPECT_EQ(chunk_head(1), "1\r\n");
  EXPECT_EQ(chunk_head(255), "ff\r\n");
  EXPECT_EQ(chunk_head(4096), "1000\r\n");
}

class CountingRandom final : public Random {
 public:
  void fill(std::span<std::byte> out) override { std::ranges::fill(out, std::byte{0xab}); }
};

TEST(RequestIds, DifferAndAreValid) {
  CountingRandom random;
  RequestIds ids(random);
  EXPECT_EQ(ids.next(), "abababababababab0000000000000000");
  EXPECT_EQ(ids.next(), "abababababababab0000000000000001");
  EXPECT_TRUE(is_visible_ascii(ids.next(), 128));
}

TEST(VisibleAscii, Bounds) {
  EXPECT_TRUE(is_visible_ascii("~!", 2));
  EXPECT_FALSE(is_visible_ascii("abc", 2));
  for (auto const text : {"", " ", "a b", "a\t", "\x7f", "\xc3\xa4"})
    EXPECT_FALSE(is_visible_ascii(text, 10)) << text;
}

}  // namespace
}  // namespace al::http
