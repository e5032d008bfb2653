#include "core/nearest.hpp"

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

namespace al {
namespace {

constexpr std::size_t word_bytes_max = 64;
/// More than this in a long word is another word.
constexpr std::size_t mistakes_max = 3;

/// Insertions, deletions, replacements, and swaps of neighbours (the commonest slip of the fingers) count one each.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> above(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(above.begin(), above.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      bool const is_swap = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (is_swap)
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, above);
    std::swap(above, row);
  }
  return above.back();
}

}  // namespace

std::string_view nearest(std::string_view word, std::span<std::string const> candidates) {
  if (word.empty() || word.size() > word_bytes_max)
    return {};
  std::string_view best;
  auto best_distance = std::clamp<std::size_t>(word.size() / 3, 1, mistakes_max) + 1;
  for (auto const& candidate : candidates) {
    auto const d = distance(word, candidate);
    if (d >= best_distance)
      continue;
    best_distance = d;
    best = candidate;
  }
  // A word that was begun but not finished.
  for (auto const& candidate : candidates) {
    if (best.empty() && word.size() >= 3 && candidate.starts_with(word))
      best = candidate;
  }
  return best;
}

}  // namespace al
