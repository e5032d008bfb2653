#pragma once
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>

#include "http/message.hpp"

namespace al::http {

/// What the head of a request says of the connection and the body; the rest of it is in the Request.
struct RequestHead {
  std::string method;
  bool is_served_method = false;
  bool is_http_1_0 = false;
  bool asks_for_websocket = false;
  std::size_t hosts = 0;  ///< Host headers
  // Known when the head is whole.
  bool keep_alive = false;
  bool is_chunked = false;
  std::uint64_t content_length = 0;

  [[nodiscard]] bool has_body() const { return is_chunked || content_length > 0; }
};

/// Why bytes are no request, or one that is not taken.
struct ParseFault {
  enum class Kind { headers_too_large, body_too_large, malformed };

  Kind kind = Kind::malformed;
  std::string reason{};  ///< of a malformed one
};

/// Reads HTTP/1.0 and 1.1 requests (RFC 9112) piece by piece, and is strict: what two readers could understand in two
/// ways is refused.
class RequestParser {
 public:
  struct Taken {
    std::size_t bytes = 0;    ///< of the input; they are not given again
    bool needs_more = false;  ///< nothing goes on before there is more input
  };

  /// A head, the head of a chunk, and the trailers may each have `header_bytes_max` bytes.
  explicit RequestParser(std::size_t header_bytes_max);
  ~RequestParser();

  /// Forgets the request before. What is read goes into `request`, which stays there until the last read.
  void begin(Request& request);
  /// Reads of `input` what it can; the head and the body each end a read. After a fault nothing more can be read.
  [[nodiscard]] std::expected<Taken, ParseFault> read(std::string_view input);
  [[nodiscard]] bool is_head_done() const;
  [[nodiscard]] bool is_done() const;
  [[nodiscard]] RequestHead const& head() const;
  /// What a body in chunks may come to; asked for when the head is known.
  void limit_chunks(std::uint64_t bytes);

 private:
  struct Impl;
  std::size_t const header_bytes_max_;
  std::unique_ptr<Impl> impl_;
};

}  // namespace al::http
