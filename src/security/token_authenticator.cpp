#include "security/token_authenticator.hpp"

#include "core/hash.hpp"
#include "http/request_id.hpp"

namespace al::security {
namespace {

constexpr std::size_t token_bytes_max = 4096;

constexpr std::string_view key_header = "X-Api-Key";

/// The token as Anthropic's clients send it.
Result<std::string_view> key_token(http::Headers const& headers) {
  auto const header = headers.find(key_header);
  if (!header) {
    return fail(Code::unauthenticated, "This needs a token: send the header Authorization: Bearer <token>.");
  }
  if (headers.count(key_header) != 1 || !http::is_visible_ascii(*header, token_bytes_max))
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
  if (!http::is_visible_ascii(token, token_bytes_max)) {
    return fail(Code::unauthenticated, "A token consists of visible ASCII characters.");
  }
  if (headers.count(key_header) > 0 && key_token(headers).value_or("") != token)
    return fail(Code::unauthenticated, "Authorization and X-Api-Key name two tokens; send one of them.");
  return token;
}

}  // namespace

Task<Result<http::Principal>> TokenAuthenticator::authenticate(http::Request const& request, Deadline deadline) {
  auto const token = token_of(request.headers);
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
