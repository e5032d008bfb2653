#include "security/request_limits.hpp"

#include "cache/keys.hpp"

namespace al::security {

Task<Result<void>> RequestLimits::admit(AddressLimit const& limit, std::string_view address, Deadline deadline) {
  auto key = cache::platform_key("limit", std::string(limit.kind) + "/" + std::string(address));
  auto const allowance = co_await limits_.take(std::move(key), limit.calls, limit.window, 1, deadline);
  if (allowance.allowed)
    co_return Result<void>{};
  auto const wait = std::chrono::ceil<std::chrono::seconds>(allowance.retry_after);
  co_return fail({.code = Code::too_many_requests,
                  .message = "Too many attempts from this address; try again in " + std::to_string(wait.count()) +
                             " seconds.",
                  .retry_after = wait});
}

}  // namespace al::security
