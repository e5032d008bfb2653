#include "providers/chat.hpp"

#include <utility>

namespace al::providers {

json::object object_from(Document const& document) {
  auto parsed = json::parse(document.text);
  return parsed && parsed->is_object() ? std::move(parsed->as_object()) : json::object{};
}

}  // namespace al::providers
