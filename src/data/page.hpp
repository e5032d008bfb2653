#pragma once
#include <cstdint>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "core/entity.hpp"
#include "core/result.hpp"
#include "core/value.hpp"

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

/// The rows of one page, within the answer that they were cut from.
struct PageRows {
  std::span<Row> rows;
  bool has_more = false;  ///< the list goes on behind the last of them
};

/// For a statement that was asked for one row more than the page has: that row only tells that the list goes on. The
/// answer to a page_statement() may end before its limit; cut_large_page() is for that.
[[nodiscard]] inline PageRows cut_page(Rows& rows, std::int64_t limit) {
  bool const has_more = std::ssize(rows) > limit;
  return {.rows = std::span(rows).first(has_more ? static_cast<std::size_t>(limit) : rows.size()),
          .has_more = has_more};
}

/// The cursor of most lists, which are in the order of their ids.
struct IdCursor {
  std::string operator()(auto const& item) const { return item.id.value; }
};

/// `read` makes an item of a row, `cursor_after` the cursor of what comes after an item.
template <class Read, class CursorAfter = IdCursor>
[[nodiscard]] auto page_of(PageRows cut, Read read, CursorAfter cursor_after = {}) {
  Page<std::invoke_result_t<Read&, Row&>> page;
  for (auto& row : cut.rows)
    page.items.push_back(read(row));
  if (cut.has_more)
    page.next_cursor = cursor_after(page.items.back());
  return page;
}

/// Of rows that are the columns of an entity, in the order of their ids.
template <entity::Described T>
[[nodiscard]] Page<T> page_of(PageRows cut) {
  return page_of(cut, [](Row const& row) { return entity::from_row<T>(row); });
}

}  // namespace al::data
