#include "providers/schema_rules.hpp"

#include <algorithm>
#include <array>

namespace al::providers {
namespace {

bool is_any_of(std::string_view key, std::span<std::string_view const> keys) {
  return std::ranges::find(keys, key) != keys.end();
}

/// `type` is a name, or a list of names.
bool has_type(json::object const& schema, std::string_view name) {
  auto const* type = schema.if_contains("type");
  if (type == nullptr)
    return false;
  auto const is_it = [&](json::value const& one) { return one == json::value(name); };
  return type->is_array() ? std::ranges::any_of(type->get_array(), is_it) : is_it(*type);
}

bool is_closed(SchemaRules const& rules, json::object const& schema) {
  auto const* others = schema.if_contains("additionalProperties");
  auto const* members = schema.if_contains("properties");
  if (others == nullptr || *others != json::value(false) || members == nullptr || !members->is_object())
    return false;
  auto const* required = schema.if_contains("required");
  auto const count = required != nullptr && required->is_array() ? required->get_array().size() : 0;
  return !rules.all_required || count == members->get_object().size();
}

bool fits(SchemaRules const& rules, json::value const& value);

/// Schemas stand in some keywords: alone, in a list, or under names.
bool fits_under(SchemaRules const& rules, std::string_view keyword, json::value const& value) {
  static constexpr std::array<std::string_view, 2> named{"properties", "$defs"};
  if (is_any_of(keyword, named)) {
    return value.is_object() &&
           std::ranges::all_of(value.get_object(), [&](auto const& one) { return fits(rules, one.value()); });
  }
  if (keyword == "anyOf") {
    return value.is_array() &&
           std::ranges::all_of(value.get_array(), [&](auto const& one) { return fits(rules, one); });
  }
  return keyword != "items" || fits(rules, value);
}

bool fits(SchemaRules const& rules, json::value const& value) {
  static constexpr std::array<std::string_view, 5> deciding{"type", "enum", "const", "anyOf", "$ref"};
  auto const* schema = value.if_object();
  if (schema == nullptr)
    return false;
  bool const decides = std::ranges::any_of(deciding, [&](auto key) { return schema->contains(key); });
  bool const is_object = has_type(*schema, "object") || schema->contains("properties");
  return decides && (!is_object || is_closed(rules, *schema)) && std::ranges::all_of(*schema, [&](auto const& member) {
           return is_any_of(member.key(), rules.keywords) && fits_under(rules, member.key(), member.value());
         });
}

}  // namespace

bool keeps_to(SchemaRules const& rules, json::object const& schema) {
  auto const* type = schema.if_contains("type");
  return type != nullptr && *type == json::value("object") && fits(rules, schema);
}

}  // namespace al::providers
