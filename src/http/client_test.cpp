#include "http/client.hpp"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>
#include <filesystem>
#include <functional>
#include <future>

#include "core/fault.hpp"
#include "http/client_pool.hpp"
#include "http/test_server.hpp"
#include "testing/odd_server.hpp"
#include "testing/test_certificate.hpp"

namespace al::http {
namespace {

using namespace std::chrono_literals;

/// Reads one request without a body.
void read_head(int socket) { OddServer::read_until(socket, "\r\n\r\n"); }

template <class T>
struct Caught {
  std::optional<T> value;
  std::exception_ptr thrown;
};

class ClientTest : public testing::Test {
 protected:
  ClientTest() : router(nullptr, nullptr, random) {
    auto const add = [this](Method method, std::string_view path, Handler handler) {
      router.add({.method = method,
                  .path = path,
                  .permission = "",
                  .summary = "",
                  .query = {{.name = "a", .doc = ""}},
                  .takes = Body::any,
                  .body_max = 4 << 20,
                  .handler = std::move(handler)});
    };
    auto const echo = [](Call& call) -> Task<Result<Response>> {
      auto response = json_response(
          200, std::string(method_name(call.request.method)) + " " + call.request.target + " " + call.request.body);
      response.headers.add("Seen-Host", call.request.headers.find("Host").value_or("none"));
      response.headers.add("Seen-Test", call.request.headers.find("X-Test").value_or("none"));
      co_return response;
    };
    for (auto const method : {Method::get, Method::post, Method::put, Method::patch, Method::del})
      add(method, "/echo", echo);
    add(Method::get, "/stream", [](Call&) -> Task<Result<Response>> {
      co_return Response{.body = BodyStream([](BodyWriter& writer) -> Task<void> {
                           for (int i = 0; i < 100; ++i)
                             co_await writer.write(std::to_string(i) + ",");
                         })};
    });
    add(Method::get, "/endless", [](Call&) -> Task<Result<Response>> {
      co_return Response{.body = BodyStream([](BodyWriter& writer) -> Task<void> {
                           for (;;)
                             co_await writer.write("again and again ");
                         })};
    });
    add(Method::get, "/large",
        [](Call&) -> Task<Result<Response>> { co_return json_response(200, std::string(1'000'000, 'x')); });
    add(Method::get, "/missing", [](Call&) -> Task<Result<Response>> { co_return fail(Code::not_found, "no"); });
    add(Method::del, "/nothing", [](Call&) -> Task<Result<Response>> { co_return Response{.status = 204}; });
    server.emplace(router);
  }

  static std::string url(std::uint16_t port, std::string_view path, std::string_view scheme = "http") {
    return std::string(scheme) + "://127.0.0.1:" + std::to_string(port) + std::string(path);
  }
  std::string url(std::string_view path) const { return url(server->server.port(), path); }

  template <class T>
  T run(Task<T> task) {
    io.restart();
    Caught<T> caught;
    asio::co_spawn(io, std::move(task), [&](std::exception_ptr thrown, T value) {
      caught.thrown = thrown;
      caught.value = std::move(value);
      io.stop();  // kept connections have timers
    });
    io.run();
    if (caught.thrown)
      std::rethrow_exception(caught.thrown);
    return std::move(*caught.value);
  }
  Result<Response> send(Client& client, Method method, std::string const& to, std::string body = {},
                        Headers headers = {}, std::chrono::milliseconds limit = 20s) {
    return run(client.send(method, to, std::move(headers), std::move(body), Deadline::after(limit)));
  }
  Client make(ClientOptions options = {}) { return Client(io.get_executor(), std::move(options)); }

  static std::string body_of(Result<Response> const& response) {
    return response ? std::get<std::string>(response->body) : "failed: " + response.error().message;
  }

  SystemRandom random;
  Router router;
  std::optional<TestServer> server;
  asio::io_context io{1};
};

// ---- plain ----

TEST_F(ClientTest, SendsAndCollects) {
  auto client = make();
  for (auto const method : {Method::get, Method::post, Method::put, Method::patch, Method::del}) {
    Headers headers;
    headers.add("X-Test", "yes");
    headers.add("Host", "evil");
    headers.add("Content-Length", "999");
    headers.add("Transfer-Encoding", "chunked");
    auto const response = send(client, method, url("/echo?a=b%20c#part"), "body", headers);
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ(response->status, 200);
    EXPECT_EQ(body_of(response), std::string(method_name(method)) + " /echo?a=b%20c body");
    EXPECT_EQ(response->headers.find("seen-host"), "127.0.0.1:" + std::to_string(server->server.port()));
    EXPECT_EQ(response->headers.find("Seen-Test"), "yes");
  }
  EXPECT_EQ(server->server.connections(), 1u) << "one connection was kept and used again";
}

TEST_F(ClientTest, AnswersOfEveryShape) {
  auto client = make();
  EXPECT_EQ(send(client, Method::get, url("/missing"))->status, 404) << "a status is no failure of the call";
  EXPECT_EQ(send(client, Method::del, url("/nothing"))->status, 204);
  auto const head = send(client, Method::head, url("/large"));
  EXPECT_EQ(head->headers.find("Content-Length"), "1000000");
  EXPECT_EQ(body_of(head), "");
  EXPECT_EQ(body_of(send(client, Method::get, url("/large"))).size(), 1'000'000u);
  std::string expected;
  for (int i = 0; i < 100; ++i)
    expected += std::to_string(i) + ",";
  EXPECT_EQ(body_of(send(client, Method::get, url("/stream"))), expected);
  EXPECT_EQ(body_of(send(client, Method::post, url("/echo"), std::string(3 << 20, 'z'))).size(), (3u << 20) + 11);
  EXPECT_EQ(server->server.connections(), 1u);
}

TEST_F(ClientTest, RefusesOtherUrls) {
  auto client = make();
  for (std::string const bad :
       {"", "x", "/echo", "ftp://127.0.0.1/", "http://", "http:///echo", "http://user:pw@127.0.0.1/",
        "http://127.0.0.1:0/", "http://127.0.0.1:99999/", "http://127.0.0.1/a b", "http://127.0.0.1/\r\nX: y",
        "http://%31%32%37.0.0.1/", "file:///etc/passwd", "http:127.0.0.1", "//127.0.0.1/",
        "http://127.0.0.1.example.com"}) {
    auto const response = send(client, Method::get, bad);
    ASSERT_FALSE(response) << bad;
    EXPECT_EQ(response.error().code, Code::invalid) << bad;
  }
}

TEST_F(ClientTest, SaysThatNobodyIsThere) {
  std::uint16_t port = 0;
  {
    port = OddServer([](int, int) {}).port;
  }
  auto client = make();
  EXPECT_EQ(send(client, Method::get, url(port, "/")).error().code, Code::unavailable);
  EXPECT_EQ(send(client, Method::get, "http://no.such.host.invalid/").error().code, Code::unavailable);
}

TEST_F(ClientTest, LimitsACollectedBody) {
  auto client = make({.body_max = 999'999});
  EXPECT_EQ(send(client, Method::get, url("/large")).error().code, Code::payload_too_large);
  EXPECT_EQ(send(client, Method::get, url("/endless")).error().code, Code::payload_too_large);
  auto larger = make({.body_max = 1'000'000});
  EXPECT_EQ(body_of(send(larger, Method::get, url("/large"))).size(), 1'000'000u);
}

TEST_F(ClientTest, AsksBeforeItConnects) {
  std::vector<std::string> asked;
  auto client = make({.is_address_allowed = [&](asio::ip::address const& address) {
    asked.push_back(address.to_string());
    return false;
  }});
  EXPECT_EQ(send(client, Method::get, url("/echo")).error().code, Code::forbidden);
  EXPECT_EQ(asked, std::vector<std::string>{"127.0.0.1"});
  EXPECT_EQ(server->server.connections(), 0u);
}

// ---- streams ----

TEST_F(ClientTest, HandsOutPieces) {
  auto client = make();
  std::string pieces;
  int head_status = 0;
  auto const response = run(client.stream(
      Method::get, url("/stream"), {}, {}, Deadline::after(20s),
      [&](std::string_view piece) {
        EXPECT_EQ(head_status, 200) << "the head comes first";
        pieces.append(piece);
        return true;
      },
      [&](Response const& head) { head_status = head.status; }));
  ASSERT_TRUE(response);
  EXPECT_TRUE(pieces.ends_with("98,99,"));
  EXPECT_EQ(body_of(response), "");
}

TEST_F(ClientTest, AStreamCanBeEnded) {
  auto client = make();
  std::size_t pieces = 0;
  auto const response = run(client.stream(Method::get, url("/endless"), {}, {}, Deadline::after(20s),
                                          [&](std::string_view) { return ++pieces < 5; }));
  ASSERT_TRUE(response);
  EXPECT_EQ(pieces, 5u);
  EXPECT_TRUE(send(client, Method::get, url("/echo"))) << "the connection of the stream was not kept";
}

// ---- answers that are read at the reader's pace ----

TEST_F(ClientTest, TheHeadComesFirstAndTheBodyWhenItIsRead) {
  std::atomic<bool> may_go_on = false;
  OddServer slow([&](int socket, int) {
    read_head(socket);
    OddServer::say(socket, "HTTP/1.1 201 Created\r\nA: b\r\nTransfer-Encoding: chunked\r\n\r\n");
    may_go_on.wait(false);
    OddServer::say(socket, "2\r\nab\r\n1\r\nc\r\n");
    OddServer::say(socket, "0\r\n\r\n");
    OddServer::wait(socket);
  });
  auto client = make();
  auto const read = [&]() -> Task<std::string> {
    auto opened = co_await client.open(Method::get, url(slow.port, "/"), {}, {}, Deadline::after(20s));
    if (!opened)
      co_return opened.error().message;
    auto const incoming = std::move(*opened);
    EXPECT_EQ(incoming->head.status, 201);
    EXPECT_EQ(incoming->head.headers.find("A"), "b");
    may_go_on = true;
    may_go_on.notify_all();
    std::string body;
    for (;;) {
      auto const piece = co_await incoming->read();
      if (!piece)
        co_return piece.error().message;
      if (piece->empty())
        break;
      body.append(*piece);
    }
    auto const after = co_await incoming->read();
    EXPECT_TRUE(after && after->empty()) << "the end stays the end";
    co_return body;
  };
  EXPECT_EQ(run(read()), "abc");
}

TEST_F(ClientTest, WhatIsThereIsReadWithoutWaiting) {
  std::atomic<bool> may_go_on = false;
  OddServer slow([&](int socket, int) {
    read_head(socket);
    OddServer::say(socket, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n");
    may_go_on.wait(false);
    OddServer::say(socket, "1\r\nc\r\n0\r\n\r\n");
    OddServer::wait(socket);
  });
  auto client = make();
  auto const read = [&]() -> Task<std::string> {
    auto opened = co_await client.open(Method::get, url(slow.port, "/"), {}, {}, Deadline::after(1s));
    if (!opened)
      co_return opened.error().message;
    auto const incoming = std::move(*opened);
    incoming->expect_by(Deadline::after(20s));
    std::string got(incoming->read_now().value());
    got.append(incoming->read_now().value()).append(incoming->is_whole() ? " whole" : " part");
    co_await sleep_until(std::chrono::steady_clock::now() + 1100ms);
    may_go_on = true;
    may_go_on.notify_all();
    auto const rest = co_await incoming->read();
    got.append(" ").append(rest ? *rest : std::string_view(rest.error().message));
    got.append(incoming->is_whole() ? " whole" : " part").append(incoming->read_now().value());
    co_return got;
  };
  EXPECT_EQ(run(read()), "ab part c whole") << "the new deadline counts";
}

TEST_F(ClientTest, SaysWhenNothingWasSent) {
  auto const port = std::make_unique<OddServer>([](int, int) {})->port;
  auto const gone = run(make().open(Method::get, url(port, "/"), {}, {}, Deadline::after(5s)));
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().where, not_connected);
  OddServer silent([](int socket, int) { read_head(socket); });
  auto const cut = run(make().open(Method::post, url(silent.port, "/"), {}, {}, Deadline::after(5s)));
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().where, "");
}

TEST_F(ClientTest, PiecesThatCameTogetherAreOnePiece) {
  OddServer quick([&](int socket, int) {
    read_head(socket);
    OddServer::say(socket,
                   "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n3\r\ndef\r\n0\r\n\r\n");
    OddServer::wait(socket);
  });
  auto client = make();
  std::vector<std::string> pieces;
  auto const response =
      run(client.stream(Method::get, url(quick.port, "/"), {}, {}, Deadline::after(20s), [&](std::string_view piece) {
        pieces.emplace_back(piece);
        return true;
      }));
  ASSERT_TRUE(response);
  EXPECT_EQ(pieces, std::vector<std::string>{"abcdef"});
}

TEST_F(ClientTest, WhatIsNotReadStaysWithTheSender) {
  std::atomic<std::size_t> sent = 0;
  OddServer endless([&](int socket, int) {
    read_head(socket);
    OddServer::say(socket, "HTTP/1.1 200 OK\r\n\r\n");
    std::string const some(64 * 1024, 'x');
    for (;;) {
      auto const got = ::send(socket, some.data(), some.size(), MSG_NOSIGNAL);
      if (got <= 0)
        return;
      sent += static_cast<std::size_t>(got);
    }
  });
  auto client = make();
  auto const read_once = [&]() -> Task<std::size_t> {
    auto opened = co_await client.open(Method::get, url(endless.port, "/"), {}, {}, Deadline::after(20s));
    if (!opened)
      co_return 0;
    auto const incoming = std::move(*opened);
    std::ignore = co_await incoming->read();
    // The sender goes on until the buffers of the system are full; then its count stands still.
    std::size_t before = 0;
    do {
      before = sent;
      co_await sleep_until(std::chrono::steady_clock::now() + 200ms);
    } while (sent != before);
    co_return before;
  };
  EXPECT_LT(run(read_once()), 32u << 20) << "the buffers of the system hold a few megabytes";
}

TEST_F(ClientTest, AnAnswerThatIsLeftClosesItsConnection) {
  auto client = make();
  auto const leave = [&]() -> Task<int> {
    auto const opened = co_await client.open(Method::get, url("/large"), {}, {}, Deadline::after(20s));
    co_return opened ? (*opened)->head.status : 0;
  };
  EXPECT_EQ(run(leave()), 200);
  auto const until = std::chrono::steady_clock::now() + 20s;
  while (server->server.connections() > 0 && std::chrono::steady_clock::now() < until)
    std::this_thread::yield();
  EXPECT_EQ(server->server.connections(), 0u);
}

TEST_F(ClientTest, AnAnswerOutlivesItsClient) {
  auto const read = [&]() -> Task<std::size_t> {
    auto client = std::make_unique<Client>(io.get_executor(), ClientOptions{});
    auto opened = co_await client->open(Method::get, url("/large"), {}, {}, Deadline::after(20s));
    client.reset();
    std::size_t bytes = 0;
    while (opened) {
      auto const piece = co_await (*opened)->read();
      if (!piece || piece->empty())
        break;
      bytes += piece->size();
    }
    co_return bytes;
  };
  EXPECT_EQ(run(read()), 1'000'000u);
}

TEST_F(ClientTest, ASlowReaderIsNoSlowSender) {
  OddServer quick([](int socket, int) {
    read_head(socket);
    OddServer::say(socket, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc");
    std::string rest(1, '\0');
    ::recv(socket, rest.data(), 1, MSG_PEEK | MSG_DONTWAIT);
    OddServer::say(socket, "def");
    OddServer::wait(socket);
  });
  auto client = make({.idle_timeout = 1s});
  auto const read = [&]() -> Task<std::string> {
    auto opened = co_await client.open(Method::get, url(quick.port, "/"), {}, {}, Deadline::after(20s));
    std::string body;
    while (opened) {
      auto const piece = co_await (*opened)->read();
      if (!piece)
        co_return piece.error().message;
      if (piece->empty())
        break;
      body.append(*piece);
      co_await sleep_until(std::chrono::steady_clock::now() + 1500ms);
    }
    co_return body;
  };
  EXPECT_EQ(run(read()), "abcdef");
}

TEST_F(ClientTest, APoolHasOneClientForEachContext) {
  asio::io_context other{1};
  ClientPool pool({&io, &other}, {});
  EXPECT_NE(&pool.here(io.get_executor()), &pool.here(other.get_executor()));
  auto const ask = [&]() -> Task<Result<Response>> {
    auto& client = pool.here(co_await asio::this_coro::executor);
    co_return co_await client.send(Method::get, url("/echo"), {}, {}, Deadline::after(20s));
  };
  EXPECT_EQ(body_of(run(ask())), "GET /echo ");
  asio::io_context stranger{1};
  EXPECT_THROW(std::ignore = &pool.here(stranger.get_executor()), Fault);
}

// ---- time ----

TEST_F(ClientTest, GivesUpInTime) {
  OddServer silent([](int socket, int) { OddServer::wait(socket); });
  auto client = make();
  auto const start = std::chrono::steady_clock::now();
  EXPECT_EQ(send(client, Method::get, url(silent.port, "/"), {}, {}, 50ms).error().code, Code::timed_out);
  auto impatient = make({.connect_timeout = 1s, .first_byte_timeout = 1s});
  EXPECT_EQ(send(impatient, Method::get, url(silent.port, "/")).error().code, Code::timed_out);
  EXPECT_EQ(send(impatient, Method::get, url(silent.port, "/", "https")).error().code, Code::timed_out);
  EXPECT_LT(std::chrono::steady_clock::now() - start, 15s);
}

/// A model's server may say at once that it will answer, and think before the first word.
TEST_F(ClientTest, TheFirstPieceMayTakeLongerThanTheNext) {
  OddServer thinking([](int socket, int) {
    read_head(socket);
    OddServer::say(socket, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n");
    std::promise<void> never;
    never.get_future().wait_for(1500ms);
    OddServer::say(socket, "abc");
  });
  auto client = make({.first_byte_timeout = 20s, .idle_timeout = 1s});
  EXPECT_EQ(body_of(send(client, Method::get, url(thinking.port, "/"))), "abc");
  auto impatient = make({.first_byte_timeout = 1s, .idle_timeout = 1s});
  EXPECT_EQ(send(impatient, Method::get, url(thinking.port, "/")).error().code, Code::timed_out);
}

TEST_F(ClientTest, AStreamMayPauseOnlySoLong) {
  OddServer pausing([](int socket, int) {
    read_head(socket);
    OddServer::say(socket, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
    OddServer::wait(socket);
  });
  auto client = make({.idle_timeout = 1s});
  auto const start = std::chrono::steady_clock::now();
  std::string pieces;
  auto const response =
      run(client.stream(Method::get, url(pausing.port, "/"), {}, {}, Deadline::after(20s), [&](std::string_view piece) {
        pieces.append(piece);
        return true;
      }));
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, Code::timed_out);
  EXPECT_EQ(pieces, "abc");
  EXPECT_LT(std::chrono::steady_clock::now() - start, 15s) << "the limit is one second, not the deadline";
}

TEST_F(ClientTest, ACancelledCallThrowsAndClosesItsConnection) {
  asio::cancellation_signal cancel;
  OddServer silent([&](int socket, int) {
    read_head(socket);
    asio::post(io, [&] { cancel.emit(asio::cancellation_type::terminal); });
    OddServer::wait(socket);
  });
  auto client = make();
  std::exception_ptr thrown;
  asio::co_spawn(io, client.send(Method::get, url(silent.port, "/"), {}, {}, Deadline::after(20s)),
                 asio::bind_cancellation_slot(
                     cancel.slot(), [&](std::exception_ptr error, Result<Response> const&) { thrown = error; }));
  io.run();
  ASSERT_TRUE(thrown);
  try {
    std::rethrow_exception(thrown);
  } catch (boost::system::system_error const& error) {
    EXPECT_EQ(error.code(), asio::error::operation_aborted);
  }
}

TEST_F(ClientTest, MayGoBeforeItsCallsEnd) {
  OddServer slow([](int socket, int) {
    read_head(socket);
    OddServer::say(socket, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    OddServer::wait(socket);
  });
  auto client = std::make_unique<Client>(io.get_executor(), ClientOptions{});
  std::string body;
  asio::co_spawn(io, client->send(Method::get, url(slow.port, "/"), {}, {}, Deadline::after(20s)),
                 [&](std::exception_ptr, Result<Response> const& response) { body = body_of(response); });
  io.poll();
  client.reset();
  io.run();
  EXPECT_EQ(body, "ok");
}

// ---- kept connections ----

TEST_F(ClientTest, RepeatsOnceOnANewConnectionWhenNothingIsLost) {
  // Answers one request a connection; on the first it then swallows the next request and closes without a word.
  OddServer forgetful([](int socket, int connection) {
    read_head(socket);
    OddServer::say(socket, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n" + std::to_string(connection));
    read_head(socket);
  });
  auto client = make();
  EXPECT_EQ(body_of(send(client, Method::get, url(forgetful.port, "/"))), "0");
  EXPECT_EQ(body_of(send(client, Method::get, url(forgetful.port, "/"))), "1") << "repeated on a new connection";
  EXPECT_EQ(forgetful.connections, 2);
  auto const post = send(client, Method::post, url(forgetful.port, "/"));
  ASSERT_FALSE(post) << "nobody knows whether the first POST took effect";
  EXPECT_EQ(post.error().code, Code::unavailable);
  EXPECT_EQ(forgetful.connections, 2);
}

TEST_F(ClientTest, DoesNotRepeatForEver) {
  OddServer closing([](int socket, int connection) {
    read_head(socket);
    if (connection > 0)
      return;
    OddServer::say(socket, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    read_head(socket);
  });
  auto client = make();
  EXPECT_TRUE(send(client, Method::get, url(closing.port, "/")));
  EXPECT_EQ(send(client, Method::get, url(closing.port, "/")).error().code, Code::unavailable);
  EXPECT_EQ(closing.connections, 2);
}

TEST_F(ClientTest, DoesNotRepeatWhenAByteCame) {
  OddServer halfway([](int socket, int) {
    read_head(socket);
    OddServer::say(socket, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    read_head(socket);
    OddServer::say(socket, "HTTP/1.1 2");
  });
  auto client = make();
  EXPECT_TRUE(send(client, Method::get, url(halfway.port, "/")));
  EXPECT_EQ(send(client, Method::get, url(halfway.port, "/")).error().code, Code::unavailable);
  EXPECT_EQ(halfway.connections, 1);
}

TEST_F(ClientTest, SeesThatAKeptConnectionWasClosed) {
  OddServer polite([](int socket, int) {
    read_head(socket);
    OddServer::say(socket, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    ::shutdown(socket, SHUT_RDWR);
  });
  auto client = make();
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(body_of(send(client, Method::post, url(polite.port, "/"))), "ok") << "a POST may go on a new connection";
    while (polite.connections <= i)
      std::this_thread::yield();
  }
}

TEST_F(ClientTest, ClosesWhatIsKeptForLong) {
  auto client = make({.keep_timeout = 1s});
  EXPECT_TRUE(send(client, Method::get, url("/echo")));
  EXPECT_EQ(server->server.connections(), 1u);
  auto const until = std::chrono::steady_clock::now() + 20s;
  while (server->server.connections() > 0 && std::chrono::steady_clock::now() < until) {
    io.restart();
    io.run_for(10ms);
  }
  EXPECT_EQ(server->server.connections(), 0u) << "though nothing more was asked of this host";
  EXPECT_TRUE(send(client, Method::get, url("/echo")));
}

TEST_F(ClientTest, KeepsOnlySoManyConnections) {
  auto client = make({.idle_connections_max = 0});
  for (int i = 0; i < 3; ++i)
    EXPECT_TRUE(send(client, Method::get, url("/echo")));
  auto const until = std::chrono::steady_clock::now() + 20s;
  while (server->server.connections() > 0 && std::chrono::steady_clock::now() < until)
    std::this_thread::yield();
  EXPECT_EQ(server->server.connections(), 0u);
}

// ---- answers that are none ----

TEST_F(ClientTest, RefusesWhatIsNoAnswer) {
  using namespace std::string_literals;
  struct Case {
    std::string answer;
    std::string body;  // empty: refused
  };
  for (auto const& [answer, body] : std::vector<Case>{
           {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "ok"},
           {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: "
            "2\r\n\r\nok",
            "ok"},
           {"HTTP/1.0 200 OK\r\n\r\nuntil the end", "until the end"},
           {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nA: b\r\n\r\n", "ok"},
           {"", ""},
           {"HTTP/1.1 2", ""},
           {"SSH-2.0-OpenSSH\r\n", ""},
           {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nok", ""},
           {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", ""},
           {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok", ""},
           {"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nok", ""},
           {"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", ""},
           {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n", ""},
           {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\nok\r\n0\r\n\r\n", ""},
           {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;" + std::string(100'000, 'x'), ""},
           {"HTTP/1.1 200 OK\r\nA: " + std::string(100'000, 'x') + "\r\n\r\n", ""},
           {"HTTP/1.1 200 OK\r\nA\0: x\r\n\r\n"s, ""},
           {"HTTP/9.1 200 OK\r\n\r\n", ""},
       }) {
    OddServer odd([&](int socket, int) {
      read_head(socket);
      OddServer::say(socket, answer);
    });
    auto client = make();
    auto const response = send(client, Method::get, url(odd.port, "/"));
    EXPECT_EQ(response.has_value(), !body.empty()) << answer.substr(0, 80);
    if (response)
      EXPECT_EQ(body_of(response), body);
    if (!response)
      EXPECT_EQ(response.error().code, Code::unavailable) << answer.substr(0, 80);
  }
}

TEST_F(ClientTest, ReadsAnAnswerThatComesByteByByte) {
  OddServer slow([](int socket, int) {
    read_head(socket);
    for (char const c : std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")) {
      OddServer::say(socket, {&c, 1});
    }
    OddServer::wait(socket);
  });
  auto client = make();
  auto const response = send(client, Method::get, url(slow.port, "/"));
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(body_of(response), "");
}

TEST_F(ClientTest, ReadsTheAnswerOfAServerThatStopsReading) {
  OddServer refusing([](int socket, int) {
    read_head(socket);
    OddServer::say(socket, "HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno");
    ::shutdown(socket, SHUT_WR);
    OddServer::wait(socket);
  });
  auto client = make();
  auto const response = send(client, Method::post, url(refusing.port, "/"), std::string(1 << 20, 'x'));
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 413);
}

// ---- TLS ----

/// Puts TLS before the server under test: what it decrypts goes to the plain port, and the answers come back.
class TlsFront {
 public:
  TlsFront(TestCertificate const& certificate, std::uint16_t plain_port, int max_version = TLS1_3_VERSION)
      : context_(SSL_CTX_new(TLS_server_method()), &SSL_CTX_free),
        odd_([this, plain_port](int socket, int) { serve(socket, plain_port); }) {
    certificate.use(context_.get());
    SSL_CTX_set_min_proto_version(context_.get(), max_version == TLS1_1_VERSION ? TLS1_VERSION : TLS1_2_VERSION);
    SSL_CTX_set_max_proto_version(context_.get(), max_version);
    SSL_CTX_set_security_level(context_.get(), 0);
  }
  [[nodiscard]] std::uint16_t port() const { return odd_.port; }

  std::string server_name;  ///< what the client asked for by SNI
  std::string version;
  std::atomic<int> handshakes{0};

 private:
  void serve(int socket, std::uint16_t plain_port) {
    std::unique_ptr<SSL, decltype(&SSL_free)> const tls(SSL_new(context_.get()), &SSL_free);
    SSL_set_fd(tls.get(), socket);
    if (SSL_accept(tls.get()) != 1)
      return;
    auto const* const name = SSL_get_servername(tls.get(), TLSEXT_NAMETYPE_host_name);
    server_name = name ? name : "";
    version = SSL_get_version(tls.get());
    ++handshakes;
    RawClient plain(plain_port);
    std::array<char, 16384> bytes{};
    // One request, one answer: enough for these tests, and it needs no second thread.
    for (;;) {
      auto const got = SSL_read(tls.get(), bytes.data(), bytes.size());
      if (got <= 0)
        return;
      plain.send({bytes.data(), static_cast<std::size_t>(got)});
      auto const answer = plain.read_answer();
      if (SSL_write(tls.get(), answer.data(), static_cast<int>(answer.size())) <= 0)
        return;
    }
  }

  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
  OddServer odd_;
};

class TlsTest : public ClientTest {
 protected:
  TestCertificate const localhost{"DNS:localhost,IP:127.0.0.1"};
};

TEST_F(TlsTest, ChecksNameAndCertificate) {
  TlsFront front(localhost, server->server.port());
  auto client = make({.ca_file = localhost.certificate_file()});
  auto const by_name = "https://localhost:" + std::to_string(front.port()) + "/echo";
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(body_of(send(client, Method::get, by_name)), "GET /echo ");
  EXPECT_EQ(front.server_name, "localhost");
  EXPECT_EQ(front.version, "TLSv1.3");
  EXPECT_EQ(front.handshakes, 1) << "the connection was kept";
}

TEST_F(TlsTest, AnAddressIsCheckedTooAndHasNoSni) {
  TlsFront front(localhost, server->server.port());
  auto client = make({.ca_file = localhost.certificate_file()});
  EXPECT_EQ(body_of(send(client, Method::get, url(front.port(), "/echo", "https"))), "GET /echo ");
  EXPECT_EQ(front.server_name, "");
}

TEST_F(TlsTest, SpeaksTls12) {
  TlsFront front(localhost, server->server.port(), TLS1_2_VERSION);
  auto client = make({.ca_file = localhost.certificate_file()});
  EXPECT_EQ(body_of(send(client, Method::get, url(front.port(), "/echo", "https"))), "GET /echo ");
  EXPECT_EQ(front.version, "TLSv1.2");
}

TEST_F(TlsTest, RefusesWhomItDoesNotTrust) {
  TestCertificate const other("DNS:localhost,IP:127.0.0.1");
  TestCertificate const wrong_name("DNS:example.org,IP:127.0.0.2");
  TestCertificate const expired("DNS:localhost,IP:127.0.0.1", -60);
  struct Case {
    char const* what;
    TestCertificate const* shown;
    std::string trusted;
    int version;
  };
  for (auto const& [what, shown, trusted, version] :
       std::vector<Case>{{"signed by nobody we know", &localhost, "", TLS1_3_VERSION},
                         {"another certificate of the same name", &localhost, other.certificate_file(), TLS1_3_VERSION},
                         {"wrong name", &wrong_name, wrong_name.certificate_file(), TLS1_3_VERSION},
                         {"expired", &expired, expired.certificate_file(), TLS1_3_VERSION},
                         {"TLS 1.1", &localhost, localhost.certificate_file(), TLS1_1_VERSION}}) {
    TlsFront front(*shown, server->server.port(), version);
    auto client = make({.ca_file = trusted});
    for (std::string const host : {"localhost", "127.0.0.1"}) {
      auto const response = send(client, Method::get, "https://" + host + ":" + std::to_string(front.port()) + "/echo");
      ASSERT_FALSE(response) << what;
      EXPECT_EQ(response.error().code, Code::unavailable) << what;
    }
    EXPECT_EQ(server->server.requests(), 0u) << what << ": nothing was sent";
  }
}

TEST_F(TlsTest, DoesNotSpeakTlsToAPlainServerNorTheOtherWay) {
  TlsFront front(localhost, server->server.port());
  auto client = make({.ca_file = localhost.certificate_file()});
  EXPECT_EQ(send(client, Method::get, url(server->server.port(), "/echo", "https")).error().code, Code::unavailable);
  EXPECT_EQ(send(client, Method::get, url(front.port(), "/echo")).error().code, Code::unavailable);
}

TEST_F(TlsTest, AMissingFileIsNamed) {
  try {
    Client client(io.get_executor(), {.ca_file = "no-such-file.pem"});
    FAIL() << "the file is not there";
  } catch (Fault const& fault) {
    EXPECT_NE(std::string(fault.what()).find("no-such-file.pem"), std::string::npos);
  }
}

}  // namespace
}  // namespace al::http
