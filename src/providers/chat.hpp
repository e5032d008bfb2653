#pragma once
/// A conversation with a model, in the terms that the OpenAI and Anthropic protocols share.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/async.hpp"
#include "core/json.hpp"
#include "core/result.hpp"
#include "core/time.hpp"
#include "core/value.hpp"

namespace al::providers {

/// A tool as the model is told of it. `parameters` is a JSON Schema of an object.
struct Tool {
  std::string name;  ///< [a-zA-Z0-9_-]{1,64}, the narrower of the two protocols
  std::string description;
  Document parameters;
};

/// What the model wants done. `arguments` is what the model wrote: it may be no JSON at all.
struct ToolCall {
  std::string id;
  std::string name;
  std::string arguments;
};

/// One turn. A tool's answer names the call that it answers.
struct Message {
  enum class Role { user, assistant, tool };
  Role role = Role::user;
  std::string text{};
  std::vector<ToolCall> tool_calls{};  ///< of an assistant
  std::string tool_call_id{};          ///< of a tool
  bool is_error = false;               ///< of a tool: it could not be run
  /// Of an assistant: its content as the provider sent it, which goes back unchanged (signed thoughts are refused
  /// otherwise). Without it `text` and `tool_calls` say it all.
  std::optional<Document> verbatim{};
};

struct ChatRequest {
  std::string model;
  std::string system{};
  std::vector<Message> messages;
  std::vector<Tool> tools{};
  std::int64_t max_output_tokens = 4096;
  std::optional<double> temperature{};      ///< newer models refuse any
  std::optional<Document> answer_schema{};  ///< the answer must be JSON of this schema
};

struct Usage {
  std::int64_t input_tokens = 0;
  std::int64_t output_tokens = 0;
  bool operator==(Usage const&) const = default;
};

/// Reads the count `name` of a `usage`, as far as it can be one: what a provider sends is not trusted, and sums of it
/// must not overflow. Without it `out` stays as it is.
bool read_tokens(json::value const& usage, std::string_view name, std::int64_t& out);

/// Why the model stopped.
enum class Finish { stop, tool_calls, length, refused };

struct ChatAnswer {
  Message message;
  Finish finish = Finish::stop;
  std::string model;           ///< as the provider names it
  std::optional<Usage> usage;  ///< some servers do not tell
};

/// Receives each piece of text as it comes. Returning false ends the call.
using OnText = std::function<bool(std::string_view piece)>;

/// A document that must be an object; an empty one when it is none.
[[nodiscard]] json::object object_from(Document const&);

/// The JSON without the escape of NUL, which models write now and then and which no text of ours may hold.
[[nodiscard]] std::string without_nul(std::string_view json);

/// One account at one provider. Lives on one executor; many calls run at a time.
class ChatModel {
 public:
  virtual ~ChatModel() = default;

  /// Errors: unauthenticated (the key was refused), invalid (the provider refuses this request, with its reason),
  /// not_found (no such model), too_many_requests and unavailable (with `retry_after` when the provider named one),
  /// timed_out. An answer that was cut, or is no answer of the protocol, is unavailable.
  [[nodiscard]] virtual Task<Result<ChatAnswer>> chat(ChatRequest const&, Deadline, OnText) = 0;
};

}  // namespace al::providers
