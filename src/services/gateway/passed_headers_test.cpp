#include "services/gateway/passed_headers.hpp"

#include <gtest/gtest.h>

#include "services/gateway/compression.hpp"

namespace al::services::gateway {
namespace {

http::Headers one(std::string_view name, std::string_view value) {
  http::Headers headers;
  headers.add(name, value);
  return headers;
}

TEST(CacheControl, IsReadWordByWord) {
  EXPECT_TRUE(has_directive(one("cache-control", "max-age=5, No-Store"), "no-store"));
  EXPECT_TRUE(has_directive(one("Cache-Control", "private=\"x\""), "private"));
  EXPECT_FALSE(has_directive(one("Cache-Control", "no-store-at-all, max-age=5"), "no-store"));
  EXPECT_FALSE(has_directive(one("Pragma", "no-store"), "no-store"));
}

TEST(Forwarded, NamesIPv6InBrackets) {
  http::Headers headers = one("Host", "[::1]:8000");
  make_forwarded(headers, {.principal = {}, .request_id = "r", .traceparent = {}}, "::1", "https");
  EXPECT_EQ(headers.find("Forwarded"), "for=\"[::1]\";host=\"[::1]:8000\";proto=https");
  EXPECT_EQ(headers.find("X-Forwarded-For"), "::1");
  EXPECT_EQ(headers.find("Host"), std::nullopt);
  EXPECT_EQ(headers.find("traceparent"), std::nullopt);
}

TEST(Answers, LoseTheHeadersOfTheirConnection) {
  http::Headers headers = one("Connection", "close, X-Hop");
  for (auto const* const name : {"X-Hop", "Keep-Alive", "Transfer-Encoding", "Upgrade", "Access-Control-Allow-Origin"})
    headers.add(name, "1");
  headers.add("X-End", "kept");
  make_returned(headers);
  EXPECT_EQ(headers.size(), 1u);
  EXPECT_EQ(headers.find("X-End"), "kept");
}

TEST(Compression, IsForWhatGetsSmaller) {
  for (auto const* const type :
       {"application/json", "application/problem+json", "text/html; charset=utf-8", "image/svg+xml"})
    EXPECT_TRUE(is_compressible(type)) << type;
  for (auto const* const type : {"", "image/png", "application/gzip", "text/event-stream", "application/octet-stream"})
    EXPECT_FALSE(is_compressible(type)) << type;
}

}  // namespace
}  // namespace al::services::gateway
