#include "security/request_limits.hpp"

#include <algorithm>

#include "cache/keys.hpp"

namespace al::security {

Task<Result<void>> RequestLimits::admit(AddressLimit const& limit, std::string_view address, Deadline deadline) {
  auto key = cache::platform_key("limit", std::string(limit.kind) + "/" + std::string(address));
  auto const allowance = co_await limits_.take(std::move(key), limit.calls, limit.window, 1, deadline);
  if (allowance.allowed)
    co_return Result<void>{};
  auto const wait = std::chrono::ceil<std::chrono::seconds>(allowance.retry_after);
  co_return fail(
      {.code = Code::too_many_requests,
       .message = "Too many attempts from this address; try again in " + std::to_string(wait.count()) + " seconds.",
       .retry_after = wait});
}

std::string caller_name(http::Principal const& caller, std::string_view address) {
  if (caller.id.empty())
    return "address/" + std::string(address);
  auto const kind = caller.login_id.empty() ? std::string("key/") : std::string("user/");
  return kind + caller.tenant.value + "/" + caller.id;
}

Task<Quota> RequestLimits::count(CallerLimit const& limit, std::string_view caller, Deadline deadline) {
  auto key = cache::platform_key("limit", std::string(limit.kind) + "/" + std::string(caller));
  auto const allowance = co_await limits_.take(std::move(key), limit.calls, limit.window, 1, deadline);
  constexpr std::chrono::seconds soonest{1};
  co_return Quota{.is_allowed = allowance.allowed,
                  .limit = limit.calls,
                  .remaining = allowance.remaining,
                  .reset = allowance.allowed
                               ? limit.window
                               : std::max(soonest, std::chrono::ceil<std::chrono::seconds>(allowance.retry_after))};
}

}  // namespace al::security
