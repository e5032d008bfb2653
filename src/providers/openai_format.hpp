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

/// What limits an answer. Every compatible server knows the first name; OpenAI's own reasoning models take only the
/// newer one.
inline constexpr std::string_view limit_name = "max_tokens";
inline constexpr std::string_view newer_limit_name = "max_completion_tokens";

[[nodiscard]] std::string_view limit_name_at(std::string_view base_url);
/// Whether the refusal asks for the newer name, as OpenAI's does behind a gateway of another address.
[[nodiscard]] bool wants_newer_limit_name(Error const&);

/// The body of `POST /chat/completions`, with `stream: true`.
[[nodiscard]] std::string request_body(ChatRequest const&, std::string_view limit_name = openai::limit_name);

/// Reads a `usage`; what it does not tell stays as it is.
void read_usage(json::value const& usage, Usage& total);

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
