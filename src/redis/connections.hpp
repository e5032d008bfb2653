#pragma once
#include <boost/asio/io_context.hpp>
#include <memory>
#include <utility>
#include <vector>

#include "redis/connection.hpp"

namespace al::redis {

/// A connection for each I/O context, so that a call stays on the thread of its caller and needs no lock.
class Connections {
 public:
  /// `random` outlives this.
  Connections(Options options, Random& random, ConnectionLimits limits = {});

  /// Before the contexts run; from then on any of their threads may ask. No byte is sent before the first call.
  /// Throws Fault as Connection does.
  void open(std::vector<asio::io_context*> const& contexts);
  /// After the contexts have stopped and before they go. here() throws from now on. Calls under way end as unavailable,
  /// once their context runs again: whoever stopped it restarts and polls it, or their coroutines are never freed.
  void close();

  /// The connection of the context that the calling coroutine runs on; else it throws Fault.
  [[nodiscard]] Connection& here(asio::any_io_executor const&);

 private:
  Options const options_;
  Random& random_;
  ConnectionLimits const limits_;
  std::vector<std::pair<asio::execution_context*, std::unique_ptr<Connection>>> connections_;
};

}  // namespace al::redis
