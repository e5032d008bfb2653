#pragma once
/// Who may see which events: the one rule for the log, its stream and the WebSockets.

#include <string_view>

#include "http/context.hpp"

namespace al::services {

/// The permission to read what `channel` ("task:created") tells of. Of kinds that have no reader of their own it is
/// events:read.
[[nodiscard]] std::string_view permission_for_event(std::string_view channel);

/// Whether `principal` may see events of `channel`.
[[nodiscard]] bool may_see_event(http::Principal const& principal, std::string_view channel);

}  // namespace al::services
