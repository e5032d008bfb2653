#pragma once
/// JSON Schema for answers of models. Schemas come from clients and what they are held against from models, so neither
/// may cost more than a bounded time: no regular expressions, no references out of the document, and a budget for each
/// check. (The packaged validators recurse without end and match `format` by backtracking.) Pure.

#include <string>
#include <vector>

#include "core/json.hpp"
#include "core/result.hpp"

namespace al::agents {

/// The keywords of draft 2020-12 that concern values: type, enum, const, properties, required, additionalProperties,
/// min/maxProperties, items, min/maxItems, uniqueItems, min/maxLength, minimum, maximum, exclusive ones, multipleOf,
/// allOf, anyOf, oneOf, not, and $ref to a part of the same document. Annotations, `format` among them, are not
/// checked.
class JsonSchema {
 public:
  /// Errors: invalid, with place and reason: a keyword that is unknown or has a wrong value, a reference that leads
  /// nowhere, to what is no schema, or back to itself.
  [[nodiscard]] static Result<JsonSchema> from(json::value schema);

  /// What is wrong with `value`, at most a few reasons, each with its place; nothing when it fits.
  [[nodiscard]] std::vector<std::string> faults(json::value const& value) const;

 private:
  explicit JsonSchema(json::value schema) : schema_(std::move(schema)) {}
  json::value schema_;
};

}  // namespace al::agents
