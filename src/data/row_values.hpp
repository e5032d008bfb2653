#pragma once
/// Single values of rows, for what no entity describes. Throws std::out_of_range and std::bad_variant_access: the
/// statement and its reader do not agree then.

#include <cstddef>
#include <cstdint>
#include <string>

#include "core/entity.hpp"
#include "core/value.hpp"

namespace al::data {

[[nodiscard]] inline std::string const& text_at(Row const& row, std::size_t i) {
  return std::get<std::string>(row.at(i));
}

/// Empty for what is no text, such as NULL.
[[nodiscard]] inline std::string text_or_empty_at(Row const& row, std::size_t i) {
  auto const* text = std::get_if<std::string>(&row.at(i));
  return text != nullptr ? *text : std::string();
}

[[nodiscard]] inline std::int64_t integer_at(Row const& row, std::size_t i) {
  return std::get<std::int64_t>(row.at(i));
}

/// For types that the databases give in different forms, such as times.
template <class T>
[[nodiscard]] T value_at(Row const& row, std::size_t i) {
  T out{};
  entity::type_of<T>().read(row.at(i), &out);
  return out;
}

/// What values take in memory, for limits on batches.
[[nodiscard]] inline std::size_t bytes_of(Values const& values) {
  std::size_t bytes = 0;
  for (auto const& value : values) {
    auto const* text = std::get_if<std::string>(&value);
    bytes += sizeof(Value) + (text == nullptr ? 0 : text->size());
  }
  return bytes;
}

}  // namespace al::data
