#include "http/client.hpp"

#include <openssl/ssl.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <charconv>
#include <list>
#include <tuple>
#include <unordered_map>

#include "core/fault.hpp"

namespace al::http {
namespace {

namespace beast_http = boost::beast::http;
namespace ssl = asio::ssl;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::size_t read_bytes = 16 * 1024;
constexpr std::size_t chunked_body_bytes_min = 5;  // "0\r\n\r\n"
constexpr std::size_t hosts_max = 1024;
/// Most servers keep a connection longer than this; older ones are not worth the risk of a lost request.
constexpr std::chrono::seconds kept_time{30};
constexpr int interim_answers_max = 8;

struct Url {
  bool is_tls = false;
  std::string host;  ///< without brackets
  std::string port;
  std::string authority;  ///< for the Host header: the port only when it is not the scheme's
  std::string target;
  [[nodiscard]] std::string pool_key() const { return (is_tls ? "s " : "p ") + host + " " + port; }
};

Result<Url> parse_url(std::string const& text) {
  auto const bad = [] { return fail(Code::invalid, "This is no http or https URL with a host."); };
  auto const parsed = boost::urls::parse_uri(text);
  if (!parsed || !parsed->has_authority() || parsed->encoded_host().empty() || parsed->has_userinfo())
    return bad();
  Url url;
  auto const scheme = parsed->scheme_id();
  if (scheme != boost::urls::scheme::http && scheme != boost::urls::scheme::https)
    return bad();
  url.is_tls = scheme == boost::urls::scheme::https;
  auto const encoded_host = parsed->encoded_host();
  url.authority.assign(encoded_host.data(), encoded_host.size());
  // An escape in a host name would be read differently by a resolver and by whoever checked the URL.
  if (url.authority.find('%') != url.authority.npos)
    return bad();
  url.host = url.authority;
  if (url.host.starts_with('['))
    url.host = url.host.substr(1, url.host.size() - 2);
  std::string_view const standard_port = url.is_tls ? "443" : "80";
  auto const port = parsed->port();
  url.port = port.empty() ? std::string(standard_port) : std::string(port.data(), port.size());
  unsigned number = 0;
  auto const read = std::from_chars(url.port.data(), url.port.data() + url.port.size(), number);
  if (read.ec != std::errc() || number == 0 || number > 65535)
    return bad();
  if (url.port != standard_port)
    url.authority.append(":").append(url.port);
  auto const target = parsed->encoded_resource();
  url.target.assign(target.data(), std::find(target.begin(), target.end(), '#') - target.begin());
  if (!url.target.starts_with('/'))
    url.target.insert(0, "/");
  return url;
}

// ---- response parser ----

/// Where the body of an answer goes. `piece` returns false to end the call.
struct Sink {
  std::function<void(Response const&)> head;
  std::function<bool(std::string_view)> piece;
};

class ResponseParser final : public beast_http::basic_parser<false> {
 public:
  ResponseParser(Response& response, Sink const& sink, std::size_t header_bytes_max)
      : response_(response), sink_(sink) {
    header_limit(static_cast<std::uint32_t>(header_bytes_max));
    body_limit(boost::none);  // The sink counts.
  }
  [[nodiscard]] bool was_stopped() const { return was_stopped_; }
  /// Beast asserts that a chunked body whose first chunk is the last one comes in one piece.
  [[nodiscard]] bool can_read(std::size_t bytes) const {
    return !is_header_done() || !chunked() || any_chunk_ || bytes >= chunked_body_bytes_min;
  }

 private:
  using View = boost::beast::string_view;

  void on_response_impl(int status, View, int, error_code&) override { response_.status = status; }
  void on_field_impl(beast_http::field field, View name, View value, error_code& error) override {
    if (is_header_done())
      return;  // Trailers.
    // Only `chunked` was asked for; with another coding we would hand out its bytes as the body.
    if (field == beast_http::field::transfer_encoding && !equal_without_case({value.data(), value.size()}, "chunked")) {
      error = beast_http::error::bad_transfer_encoding;
      return;
    }
    response_.headers.add({name.data(), name.size()}, {value.data(), value.size()});
  }
  void on_header_impl(error_code&) override {
    if (response_.status / 100 != 1 && sink_.head)
      sink_.head(response_);
  }
  void on_body_init_impl(boost::optional<std::uint64_t> const&, error_code&) override {}
  std::size_t on_body_impl(View piece, error_code& error) override {
    if (!was_stopped_ && !sink_.piece({piece.data(), piece.size()})) {
      was_stopped_ = true;
      error = beast_http::error::end_of_stream;
    }
    return piece.size();
  }
  void on_chunk_header_impl(std::uint64_t, View, error_code&) override { any_chunk_ = true; }
  std::size_t on_chunk_body_impl(std::uint64_t, View piece, error_code& error) override {
    return on_body_impl(piece, error);
  }
  void on_request_impl(beast_http::verb, View, View, int, error_code&) override {}
  void on_finish_impl(error_code&) override {}

  Response& response_;
  Sink const& sink_;
  bool was_stopped_ = false;
  bool any_chunk_ = false;
};

// ---- one connection ----

/// A socket with or without TLS, and one timer that closes it when the present limit passes.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  explicit Connection(asio::any_io_executor const& executor) : socket_(executor), timer_(executor) {}

  /// From now on, what is awaited must be done by `at`; else the socket is closed.
  void expect_by(SteadyTime at) {
    limit_ = at;
    // A limit that moves back needs no new wait: the handler of the old one looks again.
    if (armed_ && armed_for_ <= at)
      return;
    arm();
  }
  void rest() {
    limit_ = SteadyTime::max();
    armed_ = false;
    timer_.cancel();
  }
  [[nodiscard]] bool timed_out() const { return timed_out_; }

  [[nodiscard]] Task<error_code> connect(std::vector<tcp::endpoint> const& endpoints) {
    error_code error;
    co_await asio::async_connect(socket_, endpoints, asio::redirect_error(asio::use_awaitable, error));
    if (error)
      co_return error;
    error_code ignored;
    socket_.set_option(tcp::no_delay(true), ignored);
    co_return error;
  }

  [[nodiscard]] Task<error_code> handshake(ssl::context& context, std::string const& host) {
    tls_.emplace(socket_, context);
    error_code error;
    asio::ip::make_address(host, error);
    // RFC 6066: no address literals in SNI.
    if (error && SSL_set_tlsext_host_name(tls_->native_handle(), host.c_str()) != 1) {
      co_return asio::error::invalid_argument;
    }
    error = {};
    tls_->set_verify_callback(ssl::host_name_verification(host));
    co_await tls_->async_handshake(ssl::stream_base::client, asio::redirect_error(asio::use_awaitable, error));
    co_return error;
  }

  [[nodiscard]] Task<error_code> write(std::array<asio::const_buffer, 2> const& parts) {
    error_code error;
    if (tls_) {
      co_await asio::async_write(*tls_, parts, asio::redirect_error(asio::use_awaitable, error));
    } else {
      co_await asio::async_write(socket_, parts, asio::redirect_error(asio::use_awaitable, error));
    }
    co_return error;
  }

  [[nodiscard]] Task<error_code> read() {
    error_code error;
    auto const room = input.prepare(read_bytes);
    std::size_t got = 0;
    if (tls_) {
      got = co_await tls_->async_read_some(room, asio::redirect_error(asio::use_awaitable, error));
    } else {
      got = co_await socket_.async_read_some(room, asio::redirect_error(asio::use_awaitable, error));
    }
    input.commit(got);
    co_return error;
  }

  /// Whether a kept connection can take a request: a server that closed it, or sent something unasked, is seen here.
  [[nodiscard]] bool is_quiet() {
    error_code error;
    if (!socket_.is_open() || input.size() > 0)
      return false;
    socket_.non_blocking(true, error);
    std::array<char, 1> byte{};
    socket_.receive(asio::buffer(byte), tcp::socket::message_peek, error);
    return error == asio::error::would_block;
  }

  boost::beast::flat_buffer input;
  SteadyTime kept_since{};

 private:
  void arm() {
    armed_ = true;
    armed_for_ = limit_;
    timer_.expires_at(limit_);
    timer_.async_wait([weak = weak_from_this()](error_code error) {
      auto const self = weak.lock();
      if (error || !self || !self->armed_)
        return;
      if (std::chrono::steady_clock::now() < self->limit_) {
        self->arm();
        return;
      }
      self->timed_out_ = true;
      error_code ignored;
      self->socket_.close(ignored);
    });
  }

  tcp::socket socket_;
  std::optional<ssl::stream<tcp::socket&>> tls_;
  asio::steady_timer timer_;
  SteadyTime limit_ = SteadyTime::max();
  SteadyTime armed_for_ = SteadyTime::max();
  bool armed_ = false;
  bool timed_out_ = false;
};

using ConnectionPtr = std::shared_ptr<Connection>;

// ---- name look-up ----

/// The addresses of a host. getaddrinfo cannot be interrupted, so the call is left behind when the limit passes.
Task<Result<std::vector<tcp::endpoint>>> look_up(std::string host, std::string port, SteadyTime until) {
  error_code error;
  auto const address = asio::ip::make_address(host, error);
  if (!error) {
    co_return std::vector{tcp::endpoint(address, static_cast<std::uint16_t>(std::stoul(port)))};
  }
  struct Lookup {
    explicit Lookup(asio::any_io_executor const& executor) : resolver(executor), done(executor) {}
    tcp::resolver resolver;
    asio::steady_timer done;
    std::optional<Result<std::vector<tcp::endpoint>>> answer;
  };
  auto const executor = co_await asio::this_coro::executor;
  auto lookup = std::make_shared<Lookup>(executor);
  lookup->done.expires_at(until);
  lookup->resolver.async_resolve(host, port, tcp::resolver::numeric_service,
                                 [lookup](error_code failed, tcp::resolver::results_type const& found) {
                                   std::vector<tcp::endpoint> endpoints;
                                   for (auto const& entry : found)
                                     endpoints.push_back(entry.endpoint());
                                   if (failed || endpoints.empty()) {
                                     lookup->answer = fail(Code::unavailable, "The name of the host is not known.");
                                   } else {
                                     lookup->answer = std::move(endpoints);
                                   }
                                   lookup->done.cancel();
                                 });
  co_await lookup->done.async_wait(asio::redirect_error(asio::use_awaitable, error));
  if (lookup->answer)
    co_return std::move(*lookup->answer);
  lookup->resolver.cancel();
  // A wait that ended early without an answer was ended by the caller's cancellation.
  if (error)
    throw boost::system::system_error(asio::error::operation_aborted);
  co_return fail(Code::timed_out, "Looking up the host's name took too long.");
}

void append_request_head(std::string& out, Method method, Url const& url, Headers const& headers,
                         std::string_view body) {
  out.append(method_name(method)).append(" ").append(url.target).append(" HTTP/1.1\r\nHost: ");
  out.append(url.authority).append("\r\n");
  for (auto const& [name, value] : headers) {
    // What says where the message ends, and to whom it goes, is ours.
    bool const is_ours = equal_without_case(name, "Host") || equal_without_case(name, "Content-Length") ||
                         equal_without_case(name, "Transfer-Encoding") || equal_without_case(name, "Connection") ||
                         equal_without_case(name, "Expect");
    if (!is_ours)
      out.append(name).append(": ").append(value).append("\r\n");
  }
  if (!headers.find("User-Agent"))
    out.append("User-Agent: agent-lightning\r\n");
  if (!headers.find("Accept-Encoding"))
    out.append("Accept-Encoding: identity\r\n");
  bool const may_have_body = method == Method::post || method == Method::put || method == Method::patch;
  if (!body.empty() || may_have_body)
    out.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n");
  out.append("\r\n");
}

bool is_idempotent(Method method) { return method != Method::post && method != Method::patch; }

}  // namespace

// ---- Client ----

struct Client::State : std::enable_shared_from_this<Client::State> {
  State(asio::any_io_executor executor, ClientOptions chosen)
      : executor(std::move(executor)), options(std::move(chosen)) {
    if (!options.ca_file.empty())
      std::ignore = tls_context();
  }

  /// Made when it is needed: reading the system's certificates takes time and a megabyte.
  [[nodiscard]] ssl::context& tls_context() {
    if (tls)
      return *tls;
    auto& context = tls.emplace(ssl::context::tls_client);
    context.set_options(ssl::context::default_workarounds | ssl::context::no_tlsv1 | ssl::context::no_tlsv1_1 |
                        ssl::context::no_compression);
    context.set_verify_mode(ssl::verify_peer);
    error_code error;
    if (options.ca_file.empty()) {
      context.set_default_verify_paths(error);
    } else {
      context.load_verify_file(options.ca_file, error);
    }
    if (error)
      throw Fault("the certificates to trust cannot be read from '" + options.ca_file + "': " + error.message());
    return context;
  }

  struct Ask {
    Method method;
    Url url;
    Headers headers;
    std::string body;
    Deadline deadline;
  };
  enum class Outcome { done, stale };

  [[nodiscard]] Task<Result<Response>> call(Method method, std::string url, Headers headers, std::string body,
                                            Deadline deadline, Sink sink);
  [[nodiscard]] Task<Result<ConnectionPtr>> open(Ask const& ask);
  [[nodiscard]] Task<Result<Outcome>> exchange(Ask const& ask, Connection& connection, Sink const& sink,
                                               Response& response, bool& is_reusable);
  [[nodiscard]] Task<Result<Outcome>> read_answer(Ask const& ask, Connection& connection, Sink const& sink,
                                                  Response& response, bool& is_reusable);
  [[nodiscard]] ConnectionPtr take_kept(std::string const& key);
  void keep(std::string const& key, ConnectionPtr connection);
  [[nodiscard]] SteadyTime limit(Ask const& ask, std::chrono::seconds phase) const {
    return std::min(ask.deadline.at, std::chrono::steady_clock::now() + phase);
  }

  asio::any_io_executor executor;
  ClientOptions const options;
  std::optional<ssl::context> tls;
  std::unordered_map<std::string, std::list<ConnectionPtr>> kept;  // the youngest in front
};

namespace {

// What an error of the transport means to the caller. Cancellation of the caller is thrown on.
std::unexpected<Error> transport_error(Connection const& connection, error_code error, std::string_view doing) {
  if (connection.timed_out()) {
    return fail(Code::timed_out, "The other side took too long: " + std::string(doing) + ".");
  }
  if (error == asio::error::operation_aborted)
    throw boost::system::system_error(error);
  return fail(Code::unavailable, std::string(doing) + " failed: " + error.message() + ".");
}

}  // namespace

ConnectionPtr Client::State::take_kept(std::string const& key) {
  auto const pool = kept.find(key);
  if (pool == kept.end())
    return nullptr;
  auto const oldest = std::chrono::steady_clock::now() - kept_time;
  ConnectionPtr found;
  while (!found && !pool->second.empty()) {
    auto candidate = std::move(pool->second.front());
    pool->second.pop_front();
    if (candidate->kept_since >= oldest && candidate->is_quiet())
      found = std::move(candidate);
  }
  if (pool->second.empty())
    kept.erase(pool);
  return found;
}

void Client::State::keep(std::string const& key, ConnectionPtr connection) {
  if (options.idle_connections_max == 0 || (kept.size() >= hosts_max && !kept.contains(key)))
    return;
  connection->rest();
  connection->kept_since = std::chrono::steady_clock::now();
  auto& pool = kept[key];
  pool.push_front(std::move(connection));
  auto const oldest = std::chrono::steady_clock::now() - kept_time;
  while (pool.size() > options.idle_connections_max || pool.back()->kept_since < oldest)
    pool.pop_back();
}

// Errors: unavailable, timed_out, forbidden.
Task<Result<ConnectionPtr>> Client::State::open(Ask const& ask) {
  auto const until = limit(ask, options.connect_timeout);
  auto endpoints = co_await look_up(ask.url.host, ask.url.port, until);
  if (!endpoints)
    co_return fail(std::move(endpoints.error()));
  if (options.is_address_allowed) {
    for (auto const& endpoint : *endpoints) {
      if (!options.is_address_allowed(endpoint.address())) {
        co_return fail(Code::forbidden, "The address of this host is not allowed.");
      }
    }
  }
  auto connection = std::make_shared<Connection>(executor);
  connection->expect_by(until);
  auto error = co_await connection->connect(*endpoints);
  if (error)
    co_return transport_error(*connection, error, "connecting to " + ask.url.authority);
  if (ask.url.is_tls) {
    error = co_await connection->handshake(tls_context(), ask.url.host);
    if (error)
      co_return transport_error(*connection, error, "the TLS handshake with " + ask.url.authority);
  }
  co_return connection;
}

Task<Result<Client::State::Outcome>> Client::State::exchange(Ask const& ask, Connection& connection, Sink const& sink,
                                                             Response& response, bool& is_reusable) {
  connection.expect_by(limit(ask, options.first_byte_timeout));
  std::string head;
  head.reserve(512);
  append_request_head(head, ask.method, ask.url, ask.headers, ask.body);
  auto const error = co_await connection.write({asio::buffer(head), asio::buffer(ask.body)});
  if (error && !connection.timed_out() && error != asio::error::operation_aborted) {
    // A server may answer (413) and close before it has read everything: look for that answer first.
    auto read = co_await read_answer(ask, connection, sink, response, is_reusable);
    is_reusable = false;
    co_return read;
  }
  if (error)
    co_return transport_error(connection, error, "sending the request");
  co_return co_await read_answer(ask, connection, sink, response, is_reusable);
}

// `stale`: the connection ended before the first byte of an answer.
Task<Result<Client::State::Outcome>> Client::State::read_answer(Ask const& ask, Connection& connection,
                                                                Sink const& sink, Response& response,
                                                                bool& is_reusable) {
  bool any_byte = connection.input.size() > 0;
  for (int interim = 0; interim <= interim_answers_max; ++interim) {
    response = Response{};
    ResponseParser parser(response, sink, options.header_bytes_max);
    parser.skip(ask.method == Method::head);
    while (!parser.is_done()) {
      error_code error;
      if (connection.input.size() > 0 && parser.can_read(connection.input.size())) {
        auto const used = parser.put(connection.input.data(), error);
        connection.input.consume(used);
        if (parser.was_stopped())
          co_return Outcome::done;
        if (error && error != beast_http::error::need_more) {
          co_return fail(Code::unavailable, "The answer is not valid HTTP: " + error.message() + ".");
        }
        bool const is_stuck = error == beast_http::error::need_more || connection.input.size() == 0;
        if (!is_stuck || parser.is_done())
          continue;
        if (connection.input.size() > options.header_bytes_max) {
          co_return fail(Code::unavailable, "The answer is not valid HTTP: a header or chunk without an end.");
        }
      }
      if (parser.is_header_done())
        connection.expect_by(limit(ask, options.idle_timeout));
      auto const failed = co_await connection.read();
      if (failed == asio::error::eof && parser.got_some() && parser.is_header_done() && parser.need_eof()) {
        parser.put_eof(error);
        if (!error)
          continue;
      }
      if (failed && !any_byte && !connection.timed_out() && failed != asio::error::operation_aborted) {
        co_return Outcome::stale;
      }
      if (failed)
        co_return transport_error(connection, failed, "reading the answer");
      any_byte = true;
    }
    if (response.status / 100 != 1) {
      is_reusable = parser.keep_alive() && connection.input.size() == 0;
      co_return Outcome::done;
    }
  }
  co_return fail(Code::unavailable, "The answer is not valid HTTP: too many interim answers.");
}

Task<Result<Response>> Client::State::call(Method method, std::string url, Headers headers, std::string body,
                                           Deadline deadline, Sink sink) {
  auto const self = shared_from_this();  // The Client may be destroyed meanwhile.
  auto parsed = parse_url(url);
  if (!parsed)
    co_return fail(std::move(parsed.error()));
  Ask const ask{method, std::move(*parsed), std::move(headers), std::move(body), deadline};
  auto const key = ask.url.pool_key();
  for (auto connection = take_kept(key);; connection = nullptr) {
    bool const was_kept = connection != nullptr;
    if (!connection) {
      auto opened = co_await open(ask);
      if (!opened)
        co_return fail(std::move(opened.error()));
      connection = std::move(*opened);
    }
    Response response;
    bool is_reusable = false;
    auto const outcome = co_await exchange(ask, *connection, sink, response, is_reusable);
    if (!outcome)
      co_return fail(outcome.error());
    if (*outcome == Outcome::stale) {
      if (was_kept && is_idempotent(method))
        continue;
      co_return fail(Code::unavailable, "The connection was closed before an answer came.");
    }
    if (is_reusable)
      keep(key, std::move(connection));
    co_return response;
  }
}

Client::Client(asio::any_io_executor executor, ClientOptions options)
    : state_(std::make_shared<State>(std::move(executor), std::move(options))) {}
Client::~Client() = default;

Task<Result<Response>> Client::send(Method method, std::string url, Headers headers, std::string body,
                                    Deadline deadline) {
  std::string collected;
  bool is_too_large = false;
  auto const max = state_->options.body_max;
  Sink sink{.head = {}, .piece = [&](std::string_view piece) {
              is_too_large = piece.size() > max - collected.size();
              if (!is_too_large)
                collected.append(piece);
              return !is_too_large;
            }};
  auto response =
      co_await state_->call(method, std::move(url), std::move(headers), std::move(body), deadline, std::move(sink));
  if (is_too_large) {
    co_return fail(Code::payload_too_large, "The answer is larger than " + std::to_string(max) + " bytes.");
  }
  if (response)
    response->body = std::move(collected);
  co_return response;
}

Task<Result<Response>> Client::stream(Method method, std::string url, Headers headers, std::string body,
                                      Deadline deadline, std::function<bool(std::string_view)> on_piece,
                                      std::function<void(Response const&)> on_head) {
  assert(on_piece);
  co_return co_await state_->call(method, std::move(url), std::move(headers), std::move(body), deadline,
                                  Sink{.head = std::move(on_head), .piece = std::move(on_piece)});
}

}  // namespace al::http
