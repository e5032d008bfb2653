#pragma once
#include "core/async.hpp"
#include "http/message.hpp"

namespace al::http {

/// Hands bytes both ways, piece by piece as they come, until one of the two ends. What one side does not take is not
/// read from the other. Throws system_error when a side is gone while it is written to, or when it is cancelled.
[[nodiscard]] Task<void> pass_through(ByteStream&, ByteStream&);

}  // namespace al::http
