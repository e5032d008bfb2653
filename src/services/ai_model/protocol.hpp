#pragma once
/// What the OpenAI and Anthropic protocols say around the bodies, which pass through: errors and headers.

#include <string>
#include <string_view>

#include "http/router.hpp"
#include "providers/account.hpp"

namespace al::services::ai_model {

/// Our own errors in the form that makes the official clients raise their right class:
/// {"error": {message, type, param, code}}.
[[nodiscard]] http::Response openai_error(Error const&, std::string_view request_id, int status);
/// {"type": "error", "error": {type, message}, "request_id": …}
[[nodiscard]] http::Response anthropic_error(Error const&, std::string_view request_id, int status);
[[nodiscard]] http::ErrorFormat error_format(providers::Kind);

/// An error of a call to a provider: 502 when no answer came, 504 when it came too late.
[[nodiscard]] http::Response gateway_error(providers::Kind, Error const&, std::string_view request_id);

/// A model's error for a caller of our own API. A key that the provider refused is none of the caller's, who would
/// else throw a good token away; and a model that is not there is a wrong request, not a wrong path.
[[nodiscard]] Error for_caller(Error);

/// Masks the account's key in a refusal, where some servers repeat it.
void hide_key(http::Response&, providers::Account const&);

/// The query of a request target as it was sent, with its question mark; empty when there is none.
[[nodiscard]] std::string query_of(std::string const& target);

/// The headers that go to the account's provider: those of the caller that mean something there, and the account's
/// key. A header passes only when it is known to be harmless: the caller's credential and cookies must not leave, nor
/// may a caller choose whom the account bills.
[[nodiscard]] http::Headers headers_for(providers::Account const&, http::Headers const& of_caller);

/// The headers of the provider's answer that go to the caller: what the body is, and what clients read to find their
/// way (request ids, limits, when to retry).
[[nodiscard]] http::Headers headers_from(http::Headers const& of_provider);

}  // namespace al::services::ai_model
