#include "providers/chat.hpp"

#include <utility>

namespace al::providers {

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
