#pragma once
#include <cstddef>
#include <string>
#include <string_view>

#include "core/time.hpp"
#include "http/message.hpp"

namespace al::http {

/// How the body of an answer is marked off on the wire.
enum class Framing {
  none,     ///< no body can follow (204, 304)
  length,   ///< Content-Length
  as_said,  ///< the answer to HEAD: the Content-Length that the response names
  chunked,
  close,  ///< until the connection ends, for HTTP/1.0
};

struct ResponseHead {
  Framing framing = Framing::length;
  std::size_t length = 0;
  bool keep_alive = true;
  bool is_http_1_0 = false;
  bool is_secure = false;        ///< over TLS: says that nothing else may be used for a year (RFC 6797)
  std::string_view date_line{};  ///< "Date: …\r\n" or empty
};

/// Writes status line and headers, with the empty line. Headers that belong to the connection are the server's: those
/// that a handler set (Connection, Transfer-Encoding, Content-Length) are left out.
void append_response_head(std::string& out, Response const&, ResponseHead const&);

/// "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
[[nodiscard]] std::string date_line(Timestamp);

/// "1f\r\n": what stands before a piece of a chunked body.
[[nodiscard]] std::string chunk_head(std::size_t size);

}  // namespace al::http
