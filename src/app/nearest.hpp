#pragma once
#include <span>
#include <string>
#include <string_view>

namespace al::app {

/// The candidate that `word` was most likely meant to be; empty when none is near enough.
[[nodiscard]] std::string_view nearest(std::string_view word, std::span<std::string const> candidates);

}  // namespace al::app
