#pragma once
#include <boost/asio/io_context.hpp>
#include <memory>
#include <utility>
#include <vector>

#include "http/client.hpp"

namespace al::http {

/// A client for each I/O context, so that a call stays on the thread of its caller and connections need no lock. Made
/// before the contexts run; then any of their threads may ask.
class ClientPool {
 public:
  /// Throws Fault as Client does.
  ClientPool(std::vector<asio::io_context*> const& contexts, ClientOptions const&);

  /// The client of the context that the calling coroutine runs on; else it throws Fault.
  [[nodiscard]] Client& here(asio::any_io_executor const&);

 private:
  std::vector<std::pair<asio::execution_context*, std::unique_ptr<Client>>> clients_;
};

}  // namespace al::http
