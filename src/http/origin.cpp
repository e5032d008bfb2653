#include "http/origin.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "core/strings.hpp"

namespace al::http {
namespace {

constexpr std::size_t list_max = 64;
constexpr std::size_t origin_bytes_max = 300;
constexpr std::string_view setting = "AGENT_LIGHTNING_ALLOWED_ORIGINS";

bool is_port(std::string_view text) {
  unsigned port = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc{} && end == text.data() + text.size() && port > 0 && port <= 65535 && text.front() != '0';
}

/// A name, an IPv4 address, or an IPv6 address in brackets, in lower case.
bool is_host(std::string_view host) {
  bool const is_v6 = host.size() > 2 && host.starts_with('[') && host.ends_with(']');
  auto const inner = is_v6 ? host.substr(1, host.size() - 2) : host;
  auto const fits = [is_v6](char c) {
    bool const is_digit = c >= '0' && c <= '9';
    if (is_v6)
      return is_digit || (c >= 'a' && c <= 'f') || c == ':' || c == '.';
    return is_digit || (c >= 'a' && c <= 'z') || c == '-' || c == '.' || c == '_';
  };
  return !inner.empty() && std::ranges::all_of(inner, fits);
}

struct Origin {
  std::string_view scheme;  ///< http or https
  std::string authority;    ///< host, and port unless it is the scheme's
};

/// `authority` without the port that goes without saying for `scheme`; nothing when it is no host with or without port.
std::optional<std::string> authority_of(std::string_view scheme, std::string_view authority) {
  auto out = lower(authority);
  auto const colon = out.rfind(':');
  // A colon within brackets is part of an address.
  bool const has_port = colon != std::string::npos && out.find(']', colon) == std::string::npos;
  auto const host = std::string_view(out).substr(0, has_port ? colon : std::string::npos);
  if (!is_host(host))
    return std::nullopt;
  if (!has_port)
    return out;
  auto const port = std::string_view(out).substr(colon + 1);
  if (!is_port(port))
    return std::nullopt;
  return port == (scheme == "https" ? "443" : "80") ? std::string(host) : out;
}

std::optional<Origin> read(std::string_view text) {
  if (text.size() > origin_bytes_max)
    return std::nullopt;
  auto const whole = lower(text);
  for (std::string_view const scheme : {"http", "https"}) {
    if (!whole.starts_with(std::string(scheme) + "://"))
      continue;
    auto authority = authority_of(scheme, std::string_view(whole).substr(scheme.size() + 3));
    return authority ? std::optional(Origin{scheme, std::move(*authority)}) : std::nullopt;
  }
  return std::nullopt;
}

std::string to_text(Origin const& origin) { return std::string(origin.scheme) + "://" + origin.authority; }

}  // namespace

Result<AllowedOrigins> AllowedOrigins::from(std::string_view list) {
  AllowedOrigins out;
  while (!list.empty()) {
    auto const entry = take_part(list, ',');
    if (entry.empty())
      continue;
    auto const origin = read(entry);
    if (!origin) {
      return fail(Code::invalid, std::string(setting) + ": '" + std::string(entry) +
                                     "' is no origin. Write https://HOST or http://HOST, with :PORT when it is not "
                                     "the usual one, and nothing behind it.");
    }
    out.origins_.push_back(to_text(*origin));
  }
  if (out.origins_.size() > list_max)
    return fail(Code::invalid, std::string(setting) + " takes at most 64 origins.");
  return out;
}

bool AllowedOrigins::allows(std::string_view origin, std::string_view host) const {
  auto const read_origin = read(origin);
  if (!read_origin)
    return false;
  if (read_origin->authority == authority_of(read_origin->scheme, host))
    return true;
  return std::ranges::find(origins_, to_text(*read_origin)) != origins_.end();
}

}  // namespace al::http
