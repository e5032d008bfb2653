#pragma once
#include <string_view>

#include "core/result.hpp"
#include "core/value.hpp"

namespace al::agents {

/// Whether answers can be checked against this JSON Schema; json_schema.hpp says which. Errors: invalid, with the
/// reason.
[[nodiscard]] Result<void> check_schema(Document const& schema);

/// The answer as JSON of that schema; a fence of Markdown around it is taken off. Errors: invalid, saying where it
/// differs, in words that a model can act on.
[[nodiscard]] Result<Document> match_schema(Document const& schema, std::string_view answer);

}  // namespace al::agents
