#include "http/negotiation.hpp"

#include <gtest/gtest.h>

namespace al::http {
namespace {

Headers one(std::string_view name, std::string_view value) {
  Headers headers;
  headers.add(name, value);
  return headers;
}

TEST(AcceptEncoding, TakesGzipUnlessItIsRefused) {
  for (auto const* const text : {"gzip", "GZIP", "br, gzip", "gzip;q=0.1", "*", "br;q=0, *;q=0.5", "gzip ; q=1"})
    EXPECT_TRUE(accepts_gzip(one("Accept-Encoding", text))) << text;
  for (auto const* const text : {"", "br", "identity", "gzip;q=0", "gzip;q=0.000", "*;q=0", "gzip;q=0, *", "x-gzipped"})
    EXPECT_FALSE(accepts_gzip(one("Accept-Encoding", text))) << text;
  EXPECT_FALSE(accepts_gzip({}));
}

TEST(Accept, TakesAPageUnlessItAsksForSomethingElse) {
  for (auto const* const text : {"text/html", "TEXT/HTML", "*/*", "text/*;q=0.3", "application/json, text/html;q=0.5"})
    EXPECT_TRUE(accepts_html(one("Accept", text))) << text;
  for (auto const* const text : {"", "application/json", "text/html;q=0", "text/htmlx", "image/*"})
    EXPECT_FALSE(accepts_html(one("Accept", text))) << text;
  EXPECT_TRUE(accepts_html({}));
}

}  // namespace
}  // namespace al::http
