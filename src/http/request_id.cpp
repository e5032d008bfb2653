#include "http/request_id.hpp"

#include <algorithm>
#include <span>
#include <string_view>

namespace al::http {
namespace {

constexpr std::size_t request_id_bytes_max = 128;

// W3C Trace Context: version-trace-parent-flags in lower-case hexadecimal, neither id all zeros. Later versions may
// append more; we pass on what we know, so only the first form is taken.
bool is_traceparent(std::string_view text) {
  constexpr std::string_view shape = "xx-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx-xxxxxxxxxxxxxxxx-xx";
  if (text.size() != shape.size() || text.starts_with("ff"))
    return false;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    bool const is_hex = (text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f');
    if (shape[i] == '-' ? text[i] != '-' : !is_hex)
      return false;
  }
  return text.substr(3, 32).find_first_not_of('0') != text.npos &&
         text.substr(36, 16).find_first_not_of('0') != text.npos;
}

}  // namespace

RequestIds::RequestIds(Random& random) { random.fill(std::as_writable_bytes(std::span(&prefix_, 1))); }

std::string RequestIds::next() {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text(32, '0');
  auto count = count_.fetch_add(1, std::memory_order_relaxed);
  auto prefix = prefix_;
  for (std::size_t i = 0; i < 16; ++i) {
    text[15 - i] = digits[prefix & 15];
    text[31 - i] = digits[count & 15];
    prefix >>= 4;
    count >>= 4;
  }
  return text;
}

void identify(Context& context, Headers const& headers, RequestIds& ids) {
  if (context.request_id.empty()) {
    auto const sent = headers.find("X-Request-Id");
    context.request_id = sent && is_visible_ascii(*sent, request_id_bytes_max) ? std::string(*sent) : ids.next();
  }
  if (!context.traceparent.empty())
    return;
  auto const parent = headers.find("traceparent");
  if (parent && is_traceparent(*parent) && headers.count("traceparent") == 1)
    context.traceparent = *parent;
}

void add_identity(Response& response, Context const& context) {
  // An answer that was passed on from elsewhere keeps the id by which it is known there.
  if (!response.headers.find("X-Request-Id"))
    response.headers.add("X-Request-Id", context.request_id);
  if (!context.traceparent.empty())
    response.headers.set("traceparent", context.traceparent);
}

bool is_visible_ascii(std::string_view text, std::size_t max) {
  return !text.empty() && text.size() <= max && std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
}

}  // namespace al::http
