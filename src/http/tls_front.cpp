#include "http/tls_front.hpp"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/redirect_error.hpp>
#include <tuple>

#include "core/fault.hpp"
#include "core/log.hpp"

namespace al::http {
namespace {

using asio::ip::tcp;
using boost::system::error_code;
using std::chrono::seconds;

constexpr std::size_t piece_bytes = 16 * 1024;  // a record of TLS has no more
constexpr std::size_t refused_bytes_max = 64 * 1024;
constexpr seconds look_interval{5};
constexpr seconds handshake_time{10};
constexpr seconds stall_time{30};
constexpr seconds refuse_time{2};
/// The server reads on for two seconds after its last word; it must not be cut off meanwhile.
constexpr seconds end_time{3};

/// What OpenSSL found wrong first; what follows in its queue says only where.
std::string openssl_error() {
  auto const code = ERR_peek_error();
  if (ERR_SYSTEM_ERROR(code))
    return boost::system::system_category().message(ERR_GET_REASON(code));
  auto const* const reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : "error " + std::to_string(code);
}

// RFC 7301, section 3.2: who offers protocols, but not ours, is refused and not left to guess.
int choose_protocol(SSL*, unsigned char const** chosen, unsigned char* size, unsigned char const* offered,
                    unsigned offered_size, void*) {
  constexpr std::string_view ours = "\x08http/1.1";
  unsigned char* found = nullptr;
  auto const outcome = SSL_select_next_proto(&found, size, reinterpret_cast<unsigned char const*>(ours.data()),
                                             static_cast<unsigned>(ours.size()), offered, offered_size);
  *chosen = found;
  return outcome == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

void configure(SSL_CTX* context) {
  // Of TLS 1.2 only what has forward secrecy and authenticates what it encrypts (RFC 9325, section 4.2).
  bool const is_set = SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
                      SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1;
  if (!is_set)
    throw Fault("TLS cannot be set up: " + openssl_error());
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(context,
                   SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);  // Clients keep their sessions in tickets.
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
  // Without this OpenSSL would ask for a pass phrase at the terminal.
  SSL_CTX_set_default_passwd_cb(context, [](char*, int, int, void*) { return -1; });
}

}  // namespace

// ---- certificate ----

TlsCertificate::TlsCertificate(std::string chain_file, std::string key_file, Clock const& clock)
    : chain_file_(std::move(chain_file)),
      key_file_(std::move(key_file)),
      clock_(clock),
      stamp_(look()),
      look_at_(clock.steady() + look_interval),
      context_(read()) {}

std::shared_ptr<SSL_CTX> TlsCertificate::context() {
  std::scoped_lock const lock(mutex_);
  if (auto const now = clock_.steady(); now >= look_at_) {
    look_at_ = now + look_interval;
    auto stamp = look();
    if (stamp != stamp_) {
      stamp_ = std::move(stamp);
      try {
        context_ = read();
        log::info("the certificate was read again", {{"file", std::string_view(chain_file_)}});
      } catch (Fault const& fault) {
        // Also when one of the two files has been replaced and the other one follows.
        log::error("the new certificate cannot be used; the old one stays",
                   {{"error", std::string_view(fault.what())}});
      }
    }
  }
  return context_;
}

TlsCertificate::Stamp TlsCertificate::look() const {
  Stamp out;
  for (auto const& file : {chain_file_, key_file_}) {
    struct stat found{};
    if (::stat(file.c_str(), &found) != 0) {
      out.text += "none;";
      continue;
    }
    for (auto const number : {static_cast<std::int64_t>(found.st_ino), static_cast<std::int64_t>(found.st_size),
                              static_cast<std::int64_t>(found.st_mtim.tv_sec), found.st_mtim.tv_nsec})
      out.text.append(std::to_string(number)).append(";");
  }
  return out;
}

std::shared_ptr<SSL_CTX> TlsCertificate::read() const {
  ERR_clear_error();
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()), &SSL_CTX_free);
  if (!context)
    throw Fault("TLS cannot be set up: " + openssl_error());
  configure(context.get());
  if (SSL_CTX_use_certificate_chain_file(context.get(), chain_file_.c_str()) != 1)
    throw Fault("the certificate cannot be read from '" + chain_file_ + "': " + openssl_error());
  // It also finds out whether the two belong together.
  if (SSL_CTX_use_PrivateKey_file(context.get(), key_file_.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(context.get()) != 1) {
    throw Fault("the key of the certificate '" + chain_file_ + "' cannot be read from '" + key_file_ +
                "': " + openssl_error());
  }
  return context;
}

// ---- connection ----

TlsConnection::TlsConnection(Socket client, SSL_CTX& context, Clock const& clock)
    : client_(std::move(client)),
      server_(client_.get_executor()),
      clock_(clock),
      tls_(SSL_new(&context), &SSL_free),
      deadline_(clock.steady() + handshake_time) {
  if (!tls_ || SSL_set_fd(tls_.get(), client_.native_handle()) != 1)
    throw Fault("a TLS connection cannot be set up: " + openssl_error());
  error_code ignored;
  client_.set_option(tcp::no_delay(true), ignored);
  client_.non_blocking(true, ignored);
}

TlsConnection::~TlsConnection() = default;

void TlsConnection::check(SteadyTime now) {
  if (now >= deadline_)
    abort();
}

void TlsConnection::close_if_new() {
  if (is_new_)
    abort();
}

// After that OpenSSL must not be called any more: the descriptor may be another one's.
void TlsConnection::abort() {
  is_aborted_ = true;
  deadline_ = never;
  error_code ignored;
  client_.close(ignored);
  server_.close(ignored);
}

Task<void> TlsConnection::wait_for(Wait wait) {
  bool const is_client = wait == Wait::client_sends || wait == Wait::client_takes;
  bool const is_read = wait == Wait::client_sends || wait == Wait::server_sends;
  error_code error;
  co_await (is_client ? client_ : server_)
      .async_wait(is_read ? tcp::socket::wait_read : tcp::socket::wait_write,
                  asio::redirect_error(asio::use_awaitable, error));
  // Cancelled from outside, the sockets would still be open and waited for again at once.
  if (error)
    abort();
}

// ---- handshake ----

Task<std::optional<TlsConnection::Socket>> TlsConnection::shake_hands() {
  co_await wait_for(Wait::client_sends);
  if (!is_aborted_ && speaks_plain_http())
    co_await refuse_plain_http();
  while (!is_aborted_) {
    ERR_clear_error();
    auto const result = SSL_accept(tls_.get());
    if (result == 1) {
      is_new_ = false;
      deadline_ = never;
      co_return make_pair();
    }
    if (auto const wait = after_failure(result); wait != Wait::over)
      co_await wait_for(wait);
  }
  co_return std::nullopt;
}

// What the last call of OpenSSL waits for; `over` when it has failed for good.
TlsConnection::Wait TlsConnection::after_failure(int result) {
  switch (SSL_get_error(tls_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return Wait::client_sends;
    case SSL_ERROR_WANT_WRITE:
      return Wait::client_takes;
    default:
      log::debug(is_new_ ? "a TLS handshake failed" : "a TLS connection broke", {{"reason", openssl_error()}});
      abort();
      return Wait::over;
  }
}

// A TLS client begins with 22, the kind of its record.
bool TlsConnection::speaks_plain_http() {
  std::array<char, 1> first{};
  error_code error;
  client_.receive(asio::buffer(first), tcp::socket::message_peek, error);
  return !error && first[0] >= 'A' && first[0] <= 'Z';
}

Task<void> TlsConnection::refuse_plain_http() {
  constexpr std::string_view answer =
      "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 47\r\nConnection: close\r\n\r\n"
      "This port speaks TLS only: use an https:// URL.";
  static_assert(answer.ends_with("URL.") && answer.size() - answer.find("This port") == 47);
  deadline_ = clock_.steady() + refuse_time;
  error_code error;
  client_.write_some(asio::buffer(answer), error);
  client_.shutdown(tcp::socket::shutdown_send, error);
  // Closing while bytes are unread would make the kernel answer with a reset, and the client could lose the answer.
  for (std::size_t read = 0; !error && read < refused_bytes_max;) {
    std::array<char, 1024> room{};
    read += co_await client_.async_read_some(asio::buffer(room), asio::redirect_error(asio::use_awaitable, error));
  }
  abort();
}

std::optional<TlsConnection::Socket> TlsConnection::make_pair() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    log::error("a TLS connection cannot be served",
               {{"error", error_code(errno, boost::system::system_category()).message()}});
    abort();
    return std::nullopt;
  }
  // The kind of address matters only to calls that nobody makes on them.
  Socket out(client_.get_executor());
  server_.assign(tcp::v4(), ends[0]);
  out.assign(tcp::v4(), ends[1]);
  server_.non_blocking(true);
  return out;
}

// ---- both ways ----

Task<void> TlsConnection::run() {
  auto const executor = co_await asio::this_coro::executor;
  auto both = asio::experimental::make_parallel_group(
      asio::co_spawn(executor, carry(&TlsConnection::move_in), asio::deferred),
      asio::co_spawn(executor, carry(&TlsConnection::move_out), asio::deferred));
  std::ignore = co_await both.async_wait(asio::experimental::wait_for_all(), asio::use_awaitable);
}

Task<void> TlsConnection::carry(Wait (TlsConnection::*move)()) {
  while (!is_aborted_) {
    auto const wait = (this->*move)();
    if (wait == Wait::over)
      co_return;
    co_await wait_for(wait);
  }
}

TlsConnection::Wait TlsConnection::move_in() {
  for (;;) {
    if (!in_.empty()) {
      auto const bytes = std::exchange(in_, {});
      if (!give_server(bytes))
        return Wait::over;
      if (!in_.empty())
        return Wait::server_takes;
    }
    std::array<char, piece_bytes> room;  // NOLINT(cppcoreguidelines-pro-type-member-init): it is written next
    ERR_clear_error();
    auto const got = SSL_read(tls_.get(), room.data(), static_cast<int>(room.size()));
    if (got > 0) {
      in_.assign(room.data(), static_cast<std::size_t>(got));
      continue;
    }
    if (SSL_get_error(tls_.get(), got) != SSL_ERROR_ZERO_RETURN)
      return after_failure(got);
    error_code ignored;
    server_.shutdown(tcp::socket::shutdown_send, ignored);
    return Wait::over;
  }
}

// False when the server has closed; what it does not take stays in `in_`.
bool TlsConnection::give_server(std::string_view bytes) {
  error_code error;
  auto const taken = server_.write_some(asio::buffer(bytes), error);
  if (error && error != asio::error::would_block)
    return false;
  in_ = bytes.substr(taken);
  return true;
}

TlsConnection::Wait TlsConnection::move_out() {
  for (;;) {
    while (!out_.empty()) {
      auto const bytes = std::exchange(out_, {});
      if (auto const blocked = give_client(bytes))
        return *blocked;
    }
    std::array<char, piece_bytes> room;  // NOLINT(cppcoreguidelines-pro-type-member-init): it is written next
    error_code error;
    auto const got = server_.read_some(asio::buffer(room), error);
    if (error == asio::error::would_block)
      return Wait::server_sends;
    if (error) {
      end_output();
      return Wait::over;
    }
    out_.assign(room.data(), got);
  }
}

// What it waits for; nothing when something was taken. What was not stays in `out_`.
std::optional<TlsConnection::Wait> TlsConnection::give_client(std::string_view bytes) {
  ERR_clear_error();
  auto const taken = SSL_write(tls_.get(), bytes.data(), static_cast<int>(bytes.size()));
  if (taken > 0) {
    out_ = bytes.substr(static_cast<std::size_t>(taken));
    deadline_ = never;
    return std::nullopt;
  }
  auto const wait = after_failure(taken);
  out_ = bytes;
  if (deadline_ == never && !is_aborted_)
    deadline_ = clock_.steady() + stall_time;
  return wait;
}

// The server has said its last word. When it has closed as well, it wants to hear nothing more.
void TlsConnection::end_output() {
  SSL_shutdown(tls_.get());
  error_code ignored;
  client_.shutdown(tcp::socket::shutdown_send, ignored);
  pollfd closed{.fd = server_.native_handle(), .events = 0, .revents = 0};
  if (::poll(&closed, 1, 0) == 1 && (closed.revents & POLLHUP) != 0)
    return abort();
  deadline_ = clock_.steady() + end_time;
}

}  // namespace al::http
