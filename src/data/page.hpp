#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace al::data {

inline constexpr std::int64_t page_limit_default = 50;
inline constexpr std::int64_t page_limit_max = 500;

/// No UUID is greater: where a list of the newest first begins.
inline constexpr std::string_view last_uuid = "ffffffff-ffff-ffff-ffff-ffffffffffff";

/// Which part of a list a client wants.
struct PageRequest {
  std::int64_t limit = page_limit_default;
  std::string cursor;  ///< `next_cursor` of the page before; empty: from the beginning
  bool count_total = false;
};

/// What every list answers to a cursor that it did not make.
[[nodiscard]] inline Error wrong_cursor() {
  return {.code = Code::invalid, .message = "cursor: is none of ours; hand back `next_cursor` as it came"};
}

template <class T>
struct Page {
  std::vector<T> items;
  std::string next_cursor;  ///< empty: this was the last page
  std::optional<std::int64_t> total;
};

}  // namespace al::data
