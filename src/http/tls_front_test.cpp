#include "http/tls_front.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <future>

#include "core/fault.hpp"
#include "http/client.hpp"
#include "http/test_server.hpp"
#include "testing/test_certificate.hpp"

namespace al::http {
namespace {

using namespace std::chrono_literals;

/// A blocking client with TLS that trusts everybody. It gives up after 20 s.
class SecureClient {
 public:
  struct Options {
    int version_min = TLS1_2_VERSION;
    int version_max = TLS1_3_VERSION;
    std::string protocols{};  // of ALPN, as on the wire
  };

  explicit SecureClient(std::uint16_t port) : SecureClient(port, {}) {}
  SecureClient(std::uint16_t port, Options const& options)
      : context_(SSL_CTX_new(TLS_client_method()), &SSL_CTX_free),
        tls_(nullptr, &SSL_free),
        socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    timeval const limit{.tv_sec = 20, .tv_usec = 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    if (::connect(socket_, reinterpret_cast<sockaddr const*>(&address), sizeof address) != 0)
      throw std::runtime_error("cannot connect");
    SSL_CTX_set_min_proto_version(context_.get(), options.version_min);
    SSL_CTX_set_max_proto_version(context_.get(), options.version_max);
    SSL_CTX_set_cipher_list(context_.get(), "ALL:@SECLEVEL=0");
    tls_.reset(SSL_new(context_.get()));
    if (!options.protocols.empty()) {
      SSL_set_alpn_protos(tls_.get(), reinterpret_cast<unsigned char const*>(options.protocols.data()),
                          static_cast<unsigned>(options.protocols.size()));
    }
    SSL_set_fd(tls_.get(), socket_);
    is_connected = SSL_connect(tls_.get()) == 1;
  }
  ~SecureClient() { ::close(socket_); }
  SecureClient(SecureClient const&) = delete;
  SecureClient& operator=(SecureClient const&) = delete;

  bool send(std::string_view bytes) const {
    while (!bytes.empty()) {
      auto const sent =
          SSL_write(tls_.get(), bytes.data(), static_cast<int>(std::min<std::size_t>(bytes.size(), 1 << 20)));
      if (sent <= 0)
        return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  /// close_notify, and nothing more is sent.
  void finish_sending() const {
    SSL_shutdown(tls_.get());
    ::shutdown(socket_, SHUT_WR);
  }
  bool read_some() {
    std::array<char, 16384> bytes{};
    auto const got = SSL_read(tls_.get(), bytes.data(), bytes.size());
    error = got > 0 ? 0 : SSL_get_error(tls_.get(), got);
    received.append(bytes.data(), static_cast<std::size_t>(std::max(got, 0)));
    return got > 0;
  }
  bool read_until(std::string_view text) {
    while (!received.contains(text)) {
      if (!read_some())
        return false;
    }
    return true;
  }
  /// Whether the server has ended as it must: with close_notify.
  bool has_ended() { return !read_some() && error == SSL_ERROR_ZERO_RETURN; }
  [[nodiscard]] std::string protocol() const {
    unsigned char const* chosen = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(tls_.get(), &chosen, &size);
    return {reinterpret_cast<char const*>(chosen), size};
  }
  [[nodiscard]] std::string version() const { return SSL_get_version(tls_.get()); }
  /// Whether the server has shown this certificate.
  [[nodiscard]] bool saw(std::string const& certificate_file) const {
    std::unique_ptr<FILE, int (*)(FILE*)> const file(std::fopen(certificate_file.c_str(), "r"), &fclose);
    std::unique_ptr<X509, decltype(&X509_free)> const wanted(PEM_read_X509(file.get(), nullptr, nullptr, nullptr),
                                                             &X509_free);
    std::unique_ptr<X509, decltype(&X509_free)> const seen(SSL_get1_peer_certificate(tls_.get()), &X509_free);
    return seen && X509_cmp(seen.get(), wanted.get()) == 0;
  }

  bool is_connected = false;
  std::string received;
  int error = 0;

 private:
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
  std::unique_ptr<SSL, decltype(&SSL_free)> tls_;
  int socket_;
};

constexpr std::string_view hello = "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n";

class TlsFrontTest : public testing::Test {
 protected:
  static constexpr std::size_t large_bytes = 40 << 20;

  TlsFrontTest() : router(nullptr, nullptr, random) {
    std::signal(SIGPIPE, SIG_IGN);
    add(Method::get, "/hello", [](Call& call) -> Task<Result<Response>> {
      co_return json_response(200, call.request.peer + (call.request.is_secure ? " securely" : " in the open"));
    });
    add(Method::post, "/echo",
        [](Call& call) -> Task<Result<Response>> { co_return json_response(200, call.request.body); });
    add(Method::get, "/large", [this](Call&) -> Task<Result<Response>> {
      co_return Response{.body = BodyStream([this](BodyWriter& writer) -> Task<void> {
                           std::string const piece(1 << 20, 'x');
                           for (std::size_t i = 0; i < large_bytes / piece.size(); ++i, ++pieces)
                             co_await writer.write(piece);
                         })};
    });
    add(Method::get, "/slow", [this](Call&) -> Task<Result<Response>> {
      ++waiting;
      while (!let_go)
        co_await sleep_until(std::chrono::steady_clock::now() + 5ms);
      co_return json_response(200, "\"at last\"");
    });
    auto const talk = [](std::shared_ptr<WebSocket> socket) -> Task<void> {
      while (auto message = (co_await socket->receive(Deadline::after(1h))).value())
        socket->send(std::make_shared<std::string const>(std::move(*message)));
    };
    router.add({.method = Method::get,
                .path = "/socket",
                .permission = "",
                .summary = "",
                .websocket = true,
                .handler = [talk](Call&) -> Task<Result<Response>> {
                  co_return Response{.body = WebSocketSession{.run = talk}};
                }});
  }
  void add(Method method, std::string_view path, Handler handler) {
    router.add({.method = method,
                .path = path,
                .permission = "",
                .summary = "",
                .takes = method == Method::get ? Body::none : Body::any,
                .body_max = 16 << 20,
                .handler = std::move(handler)});
  }
  TestServer& start(ServerLimits limits = {}) {
    certificate.emplace(shown.certificate_file(), shown.key_file(), clock);
    return server.emplace(router, limits, 2, &*certificate);
  }
  [[nodiscard]] std::uint16_t port() const { return server->server.port(); }
  void wait_for_connections(std::size_t count) const {
    auto const until = std::chrono::steady_clock::now() + 20s;
    while (server->server.connections() != count && std::chrono::steady_clock::now() < until)
      std::this_thread::yield();
    EXPECT_EQ(server->server.connections(), count);
  }

  SystemRandom random;
  Router router;
  TestCertificate shown{"IP:127.0.0.1"};
  ManualClock clock;
  std::optional<TlsCertificate> certificate;
  std::atomic<std::size_t> pieces{0};  // written of /large
  std::atomic<int> waiting{0};
  std::atomic<bool> let_go{false};
  std::optional<TestServer> server;
};

// ---- handshake ----

TEST_F(TlsFrontTest, OurClientTalksToIt) {
  start();
  asio::io_context io(1);
  Client client(io.get_executor(), {.ca_file = shown.certificate_file()});
  std::string const body(10'000'000, 'b');
  auto const url = "https://127.0.0.1:" + std::to_string(port());
  auto const talk = [&]() -> Task<void> {
    for (int i = 0; i < 3; ++i) {
      auto const answer = co_await client.send(Method::get, url + "/hello", {}, {}, Deadline::after(20s));
      EXPECT_TRUE(answer && std::get<std::string>(answer->body) == "127.0.0.1 securely");
      EXPECT_TRUE(answer && answer->headers.find("Strict-Transport-Security"));
    }
    Headers headers;
    headers.add("Content-Type", "text/plain");
    auto const echo = co_await client.send(Method::post, url + "/echo", headers, body, Deadline::after(60s));
    EXPECT_TRUE(echo && std::get<std::string>(echo->body) == body);
    io.stop();
  };
  spawn(io.get_executor(), "test", talk());
  io.run();
  EXPECT_EQ(server->server.requests(), 4u);
  EXPECT_EQ(server->server.connections(), 1u);
}

TEST_F(TlsFrontTest, OfAPlainPortTheRequestIsNotSecure) {
  TestServer plain(router);
  RawClient client(plain.server.port());
  ASSERT_TRUE(client.send(hello));
  auto const answer = client.read_answer();
  EXPECT_TRUE(answer.ends_with("127.0.0.1 in the open"));
  EXPECT_FALSE(answer.contains("Strict-Transport-Security"));
}

TEST_F(TlsFrontTest, SpeaksTls12And13Only) {
  start();
  for (auto const& [version, name] :
       {std::pair(TLS1_VERSION, ""), {TLS1_1_VERSION, ""}, {TLS1_2_VERSION, "TLSv1.2"}, {TLS1_3_VERSION, "TLSv1.3"}}) {
    SecureClient client(port(), {.version_min = version, .version_max = version});
    EXPECT_EQ(client.is_connected, *name != '\0') << version;
    if (!client.is_connected)
      continue;
    EXPECT_EQ(client.version(), name);
    EXPECT_TRUE(client.send(hello) && client.read_until("securely")) << version;
  }
}

TEST_F(TlsFrontTest, AgreesOnHttp11OrOnNothing) {
  start();
  for (auto const& [offered, chosen] :
       {std::pair("", ""), {"\x08http/1.1", "http/1.1"}, {"\x02h2\x08http/1.1", "http/1.1"}}) {
    SecureClient const client(port(), {.protocols = offered});
    EXPECT_TRUE(client.is_connected) << offered;
    EXPECT_EQ(client.protocol(), chosen);
  }
  SecureClient const client(port(), {.protocols = "\x02h2"});
  EXPECT_FALSE(client.is_connected);
}

TEST_F(TlsFrontTest, WhoSpeaksPlainHttpIsToldSo) {
  start();
  for (std::string const request : {"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n", "DELETE / HTTP/1.1\r\n\r\n"}) {
    RawClient client(port());
    ASSERT_TRUE(client.send(request));
    auto const answer = client.read_answer();
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 400 ")) << answer;
    EXPECT_TRUE(answer.ends_with("\r\n\r\nThis port speaks TLS only: use an https:// URL.")) << answer;
    client.finish_sending();
    EXPECT_EQ(client.read_all(), "");
  }
  RawClient garbage(port());
  ASSERT_TRUE(garbage.send("\x16 is no handshake" + std::string(100, '?')));
  EXPECT_FALSE(garbage.read_all().contains("HTTP"));
  wait_for_connections(0);
  EXPECT_EQ(server->server.requests(), 0u);
}

TEST_F(TlsFrontTest, ASlowHandshakeIsEnded) {
  start();
  RawClient silent(port());
  RawClient slow(port());
  ASSERT_TRUE(slow.send("\x16\x03\x01"));
  wait_for_connections(2);
  EXPECT_TRUE(silent.read_some(300ms)) << "until both have their time limit";
  server->clock.advance(9s);
  EXPECT_TRUE(silent.read_some(600ms));
  EXPECT_TRUE(slow.read_some(100ms));
  server->clock.advance(2s);
  EXPECT_FALSE(silent.read_some());
  EXPECT_FALSE(slow.read_some());
  wait_for_connections(0);
}

TEST_F(TlsFrontTest, HandshakesAtOneTimeAreLimited) {
  start({.handshakes_max = 2});
  {
    RawClient one(port());
    RawClient const two(port());
    wait_for_connections(2);
    EXPECT_TRUE(one.read_some(300ms)) << "until both have begun";
    RawClient third(port());
    EXPECT_FALSE(third.read_some()) << "closed without a word";
  }
  wait_for_connections(0);
  std::vector<std::unique_ptr<SecureClient>> clients;
  for (int i = 0; i < 5; ++i)
    EXPECT_TRUE(clients.emplace_back(std::make_unique<SecureClient>(port()))->is_connected) << "no handshake is left";
}

// ---- both ways ----

TEST_F(TlsFrontTest, LargeAnswersArriveWholeAndEndInOrder) {
  start();
  SecureClient client(port());
  ASSERT_TRUE(client.send("GET /large HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
  while (client.read_some()) {
  }
  EXPECT_EQ(client.error, SSL_ERROR_ZERO_RETURN);
  EXPECT_TRUE(client.received.ends_with("\r\n0\r\n\r\n"));
  auto const body = client.received.substr(client.received.find("\r\n\r\n"));
  EXPECT_EQ(std::ranges::count(body, 'x'), static_cast<std::ptrdiff_t>(large_bytes));
  client.finish_sending();
  wait_for_connections(0);
}

TEST_F(TlsFrontTest, ManyRequestsAheadAreAnsweredInOrder) {
  start();
  SecureClient client(port());
  std::string requests;
  for (int i = 0; i < 200; ++i) {
    auto const body = "number " + std::to_string(i) + std::string(static_cast<std::size_t>(i), '.');
    requests +=
        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: " + std::to_string(body.size()) +
        "\r\n\r\n" + body;
  }
  ASSERT_TRUE(client.send(requests));
  for (int i = 0; i < 200; ++i) {
    auto const body = "number " + std::to_string(i) + std::string(static_cast<std::size_t>(i), '.');
    ASSERT_TRUE(client.read_until("\r\n\r\n" + body)) << i;
    client.received.erase(0, client.received.find("number"));
  }
}

TEST_F(TlsFrontTest, WhoTakesNothingIsClosedAndNotReadAheadFor) {
  start();
  SecureClient client(port());
  ASSERT_TRUE(client.send("GET /large HTTP/1.1\r\nHost: x\r\n\r\n"));
  auto const until = std::chrono::steady_clock::now() + 20s;
  while (pieces == 0)
    std::this_thread::yield();
  // How far both have come when the time goes on cannot be told, so it goes on until they have waited for long enough.
  while (server->server.connections() > 0 && std::chrono::steady_clock::now() < until)
    server->clock.advance(1ms);
  wait_for_connections(0);
  EXPECT_LT(pieces, 20u) << "of forty";
}

TEST_F(TlsFrontTest, AClientThatHasSaidAllGetsItsAnswer) {
  start();
  SecureClient client(port());
  ASSERT_TRUE(client.send(hello));
  client.finish_sending();
  EXPECT_TRUE(client.read_until("securely"));
  EXPECT_TRUE(client.has_ended());
  wait_for_connections(0);
}

TEST_F(TlsFrontTest, AClientThatBreaksOffEndsTheConnection) {
  start();
  {
    SecureClient const client(port());
    ASSERT_TRUE(client.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf"));
    wait_for_connections(1);
  }
  wait_for_connections(0);
  EXPECT_EQ(server->server.requests(), 0u);
}

TEST_F(TlsFrontTest, WebSocketsWork) {
  start();
  SecureClient client(port());
  ASSERT_TRUE(
      client.send("GET /socket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"));
  ASSERT_TRUE(client.read_until("\r\n\r\n"));
  EXPECT_TRUE(client.received.starts_with("HTTP/1.1 101 "));
  client.received.clear();
  std::string const mask(4, '\0');
  ASSERT_TRUE(client.send("\x81\x85" + mask + "hello"));
  EXPECT_TRUE(client.read_until("\x81\x05hello"));
  ASSERT_TRUE(client.send("\x88\x82" + mask + "\x03\xe8"));
  EXPECT_TRUE(client.read_until("\x88\x02\x03\xe8"));
  EXPECT_TRUE(client.has_ended());
}

// ---- stopping ----

TEST_F(TlsFrontTest, StopLetsRequestsEndAndClosesTheOthers) {
  start();
  SecureClient idle(port());
  ASSERT_TRUE(idle.send(hello));
  ASSERT_TRUE(idle.read_until("securely"));
  RawClient unborn(port());
  SecureClient busy(port());
  ASSERT_TRUE(busy.send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n"));
  while (waiting == 0)
    std::this_thread::yield();
  auto stopped = std::async(std::launch::async, [&] { server->server.stop(Deadline::after(20s)); });
  EXPECT_TRUE(idle.has_ended());
  EXPECT_FALSE(unborn.read_some());
  EXPECT_EQ(stopped.wait_for(0s), std::future_status::timeout);
  let_go = true;
  EXPECT_TRUE(busy.read_until("at last"));
  EXPECT_TRUE(busy.has_ended());
  busy.finish_sending();
  EXPECT_EQ(stopped.wait_for(5s), std::future_status::ready);
  EXPECT_EQ(server->server.connections(), 0u);
}

TEST_F(TlsFrontTest, StopDoesNotWaitLongerThanItsDeadline) {
  start();
  SecureClient client(port());
  ASSERT_TRUE(client.send("GET /large HTTP/1.1\r\nHost: x\r\n\r\n"));
  ASSERT_TRUE(client.read_some());
  server->server.stop(Deadline::after(1500ms));
  EXPECT_EQ(server->server.connections(), 0u);
}

// ---- certificates ----

TEST_F(TlsFrontTest, ANewCertificateIsTakenWhenBothFilesBelongTogether) {
  start();
  TestCertificate const next_pair("IP:127.0.0.1");
  auto const next = next_pair.certificate_file();
  auto const before = shown.certificate_file() + ".before";
  std::filesystem::copy_file(shown.certificate_file(), before);
  auto const replace = [&](std::string const& from, std::string const& to) {
    std::filesystem::copy_file(from, to + ".new");
    std::filesystem::rename(to + ".new", to);
  };
  SecureClient old(port());
  EXPECT_TRUE(old.saw(before));
  replace(next, shown.certificate_file());
  EXPECT_TRUE(SecureClient(port()).saw(before)) << "nobody has looked yet";
  clock.advance(5s);
  EXPECT_TRUE(SecureClient(port()).saw(before)) << "the key is still the old one";
  replace(next_pair.key_file(), shown.key_file());
  clock.advance(5s);
  EXPECT_TRUE(SecureClient(port()).saw(next));
  std::ofstream(shown.key_file()) << "no key";
  clock.advance(5s);
  EXPECT_TRUE(SecureClient(port()).saw(next));
  std::filesystem::remove(shown.certificate_file());
  clock.advance(5s);
  EXPECT_TRUE(SecureClient(port()).saw(next));
  EXPECT_TRUE(old.send(hello) && old.read_until("securely")) << "connections stay";
}

TEST_F(TlsFrontTest, FilesThatCannotBeUsedAreNamed) {
  TestCertificate const other("IP:127.0.0.1");
  auto const message = [&](std::string const& chain, std::string const& key) -> std::string {
    try {
      TlsCertificate const made(chain, key, clock);
    } catch (Fault const& fault) {
      return fault.what();
    }
    return "no fault";
  };
  EXPECT_EQ(message(shown.certificate_file(), shown.key_file()), "no fault");
  auto const starts_with = [](std::string const& text, std::string const& prefix) {
    EXPECT_TRUE(text.starts_with(prefix)) << text;
  };
  starts_with(message("/nowhere.pem", shown.key_file()), "the certificate cannot be read from '/nowhere.pem': ");
  starts_with(message(shown.key_file(), shown.key_file()), "the certificate cannot be read from '");
  for (auto const& key : {std::string("/nowhere.pem"), shown.certificate_file(), other.key_file()}) {
    starts_with(message(shown.certificate_file(), key),
                "the key of the certificate '" + shown.certificate_file() + "' cannot be read from '" + key + "': ");
  }
}

}  // namespace
}  // namespace al::http
