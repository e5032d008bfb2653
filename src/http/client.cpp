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
constexpr int interim_answers_max = 8;
constexpr std::size_t header_fields_usual = 24;

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
  if (url.target.empty() || url.target.starts_with('?'))
    url.target.insert(0, "/");
  // Of "https://1.2.3.4.example.com" Boost 1.81 makes the host 1.2.3.4 and the path .example.com.
  if (!url.target.starts_with('/'))
    return bad();
  return url;
}

// ---- response parser ----

class ResponseParser final : public beast_http::basic_parser<false> {
 public:
  ResponseParser(Response& response, std::size_t header_bytes_max) : response_(response) {
    header_limit(static_cast<std::uint32_t>(header_bytes_max));
    body_limit(boost::none);  // The reader counts.
  }
  /// Beast asserts that a chunked body whose first chunk is the last one comes in one piece.
  [[nodiscard]] bool can_read(std::size_t bytes) const {
    return !is_header_done() || !chunked() || any_chunk_ || bytes >= chunked_body_bytes_min;
  }
  /// The part of the body that the last put() found; it lies in what put() was given.
  [[nodiscard]] std::string_view take_piece() { return std::exchange(piece_, {}); }

 private:
  using View = boost::beast::string_view;

  void on_response_impl(int status, View, int, error_code&) override {
    response_.status = status;
    response_.headers.reserve(header_fields_usual);
  }
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
  void on_header_impl(error_code&) override {}
  void on_body_init_impl(boost::optional<std::uint64_t> const&, error_code&) override {}
  std::size_t on_body_impl(View piece, error_code&) override {
    piece_ = {piece.data(), piece.size()};
    return piece.size();
  }
  void on_chunk_header_impl(std::uint64_t, View, error_code&) override { any_chunk_ = true; }
  std::size_t on_chunk_body_impl(std::uint64_t, View piece, error_code& error) override {
    return on_body_impl(piece, error);
  }
  void on_request_impl(beast_http::verb, View, View, int, error_code&) override {}
  void on_finish_impl(error_code&) override {}

  Response& response_;
  std::string_view piece_;
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
  [[nodiscard]] bool is_open() const { return socket_.is_open(); }
  [[nodiscard]] bool timed_out() const { return timed_out_; }

  [[nodiscard]] Task<error_code> connect(std::vector<tcp::endpoint> const& endpoints) {
    error_code error;
    co_await asio::async_connect(socket_, endpoints, asio::redirect_error(asio::use_awaitable, error));
    if (error)
      co_return error;
    error_code ignored;
    socket_.set_option(tcp::no_delay(true), ignored);
    socket_.non_blocking(true, ignored);
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

  [[nodiscard]] Task<error_code> write(std::array<asio::const_buffer, 2> parts) {
    error_code error;
    if (tls_) {
      co_await asio::async_write(*tls_, parts, asio::redirect_error(asio::use_awaitable, error));
      co_return error;
    }
    // Most requests fit into the socket's buffer: then no operation needs to be started and waited for.
    auto const written = socket_.write_some(parts, error);
    if (error == asio::error::would_block)
      error = {};
    auto const of_first = std::min(written, parts[0].size());
    parts[0] += of_first;
    parts[1] += written - of_first;
    if (!error && asio::buffer_size(parts) > 0)
      co_await asio::async_write(socket_, parts, asio::redirect_error(asio::use_awaitable, error));
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

  /// Until a read finds something. With TLS that cannot be told from outside, and the read itself waits.
  [[nodiscard]] Task<error_code> wait_for_input() {
    error_code error;
    if (!tls_)
      co_await socket_.async_wait(tcp::socket::wait_read, asio::redirect_error(asio::use_awaitable, error));
    co_return error;
  }

  /// Whether a kept connection can take a request: a server that closed it, or sent something unasked, is seen here.
  [[nodiscard]] bool is_quiet() {
    error_code error;
    if (!is_open() || input.size() > 0)
      return false;
    std::array<char, 1> byte{};
    socket_.receive(asio::buffer(byte), tcp::socket::message_peek, error);
    return error == asio::error::would_block;
  }

  boost::beast::flat_buffer input;

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

enum class Purpose { answer, upgrade };

void append_request_head(std::string& out, Method method, Purpose purpose, Url const& url, Headers const& headers,
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
  if (purpose == Purpose::upgrade)
    out.append("Connection: Upgrade\r\n");
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

  [[nodiscard]] Task<Result<ConnectionPtr>> connect(Url const& url, Deadline deadline);
  [[nodiscard]] ConnectionPtr take_kept(std::string const& key);
  void keep(std::string const& key, ConnectionPtr connection);
  [[nodiscard]] static SteadyTime limit(Deadline deadline, std::chrono::seconds phase) {
    return std::min(deadline.at, std::chrono::steady_clock::now() + phase);
  }

  asio::any_io_executor executor;
  ClientOptions const options;
  std::optional<ssl::context> tls;
  std::unordered_map<std::string, std::vector<ConnectionPtr>> kept;  // the youngest at the end
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
  while (!pool->second.empty()) {
    auto candidate = std::move(pool->second.back());
    pool->second.pop_back();
    if (candidate->is_quiet())
      return candidate;
  }
  return nullptr;
}

void Client::State::keep(std::string const& key, ConnectionPtr connection) {
  if (kept.size() >= hosts_max) {
    std::erase_if(kept, [](auto const& pool) { return std::ranges::none_of(pool.second, &Connection::is_open); });
  }
  if (options.idle_connections_max == 0 || (kept.size() >= hosts_max && !kept.contains(key)))
    return;
  // Its timer closes it then, whether or not the host is called again.
  connection->expect_by(std::chrono::steady_clock::now() + options.keep_timeout);
  auto& pool = kept[key];
  pool.push_back(std::move(connection));
  auto const first =
      std::max(std::ranges::find_if(pool, &Connection::is_open),
               pool.end() - static_cast<std::ptrdiff_t>(std::min(pool.size(), options.idle_connections_max)));
  pool.erase(pool.begin(), first);
}

// Errors: unavailable, timed_out, forbidden.
Task<Result<ConnectionPtr>> Client::State::connect(Url const& url, Deadline deadline) {
  auto const until = limit(deadline, options.connect_timeout);
  auto endpoints = co_await look_up(url.host, url.port, until);
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
    co_return transport_error(*connection, error, "connecting to " + url.authority);
  if (url.is_tls) {
    error = co_await connection->handshake(tls_context(), url.host);
    if (error)
      co_return transport_error(*connection, error, "the TLS handshake with " + url.authority);
  }
  co_return connection;
}

// ---- one call ----

class Client::Exchange final : public Incoming {
 public:
  Exchange(std::shared_ptr<State> state, Method method, Url url, Headers headers, std::string body, Deadline deadline,
           Deadline connect_by)
      : state_(std::move(state)),
        method_(method),
        url_(std::move(url)),
        key_(url_.pool_key()),
        headers_(std::move(headers)),
        body_(std::move(body)),
        deadline_(deadline),
        connect_by_(connect_by) {}

  /// Before begin(): a head of 101 is what is asked for.
  void ask_for_upgrade() { purpose_ = Purpose::upgrade; }
  /// The connection after 101, with what came behind the head.
  [[nodiscard]] std::unique_ptr<ByteStream> take_stream();

  /// Sends the request and reads the answer's head.
  [[nodiscard]] Task<Result<void>> begin();
  [[nodiscard]] Task<Result<std::string_view>> read() override;
  [[nodiscard]] Result<std::string_view> read_now() override;
  [[nodiscard]] bool is_whole() const override { return !connection_ || parser_->is_done(); }
  void expect_by(Deadline deadline) override {
    deadline_ = deadline;
    if (connection_)
      connection_->expect_by(deadline.at);
  }

 private:
  enum class Outcome {
    head,
    stale,  ///< the connection ended before the first byte of an answer
  };
  [[nodiscard]] Task<Result<Outcome>> ask();
  [[nodiscard]] Task<Result<Outcome>> read_head();
  [[nodiscard]] Task<error_code> fill();
  [[nodiscard]] Result<void> parse();
  void end();

  std::shared_ptr<State> state_;  // The Client may be destroyed meanwhile.
  Method method_;
  Purpose purpose_ = Purpose::answer;
  Url url_;
  std::string key_;
  Headers headers_;
  std::string body_;
  Deadline deadline_;
  Deadline connect_by_;
  ConnectionPtr connection_;
  std::optional<ResponseParser> parser_;
  std::size_t used_ = 0;    ///< of the connection's input: parsed, and the reader may still look at it
  std::string_view piece_;  ///< of the body, in the input or in `joined_`
  std::string joined_;      ///< pieces that came at the same time
  SteadyTime first_by_{};
  bool has_begun_ = false;  ///< something of the body came
  bool may_be_kept_ = true;
};

Task<Result<void>> Client::Exchange::begin() {
  for (connection_ = state_->take_kept(key_);; connection_ = nullptr) {
    bool const was_kept = connection_ != nullptr;
    if (!was_kept) {
      auto connected = co_await state_->connect(url_, {std::min(deadline_.at, connect_by_.at)});
      if (!connected) {
        connected.error().where = not_connected;
        co_return fail(std::move(connected.error()));
      }
      connection_ = std::move(*connected);
    }
    auto const outcome = co_await ask();
    if (!outcome)
      co_return fail(outcome.error());
    if (*outcome == Outcome::head)
      break;
    if (!was_kept || !is_idempotent(method_))
      co_return fail(Code::unavailable, "The connection was closed before an answer came.");
  }
  // A long stream needs no memory for its request.
  headers_ = {};
  body_ = {};
  co_return Result<void>{};
}

Task<Result<Client::Exchange::Outcome>> Client::Exchange::ask() {
  first_by_ = State::limit(deadline_, state_->options.first_byte_timeout);
  connection_->expect_by(first_by_);
  std::string text;
  text.reserve(1024);
  append_request_head(text, method_, purpose_, url_, headers_, body_);
  auto const error = co_await connection_->write({asio::buffer(text), asio::buffer(body_)});
  if (error && (connection_->timed_out() || error == asio::error::operation_aborted))
    co_return transport_error(*connection_, error, "sending the request");
  // A server may answer (413) and close before it has read everything: look for that answer first.
  may_be_kept_ = !error;
  co_return co_await read_head();
}

Task<Result<Client::Exchange::Outcome>> Client::Exchange::read_head() {
  bool any_byte = false;
  for (int interim = 0; interim <= interim_answers_max; ++interim) {
    head = Response{};
    parser_.emplace(head, state_->options.header_bytes_max);
    parser_->skip(method_ == Method::head);
    for (;;) {
      auto const parsed = parse();
      if (!parsed)
        co_return fail(parsed.error());
      if (parser_->is_header_done())
        break;
      auto const failed = co_await fill();
      if (failed && !any_byte && !connection_->timed_out() && failed != asio::error::operation_aborted)
        co_return Outcome::stale;
      if (failed)
        co_return transport_error(*connection_, failed, "reading the answer");
      any_byte = true;
    }
    if (head.status / 100 != 1 || (head.status == 101 && purpose_ == Purpose::upgrade))
      co_return Outcome::head;
    if (head.status == 101)
      co_return fail(Code::unavailable, "The answer is not valid HTTP: a change of protocol that nobody asked for.");
  }
  co_return fail(Code::unavailable, "The answer is not valid HTTP: too many interim answers.");
}

// Parses what is there: up to the end of the head, or all that there is of the body.
Result<void> Client::Exchange::parse() {
  bool const was_in_body = parser_->is_header_done();
  auto& input = connection_->input;
  while (used_ < input.size() && !parser_->is_done() && parser_->is_header_done() == was_in_body) {
    auto const rest = input.data() + used_;
    if (!parser_->can_read(rest.size()))
      break;
    error_code error;
    used_ += parser_->put(rest, error);
    auto const piece = parser_->take_piece();
    if (piece_.empty()) {
      piece_ = piece;
    } else if (!piece.empty()) {
      if (joined_.empty())
        joined_ = piece_;
      joined_.append(piece);
      piece_ = joined_;
    }
    if (error == beast_http::error::need_more)
      break;
    if (error)
      return fail(Code::unavailable, "The answer is not valid HTTP: " + error.message() + ".");
  }
  if (!parser_->is_done() && input.size() - used_ > state_->options.header_bytes_max)
    return fail(Code::unavailable, "The answer is not valid HTTP: a header or chunk without an end.");
  return {};
}

Task<error_code> Client::Exchange::fill() {
  connection_->input.consume(std::exchange(used_, 0));
  if (parser_->is_header_done()) {
    auto const idle = State::limit(deadline_, state_->options.idle_timeout);
    // A model's server may send its head at once and think before the first word.
    connection_->expect_by(has_begun_ ? idle : std::max(first_by_, idle));
  }
  co_return co_await connection_->read();
}

Task<Result<std::string_view>> Client::Exchange::read() {
  piece_ = {};
  joined_.clear();
  while (connection_) {
    auto const parsed = parse();
    if (!parsed)
      co_return fail(parsed.error());
    if (!piece_.empty()) {
      has_begun_ = true;
      // How long the reader takes is not the sender's fault.
      connection_->expect_by(deadline_.at);
      co_return piece_;
    }
    if (parser_->is_done()) {
      end();
      break;
    }
    auto failed = co_await fill();
    if (failed == asio::error::eof && parser_->need_eof())
      parser_->put_eof(failed);
    if (failed)
      co_return transport_error(*connection_, failed, "reading the answer");
  }
  co_return std::string_view{};
}

Result<std::string_view> Client::Exchange::read_now() {
  piece_ = {};
  joined_.clear();
  if (!connection_)
    return piece_;
  if (auto const parsed = parse(); !parsed)
    return fail(parsed.error());
  if (piece_.empty() && parser_->is_done())
    end();
  has_begun_ = has_begun_ || !piece_.empty();
  return piece_;
}

void Client::Exchange::end() {
  connection_->input.consume(std::exchange(used_, 0));
  if (may_be_kept_ && parser_->keep_alive() && connection_->input.size() == 0)
    state_->keep(key_, std::move(connection_));
  connection_ = nullptr;
}

// ---- after an upgrade ----

namespace {

/// While it waits it holds no buffer, but for TLS.
class UpgradedStream final : public ByteStream {
 public:
  UpgradedStream(ConnectionPtr connection, std::chrono::seconds write_timeout)
      : connection_(std::move(connection)), write_timeout_(write_timeout) {
    connection_->expect_by(SteadyTime::max());
  }

  Task<std::string_view> read() override {
    auto& input = connection_->input;
    input.consume(std::exchange(handed_out_, 0));
    if (input.size() == 0) {
      input.shrink_to_fit();
      auto error = co_await connection_->wait_for_input();
      if (!error)
        error = co_await connection_->read();
      if ((co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none)
        throw boost::system::system_error(asio::error::operation_aborted);
      if (error)
        co_return std::string_view{};
    }
    handed_out_ = input.size();
    co_return std::string_view(static_cast<char const*>(input.data().data()), input.size());
  }

  Task<void> write(std::string_view piece) override {
    connection_->expect_by(std::chrono::steady_clock::now() + write_timeout_);
    auto const error = co_await connection_->write({asio::buffer(piece), asio::const_buffer()});
    connection_->expect_by(SteadyTime::max());
    if (error)
      throw boost::system::system_error(error);
  }

 private:
  ConnectionPtr connection_;
  std::chrono::seconds write_timeout_;
  std::size_t handed_out_ = 0;
};

}  // namespace

std::unique_ptr<ByteStream> Client::Exchange::take_stream() {
  connection_->input.consume(std::exchange(used_, 0));
  return std::make_unique<UpgradedStream>(std::move(connection_), state_->options.idle_timeout);
}

// ---- Client ----

Client::Client(asio::any_io_executor executor, ClientOptions options)
    : state_(std::make_shared<State>(std::move(executor), std::move(options))) {}
Client::~Client() = default;

Task<Result<std::unique_ptr<Incoming>>> Client::open(Method method, std::string url, Headers headers, std::string body,
                                                     Deadline deadline, Deadline connect_by) {
  auto parsed = parse_url(url);
  if (!parsed)
    co_return fail(std::move(parsed.error()));
  auto exchange = std::make_unique<Exchange>(state_, method, std::move(*parsed), std::move(headers), std::move(body),
                                             deadline, connect_by);
  auto begun = co_await exchange->begin();
  if (!begun)
    co_return fail(std::move(begun.error()));
  co_return std::unique_ptr<Incoming>(std::move(exchange));
}

Task<Result<Response>> Client::stream(Method method, std::string url, Headers headers, std::string body,
                                      Deadline deadline, std::function<bool(std::string_view)> on_piece,
                                      std::function<void(Response const&)> on_head) {
  assert(on_piece);
  auto opened = co_await open(method, std::move(url), std::move(headers), std::move(body), deadline);
  if (!opened)
    co_return fail(std::move(opened.error()));
  auto const incoming = std::move(*opened);
  if (on_head)
    on_head(incoming->head);
  for (;;) {
    auto const piece = co_await incoming->read();
    if (!piece)
      co_return fail(piece.error());
    if (piece->empty() || !on_piece(*piece))
      co_return std::move(incoming->head);
  }
}

Task<Result<Response>> Client::send(Method method, std::string url, Headers headers, std::string body,
                                    Deadline deadline) {
  auto const max = state_->options.body_max;
  auto opened = co_await open(method, std::move(url), std::move(headers), std::move(body), deadline);
  if (!opened)
    co_return fail(std::move(opened.error()));
  co_return co_await collect(**opened, max);
}

Task<Result<Response>> Client::collect(Incoming& incoming, std::size_t body_max) {
  std::string collected;
  for (;;) {
    auto const piece = co_await incoming.read();
    if (!piece)
      co_return fail(piece.error());
    if (piece->empty())
      break;
    if (piece->size() > body_max - collected.size()) {
      co_return fail(Code::payload_too_large, "The answer is larger than " + std::to_string(body_max) + " bytes.");
    }
    collected.append(*piece);
  }
  incoming.head.body = std::move(collected);
  co_return std::move(incoming.head);
}

Task<Result<Upgraded>> Client::upgrade(std::string url, Headers headers, Deadline deadline, Deadline connect_by) {
  auto parsed = parse_url(url);
  if (!parsed)
    co_return fail(std::move(parsed.error()));
  auto const state = state_;  // The client may be destroyed meanwhile.
  Exchange exchange(state, Method::get, std::move(*parsed), std::move(headers), {}, deadline, connect_by);
  exchange.ask_for_upgrade();
  auto begun = co_await exchange.begin();
  if (!begun)
    co_return fail(std::move(begun.error()));
  if (exchange.head.status == 101) {
    auto stream = exchange.take_stream();
    co_return Upgraded{.head = std::move(exchange.head), .stream = std::move(stream)};
  }
  auto refusal = co_await collect(exchange, state->options.body_max);
  if (!refusal)
    co_return fail(std::move(refusal.error()));
  co_return Upgraded{.head = std::move(*refusal), .stream = nullptr};
}

}  // namespace al::http
