#pragma once
/// Values on their way to and from PostgreSQL, in its text format. Pure functions; any thread.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/value.hpp"

namespace al::storage::postgres {

/// A parameter in text format; nullopt is NULL.
using Parameter = std::optional<std::string>;
using Parameters = std::vector<Parameter>;

/// Booleans as t and f, times as RFC 3339, doubles as the shortest text that reads back as the same number.
[[nodiscard]] Parameter encode(Value const& value);
[[nodiscard]] Parameters encode(Values const& values);

/// Whether a text holds U+0000: PostgreSQL cannot store it, and libpq would silently cut the value there.
[[nodiscard]] bool holds_nul(Parameters const& parameters);

/// Appends one element to an array literal under construction: `{` first, then elements, then `}`.
/// Every text is quoted, so that "NULL", an empty text, commas and braces stay what they are.
void append_element(std::string& literal, Parameter const& element);

/// Turns rows of parameters into one array literal a column, for `unnest($1::text[], …)`.
/// All rows have as many parameters as the first.
[[nodiscard]] Parameters columns_of(std::vector<Parameters const*> const& rows);

/// Reads one column of an answer by its type's OID; types that `Value` does not know stay text.
/// Throws Fault for a time that Timestamp cannot hold (`infinity`, before Christ) and for text the type cannot have.
[[nodiscard]] Value decode(unsigned type_oid, std::string_view text);

}  // namespace al::storage::postgres
