#include "security/token_authenticator.hpp"

#include "core/hash.hpp"
#include "http/request_id.hpp"

namespace al::security {
namespace {

constexpr std::size_t token_bytes_max = 4096;

/// The token in the header, when it is there in the one form that we take.
Result<std::string_view> bearer_token(http::Headers const& headers) {
  constexpr std::string_view scheme = "Bearer ";
  auto const header = headers.find("Authorization");
  if (!header) {
    return fail(Code::unauthenticated, "This needs a token: send the header Authorization: Bearer <token>.");
  }
  // Two such headers could mean two principals to two readers.
  bool const is_bearer = header->size() > scheme.size() && headers.count("Authorization") == 1 &&
                         http::equal_without_case(header->substr(0, scheme.size()), scheme);
  if (!is_bearer) {
    return fail(Code::unauthenticated, "The header must be sent once, as Authorization: Bearer <token>.");
  }
  auto token = header->substr(scheme.size());
  token.remove_prefix(std::min(token.find_first_not_of(' '), token.size()));
  if (!http::is_visible_ascii(token, token_bytes_max)) {
    return fail(Code::unauthenticated, "A token consists of visible ASCII characters.");
  }
  return token;
}

}  // namespace

Task<Result<http::Principal>> TokenAuthenticator::authenticate(http::Request const& request, Deadline deadline) {
  auto const token = bearer_token(request.headers);
  if (!token)
    co_return fail(token.error());
  auto const hash = sha256_hex(*token);
  decltype(known_)::Ticket ticket = 0;
  if (auto const principal = known_.find(hash, ticket))
    co_return *principal;

  auto access = co_await store_.find(hash, deadline);
  if (!access)
    co_return fail(Code::unauthenticated, "This token is not known here.");
  auto const principal = std::make_shared<http::Principal const>(
      http::Principal{std::move(access->tenant), std::move(access->id), std::move(access->permissions)});
  known_.put(hash, principal, ticket);
  co_return *principal;
}

}  // namespace al::security
