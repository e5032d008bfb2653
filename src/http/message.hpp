#pragma once
/// Requests and responses as values; no Beast here, so that handlers and tests compile fast.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/async.hpp"
#include "core/result.hpp"

namespace al::http {

enum class Method { get, head, post, put, patch, del, options };

/// "GET", "DELETE", …
[[nodiscard]] std::string_view method_name(Method);
/// Methods are case-sensitive (RFC 9110, section 9.1). Nothing for those that we do not serve.
[[nodiscard]] std::optional<Method> method_of(std::string_view);
/// Compares ASCII letters without case: header names, tokens, host names.
[[nodiscard]] bool equal_without_case(std::string_view, std::string_view);

/// Header names compare without case. A setter refuses CR, LF and NUL by assertion: values from clients are checked
/// first.
class Headers {
 public:
  /// Replaces every field of that name.
  void set(std::string_view name, std::string_view value);
  /// Appends, also when there is one of that name.
  void add(std::string_view name, std::string_view value);
  void erase(std::string_view name);
  /// All fields whose name makes `is_unwanted(name)` true.
  template <class Predicate>
  void erase_if(Predicate is_unwanted) {
    std::erase_if(fields_, [&](auto const& field) { return is_unwanted(std::string_view(field.first)); });
  }
  /// The first field of that name.
  [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const;
  [[nodiscard]] std::size_t count(std::string_view name) const;
  [[nodiscard]] std::size_t size() const { return fields_.size(); }
  void reserve(std::size_t fields) { fields_.reserve(fields); }
  [[nodiscard]] auto begin() const { return fields_.begin(); }
  [[nodiscard]] auto end() const { return fields_.end(); }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

struct Request {
  Method method = Method::get;
  std::string target;  ///< as sent: path and query
  std::string path{};  ///< decoded, without query, always beginning with '/'; the router fills it from `target`
  std::vector<std::pair<std::string, std::string>> query{};  ///< decoded, in order; the router fills it from `target`
  Headers headers{};
  std::string body{};
  std::string peer{};      ///< address of the other side, for logs and limits
  bool is_secure = false;  ///< it came over TLS
};

/// Writes a streamed body piece by piece. `write` throws when the client is gone; an empty piece flushes.
class BodyWriter {
 public:
  virtual ~BodyWriter() = default;
  [[nodiscard]] virtual Task<void> write(std::string_view piece) = 0;
};

/// Runs after the headers are sent, until the stream ends; cancelled when the client goes or the server drains.
using BodyStream = std::function<Task<void>(BodyWriter&)>;

class WebSocket;

/// Serves a WebSocket until it returns; then the server closes it with 1000, after an exception with 1011. Others may
/// hold the pointer longer. When the connection is gone receive() says so, and a session that goes on is cancelled
/// seconds later. The answer's Sec-WebSocket-Protocol, when the handler sets one, must be among those of the request.
struct WebSocketSession {
  std::function<Task<void>(std::shared_ptr<WebSocket>)> run;
  std::size_t message_bytes_max = 64 * 1024;  ///< of one message; over it: closed with 1009
};

/// Bytes both ways, after an upgrade. For one coroutine each way, on the connection's thread; it ends with the
/// connection.
class ByteStream {
 public:
  virtual ~ByteStream() = default;
  /// What came, valid until the next call. Empty at the end, also when the other side is gone or the server drains.
  [[nodiscard]] virtual Task<std::string_view> read() = 0;
  /// Throws when the other side is gone.
  [[nodiscard]] virtual Task<void> write(std::string_view piece) = 0;
};

/// Runs on a connection that was upgraded (101) on another server's word: bytes go through as they are. The answer has
/// Upgrade, and of a WebSocket its other headers, as that server gave them. Cancelled when the server drains for too
/// long, when a piece cannot be written in time, or when nothing moves either way for five minutes; the connection
/// closes when it returns.
struct Tunnel {
  std::function<Task<void>(ByteStream&)> run;
};

struct Response {
  int status = 200;
  Headers headers{};
  std::variant<std::string, BodyStream, WebSocketSession, Tunnel> body{};  ///< the last two: with status 101 alone
};

/// With `Content-Type: application/json`.
[[nodiscard]] Response json_response(int status, std::string body);

}  // namespace al::http
