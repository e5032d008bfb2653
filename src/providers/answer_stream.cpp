#include "providers/answer_stream.hpp"

#include <algorithm>

namespace al::providers {

std::chrono::milliseconds wait_before(int next, std::optional<std::chrono::milliseconds> asked, Random& random) {
  if (asked)
    return *asked;
  using std::chrono::milliseconds;
  auto const longest = std::min(milliseconds{500} * (1 << std::clamp(next - 2, 0, 10)), milliseconds{8000});
  return longest - milliseconds{random.below(static_cast<std::uint64_t>(longest.count() / 4))};
}

}  // namespace al::providers
