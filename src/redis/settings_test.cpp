#include "redis/settings.hpp"

#include <gtest/gtest.h>

namespace al::redis {
namespace {

TEST(RedisSettings, ReadsPlainUrls) {
  struct Case {
    char const* url;
    char const* host;
    int port;
    char const* username;
    char const* password;
    int database;
    bool tls;
  };
  for (auto const& c : {
           Case{"redis://", "localhost", 6379, "", "", 0, false},
           Case{"redis://cache", "cache", 6379, "", "", 0, false},
           Case{"redis://cache/", "cache", 6379, "", "", 0, false},
           Case{"redis://cache:7000/15", "cache", 7000, "", "", 15, false},
           Case{"redis:///3", "localhost", 6379, "", "", 3, false},
           Case{"redis://:secret@cache", "cache", 6379, "", "secret", 0, false},
           Case{"redis://ann:secret@cache:1/2", "cache", 1, "ann", "secret", 2, false},
           Case{"redis://a%3Ab:p%40%2F%3a%25@cache", "cache", 6379, "a:b", "p@/:%", 0, false},
           Case{"redis://:a@b@cache", "cache", 6379, "", "a@b", 0, false},
           Case{"redis://:a:b@cache", "cache", 6379, "", "a:b", 0, false},
           Case{"redis://:@cache", "cache", 6379, "", "", 0, false},
           Case{"rediss://[::1]:6380/1", "::1", 6380, "", "", 1, true},
           Case{"redis://[fe80::1]", "fe80::1", 6379, "", "", 0, false},
       }) {
    auto const options = parse_url(c.url);
    ASSERT_TRUE(options) << c.url << ": " << options.error().message;
    EXPECT_EQ(options->server.host, c.host) << c.url;
    EXPECT_EQ(options->server.port, c.port) << c.url;
    EXPECT_EQ(options->credentials.username, c.username) << c.url;
    EXPECT_EQ(options->credentials.password, c.password) << c.url;
    EXPECT_EQ(options->database, c.database) << c.url;
    EXPECT_EQ(options->tls, c.tls) << c.url;
    EXPECT_TRUE(options->sentinels.empty()) << c.url;
  }
}

TEST(RedisSettings, ReadsSentinelUrls) {
  auto const options = parse_url(
      "rediss+sentinel://ann:secret@one:1,two,[::2]:3/my%20master/4"
      "?sentinel_username=watch&sentinel_password=s%26w&ca_file=/etc/ca.pem&cert_file=c.pem&key_file=k.pem");
  ASSERT_TRUE(options) << options.error().message;
  EXPECT_EQ(
      options->sentinels,
      (std::vector<Address>{{.host = "one", .port = 1}, {.host = "two", .port = 26379}, {.host = "::2", .port = 3}}));
  EXPECT_EQ(options->master_name, "my master");
  EXPECT_EQ(options->database, 4);
  EXPECT_TRUE(options->tls);
  EXPECT_EQ(options->credentials, (Credentials{.username = "ann", .password = "secret"}));
  EXPECT_EQ(options->sentinel_credentials, (Credentials{.username = "watch", .password = "s&w"}));
  EXPECT_EQ(options->ca_file, "/etc/ca.pem");
  EXPECT_EQ(options->certificate_file, "c.pem");
  EXPECT_EQ(options->key_file, "k.pem");
  EXPECT_EQ(describe(*options), "rediss+sentinel://one:1,two:26379,[::2]:3/my master/4");
  EXPECT_TRUE(parse_url("redis-sentinel://one/mymaster"));
}

TEST(RedisSettings, RefusesTheRestWithoutTellingThePassword) {
  for (std::string const bad : {
           "",
           "hunter2",
           "redis",
           "redis:cache",
           "http://:hunter2@cache",
           "REDIS://:hunter2@cache",
           "unix:///hunter2",
           "redis://hunter2@cache",
           "redis://ann:@cache/hunter2",
           "redis://:hunter2%@cache",
           "redis://:hunter2%4@cache",
           "redis://:%zzhunter2@cache",
           "redis://:hun ter2@cache",
           "redis://:hunter2@cache\n",
           "redis://:hunter2@cache#1",
           "redis://:hunter2/x@cache",
           "redis://:hunter2@cache:0",
           "redis://:hunter2@cache:65536",
           "redis://:hunter2@cache:",
           "redis://:hunter2@cache:63x",
           "redis://:hunter2@cache/x",
           "redis://:hunter2@cache/-1",
           "redis://:hunter2@cache/1/2",
           "redis://:hunter2@cache/99999999999",
           "redis://:hunter2@[::1",
           "redis://:hunter2@[::1]x",
           "redis://:hunter2@ca%63he",
           "redis://:hunter2@one,two/0",
           "redis://:hunter2@cache?database=1",
           "redis://:hunter2@cache?cert_file=c.pem",
           "redis://:hunter2@cache?password=hunter2",
           "redis+sentinel://:hunter2@one",
           "redis+sentinel://:hunter2@one/",
           "redis+sentinel://:hunter2@one,/mymaster",
           "redis+sentinel:///mymaster",
           "redis+sentinel://:hunter2@one/mymaster/x",
       }) {
    auto const options = parse_url(bad);
    ASSERT_FALSE(options) << bad;
    EXPECT_EQ(options.error().code, Code::invalid) << bad;
    EXPECT_EQ(options.error().message.find("hunter2"), std::string::npos) << options.error().message;
    EXPECT_TRUE(options.error().message.starts_with("The Redis URL is malformed: ")) << options.error().message;
  }
}

TEST(RedisSettings, DescribesWithoutSecrets) {
  EXPECT_EQ(describe(*parse_url("redis://ann:hunter2@cache/7?ca_file=x")), "redis://cache:6379/7");
}

}  // namespace
}  // namespace al::redis
