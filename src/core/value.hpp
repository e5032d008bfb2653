#pragma once
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "core/time.hpp"

namespace al {

/// A JSON document that is kept as its author wrote it (config, context, result, metadata). Always valid JSON.
struct Document {
  std::string text = "{}";
  bool operator==(Document const&) const = default;
};

/// One SQL value, the same on both databases. Text carries strings, enumerators, ids and documents.
using Value = std::variant<std::monostate, bool, std::int64_t, double, std::string, Timestamp>;
using Values = std::vector<Value>;

/// A row is its values in the order of the statement's columns.
using Row = Values;
using Rows = std::vector<Row>;

[[nodiscard]] inline bool is_null(Value const& value) { return std::holds_alternative<std::monostate>(value); }

}  // namespace al
