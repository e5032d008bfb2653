#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace al::http {

/// One server-sent event as text (WHATWG HTML, section 9.2): `id`, `event` and `data` lines, then an empty line.
[[nodiscard]] std::string sse_event(std::string_view id, std::string_view name, std::string_view data);
/// Keeps proxies from closing a silent stream.
inline constexpr std::string_view sse_heartbeat = ": keep-alive\n\n";

struct SseEvent {
  std::string id, name, data;
};

/// Puts pieces together and hands out whole events. `id` is the last one that came, as the standard has it; events
/// without data are left out, and so is an event that the stream's end cuts. Not thread-safe.
class SseParser {
 public:
  void feed(std::string_view piece);
  /// The next whole event. Throws Fault when an event is larger than 4 MiB.
  [[nodiscard]] std::optional<SseEvent> next();
  /// The id that resumes after everything that next() has looked at, also when that were events without data.
  [[nodiscard]] std::string const& last_id() const { return last_id_; }

 private:
  [[nodiscard]] bool find_end(std::size_t& end, std::size_t& after);
  [[nodiscard]] std::optional<SseEvent> read(std::string_view block);

  std::string buffer_;
  std::size_t begin_ = 0;     ///< where the event that is not yet handed out begins
  std::size_t scanned_ = 0;   ///< where the line that is not yet whole begins
  std::size_t searched_ = 0;  ///< no end of line before this one
  bool started_ = false;      ///< the byte order mark is behind us
  std::string last_id_;
};

}  // namespace al::http
