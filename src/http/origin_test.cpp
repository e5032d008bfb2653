#include "http/origin.hpp"

#include <gtest/gtest.h>

namespace al::http {
namespace {

AllowedOrigins none() { return AllowedOrigins::from("").value(); }

TEST(AllowedOrigins, PagesOfTheHostThatIsAskedMayAlways) {
  EXPECT_TRUE(none().allows("http://127.0.0.1:8000", "127.0.0.1:8000"));
  EXPECT_TRUE(none().allows("https://app.example.com", "app.example.com"));
  EXPECT_TRUE(none().allows("https://app.example.com", "app.example.com:443"));
  EXPECT_TRUE(none().allows("http://app.example.com:80", "app.example.com"));
  EXPECT_TRUE(none().allows("https://App.Example.com", "app.example.COM"));
  EXPECT_TRUE(none().allows("http://[::1]:8000", "[::1]:8000"));
  EXPECT_TRUE(none().allows("http://[::1]", "[::1]"));
}

TEST(AllowedOrigins, OthersMayNot) {
  EXPECT_FALSE(none().allows("http://127.0.0.1:8001", "127.0.0.1:8000"));
  EXPECT_FALSE(none().allows("https://app.example.com.evil.example", "app.example.com"));
  EXPECT_FALSE(none().allows("https://evil.example", "app.example.com"));
  EXPECT_FALSE(none().allows("https://app.example.com", "app.example.com:80"));
  EXPECT_FALSE(none().allows("http://[::1]:8000", "[::1]:8001"));
}

TEST(AllowedOrigins, WhatIsNoOriginOfAPageMayNot) {
  for (auto const* origin :
       {"null", "", "file://", "ftp://a.example", "https://", "https://a.example/", "https://a.example/path",
        "https://user@a.example", "https://a.example:0", "https://a.example:65536", "https://a.example:", "a.example",
        "https://a.example, https://a.example", "https://a.example:0443", "http://[a.example"}) {
    EXPECT_FALSE(none().allows(origin, "a.example")) << origin;
  }
  EXPECT_FALSE(none().allows("null", "null"));
  EXPECT_FALSE(none().allows("http://", ""));
  EXPECT_FALSE(none().allows("https://" + std::string(400, 'a'), std::string(400, 'a')));
}

TEST(AllowedOrigins, TheListIsTakenExactly) {
  auto const origins = AllowedOrigins::from("https://app.example.com, http://127.0.0.1:3000,https://b.example:443");
  ASSERT_TRUE(origins) << origins.error().message;
  EXPECT_TRUE(origins->allows("https://app.example.com", "api.example.com"));
  EXPECT_TRUE(origins->allows("http://127.0.0.1:3000", "127.0.0.1:8000"));
  EXPECT_TRUE(origins->allows("https://b.example", "api.example.com"));
  EXPECT_FALSE(origins->allows("http://app.example.com", "api.example.com"));
  EXPECT_FALSE(origins->allows("https://app.example.com:8443", "api.example.com"));
  EXPECT_FALSE(origins->allows("https://x.app.example.com", "api.example.com"));
  EXPECT_FALSE(origins->allows("http://127.0.0.1:3001", "127.0.0.1:8000"));
  EXPECT_FALSE(origins->allows("null", "api.example.com"));
}

TEST(AllowedOrigins, BadEntriesAreNamed) {
  for (auto const* entry : {"*", "null", "app.example.com", "https://app.example.com/", "https://*.example.com",
                            "ws://app.example.com", "https://a.example:99999"}) {
    auto const origins = AllowedOrigins::from("https://good.example," + std::string(entry));
    ASSERT_FALSE(origins) << entry;
    EXPECT_EQ(origins.error().code, Code::invalid);
    EXPECT_TRUE(origins.error().message.contains("'" + std::string(entry) + "'")) << origins.error().message;
  }
}

TEST(AllowedOrigins, TheListHasABound) {
  std::string list;
  for (int i = 0; i < 65; ++i)
    list += "https://a" + std::to_string(i) + ".example,";
  EXPECT_FALSE(AllowedOrigins::from(list));
}

}  // namespace
}  // namespace al::http
