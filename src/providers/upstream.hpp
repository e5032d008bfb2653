#pragma once
/// How a model provider is asked, what its refusal means, and when to ask again. Pure.

#include <chrono>
#include <optional>
#include <string_view>

#include "core/result.hpp"
#include "core/time.hpp"
#include "http/message.hpp"
#include "providers/account.hpp"

namespace al::providers {

/// The error of a call that ended with this status. 401 and 403: unauthenticated; 404: not_found; 408 and 504:
/// timed_out; 429: too_many_requests; 409, 5xx: unavailable; other 4xx: invalid. `message` has status and reason.
[[nodiscard]] Error upstream_error(int status, std::string_view reason);

/// The wait that the provider asks for: `retry-after-ms`, `retry-after` in seconds or as a date (RFC 9110, 10.2.3).
[[nodiscard]] std::optional<std::chrono::milliseconds> asked_wait(http::Headers const&, Timestamp now);

/// Adds the account's key as its protocol has it; nothing when there is none.
void add_key(http::Headers&, Account const&);

/// Masks the key, which some servers repeat when they refuse it.
void hide_key(std::string& text, std::string_view key);

/// The error as it is told: with the account's name and without its key, its message at most `bytes_max` bytes long.
[[nodiscard]] Error told(Error, Account const&, std::size_t bytes_max);

/// Whether another attempt can end differently: connection errors, 408, 409, 429 and 5xx; what the provider's
/// `x-should-retry` says comes first.
[[nodiscard]] bool may_retry(Error const&, http::Headers const&);

}  // namespace al::providers
