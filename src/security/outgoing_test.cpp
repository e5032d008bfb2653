#include "security/outgoing.hpp"

#include <gtest/gtest.h>

#include <array>

namespace al::security {
namespace {

constexpr auto special_v4 = std::to_array<std::string_view>(
    {"0.0.0.0",         "0.255.255.255",   "10.0.0.0",       "10.1.2.3",        "10.255.255.255", "100.64.0.0",
     "100.100.100.200", "100.127.255.255", "127.0.0.1",      "127.255.255.255", "168.63.129.16",  "169.254.0.0",
     "169.254.169.254", "169.254.170.2",   "172.16.0.0",     "172.31.255.255",  "192.0.0.0",      "192.0.0.192",
     "192.0.2.1",       "192.31.196.1",    "192.52.193.1",   "192.88.99.1",     "192.168.0.1",    "192.168.255.255",
     "192.175.48.1",    "198.18.0.1",      "198.19.255.255", "198.51.100.7",    "203.0.113.7",    "224.0.0.1",
     "239.255.255.255", "240.0.0.1",       "255.255.255.255"});

constexpr auto special_v6 = std::to_array<std::string_view>({"::",
                                                             "::1",
                                                             "::7f00:1",
                                                             "::8.8.8.8",
                                                             "::ffff:127.0.0.1",
                                                             "::ffff:10.0.0.1",
                                                             "::ffff:169.254.169.254",
                                                             "::ffff:0:8.8.8.8",
                                                             "64:ff9b::127.0.0.1",
                                                             "64:ff9b::a9fe:a9fe",
                                                             "64:ff9b::10.0.0.1",
                                                             "64:ff9b:1::8.8.8.8",
                                                             "64:ff9b:0:0:1::808:808",
                                                             "100::1",
                                                             "100:0:0:1::1",
                                                             "2001::1",
                                                             "2001:0:808:808::1",
                                                             "2001:2::1",
                                                             "2001:10::1",
                                                             "2001:20::1",
                                                             "2001:1ff:ffff::1",
                                                             "2001:db8::1",
                                                             "2002:7f00:1::1",
                                                             "2002:808:808::1",
                                                             "2620:4f:8000::1",
                                                             "3fff::1",
                                                             "3fff:fff:ffff::1",
                                                             "4000::1",
                                                             "5f00::1",
                                                             "fc00::1",
                                                             "fd00:ec2::254",
                                                             "fdff::1",
                                                             "fe80::1",
                                                             "fe80::1%1",
                                                             "febf::1",
                                                             "fec0::1",
                                                             "ff02::1",
                                                             "ff0e::1"});

constexpr auto ordinary = std::to_array<std::string_view>({"1.0.0.0",
                                                           "8.8.8.8",
                                                           "9.255.255.255",
                                                           "11.0.0.0",
                                                           "100.63.255.255",
                                                           "100.128.0.0",
                                                           "126.255.255.255",
                                                           "128.0.0.0",
                                                           "168.63.129.15",
                                                           "168.63.129.17",
                                                           "169.253.255.255",
                                                           "169.255.0.0",
                                                           "172.15.255.255",
                                                           "172.32.0.0",
                                                           "191.255.255.255",
                                                           "192.0.1.0",
                                                           "192.0.3.0",
                                                           "192.167.255.255",
                                                           "192.169.0.0",
                                                           "198.17.255.255",
                                                           "198.20.0.0",
                                                           "198.51.99.255",
                                                           "198.51.101.0",
                                                           "203.0.112.255",
                                                           "203.0.114.0",
                                                           "223.255.255.255",
                                                           "2000::1",
                                                           "2001:200::1",
                                                           "2001:4860:4860::8888",
                                                           "2001:db7::1",
                                                           "2001:db9::1",
                                                           "2003::1",
                                                           "2606:4700::1111",
                                                           "2620:4f:7fff::1",
                                                           "3ffe::1",
                                                           "3fff:1000::1",
                                                           "::ffff:8.8.8.8",
                                                           "64:ff9b::8.8.8.8"});

bool is_public_text(std::string_view text) { return is_public(asio::ip::make_address(std::string(text))); }

TEST(PublicAddress, SpecialOnesAreNot) {
  for (auto const text : special_v4)
    EXPECT_FALSE(is_public_text(text)) << text;
  for (auto const text : special_v6)
    EXPECT_FALSE(is_public_text(text)) << text;
}

TEST(PublicAddress, TheirNeighboursAre) {
  for (auto const text : ordinary)
    EXPECT_TRUE(is_public_text(text)) << text;
}

/// An IPv6 address that carries an IPv4 address is as public as that one.
TEST(PublicAddress, CarriedOnesAreJudgedByWhatTheyCarry) {
  for (auto const* prefix : {"::ffff:", "64:ff9b::"}) {
    for (auto const text : special_v4)
      EXPECT_FALSE(is_public_text(prefix + std::string(text))) << prefix << text;
  }
}

OutgoingHosts hosts(std::string_view list) {
  auto out = OutgoingHosts::from(list);
  EXPECT_TRUE(out) << list << ": " << out.error().message;
  return std::move(*out);
}

std::string verdict(OutgoingHosts const& guard, std::string_view url) {
  auto const out = guard.check(url);
  return !out ? out.error().message : out->may_be_private ? "private" : "public";
}

TEST(OutgoingHosts, OnlyListedHostsWithTls) {
  auto const guard = hosts("api.openai.com, API.Anthropic.com ,llm.example:8443,models.corp");
  for (auto const* url : {"https://api.openai.com/v1", "https://API.OPENAI.COM/v1", "https://api.openai.com:443/v1/",
                          "HTTPS://api.anthropic.com"}) {
    EXPECT_EQ(verdict(guard, url), "public") << url;
  }
  for (auto const* url : {"https://llm.example:8443/v1", "http://llm.example:8443/v1", "https://models.corp/v1",
                          "http://models.corp/v1"}) {
    EXPECT_EQ(verdict(guard, url), "private") << "the operator vouches for " << url;
  }
  struct Case {
    std::string_view url, says;
  };
  for (auto const& [url, says] : {
           Case{"http://api.openai.com/v1", "must begin with https://"},
           Case{"https://api.openai.com:8443/v1", "add 'api.openai.com:8443' to PROVIDERS_ALLOWED_HOSTS"},
           Case{"https://llm.example/v1", "may not be called"},
           Case{"https://api.openai.com.evil.example/v1", "may not be called"},
           Case{"https://evil.example/api.openai.com", "may not be called"},
           Case{"https://api.openai.com@evil.example/v1", "give the key as `key`"},
           Case{"https://user:pass@api.openai.com/v1", "give the key as `key`"},
           Case{"https://127.0.0.1.api.openai.com/v1", "plainly"},
           Case{"https://api.openai.com./v1", "plainly"},
           Case{"https://api%2eopenai.com/v1", "plainly"},
           Case{"https://api.openai.com/v1?key=1", "without a query"},
           Case{"https://api.openai.com/v1#x", "without a query"},
           Case{"https://api.openai.com:0/v1", "port"},
           Case{"https://api.openai.com:99999/v1", "port"},
           Case{"ftp://api.openai.com/v1", "https://"},
           Case{"file:///etc/passwd", "must be a URL"},
           Case{"api.openai.com/v1", "must be a URL"},
           Case{"//api.openai.com/v1", "must be a URL"},
           Case{"https:///v1", "must be a URL"},
           Case{"https://api.openai.com\\@evil.example/", "must be a URL"},
           Case{"https://api.openai.com/ v1", "must be a URL"},
           Case{"https://api.openai.com/v1\r\nX: y", "must be a URL"},
           Case{"", "must be a URL"},
           Case{"https://127.0.0.1/v1", "add '127.0.0.1' to PROVIDERS_ALLOWED_HOSTS"},
       }) {
    EXPECT_NE(verdict(guard, url).find(says), std::string::npos) << url << ": " << verdict(guard, url);
  }
  EXPECT_NE(verdict(guard, "https://api.openai.com/" + std::string(500, 'x')).find("must be a URL"), std::string::npos);
}

TEST(OutgoingHosts, WellKnownOnesNeedTlsHoweverTheyAreListed) {
  EXPECT_EQ(verdict(hosts("api.openai.com:80"), "http://api.openai.com/v1"), "must begin with https://");
  EXPECT_EQ(verdict(hosts("api.openai.com:8443"), "https://api.openai.com:8443/v1"), "public");
}

TEST(OutgoingHosts, AnAddressMayBeListed) {
  auto const guard = hosts("127.0.0.1:11434,[::1]:8080,[FD00:0:0::5],10.0.0.7");
  for (auto const* url : {"http://127.0.0.1:11434/v1", "http://[::1]:8080/v1", "http://[0:0:0:0:0:0:0:1]:8080/v1",
                          "https://[fd00::5]/v1", "http://10.0.0.7/v1", "https://10.0.0.7"}) {
    EXPECT_EQ(verdict(guard, url), "private") << url;
  }
  for (auto const* url : {"http://127.0.0.1:11435/v1", "http://127.0.0.1/v1", "http://127.1:11434/v1",
                          "http://2130706433:11434/v1", "http://0x7f.0.0.1:11434/v1", "http://0177.0.0.1:11434/v1",
                          "http://[::ffff:127.0.0.1]:11434/v1", "http://localhost:11434/v1"}) {
    EXPECT_NE(verdict(guard, url), "private") << url;
    EXPECT_NE(verdict(guard, url), "public") << url;
  }
}

TEST(OutgoingHosts, AStarIsEveryPublicHostWithTls) {
  auto const guard = hosts("*,127.0.0.1:9");
  for (auto const* url : {"https://llm.example/v1", "https://llm.example:8443/v1", "https://8.8.8.8/v1",
                          "https://[2606:4700::1111]/v1"}) {
    EXPECT_EQ(verdict(guard, url), "public") << url;
  }
  for (auto const* url :
       {"http://llm.example/v1", "https://127.0.0.1/v1", "https://10.0.0.1", "https://169.254.169.254/latest",
        "https://[::1]/v1", "https://[::ffff:10.0.0.1]/v1", "https://[64:ff9b::7f00:1]/v1", "https://[fe80::1]/v1",
        "https://localhost/v1", "https://db/v1", "https://a.localhost/v1", "https://printer.local",
        "https://metadata.google.internal/v1", "https://127.1/v1", "https://0x7f000001/v1", "https://2130706433/v1",
        "https://0177.0.0.1/v1", "https://1.2.3.4.5/v1", "https://8.8.8.8.evil.example/v1"}) {
    EXPECT_NE(verdict(guard, url), "private") << url;
    EXPECT_NE(verdict(guard, url), "public") << url;
  }
  EXPECT_EQ(verdict(guard, "http://127.0.0.1:9/v1"), "private");
}

TEST(OutgoingHosts, NothingIsListedByAnEmptyList) {
  EXPECT_NE(verdict(hosts(""), "https://api.openai.com/v1").find("may not be called"), std::string::npos);
  EXPECT_NE(verdict(hosts(" , "), "https://api.openai.com/v1").find("may not be called"), std::string::npos);
}

TEST(OutgoingHosts, AWrongEntryIsNamed) {
  for (auto const* entry : {"https://api.openai.com", "host:0", "host:65536", "host:x", "::1", "[::1", "a b", "*.corp",
                            "127.1", ".corp", "corp.", "host:"}) {
    auto const out = OutgoingHosts::from("api.openai.com," + std::string(entry));
    ASSERT_FALSE(out) << entry;
    EXPECT_NE(out.error().message.find("'" + std::string(entry) + "'"), std::string::npos) << out.error().message;
  }
}

TEST(OutgoingHosts, SlashesAtTheEndAreTakenOff) {
  EXPECT_EQ(hosts("api.openai.com").check("https://api.openai.com/v1//")->url, "https://api.openai.com/v1");
  EXPECT_EQ(hosts("api.openai.com").check("https://api.openai.com/")->url, "https://api.openai.com");
}

TEST(Origin, IsSchemeHostAndPort) {
  EXPECT_EQ(origin_of("https://API.openai.com:443/v1"), origin_of("https://api.openai.com/v2"));
  EXPECT_NE(origin_of("https://api.openai.com/v1"), origin_of("http://api.openai.com/v1"));
  EXPECT_NE(origin_of("https://api.openai.com/v1"), origin_of("https://api.openai.com:8443/v1"));
  EXPECT_NE(origin_of("https://api.openai.com/v1"), origin_of("https://api.groq.com/v1"));
}

TEST(Services, MayBeInANetworkOfOnesOwn) {
  for (auto const* fine :
       {"127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.0.1", "100.64.0.1", "8.8.8.8", "169.253.255.255", "169.255.0.0",
        "::1", "fd00::1", "2001:4860:4860::8888", "::ffff:10.0.0.1", "64:ff9b::10.0.0.1"})
    EXPECT_TRUE(may_be_service(asio::ip::make_address(fine))) << fine;
}

TEST(Services, AreNeverLinkLocalOrMetadata) {
  for (auto const* never :
       {"0.0.0.0", "169.254.0.0", "169.254.169.254", "169.254.255.255", "100.100.100.200", "168.63.129.16",
        "192.0.0.192", "224.0.0.1", "255.255.255.255", "::", "fe80::1", "febf::1", "ff02::1", "fd00:ec2::254",
        "fd20:ce::254", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "::a9fe:a9fe", "2002:a9fe:a9fe::1"})
    EXPECT_FALSE(may_be_service(asio::ip::make_address(never))) << never;
}

TEST(Services, HaveAPlainHost) {
  for (auto const& [given, kept] :
       std::initializer_list<std::pair<std::string_view, std::string_view>>{{"Search.Example", "search.example"},
                                                                            {"node_1", "node_1"},
                                                                            {"10.0.0.7", "10.0.0.7"},
                                                                            {"FD00:0::1", "fd00::1"},
                                                                            {"[fd00::1]", "fd00::1"},
                                                                            {"::1", "::1"}})
    EXPECT_EQ(service_host(given), kept) << given;
  for (auto const* wrong : {"", " ", "a b", "http://a", "a:80", "a/b", "user@a", "2130706433", "0x7f.1", "127.1", "[a]",
                            "fe80::1%1", "1.2.3.4.", "a..b", "169.254.169.254", "::ffff:169.254.169.254", "[fe80::1]"})
    EXPECT_FALSE(service_host(wrong)) << wrong;
}

}  // namespace
}  // namespace al::security
