#pragma once
/// Whose pages may use a route from a browser: the Origin of a request (RFC 6454) against its Host and a list.

#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace al::http {

/// The list of AGENT_LIGHTNING_ALLOWED_ORIGINS. Immutable, so any thread may use it. A request without Origin comes
/// from no page and is the caller's to judge.
class AllowedOrigins {
 public:
  /// Commas between origins as browsers send them: `https://app.example.com`, `http://127.0.0.1:3000`. The port of the
  /// scheme may be written out. Errors: invalid, naming the entry.
  [[nodiscard]] static Result<AllowedOrigins> from(std::string_view list);

  /// Whether a page of `origin` may talk to the server that the client calls `host` (the Host header): a page of that
  /// host and port, over http or https, and those of the list. Never "null", which every sandboxed frame sends.
  [[nodiscard]] bool allows(std::string_view origin, std::string_view host) const;

 private:
  std::vector<std::string> origins_;
};

}  // namespace al::http
