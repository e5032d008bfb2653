#include "http/trusted_proxies.hpp"

#include <gmock/gmock.h>

namespace al::http {
namespace {

using testing::HasSubstr;

std::string client(std::string_view trusted, std::string const& peer, std::vector<std::string> const& forwarded) {
  auto const proxies = TrustedProxies::from(trusted);
  EXPECT_TRUE(proxies) << proxies.error().message;
  Headers headers;
  for (auto const& one : forwarded)
    headers.add("x-forwarded-for", one);
  return proxies->client_of(peer, headers);
}

TEST(TrustedProxies, NobodyIsBelievedWithoutBeingNamed) {
  EXPECT_EQ(client("", "192.0.2.1", {"203.0.113.9"}), "192.0.2.1");
  EXPECT_EQ(client("10.0.0.0/8", "192.0.2.1", {"203.0.113.9"}), "192.0.2.1");
  EXPECT_EQ(client("", "127.0.0.1", {"203.0.113.9"}), "127.0.0.1");
}

TEST(TrustedProxies, ATrustedOneNamesItsClient) {
  EXPECT_EQ(client("10.0.0.0/8", "10.1.2.3", {"203.0.113.9"}), "203.0.113.9");
  EXPECT_EQ(client("10.1.2.3", "10.1.2.3", {" 203.0.113.9 "}), "203.0.113.9");
  EXPECT_EQ(client("10.1.2.3", "10.1.2.4", {"203.0.113.9"}), "10.1.2.4");
  EXPECT_EQ(client("10.0.0.0/8", "10.1.2.3", {}), "10.1.2.3") << "it called by itself";
}

TEST(TrustedProxies, WhatStandsBeforeTheLastStrangerAnybodyCouldHaveWritten) {
  EXPECT_EQ(client("10.0.0.0/8", "10.1.2.3", {"198.51.100.1, 203.0.113.9"}), "203.0.113.9");
  EXPECT_EQ(client("10.0.0.0/8", "10.1.2.3", {"198.51.100.1, 203.0.113.9, 10.9.9.9"}), "203.0.113.9");
  EXPECT_EQ(client("10.0.0.0/8", "10.1.2.3", {"198.51.100.1", "203.0.113.9"}), "203.0.113.9") << "two headers";
  EXPECT_EQ(client("10.0.0.0/8", "10.1.2.3", {"10.2.2.2, 10.9.9.9"}), "10.2.2.2") << "a client of our own network";
}

TEST(TrustedProxies, NonsenseEndsTheChain) {
  EXPECT_EQ(client("10.0.0.0/8", "10.1.2.3", {"203.0.113.9, unknown"}), "10.1.2.3");
  EXPECT_EQ(client("10.0.0.0/8", "10.1.2.3", {"203.0.113.9,"}), "10.1.2.3");
  EXPECT_EQ(client("10.0.0.0/8", "10.1.2.3", {"203.0.113.9, x, 10.4.4.4"}), "10.4.4.4");
}

TEST(TrustedProxies, FormsOfAddresses) {
  EXPECT_EQ(client("fd00::/8", "fd12::1", {"2001:db8::7"}), "2001:db8::7");
  EXPECT_EQ(client("fd00::/8", "fe80::1", {"2001:db8::7"}), "fe80::1");
  EXPECT_EQ(client("10.0.0.0/8", "::ffff:10.1.2.3", {"::ffff:203.0.113.9"}), "203.0.113.9");
  EXPECT_EQ(client("10.0.0.0/8", "10.1.2.3", {"203.0.113.9:4711"}), "203.0.113.9");
  EXPECT_EQ(client("10.0.0.0/8", "10.1.2.3", {"[2001:db8::7]:4711"}), "2001:db8::7");
  EXPECT_EQ(client("10.128.0.0/9", "10.200.0.1", {"203.0.113.9"}), "203.0.113.9");
  EXPECT_EQ(client("10.128.0.0/9", "10.100.0.1", {"203.0.113.9"}), "10.100.0.1");
  EXPECT_EQ(client("0.0.0.0/0", "10.100.0.1", {"2001:db8::7"}), "2001:db8::7");
  EXPECT_EQ(client("0.0.0.0/0", "2001:db8::7", {"203.0.113.9"}), "2001:db8::7") << "only of IPv4";
}

TEST(TrustedProxies, AWrongEntryIsNamed) {
  for (std::string const wrong : {"10.0.0.0/33", "10.0.0.0/", "10.0.0.0/x", "proxy.example", "fd00::/129", "/8", "1"}) {
    auto const proxies = TrustedProxies::from("10.0.0.0/8, " + wrong);
    ASSERT_FALSE(proxies) << wrong;
    EXPECT_EQ(proxies.error().code, Code::invalid);
    EXPECT_THAT(proxies.error().message, HasSubstr("'" + wrong + "'"));
  }
}

}  // namespace
}  // namespace al::http
