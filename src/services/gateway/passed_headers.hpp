#pragma once
/// Which headers the gateway passes on, and which it writes itself. Pure.

#include <string_view>

#include "http/context.hpp"
#include "http/message.hpp"

namespace al::services::gateway {

/// Whether a request brings anything that a service could take for a credential.
[[nodiscard]] bool has_credential(http::Headers const&);

/// Leaves out what says who asks or where from: that is ours to say, and a service that believed it would believe
/// everybody. `X_User` counts as `X-User`, since programs that turn names into variables cannot tell them apart.
void drop_identity(http::Headers&);

/// Makes the headers of a request those that a service gets: without drop_identity()'s, without those of the connection
/// (RFC 9110, section 7.6.1, and what Connection names), with X-Forwarded-For, -Host and -Proto and Forwarded (RFC
/// 7239) as we see it, and with the request's id and trace.
void make_forwarded(http::Headers&, http::Context const&, std::string_view peer, std::string_view scheme);

/// Leaves out of a service's answer the headers of its connection, and those that the gateway writes.
void make_returned(http::Headers&);

/// Whether one of the directives of Cache-Control is `name`.
[[nodiscard]] bool has_directive(http::Headers const&, std::string_view name);

}  // namespace al::services::gateway
