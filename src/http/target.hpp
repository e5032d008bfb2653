#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.hpp"

namespace al::http {

/// Stands in a decoded path for a slash or backslash that was escaped, so that it does not divide segments.
/// No path can hold it otherwise, control characters being refused.
inline constexpr char escaped_slash = '\x1e';
inline constexpr char escaped_backslash = '\x1f';

struct Target {
  std::string path;                                        ///< decoded, always beginning with '/'
  std::vector<std::pair<std::string, std::string>> query;  ///< decoded, in order
};

/// Takes a request target in origin form ("/agents/a%20b?limit=5") apart.
/// Errors: bad_request for what could mean two things to two readers: a broken escape, a control character, text that
/// is no UTF-8, and the segments "." and "..".
[[nodiscard]] Result<Target> read_target(std::string_view);

/// "http://host/path?query" as "/path?query" (RFC 9112, section 3.2.2). Nothing when it is no target that we serve, or
/// names another host than the Host header does: a proxy before us may have decided by either.
[[nodiscard]] std::optional<std::string> origin_form(std::string const& target, std::string_view host);

/// RFC 9110, section 7.2: a host, and a port when there is a colon behind it.
[[nodiscard]] bool is_authority(std::string_view);

/// A segment of a decoded path as its client meant it.
[[nodiscard]] std::string segment_value(std::string_view);

/// Escapes all but the unreserved characters (RFC 3986, section 2.3), for one segment of a path or one query value.
[[nodiscard]] std::string percent_encode(std::string_view);

}  // namespace al::http
