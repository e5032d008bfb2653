#include "providers/anthropic_format.hpp"

#include <array>
#include <utility>

#include "providers/schema_rules.hpp"
#include "providers/upstream.hpp"

namespace al::providers::anthropic {
namespace {

std::string_view text_of(json::object const& in, std::string_view key) {
  auto const* value = in.if_contains(key);
  return value != nullptr && value->is_string() ? std::string_view(value->get_string()) : std::string_view{};
}

json::object const* object_of(json::object const& in, std::string_view key) {
  auto const* value = in.if_contains(key);
  return value == nullptr ? nullptr : value->if_object();
}

/// Nothing at all stands for a call without arguments; what the model wrote may be no object.
json::object arguments_of(ToolCall const& call) { return object_from(Document{call.arguments}); }

json::value assistant_content(Message const& message) {
  if (message.verbatim) {
    auto parsed = json::parse(message.verbatim->text);
    if (parsed && !(parsed->is_array() && parsed->get_array().empty()))
      return std::move(*parsed);
  }
  json::array blocks;
  if (!message.text.empty())  // empty text blocks are refused
    blocks.push_back(json::object{{"type", "text"}, {"text", message.text}});
  for (auto const& call : message.tool_calls) {
    blocks.push_back(
        json::object{{"type", "tool_use"}, {"id", call.id}, {"name", call.name}, {"input", arguments_of(call)}});
  }
  if (blocks.empty())  // and so are turns without content
    blocks.push_back(json::object{{"type", "text"}, {"text", "(no answer)"}});
  return blocks;
}

json::object tool_result(Message const& message) {
  json::object out{{"type", "tool_result"}, {"tool_use_id", message.tool_call_id}, {"content", message.text}};
  if (message.is_error)
    out["is_error"] = true;
  return out;
}

json::array turns(std::vector<Message> const& messages) {
  json::array out;
  json::array* results = nullptr;  // of the turn that answers tools, while it lasts
  for (auto const& message : messages) {
    if (message.role == Message::Role::tool) {
      if (results == nullptr) {
        auto& turn = out.emplace_back(json::object{{"role", "user"}, {"content", json::array{}}}).as_object();
        results = &turn["content"].as_array();
      }
      results->push_back(tool_result(message));
      continue;
    }
    results = nullptr;
    if (message.role == Message::Role::assistant)
      out.push_back(json::object{{"role", "assistant"}, {"content", assistant_content(message)}});
    else
      out.push_back(json::object{{"role", "user"}, {"content", message.text}});
  }
  return out;
}

/// As HTTP would have said it, had the answer not begun.
int status_of(std::string_view type) {
  if (type == "overloaded_error")
    return 529;
  if (type == "rate_limit_error")
    return 429;
  if (type == "timeout_error")
    return 504;
  return type == "invalid_request_error" ? 400 : 500;
}

/// Structured outputs, "JSON Schema limitations".
constexpr std::array<std::string_view, 12> schema_keywords{"type",  "properties", "required", "additionalProperties",
                                                           "items", "enum",       "const",    "anyOf",
                                                           "$ref",  "$defs",      "title",    "description"};

Finish finish_of(std::string_view reason, bool has_calls) {
  if (reason == "refusal")
    return Finish::refused;
  if (reason == "max_tokens" || reason == "model_context_window_exceeded")
    return Finish::length;
  return has_calls ? Finish::tool_calls : Finish::stop;
}

}  // namespace

std::string request_body(ChatRequest const& request) {
  json::object body{{"model", request.model},
                    {"max_tokens", request.max_output_tokens},
                    {"stream", true},
                    {"messages", turns(request.messages)}};
  if (!request.system.empty())
    body["system"] = request.system;
  if (request.temperature)
    body["temperature"] = *request.temperature;
  if (!request.tools.empty()) {
    json::array tools;
    for (auto const& tool : request.tools) {
      tools.push_back(json::object{
          {"name", tool.name}, {"description", tool.description}, {"input_schema", object_from(tool.parameters)}});
    }
    body["tools"] = std::move(tools);
  }
  auto schema = request.answer_schema ? object_from(*request.answer_schema) : json::object{};
  if (keeps_to({schema_keywords, false}, schema)) {
    body["output_config"] =
        json::object{{"format", json::object{{"type", "json_schema"}, {"schema", std::move(schema)}}}};
  }
  return json::serialize(body);
}

// Counts are cumulative. Cached input is told apart from the rest of the input.
void read_usage(json::value const& usage, Usage& total) {
  std::int64_t input = 0;
  if (read_tokens(usage, "input_tokens", input)) {
    std::int64_t written = 0;
    std::int64_t read = 0;
    read_tokens(usage, "cache_creation_input_tokens", written);
    read_tokens(usage, "cache_read_input_tokens", read);
    total.input_tokens = input + written + read;
  }
  read_tokens(usage, "output_tokens", total.output_tokens);
}

Result<bool> Reader::read(std::string_view data, OnText const& on_text) {
  auto parsed = json::parse(without_nul(data));
  auto* event = parsed ? parsed->if_object() : nullptr;
  if (event == nullptr)
    return fail(Code::unavailable, "the provider sent a piece that is no JSON object");
  auto const type = text_of(*event, "type");
  auto const* index = event->if_contains("index");
  auto const place = index != nullptr && index->is_int64() ? index->get_int64() : -1;
  if (type == "error") {
    auto const* error = object_of(*event, "error");
    return std::unexpected(error_of(error == nullptr ? 500 : status_of(text_of(*error, "type")), data));
  }
  if (type == "message_start") {
    if (auto const* message = object_of(*event, "message")) {
      answer_.model = text_of(*message, "model");
      read_usage_of(*message);
    }
  } else if (type == "content_block_start") {
    if (auto const* block = object_of(*event, "content_block"))
      blocks_[place].start = *block;
  } else if (type == "content_block_delta") {
    auto const block = blocks_.find(place);
    auto const* delta = object_of(*event, "delta");
    return block == blocks_.end() || delta == nullptr || read_delta(block->second, *delta, on_text);
  } else if (type == "message_delta") {
    if (auto const* delta = object_of(*event, "delta"))
      stop_reason_ = text_of(*delta, "stop_reason");
    read_usage_of(*event);
  } else if (type == "message_stop") {
    done_ = true;
  }
  return true;
}

bool Reader::read_delta(Block& block, json::object const& delta, OnText const& on_text) {
  auto const type = text_of(delta, "type");
  if (type == "text_delta") {
    auto const text = text_of(delta, "text");
    block.text += text;
    return text.empty() || !on_text || on_text(text);
  }
  if (type == "input_json_delta")
    block.arguments += text_of(delta, "partial_json");
  else if (type == "thinking_delta")
    block.text += text_of(delta, "thinking");
  else if (type == "signature_delta")
    block.signature = text_of(delta, "signature");
  return true;
}

void Reader::read_usage_of(json::object const& holder) {
  if (auto const* usage = holder.if_contains("usage"); usage != nullptr && usage->is_object())
    read_usage(*usage, answer_.usage ? *answer_.usage : answer_.usage.emplace());
}

json::object Reader::finished(Block& block) {
  auto const type = std::string(text_of(block.start, "type"));
  if (type == "text") {
    block.start["text"] = block.text;
    answer_.message.text += block.text;
  } else if (type == "thinking") {
    block.start["thinking"] = block.text;
    block.start["signature"] = block.signature;
  } else if (type == "tool_use") {
    ToolCall call{.id = std::string(text_of(block.start, "id")),
                  .name = std::string(text_of(block.start, "name")),
                  .arguments = block.arguments.empty() ? "{}" : std::move(block.arguments)};
    block.start["input"] = arguments_of(call);
    answer_.message.tool_calls.push_back(std::move(call));
  }
  return std::move(block.start);
}

ChatAnswer Reader::take() {
  answer_.message.role = Message::Role::assistant;
  json::array content;
  for (auto& [place, block] : blocks_)
    content.push_back(finished(block));
  answer_.message.verbatim = Document{json::serialize(content)};
  answer_.finish = finish_of(stop_reason_, !answer_.message.tool_calls.empty());
  return std::move(answer_);
}

Error error_of(int status, std::string_view body) {
  auto const parsed = json::parse(body);
  auto const* root = parsed ? parsed->if_object() : nullptr;
  auto const* error = root == nullptr ? nullptr : object_of(*root, "error");
  return upstream_error(status, error == nullptr ? std::string_view{} : text_of(*error, "message"));
}

}  // namespace al::providers::anthropic
