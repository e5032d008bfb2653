#include "http/request_id.hpp"

#include <algorithm>
#include <span>
#include <string_view>

namespace al::http {

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

bool is_visible_ascii(std::string_view text, std::size_t max) {
  return !text.empty() && text.size() <= max && std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
}

}  // namespace al::http
