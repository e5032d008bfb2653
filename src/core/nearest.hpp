#pragma once
#include <span>
#include <string>
#include <string_view>

namespace al {

/// The candidate that `word` was most likely meant to be, a view of it; empty when none is near enough.
[[nodiscard]] std::string_view nearest(std::string_view word, std::span<std::string const> candidates);

}  // namespace al
