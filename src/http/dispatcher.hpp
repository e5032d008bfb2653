#pragma once
/// What a server asks for answers: a router, or a gateway before several of them.

#include <chrono>
#include <cstddef>
#include <optional>
#include <string_view>

#include "http/context.hpp"
#include "http/message.hpp"

namespace al::http {

/// Writes an error as the clients of a route understand it; problem() is the usual one.
using ErrorFormat = Response (*)(Error const&, std::string_view request_id, int status);

/// `application/problem+json` with type, title, status, detail, code, request_id and errors[{path, message}].
/// `status` other than 0 stands in for status_of(code), where HTTP has a finer one (408, 501).
[[nodiscard]] Response problem(Error const& error, std::string_view request_id, int status = 0);

/// What a server must know of a route before it has read the body.
struct RouteLimits {
  std::size_t body_max;
  std::chrono::seconds time_max;
  bool ends_with_client;
  ErrorFormat error_format;
};

/// Any thread.
class Dispatcher {
 public:
  virtual ~Dispatcher() = default;

  /// Never throws but for cancellation: every failure becomes a problem response (RFC 9457).
  /// Path and query are read from `Request::target`. A Context that brings a principal (from the gateway in the same
  /// process) or a request id keeps it. The answer to HEAD has no body, but its Content-Length.
  [[nodiscard]] virtual Task<Response> dispatch(Context, Request) = 0;

  /// The limits of the route of this request, before the body is read; nullopt: no such route.
  /// `path` is a request target or a path.
  [[nodiscard]] virtual std::optional<RouteLimits> limits(Method, std::string_view path) const = 0;
};

}  // namespace al::http
