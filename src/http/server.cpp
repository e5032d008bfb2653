#include "http/server.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <cassert>
#include <condition_variable>
#include <future>
#include <list>
#include <mutex>
#include <tuple>
#include <unordered_map>

#include "core/fault.hpp"
#include "core/log.hpp"
#include "http/request_id.hpp"
#include "http/request_parser.hpp"
#include "http/response_head.hpp"
#include "http/target.hpp"
#include "http/tls_front.hpp"

namespace al::http {
namespace {

using asio::ip::tcp;
using boost::system::error_code;
using std::chrono::milliseconds;
using std::chrono::seconds;
// The concrete executor spares a virtual call on every read and write.
using Socket = asio::basic_stream_socket<tcp, asio::io_context::executor_type>;
using Timer = asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>,
                                         asio::io_context::executor_type>;

constexpr std::size_t read_bytes = 4096;
constexpr std::size_t body_read_bytes = 16 * 1024;
constexpr std::size_t unknown_route_body_max = 64 * 1024;
constexpr std::size_t kept_buffer_bytes_max = 16 * 1024;
constexpr std::size_t linger_bytes_max = 256 * 1024;
/// Connections over the limit that may at one time wait for their 503 to arrive; beyond, they are closed at once.
constexpr std::size_t refused_connections_max = 128;
constexpr milliseconds tick_interval{250};
constexpr milliseconds accept_pause{100};
constexpr std::size_t tunnel_read_bytes = 16 * 1024;
constexpr seconds linger_time{2};
/// Both ends of a WebSocket send pings far more often, so a tunnel that is silent for so long has lost one of them.
constexpr seconds tunnel_idle_time{300};
constexpr seconds body_grace{10};
/// What a handler may take beyond its deadline before it is cancelled: stores answer timed_out by themselves first.
constexpr seconds handler_grace{1};
constexpr seconds cancel_time{5};
/// A stop leaves idle clients so long to hear, with the answer to their next request, that they should go elsewhere.
constexpr seconds goodbye_time{1};
constexpr SteadyTime never = SteadyTime::max();
constexpr std::string_view goodbye = "the server stops";
constexpr std::string_view line_end = "\r\n";

}  // namespace

// ---- shared by all connections ----

namespace {

class Connection;

/// What belongs to one I/O context; touched by its thread only, but for the counter.
struct Lane {
  explicit Lane(asio::io_context& context) : context(context) {}

  asio::io_context& context;
  std::list<Connection*> connections;
  std::list<TlsConnection*> secured;  // each before one of the connections, or still shaking hands
  std::string date;
  bool is_ticking = false;
  bool is_draining = false;
  std::atomic<std::size_t> admitted{0};
};

}  // namespace

struct ServerState {
  ServerState(Dispatcher& dispatcher, ServerLimits limits, Clock const& clock, Random& random, TlsCertificate* tls)
      : dispatcher(dispatcher), limits(limits), clock(clock), ids(random), tls(tls) {}

  Dispatcher& dispatcher;
  ServerLimits const limits;
  Clock const& clock;
  RequestIds ids;
  TlsCertificate* const tls;  // null: plain
  std::vector<std::unique_ptr<Lane>> lanes;
  std::optional<tcp::acceptor> acceptor;  // of the first lane's thread
  std::uint16_t port = 0;
  std::size_t next_lane = 0;
  bool is_started = false;
  bool is_stopped = false;
  std::atomic<bool> is_accepting{true};
  std::atomic<std::uint64_t> requests{0};
  std::atomic<std::size_t> handshakes{0};

  std::mutex mutex;
  std::condition_variable gone;
  std::size_t open = 0;                                   // under mutex
  std::unordered_map<std::string, std::size_t> per_peer;  // under mutex, when limited

  void wait_until_none(SteadyTime until) {
    std::unique_lock lock(mutex);
    gone.wait_until(lock, until, [this] { return open == 0; });
  }
};

namespace {

/// One place among the connections of a server; given back when it is destroyed.
class Place {
 public:
  enum class Kind { served, refused };

  /// Nothing when even the places for a refusal are taken.
  static std::optional<Place> take(std::shared_ptr<ServerState> const& state, Lane& lane, std::string const& peer) {
    std::scoped_lock const lock(state->mutex);
    auto const& limits = state->limits;
    if (state->open >= limits.connections_max + refused_connections_max)
      return std::nullopt;
    bool is_over = state->open >= limits.connections_max;
    if (limits.connections_per_peer_max > 0) {
      is_over = ++state->per_peer[peer] > limits.connections_per_peer_max || is_over;
    }
    ++state->open;
    lane.admitted.fetch_add(1, std::memory_order_relaxed);
    return Place(state, lane, peer, is_over ? Kind::refused : Kind::served);
  }
  Place(Place const&) = delete;
  Place& operator=(Place const&) = delete;
  Place(Place&&) = default;
  Place& operator=(Place&&) = delete;
  ~Place() {
    if (!state_)
      return;
    lane_->admitted.fetch_sub(1, std::memory_order_relaxed);
    std::scoped_lock const lock(state_->mutex);
    if (auto const found = state_->per_peer.find(peer_); found != state_->per_peer.end() && --found->second == 0) {
      state_->per_peer.erase(found);
    }
    if (--state_->open == 0)
      state_->gone.notify_all();
  }
  [[nodiscard]] Kind kind() const { return kind_; }
  [[nodiscard]] std::string const& peer() const { return peer_; }

 private:
  Place(std::shared_ptr<ServerState> state, Lane& lane, std::string peer, Kind kind)
      : state_(std::move(state)), lane_(&lane), peer_(std::move(peer)), kind_(kind) {}

  std::shared_ptr<ServerState> state_;
  Lane* lane_;
  std::string peer_;
  Kind kind_;
};

// ---- one connection ----

/// Reads requests, hands them to the router and writes the answers, one after the other. All of it on one thread.
///
/// Time limits cost nothing per request: each phase sets `deadline_`, and the lane's tick looks at all connections.
class Connection {
 public:
  enum class Via { plain, tls };

  Connection(ServerState& state, Lane& lane, Socket socket, Place const& place, Via via);
  ~Connection();
  Connection(Connection const&) = delete;
  Connection& operator=(Connection const&) = delete;

  [[nodiscard]] Task<void> run();
  [[nodiscard]] asio::cancellation_slot slot() { return cancel_.slot(); }

  /// Acts when the deadline of the present phase has passed.
  void check(SteadyTime now);
  /// Closes when nothing is going on; a stream ends, a request may finish.
  void say_goodbye();
  void close_if_idle();
  /// Ends at once.
  void abort();

 private:
  friend class StreamWriter;
  friend class TunnelStream;
  enum class Phase { idle, head, body, handler, write, stream, websocket, tunnel, linger };
  enum class Step {
    more,     ///< bytes are missing
    proceed,  ///< the client waits for "100 Continue"
    ready,    ///< a whole request is there
    refused,  ///< the answer that says why is in `output_`
  };

  void begin_request();
  [[nodiscard]] Step parse();
  [[nodiscard]] Step wait_for_bytes();
  [[nodiscard]] Step check_head();
  void hear_proxy();
  [[nodiscard]] Step check_body();
  Step refuse(Error const& error, int status = 0);
  Step refuse(ParseFault const& fault);
  [[nodiscard]] Task<Step> read_request(Step step);
  [[nodiscard]] std::size_t body_max() const { return route_ ? route_->body_max : unknown_route_body_max; }
  [[nodiscard]] Task<bool> answer();
  void take_upgrade(Response& response);
  [[nodiscard]] bool has_client_left();
  [[nodiscard]] Response after_cancellation(Context const& context);
  void append_head(Response const& response, Framing framing, std::size_t length);
  [[nodiscard]] bool write_now();
  [[nodiscard]] Task<bool> write_rest();
  [[nodiscard]] Task<bool> stream(BodyStream body);
  [[nodiscard]] Task<void> watch();
  [[nodiscard]] Task<bool> converse();
  [[nodiscard]] Task<bool> tunnel();
  [[nodiscard]] Task<void> linger();
  void release_memory();

  void enter(Phase phase, std::chrono::steady_clock::duration limit) {
    phase_ = phase;
    deadline_ = state_.clock.steady() + limit;
  }
  [[nodiscard]] asio::mutable_buffer room() {
    return input_.prepare(phase_ == Phase::body ? body_read_bytes : read_bytes);
  }
  [[nodiscard]] std::string_view unread() const {
    return {static_cast<char const*>(input_.data().data()), input_.size()};
  }
  void close() {
    error_code ignored;
    socket_.close(ignored);
  }

  ServerState& state_;
  Lane& lane_;
  std::list<Connection*>::iterator place_in_lane_;
  Socket socket_;
  std::string const peer_;
  bool const is_refused_;
  bool const is_secure_;
  asio::cancellation_signal cancel_;

  Phase phase_ = Phase::idle;
  SteadyTime deadline_ = never;
  bool timed_out_ = false;
  bool aborted_ = false;

  boost::beast::flat_buffer input_;
  std::optional<RequestParser> parser_;
  Request request_;
  std::optional<RouteLimits> route_;
  std::size_t head_bytes_ = 0;
  SteadyTime body_start_{};
  bool is_first_ = true;  // no request was answered yet
  bool is_head_known_ = false;
  bool keep_alive_ = true;

  std::string output_;
  std::size_t written_ = 0;

  // What the connection becomes after the answer to an upgrade.
  WebSocketSession session_;
  std::shared_ptr<WebSocketConnection> websocket_;
  Tunnel tunnel_;
  bool is_tunnel_over_ = false;  ///< nothing more is read from the client
};

Connection::Connection(ServerState& state, Lane& lane, Socket socket, Place const& place, Via via)
    : state_(state),
      lane_(lane),
      socket_(std::move(socket)),
      peer_(place.peer()),
      is_refused_(place.kind() == Place::Kind::refused),
      is_secure_(via == Via::tls),
      input_(state.limits.header_bytes_max + body_read_bytes + read_bytes) {
  place_in_lane_ = lane_.connections.insert(lane_.connections.end(), this);
  error_code ignored;
  socket_.set_option(tcp::no_delay(true), ignored);
  socket_.non_blocking(true, ignored);
}

Connection::~Connection() {
  if (websocket_)
    websocket_->detach();
  lane_.connections.erase(place_in_lane_);
}

void Connection::check(SteadyTime now) {
  bool const is_answering = phase_ == Phase::handler || phase_ == Phase::stream;
  bool const is_watched = is_answering && route_ && route_->ends_with_client;
  if (is_watched && has_client_left()) {
    abort();
    return;
  }
  if (phase_ == Phase::websocket && !websocket_->check(now)) {
    log::warning("a WebSocket session was cancelled: its connection has gone", {{"peer", peer_}});
    cancel_.emit(asio::cancellation_type::terminal);
  }
  if (now < deadline_)
    return;
  deadline_ = never;
  switch (phase_) {
    case Phase::idle:
    case Phase::write:
    case Phase::linger:
      close();
      return;
    case Phase::head:
    case Phase::body: {
      timed_out_ = true;
      error_code ignored;
      socket_.cancel(ignored);
      return;
    }
    case Phase::handler:
      timed_out_ = true;
      cancel_.emit(asio::cancellation_type::terminal);
      return;
    case Phase::stream:
    case Phase::tunnel:
      abort();
      return;
    case Phase::websocket:
      return;  // It has times of its own.
  }
}

// The answer to the next request tells the client to go elsewhere, so that it is not cut off while it sends one.
void Connection::say_goodbye() {
  keep_alive_ = false;
  bool const has_end = route_ && route_->ends_with_client;
  if (phase_ == Phase::stream && !has_end)
    cancel_.emit(asio::cancellation_type::terminal);
  if (phase_ == Phase::websocket)
    websocket_->close(close_code::going_away, goodbye);
  if (phase_ == Phase::tunnel) {
    // Wakes who reads, and lets him who writes come to his end.
    is_tunnel_over_ = true;
    error_code ignored;
    socket_.shutdown(tcp::socket::shutdown_receive, ignored);
  }
}

void Connection::close_if_idle() {
  error_code ignored;
  if (phase_ == Phase::idle && input_.size() == 0 && socket_.available(ignored) == 0)
    close();
}

void Connection::abort() {
  aborted_ = true;
  close();
  cancel_.emit(asio::cancellation_type::terminal);
}

// Asked by the tick: a read that waits for the client to leave would cost every request an operation.
bool Connection::has_client_left() {
  std::array<char, 1> byte{};
  error_code error;
  socket_.receive(asio::buffer(byte), tcp::socket::message_peek, error);
  return error && error != asio::error::would_block;
}

Task<void> Connection::run() {
  if (is_refused_) {
    refuse({Code::unavailable, "There are too many connections. Try again."});
    if (write_now() || co_await write_rest())
      co_await linger();
    co_return;
  }
  do {
    begin_request();
    auto step = parse();
    if (step == Step::more || step == Step::proceed)
      step = co_await read_request(step);
    if (step == Step::more)
      co_return;  // The client is gone, or was silent for too long.
    if (step == Step::ready && !co_await answer())
      co_return;
    if (step == Step::refused && !write_now() && !co_await write_rest())
      co_return;
  } while (keep_alive_);
  if (session_.run && !co_await converse())
    co_return;
  if (tunnel_.run && !co_await tunnel())
    co_return;
  co_await linger();
}

void Connection::begin_request() {
  request_ = Request{.method = Method::get, .target = {}, .peer = peer_, .is_secure = is_secure_};
  if (!parser_)
    parser_.emplace(state_.limits.header_bytes_max);
  parser_->begin(request_);
  route_.reset();
  head_bytes_ = 0;
  is_head_known_ = false;
  phase_ = Phase::idle;
}

Connection::Step Connection::parse() {
  while (input_.size() > 0) {
    auto const taken = parser_->read(unread());
    if (!taken)
      return refuse(taken.error());
    input_.consume(taken->bytes);
    if (!is_head_known_)
      head_bytes_ += taken->bytes;
    if (taken->needs_more)
      return wait_for_bytes();
    if (!is_head_known_ && parser_->is_head_done()) {
      is_head_known_ = true;
      auto const step = check_head();
      if (step != Step::more)
        return step;
    }
    if (parser_->is_done())
      return Step::ready;
  }
  return wait_for_bytes();
}

Connection::Step Connection::wait_for_bytes() {
  auto const& limits = state_.limits;
  if (!is_head_known_ && head_bytes_ + input_.size() >= limits.header_bytes_max) {
    return refuse({.kind = ParseFault::Kind::headers_too_large});
  }
  if (is_head_known_) {
    // A chunk's head or the trailers, which Beast reads as one piece.
    if (input_.size() >= limits.header_bytes_max)
      return refuse({.kind = ParseFault::Kind::headers_too_large});
    auto const earned = milliseconds(request_.body.size() * 1000 / std::max<std::size_t>(limits.body_rate_min, 1));
    phase_ = Phase::body;
    deadline_ = body_start_ + body_grace + earned;
  } else if (head_bytes_ + input_.size() > 0) {
    if (phase_ != Phase::head)
      enter(Phase::head, limits.header_timeout);
  } else {
    enter(Phase::idle, is_first_ ? limits.header_timeout : limits.idle_timeout);
  }
  return Step::more;
}

// The head is whole: everything is decided that does not need the body.
Connection::Step Connection::check_head() {
  auto const& head = parser_->head();
  keep_alive_ = head.keep_alive && !lane_.is_draining;
  if (head.is_http_1_0)
    request_.headers.erase("Upgrade");  // RFC 9110, section 7.8
  if (head_bytes_ > state_.limits.header_bytes_max)
    return refuse({.kind = ParseFault::Kind::headers_too_large});
  if (state_.limits.proxies.trusts(peer_))
    hear_proxy();
  if (!head.is_served_method) {
    constexpr std::array known = {"TRACE", "CONNECT"};
    bool const is_known = std::ranges::find(known, head.method) != known.end();
    return refuse({Code::method_not_allowed, "The method " + head.method + " is not served here."},
                  is_known ? 405 : 501);
  }
  if (head.hosts > 1 || (head.hosts == 0 && !head.is_http_1_0)) {
    return refuse({Code::bad_request, "A request must have exactly one Host header."});
  }
  if (!request_.target.starts_with('/') && !(request_.target == "*" && request_.method == Method::options)) {
    auto path = origin_form(request_.target, request_.headers.find("Host").value_or(""));
    if (!path)
      return refuse({Code::bad_request, "The request target must be a path, or a URL of the Host named."});
    request_.target = std::move(*path);
  }
  if (head.has_body())
    return check_body();
  route_ = state_.dispatcher.limits(request_.method, request_.target);
  return Step::more;
}

// The request as the proxy got it. What it says of none stays as it is.
void Connection::hear_proxy() {
  auto& headers = request_.headers;
  request_.peer = state_.limits.proxies.client_of(peer_, headers);
  if (auto const scheme = headers.find("X-Forwarded-Proto"))
    request_.is_secure = equal_without_case(*scheme, "https");
  if (auto const host = headers.find("X-Forwarded-Host"); host && is_authority(*host))
    headers.set("Host", std::string(*host));
}

Connection::Step Connection::check_body() {
  route_ = state_.dispatcher.limits(request_.method, request_.target);
  auto const limit = body_max();
  auto const& head = parser_->head();
  if (head.content_length > limit) {
    if (route_)
      return refuse({.kind = ParseFault::Kind::body_too_large});
    keep_alive_ = false;  // The router says what is wrong; the body is left unread.
    return Step::ready;
  }
  if (head.is_chunked)
    parser_->limit_chunks(limit);
  body_start_ = state_.clock.steady();
  auto const expect = request_.headers.find("Expect");
  if (!expect || head.is_http_1_0)
    return Step::more;
  if (!equal_without_case(*expect, "100-continue")) {
    return refuse({Code::bad_request, "Of Expect only 100-continue is known here."}, 417);
  }
  return input_.size() == 0 ? Step::proceed : Step::more;
}

Connection::Step Connection::refuse(ParseFault const& fault) {
  switch (fault.kind) {
    case ParseFault::Kind::headers_too_large:
      return refuse({Code::headers_too_large, "The headers are too large or too many."});
    case ParseFault::Kind::body_too_large:
      return refuse(
          {Code::payload_too_large, "The body may have at most " + std::to_string(body_max()) + " bytes here."});
    case ParseFault::Kind::malformed:
      break;
  }
  return refuse({Code::bad_request, "This is no valid HTTP/1.1 request: " + fault.reason + "."});
}

// After a refusal nobody knows where the next request begins, so the connection ends.
Connection::Step Connection::refuse(Error const& error, int status) {
  keep_alive_ = false;
  Context context;
  identify(context, request_.headers, state_.ids);
  auto const format = route_ ? route_->error_format : problem;
  auto response = format(error, context.request_id, status);
  add_identity(response, context);
  auto const& text = std::get<std::string>(response.body);
  append_head(response, Framing::length, text.size());
  if (request_.method != Method::head)
    output_.append(text);
  return Step::refused;
}

// Reads until a request is whole or refused; `more` when it will never be.
Task<Connection::Step> Connection::read_request(Step step) {
  while (step == Step::more || step == Step::proceed) {
    if (step == Step::proceed) {
      output_.append("HTTP/1.1 100 Continue\r\n\r\n");
      if (!write_now() && !co_await write_rest())
        co_return Step::more;
      std::ignore = wait_for_bytes();
    }
    error_code error;
    auto const got = co_await socket_.async_read_some(room(), asio::redirect_error(asio::use_awaitable, error));
    if (timed_out_) {
      timed_out_ = false;
      co_return refuse({Code::timed_out, "The request did not arrive in time."}, 408);
    }
    if (error)
      co_return Step::more;
    input_.commit(got);
    step = parse();
  }
  co_return step;
}

// Whether the connection goes on.
Task<bool> Connection::answer() {
  state_.requests.fetch_add(1, std::memory_order_relaxed);
  bool const is_head = request_.method == Method::head;
  bool const has_own_limit = route_ && route_->time_max.count() > 0;
  auto const limit = has_own_limit ? route_->time_max : state_.limits.handler_timeout;
  Context context{.principal = {}, .request_id = {}, .traceparent = {}, .deadline = Deadline::after(limit)};
  identify(context, request_.headers, state_.ids);
  auto const identified = context;
  enter(Phase::handler, limit + handler_grace);
  Response response;
  std::exception_ptr cancelled;
  try {
    response = co_await state_.dispatcher.dispatch(std::move(context), std::move(request_));
  } catch (boost::system::system_error const& thrown) {
    if (thrown.code() != asio::error::operation_aborted)
      throw;
    cancelled = std::current_exception();
  }
  if (cancelled && !timed_out_)
    std::rethrow_exception(cancelled);
  if (timed_out_) {
    // Nothing could be awaited in the cancelled state. The answer may have come just then; it counts.
    co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
    timed_out_ = false;
    if (cancelled)
      response = after_cancellation(identified);
  }
  is_first_ = false;
  // A proxy that has not seen the refusal of an upgrade would take what follows for the WebSocket and let it pass
  // unchecked; so nothing that follows is read as a request.
  keep_alive_ = keep_alive_ && !lane_.is_draining && !parser_->head().asks_for_websocket && response.status != 101;
  take_upgrade(response);
  bool const has_no_body = response.status == 101 || response.status == 204 || response.status == 304;
  auto* const text = std::get_if<std::string>(&response.body);
  if (!text && !is_head && !has_no_body) {
    bool const is_chunked = !parser_->head().is_http_1_0;
    keep_alive_ = keep_alive_ && is_chunked;
    append_head(response, is_chunked ? Framing::chunked : Framing::close, 0);
    co_return co_await stream(std::move(std::get<BodyStream>(response.body)));
  }
  auto const framing = has_no_body ? Framing::none : is_head ? Framing::as_said : Framing::length;
  append_head(response, framing, text ? text->size() : 0);
  if (text && framing == Framing::length)
    output_.append(*text);
  if (write_now())
    co_return true;
  co_return co_await write_rest();
}

// What the connection becomes after this answer.
void Connection::take_upgrade(Response& response) {
  if (auto* const session = std::get_if<WebSocketSession>(&response.body)) {
    session_ = std::move(*session);
  } else if (auto* const tunnel = std::get_if<Tunnel>(&response.body)) {
    tunnel_ = std::move(*tunnel);
  } else {
    return;
  }
  assert(response.status == 101);
  response.body = std::string();
}

Response Connection::after_cancellation(Context const& context) {
  keep_alive_ = false;
  auto const& id = context.request_id;
  log::warning("a handler was cancelled after its deadline", {{"request_id", std::string_view(id)}, {"peer", peer_}});
  auto const format = route_ ? route_->error_format : problem;
  auto response = format({Code::timed_out, "The answer took too long."}, id, 0);
  add_identity(response, context);
  return response;
}

void Connection::append_head(Response const& response, Framing framing, std::size_t length) {
  append_response_head(output_, response,
                       {.framing = framing,
                        .length = length,
                        .keep_alive = keep_alive_ || response.status == 101,
                        .is_http_1_0 = parser_ && parser_->head().is_http_1_0,
                        .is_secure = is_secure_,
                        .date_line = lane_.date});
  // RFC 9110, section 7.8: Upgrade is nothing without this.
  if (response.status == 101 || response.status == 426)
    output_.insert(output_.size() - line_end.size(), "Connection: Upgrade\r\n");
}

// Most answers fit into the socket's buffer: then no operation needs to be started and waited for.
bool Connection::write_now() {
  error_code error;
  written_ = socket_.write_some(asio::buffer(output_), error);
  if (error || written_ < output_.size())
    return false;
  release_memory();
  return true;
}

// What the client makes room for is what it takes; what the kernel holds for it at first earns no time.
Task<bool> Connection::write_rest() {
  auto const& limits = state_.limits;
  auto const begun = state_.clock.steady();
  auto const first = written_;
  phase_ = Phase::write;
  error_code error;
  while (!error && written_ < output_.size()) {
    auto const earned = milliseconds((written_ - first) * 1000 / std::max<std::size_t>(limits.body_rate_min, 1));
    deadline_ = std::min(state_.clock.steady(), begun + earned) + limits.write_timeout;
    written_ += co_await socket_.async_write_some(asio::buffer(output_) + written_,
                                                  asio::redirect_error(asio::use_awaitable, error));
  }
  release_memory();
  co_return !error;
}

// A connection that rests between requests holds little.
void Connection::release_memory() {
  output_.clear();
  if (output_.capacity() > kept_buffer_bytes_max)
    output_.shrink_to_fit();
  if (input_.size() == 0 && input_.capacity() > kept_buffer_bytes_max)
    input_.shrink_to_fit();
}

// ---- streams ----

class StreamWriter final : public BodyWriter {
 public:
  StreamWriter(Connection& connection, bool is_chunked) : connection_(connection), is_chunked_(is_chunked) {}

  Task<void> write(std::string_view piece) override {
    if (piece.empty())
      co_return;  // Every piece is sent at once, and an empty chunk would end the body.
    auto const head = is_chunked_ ? chunk_head(piece.size()) : std::string();
    std::array<asio::const_buffer, 3> const parts = {asio::buffer(head), asio::buffer(piece),
                                                     asio::buffer("\r\n", is_chunked_ ? 2 : 0)};
    connection_.enter(Connection::Phase::stream, connection_.state_.limits.write_timeout);
    co_await asio::async_write(connection_.socket_, parts, asio::use_awaitable);
    connection_.deadline_ = never;
  }

 private:
  Connection& connection_;
  bool is_chunked_;
};

// Whether the connection goes on. A stream that did not come to its end closes the connection without the last chunk,
// so that no client takes what it got for the whole.
Task<bool> Connection::stream(BodyStream body) {
  bool const is_chunked = !parser_->head().is_http_1_0;
  if (!write_now() && !co_await write_rest())
    co_return false;
  phase_ = Phase::stream;
  deadline_ = never;
  auto const executor = co_await asio::this_coro::executor;
  StreamWriter writer(*this, is_chunked);
  auto race = asio::experimental::make_parallel_group(asio::co_spawn(executor, body(writer), asio::deferred),
                                                      asio::co_spawn(executor, watch(), asio::deferred));
  auto const [order, thrown, watch_thrown] =
      co_await race.async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
  bool const client_is_gone = order[0] == 1;
  if (thrown && !client_is_gone && !aborted_) {
    try {
      std::rethrow_exception(thrown);
    } catch (boost::system::system_error const&) {  // NOLINT(bugprone-empty-catch)
      // The client went while we wrote to it, or the server drains.
    } catch (std::exception const& fault) {
      log::error("a streamed answer broke off", {{"peer", peer_}, {"error", std::string_view(fault.what())}});
    }
  }
  if (thrown || client_is_gone)
    co_return false;
  if (is_chunked)
    output_.append("0\r\n\r\n");
  if (output_.empty() || write_now())
    co_return true;
  co_return co_await write_rest();
}

// Ends when the client does. Requests that it sends meanwhile wait in the buffer, up to the limit of one head.
Task<void> Connection::watch() {
  while (input_.size() < state_.limits.header_bytes_max) {
    error_code error;
    auto const got = co_await socket_.async_read_some(room(), asio::redirect_error(asio::use_awaitable, error));
    if (error)
      co_return;
    input_.commit(got);
  }
}

// ---- WebSockets ----

// Whether the connection is still there. What the client has sent behind its request is the first of its frames.
Task<bool> Connection::converse() {
  websocket_ = std::make_shared<WebSocketConnection>(socket_, state_.clock, state_.limits.websocket,
                                                     session_.message_bytes_max, std::string(unread()));
  input_.clear();
  input_.shrink_to_fit();
  parser_.reset();
  phase_ = Phase::websocket;
  deadline_ = never;
  if (lane_.is_draining)
    websocket_->close(close_code::going_away, goodbye);
  std::optional<std::string> fault;
  try {
    co_await session_.run(websocket_);
  } catch (std::exception const& thrown) {
    fault = thrown.what();
  }
  if ((co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none)
    co_return false;
  if (fault) {
    log::error("a WebSocket session broke off", {{"peer", peer_}, {"error", std::string_view(*fault)}});
    co_await websocket_->finish(close_code::internal, "Something went wrong here.");
  } else {
    co_await websocket_->finish(close_code::normal, {});
  }
  co_return socket_.is_open();
}

// ---- tunnels ----

/// A tunnel that waits holds no buffer: of ten thousand nearly all are silent.
class TunnelStream final : public ByteStream {
 public:
  explicit TunnelStream(Connection& connection)
      : connection_(connection), buffer_(connection.unread()), is_unread_(!buffer_.empty()) {
    connection.input_.clear();
    connection.input_.shrink_to_fit();
    rest();
  }

  Task<std::string_view> read() override {
    while (!connection_.is_tunnel_over_) {
      if (std::exchange(is_unread_, false) || read_now())
        co_return buffer_;
      if (connection_.is_tunnel_over_)
        break;
      std::string().swap(buffer_);
      error_code error;
      co_await connection_.socket_.async_wait(tcp::socket::wait_read, asio::redirect_error(asio::use_awaitable, error));
      if ((co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none)
        throw boost::system::system_error(asio::error::operation_aborted);
      connection_.is_tunnel_over_ = connection_.is_tunnel_over_ || error;
    }
    co_return std::string_view{};
  }

  Task<void> write(std::string_view piece) override {
    is_writing_ = true;
    connection_.deadline_ = connection_.state_.clock.steady() + connection_.state_.limits.write_timeout;
    co_await asio::async_write(connection_.socket_, asio::buffer(piece), asio::use_awaitable);
    is_writing_ = false;
    rest();
  }

 private:
  // Whether something was there. Without it, either nothing has come or nothing more will.
  bool read_now() {
    buffer_.resize(tunnel_read_bytes);
    error_code error;
    buffer_.resize(connection_.socket_.read_some(asio::buffer(buffer_), error));
    connection_.is_tunnel_over_ = error && error != asio::error::would_block;
    if (error)
      return false;
    rest();
    return true;
  }
  // Something has moved. What is being written keeps its own limit.
  void rest() {
    if (!is_writing_)
      connection_.deadline_ = connection_.state_.clock.steady() + tunnel_idle_time;
  }

  Connection& connection_;
  std::string buffer_;
  bool is_unread_ = false;  ///< what is in the buffer was not handed out yet
  bool is_writing_ = false;
};

// Whether the connection is still there.
Task<bool> Connection::tunnel() {
  is_tunnel_over_ = lane_.is_draining;
  phase_ = Phase::tunnel;
  TunnelStream stream(*this);
  parser_.reset();
  std::optional<std::string> fault;
  try {
    co_await tunnel_.run(stream);
  } catch (boost::system::system_error const&) {  // NOLINT(bugprone-empty-catch)
    // The client has gone, or the server stops.
  } catch (std::exception const& thrown) {
    fault = thrown.what();
  }
  tunnel_ = {};  // The other side must not wait until this one has closed.
  if ((co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none)
    co_return false;
  if (fault)
    log::error("a tunnel broke off", {{"peer", peer_}, {"error", std::string_view(*fault)}});
  co_return socket_.is_open();
}

// Closing while the client still sends makes the kernel answer with a reset, and the client would lose the answer that
// says why. So we say that we are done, and read on for a moment.
Task<void> Connection::linger() {
  error_code error;
  socket_.shutdown(tcp::socket::shutdown_send, error);
  enter(Phase::linger, linger_time);
  for (std::size_t read = 0; !error && read < linger_bytes_max;) {
    input_.clear();
    read += co_await socket_.async_read_some(room(), asio::redirect_error(asio::use_awaitable, error));
  }
}

// ---- lanes ----

/// The timer is the coroutine's own and not the lane's: what is suspended when the contexts go takes the shared state
/// with it, possibly after the lane's context.
Task<void> tick(std::shared_ptr<ServerState> state, Lane& lane) {
  Timer timer(lane.context);
  while (!lane.connections.empty() || !lane.secured.empty()) {
    lane.date = date_line(state->clock.now());
    auto const now = state->clock.steady();
    for (auto next = lane.connections.begin(); next != lane.connections.end();)
      (*next++)->check(now);
    for (auto next = lane.secured.begin(); next != lane.secured.end();)
      (*next++)->check(now);
    timer.expires_after(tick_interval);
    error_code error;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
  }
  lane.is_ticking = false;
}

/// A server without connections has no timer running, so idle roles cost nothing.
void keep_ticking(std::shared_ptr<ServerState> const& state, Lane& lane) {
  if (!std::exchange(lane.is_ticking, true))
    spawn(lane.context.get_executor(), "http tick", tick(state, lane));
}

using SharedPlace = std::shared_ptr<Place const>;

Task<void> serve(std::shared_ptr<ServerState> state, Lane& lane, Socket socket, SharedPlace place,
                 Connection::Via via) {
  Connection connection(*state, lane, std::move(socket), *place, via);
  keep_ticking(state, lane);
  auto const executor = co_await asio::this_coro::executor;
  co_await asio::co_spawn(executor, connection.run(),
                          asio::bind_cancellation_slot(connection.slot(), asio::use_awaitable));
}

/// Among those that the lane looks after, and for the time of the handshake among those that are counted.
class Secured {
 public:
  Secured(ServerState& state, Lane& lane, Socket socket, SSL_CTX& context)
      : connection(std::move(socket), context, state.clock),
        state_(state),
        lane_(lane),
        in_lane_(lane.secured.insert(lane.secured.end(), &connection)) {}
  ~Secured() { lane_.secured.erase(in_lane_); }
  Secured(Secured const&) = delete;
  Secured& operator=(Secured const&) = delete;

  [[nodiscard]] Task<std::optional<Socket>> shake_hands() {
    struct Count {  // NOLINT(cppcoreguidelines-special-member-functions)
      std::atomic<std::size_t>& handshakes;
      bool const is_over;
      ~Count() { --handshakes; }
    };
    Count const count{state_.handshakes, ++state_.handshakes > state_.limits.handshakes_max};
    if (count.is_over)
      co_return std::nullopt;
    co_return co_await connection.shake_hands();
  }

  TlsConnection connection;

 private:
  ServerState& state_;
  Lane& lane_;
  std::list<TlsConnection*>::iterator in_lane_;
};

/// The place is taken until both halves are gone: what is still to be encrypted belongs to the answer.
Task<void> serve_tls(std::shared_ptr<ServerState> state, Lane& lane, Socket socket, SharedPlace place) {
  auto const context = state->tls->context();
  Secured secured(*state, lane, std::move(socket), *context);
  keep_ticking(state, lane);
  auto inner = co_await secured.shake_hands();
  if (!inner)
    co_return;
  spawn(lane.context.get_executor(), "http connection",
        serve(state, lane, std::move(*inner), place, Connection::Via::tls));
  co_await secured.connection.run();
}

// The lane with the fewest connections, in turns when several have. SO_REUSEPORT would hash connections onto the
// lanes: of 32 connections on two lanes one lane then gets 20 or more in every fourth run, and the other idles.
Lane& choose_lane(ServerState& state) {
  auto const count = state.lanes.size();
  auto const first = state.next_lane++ % count;
  Lane* best = state.lanes[first].get();
  for (std::size_t i = 1; i < count; ++i) {
    auto* const lane = state.lanes[(first + i) % count].get();
    if (lane->admitted.load(std::memory_order_relaxed) < best->admitted.load(std::memory_order_relaxed))
      best = lane;
  }
  return *best;
}

void admit(std::shared_ptr<ServerState> const& state, Lane& lane, Socket socket) {
  error_code error;
  auto const remote = socket.remote_endpoint(error);
  if (error)
    return;
  auto taken = Place::take(state, lane, remote.address().to_string());
  if (!taken)
    return;
  auto place = std::make_shared<Place const>(std::move(*taken));
  auto const executor = lane.context.get_executor();
  if (state->tls != nullptr) {
    spawn(executor, "TLS connection", serve_tls(state, lane, std::move(socket), std::move(place)));
  } else {
    spawn(executor, "http connection", serve(state, lane, std::move(socket), std::move(place), Connection::Via::plain));
  }
}

Task<void> accept(std::shared_ptr<ServerState> state) {
  asio::steady_timer pause(co_await asio::this_coro::executor);
  while (state->is_accepting) {
    auto& lane = choose_lane(*state);
    Socket socket(lane.context);
    error_code error;
    co_await state->acceptor->async_accept(socket, asio::redirect_error(asio::use_awaitable, error));
    if (!error) {
      admit(state, lane, std::move(socket));
      continue;
    }
    if (!state->is_accepting)
      co_return;
    if (error == asio::error::connection_aborted)
      continue;
    // Most likely there are no file descriptors left; trying again at once would only burn the processor.
    log::error("a connection cannot be accepted", {{"error", error.message()}});
    pause.expires_after(accept_pause);
    co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, error));
  }
}

/// Whom the kernel has let in already would be cut off with the listener.
void admit_waiting(std::shared_ptr<ServerState> const& state) {
  error_code error;
  state->acceptor->non_blocking(true, error);
  while (!error) {
    auto& lane = choose_lane(*state);
    Socket socket(lane.context);
    state->acceptor->accept(socket, error);
    if (!error)
      admit(state, lane, std::move(socket));
  }
}

tcp::endpoint resolve_listener(asio::io_context& context, std::string const& host, std::uint16_t port) {
  error_code error;
  auto const address = asio::ip::make_address(host, error);
  if (!error)
    return {address, port};
  tcp::resolver resolver(context);
  auto const found = resolver.resolve(host, std::to_string(port), tcp::resolver::passive, error);
  if (error || found.empty())
    throw Fault("cannot listen on '" + host + "': no such address; set another host");
  return found.begin()->endpoint();
}

}  // namespace

// ---- Server ----

Server::Server(std::vector<asio::io_context*> contexts, std::string const& host, std::uint16_t port,
               Dispatcher& dispatcher, ServerLimits limits, Clock const& clock, Random& random, TlsCertificate* tls)
    : state_(std::make_shared<ServerState>(dispatcher, limits, clock, random, tls)) {
  assert(!contexts.empty());
  for (auto* const context : contexts)
    state_->lanes.push_back(std::make_unique<Lane>(*context));
  auto const endpoint = resolve_listener(*contexts.front(), host, port);
  auto& acceptor = state_->acceptor.emplace(*contexts.front());
  try {
    acceptor.open(endpoint.protocol());
    acceptor.set_option(tcp::acceptor::reuse_address(true));
    acceptor.bind(endpoint);
    acceptor.listen();
  } catch (boost::system::system_error const& error) {
    throw Fault("cannot listen on " + host + ":" + std::to_string(port) + ": " + error.code().message() +
                "; stop the program that uses the port, or set another one");
  }
  state_->port = acceptor.local_endpoint().port();
}

Server::~Server() {
  if (state_->is_started && !state_->is_stopped)
    stop(Deadline::after(seconds{0}));
}

std::uint16_t Server::port() const { return state_->port; }

void Server::start() {
  assert(!state_->is_started);
  state_->is_started = true;
  spawn(state_->lanes.front()->context.get_executor(), "http accept", accept(state_));
}

void Server::stop(Deadline deadline) {
  if (state_->is_stopped)
    return;
  state_->is_stopped = true;
  state_->is_accepting = false;
  auto const is_closed = std::make_shared<std::promise<void>>();
  asio::post(state_->lanes.front()->context, [state = state_, is_closed] {
    admit_waiting(state);
    error_code ignored;
    state->acceptor->close(ignored);
    is_closed->set_value();
  });
  // Contexts that nobody runs any more will neither do that nor end their connections.
  bool const runs = std::ranges::none_of(state_->lanes, [](auto const& lane) { return lane->context.stopped(); });
  if (runs)
    is_closed->get_future().wait_until(deadline.at);
  auto const on_each_lane = [this](void (Connection::*act)(), void (TlsConnection::*act_before)() = nullptr) {
    for (auto const& lane : state_->lanes) {
      asio::post(lane->context, [state = state_, &lane = *lane, act, act_before] {
        lane.is_draining = true;
        for (auto next = lane.connections.begin(); next != lane.connections.end();)
          ((*next++)->*act)();
        for (auto next = lane.secured.begin(); act_before != nullptr && next != lane.secured.end();)
          ((*next++)->*act_before)();
      });
    }
  };
  on_each_lane(&Connection::say_goodbye);
  state_->wait_until_none(std::min(deadline.at, Deadline::after(goodbye_time).at));
  on_each_lane(&Connection::close_if_idle, &TlsConnection::close_if_new);
  state_->wait_until_none(deadline.at);
  on_each_lane(&Connection::abort, &TlsConnection::abort);
  if (runs)
    state_->wait_until_none(Deadline::after(cancel_time).at);
  if (connections() > 0) {
    log::error("connections are left after a stop", {{"connections", static_cast<std::int64_t>(connections())}});
  }
}

std::size_t Server::connections() const {
  std::scoped_lock const lock(state_->mutex);
  return state_->open;
}

std::uint64_t Server::requests() const { return state_->requests.load(std::memory_order_relaxed); }

}  // namespace al::http
