#pragma once
/// Parts of JSON that others wrote: tokens and metadata. What is missing or of another type is no answer.

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <optional>
#include <string_view>
#include <utility>

#include "core/base64.hpp"
#include "core/json.hpp"

namespace al::security {

/// Nothing for what is no object in strict JSON.
[[nodiscard]] inline std::optional<json::object> object_in(std::string_view text) {
  auto document = json::parse(text);
  if (!document || !document->is_object())
    return std::nullopt;
  return std::move(document->get_object());
}

/// Of a part of a token as RFC 7515 7.1 writes it. Nothing for what is no object in base64url.
[[nodiscard]] inline std::optional<json::object> decoded_object(std::string_view part) {
  auto const text = from_base64url(part);
  return text ? object_in(*text) : std::nullopt;
}

/// The text of a member; it lives as long as `in`.
[[nodiscard]] inline std::optional<std::string_view> text_of(json::object const& in, std::string_view name) {
  auto const* found = in.if_contains(name);
  if (found == nullptr || !found->is_string())
    return std::nullopt;
  return std::string_view(found->get_string());
}

/// Whether `list` is an array that has the text `wanted`.
[[nodiscard]] inline bool contains_text(json::value const& list, std::string_view wanted) {
  return list.is_array() && std::ranges::any_of(list.get_array(), [&](json::value const& element) {
           return element.is_string() && std::string_view(element.get_string()) == wanted;
         });
}

}  // namespace al::security
