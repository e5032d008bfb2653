#pragma once
#include <chrono>
#include <string>
#include <string_view>

#include "cache/limits.hpp"
#include "core/result.hpp"
#include "http/context.hpp"

namespace al::security {

/// So many calls of one kind may come from one address in a window.
struct AddressLimit {
  std::string_view kind;  ///< "login"
  std::int64_t calls;
  std::chrono::seconds window;
};

/// So many calls of one kind may one caller make in a window.
struct CallerLimit {
  std::string_view kind;  ///< what is counted by itself, such as a path
  std::int64_t calls;
  std::chrono::seconds window;
};

/// What is left of a caller's limit.
struct Quota {
  bool is_allowed = true;
  std::int64_t limit = 0;
  std::int64_t remaining = 0;
  /// When as much may be had again: of a call that is refused, else the longest that it can take.
  std::chrono::seconds reset{};
};

/// Who calls, for his limits: an API key, else the user who is signed in, else the address.
[[nodiscard]] std::string caller_name(http::Principal const&, std::string_view address);

/// Limits on what anybody may try who is not signed in, and on how often anybody may call. Any thread.
class RequestLimits {
 public:
  explicit RequestLimits(cache::Limits& limits) : limits_(limits) {}

  /// Counts a call. Errors: too_many_requests, with retry_after.
  [[nodiscard]] Task<Result<void>> admit(AddressLimit const&, std::string_view address, Deadline);
  /// Counts a call of a caller (caller_name()). It never fails.
  [[nodiscard]] Task<Quota> count(CallerLimit const&, std::string_view caller, Deadline);

 private:
  cache::Limits& limits_;
};

}  // namespace al::security
