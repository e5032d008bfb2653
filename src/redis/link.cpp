#include "redis/link.hpp"

#include <openssl/ssl.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <utility>
#include <vector>

#include "core/fault.hpp"

namespace al::redis {
namespace {

namespace ssl = asio::ssl;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::size_t read_bytes = 32 * 1024;
/// A larger buffer is given back after use: one large value must not cost its size for ever.
constexpr std::size_t kept_bytes_max = 1 << 20;

void check_file(error_code error, std::string_view what, std::string const& file) {
  if (error)
    throw Fault(std::string(what) + " for Redis cannot be read from '" + file + "': " + error.message());
}

}  // namespace

std::shared_ptr<ssl::context> make_tls_context(Options const& options) {
  auto context = std::make_shared<ssl::context>(ssl::context::tls_client);
  context->set_options(ssl::context::default_workarounds | ssl::context::no_tlsv1 | ssl::context::no_tlsv1_1 |
                       ssl::context::no_compression);
  context->set_verify_mode(ssl::verify_peer);
  error_code error;
  if (options.ca_file.empty()) {
    context->set_default_verify_paths(error);
  } else {
    context->load_verify_file(options.ca_file, error);
  }
  check_file(error, "the certificates to trust", options.ca_file);
  if (!options.certificate_file.empty()) {
    context->use_certificate_chain_file(options.certificate_file, error);
    check_file(error, "our certificate", options.certificate_file);
    context->use_private_key_file(options.key_file, ssl::context::pem, error);
    check_file(error, "our key", options.key_file);
  }
  return context;
}

struct Link::Sockets {
  explicit Sockets(asio::any_io_executor const& executor)
      : socket(executor), resolver(executor), looked_up(executor), limit(executor) {}

  tcp::socket socket;
  std::shared_ptr<ssl::context> context;
  std::optional<ssl::stream<tcp::socket&>> tls;
  tcp::resolver resolver;
  asio::steady_timer looked_up;  ///< cancelled when the look-up is over
  std::optional<Result<std::vector<tcp::endpoint>>> endpoints;
  asio::steady_timer limit;
};

Link::Link(asio::any_io_executor executor,  // NOLINT(performance-unnecessary-value-param): the header's
           ReplyLimits limits)
    : sockets_(std::make_unique<Sockets>(executor)), parser_(limits), last_heard_(std::chrono::steady_clock::now()) {}
Link::~Link() = default;

// ---- time and end ----

void Link::expect_by(SteadyTime at) {
  limit_ = at;
  // A limit that moves back needs no new wait: the handler of the old one looks again.
  if (!armed_ || at < armed_for_)
    arm();
}

void Link::expect_nothing() {
  limit_ = SteadyTime::max();
  armed_ = false;
  sockets_->limit.cancel();
}

void Link::arm() {
  armed_ = true;
  armed_for_ = limit_;
  sockets_->limit.expires_at(limit_);
  sockets_->limit.async_wait([weak = weak_from_this()](error_code error) {
    auto const self = weak.lock();
    if (error || !self || !self->armed_)
      return;
    if (std::chrono::steady_clock::now() < self->limit_) {
      self->arm();
      return;
    }
    self->shut({.code = Code::timed_out, .message = "Redis did not answer in time."});
  });
}

void Link::close(std::string const& reason) { shut({.code = Code::unavailable, .message = reason}); }

void Link::shut(Error reason) {
  if (closed_for_)
    return;
  closed_for_ = std::move(reason);
  expect_nothing();
  error_code ignored;
  sockets_->socket.close(ignored);
  sockets_->resolver.cancel();
  sockets_->looked_up.cancel();
}

std::unexpected<Error> Link::failure() const {
  return fail(closed_for_ ? *closed_for_ : Error{.code = Code::unavailable, .message = "The connection is closed."});
}

// ---- opening ----

Task<Result<void>> Link::open(Address address, std::shared_ptr<ssl::context> tls, SteadyTime until) {
  auto const self = shared_from_this();
  expect_by(until);
  if (auto found = co_await look_up(address); !found)
    co_return found;
  if (auto connected = co_await connect(); !connected)
    co_return connected;
  if (!tls)
    co_return Result<void>();
  sockets_->context = std::move(tls);
  co_return co_await shake_hands(address.host, *sockets_->context);
}

// getaddrinfo cannot be interrupted, so the call is left behind when the link closes.
Task<Result<void>> Link::look_up(Address const& address) {
  error_code error;
  auto const literal = asio::ip::make_address(address.host, error);
  if (!error) {
    sockets_->endpoints = std::vector{tcp::endpoint(literal, address.port)};
    co_return Result<void>();
  }
  sockets_->looked_up.expires_at(SteadyTime::max());
  sockets_->resolver.async_resolve(address.host, std::to_string(address.port), tcp::resolver::numeric_service,
                                   [self = shared_from_this()](error_code failed, auto const& found) {
                                     auto& sockets = *self->sockets_;
                                     auto& endpoints = sockets.endpoints.emplace();
                                     for (auto const& entry : found)
                                       endpoints->push_back(entry.endpoint());
                                     if (failed || endpoints->empty())
                                       endpoints = fail(Code::unavailable, "the name of Redis's host is not known");
                                     sockets.looked_up.cancel();
                                   });
  co_await sockets_->looked_up.async_wait(asio::redirect_error(asio::use_awaitable, error));
  if (closed_for_)
    co_return failure();
  if (!*sockets_->endpoints)
    close(sockets_->endpoints->error().message);
  co_return closed_for_ ? Result<void>(failure()) : Result<void>();
}

Task<Result<void>> Link::connect() {
  error_code error;
  co_await asio::async_connect(sockets_->socket, **sockets_->endpoints,
                               asio::redirect_error(asio::use_awaitable, error));
  if (error)
    close("connecting failed: " + error.message());
  if (closed_for_)
    co_return failure();
  sockets_->socket.set_option(tcp::no_delay(true), error);
  sockets_->socket.non_blocking(true, error);
  co_return Result<void>();
}

Task<Result<void>> Link::shake_hands(std::string const& host, ssl::context& context) {
  auto& tls = sockets_->tls.emplace(sockets_->socket, context);
  error_code error;
  asio::ip::make_address(host, error);
  // RFC 6066: no address literals in SNI.
  if (error && SSL_set_tlsext_host_name(tls.native_handle(), host.c_str()) != 1) {
    close("the host's name cannot be used for TLS");
    co_return failure();
  }
  tls.set_verify_callback(ssl::host_name_verification(host));
  co_await tls.async_handshake(ssl::stream_base::client, asio::redirect_error(asio::use_awaitable, error));
  if (error)
    close("the TLS handshake failed: " + error.message());
  co_return closed_for_ ? Result<void>(failure()) : Result<void>();
}

// ---- sending ----

void Link::send(std::string_view bytes) {
  if (closed_for_)
    return;
  output_.append(bytes);
  if (std::exchange(pumping_, true))
    return;
  asio::post(sockets_->socket.get_executor(), [self = shared_from_this()] { self->pump(); });
}

void Link::pump() {
  if (writing_.capacity() > kept_bytes_max)
    writing_ = {};
  writing_.clear();
  writing_.swap(output_);
  if (closed_for_ || writing_.empty()) {
    pumping_ = false;
    return;
  }
  auto done = [self = shared_from_this()](error_code error, std::size_t) {
    if (error)
      self->close("sending failed: " + error.message());
    self->pump();
  };
  if (sockets_->tls) {
    asio::async_write(*sockets_->tls, asio::buffer(writing_), std::move(done));
    return;
  }
  // Most commands fit into the socket's buffer: then no operation needs to be started and waited for.
  error_code error;
  auto const written = sockets_->socket.write_some(asio::buffer(writing_), error);
  if (error && error != asio::error::would_block)
    close("sending failed: " + error.message());
  if (closed_for_ || written == writing_.size()) {
    pumping_ = false;
    return;
  }
  asio::async_write(sockets_->socket, asio::buffer(writing_) + written, std::move(done));
}

// ---- receiving ----

Task<Result<void>> Link::fill() {
  auto const self = shared_from_this();
  if (closed_for_)
    co_return failure();
  input_.resize(read_bytes);
  error_code error;
  auto token = asio::redirect_error(asio::use_awaitable, error);
  auto const room = asio::buffer(input_);
  auto const got = sockets_->tls ? co_await sockets_->tls->async_read_some(room, token)
                                 : co_await sockets_->socket.async_read_some(room, token);
  if (error == asio::error::eof)
    close("Redis closed the connection.");
  if (error)
    close("reading failed: " + error.message());
  if (closed_for_)
    co_return failure();
  last_heard_ = std::chrono::steady_clock::now();
  auto fed = parser_.feed(std::string_view(input_).substr(0, got));
  if (!fed)
    close(fed.error().message);
  co_return fed;
}

Task<Result<Reply>> Link::receive() {
  for (;;) {
    auto reply = next();
    if (!reply) {
      close(reply.error().message);
      co_return failure();
    }
    if (*reply)
      co_return std::move(**reply);
    if (auto filled = co_await fill(); !filled)
      co_return fail(std::move(filled.error()));
  }
}

}  // namespace al::redis
