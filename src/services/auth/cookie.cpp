#include "services/auth/cookie.hpp"

#include <sodium/utils.h>

#include <chrono>

#include "core/strings.hpp"
#include "data/login_store.hpp"
#include "security/oidc.hpp"

namespace al::services::auth {

namespace {

constexpr std::size_t csrf_bytes = 24;

enum class ReadBy { server, scripts };

std::string cookie(std::string_view name, std::string_view value, std::chrono::seconds age, std::string_view same_site,
                   ReadBy by) {
  return std::string(name) + "=" + std::string(value) + "; Path=/; Max-Age=" + std::to_string(age.count()) +
         "; Secure; SameSite=" + std::string(same_site) + (by == ReadBy::scripts ? "" : "; HttpOnly");
}

/// Empty when it is not there. Of two of a name the first counts, as browsers send the most specific one first.
std::string_view cookie_value(http::Request const& request, std::string_view name) {
  for (auto rest = request.headers.find("Cookie").value_or(""); !rest.empty();) {
    auto const pair = take_part(rest, ';');
    if (pair.size() > name.size() && pair.starts_with(name) && pair[name.size()] == '=')
      return pair.substr(name.size() + 1);
  }
  return {};
}

/// Where the request says that it comes from, without the scheme; it must be the host that it was sent to.
bool is_same_origin(http::Request const& request) {
  auto const site = request.headers.find("Sec-Fetch-Site");
  if (site && *site != "same-origin")
    return false;
  auto origin = request.headers.find("Origin").value_or("");
  auto const scheme = origin.find("://");
  return scheme != std::string_view::npos && origin.substr(scheme + 3) == request.headers.find("Host").value_or("");
}

bool is_equal_secret(std::string_view a, std::string_view b) {
  return !a.empty() && a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace

void set_cookies(http::Response& response, std::string_view refresh_token, Random& random) {
  auto const age = data::login_ttl;
  response.headers.add("Set-Cookie", cookie(refresh_cookie_name, refresh_token, age, "Strict", ReadBy::server));
  response.headers.add("Set-Cookie",
                       cookie(csrf_cookie_name, random.token(csrf_bytes), age, "Strict", ReadBy::scripts));
}

void clear_cookies(http::Response& response) {
  response.headers.add("Set-Cookie", cookie(refresh_cookie_name, "", {}, "Strict", ReadBy::server));
  response.headers.add("Set-Cookie", cookie(csrf_cookie_name, "", {}, "Strict", ReadBy::scripts));
}

void set_attempt_cookie(http::Response& response, std::string_view attempt) {
  auto const age = security::oidc::attempt_lifetime;
  response.headers.add("Set-Cookie", cookie(attempt_cookie_name, attempt, age, "Lax", ReadBy::server));
}

void clear_attempt_cookie(http::Response& response) {
  response.headers.add("Set-Cookie", cookie(attempt_cookie_name, "", {}, "Lax", ReadBy::server));
}

std::string attempt_cookie(http::Request const& request) {
  return std::string(cookie_value(request, attempt_cookie_name));
}

Result<std::string> refresh_cookie(http::Request const& request) {
  auto const token = cookie_value(request, refresh_cookie_name);
  if (token.empty())
    return fail(Code::unauthenticated, "Send the refresh token, or sign in again.");
  auto const sent = request.headers.find(csrf_header).value_or("");
  if (!is_same_origin(request) || !is_equal_secret(sent, cookie_value(request, csrf_cookie_name)))
    return fail(Code::forbidden, "This is for our own pages: send the value of the cookie " +
                                     std::string(csrf_cookie_name) + " as " + std::string(csrf_header) + ".");
  return std::string(token);
}

}  // namespace al::services::auth
