#pragma once
/// Who is served next, and who shares a round trip with whom. Pure; belongs to one thread.

#include <algorithm>
#include <cstddef>
#include <deque>
#include <iterator>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/value.hpp"

namespace al::storage::postgres {

/// A queue in which tenants take turns: one with a thousand entries delays another's first entry by one turn.
template <class Item>
class FairQueue {
 public:
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] std::size_t size() const { return size_; }

  void push(std::string const& tenant, Item item) {
    auto const [at, is_new] = lines_.try_emplace(tenant);
    if (is_new)
      turns_.push_back(tenant);
    at->second.push_back(std::move(item));
    ++size_;
  }

  /// Takes up to `max` entries of the tenant whose turn it is, in their order. Not for an empty queue.
  [[nodiscard]] std::pair<std::string, std::vector<Item>> pop_group(std::size_t max) {
    auto tenant = std::move(turns_.front());
    turns_.pop_front();
    auto const at = lines_.find(tenant);
    auto& line = at->second;
    auto const end = line.size() <= max ? line.end() : line.begin() + static_cast<std::ptrdiff_t>(max);
    std::vector<Item> group(std::make_move_iterator(line.begin()), std::make_move_iterator(end));
    line.erase(line.begin(), end);
    size_ -= group.size();
    if (line.empty()) {
      lines_.erase(at);
    } else {
      turns_.push_back(tenant);
    }
    return {std::move(tenant), std::move(group)};
  }

  /// Takes one entry of the tenant whose turn it is. Not for an empty queue.
  [[nodiscard]] Item pop() { return std::move(pop_group(1).second.front()); }

  /// Takes out and answers every entry for which `should_go` is true.
  template <class Predicate>
  [[nodiscard]] std::vector<Item> take_if(Predicate should_go) {
    std::vector<Item> gone;
    for (auto& [tenant, line] : lines_) {
      std::deque<Item> staying;
      for (auto& item : line) {
        if (should_go(std::as_const(item))) {
          gone.push_back(std::move(item));
        } else {
          staying.push_back(std::move(item));
        }
      }
      line = std::move(staying);
    }
    size_ -= gone.size();
    std::erase_if(lines_, [](auto const& entry) { return entry.second.empty(); });
    std::erase_if(turns_, [this](auto const& tenant) { return !lines_.contains(tenant); });
    return gone;
  }

 private:
  std::unordered_map<std::string, std::deque<Item>> lines_;  ///< never holds an empty line
  std::deque<std::string> turns_;                            ///< each tenant of lines_ once
  std::size_t size_ = 0;
};

/// Sorts the rows that a group's statement returned to their callers by the ordinal in the first column, which is cut
/// off. nullopt: the statement did not take that caller's row. Throws Fault for an ordinal that is none of 1 to count
/// or comes twice: then the statement is wrong.
[[nodiscard]] std::vector<std::optional<Row>> rows_of_callers(Rows rows, std::size_t count);

}  // namespace al::storage::postgres
