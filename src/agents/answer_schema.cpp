#include "agents/answer_schema.hpp"

#include "agents/json_schema.hpp"
#include "core/strings.hpp"

namespace al::agents {
namespace {

Result<JsonSchema> read_schema(Document const& document) {
  auto parsed = json::parse(document.text);
  if (!parsed)
    return fail(Code::invalid, "must be a JSON Schema: " + parsed.error().message);
  return JsonSchema::from(std::move(*parsed));
}

std::string_view unfenced(std::string_view text) {
  text = trimmed(text, white_space);
  if (text.size() < 6 || !text.starts_with("```") || !text.ends_with("```"))
    return text;
  auto const line = text.find('\n');
  return line == std::string_view::npos ? text : trimmed(text.substr(line, text.size() - 3 - line), white_space);
}

}  // namespace

Result<void> check_schema(Document const& document) {
  auto const schema = read_schema(document);
  if (!schema)
    return fail(schema.error());
  return {};
}

Result<Document> match_schema(Document const& document, std::string_view answer) {
  auto const schema = read_schema(document);
  if (!schema)
    return fail(schema.error());
  auto const text = unfenced(answer);
  auto const value = json::parse(text);
  if (!value)
    return fail(Code::invalid, "it is no JSON: " + value.error().message);
  std::string reasons;
  for (auto const& fault : schema->faults(*value))
    reasons += (reasons.empty() ? "" : "; ") + fault;
  if (!reasons.empty())
    return fail(Code::invalid, "it does not fit the schema: " + reasons);
  return Document{std::string(text)};
}

}  // namespace al::agents
