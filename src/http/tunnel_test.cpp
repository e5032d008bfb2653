#include "http/tunnel.hpp"

#include <gtest/gtest.h>

#include <future>

#include "core/fault.hpp"
#include "http/client.hpp"
#include "http/client_pool.hpp"
#include "http/test_server.hpp"
#include "testing/odd_server.hpp"

namespace al::http {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view upgrade_fields =
    "Host: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
constexpr std::string_view odd_answer = "HTTP/1.1 101 \r\nUpgrade: odd\r\nConnection: Upgrade\r\n\r\n";

std::string upgrade_request(std::string_view path) {
  return "GET " + std::string(path) + " HTTP/1.1\r\n" + std::string(upgrade_fields);
}

std::string length_of(std::size_t size, int mask_bit) {
  std::string out(1, static_cast<char>(mask_bit | (size < 126 ? static_cast<int>(size) : size <= 0xFFFF ? 126 : 127)));
  for (int i = size < 126 ? 0 : size <= 0xFFFF ? 2 : 8; i > 0; --i)
    out.push_back(static_cast<char>(size >> (8 * (i - 1))));
  return out;
}
// A mask of zeros leaves the text as it is.
std::string masked(int opcode, std::string_view text) {
  return std::string(1, static_cast<char>(0x80 + opcode)) + length_of(text.size(), 0x80) + std::string(4, '\0') +
         std::string(text);
}
std::string plain(int opcode, std::string_view text) {
  return std::string(1, static_cast<char>(0x80 + opcode)) + length_of(text.size(), 0) + std::string(text);
}
constexpr int text = 1;
constexpr int closing = 8;

/// Asks a server behind it to upgrade, and tunnels to it.
class Front final : public Dispatcher {
 public:
  Task<Response> dispatch(Context context, Request request) override {
    Headers headers;
    for (auto const& [name, value] : request.headers) {
      if (equal_without_case(name, "Upgrade") || name.starts_with("Sec-WebSocket-"))
        headers.add(name, value);
    }
    if (!request.headers.find("Upgrade"))
      co_return json_response(200, "\"plain\"");
    auto const executor = co_await asio::this_coro::executor;
    auto upgraded = co_await clients->here(executor).upgrade(
        "http://127.0.0.1:" + std::to_string(behind) + request.target, std::move(headers), context.deadline);
    if (!upgraded)
      co_return problem(upgraded.error(), context.request_id);
    if (!upgraded->stream)
      co_return std::move(upgraded->head);
    auto response = std::move(upgraded->head);
    response.body = Tunnel{[this, stream = std::shared_ptr(std::move(upgraded->stream))](ByteStream& client) {
      return serve(client, stream);
    }};
    co_return response;
  }
  Task<void> serve(ByteStream& client, std::shared_ptr<ByteStream> server) {
    struct AtEnd {  // NOLINT(cppcoreguidelines-special-member-functions)
      std::atomic<int>& ended;
      ~AtEnd() { ++ended; }
    } const at_end{ended};
    ++begun;
    if (throws)
      throw Fault("disk full");
    co_await pass_through(client, *server);
  }
  [[nodiscard]] std::optional<RouteLimits> limits(Method, std::string_view) const override { return std::nullopt; }

  std::uint16_t behind = 0;
  bool throws = false;
  std::unique_ptr<ClientPool> clients;
  std::atomic<int> begun{0};
  std::atomic<int> ended{0};
};

class TunnelTest : public testing::Test {
 protected:
  TunnelTest() : router(nullptr, nullptr, random) {
    add("/echo", [](std::shared_ptr<WebSocket> socket) -> Task<void> {
      while (auto message = (co_await socket->receive(Deadline::after(1h))).value())
        socket->send(std::make_shared<std::string const>(std::move(*message)));
    });
    add("/ends", [](std::shared_ptr<WebSocket> socket) -> Task<void> {
      socket->send(std::make_shared<std::string const>("bye"));
      co_return;
    });
    behind.emplace(router);
    front.behind = behind->server.port();
    server.emplace(front);
    front.clients = std::make_unique<ClientPool>(server->contexts(), ClientOptions{});
  }
  ~TunnelTest() override { server.reset(); }

  void add(std::string_view path, std::function<Task<void>(std::shared_ptr<WebSocket>)> run) {
    router.add({.method = Method::get,
                .path = path,
                .permission = "",
                .summary = "",
                .websocket = true,
                .handler = [run = std::move(run)](Call&) -> Task<Result<Response>> {
                  co_return Response{.body = WebSocketSession{.run = run, .message_bytes_max = 4 << 20}};
                }});
  }
  [[nodiscard]] std::uint16_t port() const { return server->server.port(); }
  static void wait_until(std::function<bool()> const& is_true) {
    auto const until = std::chrono::steady_clock::now() + 20s;
    while (!is_true() && std::chrono::steady_clock::now() < until)
      std::this_thread::yield();
    EXPECT_TRUE(is_true());
  }

  SystemRandom random;
  Router router;
  std::optional<TestServer> behind;
  Front front;
  std::optional<TestServer> server;
};

/// Through the front.
class Tunnelled : public RawClient {
 public:
  Tunnelled(std::uint16_t port, std::string_view path, std::string_view behind = "") : RawClient(port) {
    send(upgrade_request(path) + std::string(behind));
    head = read_answer(false);
    EXPECT_TRUE(head.starts_with("HTTP/1.1 101 ")) << head;
  }
  /// Whether exactly this comes next.
  bool reads(std::string const& expected) {
    while (received.size() < expected.size() && read_some()) {
    }
    bool const is_same = received.starts_with(expected);
    received.erase(0, std::min(expected.size(), received.size()));
    return is_same;
  }
  bool has_ended() { return !read_some() && received.empty(); }
  std::string head;
};

// ---- through both ----

TEST_F(TunnelTest, TheHeadIsThatOfTheServerBehind) {
  Tunnelled const client(port(), "/echo");
  for (std::string const field : {"Upgrade: websocket\r\n", "Connection: Upgrade\r\n",
                                  "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"}) {
    auto const at = client.head.find("\r\n" + field);
    EXPECT_NE(at, client.head.npos) << field << client.head;
    EXPECT_EQ(client.head.find("\r\n" + field, at + 1), client.head.npos) << field << client.head;
  }
  for (std::string const field : {"Content-Length", "Transfer-Encoding", "close"})
    EXPECT_EQ(client.head.find(field), client.head.npos) << field;
}

TEST_F(TunnelTest, BytesGoBothWays) {
  Tunnelled client(port(), "/echo", masked(text, "sent ahead") + masked(text, "half").substr(0, 3));
  EXPECT_TRUE(client.reads(plain(text, "sent ahead")));
  ASSERT_TRUE(client.send(masked(text, "half").substr(3)));
  EXPECT_TRUE(client.reads(plain(text, "half")));
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(client.send(masked(text, std::to_string(i))));
    ASSERT_TRUE(client.reads(plain(text, std::to_string(i))));
  }
  EXPECT_EQ(server->server.requests(), 1u);
  EXPECT_EQ(behind->server.requests(), 1u);
}

TEST_F(TunnelTest, LargeMessagesArriveWhole) {
  Tunnelled client(port(), "/echo");
  for (std::size_t const size : {70'000, 1'000'000, 1 << 20}) {
    std::string message(size, ' ');
    for (std::size_t i = 0; i < size; ++i)
      message[i] = static_cast<char>('a' + i * i % 26);
    ASSERT_TRUE(client.send(masked(text, message)));
    EXPECT_TRUE(client.reads(plain(text, message))) << size;
  }
}

TEST_F(TunnelTest, TheClientCloses) {
  Tunnelled client(port(), "/echo");
  std::string const normal("\x03\xe8", 2);
  ASSERT_TRUE(client.send(masked(closing, normal)));
  EXPECT_TRUE(client.reads(plain(closing, normal)));
  EXPECT_TRUE(client.has_ended());
  wait_until([&] { return behind->server.connections() == 0; });
}

TEST_F(TunnelTest, TheClientGoesWithoutAWord) {
  std::make_unique<Tunnelled>(port(), "/echo").reset();
  wait_until([&] { return behind->server.connections() == 0; });
  EXPECT_EQ(front.ended, 1);
}

TEST_F(TunnelTest, TheServerBehindCloses) {
  Tunnelled client(port(), "/ends");
  std::string const normal("\x03\xe8", 2);
  EXPECT_TRUE(client.reads(plain(text, "bye") + plain(closing, normal)));
  ASSERT_TRUE(client.send(masked(closing, normal)));
  EXPECT_TRUE(client.has_ended());
  client.finish_sending();
  wait_until([&] { return server->server.connections() == 0; });
}

TEST_F(TunnelTest, TheServerBehindDies) {
  OddServer odd([](int socket, int) {
    OddServer::read_until(socket, "\r\n\r\n");
    ::send(socket, odd_answer.data(), odd_answer.size(), MSG_NOSIGNAL);
    ::send(socket, "last", 4, MSG_NOSIGNAL);
    OddServer::read_until(socket, "die");
    linger const at_once{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  });
  front.behind = odd.port;
  Tunnelled client(port(), "/");
  EXPECT_TRUE(client.reads("last"));
  ASSERT_TRUE(client.send("die"));
  EXPECT_TRUE(client.has_ended());
  wait_until([&] { return front.ended == 1; });
}

TEST_F(TunnelTest, ARefusalComesWithItsBody) {
  RawClient client(port());
  ASSERT_TRUE(client.send(upgrade_request("/nothing") + "GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
  auto const answer = client.read_answer();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 404 ")) << answer;
  EXPECT_NE(answer.find("There is nothing at"), answer.npos) << answer;
  // What was smuggled behind it is not read as a request.
  EXPECT_EQ(client.read_all(), "");
  EXPECT_EQ(server->server.requests(), 1u);
  EXPECT_EQ(front.begun, 0);
}

TEST_F(TunnelTest, NobodyBehindIsAProblem) {
  std::uint16_t closed = 0;
  {
    OddServer const gone([](int, int) {});
    closed = gone.port;
  }
  front.behind = closed;
  RawClient client(port());
  ASSERT_TRUE(client.send(upgrade_request("/echo")));
  EXPECT_TRUE(client.read_answer().starts_with("HTTP/1.1 503 "));
}

TEST_F(TunnelTest, AHandlerThatThrowsEndsTheConnection) {
  front.throws = true;
  Tunnelled client(port(), "/echo");
  EXPECT_TRUE(client.has_ended());
}

// ---- limits ----

TEST_F(TunnelTest, WhoIsSilentBothWaysIsClosed) {
  Tunnelled client(port(), "/echo");
  server->clock.advance(299s);
  EXPECT_TRUE(client.read_some(600ms));
  ASSERT_TRUE(client.send(masked(text, "x")));
  EXPECT_TRUE(client.reads(plain(text, "x")));
  EXPECT_TRUE(client.read_some(300ms)) << "until the server knows that it is written";
  server->clock.advance(299s);
  EXPECT_TRUE(client.read_some(600ms)) << "a byte in either direction counts";
  EXPECT_EQ(client.received, "");
  server->clock.advance(2s);
  EXPECT_TRUE(client.has_ended());
  wait_until([&] { return front.ended == 1; });
}

TEST_F(TunnelTest, WhoTakesNothingIsClosed) {
  std::atomic<std::size_t> sent{0};
  OddServer odd([&](int socket, int) {
    OddServer::read_until(socket, "\r\n\r\n");
    ::send(socket, odd_answer.data(), odd_answer.size(), MSG_NOSIGNAL);
    std::string const piece(100'000, 'x');
    for (;;) {
      auto const got = ::send(socket, piece.data(), piece.size(), MSG_NOSIGNAL);
      if (got <= 0)
        return;
      sent += static_cast<std::size_t>(got);
    }
  });
  front.behind = odd.port;
  Tunnelled client(port(), "/");
  // How far both have come when the time goes on cannot be told, so it goes on until they have waited for long enough.
  wait_until([&] {
    server->clock.advance(1ms);
    return front.ended == 1;
  });
  EXPECT_LT(sent, 64u << 20) << "what is not taken is not read from the other side";
}

// ---- stopping ----

TEST_F(TunnelTest, StopEndsTunnels) {
  Tunnelled client(port(), "/echo");
  ASSERT_TRUE(client.send(masked(text, "x")));
  EXPECT_TRUE(client.reads(plain(text, "x")));
  auto stopped = std::async(std::launch::async, [&] { server->server.stop(Deadline::after(20s)); });
  EXPECT_TRUE(client.has_ended());
  client.finish_sending();
  EXPECT_EQ(stopped.wait_for(5s), std::future_status::ready) << "it does not wait for its deadline";
  EXPECT_EQ(front.ended, 1);
}

// ---- the client alone ----

class UpgradeTest : public testing::Test {
 protected:
  Result<Upgraded> upgrade(std::uint16_t to) {
    std::optional<Result<Upgraded>> out;
    Headers headers;
    headers.add("Upgrade", "odd");
    headers.add("Connection", "keep-alive");
    asio::co_spawn(
        io, client.upgrade("http://127.0.0.1:" + std::to_string(to) + "/x?y", std::move(headers), Deadline::after(20s)),
        [&](std::exception_ptr const& thrown, Result<Upgraded> result) {
          EXPECT_FALSE(thrown);
          out.emplace(std::move(result));
          io.stop();
        });
    io.restart();
    io.run();
    return std::move(*out);
  }
  std::string read(ByteStream& stream) {
    std::string out;
    asio::co_spawn(io, stream.read(), [&](std::exception_ptr const& thrown, std::string_view piece) {
      EXPECT_FALSE(thrown);
      out = piece;
      io.stop();
    });
    io.restart();
    io.run();
    return out;
  }
  asio::io_context io{1};
  Client client{io.get_executor(), {}};
};

TEST_F(UpgradeTest, WhatComesBehindTheHeadIsReadFirst) {
  std::string request;
  OddServer odd([&](int socket, int) {
    request = OddServer::read_until(socket, "\r\n\r\n");
    auto const all = "HTTP/1.1 103 Early Hints\r\n\r\n" + std::string(odd_answer) + "first";
    ::send(socket, all.data(), all.size(), MSG_NOSIGNAL);
    OddServer::read_until(socket, "?");
    ::send(socket, "second", 6, MSG_NOSIGNAL);
  });
  auto upgraded = upgrade(odd.port);
  ASSERT_TRUE(upgraded) << upgraded.error().message;
  EXPECT_TRUE(request.starts_with("GET /x?y HTTP/1.1\r\n")) << request;
  EXPECT_TRUE(request.contains("\r\nConnection: Upgrade\r\n")) << request;
  EXPECT_TRUE(request.contains("\r\nUpgrade: odd\r\n")) << request;
  EXPECT_FALSE(request.contains("keep-alive")) << request;
  EXPECT_EQ(upgraded->head.headers.find("Upgrade"), "odd");
  ASSERT_TRUE(upgraded->stream);
  EXPECT_EQ(read(*upgraded->stream), "first");
  spawn(io.get_executor(), "write", upgraded->stream->write("?"));
  EXPECT_EQ(read(*upgraded->stream), "second");
  EXPECT_EQ(read(*upgraded->stream), "");
}

TEST_F(UpgradeTest, ARefusalGivesTheConnectionBack) {
  OddServer odd([&](int socket, int) {
    for (int i = 0; i < 2; ++i) {
      OddServer::read_until(socket, "\r\n\r\n");
      std::string_view const refusal = "HTTP/1.1 426 \r\nContent-Length: 2\r\n\r\nno";
      ::send(socket, refusal.data(), refusal.size(), MSG_NOSIGNAL);
    }
  });
  for (int i = 0; i < 2; ++i) {
    auto const upgraded = upgrade(odd.port);
    ASSERT_TRUE(upgraded) << upgraded.error().message;
    EXPECT_FALSE(upgraded->stream);
    EXPECT_EQ(upgraded->head.status, 426);
    EXPECT_EQ(std::get<std::string>(upgraded->head.body), "no");
  }
  EXPECT_EQ(odd.connections, 1);
}

TEST_F(UpgradeTest, AChangeThatNobodyAskedForIsAnError) {
  OddServer odd([&](int socket, int) {
    OddServer::read_until(socket, "\r\n\r\n");
    ::send(socket, odd_answer.data(), odd_answer.size(), MSG_NOSIGNAL);
    OddServer::read_until(socket, "never");
  });
  std::optional<Result<Response>> out;
  asio::co_spawn(io,
                 client.send(Method::get, "http://127.0.0.1:" + std::to_string(odd.port), {}, {}, Deadline::after(20s)),
                 [&](std::exception_ptr const& thrown, Result<Response> result) {
                   EXPECT_FALSE(thrown);
                   out.emplace(std::move(result));
                   io.stop();
                 });
  io.run();
  ASSERT_FALSE(*out);
  EXPECT_EQ(out->error().code, Code::unavailable);
  EXPECT_NE(out->error().message.find("nobody asked for"), std::string::npos) << out->error().message;
}

}  // namespace
}  // namespace al::http
