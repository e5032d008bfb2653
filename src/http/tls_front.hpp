#pragma once
/// TLS (1.2 and 1.3) before the connections of our server: the certificate, and what stands between a client and the
/// plain connection that serves it.
///
/// Both are joined by a pair of local sockets, and not by a transport inside of the connection: WebSockets, tunnels and
/// streams wait for readiness, look at what is there without taking it, and write scattered buffers, which a descriptor
/// does and TLS does not. So the plain path stays as it is, and the other one costs a copy and two descriptors more.
/// OpenSSL works on the socket itself and not on Asio's stream, which holds four buffers of 17 KB for each client.

#include <openssl/types.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "core/async.hpp"

namespace al::http {

/// A certificate with its chain and key, read again when the files change. Any thread.
class TlsCertificate {
 public:
  /// PEM files; the key has no pass phrase. Throws Fault when they cannot be read or do not belong together, naming
  /// the file.
  TlsCertificate(std::string chain_file, std::string key_file, Clock const&);

  /// For a new connection. Looks whether the files have changed when the last look is five seconds old. Files that
  /// cannot be used are logged once, and what was read before stays.
  [[nodiscard]] std::shared_ptr<SSL_CTX> context();

 private:
  /// What the files looked like when they were read.
  struct Stamp {
    std::string text;
    bool operator==(Stamp const&) const = default;
  };
  [[nodiscard]] Stamp look() const;
  [[nodiscard]] std::shared_ptr<SSL_CTX> read() const;

  std::string const chain_file_;
  std::string const key_file_;
  Clock const& clock_;
  std::mutex mutex_;
  Stamp stamp_;                       // under mutex
  SteadyTime look_at_;                // under mutex
  std::shared_ptr<SSL_CTX> context_;  // under mutex
};

/// One client with TLS. Everything on the thread of its socket. OpenSSL writes with write(2): the process must ignore
/// SIGPIPE.
class TlsConnection {
 public:
  using Socket = asio::basic_stream_socket<asio::ip::tcp, asio::io_context::executor_type>;

  TlsConnection(Socket, SSL_CTX&, Clock const&);
  ~TlsConnection();
  TlsConnection(TlsConnection const&) = delete;
  TlsConnection& operator=(TlsConnection const&) = delete;

  /// The end of the plain connection, for the server. Nothing: the handshake failed or took more than ten seconds, or
  /// the client does not speak TLS and was told so.
  [[nodiscard]] Task<std::optional<Socket>> shake_hands();
  /// Hands bytes both ways until both sides are done. An end that the client did not announce (close_notify) is none of
  /// a message: the plain connection breaks.
  [[nodiscard]] Task<void> run();

  /// Called four times a second: ends what takes too long.
  void check(SteadyTime now);
  /// For a server that stops: who has not shaken hands yet has not asked anything.
  void close_if_new();
  /// Ends at once.
  void abort();

 private:
  static constexpr SteadyTime never = SteadyTime::max();
  enum class Wait : std::uint8_t { client_sends, client_takes, server_sends, server_takes, over };

  [[nodiscard]] bool speaks_plain_http();
  [[nodiscard]] Task<void> refuse_plain_http();
  [[nodiscard]] std::optional<Socket> make_pair();
  [[nodiscard]] Task<void> wait_for(Wait wait);
  [[nodiscard]] Task<void> carry(Wait (TlsConnection::*move)());
  [[nodiscard]] Wait move_in();
  [[nodiscard]] Wait move_out();
  [[nodiscard]] bool give_server(std::string_view bytes);
  [[nodiscard]] std::optional<Wait> give_client(std::string_view bytes);
  [[nodiscard]] Wait after_failure(int result);
  void end_output();

  Socket client_;
  Socket server_;  ///< our end of the pair
  Clock const& clock_;
  std::unique_ptr<SSL, void (*)(SSL*)> tls_;
  std::string in_;   ///< decrypted, and the server has not taken it
  std::string out_;  ///< to be encrypted, and the client has not taken it
  SteadyTime deadline_ = never;
  bool is_new_ = true;
  bool is_aborted_ = false;
};

}  // namespace al::http
