#include "http/negotiation.hpp"

#include <algorithm>

#include "core/strings.hpp"

namespace al::http {
namespace {

// RFC 9110, section 13.1.2: weak comparison.
bool names_etag(std::string_view if_none_match, std::string_view etag) {
  auto const strong = [](std::string_view tag) { return tag.starts_with("W/") ? tag.substr(2) : tag; };
  while (!if_none_match.empty()) {
    auto const tag = take_part(if_none_match, ',');
    if (tag == "*" || strong(tag) == strong(etag))
      return true;
  }
  return false;
}

/// Whether the parameters of a coding have a weight of zero (RFC 9110, section 12.4.2).
bool is_refused(std::string_view parameters) {
  auto const weight = parameters.find("q=");
  return weight != parameters.npos && trimmed(parameters.substr(weight + 2)).find_first_not_of("0.") == parameters.npos;
}

/// Calls `see(what, is_off)` with each element of the fields called `name`; off is what has a weight of 0.
template <class See>
void each_accepted(Headers const& headers, std::string_view name, See see) {
  for (auto const& [field, value] : headers) {
    std::string_view rest = equal_without_case(field, name) ? std::string_view(value) : std::string_view();
    while (!rest.empty()) {
      auto const element = take_part(rest, ',');
      auto const end = std::min(element.find(';'), element.size());
      see(trimmed(element.substr(0, end)), is_refused(element.substr(end)));
    }
  }
}

}  // namespace

void leave_out_unwanted(Response& response, Method method, Headers const& request) {
  if (method != Method::get && method != Method::head)
    return;
  if (response.status == 200) {
    auto const etag = response.headers.find("ETag");
    auto const known = request.find("If-None-Match");
    if (etag && known && names_etag(*known, *etag)) {
      response.status = 304;
      response.headers.erase("Content-Type");
      response.body = std::string();
      return;
    }
  }
  if (method != Method::head)
    return;
  if (auto const* text = std::get_if<std::string>(&response.body)) {
    response.headers.set("Content-Length", std::to_string(text->size()));
  }
  response.body = std::string();
}

bool accepts_gzip(Headers const& headers) {
  bool is_any = false;
  bool is_gzip = false;
  bool is_no_gzip = false;
  each_accepted(headers, "Accept-Encoding", [&](std::string_view coding, bool is_off) {
    if (equal_without_case(coding, "gzip"))
      (is_off ? is_no_gzip : is_gzip) = true;
    else if (coding == "*" && !is_off)
      is_any = true;
  });
  return is_gzip || (is_any && !is_no_gzip);
}

bool accepts_html(Headers const& headers) {
  if (!headers.find("Accept"))
    return true;
  bool takes = false;
  each_accepted(headers, "Accept", [&](std::string_view type, bool is_off) {
    bool const is_html = equal_without_case(type, "text/html") || equal_without_case(type, "text/*") || type == "*/*";
    takes = takes || (is_html && !is_off);
  });
  return takes;
}

}  // namespace al::http
