#include "http/websocket.hpp"

#include <gtest/gtest.h>

#include <boost/asio/post.hpp>
#include <future>
#include <mutex>
#include <random>

#include "core/fault.hpp"
#include "http/test_server.hpp"

namespace al::http {
namespace {

using namespace std::chrono_literals;
using Event = FrameReader::Event;

constexpr int continuation = 0;
constexpr int text = 1;
constexpr int binary = 2;
constexpr int closing = 8;
constexpr int ping = 9;
constexpr int pong = 10;
constexpr int unfinished = -0x80;  // added to one of them: its FIN is not set

// ---- what a client sends and reads ----

/// The sample of RFC 6455, section 1.3.
constexpr std::string_view upgrade_fields =
    "Host: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";

std::string upgrade_request(std::string_view path, std::string_view fields = upgrade_fields) {
  return "GET " + std::string(path) + " HTTP/1.1\r\n" + std::string(fields) + "\r\n";
}

// The length of `payload` in as many bytes as given, or as few as possible.
std::string length_of(std::size_t size, int bytes, std::uint8_t mask_bit = 0) {
  if (bytes == 0)
    bytes = size < 126 ? 1 : size <= 0xFFFF ? 2 : 8;
  std::string out;
  if (bytes > 1)
    out.push_back(static_cast<char>(mask_bit | (bytes == 2 ? 126 : 127)));
  for (int i = bytes - 1; i >= 0; --i)
    out.push_back(static_cast<char>(size >> (8 * i)));
  if (bytes == 1)
    out[0] = static_cast<char>(out[0] | mask_bit);
  return out;
}

std::string frame(int opcode, std::string_view payload, int length_bytes = 0) {
  constexpr std::string_view mask = "\x37\xfa\x21\x3d";
  std::string out(1, static_cast<char>(0x80 + opcode));
  out += length_of(payload.size(), length_bytes, 0x80);
  out += mask;
  for (std::size_t i = 0; i < payload.size(); ++i)
    out.push_back(static_cast<char>(payload[i] ^ mask[i % 4]));
  return out;
}

std::string frame_of_server(int opcode, std::string_view payload) {
  return std::string(1, static_cast<char>(0x80 + opcode)) + length_of(payload.size(), 0) + std::string(payload);
}

std::string close_payload(unsigned code, std::string_view reason = "") {
  return std::string{static_cast<char>(code >> 8), static_cast<char>(code)} + std::string(reason);
}

class Client : public RawClient {
 public:
  /// Connects without a handshake.
  explicit Client(TestServer const& server) : RawClient(server.server.port()) {}
  Client(TestServer const& server, std::string_view path, std::string_view behind = "") : Client(server) {
    send(upgrade_request(path) + std::string(behind));
    head = read_answer(false);
    EXPECT_TRUE(head.starts_with("HTTP/1.1 101 ")) << head;
  }

  struct Frame {
    int opcode = -1;
    std::string payload;
  };
  /// The next frame; opcode -1 when the server has closed.
  Frame read_frame() {
    auto const byte = [&](std::size_t i) { return static_cast<std::uint8_t>(received[i]); };
    for (;;) {
      std::size_t const length_bytes = received.size() < 2 || byte(1) < 126 ? 0 : byte(1) == 126 ? 2 : 8;
      if (received.size() >= 2 + length_bytes) {
        std::uint64_t size = length_bytes == 0 ? byte(1) : 0;
        for (std::size_t i = 0; i < length_bytes; ++i)
          size = size << 8 | byte(2 + i);
        auto const begin = 2 + length_bytes;
        if (received.size() >= begin + size) {
          Frame out{.opcode = byte(0) - 0x80, .payload = received.substr(begin, size)};
          received.erase(0, begin + size);
          return out;
        }
      }
      auto const before = received.size();
      if (!read_some() || received.size() == before)
        return {};
    }
  }
  /// "text:hello", "close:1000 why", "closed" when the connection ended without one.
  std::string read() {
    auto const [opcode, payload] = read_frame();
    switch (opcode) {
      case -1:
        return "closed";
      case text:
        return "text:" + payload;
      case ping:
        return "ping:" + payload;
      case pong:
        return "pong:" + payload;
      case closing: {
        if (payload.empty())
          return "close:";
        auto const code = static_cast<std::uint8_t>(payload[0]) << 8 | static_cast<std::uint8_t>(payload[1]);
        return "close:" + std::to_string(code) + (payload.size() > 2 ? " " + payload.substr(2) : "");
      }
      default:
        return "a frame of kind " + std::to_string(opcode);
    }
  }
  /// Whether the server has said that it is done; then the client goes as well.
  bool has_ended() {
    bool const has = !read_some(20s) && received.empty();
    finish_sending();
    return has;
  }

  std::string head;
};

// ---- the server's side ----

class WebSocketTest : public testing::Test {
 protected:
  WebSocketTest() : router(nullptr, nullptr, random) {
    add("/echo", [](std::shared_ptr<WebSocket> socket) { return echo(std::move(socket)); });
    add("/large", [](std::shared_ptr<WebSocket> socket) { return echo(std::move(socket)); }, 1 << 20);
    add("/hub", [this](std::shared_ptr<WebSocket> socket) -> Task<void> {
      AtEnd const at_end{*this};
      join(socket);
      while ((co_await socket->receive(hour())).value()) {
      }
    });
    add("/deaf", [this](std::shared_ptr<WebSocket> socket) -> Task<void> {
      AtEnd const at_end{*this};
      join(socket);
      co_await sleep_until(hour().at);
    });
    add("/ends", [](std::shared_ptr<WebSocket> socket) -> Task<void> {
      socket->send(std::make_shared<std::string const>("bye"));
      co_return;
    });
    add("/breaks", [](std::shared_ptr<WebSocket> socket) -> Task<void> {
      std::ignore = co_await socket->receive(hour());
      throw Fault("disk full");
    });
    add("/impatient", [](std::shared_ptr<WebSocket> socket) -> Task<void> {
      auto const message = co_await socket->receive(Deadline::after(5s));
      socket->send(std::make_shared<std::string const>(message ? "a message" : message.error().message));
      co_await echo(socket);
    });
    add_others();
  }

  void add(std::string_view path, std::function<Task<void>(std::shared_ptr<WebSocket>)> run,
           std::size_t message_bytes_max = 70'000) {
    add(path, "", [run = std::move(run), message_bytes_max](Call& call) -> Task<Result<Response>> {
      Response response;
      response.body = WebSocketSession{.run = run, .message_bytes_max = message_bytes_max};
      if (call.request.headers.find("Sec-WebSocket-Protocol"))
        response.headers.set("Sec-WebSocket-Protocol", "second");
      co_return response;
    });
  }
  void add(std::string_view path, std::string_view permission, Handler handler, bool websocket = true) {
    router.add({.method = Method::get,
                .path = path,
                .permission = permission,
                .summary = "",
                .websocket = websocket,
                .handler = std::move(handler)});
  }
  void add_others() {
    add("/secret", "events:read", [](Call&) -> Task<Result<Response>> {
      ADD_FAILURE() << "nobody is signed in";
      co_return fail(Code::internal, "");
    });
    add("/refuses", "", [](Call& call) -> Task<Result<Response>> {
      co_return fail(Code::forbidden, "not from " + std::string(call.request.headers.find("Origin").value_or("")));
    });
    add("/slow", "", [this](Call&) -> Task<Result<Response>> {
      ++waiting;
      while (!let_go)
        co_await sleep_until(std::chrono::steady_clock::now() + 5ms);
      Response response;
      response.body = WebSocketSession{.run = echo};
      co_return response;
    });
    add("/hello", "", [](Call&) -> Task<Result<Response>> { co_return json_response(200, "\"hello\""); }, false);
  }

  static Deadline hour() { return Deadline::after(1h); }
  static Task<void> echo(std::shared_ptr<WebSocket> socket) {
    for (;;) {
      auto message = co_await socket->receive(hour());
      if (!message || !*message)
        co_return;
      socket->send(std::make_shared<std::string const>(std::move(**message)));
    }
  }

  struct AtEnd {  // NOLINT(cppcoreguidelines-special-member-functions)
    WebSocketTest& test;
    ~AtEnd() { ++test.ended; }
  };
  void join(std::shared_ptr<WebSocket> const& socket) {
    std::scoped_lock const lock(mutex);
    joined.push_back(socket);
  }
  /// The sockets of /hub and /deaf, when `count` are there.
  std::vector<std::shared_ptr<WebSocket>> members(std::size_t count = 1) {
    std::vector<std::shared_ptr<WebSocket>> out;
    wait_until([&] {
      std::scoped_lock const lock(mutex);
      out = joined;
      return out.size() == count;
    });
    return out;
  }
  static void wait_until(std::function<bool()> const& is_true) {
    auto const until = std::chrono::steady_clock::now() + 20s;
    while (!is_true() && std::chrono::steady_clock::now() < until)
      std::this_thread::yield();
    EXPECT_TRUE(is_true());
  }
  static void wait_for_connections(TestServer const& server, std::size_t count) {
    wait_until([&] { return server.server.connections() == count; });
  }
  static std::shared_ptr<std::string const> shared(std::string text) {
    return std::make_shared<std::string const>(std::move(text));
  }

  SystemRandom random;
  Router router;
  std::mutex mutex;
  std::vector<std::shared_ptr<WebSocket>> joined;  // under mutex
  std::atomic<int> ended{0};
  std::atomic<int> waiting{0};
  std::atomic<bool> let_go{false};
};

/// Keeps the only thread of a server from doing anything, so that what is sent stays in the queue.
class Held {
 public:
  explicit Held(TestServer& server) {
    asio::post(server.context(), [go = go_.get_future().share(), this] {
      is_held_.set_value();
      go.wait();
    });
    is_held_.get_future().wait();
  }
  ~Held() { go_.set_value(); }
  Held(Held const&) = delete;
  Held& operator=(Held const&) = delete;

 private:
  std::promise<void> go_;
  std::promise<void> is_held_;
};

// ---- handshake ----

TEST_F(WebSocketTest, AgreesToAHandshake) {
  TestServer server(router);
  Client client(server);
  ASSERT_TRUE(client.send(upgrade_request("/echo", std::string(upgrade_fields) +
                                                       "Sec-WebSocket-Protocol: first, second\r\nOrigin: http://x\r\n"
                                                       "Sec-WebSocket-Extensions: permessage-deflate\r\n"
                                                       "X-Request-Id: mine\r\n")));
  auto const head = client.read_answer(false);
  EXPECT_TRUE(head.starts_with("HTTP/1.1 101 ")) << head;
  for (std::string const field : {"Upgrade: websocket\r\n", "Connection: Upgrade\r\n", "X-Request-Id: mine\r\n",
                                  "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n",
                                  "Sec-WebSocket-Protocol: second\r\n", "Date: Tue, 14 Nov 2023 22:13:20 GMT\r\n"}) {
    EXPECT_NE(head.find("\r\n" + field), head.npos) << field << head;
  }
  for (std::string const field : {"Content-Length", "Transfer-Encoding", "close", "Extensions"})
    EXPECT_EQ(head.find(field), head.npos) << field;
  ASSERT_TRUE(client.send(frame(text, "hello")));
  EXPECT_EQ(client.read(), "text:hello");
}

TEST_F(WebSocketTest, ReadsHeadersThatAreLists) {
  TestServer server(router);
  Client client(server);
  ASSERT_TRUE(
      client.send("GET /api/v1/echo HTTP/1.1\r\nHost: x\r\nupgrade: h2c , WebSocket\r\nConnection: keep-alive\r\n"
                  "Connection: Upgrade,keep-alive\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                  "sec-websocket-version: 13\r\n\r\n"));
  EXPECT_TRUE(client.read_answer(false).starts_with("HTTP/1.1 101 "));
}

struct Refused {
  std::string_view name;
  std::string_view method_and_target;
  std::string from;  // what of a good request is replaced, and by what
  std::string to;
  int status;
  std::string_view must_have = "Upgrade: websocket\r\n";
};

TEST_F(WebSocketTest, RefusesAHandshakeThatIsNone) {
  std::string const key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
  std::string const version = "Sec-WebSocket-Version: 13\r\n";
  std::vector<Refused> const cases = {
      {"no upgrade", "GET /echo", "Upgrade: websocket\r\n", "", 426},
      {"another protocol", "GET /echo", "Upgrade: websocket\r\n", "Upgrade: h2c\r\n", 426},
      {"no connection", "GET /echo", "Connection: Upgrade\r\n", "", 426},
      {"another option", "GET /echo", "Connection: Upgrade\r\n", "Connection: Upgraded\r\n", 426},
      {"HTTP/1.0", "GET /echo", "HTTP/1.1", "HTTP/1.0", 426},
      {"no version", "GET /echo", version, "", 426, "Sec-WebSocket-Version: 13\r\n"},
      {"old version", "GET /echo", "Version: 13", "Version: 8", 426, "Sec-WebSocket-Version: 13\r\n"},
      {"two versions", "GET /echo", version, version + version, 400},
      {"no key", "GET /echo", key, "", 400},
      {"two keys", "GET /echo", key, key + key, 400},
      {"short key", "GET /echo", "dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub24=", 400},
      {"no base64", "GET /echo", "dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25j!Q==", 400},
      {"a body", "GET /echo", "\r\n\r\n", "\r\nContent-Length: 2\r\n\r\n{}", 400},
      {"another method", "POST /echo", "", "", 405, "Allow: GET, HEAD, OPTIONS\r\n"},
      {"another route", "GET /nothing", "", "", 404, "application/problem+json"},
      {"nobody signed in", "GET /secret", "", "", 401, "WWW-Authenticate: Bearer\r\n"},
      {"the handler", "GET /refuses", "\r\n\r\n", "\r\nOrigin: here\r\n\r\n", 403, "not from here"},
      {"an ordinary route", "GET /hello", "", "", 200, "\"hello\""},
  };
  TestServer server(router);
  for (auto const& [name, method_and_target, from, to, status, must_have] : cases) {
    auto request = upgrade_request("/echo");
    request.replace(0, std::string_view("GET /echo").size(), method_and_target);
    ASSERT_NE(request.find(from), request.npos) << name;
    request.replace(request.find(from), from.size(), to);
    Client client(server);
    ASSERT_TRUE(client.send(request + "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n"));
    auto const answer = client.read_answer();
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 " + std::to_string(status) + " ")) << name << "\n" << answer;
    EXPECT_NE(answer.find(must_have), answer.npos) << name << "\n" << answer;
    EXPECT_EQ(answer.find("\r\nConnection: Upgrade\r\n") != answer.npos, status == 426) << name;
    // Who asked for an upgrade may think that it has one: nothing more is taken for a request of his.
    bool const asked = request.find("websocket\r\n") != request.npos;
    EXPECT_EQ(client.read_answer().starts_with("HTTP/1.1 200 "), !asked) << name;
  }
  EXPECT_EQ(ended, 0);
}

TEST_F(WebSocketTest, HeadOfAWebSocketIsRefusedWithoutABody) {
  TestServer server(router);
  Client client(server);
  auto request = upgrade_request("/echo");
  request.replace(0, 3, "HEAD");
  ASSERT_TRUE(client.send(request));
  auto const answer = client.read_all();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 426 ")) << answer;
  EXPECT_TRUE(answer.ends_with("\r\n\r\n"));
}

TEST_F(WebSocketTest, WhatComesBehindTheRequestIsItsFirstFrames) {
  TestServer server(router);
  auto const half = frame(text, "second");
  RawClient before(server.server.port());
  ASSERT_TRUE(before.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n" + upgrade_request("/echo") +
                          frame(text, "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n")));
  EXPECT_TRUE(before.read_answer().ends_with("\"hello\""));
  EXPECT_TRUE(before.read_answer(false).starts_with("HTTP/1.1 101 "));
  EXPECT_TRUE(before.read_until(frame_of_server(text, "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n")));

  Client client(server, "/echo", frame(text, "first") + half.substr(0, 3));
  EXPECT_EQ(client.read(), "text:first");
  ASSERT_TRUE(client.send(half.substr(3)));
  EXPECT_EQ(client.read(), "text:second");

  Client other(server, "/echo", "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(other.read(), "close:1002 a reserved bit is set");
  EXPECT_EQ(server.server.requests(), 4u);
}

TEST_F(WebSocketTest, TheRouterAgreesWithoutASocketAsWell) {
  Request request{.method = Method::get, .target = "/echo"};
  for (auto const& [name, value] : {std::pair("Upgrade", "websocket"),
                                    {"Connection", "Upgrade"},
                                    {"Sec-WebSocket-Version", "13"},
                                    {"Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA=="}})
    request.headers.add(name, value);
  asio::io_context context;
  std::optional<Response> response;
  asio::co_spawn(context, router.dispatch({}, request), [&](std::exception_ptr const& thrown, Response answer) {
    EXPECT_FALSE(thrown);
    response = std::move(answer);
  });
  context.run();
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 101);
  EXPECT_EQ(response->headers.find("Sec-WebSocket-Accept"), "ICX+Yqv66kxgM0FcWaLWlFLwTAI=");
  EXPECT_EQ(std::get<WebSocketSession>(response->body).message_bytes_max, 70'000u);
}

// ---- messages ----

TEST_F(WebSocketTest, EchoesMessagesOfEveryLength) {
  TestServer server(router);
  Client client(server, "/large");
  for (std::size_t const size : {0, 1, 125, 126, 127, 65'535, 65'536, 1 << 20}) {
    std::string const payload(size, 'x');
    ASSERT_TRUE(client.send(frame(text, payload)));
    auto const expected = frame_of_server(text, payload);
    while (client.received.size() < expected.size() && client.read_some()) {
    }
    EXPECT_TRUE(client.received == expected) << size;
    client.received.clear();
  }
}

TEST_F(WebSocketTest, ReadsFramesThatComeInPieces) {
  TestServer server(router);
  Client client(server, "/echo");
  auto const bytes = frame(text, "hällo") + frame(text + unfinished, "a\xe2") + frame(ping, "?") +
                     frame(continuation + unfinished, "") + frame(continuation, "\x82\xac") +
                     frame(text, std::string(200, 'y'));
  for (std::size_t const size : {1, 2, 3, 7}) {
    for (std::size_t i = 0; i < bytes.size(); i += size)
      ASSERT_TRUE(client.send(bytes.substr(i, size)));
    EXPECT_EQ(client.read(), "text:hällo");
    EXPECT_EQ(client.read(), "pong:?");
    EXPECT_EQ(client.read(), "text:a€");
    EXPECT_EQ(client.read(), "text:" + std::string(200, 'y'));
  }
}

TEST_F(WebSocketTest, AnswersManyMessagesInOrder) {
  TestServer server(router, {.websocket = {.queue_messages_max = 10'000}});
  Client client(server, "/echo");
  std::string bytes;
  for (int i = 0; i < 5000; ++i)
    bytes += frame(text, std::to_string(i));
  ASSERT_TRUE(client.send(bytes));
  for (int i = 0; i < 5000; ++i)
    ASSERT_EQ(client.read(), "text:" + std::to_string(i));
}

TEST_F(WebSocketTest, AnswersPings) {
  TestServer server(router);
  Client client(server, "/echo");
  std::string const longest(125, 'p');
  ASSERT_TRUE(client.send(frame(pong, "nobody asked") + frame(ping, longest)));
  EXPECT_EQ(client.read(), "pong:" + longest);
  ASSERT_TRUE(client.send(frame(ping, "")));
  EXPECT_EQ(client.read(), "pong:");
  std::string pings;
  for (int i = 0; i < 50; ++i)
    pings += frame(ping, std::to_string(i));
  ASSERT_TRUE(client.send(pings));
  for (int i = 0; i < 15; ++i)
    ASSERT_EQ(client.read(), "pong:" + std::to_string(i));
  EXPECT_EQ(client.read(), "pong:49") << "of many at a time, the latest";
}

struct Wrong {
  std::string_view name;
  std::string bytes;
  std::string_view answer;
};

void expect_closed_by(TestServer& server, std::string_view path, std::vector<Wrong> const& cases) {
  for (auto const& [name, bytes, answer] : cases) {
    Client client(server, path);
    ASSERT_TRUE(client.send(bytes)) << name;
    EXPECT_EQ(client.read(), answer) << name;
    // Nothing of a peer is read any more that broke the rules, and the connection ends without his answer.
    client.send(frame(text, "more"));
    EXPECT_TRUE(client.has_ended()) << name;
  }
}

TEST_F(WebSocketTest, ClosesOnWhatIsNoFrame) {
  std::string unmasked = frame_of_server(text, "hello");
  auto const reserved = [](int bit) {
    auto out = frame(text, "hello");
    out[0] = static_cast<char>(out[0] | bit);
    return out;
  };
  std::vector<Wrong> cases = {
      {"not masked", unmasked, "close:1002 a frame is not masked"},
      {"RSV1, as compression has it", reserved(0x40), "close:1002 a reserved bit is set"},
      {"RSV2", reserved(0x20), "close:1002 a reserved bit is set"},
      {"RSV3", reserved(0x10), "close:1002 a reserved bit is set"},
      {"a continuation of nothing", frame(continuation, "x"), "close:1002 a fragment stands outside its message"},
      {"a message within a message", frame(text + unfinished, "x") + frame(text, "y"),
       "close:1002 a fragment stands outside its message"},
      {"a long ping", frame(ping, std::string(126, 'x')), "close:1002 a control frame is too long or fragmented"},
      {"a ping in fragments", frame(ping + unfinished, ""), "close:1002 a control frame is too long or fragmented"},
      {"a close in fragments", frame(closing + unfinished, ""), "close:1002 a control frame is too long or fragmented"},
      {"5 in two bytes", frame(text, "hello", 2), "close:1002 the length of a frame is malformed"},
      {"5 in eight bytes", frame(text, "hello", 8), "close:1002 the length of a frame is malformed"},
      {"200 in eight bytes", frame(text, std::string(200, 'x'), 8), "close:1002 the length of a frame is malformed"},
      {"2^63", "\x81\xff\x80" + std::string(7, '\0') + "mask", "close:1002 the length of a frame is malformed"},
      {"binary", frame(binary, "x"), "close:1003 only text is understood here"},
  };
  for (int const opcode : {3, 4, 5, 6, 7, 11, 12, 13, 14, 15})
    cases.push_back({"unknown kind", frame(opcode, "x"), "close:1002 an unknown kind of frame"});
  TestServer server(router);
  expect_closed_by(server, "/echo", cases);
  Client client(server, "/echo", frame(text, "before") + unmasked);
  EXPECT_EQ(client.read(), "text:before");
  EXPECT_EQ(client.read(), "close:1002 a frame is not masked");
}

TEST_F(WebSocketTest, ClosesOnWhatIsTooMuch) {
  std::string fragments = frame(text + unfinished, "");
  for (int i = 1; i < 256; ++i)
    fragments += frame(continuation + unfinished, "");
  std::string trickle = frame(text + unfinished, "x");
  for (int i = 1; i < 400; ++i)
    trickle += frame(continuation + unfinished, "x");
  std::string pings;
  for (int i = 0; i < 101; ++i)
    pings += frame(i % 2 == 0 ? ping : pong, "");
  TestServer server(router);
  auto const announced = [](std::size_t size) { return "\x81" + length_of(size, 0, 0x80) + "mask"; };
  expect_closed_by(
      server, "/echo",
      {{"announced only", announced(70'001), "close:1009 a message is too large"},
       {"announced, 2^62", announced(1ULL << 62), "close:1009 a message is too large"},
       {"in fragments", frame(text + unfinished, std::string(70'000, 'x')) + frame(continuation, "x"),
        "close:1009 a message is too large"},
       {"257 empty fragments", fragments + frame(continuation, ""), "close:1008 a message has too many fragments"},
       {"400 fragments of a byte", trickle, "close:1008 a message has too many fragments"}});
  Client flood(server, "/echo");
  ASSERT_TRUE(flood.send(pings));
  std::string answer;
  while ((answer = flood.read()).starts_with("pong:")) {
  }
  EXPECT_EQ(answer, "close:1008 too many pings and pongs");

  // As much as is allowed.
  Client client(server, "/echo");
  fragments.resize(fragments.size() - frame(continuation, "").size());
  ASSERT_TRUE(client.send(fragments + frame(continuation, "end") + frame(text, std::string(70'000, 'x'))));
  EXPECT_EQ(client.read(), "text:end");
  EXPECT_EQ(client.read().size(), 70'005u);
}

TEST_F(WebSocketTest, CountsControlFramesAnewAfterAWhile) {
  TestServer server(router, {.websocket = {.control_frames_max = 10, .ping_interval = 1h}});
  Client client(server, "/echo");
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 10; ++i) {
      ASSERT_TRUE(client.send(frame(ping, std::to_string(i))));
      ASSERT_EQ(client.read(), "pong:" + std::to_string(i));
    }
    server.clock.advance(11s);
    std::ignore = client.read_some(600ms);  // for the next look at the clock
  }
  for (int i = 0; i < 11; ++i)
    ASSERT_TRUE(client.send(frame(pong, "")));
  EXPECT_EQ(client.read(), "close:1008 too many pings and pongs");
}

TEST_F(WebSocketTest, ClosesOnWhatIsNoText) {
  TestServer server(router);
  std::string_view const answer = "close:1007 a message is no valid UTF-8";
  expect_closed_by(server, "/echo",
                   {{"overlong", frame(text, "\xc0\x80"), answer},
                    {"a surrogate", frame(text, "a\xed\xa0\x80"), answer},
                    {"beyond Unicode", frame(text, "\xf4\x90\x80\x80"), answer},
                    {"cut", frame(text, "a\xe2\x82"), answer},
                    {"cut before the end", frame(text + unfinished, "\xe2\x82") + frame(continuation, "x"), answer}});
}

// ---- the end ----

TEST_F(WebSocketTest, AnswersTheClientsClose) {
  TestServer server(router);
  std::vector<Wrong> cases = {
      {"empty", "", "close:"},
      {"with a reason", close_payload(1000, "bye"), "close:1000"},
      {"the application's", close_payload(4999), "close:4999"},
      {"one byte", "x", "close:1002 a close frame has no valid code"},
      {"no UTF-8", close_payload(1000, "\xff"), "close:1007 the reason for closing is no valid UTF-8"},
  };
  for (unsigned const code : {1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 4000})
    cases.push_back({"good", close_payload(code), {}});
  for (unsigned const code : {0, 999, 1004, 1005, 1006, 1015, 1016, 2000, 2999, 5000, 65535})
    cases.push_back({"bad", close_payload(code), "close:1002 a close frame has no valid code"});
  for (auto const& [name, payload, answer] : cases) {
    Client client(server, "/echo");
    ASSERT_TRUE(client.send(frame(text, "last") + frame(closing, payload) + frame(text, "after")));
    auto const got = client.read_frame();
    if (got.opcode == text) {
      EXPECT_EQ(got.payload, "last");
    } else {
      // What is queued when the peer closes is not sent any more.
      client.received.insert(0, frame_of_server(got.opcode, got.payload));
    }
    if (answer.empty()) {
      EXPECT_EQ(client.read_frame().payload, payload);
    } else {
      EXPECT_EQ(client.read(), answer) << name;
    }
    EXPECT_TRUE(client.has_ended()) << name;
  }
  wait_for_connections(server, 0);
}

TEST_F(WebSocketTest, TheEndOfTheSessionClosesInOrder) {
  TestServer server(router);
  Client client(server, "/ends");
  EXPECT_EQ(client.read(), "text:bye");
  EXPECT_EQ(client.read(), "close:1000");
  // The client may have sent something before it knew; the server waits for its answer.
  ASSERT_TRUE(client.send(frame(text, "too late") + frame(ping, "likewise")));
  EXPECT_TRUE(client.read_some(600ms));
  EXPECT_EQ(client.received, "");
  EXPECT_EQ(server.server.connections(), 1u);
  ASSERT_TRUE(client.send(frame(closing, close_payload(1000))));
  EXPECT_TRUE(client.has_ended());
}

TEST_F(WebSocketTest, WhoDoesNotAnswerACloseIsClosed) {
  TestServer server(router);
  Client client(server, "/ends");
  EXPECT_EQ(client.read(), "text:bye");
  EXPECT_EQ(client.read(), "close:1000");
  server.clock.advance(4s);
  EXPECT_TRUE(client.read_some(600ms));
  server.clock.advance(2s);
  EXPECT_TRUE(client.has_ended());
  wait_for_connections(server, 0);
}

TEST_F(WebSocketTest, ASessionThatThrowsClosesWith1011) {
  TestServer server(router);
  Client client(server, "/breaks");
  ASSERT_TRUE(client.send(frame(text, "x")));
  EXPECT_EQ(client.read(), "close:1011 Something went wrong here.");
}

TEST_F(WebSocketTest, ClosesFromAnotherThreadBehindWhatIsQueued) {
  TestServer server(router);
  Client client(server, "/hub");
  auto const socket = members().front();
  for (int i = 0; i < 100; ++i)
    EXPECT_TRUE(socket->send(shared(std::to_string(i))));
  socket->close(4001, std::string(121, 'r') + "€");
  socket->close(4002, "later");
  EXPECT_FALSE(socket->send(shared("more")));
  for (int i = 0; i < 100; ++i)
    ASSERT_EQ(client.read(), "text:" + std::to_string(i));
  EXPECT_EQ(client.read(), "close:4001 " + std::string(121, 'r')) << "cut between characters";
  EXPECT_EQ(ended, 0);
  ASSERT_TRUE(client.send(frame(closing, close_payload(4001))));
  EXPECT_TRUE(client.has_ended());
  EXPECT_EQ(ended, 1);
}

TEST_F(WebSocketTest, TheSessionHearsThatTheClientHasGone) {
  TestServer server(router);
  {
    Client const client(server, "/hub");
    std::ignore = members();
  }
  wait_for_connections(server, 0);
  EXPECT_EQ(ended, 1);
  auto const socket = members().front();
  EXPECT_FALSE(socket->send(shared("x")));
  socket->close(1000, "");
}

TEST_F(WebSocketTest, ASessionThatGoesOnIsCancelled) {
  TestServer server(router);
  Client client(server, "/deaf");
  members().front()->close(1001, "");
  EXPECT_EQ(client.read(), "close:1001");
  server.clock.advance(6s);
  EXPECT_TRUE(client.has_ended());
  EXPECT_EQ(ended, 0);
  server.clock.advance(6s);
  wait_for_connections(server, 0);
  EXPECT_EQ(ended, 1);
}

TEST_F(WebSocketTest, ReceiveEndsAtItsDeadlineAndTheConnectionGoesOn) {
  TestServer server(router);
  Client client(server, "/impatient");
  EXPECT_TRUE(client.read_some(600ms));
  EXPECT_EQ(client.received, "");
  server.clock.advance(6s);
  EXPECT_EQ(client.read(), "text:No message came in time.");
  ASSERT_TRUE(client.send(frame(text, "hello")));
  EXPECT_EQ(client.read(), "text:hello");
}

// ---- sending ----

TEST_F(WebSocketTest, OneTextGoesToAllFromAnyThread) {
  constexpr std::size_t clients_max = 20;
  constexpr int messages_max = 50;
  TestServer server(router);
  std::vector<std::unique_ptr<Client>> clients;
  for (std::size_t i = 0; i < clients_max; ++i)
    clients.push_back(std::make_unique<Client>(server, "/hub"));
  auto const sockets = members(clients_max);
  std::vector<std::shared_ptr<std::string const>> texts;
  std::vector<std::thread> senders;
  for (char const name : {'a', 'b'}) {
    auto const filling = shared(std::string(1, name) + std::string(10'000, '.'));
    texts.push_back(filling);
    senders.emplace_back([&sockets, filling] {
      for (int i = 0; i < messages_max; ++i) {
        for (auto const& socket : sockets)
          EXPECT_TRUE(socket->send(filling));
      }
    });
  }
  std::map<char, int> counts;
  for (auto const& client : clients) {
    for (int i = 0; i < 2 * messages_max; ++i) {
      auto const message = client->read();
      ASSERT_EQ(message.size(), 10'006u);
      ++counts[message[5]];
    }
  }
  for (auto& sender : senders)
    sender.join();
  EXPECT_EQ(counts, (std::map<char, int>{{'a', 1000}, {'b', 1000}}));
  clients.clear();
  wait_for_connections(server, 0);
  for (auto const& filling : texts)
    EXPECT_EQ(filling.use_count(), 1) << "one copy, and nobody keeps it";
}

TEST_F(WebSocketTest, WhoDoesNotReadIsDropped) {
  TestServer server(router, {}, 1);
  Client slow(server, "/hub");
  Client quick(server, "/hub");
  auto const sockets = members(2);
  std::size_t sent = 0;
  std::string const filling(10'000, '.');
  while (sent < 10'000 && sockets[0]->send(shared(std::to_string(sent) + filling)))
    ++sent;
  ASSERT_LT(sent, 10'000u) << "the kernel does not take so much";
  EXPECT_TRUE(sockets[1]->send(shared("still there")));
  EXPECT_EQ(quick.read(), "text:still there");
  std::size_t got = 0;
  std::string last;
  while ((last = slow.read()).starts_with("text:")) {
    ASSERT_EQ(last, "text:" + std::to_string(got) + filling) << "whole, and none is missing in between";
    ++got;
  }
  EXPECT_EQ(last, "close:1013 messages are not read as fast as they come");
  EXPECT_LT(got, sent) << "what was queued is not sent any more";
  EXPECT_GT(got, 0u);
  ASSERT_TRUE(slow.send(frame(closing, close_payload(1013))));
  EXPECT_TRUE(slow.has_ended());
  wait_for_connections(server, 1);
}

TEST_F(WebSocketTest, TheQueueIsBoundedInBytesAndMessages) {
  TestServer server(router, {.websocket = {.queue_bytes_max = 100, .queue_messages_max = 10}}, 1);
  Client bytes(server, "/hub");
  Client messages(server, "/hub");
  auto const sockets = members(2);
  {
    Held const held(server);
    EXPECT_TRUE(sockets[0]->send(shared(std::string(60, 'x'))));
    EXPECT_TRUE(sockets[0]->send(shared(std::string(40, 'x'))));
    EXPECT_TRUE(sockets[0]->send(shared("")));
    EXPECT_FALSE(sockets[0]->send(shared("x")));
    EXPECT_FALSE(sockets[0]->send(shared("")));
    for (int i = 0; i < 10; ++i)
      EXPECT_TRUE(sockets[1]->send(shared("")));
    EXPECT_FALSE(sockets[1]->send(shared("")));
  }
  EXPECT_EQ(bytes.read(), "close:1013 messages are not read as fast as they come");
  EXPECT_EQ(messages.read(), "close:1013 messages are not read as fast as they come");
}

TEST_F(WebSocketTest, WhatIsWrittenMakesRoomInTheQueue) {
  TestServer server(router, {.websocket = {.queue_bytes_max = 100, .queue_messages_max = 2}}, 1);
  Client client(server, "/hub");
  auto const socket = members().front();
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(socket->send(shared(std::string(50, 'x')))) << i;
    ASSERT_TRUE(socket->send(shared(std::string(50, 'y')))) << i;
    ASSERT_EQ(client.read(), "text:" + std::string(50, 'x'));
    ASSERT_EQ(client.read(), "text:" + std::string(50, 'y'));
    Held const until_it_is_counted(server);
  }
}

TEST_F(WebSocketTest, WhoTakesNothingForAWhileIsDropped) {
  TestServer server(router, {.websocket = {.queue_bytes_max = 64 << 20, .ping_interval = 29s, .pong_time = 2s}}, 1);
  Client client(server, "/hub");
  auto const socket = members().front();
  Client other(server, "/hub");  // shows when the server has looked at its clock
  for (int i = 0; i < 40; ++i)
    ASSERT_TRUE(socket->send(shared(std::string(1 << 20, 'x'))));
  EXPECT_TRUE(other.read_some(600ms));
  server.clock.advance(29s);
  EXPECT_EQ(other.read(), "ping:");
  EXPECT_TRUE(socket->send(shared("y")));
  server.clock.advance(2s);
  EXPECT_EQ(other.read(), "close:1011 there was no answer to a ping");
  EXPECT_FALSE(socket->send(shared("z")));
  std::string last;
  while ((last = client.read()).starts_with("text:x")) {
  }
  EXPECT_EQ(last, "close:1013 messages are not read");
}

// ---- silence ----

TEST_F(WebSocketTest, ASilentClientIsAskedAndThenDropped) {
  TestServer server(router, {.websocket = {.ping_interval = 3s, .pong_time = 2s}});
  Client client(server, "/hub");
  std::ignore = members();
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(client.read_some(600ms));
    server.clock.advance(3s);
    EXPECT_EQ(client.read(), "ping:");
    // Whatever comes shows that the client is there.
    ASSERT_TRUE(client.send(i % 2 == 0 ? frame(pong, "") : frame(text, "x")));
  }
  EXPECT_TRUE(client.read_some(600ms));
  server.clock.advance(3s);
  EXPECT_EQ(client.read(), "ping:");
  ASSERT_TRUE(client.send(frame(text + unfinished, "x").substr(0, 6))) << "half a frame is no sign of life";
  server.clock.advance(1s);
  EXPECT_TRUE(client.read_some(600ms));
  EXPECT_EQ(client.received, "") << "it is asked once only";
  server.clock.advance(1s);
  EXPECT_EQ(client.read(), "close:1011 there was no answer to a ping");
  server.clock.advance(6s);
  EXPECT_TRUE(client.has_ended());
  wait_for_connections(server, 0);
  EXPECT_EQ(ended, 1);
}

TEST_F(WebSocketTest, NobodyIsTakenForSilentWhileTheSessionDoesNotListen) {
  TestServer server(router, {.websocket = {.ping_interval = 1s, .pong_time = 1s}});
  Client client(server, "/deaf");
  std::ignore = members();
  for (int i = 0; i < 3; ++i) {
    server.clock.advance(2s);
    EXPECT_TRUE(client.read_some(300ms));
  }
  EXPECT_EQ(client.received, "");
}

// ---- stopping ----

TEST_F(WebSocketTest, StopSaysGoodbye) {
  TestServer server(router);
  Client client(server, "/hub");
  std::ignore = members();
  auto stopped = std::async(std::launch::async, [&] { server.server.stop(Deadline::after(20s)); });
  EXPECT_EQ(client.read(), "close:1001 the server stops");
  ASSERT_TRUE(client.send(frame(closing, close_payload(1001))));
  EXPECT_TRUE(client.has_ended());
  EXPECT_EQ(stopped.wait_for(5s), std::future_status::ready) << "it does not wait for its deadline";
  EXPECT_EQ(ended, 1);
}

TEST_F(WebSocketTest, StopDoesNotWaitLongerThanItsDeadline) {
  TestServer server(router);
  Client client(server, "/hub");
  Client deaf(server, "/deaf");
  std::ignore = members(2);
  server.server.stop(Deadline::after(1500ms));
  EXPECT_EQ(server.server.connections(), 0u);
  EXPECT_EQ(ended, 2);
  EXPECT_EQ(client.read(), "close:1001 the server stops");
  EXPECT_EQ(deaf.read(), "close:1001 the server stops");
}

TEST_F(WebSocketTest, AnUpgradeWhileTheServerStopsIsClosedAtOnce) {
  TestServer server(router);
  Client client(server);
  ASSERT_TRUE(client.send(upgrade_request("/slow")));
  wait_until([&] { return waiting == 1; });
  auto stopped = std::async(std::launch::async, [&] { server.server.stop(Deadline::after(20s)); });
  EXPECT_TRUE(client.read_some(300ms));
  let_go = true;
  EXPECT_TRUE(client.read_answer(false).starts_with("HTTP/1.1 101 "));
  EXPECT_EQ(client.read(), "close:1001 the server stops");
  ASSERT_TRUE(client.send(frame(closing, close_payload(1001))));
  EXPECT_TRUE(client.has_ended());
  EXPECT_EQ(stopped.wait_for(10s), std::future_status::ready);
}

// ---- the reader of frames, without a socket ----

struct Item {
  Event event;
  std::string payload;
  bool operator==(Item const&) const = default;
};

std::vector<Item> read_all(FrameReader& reader, std::string_view bytes) {
  std::vector<Item> out;
  for (;;) {
    auto const event = reader.read(bytes);
    if (event == Event::more) {
      EXPECT_TRUE(bytes.empty());
      return out;
    }
    out.push_back({event, event == Event::text ? reader.take_message() : std::string(reader.control())});
    if (event == Event::violation)
      return out;
  }
}

class FrameReaderTest : public testing::Test {
 protected:
  std::size_t below(std::size_t bound) { return std::uniform_int_distribution<std::size_t>(0, bound - 1)(generator); }
  std::string word(std::size_t size) {
    std::string out(size, ' ');
    std::ranges::generate(out, [this] { return static_cast<char>('a' + below(26)); });
    return out;
  }
  // A message in fragments, with pings and pongs between them.
  void add_message(std::string& bytes, std::vector<Item>& items) {
    std::string whole;
    auto const fragments = 1 + below(4);
    for (std::size_t i = 0; i < fragments; ++i) {
      auto const piece = word(below(10) == 0 ? below(70'000) : below(130));
      whole += piece;
      bytes += frame((i == 0 ? text : continuation) + (i + 1 < fragments ? unfinished : 0), piece);
      if (i + 1 < fragments && below(2) == 0) {
        auto const note = word(below(126));
        auto const kind = below(2) == 0 ? ping : pong;
        bytes += frame(kind, note);
        items.push_back({kind == ping ? Event::ping : Event::pong, note});
      }
    }
    items.push_back({Event::text, whole});
  }

  std::mt19937 generator{7};
};

TEST_F(FrameReaderTest, HowTheBytesAreCutMakesNoDifference) {
  for (int round = 0; round < 200; ++round) {
    std::string bytes;
    std::vector<Item> expected;
    for (int i = 0; i < 5; ++i)
      add_message(bytes, expected);
    FrameReader reader(1 << 20, 256);
    std::vector<Item> got;
    auto const step_max = 1 + below(round % 2 == 0 ? 20 : 20'000);
    for (std::size_t at = 0; at < bytes.size();) {
      auto const piece = std::string_view(bytes).substr(at, 1 + below(step_max));
      std::ranges::move(read_all(reader, piece), std::back_inserter(got));
      at += piece.size();
    }
    ASSERT_TRUE(got == expected) << round;
  }
}

TEST_F(FrameReaderTest, DamageIsHarmless) {
  int violations = 0;
  for (int round = 0; round < 5000; ++round) {
    std::string bytes;
    std::vector<Item> items;
    for (int i = 0; i < 3; ++i)
      bytes += frame(text, word(below(200)));
    for (int i = 0; i < 3; ++i)
      bytes[below(bytes.size())] = static_cast<char>(below(256));
    FrameReader reader(300, 4);
    for (auto const& item : read_all(reader, bytes)) {
      ASSERT_LE(item.payload.size(), 300u);
      violations += item.event == Event::violation ? 1 : 0;
    }
    if (reader.violation().code != 0) {
      std::string_view more = "more";
      ASSERT_EQ(reader.read(more), Event::violation) << "and it stays";
    }
  }
  EXPECT_GT(violations, 1000);
}

}  // namespace
}  // namespace al::http
