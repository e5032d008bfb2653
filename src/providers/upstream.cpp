#include "providers/upstream.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <ctime>
#include <string>
#include <utility>

#include "core/utf8.hpp"

namespace al::providers {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds wait_max = std::chrono::hours{24};

Code code_of(int status) {
  switch (status) {
    case 401:
    case 403:
      return Code::unauthenticated;
    case 404:
      return Code::not_found;
    case 408:
    case 504:
      return Code::timed_out;
    case 429:
      return Code::too_many_requests;
    case 409:
      return Code::unavailable;
    default:
      return status >= 500 ? Code::unavailable : Code::invalid;
  }
}

std::optional<double> number(std::string_view text) {
  double out = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  bool const is_all = error == std::errc{} && end == text.data() + text.size();
  return is_all && std::isfinite(out) && out >= 0 ? std::optional(out) : std::nullopt;
}

std::optional<milliseconds> wait_of(std::optional<std::string_view> header, double unit_ms) {
  auto const value = header ? number(*header) : std::nullopt;
  if (!value)
    return std::nullopt;
  return milliseconds{std::llround(std::min(*value * unit_ms, static_cast<double>(wait_max.count())))};
}

/// The fixed form of RFC 9110, 5.6.7; the two obsolete ones are not sent by anyone we call.
std::optional<Timestamp> http_date(std::string const& text) {
  std::tm parts{};
  auto const* rest = ::strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  if (rest == nullptr || *rest != '\0')
    return std::nullopt;
  return Timestamp{std::chrono::seconds{::timegm(&parts)}};
}

}  // namespace

Error upstream_error(int status, std::string_view reason) {
  auto message = "answered with status " + std::to_string(status);
  if (!reason.empty())
    message += ": " + std::string(reason);
  return {.code = code_of(status), .message = std::move(message)};
}

std::optional<milliseconds> asked_wait(http::Headers const& headers, Timestamp now) {
  if (auto const wait = wait_of(headers.find("retry-after-ms"), 1))
    return wait;
  auto const after = headers.find("retry-after");
  if (auto const wait = wait_of(after, 1000))
    return wait;
  auto const date = after ? http_date(std::string(*after)) : std::nullopt;
  if (!date)
    return std::nullopt;
  auto const ahead = std::chrono::ceil<milliseconds>(*date - now);
  return std::clamp(ahead, milliseconds{0}, wait_max);
}

void add_key(http::Headers& headers, Account const& account) {
  if (account.key.empty())
    return;
  if (account.kind == Kind::anthropic)
    headers.set("x-api-key", account.key);
  else
    headers.set("Authorization", "Bearer " + account.key);
}

void hide_key(std::string& text, std::string_view key) {
  constexpr std::string_view mask = "***";
  // What stands in for the key is passed over: it may be a part of the key.
  for (auto at = key.empty() ? std::string::npos : text.find(key); at != std::string::npos;
       at = text.find(key, at + mask.size()))
    text.replace(at, key.size(), mask);
}

Error told(Error error, Account const& account, std::size_t bytes_max) {
  hide_key(error.message, account.key);
  error.message = "provider '" + account.id + "': " + utf8::shortened(error.message, bytes_max);
  return error;
}

bool may_retry(Error const& error, http::Headers const& headers) {
  if (auto const said = headers.find("x-should-retry"))
    return *said == "true";
  return error.code == Code::too_many_requests || error.code == Code::unavailable || error.code == Code::timed_out;
}

}  // namespace al::providers
