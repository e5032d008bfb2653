#include "services/gateway/gateway.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <fstream>
#include <functional>
#include <future>
#include <thread>

#include "core/fault.hpp"
#include "http/test_server.hpp"
#include "services/gateway/compression.hpp"
#include "testing/odd_server.hpp"
#include "testing/temporary_directory.hpp"

namespace al::services::gateway {
namespace {

using namespace std::chrono_literals;
using http::Call;
using http::Method;
using http::Response;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

/// Knows one token, of an API key.
class OneToken final : public http::Authenticator {
 public:
  Task<Result<http::Principal>> authenticate(http::Request const& request, Deadline) override {
    ++asked;
    if (request.headers.find("Authorization") == "Bearer of a database that is away")
      throw Unavailable("no connection to db.internal");
    for (auto const* const name : {"one", "two"}) {
      if (request.headers.find("Authorization") == "Bearer " + std::string(name))
        co_return http::Principal{.id = name, .permissions = {"agents:read", "services:read"}};
    }
    co_return fail(Code::unauthenticated, "This token is not known.");
  }
  std::atomic<int> asked{0};
};

void add(http::Router& router, Method method, std::string_view path, http::Handler handler) {
  router.add({.method = method,
              .path = path,
              .permission = "",
              .summary = "",
              .query = {{.name = "q", .doc = ""}},
              .takes = method == Method::post ? http::Body::any : http::Body::none,
              .passes_through = true,
              .handler = std::move(handler)});
}

/// A service that says what it saw, and can be told to fail.
class Echo {
 public:
  explicit Echo(std::string name = "a") : name(std::move(name)), router(nullptr, nullptr, random) {
    add(router, Method::get, "/echo", [this](Call& call) { return echo(call); });
    add(router, Method::post, "/echo", [this](Call& call) { return echo(call); });
    add(router, Method::get, "/large", [](Call&) -> Task<Result<Response>> {
      auto response = http::json_response(200, "\"" + std::string(100'000, 'x') + "\"");
      response.headers.set("Cache-Control", "no-cache");
      co_return response;
    });
    add(router, Method::get, "/secret", [](Call&) -> Task<Result<Response>> {
      auto response = http::json_response(200, "\"" + std::string(100'000, 'x') + "\"");
      response.headers.set("Cache-Control", "no-store");
      co_return response;
    });
    add(router, Method::get, "/stream", [this](Call&) -> Task<Result<Response>> {
      Response response;
      response.headers.set("Content-Type", "text/event-stream");
      response.body = http::BodyStream([this](http::BodyWriter& writer) -> Task<void> {
        co_await writer.write("data: first\n\n");
        while (!may_go_on)
          co_await sleep_until(std::chrono::steady_clock::now() + 5ms);
        co_await writer.write("data: second\n\n");
      });
      co_return response;
    });
    add(router, Method::get, "/late", [](Call&) -> Task<Result<Response>> {
      co_await sleep_until(std::chrono::steady_clock::now() + 3s);
      co_return http::json_response(200, "1");
    });
    server.emplace(router);
  }

  Task<Result<Response>> echo(Call& call) {
    ++calls;
    {
      std::lock_guard const lock(mutex);
      seen = call.request.headers;
      target = call.request.target;
    }
    if (failures > 0) {
      --failures;
      co_return fail(Code::unavailable, "not now");
    }
    auto response = http::json_response(200, "\"" + name + " " + call.request.body + "\"");
    response.headers.set("Cache-Control", cache_control);
    response.headers.set("Access-Control-Allow-Origin", "*");
    response.headers.set("Keep-Alive", "timeout=5");
    co_return response;
  }

  std::string saw(std::string_view header) {
    std::lock_guard const lock(mutex);
    return std::string(seen.find(header).value_or("none"));
  }
  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(server->server.port()); }
  [[nodiscard]] Instance instance() const { return {.host = "127.0.0.1", .port = server->server.port()}; }

  std::string name;
  std::string cache_control = "no-cache";
  std::atomic<int> calls{0};
  std::atomic<int> failures{0};
  std::atomic<bool> may_go_on{false};
  std::mutex mutex;
  http::Headers seen;
  std::string target;
  SystemRandom random;
  http::Router router;
  std::optional<http::TestServer> server;
};

/// A gateway on a server of its own.
class Front {
 public:
  explicit Front(std::string const& config, GatewayOptions options = {}) : clients({&io}, client_options()) {
    write(config);
    options.config_file = file();
    router.add({.method = Method::get,
                .path = "/health",
                .permission = "",
                .summary = "",
                .of_process = true,
                .handler = [](Call&) -> Task<Result<Response>> { co_return http::json_response(200, "\"me\""); }});
    gateway.emplace(Ties{router, authenticator, limits, clients, clock, random}, std::move(options));
    server.emplace(std::vector{&io}, "127.0.0.1", 0, *gateway, http::ServerLimits{}, clock, random);
    server->start();
    thread = std::thread([this] { io.run(); });
  }
  ~Front() {
    server->stop(Deadline::after(0s));
    io.stop();
    thread.join();
  }
  Front(Front const&) = delete;
  Front& operator=(Front const&) = delete;

  [[nodiscard]] std::string file() const { return directory.file("gateway.yaml"); }
  void write(std::string const& text) const { std::ofstream(file(), std::ios::trunc) << text; }

  /// The whole answer, with its head.
  std::string ask(std::string_view method, std::string_view target, std::string_view headers = "",
                  std::string_view body = "") {
    http::RawClient client(server->port());
    client.send(request(method, target, headers, body));
    return client.read_all();
  }
  static std::string request(std::string_view method, std::string_view target, std::string_view headers,
                             std::string_view body = "") {
    std::string out(method);
    out.append(" ").append(target).append(" HTTP/1.1\r\nHost: gate:8000\r\n").append(headers);
    if (!body.empty())
      out.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n");
    return out.append(headers.contains("Connection:") ? "\r\n" : "Connection: close\r\n\r\n").append(body);
  }

  TemporaryDirectory directory;
  asio::io_context io{1};
  asio::executor_work_guard<asio::io_context::executor_type> work = asio::make_work_guard(io);
  SystemRandom random;
  http::ManualClock clock;
  OneToken authenticator;
  cache::LocalLimits call_limits{clock};
  security::RequestLimits limits{call_limits};
  http::Router router{&authenticator, nullptr, random};
  http::ClientPool clients;
  std::optional<Gateway> gateway;
  std::optional<http::Server> server;
  std::thread thread;
};

std::string config_of(std::vector<std::string> const& urls, std::string_view more = "", std::string_view service = "") {
  std::string out = "services:\n- name: echo\n  instances: [";
  for (auto const& url : urls)
    out.append(&url == urls.data() ? "\"" : ", \"").append(url).append("\"");
  out.append("]\n").append(service).append("routes:\n");
  for (auto const* const path : {"echo", "large", "secret", "stream", "late"})
    out.append("- {path: /api/v1/").append(path).append(", service: echo, auth: open").append(more).append("}\n");
  return out;
}

std::string body_of(std::string const& answer) {
  return answer.substr(std::min(answer.find("\r\n\r\n") + 4, answer.size()));
}

std::string unpacked(std::string const& text) {
  z_stream stream{};
  std::string out(1 << 20, '\0');
  inflateInit2(&stream, 15 + 16);
  auto bytes = text;
  stream.next_in = reinterpret_cast<Bytef*>(bytes.data());
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  inflateEnd(&stream);
  return out;
}

// ---- passing on ----

TEST(Gateway, PassesACallOnAndItsAnswerBack) {
  Echo service;
  Front front(config_of({service.url()}));
  auto const answer = front.ask("POST", "/echo?q=%20a{b}", "", "hello");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("Content-Length: 9\r\n"));
  EXPECT_EQ(body_of(answer), "\"a hello\"");
  EXPECT_EQ(service.target, "/api/v1/echo?q=%20a%7Bb%7D");
  EXPECT_THAT(answer, AllOf(Not(HasSubstr("Keep-Alive")), Not(HasSubstr("Access-Control")))) << "those are ours to say";
  EXPECT_EQ(answer.find("X-Content-Type-Options"), answer.rfind("X-Content-Type-Options"));
}

TEST(Gateway, AnswersForItsProcessItself) {
  Echo service;
  Front front(config_of({service.url()}));
  EXPECT_EQ(body_of(front.ask("GET", "/api/v1/health")), "\"me\"");
  EXPECT_EQ(body_of(front.ask("GET", "/health?")), "\"me\"");
  EXPECT_EQ(service.calls, 0);
}

TEST(Gateway, SaysWhatItDoesNotServe) {
  Echo service;
  Front front("services:\n- {name: echo, url: \"" + service.url() +
              "\"}\nroutes:\n- {path: /api/v1/echo, service: echo, methods: [GET]}\n");
  EXPECT_THAT(front.ask("GET", "/nothing"), AllOf(StartsWith("HTTP/1.1 404"), HasSubstr("application/problem+json")));
  EXPECT_THAT(front.ask("POST", "/echo"),
              AllOf(StartsWith("HTTP/1.1 405"), HasSubstr("Allow: GET, HEAD, OPTIONS\r\n")));
  EXPECT_THAT(front.ask("GET", "/echo"), AllOf(StartsWith("HTTP/1.1 401"), HasSubstr("WWW-Authenticate: Bearer\r\n")));
  EXPECT_THAT(front.ask("GET", "/a%2fb"), StartsWith("HTTP/1.1 404"));
  EXPECT_EQ(service.calls, 0);
  EXPECT_THAT(front.ask("GET", "/echo", "Authorization: Bearer other\r\n"), StartsWith("HTTP/1.1 200"))
      << "the service decides on what is sent";
  EXPECT_EQ(front.authenticator.asked, 0);
}

TEST(Gateway, SaysWhoAsksAndBelievesNobody) {
  Echo service;
  Front front(config_of({service.url()}));
  front.ask("GET", "/echo",
            "X-Forwarded-For: 6.6.6.6\r\nForwarded: for=6.6.6.6\r\nX-Forwarded-User: root\r\nX_User_Id: root\r\n"
            "X-Tenant: other\r\nX-Real-IP: 6.6.6.6\r\nX-Remote-User: root\r\nRemote-User: root\r\n"
            "Connection: close, X-Named, Authorization\r\nX-Named: 1\r\nKeep-Alive: 1\r\nProxy-Authorization: x\r\n"
            "TE: trailers\r\nAuthorization: Bearer one\r\nX-Api-Key: k\r\nX-Request-Id: r1\r\nX-Plain: p\r\n"
            "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n");
  EXPECT_EQ(service.saw("X-Forwarded-For"), "127.0.0.1");
  EXPECT_EQ(service.saw("X-Forwarded-Host"), "gate:8000");
  EXPECT_EQ(service.saw("X-Forwarded-Proto"), "http");
  EXPECT_EQ(service.saw("Forwarded"), "for=127.0.0.1;host=\"gate:8000\";proto=http");
  EXPECT_EQ(service.saw("X-Request-Id"), "r1");
  EXPECT_EQ(service.saw("traceparent"), "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
  EXPECT_EQ(service.saw("X-Plain"), "p");
  EXPECT_EQ(service.saw("X-Api-Key"), "k");
  for (auto const* const name : {"X-Forwarded-User", "X_User_Id", "X-Tenant", "X-Real-IP", "X-Remote-User",
                                 "Remote-User", "X-Named", "Keep-Alive", "Proxy-Authorization", "TE", "Authorization"})
    EXPECT_EQ(service.saw(name), "none") << name;
  EXPECT_EQ(service.seen.count("X-Forwarded-For"), 1u);
}

TEST(Gateway, HandsAStreamOnAsItComes) {
  Echo service;
  Front front(config_of({service.url()}));
  http::RawClient client(front.server->port());
  client.send(Front::request("GET", "/stream", ""));
  ASSERT_TRUE(client.read_until("data: first\n\n"));
  EXPECT_THAT(client.received, AllOf(HasSubstr("Transfer-Encoding: chunked"), Not(HasSubstr("second"))));
  service.may_go_on = true;
  EXPECT_THAT(client.read_all(), HasSubstr("data: second\n\n"));
}

TEST(Gateway, BreaksAStreamOffWhereTheServiceDid) {
  OddServer odd([](int socket, int) {
    OddServer::read_until(socket, "\r\n\r\n");
    OddServer::say(socket, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
  });
  Front front(config_of({"127.0.0.1:" + std::to_string(odd.port)}));
  auto const answer = front.ask("GET", "/echo");
  EXPECT_THAT(answer, HasSubstr("hello"));
  EXPECT_THAT(answer, Not(HasSubstr("0\r\n\r\n"))) << "nobody may take it for the whole";
}

TEST(Gateway, SendsASmallChunkedAnswerWithItsLength) {
  OddServer odd([](int socket, int) {
    OddServer::read_until(socket, "\r\n\r\n");
    OddServer::say(socket, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
  });
  Front front(config_of({"127.0.0.1:" + std::to_string(odd.port)}));
  EXPECT_THAT(front.ask("GET", "/echo"), AllOf(HasSubstr("Content-Length: 5\r\n"), testing::EndsWith("hello")));
}

TEST(Gateway, AnswersHeadWithTheLengthAndNoBody) {
  Echo service;
  Front front(config_of({service.url()}));
  auto const answer = front.ask("HEAD", "/echo");
  EXPECT_THAT(answer, AllOf(StartsWith("HTTP/1.1 200"), HasSubstr("Content-Length: 4\r\n")));
  EXPECT_EQ(body_of(answer), "");
}

// ---- failures ----

TEST(Gateway, TriesAnotherInstanceWhenOneIsGone) {
  Echo good;
  std::uint16_t gone = 0;
  {
    gone = OddServer([](int, int) {}).port;
  }
  Front front(config_of({"127.0.0.1:" + std::to_string(gone), good.url()}));
  for (int i = 0; i < 6; ++i)
    EXPECT_THAT(front.ask("POST", "/echo", "", "x"), StartsWith("HTTP/1.1 200")) << "nothing was sent to the other";
  EXPECT_EQ(good.calls, 6);
  EXPECT_THAT(front.gateway->metrics(), HasSubstr("gateway_retries_total{service=\"echo\"} 3\n"));
}

TEST(Gateway, RepeatsOnlyWhatMayBeRepeated) {
  Echo service;
  Front front(config_of({service.url()}));
  service.failures = 1;
  EXPECT_THAT(front.ask("GET", "/echo"), StartsWith("HTTP/1.1 200"));
  EXPECT_EQ(service.calls, 2);
  service.failures = 1;
  EXPECT_THAT(front.ask("POST", "/echo", "", "x"), StartsWith("HTTP/1.1 503"));
  EXPECT_EQ(service.calls, 3);
  service.failures = 1;
  EXPECT_THAT(front.ask("POST", "/echo", "Idempotency-Key: k\r\n", "x"), StartsWith("HTTP/1.1 503"))
      << "nobody says that the service knows keys";
  EXPECT_EQ(service.calls, 4);
  Front knowing(config_of({service.url()}, ", idempotency_key: true"));
  service.failures = 1;
  EXPECT_THAT(knowing.ask("POST", "/echo", "", "x"), StartsWith("HTTP/1.1 503"));
  EXPECT_EQ(service.calls, 5);
  service.failures = 1;
  auto const answer = knowing.ask("POST", "/echo", "Idempotency-Key: k\r\n", "kept");
  EXPECT_EQ(body_of(answer), "\"a kept\"") << "the body goes again";
  EXPECT_EQ(service.calls, 7);
}

TEST(Gateway, SendsNoModelCallTwice) {
  OddServer models([](int socket, int) { OddServer::read_until(socket, "\r\n\r\nx"); });
  std::uint16_t gone = 0;
  {
    gone = OddServer([](int, int) {}).port;
  }
  for (auto const* const path : {"/v1", "/v1/chat/completions", "/api/v1/v1/messages", "/{any}/chat"}) {
    Front front("services:\n- {name: ai-model, instances: [\"127.0.0.1:" + std::to_string(gone) +
                "\", \"127.0.0.1:" + std::to_string(models.port) + "\"]}\nroutes:\n- {path: \"" + path +
                "\", service: ai-model, auth: open, retries: 3}\n");
    auto const asked = std::string(path) == "/v1" || std::string(path) == "/{any}/chat" ? "/v1/chat/completions" : path;
    models.connections = 0;
    EXPECT_THAT(front.ask("POST", asked, "Idempotency-Key: k\r\n", "x"), StartsWith("HTTP/1.1 502")) << path;
    EXPECT_EQ(models.connections, 1) << path << " goes to another instance only while nothing of it was sent";
  }
}

TEST(Gateway, OpensTheBreakerAndProbesAfterAWhile) {
  Echo service;
  Front front(config_of({service.url()}, ", retries: 0", "  breaker: {failures: 3, open_for: 30}\n"));
  service.failures = 3;
  for (int i = 0; i < 3; ++i)
    EXPECT_THAT(front.ask("GET", "/echo"), AllOf(StartsWith("HTTP/1.1 503"), HasSubstr("not now")));
  auto const refused = front.ask("GET", "/echo");
  EXPECT_THAT(refused,
              AllOf(StartsWith("HTTP/1.1 503"), HasSubstr("Retry-After: 10\r\n"), HasSubstr("echo takes no calls")));
  EXPECT_EQ(service.calls, 3) << "it is left alone";
  EXPECT_THAT(front.gateway->overview(), HasSubstr(R"("breaker":"open")"));
  front.clock.advance(31s);
  EXPECT_THAT(front.ask("GET", "/echo"), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(front.gateway->overview(), HasSubstr(R"("breaker":"closed")"));
}

TEST(Gateway, HandsNoEscapedSlashToAServiceThatIsNotOurs) {
  Echo service;
  Front front(config_of({service.url()}));
  for (auto const* path : {"/echo/a%2Fb", "/echo/%2e%2e%2fadmin", "/echo/a%5cb"})
    EXPECT_THAT(front.ask("GET", path), StartsWith("HTTP/1.1 400")) << path;
  EXPECT_EQ(service.calls, 0);
}

TEST(Gateway, TellsWhyThereIsNoAnswer) {
  OddServer odd([](int socket, int) {
    OddServer::read_until(socket, "\r\n\r\n");
    OddServer::say(socket, "this is no HTTP\r\n\r\n");
  });
  Front broken(config_of({"127.0.0.1:" + std::to_string(odd.port)}, ", retries: 0"));
  EXPECT_THAT(broken.ask("GET", "/echo"), AllOf(StartsWith("HTTP/1.1 502"), HasSubstr("application/problem+json")));
  Echo service;
  Front slow(config_of({service.url()}, ", retries: 0, timeout: 1"));
  EXPECT_THAT(slow.ask("GET", "/late"), StartsWith("HTTP/1.1 504"));
  Front empty(config_of({}));
  EXPECT_THAT(empty.ask("GET", "/echo"), AllOf(StartsWith("HTTP/1.1 503"), HasSubstr("Retry-After: ")));
}

// ---- who answers ----

TEST(Gateway, AsksWhoeverRunsTheService) {
  Echo here("here");
  Echo elsewhere("elsewhere");
  Front alone(config_of({}), {.locals = {{"echo", {.dispatcher = &here.router}}}});
  EXPECT_EQ(body_of(alone.ask("GET", "/echo")), "\"here \"") << "no instance is known";
  alone.gateway->set_instances("echo", std::vector{elsewhere.instance()});
  EXPECT_EQ(body_of(alone.ask("GET", "/echo")), "\"elsewhere \"");
  alone.gateway->set_availability("echo", elsewhere.instance(), Availability::down);
  EXPECT_THAT(alone.ask("GET", "/echo"), StartsWith("HTTP/1.1 503")) << "it is known, and not well";
  alone.gateway->set_instances("echo", {});
  EXPECT_EQ(body_of(alone.ask("GET", "/echo")), "\"here \"");
  Front both(config_of({elsewhere.url()}), {.locals = {{"echo", {.dispatcher = &here.router, .is_run_here = true}}}});
  EXPECT_EQ(body_of(both.ask("GET", "/echo")), "\"here \"");
}

TEST(Gateway, HandsTheCallerOverWithinTheProcess) {
  SystemRandom random;
  OneToken unasked;
  http::Router local(&unasked, nullptr, random);
  local.add({.method = Method::get,
             .path = "/echo",
             .permission = "agents:read",
             .summary = "",
             .handler = [](Call& call) -> Task<Result<Response>> {
               co_return http::json_response(200, "\"" + call.context.principal.id + "\"");
             }});
  Front front("services:\n- {name: echo}\nroutes:\n- {path: /api/v1/echo, service: echo, rate_limit: 5}\n",
              {.locals = {{"echo", {.dispatcher = &local, .is_run_here = true}}}});
  EXPECT_EQ(body_of(front.ask("GET", "/echo", "Authorization: Bearer one\r\nX-User-Id: two\r\n")), "\"one\"");
  EXPECT_EQ(front.authenticator.asked, 1);
  EXPECT_EQ(unasked.asked, 0) << "not twice";
  EXPECT_THAT(front.ask("GET", "/echo", "Authorization: Bearer nobody\r\n"), StartsWith("HTTP/1.1 401"));
  EXPECT_EQ(unasked.asked, 1) << "the service refuses";
}

// ---- limits, kept answers ----

TEST(Gateway, SaysThatItCannotTellWhoCalls) {
  Echo service;
  Front front(config_of({service.url()}, ", rate_limit: 3"));
  auto const answer = front.ask("GET", "/echo", "Authorization: Bearer of a database that is away\r\n");
  EXPECT_THAT(answer, AllOf(StartsWith("HTTP/1.1 503"), Not(HasSubstr("db.internal"))));
  EXPECT_EQ(service.calls, 0);
}

TEST(Gateway, LimitsEachCallerByItself) {
  Echo service;
  Front front(config_of({service.url()}, ", rate_limit: 2"));
  auto const first = front.ask("GET", "/echo", "Authorization: Bearer one\r\n");
  EXPECT_THAT(first, AllOf(StartsWith("HTTP/1.1 200"), HasSubstr("RateLimit-Limit: 2\r\n"),
                           HasSubstr("RateLimit-Remaining: 1\r\n"), HasSubstr("RateLimit-Reset: 60\r\n")));
  EXPECT_THAT(front.ask("GET", "/echo", "Authorization: Bearer one\r\n"), HasSubstr("RateLimit-Remaining: 0\r\n"));
  auto const over = front.ask("GET", "/echo", "Authorization: Bearer one\r\n");
  EXPECT_THAT(over, AllOf(StartsWith("HTTP/1.1 429"), HasSubstr("Retry-After: "),
                          HasSubstr("RateLimit-Remaining: 0\r\n"), HasSubstr("too_many_requests")));
  EXPECT_EQ(service.calls, 2);
  EXPECT_THAT(front.ask("GET", "/echo", "Authorization: Bearer two\r\n"), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(front.ask("GET", "/echo"), StartsWith("HTTP/1.1 200")) << "the address has its own";
  EXPECT_THAT(front.ask("GET", "/echo", "Authorization: Bearer unknown-1\r\n"), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(front.ask("GET", "/echo", "Authorization: Bearer unknown-2\r\n"), StartsWith("HTTP/1.1 429"))
      << "an invented token is no way around it";
  front.clock.advance(66s);
  EXPECT_THAT(front.ask("GET", "/echo", "Authorization: Bearer one\r\n"), StartsWith("HTTP/1.1 200"));
}

TEST(Gateway, KeepsAnswersForTheirCallerAlone) {
  Echo service;
  Front front(config_of({service.url()}, ", cache_ttl: 10"));
  auto const as = [&](std::string_view token) {
    return front.ask("GET", "/echo?q=1", "Authorization: Bearer " + std::string(token) + "\r\nX-Request-Id: mine\r\n");
  };
  EXPECT_THAT(as("one"), HasSubstr("X-Cache: MISS\r\n"));
  front.clock.advance(3s);
  EXPECT_THAT(as("one"), AllOf(HasSubstr("X-Cache: HIT\r\n"), HasSubstr("Age: 3\r\n"), HasSubstr("X-Request-Id: mine"),
                               testing::EndsWith("\"a \"")));
  EXPECT_THAT(as("two"), HasSubstr("X-Cache: MISS\r\n"));
  EXPECT_EQ(service.calls, 2);
  EXPECT_THAT(as("nobody"), Not(HasSubstr("X-Cache"))) << "the service has to say what it thinks of that";
  EXPECT_THAT(front.ask("GET", "/echo?q=2", "Authorization: Bearer one\r\n"), HasSubstr("X-Cache: MISS\r\n"));
  EXPECT_THAT(front.ask("GET", "/echo?q=1", "Authorization: Bearer one\r\nAccept: text/plain\r\n"),
              HasSubstr("X-Cache: MISS\r\n"));
  EXPECT_THAT(front.ask("GET", "/echo?q=1", "Authorization: Bearer one\r\nCache-Control: no-cache\r\n"),
              HasSubstr("X-Cache: MISS\r\n"));
  front.clock.advance(11s);
  EXPECT_THAT(as("one"), HasSubstr("X-Cache: MISS\r\n")) << "its time is over";
}

TEST(Gateway, DoesNotKeepWhatTheServiceForbids) {
  for (auto const* const control : {"no-store", "private, max-age=5"}) {
    Echo service;
    service.cache_control = control;
    Front front(config_of({service.url()}, ", cache_ttl: 10"));
    EXPECT_THAT(front.ask("GET", "/echo"), HasSubstr("X-Cache: MISS\r\n"));
    EXPECT_THAT(front.ask("GET", "/echo"), HasSubstr("X-Cache: MISS\r\n")) << control;
    EXPECT_EQ(service.calls, 2);
  }
}

// ---- what is added ----

TEST(Gateway, CompressesWhatIsLargeEnough) {
  Echo service;
  Front front(config_of({service.url()}));
  auto const small = front.ask("GET", "/echo", "Accept-Encoding: gzip\r\n");
  EXPECT_THAT(small, Not(HasSubstr("Content-Encoding")));
  auto const large = front.ask("GET", "/large", "Accept-Encoding: br, gzip;q=0.5\r\n");
  EXPECT_THAT(large, AllOf(HasSubstr("Content-Encoding: gzip\r\n"), HasSubstr("Vary: Origin, Accept-Encoding\r\n")));
  EXPECT_LT(large.size(), 2000u);
  EXPECT_EQ(unpacked(body_of(large)), "\"" + std::string(100'000, 'x') + "\"");
  EXPECT_EQ(body_of(front.ask("GET", "/large", "Accept-Encoding: gzip;q=0\r\n")).size(), 100'002u);
  EXPECT_EQ(body_of(front.ask("GET", "/large")).size(), 100'002u);
  EXPECT_EQ(body_of(front.ask("GET", "/large", "Accept-Encoding: gzip\r\nCookie: a=b\r\n")).size(), 100'002u);
  EXPECT_EQ(body_of(front.ask("GET", "/secret", "Accept-Encoding: gzip\r\n")).size(), 100'002u);
}

TEST(Gateway, LetsPagesOfListedOriginsIn) {
  Echo service;
  Front front(config_of({service.url()}), {.origins = http::AllowedOrigins::from("https://app.example.com").value()});
  std::string const asks = "Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: authorization\r\n";
  auto const preflight = front.ask("OPTIONS", "/echo", "Origin: https://app.example.com\r\n" + asks);
  EXPECT_THAT(preflight,
              AllOf(StartsWith("HTTP/1.1 204"), HasSubstr("Access-Control-Allow-Origin: https://app.example.com\r\n"),
                    HasSubstr("Access-Control-Allow-Credentials: true\r\n"),
                    HasSubstr("Access-Control-Allow-Headers: authorization\r\n"),
                    HasSubstr("Vary: Access-Control-Request-Headers, Origin\r\n")));
  EXPECT_THAT(front.ask("OPTIONS", "/echo", "Origin: https://evil.example.com\r\n" + asks),
              AllOf(StartsWith("HTTP/1.1 403"), Not(HasSubstr("Access-Control-Allow"))));
  auto const simple = front.ask("GET", "/echo", "Origin: https://app.example.com\r\n");
  EXPECT_THAT(simple,
              AllOf(StartsWith("HTTP/1.1 200"), HasSubstr("Access-Control-Allow-Origin: https://app.example.com\r\n")));
  for (auto const* const origin : {"https://evil.example.com", "null", "https://app.example.com.evil.com"})
    EXPECT_THAT(front.ask("GET", "/echo", "Origin: " + std::string(origin) + "\r\n"),
                AllOf(Not(HasSubstr("Access-Control-Allow")), HasSubstr("Vary: Origin\r\n")));
}

// ---- WebSockets ----

TEST(Gateway, TunnelsAWebSocket) {
  OddServer odd([](int socket, int) {
    auto const head = OddServer::read_until(socket, "\r\n\r\n");
    OddServer::say(socket,
                   "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                   "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
    OddServer::say(socket, head.contains("X-Forwarded-For: 127.0.0.1") ? "seen " : "missing ");
    OddServer::say(socket, OddServer::read_until(socket, "!"));
  });
  Front front(config_of({"127.0.0.1:" + std::to_string(odd.port)}));
  http::RawClient client(front.server->port());
  client.send(Front::request("GET", "/echo",
                             "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"));
  client.send("hello!");
  auto const all = client.read_all();
  EXPECT_THAT(all, AllOf(StartsWith("HTTP/1.1 101"), HasSubstr("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
                         HasSubstr("\r\n\r\nseen "), testing::EndsWith("hello!")));
}

constexpr std::string_view handshake =
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/// Agrees to every handshake.
void agree(int socket, int /*connection*/) {
  OddServer::read_until(socket, "\r\n\r\n");
  OddServer::say(socket,
                 "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                 "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
}

TEST(Gateway, TriesAnotherInstanceForAWebSocket) {
  OddServer good(agree);
  std::uint16_t gone = 0;
  {
    gone = OddServer([](int, int) {}).port;
  }
  Front front(config_of({"127.0.0.1:" + std::to_string(gone), "127.0.0.1:" + std::to_string(good.port)}));
  for (int i = 0; i < 6; ++i)
    EXPECT_THAT(front.ask("GET", "/echo", handshake), StartsWith("HTTP/1.1 101"));
  EXPECT_EQ(good.connections, 6);
  EXPECT_THAT(front.gateway->metrics(), HasSubstr("gateway_retries_total{service=\"echo\"} 3\n"));
}

TEST(Gateway, PassesOnWhatRefusesAWebSocketInTheEnd) {
  OddServer refusing([](int socket, int connection) {
    OddServer::read_until(socket, "\r\n\r\n");
    OddServer::say(socket, connection < 2 ? "HTTP/1.1 503 \r\nContent-Length: 1\r\n\r\n" + std::to_string(connection)
                                          : "HTTP/1.1 403 \r\nContent-Length: 2\r\n\r\nno");
  });
  Front front(config_of({"127.0.0.1:" + std::to_string(refusing.port)}, ", retries: 1"));
  EXPECT_THAT(front.ask("GET", "/echo", handshake), AllOf(StartsWith("HTTP/1.1 503"), testing::EndsWith("\r\n\r\n1")));
  EXPECT_THAT(front.ask("GET", "/echo", handshake), AllOf(StartsWith("HTTP/1.1 403"), testing::EndsWith("no")));
  EXPECT_EQ(refusing.connections, 3) << "no other instance would say anything else to the last one";
}

TEST(Gateway, WaitsForTheConnectionOfAWebSocketNoLongerThanForOthers) {
  OddServer deaf([](int socket, int) { OddServer::wait(socket); });
  OddServer good(agree);
  // It takes the connection, and says nothing to the TLS handshake.
  Front front(config_of({"https://127.0.0.1:" + std::to_string(deaf.port), "127.0.0.1:" + std::to_string(good.port)},
                        ", timeout: 10", "  timeouts: {connect: 1}\n"));
  EXPECT_THAT(front.ask("GET", "/echo", handshake), StartsWith("HTTP/1.1 101"));
  EXPECT_EQ(deaf.connections, 1);
}

TEST(Gateway, LetsNoForeignPageConnect) {
  Echo service;
  Front front(config_of({service.url()}));
  auto const upgrade = [](std::string_view origin) {
    return "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: " +
           std::string(origin) + "\r\n";
  };
  EXPECT_THAT(front.ask("GET", "/echo", upgrade("http://evil.example.com")), StartsWith("HTTP/1.1 403"));
  EXPECT_EQ(service.calls, 0);
  EXPECT_THAT(front.ask("GET", "/echo", upgrade("http://gate:8000")), StartsWith("HTTP/1.1 200"))
      << "no WebSocket there";
}

// ---- configuration ----

TEST(Gateway, TakesANewConfigurationWholeOrNotAtAll) {
  Echo first("first");
  Echo second("second");
  Front front(config_of({first.url()}));
  EXPECT_EQ(body_of(front.ask("GET", "/echo")), "\"first \"");
  front.write("services: [{name: echo, url: nonsense}]\nroutes: [{path: /echo, service: ecoh}]\n");
  auto const refused = front.gateway->reload();
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, AllOf(HasSubstr("url"), HasSubstr("did you mean echo"))) << "all mistakes";
  EXPECT_EQ(body_of(front.ask("GET", "/echo")), "\"first \"");
  front.write(config_of({second.url()}));
  ASSERT_TRUE(front.gateway->reload());
  EXPECT_EQ(body_of(front.ask("GET", "/echo")), "\"second \"");
}

TEST(Gateway, DoesNotStartWithAWrongConfiguration) { EXPECT_THROW(Front("routes: []\n"), Fault); }

TEST(Gateway, KeepsWhatItKnowsOfServicesThatStay) {
  Echo service;
  auto const config = config_of({service.url()}, ", retries: 0", "  breaker: {failures: 1, open_for: 300}\n");
  Front front(config);
  service.failures = 1;
  front.ask("GET", "/echo");
  EXPECT_THAT(front.gateway->overview(), HasSubstr(R"("breaker":"open")"));
  front.write(config + "- {path: /more, service: echo}\n");
  ASSERT_TRUE(front.gateway->reload());
  EXPECT_THAT(front.gateway->overview(), AllOf(HasSubstr(R"("breaker":"open")"), HasSubstr("/more")));
}

TEST(Gateway, ShowsItsServicesToWhoMaySeeThem) {
  Echo service;
  Front front(config_of({service.url()}));
  EXPECT_THAT(front.ask("GET", "/gateway/services"), StartsWith("HTTP/1.1 401"));
  auto const shown = front.ask("GET", "/api/v1/gateway/services", "Authorization: Bearer one\r\n");
  EXPECT_THAT(shown, AllOf(HasSubstr(service.url()), HasSubstr(R"("availability":"up","breaker":"closed")"),
                           HasSubstr(R"("path":"/echo")")));
}

TEST(Gateway, SaysWhatARouteTakes) {
  Echo service;
  Front front(config_of({service.url()}, ", timeout: 7, body_max: 10"));
  auto const limits = front.gateway->limits(Method::get, "/api/v1/echo?x=1");
  ASSERT_TRUE(limits);
  EXPECT_EQ(limits->time_max, 7s);
  EXPECT_EQ(limits->body_max, 10u);
  EXPECT_THAT(front.ask("POST", "/echo", "", "01234567890"), StartsWith("HTTP/1.1 413"));
  EXPECT_FALSE(front.gateway->limits(Method::get, "/nothing"));
}

}  // namespace
}  // namespace al::services::gateway
