#pragma once
/// Numbers of JSON, taken as they were written: nothing is rounded. Pure.

#include <limits>

#include "core/json.hpp"

namespace al::agents {

/// Holds whatever number JSON gives us, so that it compares integers of 64 bits with each other and with doubles.
using Exact = long double;
static_assert(std::numeric_limits<Exact>::digits >= 64, "integers of 64 bits would be rounded");
[[nodiscard]] Exact exact(json::value const& number);

[[nodiscard]] bool is_whole(json::value const&);

/// Whether `number` is a whole multiple of `step`, which is over 0. A double counts as the decimal that it is written
/// as: 0.7 is a multiple of 0.1, which no quotient of doubles tells apart from what is merely close.
[[nodiscard]] bool is_multiple(json::value const& number, json::value const& step);

}  // namespace al::agents
