#include "security/token_authenticator.hpp"

#include <algorithm>

#include "core/hash.hpp"
#include "http/request_id.hpp"
#include "model/role.hpp"

namespace al::security {
namespace {

constexpr std::string_view key_header = "X-Api-Key";

/// The token as Anthropic's clients send it.
Result<std::string_view> key_token(http::Headers const& headers) {
  auto const header = headers.find(key_header);
  if (!header) {
    return fail(Code::unauthenticated, "This needs a token: send the header Authorization: Bearer <token>.");
  }
  if (headers.count(key_header) != 1 || !http::is_visible_ascii(*header, jwt::token_bytes_max))
    return fail(Code::unauthenticated, "The header must be sent once, as X-Api-Key: <token>, of visible ASCII.");
  return *header;
}

/// The token in the header, when it is there in one of the two forms that we take.
Result<std::string_view> token_of(http::Headers const& headers) {
  constexpr std::string_view scheme = "Bearer ";
  auto const header = headers.find("Authorization");
  if (!header)
    return key_token(headers);
  // Two such headers could mean two principals to two readers.
  bool const is_bearer = header->size() > scheme.size() && headers.count("Authorization") == 1 &&
                         http::equal_without_case(header->substr(0, scheme.size()), scheme);
  if (!is_bearer) {
    return fail(Code::unauthenticated, "The header must be sent once, as Authorization: Bearer <token>.");
  }
  auto token = header->substr(scheme.size());
  token.remove_prefix(std::min(token.find_first_not_of(' '), token.size()));
  if (!http::is_visible_ascii(token, jwt::token_bytes_max)) {
    return fail(Code::unauthenticated, "A token consists of visible ASCII characters.");
  }
  if (headers.count(key_header) > 0 && key_token(headers).value_or("") != token)
    return fail(Code::unauthenticated, "Authorization and X-Api-Key name two tokens; send one of them.");
  return token;
}

Error unknown_token() {
  return {.code = Code::unauthenticated,
          .message = "This token is not known here: it may have expired or been revoked. Sign in again."};
}

/// What is in both: of a permission and a wildcard that covers it, the permission.
std::vector<std::string> common(std::vector<std::string> const& a, std::vector<std::string> const& b) {
  http::Principal const with_a{.tenant = {}, .id = {}, .permissions = a};
  http::Principal const with_b{.tenant = {}, .id = {}, .permissions = b};
  std::vector<std::string> out;
  for (auto const& one : a) {
    if (with_b.may(one))
      out.push_back(one);
  }
  for (auto const& one : b) {
    if (with_a.may(one) && std::ranges::find(out, one) == out.end())
      out.push_back(one);
  }
  return out;
}

std::vector<std::string> permissions_of_user(data::Access const& access) {
  auto out = access.role_permissions;
  for (auto const& id : access.roles) {
    if (auto const* role = model::built_in_role(id))
      out.insert(out.end(), role->permissions.begin(), role->permissions.end());
  }
  return out;
}

constexpr std::chrono::seconds note_timeout{5};

}  // namespace

http::Principal principal_of(data::Access const& access, std::string login_id) {
  http::Principal out{.tenant = access.tenant,
                      .id = access.id,
                      .permissions = {},
                      .user_id = access.user_id,
                      .login_id = std::move(login_id)};
  bool const is_login = !out.login_id.empty();
  if (access.user_id.empty()) {
    out.permissions = access.key_permissions;
  } else if (!access.must_change_password) {
    auto held = permissions_of_user(access);
    held.emplace_back(own_account);
    out.permissions = is_login ? std::move(held) : common(access.key_permissions, held);
  } else if (is_login) {
    out.permissions.assign(own_password.begin(), own_password.end());
  }
  return out;
}

Task<Result<http::Principal>> TokenAuthenticator::authenticate(http::Request const& request, Deadline deadline) {
  auto const token = token_of(request.headers);
  if (!token)
    co_return fail(token.error());
  auto const hash = sha256_hex(*token);
  decltype(known_)::Ticket ticket = 0;
  if (auto const principal = known_.find(hash, ticket))
    co_return *principal;
  auto found = TokenKeys::is_access_token(*token) ? find_login(*token, deadline) : find_key(hash, deadline);
  auto principal = co_await std::move(found);
  if (principal)
    known_.put(hash, std::make_shared<http::Principal const>(*principal), ticket);
  co_return principal;
}

Task<Result<http::Principal>> TokenAuthenticator::find_login(std::string_view token, Deadline deadline) {
  auto claims = co_await keys_.verify_access(token, deadline);
  if (!claims && claims.error().code == Code::unauthenticated)
    co_return fail(unknown_token());
  if (!claims)
    co_return fail(std::move(claims.error()));
  auto const access = co_await store_.find_login(claims->tenant, claims->session_id, deadline);
  if (!access || access->id != claims->subject)
    co_return fail(unknown_token());
  co_return principal_of(*access, claims->session_id);
}

Task<Result<http::Principal>> TokenAuthenticator::find_key(std::string const& hash, Deadline deadline) {
  auto const access = co_await store_.find_key(hash, deadline);
  if (!access)
    co_return fail(unknown_token());
  if (!access->is_use_noted)
    spawn(co_await asio::this_coro::executor, "use of an API key", note_use(access->tenant, access->id));
  co_return principal_of(*access, {});
}

Task<void> TokenAuthenticator::note_use(TenantId tenant, std::string key_id) {
  co_await store_.note_use(tenant, std::move(key_id), Deadline::after(note_timeout));
}

}  // namespace al::security
