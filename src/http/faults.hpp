#pragma once
/// What becomes of an exception that a handler let go.

#include <exception>
#include <string_view>

#include "core/result.hpp"

namespace al::http {

/// Whether a coroutine was cancelled; then nobody waits for an answer, and the exception goes on.
[[nodiscard]] bool is_cancellation(std::exception_ptr const&);

/// What a client is told of a fault: unavailable when something cannot be reached, else internal. The text of the
/// exception may name hosts or files: it goes to the log, with the path of `target`, and never to the client.
[[nodiscard]] Error describe_fault(std::exception_ptr const&, std::string_view request_id, std::string_view target);

}  // namespace al::http
