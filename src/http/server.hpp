#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/async.hpp"
#include "core/random.hpp"
#include "http/dispatcher.hpp"
#include "http/trusted_proxies.hpp"
#include "http/websocket.hpp"

namespace al::http {

struct ServerState;
class TlsCertificate;

/// Limits on everything that a client can make us hold or wait for.
struct ServerLimits {
  std::size_t connections_max = 10'000;      ///< over it: 503 and close
  std::size_t connections_per_peer_max = 0;  ///< of one address; 0: no limit, for servers behind a proxy
  std::size_t header_bytes_max = 16 * 1024;  ///< over it: 431
  std::chrono::seconds header_timeout{10};   ///< from the first byte (or accept) to the end of the headers
  std::chrono::seconds idle_timeout{75};     ///< between requests of a kept connection
  std::size_t body_rate_min = 1024;          ///< bytes a second, after 10 s
  std::chrono::seconds handler_timeout{30};
  std::chrono::seconds write_timeout{30};
  std::size_t handshakes_max = 1000;  ///< TLS handshakes at one time; over it: closed without a word
  WebSocketLimits websocket{};
  TrustedProxies proxies{};  ///< whose word on where a request came from counts
};

/// Serves one dispatcher on one port, on every I/O context given; each context must be run by one thread. A connection
/// lives on one context, and what ServerLimits say of time is checked four times a second by `Clock::steady`.
class Server {
 public:
  /// Binds at once. Throws Fault when the address cannot be bound, naming address and remedy. Port 0 picks a free one.
  /// With a certificate, which outlives the server, the port speaks TLS only.
  Server(std::vector<asio::io_context*> contexts, std::string const& host, std::uint16_t port, Dispatcher&,
         ServerLimits, Clock const&, Random&, TlsCertificate* = nullptr);
  ~Server();
  Server(Server const&) = delete;
  Server& operator=(Server const&) = delete;
  [[nodiscard]] std::uint16_t port() const;
  void start();
  /// Stops accepting, cancels streams, closes WebSockets with 1001, tells who still asks within a second to close, then
  /// closes idle connections, lets running requests end until the deadline, then cancels them. Returns when all are
  /// gone. Any thread but the I/O threads'.
  void stop(Deadline);
  [[nodiscard]] std::size_t connections() const;
  [[nodiscard]] std::uint64_t requests() const;

 private:
  std::shared_ptr<ServerState> state_;
};

}  // namespace al::http
