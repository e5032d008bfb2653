#include "providers/openai_format.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "providers/schema_rules.hpp"
#include "providers/upstream.hpp"

namespace al::providers::openai {
namespace {

/// Codes of a 429 that waiting does not mend: somebody has to pay or to raise a limit.
constexpr std::array<std::string_view, 5> billing_codes{
    "insufficient_quota", "credit_balance_exhausted", "organization_spend_limit_exceeded",
    "project_spend_limit_exceeded", "organization_usage_limit_exceeded"};

std::string_view text_of(json::Input in) {
  return in.parsed != nullptr && in.parsed->is_string() ? std::string_view(in.parsed->get_string())
                                                        : std::string_view{};
}

std::int64_t number_of(json::Input in) {
  return in.parsed != nullptr && in.parsed->is_int64() ? in.parsed->get_int64() : 0;
}

json::object function_call(ToolCall const& call) {
  return {{"id", call.id},
          {"type", "function"},
          {"function", json::object{{"name", call.name}, {"arguments", call.arguments}}}};
}

json::object turn(Message const& message) {
  if (message.role == Message::Role::user)
    return {{"role", "user"}, {"content", message.text}};
  if (message.role == Message::Role::tool)
    return {{"role", "tool"}, {"tool_call_id", message.tool_call_id}, {"content", message.text}};
  json::object out{{"role", "assistant"}, {"content", message.text}};
  if (!message.tool_calls.empty()) {
    json::array calls;
    for (auto const& call : message.tool_calls)
      calls.push_back(function_call(call));
    out["tool_calls"] = std::move(calls);
    if (message.text.empty())
      out["content"] = nullptr;
  }
  return out;
}

json::array turns(ChatRequest const& request) {
  json::array out;
  if (!request.system.empty())
    out.push_back(json::object{{"role", "system"}, {"content", request.system}});
  for (auto const& message : request.messages)
    out.push_back(turn(message));
  return out;
}

json::array functions(std::vector<Tool> const& tools) {
  json::array out;
  for (auto const& tool : tools) {
    out.push_back(json::object{{"type", "function"},
                               {"function", json::object{{"name", tool.name},
                                                         {"description", tool.description},
                                                         {"parameters", object_from(tool.parameters)}}}});
  }
  return out;
}

Finish finish_of(std::string_view reason, bool has_calls, bool has_refusal) {
  if (has_refusal || reason == "content_filter")
    return Finish::refused;
  // A forced call may end with "stop".
  if (has_calls)
    return Finish::tool_calls;
  return reason == "length" ? Finish::length : Finish::stop;
}

/// Structured outputs, "Supported schemas".
constexpr std::array<std::string_view, 18> strict_keywords{"type",
                                                           "properties",
                                                           "required",
                                                           "additionalProperties",
                                                           "items",
                                                           "enum",
                                                           "const",
                                                           "anyOf",
                                                           "$ref",
                                                           "$defs",
                                                           "description",
                                                           "title",
                                                           "minimum",
                                                           "maximum",
                                                           "exclusiveMinimum",
                                                           "exclusiveMaximum",
                                                           "minItems",
                                                           "maxItems"};

/// How the answer is held to the schema; nothing where it can only be told to the model: a schema that is none of an
/// object is refused.
std::optional<json::object> response_format(Document const& document) {
  auto schema = object_from(document);
  auto const* type = schema.if_contains("type");
  if (type == nullptr || *type != json::value("object"))
    return std::nullopt;
  bool const is_strict = keeps_to({strict_keywords, true}, schema);
  return json::object{
      {"type", "json_schema"},
      {"json_schema", json::object{{"name", "answer"}, {"strict", is_strict}, {"schema", std::move(schema)}}}};
}

}  // namespace

std::string request_body(ChatRequest const& request, std::string_view limit_name) {
  json::object body{{"model", request.model},
                    {"messages", turns(request)},
                    {limit_name, request.max_output_tokens},
                    {"stream", true},
                    {"stream_options", json::object{{"include_usage", true}}}};
  if (request.temperature)
    body["temperature"] = *request.temperature;
  if (!request.tools.empty())
    body["tools"] = functions(request.tools);
  if (auto format = request.answer_schema ? response_format(*request.answer_schema) : std::nullopt)
    body["response_format"] = std::move(*format);
  return json::serialize(body);
}

std::string_view limit_name_at(std::string_view base_url) {
  return base_url.starts_with("https://api.openai.com/") ? newer_limit_name : limit_name;
}

bool wants_newer_limit_name(Error const& error) {
  return error.code == Code::invalid && error.message.contains(newer_limit_name);
}

void read_usage(json::value const& usage, Usage& total) {
  read_tokens(usage, "prompt_tokens", total.input_tokens);
  read_tokens(usage, "completion_tokens", total.output_tokens);
}

Result<bool> Reader::read(std::string_view data, OnText const& on_text) {
  if (data == "[DONE]") {
    done_ = true;
    return true;
  }
  auto const source = json::Source::from(without_nul(data));
  if (!source)
    return fail(Code::unavailable, "the provider sent a piece that is no JSON: " + source.error().message);
  auto const chunk = source->root();
  if (auto const error = json::member(chunk, "error"); !error.is_null())
    return std::unexpected(error_of(500, data));
  if (auto const model = text_of(json::member(chunk, "model")); !model.empty())
    answer_.model = model;
  if (auto const usage = json::member(chunk, "usage"); !usage.is_null())
    read_usage(*usage.parsed, answer_.usage ? *answer_.usage : answer_.usage.emplace());
  // The chunk with the usage has none.
  auto const choices = json::elements(json::member(chunk, "choices"));
  return choices.empty() || read_choice(choices.front(), on_text);
}

bool Reader::read_choice(json::Input choice, OnText const& on_text) {
  if (auto const reason = text_of(json::member(choice, "finish_reason")); !reason.empty())
    finish_reason_ = reason;
  auto const delta = json::member(choice, "delta");
  read_tool_calls(json::member(delta, "tool_calls"));
  refusal_ += text_of(json::member(delta, "refusal"));
  auto const text = text_of(json::member(delta, "content"));
  answer_.message.text += text;
  return text.empty() || !on_text || on_text(text);
}

void Reader::read_tool_calls(json::Input calls) {
  std::int64_t place = 0;
  for (auto const& part : json::elements(calls)) {
    auto const index = json::member(part, "index");
    // Some compatible servers send whole calls without an index.
    auto& call = calls_[index.is_null() ? place : number_of(index)];
    ++place;
    if (auto const id = text_of(json::member(part, "id")); !id.empty())
      call.id = id;
    auto const function = json::member(part, "function");
    if (auto const name = text_of(json::member(function, "name")); !name.empty())
      call.name = name;
    call.arguments += text_of(json::member(function, "arguments"));
  }
}

ChatAnswer Reader::take() {
  answer_.message.role = Message::Role::assistant;
  for (auto& [index, call] : calls_)
    answer_.message.tool_calls.push_back(std::move(call));
  answer_.finish = finish_of(finish_reason_, !answer_.message.tool_calls.empty(), !refusal_.empty());
  if (answer_.message.text.empty())
    answer_.message.text = std::move(refusal_);
  return std::move(answer_);
}

Error error_of(int status, std::string_view body) {
  auto const source = json::Source::from(std::string(body));
  auto const error = source ? json::member(source->root(), "error") : json::Input{};
  auto out = upstream_error(status, text_of(json::member(error, "message")));
  for (auto const* key : {"code", "type"}) {
    if (std::ranges::find(billing_codes, text_of(json::member(error, key))) != billing_codes.end())
      out.code = Code::invalid;
  }
  return out;
}

}  // namespace al::providers::openai
