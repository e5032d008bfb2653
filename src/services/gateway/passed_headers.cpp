#include "services/gateway/passed_headers.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "core/strings.hpp"

namespace al::services::gateway {
namespace {

using http::equal_without_case;
using http::Headers;

constexpr std::array<std::string_view, 9> of_connection{
    "Connection", "Keep-Alive",        "Proxy-Connection", "Proxy-Authenticate", "Proxy-Authorization", "TE",
    "Trailer",    "Transfer-Encoding", "Upgrade"};

constexpr std::array<std::string_view, 13> identity_prefixes{
    "X-Forwarded-",  "X-User-", "X-Tenant-", "X-Principal-",   "X-Auth-Request-", "X-Authenticated-", "X-Remote-",
    "X-Client-Cert", "X-SSL-",  "X-Roles-",  "X-Permissions-", "X-Organisation-", "X-Consumer-"};

constexpr std::array<std::string_view, 14> identity_names{
    "Forwarded",      "Via",     "X-Real-IP",     "X-Client-IP",   "X-Cluster-Client-IP",
    "True-Client-IP", "X-User",  "X-Tenant",      "X-Principal",   "X-Remote-User",
    "Remote-User",    "X-Roles", "X-Permissions", "X-Organisation"};

/// Calls `see` with each element of a list with commas, until it answers true.
template <class See>
bool any_element(std::string_view list, See see) {
  while (!list.empty()) {
    if (see(take_part(list, ',')))
      return true;
  }
  return false;
}

bool is_of_connection(std::string_view name) {
  return std::ranges::any_of(of_connection, [&](auto one) { return equal_without_case(one, name); });
}

bool is_identity(std::string_view name) {
  constexpr std::size_t longest = 64;
  std::array<char, longest> plain{};
  auto const length = std::min(name.size(), longest);
  std::ranges::replace_copy(name.substr(0, length), plain.begin(), '_', '-');
  std::string_view const text(plain.data(), length);
  return std::ranges::any_of(identity_prefixes,
                             [&](auto one) { return equal_without_case(text.substr(0, one.size()), one); }) ||
         std::ranges::any_of(identity_names, [&](auto one) { return equal_without_case(text, one); });
}

/// What the Connection headers name, for as long as they stay as they are.
std::vector<std::string> named_by_connection(Headers const& headers) {
  std::vector<std::string> names;
  for (auto const& [name, value] : headers) {
    if (!equal_without_case(name, "Connection"))
      continue;
    any_element(value, [&](std::string_view element) {
      if (!equal_without_case(element, "close") && !equal_without_case(element, "keep-alive"))
        names.emplace_back(element);
      return false;
    });
  }
  return names;
}

template <class More>
void drop_connection(Headers& headers, More is_more) {
  auto const named = named_by_connection(headers);
  headers.erase_if([&](std::string_view name) {
    return is_of_connection(name) || is_more(name) ||
           std::ranges::any_of(named, [&](auto const& one) { return equal_without_case(one, name); });
  });
}

std::string forwarded_text(std::string_view peer, std::string_view host, std::string_view scheme) {
  bool const is_v6 = peer.contains(':');
  std::string out = is_v6 ? "for=\"[" : "for=";
  out.append(peer).append(is_v6 ? "]\"" : "");
  if (!host.empty())
    out.append(";host=\"").append(host).append("\"");
  return out.append(";proto=").append(scheme);
}

}  // namespace

bool has_credential(Headers const& headers) {
  return headers.find("Authorization") || headers.find("X-Api-Key") || headers.find("Cookie");
}

void drop_identity(Headers& headers) { headers.erase_if(is_identity); }

void make_forwarded(Headers& headers, http::Context const& context, std::string_view peer, std::string_view scheme) {
  std::string const host(headers.find("Host").value_or(""));
  drop_connection(headers, [](std::string_view name) {
    // The gateway compresses itself, what it keeps as well as what it passes on.
    return is_identity(name) || equal_without_case(name, "Host") || equal_without_case(name, "Content-Length") ||
           equal_without_case(name, "Expect") || equal_without_case(name, "Accept-Encoding") ||
           equal_without_case(name, "X-Request-Id") || equal_without_case(name, "traceparent");
  });
  headers.add("X-Forwarded-For", peer);
  headers.add("X-Forwarded-Proto", scheme);
  if (!host.empty())
    headers.add("X-Forwarded-Host", host);
  headers.add("Forwarded", forwarded_text(peer, host, scheme));
  headers.add("X-Request-Id", context.request_id);
  if (!context.traceparent.empty())
    headers.add("traceparent", context.traceparent);
}

void make_returned(Headers& headers) {
  drop_connection(headers, [](std::string_view name) {
    constexpr std::string_view cors = "Access-Control-";
    return equal_without_case(name.substr(0, cors.size()), cors) ||
           equal_without_case(name, "X-Content-Type-Options") || equal_without_case(name, "X-Cache");
  });
}

bool has_directive(Headers const& headers, std::string_view wanted) {
  return std::ranges::any_of(headers, [&](auto const& field) {
    return equal_without_case(field.first, "Cache-Control") && any_element(field.second, [&](std::string_view element) {
             return equal_without_case(trimmed(element.substr(0, std::min(element.find('='), element.size()))), wanted);
           });
  });
}

}  // namespace al::services::gateway
