#include "services/common/credential.hpp"

#include "core/fault.hpp"
#include "services/common/reply.hpp"

namespace al::services {
namespace {

constexpr std::chrono::seconds look_timeout{10};

}  // namespace

Credential::Credential(http::Authenticator& authenticator, http::Call const& call, std::string_view permission)
    : authenticator_(authenticator), principal_(call.context.principal), permission_(permission) {
  for (auto const& [name, value] : call.request.headers) {
    if (http::equal_without_case(name, "Authorization") || http::equal_without_case(name, "X-Api-Key"))
      request_.headers.add(name, value);
  }
}

Task<Result<void>> Credential::look() {
  try {
    co_return take(co_await authenticator_.authenticate(request_, Deadline::after(look_timeout)));
  } catch (Fault const&) {  // NOLINT(bugprone-empty-catch)
    // As for WebSockets: requests are answered 503 meanwhile, and the log says why.
  }
  co_return Result<void>{};
}

Result<void> Credential::take(Result<http::Principal> found) {
  if (!found) {
    if (found.error().code == Code::unauthenticated)
      return fail(Code::unauthenticated, "the credential has expired or was revoked");
    return {};
  }
  if (!found->may(permission_))
    return fail(Code::forbidden, "this needs the permission " + permission_);
  principal_.permissions = std::move(found->permissions);
  return {};
}

Task<bool> may_go_on(Credential& reader, http::BodyWriter& writer) {
  auto const standing = co_await reader.look();
  if (!standing)
    co_await writer.write(ended_event(standing.error()));
  co_return standing.has_value();
}

}  // namespace al::services
