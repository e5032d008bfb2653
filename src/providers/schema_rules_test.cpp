#include "providers/schema_rules.hpp"

#include <gtest/gtest.h>

#include <array>

namespace al::providers {
namespace {

constexpr std::array<std::string_view, 9> keywords{
    "type", "properties", "required", "additionalProperties", "items", "anyOf", "enum", "$ref", "$defs"};
constexpr SchemaRules all_members{keywords, true};
constexpr SchemaRules some_members{keywords, false};

bool keeps(SchemaRules const& rules, std::string_view text) {
  return keeps_to(rules, json::parse(text).value().get_object());
}

TEST(SchemaRules, TakesClosedObjects) {
  constexpr std::string_view closed =
      R"({"type":"object","properties":{"a":{"type":"string"},"items":{"type":["integer","null"]}},)"
      R"("required":["a","items"],"additionalProperties":false})";
  EXPECT_TRUE(keeps(all_members, closed));
  constexpr std::string_view optional =
      R"({"type":"object","properties":{"a":{"enum":[{"oneOf":1}]},"b":{"$ref":"#/$defs/b"}},"required":["a"],)"
      R"("additionalProperties":false,"$defs":{"b":{"type":"array","items":{"anyOf":[{"type":"string"}]}}}})";
  EXPECT_FALSE(keeps(all_members, optional));
  EXPECT_TRUE(keeps(some_members, optional)) << "values in enum are no schemas";
}

TEST(SchemaRules, RefusesWhatAProviderRefuses) {
  for (auto const* text : {
           R"({"type":"object"})",
           R"({"type":"object","required":["x"]})",
           R"({"type":"object","properties":{}})",
           R"({"type":"object","properties":{},"additionalProperties":true})",
           R"({"type":"array","items":{"type":"string"}})",
           R"({"anyOf":[{"type":"object","properties":{},"additionalProperties":false}]})",
           R"({"type":"object","properties":{"a":{}},"required":["a"],"additionalProperties":false})",
           R"({"type":"object","properties":{"a":true},"required":["a"],"additionalProperties":false})",
           R"({"type":"object","properties":{"a":{"type":"object"}},"required":["a"],"additionalProperties":false})",
           R"({"type":"object","properties":{"a":{"oneOf":[]}},"required":["a"],"additionalProperties":false})",
           R"({"type":"object","properties":{"a":{"type":"string","minLength":1}},"required":["a"],)"
           R"("additionalProperties":false})",
           R"({"type":"object","properties":{"a":{"type":"array","items":{"not":{}}}},"required":["a"],)"
           R"("additionalProperties":false})",
       }) {
    EXPECT_FALSE(keeps(all_members, text)) << text;
  }
}

}  // namespace
}  // namespace al::providers
