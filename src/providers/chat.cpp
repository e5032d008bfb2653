#include "providers/chat.hpp"

#include <algorithm>
#include <utility>

namespace al::providers {

bool read_tokens(json::value const& usage, std::string_view name, std::int64_t& out) {
  constexpr std::int64_t tokens_max = 1'000'000'000;
  auto const* object = usage.if_object();
  auto const* count = object == nullptr ? nullptr : object->if_contains(name);
  if (count == nullptr || !count->is_number())
    return false;
  out = count->is_int64() ? std::clamp<std::int64_t>(count->get_int64(), 0, tokens_max) : 0;
  return true;
}

json::object object_from(Document const& document) {
  auto parsed = json::parse(document.text);
  return parsed && parsed->is_object() ? std::move(parsed->as_object()) : json::object{};
}

std::string without_nul(std::string_view json) {
  constexpr std::string_view escape = "u0000";
  std::string out;
  out.reserve(json.size());
  for (std::size_t at = 0; at < json.size(); ++at) {
    if (json[at] != '\\' || at + 1 == json.size()) {
      out += json[at];
    } else if (json.substr(at + 1).starts_with(escape)) {
      at += escape.size();
    } else {
      out += json[at];
      out += json[++at];
    }
  }
  return out;
}

}  // namespace al::providers
