#include "storage/postgres_group.hpp"

#include <cstdint>
#include <utility>
#include <variant>

#include "core/fault.hpp"

namespace al::storage::postgres {

std::vector<std::optional<Row>> rows_of_callers(Rows rows, std::size_t count) {
  std::vector<std::optional<Row>> answers(count);
  for (auto& row : rows) {
    auto const* ordinal = row.empty() ? nullptr : std::get_if<std::int64_t>(row.data());
    if (ordinal == nullptr || *ordinal < 1 || std::cmp_greater(*ordinal, count)) {
      throw Fault("a row statement returned a row whose first column is not the ordinal of a caller");
    }
    auto& answer = answers[static_cast<std::size_t>(*ordinal - 1)];
    if (answer)
      throw Fault("a row statement returned two rows for one caller");
    row.erase(row.begin());
    answer = std::move(row);
  }
  return answers;
}

}  // namespace al::storage::postgres
