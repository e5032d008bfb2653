#pragma once
/// A call of a service in another process: chosen among its instances, repeated where that is safe, and its answer
/// handed on as it comes.

#include <memory>
#include <string>

#include "core/random.hpp"
#include "http/client_pool.hpp"
#include "services/gateway/upstream.hpp"

namespace al::services::gateway {

/// What is to be asked. The headers are as the service gets them (make_forwarded()).
struct Outgoing {
  http::Method method = http::Method::get;
  std::string target;
  http::Headers headers;
  std::string body;
  Route const* route = nullptr;  ///< alive until forward() has answered
  Deadline deadline{};           ///< for all attempts, until an answer begins
  bool is_upgrade = false;       ///< a GET that asks for a WebSocket: after 101 bytes go both ways through a Tunnel
};

/// What forward() works with; all of it outlives the calls. Any thread that the clients know.
struct Means {
  http::ClientPool& clients;
  Clock const& clock;
  Random& random;
};

/// An answer without the headers that make_returned() leaves out. Small answers that came as a whole are whole.
/// Errors: unavailable (no instance takes calls; with `bad_answer`: none came), timed_out,
/// bad_request (the query is none that a URL can have).
[[nodiscard]] Task<Result<http::Response>> forward(std::shared_ptr<Upstream>, Outgoing, Means);

/// In Error::where when an instance could be asked, but gave no answer that can be passed on (502).
inline constexpr std::string_view bad_answer = "bad answer";

}  // namespace al::services::gateway
