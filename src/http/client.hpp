#pragma once
#include <boost/asio/ip/address.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "core/async.hpp"
#include "http/message.hpp"

namespace al::http {

struct ClientOptions {
  std::chrono::seconds connect_timeout{10};
  std::chrono::seconds first_byte_timeout{30};  ///< from the request to the answer's head, and to its body's begin
  std::chrono::seconds idle_timeout{60};        ///< between two pieces of a streamed body
  std::size_t body_max = 16 << 20;              ///< of a body that is collected; over it: payload_too_large
  /// How long a connection is kept for the next call. Most servers keep theirs longer; older ones are not worth the
  /// risk of a lost request.
  std::chrono::seconds keep_timeout{30};
  std::size_t idle_connections_max = 128;    ///< kept per host; fewer than calls at a time means new connections
  std::size_t header_bytes_max = 64 * 1024;  ///< of an answer
  std::string ca_file{};                     ///< PEM; empty: the system's
  /// Asked for each address that the host has, right before connecting to it, so that a name cannot change between
  /// check and use. When it refuses one, nothing is connected to. Empty: every address is fine.
  std::function<bool(asio::ip::address const&)> is_address_allowed{};
};

/// An answer whose head has come and whose body is read as the reader likes: what is not read stays with the sender. It
/// lives on the client's executor and may outlive the client. Destroyed before the end it closes its connection.
class Incoming {
 public:
  virtual ~Incoming() = default;

  Response head;  ///< status and headers; its body stays empty

  /// All of the body that came by now and was not handed out yet; waits when that is nothing. Empty at the end, after
  /// which the connection serves the next call. What it answers is valid until the next call.
  /// Errors: unavailable (cut, not HTTP), timed_out.
  [[nodiscard]] virtual Task<Result<std::string_view>> read() = 0;
  /// As read(), without waiting: empty also when nothing came since.
  [[nodiscard]] virtual Result<std::string_view> read_now() = 0;
  /// Whether nothing more will come. A last read() gives the connection back.
  [[nodiscard]] virtual bool is_whole() const = 0;
  /// From now on this is the deadline of the whole answer, in place of the one that the call began with.
  virtual void expect_by(Deadline) = 0;
};

/// In Error::where of a call of which nothing was sent.
inline constexpr std::string_view not_connected = "connect";

/// What came of asking for another protocol on a connection.
struct Upgraded {
  Response head;                       ///< with the body of a refusal
  std::unique_ptr<ByteStream> stream;  ///< null unless head.status is 101; lives on the client's executor
};

/// An HTTP/1.1 client with TLS (1.2 and 1.3, certificate and name checked), kept connections and streamed answers.
/// Follows no redirects, ignores proxy variables. One executor's; not thread-safe. It may be destroyed while calls run:
/// they end by themselves. Cancelling a call closes its connection.
class Client {
 public:
  /// Throws Fault when `ca_file` cannot be read.
  Client(asio::any_io_executor, ClientOptions);
  ~Client();

  /// Sends, and waits for the answer's head, whatever its status. Errors: unavailable (cannot connect, certificate not
  /// trusted, cut, not HTTP), timed_out, invalid (no http or https URL), forbidden (address not allowed). A kept
  /// connection that turns out closed is replaced once, when the method is idempotent and no byte of the answer came.
  /// The deadline is that of the whole answer; a new connection must be there by `connect_by` as well.
  [[nodiscard]] Task<Result<std::unique_ptr<Incoming>>> open(Method, std::string url, Headers, std::string body,
                                                             Deadline, Deadline connect_by = {SteadyTime::max()});

  /// As open(), and collects the body. Errors: also payload_too_large.
  [[nodiscard]] Task<Result<Response>> send(Method, std::string url, Headers, std::string body, Deadline);

  /// As send(), but hands each piece of the body to `on_piece` as it comes; the answer's body stays empty.
  /// `on_piece` returning false ends the call. `on_head` sees status and headers first.
  [[nodiscard]] Task<Result<Response>> stream(Method, std::string url, Headers, std::string body, Deadline,
                                              std::function<bool(std::string_view)> on_piece,
                                              std::function<void(Response const&)> on_head = {});

  /// Asks with a GET for the protocol that the headers name (Upgrade, Sec-WebSocket-*; Connection is set here). After
  /// 101 the connection belongs to the stream, which the deadline does not limit; a piece that the other side does not
  /// take within `idle_timeout` breaks it. Any other answer is collected as by send().
  /// The connection must be there by `connect_by` as well. Errors: those of send().
  [[nodiscard]] Task<Result<Upgraded>> upgrade(std::string url, Headers, Deadline,
                                               Deadline connect_by = {SteadyTime::max()});

 private:
  struct State;
  class Exchange;
  [[nodiscard]] static Task<Result<Response>> collect(Incoming&, std::size_t body_max);
  std::shared_ptr<State> state_;
};

}  // namespace al::http
