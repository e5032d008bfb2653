#pragma once
#include <chrono>
#include <string_view>

#include "cache/limits.hpp"
#include "core/result.hpp"

namespace al::security {

/// So many calls of one kind may come from one address in a window.
struct AddressLimit {
  std::string_view kind;  ///< "login"
  std::int64_t calls;
  std::chrono::seconds window;
};

/// Limits on what anybody may try who is not signed in. Any thread.
class RequestLimits {
 public:
  explicit RequestLimits(cache::Limits& limits) : limits_(limits) {}

  /// Counts a call. Errors: too_many_requests, with retry_after.
  [[nodiscard]] Task<Result<void>> admit(AddressLimit const&, std::string_view address, Deadline);

 private:
  cache::Limits& limits_;
};

}  // namespace al::security
