#pragma once
#include <boost/asio/any_io_executor.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "core/async.hpp"
#include "core/random.hpp"
#include "redis/protocol.hpp"
#include "redis/reply.hpp"
#include "redis/settings.hpp"

namespace al::redis {

struct ConnectionLimits {
  std::size_t commands_max = 16'384;  ///< called and not answered yet; one more is refused
  std::size_t bytes_max = 64 << 20;   ///< of those commands together
  ReplyLimits reply{};
};

/// For metrics.
struct ConnectionView {
  bool is_connected = false;
  std::size_t commands = 0;    ///< called and not answered yet
  std::size_t bytes = 0;       ///< of those
  std::uint64_t connects = 0;  ///< since the start
  std::uint64_t losses = 0;    ///< of connections that stood
};

/// One connection to Redis that all coroutines of an executor share: their commands go out together and are answered in
/// their order (pipelining). Not thread-safe. Made at the first call; then kept, and made anew when it is lost. It may
/// be destroyed while calls run: they end as unavailable.
///
/// While Redis is away calls fail at once. Only the first attempt after a loss, and the very first, is waited for.
/// A server that becomes a replica, loads its data or has lost its master is left, and the master looked up again.
class Connection {
 public:
  /// `random` spreads the attempts of many processes, and outlives this. Throws Fault when a TLS file cannot be read.
  Connection(asio::any_io_executor executor, Options options, Random& random, ConnectionLimits limits = {});
  ~Connection();
  Connection(Connection const&) = delete;
  Connection& operator=(Connection const&) = delete;

  /// Sends and waits for the answer. No command that blocks or subscribes, no MULTI (others' commands would stand in
  /// between; a script is the way).
  /// Errors:
  /// - timed_out: the deadline or Options::command_timeout passed. The command may be done yet.
  /// - unavailable: Redis is away, refuses for now, or is overloaded from here (ConnectionLimits). When the connection
  ///   broke before the answer the command may have been done; it is sent again, once, if it is repeatable.
  /// - payload_too_large: the command alone is over the limits.
  /// - internal: Redis refused the command. `where` has its words, which begin with a code ("WRONGTYPE …"); the
  ///   arguments that it may quote are cut off. Errors inside an array stay replies.
  /// Cancelling a caller only detaches it: what was sent is done, and its answer dropped.
  [[nodiscard]] Task<Result<Reply>> run(Command command, Deadline deadline);

  [[nodiscard]] ConnectionView view() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace al::redis
