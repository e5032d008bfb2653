#pragma once
/// What the headers of a request say about the answer that its client wants. Pure.

#include <string_view>

#include "http/message.hpp"

namespace al::http {

/// Leaves out of an answer to GET or HEAD what the client has already (If-None-Match: 304) or did not ask for (the body
/// of an answer to HEAD, whose Content-Length stays).
void leave_out_unwanted(Response&, Method, Headers const& request);

/// Whether `Accept-Encoding` (RFC 9110, section 12.5.3) takes gzip.
[[nodiscard]] bool accepts_gzip(Headers const&);
/// Whether `Accept` (RFC 9110, section 12.5.1) takes a page; without the header, it takes anything.
[[nodiscard]] bool accepts_html(Headers const&);

}  // namespace al::http
