#pragma once
/// OpenAI's Chat Completions as text: what is sent, and what comes back in a stream. No I/O.
/// Source: OpenAI API reference, "Create chat completion" and "The chat completion chunk object".

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "core/json.hpp"
#include "providers/chat.hpp"

namespace al::providers::openai {

/// The body of `POST /chat/completions`, with `stream: true`.
[[nodiscard]] std::string request_body(ChatRequest const&);

/// Puts the chunks of one answer together. Keys are the `index` of tool calls: names come once, arguments in pieces
/// that may end within an escape.
class Reader {
 public:
  /// `data` of one event. Calls `on_text` with new text; false when it wants no more. Errors: what an error in the
  /// stream says; unavailable for what is no chunk.
  [[nodiscard]] Result<bool> read(std::string_view data, OnText const& on_text);
  /// `[DONE]` came. The end of the body alone is no success: the answer was cut.
  [[nodiscard]] bool done() const { return done_; }
  /// After done().
  [[nodiscard]] ChatAnswer take();

 private:
  bool read_choice(json::Input choice, OnText const& on_text);
  void read_tool_calls(json::Input calls);

  ChatAnswer answer_;
  std::map<std::int64_t, ToolCall> calls_;
  std::string refusal_;
  std::string finish_reason_;
  bool done_ = false;
};

/// The error that a refused call stands for: `{"error": {"message", "type", "param", "code"}}`, or whatever a proxy
/// sent. A 429 whose code says that money is missing does not pass by waiting: invalid.
[[nodiscard]] Error error_of(int status, std::string_view body);

}  // namespace al::providers::openai
