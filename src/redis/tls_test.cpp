#include "core/fault.hpp"
#include "redis/connection.hpp"
#include "redis/subscriber.hpp"
#include "redis/test_fixture.hpp"
#include "testing/test_certificate.hpp"

namespace al::redis {
namespace {

class RedisTlsTest : public RedisTest {
 protected:
  static std::vector<std::string> lines(TestCertificate const& certificate, std::string const& asks_clients) {
    return {"tls-cert-file " + certificate.certificate_file(), "tls-key-file " + certificate.key_file(),
            "tls-ca-cert-file " + certificate.certificate_file(), "tls-auth-clients " + asks_clients};
  }
  [[nodiscard]] Options options(RedisServer const& server) const {
    auto options = options_of(server.url());
    options.ca_file = certificate.certificate_file();
    return options;
  }

  TestCertificate certificate{"IP:127.0.0.1"};
};

TEST_F(RedisTlsTest, Speaks) {
  RedisServer server({.lines = lines(certificate, "no"), .tls = true});
  auto const redis = connect(options(server));
  std::string const value(3 << 20, 'x');
  EXPECT_EQ(text_of(call(*redis, Command{"SET", "large", value})), "OK");
  EXPECT_EQ(text_of(call(*redis, Command{"GET", "large"})), value);
  EXPECT_EQ(redis->view().connects, 1u);
  server.kill();
  run_until([&] { return redis->view().losses == 1; }, "the loss is noticed");
  server.start();
  wait_until_back(*redis);
}

TEST_F(RedisTlsTest, TrustsOnlyWhomItIsTold) {
  RedisServer server({.lines = lines(certificate, "no"), .tls = true});
  auto stranger = options(server);
  stranger.ca_file = {};
  auto const untrusted = call(*connect(stranger), Command{"PING"});
  EXPECT_EQ(code_of(untrusted), Code::unavailable);
  EXPECT_NE(untrusted.error().message.find("certificate verify failed"), std::string::npos)
      << untrusted.error().message;

  TestCertificate const other("IP:127.0.0.2");
  RedisServer impostor({.lines = lines(other, "no"), .tls = true});
  auto wrong_name = options(impostor);
  wrong_name.ca_file = other.certificate_file();
  EXPECT_EQ(code_of(call(*connect(wrong_name), Command{"PING"})), Code::unavailable) << "another host's certificate";
}

TEST_F(RedisTlsTest, ShowsItsCertificate) {
  RedisServer server({.lines = lines(certificate, "yes"), .tls = true});
  EXPECT_EQ(code_of(call(*connect(options(server)), Command{"PING"})), Code::unavailable);
  auto known = options(server);
  known.certificate_file = certificate.certificate_file();
  known.key_file = certificate.key_file();
  EXPECT_EQ(text_of(call(*connect(known), Command{"PING"})), "PONG");
}

TEST_F(RedisTlsTest, PlainAndTlsDoNotMix) {
  RedisServer server({.lines = lines(certificate, "no"), .tls = true});
  auto plain = options(server);
  plain.tls = false;
  plain.connect_timeout = 500ms;
  EXPECT_FALSE(call(*connect(plain), Command{"PING"}));
  auto tls = options_of(RedisServer::shared().url());
  tls.tls = true;
  tls.connect_timeout = 500ms;
  EXPECT_FALSE(call(*connect(tls), Command{"PING"}));
}

TEST_F(RedisTlsTest, FilesThatCannotBeReadAreFaults) {
  auto options = options_of("rediss://localhost?ca_file=/nowhere/ca.pem");
  EXPECT_THROW((void)connect(options), Fault);
  options.ca_file = certificate.certificate_file();
  options.certificate_file = certificate.certificate_file();
  options.key_file = "/nowhere/key.pem";
  EXPECT_THROW((void)connect(options), Fault);
}

}  // namespace
}  // namespace al::redis
