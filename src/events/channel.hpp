#pragma once
#include <string_view>

namespace al::events {

/// The kind of the aggregate that a channel tells of: "task" of "task:created".
[[nodiscard]] constexpr std::string_view kind_of(std::string_view channel) {
  return channel.substr(0, channel.find(':'));
}

}  // namespace al::events
