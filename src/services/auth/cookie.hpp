#pragma once
/// The cookies of pages: one with the refresh token, which scripts cannot read, and one that a script of the same
/// origin must read and send back as a header, which no other origin can (double submit).

#include <string>
#include <string_view>

#include "core/random.hpp"
#include "http/message.hpp"

namespace al::services::auth {

inline constexpr std::string_view refresh_cookie_name = "__Host-al_refresh";
inline constexpr std::string_view csrf_cookie_name = "__Host-al_csrf";
inline constexpr std::string_view attempt_cookie_name = "__Host-al_provider";
inline constexpr std::string_view csrf_header = "X-CSRF-Token";

/// `__Host-`: Secure, of this very host and of all its paths (RFC 6265bis, 4.1.3.2).
void set_cookies(http::Response&, std::string_view refresh_token, Random&);
/// With the attributes that they were set with, or browsers keep them.
void clear_cookies(http::Response&);

/// What is known of a sign-in with a provider until its answer. SameSite=Lax: the answer is a navigation from the
/// provider's site.
void set_attempt_cookie(http::Response&, std::string_view attempt);
void clear_attempt_cookie(http::Response&);
/// Empty when there is none.
[[nodiscard]] std::string attempt_cookie(http::Request const&);

/// The refresh token of the cookie. Errors: unauthenticated (there is none); forbidden (another site may have sent the
/// request: Origin or Sec-Fetch-Site say so, or the header is not the second cookie's value).
[[nodiscard]] Result<std::string> refresh_cookie(http::Request const&);

}  // namespace al::services::auth
