#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "data/page.hpp"
#include "storage/statement.hpp"

namespace al::data {

/// What the large values of a page's rows may come to; the row that goes beyond is the last one. A client asks for a
/// number of rows, and each of them may have a megabyte.
inline constexpr std::int64_t page_bytes_max = 4 << 20;

/// A list of rows that may be large. Rows are read in two steps within one statement: their keys and sizes, as many as
/// asked for, and then those that fit.
struct PageSpec {
  std::string_view name;
  std::string_view table;
  std::string_view alias;
  std::vector<std::string_view> key;    ///< of a row besides the tenant, in the order of the list
  std::string_view direction{};         ///< "" or "DESC"
  std::string columns;                  ///< with the alias in front
  std::string where;                    ///< with $1 the tenant
  std::string_view limit;               ///< the parameter with one row more than the page has
  std::vector<std::string_view> large;  ///< columns that may be large, of text or JSON
  std::string from{};                   ///< a SELECT of the rows to choose from; empty: the table
};

/// The answer has the columns, and behind them how many rows there were before the bytes were counted.
[[nodiscard]] storage::Statement page_statement(PageSpec const&);

/// For the answer to a page_statement(), which says how many rows there were; any other list is cut by cut_page().
[[nodiscard]] PageRows cut_large_page(Rows& rows, std::int64_t limit);

}  // namespace al::data
