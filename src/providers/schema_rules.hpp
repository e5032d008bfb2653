#pragma once
#include <span>
#include <string_view>

#include "core/json.hpp"

namespace al::providers {

/// Which JSON Schemas a provider can hold a model to while it writes. It refuses others with the whole call; those are
/// told in the prompt alone. Answers are checked here in any case.
struct SchemaRules {
  std::span<std::string_view const> keywords;
  bool all_required = false;  ///< every member of an object must be
};

/// Whether `schema` is one of an object and keeps to the rules, with all in it: only these keywords, and objects that
/// list their members and allow no others.
[[nodiscard]] bool keeps_to(SchemaRules const&, json::object const& schema);

}  // namespace al::providers
