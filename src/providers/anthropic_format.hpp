#pragma once
/// Anthropic's Messages as text: what is sent, and what comes back in a stream. No I/O.
/// Source: Claude API reference, "Messages" and "Streaming messages".

#include <map>
#include <string>
#include <string_view>

#include "core/json.hpp"
#include "providers/chat.hpp"

namespace al::providers::anthropic {

/// The newer version refuses sampling parameters that agents may have configured.
inline constexpr std::string_view api_version = "2023-06-01";

/// The body of `POST /v1/messages`, with `stream: true`. Answers of tools that follow each other become one turn.
[[nodiscard]] std::string request_body(ChatRequest const&);

/// Reads a `usage`; what it does not tell stays as it is. Input counts what was written to and read from a cache, too.
void read_usage(json::value const& usage, Usage& total);

/// Puts the events of one answer together.
class Reader {
 public:
  /// `data` of one event. Calls `on_text` with new text; false when it wants no more. Events and blocks of unknown
  /// types are kept or passed over. Errors: what an error in the stream says; unavailable for what is no event.
  [[nodiscard]] Result<bool> read(std::string_view data, OnText const& on_text);
  /// `message_stop` came.
  [[nodiscard]] bool done() const { return done_; }
  /// After done(). The content is kept verbatim, since thoughts are signed.
  [[nodiscard]] ChatAnswer take();

 private:
  struct Block {
    json::object start;       ///< as content_block_start had it
    std::string text{};       ///< of a text or a thought
    std::string arguments{};  ///< of a tool call, in pieces
    std::string signature{};
  };
  bool read_delta(Block& block, json::object const& delta, OnText const& on_text);
  void read_usage_of(json::object const& holder);
  [[nodiscard]] json::object finished(Block& block);

  ChatAnswer answer_;
  std::map<std::int64_t, Block> blocks_;
  std::string stop_reason_;
  bool done_ = false;
};

/// The error that a refused call stands for: `{"type": "error", "error": {"type", "message"}}`.
[[nodiscard]] Error error_of(int status, std::string_view body);

}  // namespace al::providers::anthropic
