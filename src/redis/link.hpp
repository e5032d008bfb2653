#pragma once
/// One open connection to one server: socket, TLS, time limit, and the protocol's two directions.

#include <boost/asio/any_io_executor.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/async.hpp"
#include "redis/protocol.hpp"
#include "redis/settings.hpp"

namespace boost::asio::ssl {
class context;  // NOLINT(readability-identifier-naming): Asio names it
}

namespace al::redis {

/// TLS 1.2 and 1.3 with certificates and names checked, and our own certificate when the options have one.
/// Throws Fault, naming the file, when one cannot be read.
[[nodiscard]] std::shared_ptr<asio::ssl::context> make_tls_context(Options const&);

/// One executor's; not thread-safe. One coroutine reads at a time. Whoever starts something keeps it by shared_ptr.
class Link : public std::enable_shared_from_this<Link> {
 public:
  Link(asio::any_io_executor executor, ReplyLimits limits);
  ~Link();
  Link(Link const&) = delete;
  Link& operator=(Link const&) = delete;

  /// Looks the host up, connects, and shakes hands when there is a `tls` context. The limit `until` stays set.
  /// Errors: unavailable, timed_out.
  [[nodiscard]] Task<Result<void>> open(Address address, std::shared_ptr<asio::ssl::context> tls, SteadyTime until);

  /// Sends in the background, in the order of the calls; what several coroutines send in one turn of the executor goes
  /// out together. Who calls bounds how much. When it fails the link closes, which the reader notices.
  void send(std::string_view bytes);

  /// A reply that has come already. Errors: unavailable (not the protocol, over the limits).
  [[nodiscard]] Result<std::optional<Reply>> next() { return parser_.next(); }
  /// Waits for more bytes. Errors: unavailable, timed_out; then the link is closed.
  [[nodiscard]] Task<Result<void>> fill();
  /// Both: the next reply. Errors: as theirs.
  [[nodiscard]] Task<Result<Reply>> receive();

  /// From now on the link closes when this moment passes; the last call counts.
  void expect_by(SteadyTime at);
  void expect_nothing();

  /// What waits ends with this reason as unavailable. The first reason stays.
  void close(std::string const& reason);

  [[nodiscard]] bool is_open() const { return !closed_for_; }
  /// When bytes came last, or the link was made.
  [[nodiscard]] SteadyTime last_heard() const { return last_heard_; }

 private:
  struct Sockets;

  [[nodiscard]] Task<Result<void>> look_up(Address const& address);
  [[nodiscard]] Task<Result<void>> connect();
  [[nodiscard]] Task<Result<void>> shake_hands(std::string const& host, asio::ssl::context& context);
  [[nodiscard]] std::unexpected<Error> failure() const;
  void shut(Error reason);
  void arm();
  void pump();

  std::unique_ptr<Sockets> sockets_;
  Parser parser_;
  std::string output_;   ///< to be sent
  std::string writing_;  ///< being sent
  std::string input_;    ///< room for one read
  std::optional<Error> closed_for_;
  SteadyTime last_heard_;
  SteadyTime limit_ = SteadyTime::max();
  SteadyTime armed_for_ = SteadyTime::max();
  bool armed_ = false;
  bool pumping_ = false;
};

}  // namespace al::redis
