#include "agents/json_schema.hpp"

#include <gtest/gtest.h>

namespace al::agents {
namespace {

json::value parsed(std::string_view text) { return json::parse(text).value(); }

std::string refusal(std::string_view schema) {
  auto const read = JsonSchema::from(parsed(schema));
  return read ? "" : read.error().message;
}

/// The first fault; empty when the value fits.
std::string fault(std::string_view schema, std::string_view value) {
  auto const read = JsonSchema::from(parsed(schema));
  EXPECT_TRUE(read) << schema;
  auto const faults = read ? read->faults(parsed(value)) : std::vector<std::string>{"no schema"};
  return faults.empty() ? "" : faults[0];
}

TEST(JsonSchema, HoldsValuesAgainstEachKeyword) {
  struct Case {
    char const* schema;
    char const* good;
    char const* bad;
  };
  for (auto const& [schema, good, bad] : {
           Case{R"({"type":"integer"})", "3.0", "3.5"},
           Case{R"({"type":["string","null"]})", "null", "1"},
           Case{R"({"enum":["a",1]})", "1.0", "\"b\""},
           Case{R"({"const":{"a":1}})", R"({"a":1})", R"({"a":2})"},
           Case{R"({"minLength":2,"maxLength":3})", "\"äöü\"", "\"a\""},
           Case{R"({"minimum":1,"maximum":2})", "1", "2.1"},
           Case{R"({"exclusiveMinimum":1})", "1.1", "1"},
           Case{R"({"exclusiveMaximum":1})", "0", "1"},
           Case{R"({"multipleOf":0.1})", "0.7", "0.75"},
           Case{R"({"items":{"type":"string"},"minItems":1,"maxItems":2})", R"(["a"])", R"(["a",1])"},
           Case{R"({"uniqueItems":true})", "[1,2]", "[1,1.0]"},
           Case{R"({"required":["a"]})", R"({"a":null})", "{}"},
           Case{R"({"properties":{"a":{"type":"string"}},"additionalProperties":false})", R"({"a":"x"})", R"({"b":1})"},
           Case{R"({"additionalProperties":{"type":"number"}})", R"({"b":1})", R"({"b":"1"})"},
           Case{R"({"minProperties":1,"maxProperties":1})", R"({"b":1})", "{}"},
           Case{R"({"allOf":[{"minimum":1},{"maximum":3}]})", "2", "4"},
           Case{R"({"anyOf":[{"type":"string"},{"minimum":5}]})", "\"a\"", "4"},
           Case{R"({"oneOf":[{"minimum":1},{"maximum":3}]})", "0", "2"},
           Case{R"({"not":{"type":"string"}})", "1", "\"a\""},
           Case{R"({"$ref":"#/$defs/a~1b","$defs":{"a/b":{"type":"null"}}})", "null", "1"},
       }) {
    EXPECT_EQ(fault(schema, good), "") << schema << " " << good;
    EXPECT_NE(fault(schema, bad), "") << schema << " " << bad;
  }
}

TEST(JsonSchema, NamesThePlace) {
  EXPECT_EQ(fault(R"({"properties":{"a":{"items":{"type":"string"}}}})", R"({"a":["x",1]})"),
            "/a/1 must be of type \"string\"");
  EXPECT_TRUE(refusal(R"({"properties":{"a":{"type":"text"}}})").starts_with("#/properties/a/type: "));
}

TEST(JsonSchema, RefusesWhatItWouldNotCheck) {
  for (auto const* schema :
       {R"({"pattern":"a"})", R"({"patternProperties":{}})", R"({"if":{}})", R"({"minFoo":1})", R"({"type":"text"})",
        R"({"required":"a"})", R"({"minLength":-1})", R"({"multipleOf":0})", R"({"enum":[]})", R"({"items":[]})",
        R"({"anyOf":[]})", R"({"$ref":"other.json"})", R"({"$ref":"#/nowhere"})", "[]", "true"})
    EXPECT_NE(refusal(schema), "") << schema;
  EXPECT_EQ(refusal(R"({"format":"date","title":"x","default":[],"properties":{"pattern":{}}})"), "");
}

TEST(JsonSchema, RefusesWhatRefersToItselfWithoutEnd) {
  for (auto const* schema :
       {R"({"$ref":"#"})", R"({"allOf":[{"$ref":"#"}]})", R"({"not":{"$ref":"#"}})",
        R"({"$ref":"#/$defs/a","$defs":{"a":{"$ref":"#/$defs/b"},"b":{"anyOf":[{"$ref":"#/$defs/a"}]}}})"})
    EXPECT_NE(refusal(schema), "") << schema;
  EXPECT_EQ(refusal(R"({"properties":{"next":{"$ref":"#"}}})"), "");
}

TEST(JsonSchema, EndsWhateverTheSchemaIs) {
  std::string doubling = R"({"$ref":"#/$defs/d0","$defs":{)";
  for (int i = 0; i < 30; ++i) {
    auto const next = R"({"$ref":"#/$defs/d)" + std::to_string(i + 1) + "\"}";
    doubling += "\"d" + std::to_string(i) + R"(":{"anyOf":[)" + next + "," + next + "]},";
  }
  doubling += R"("d30":{"type":"null"}}})";
  EXPECT_TRUE(fault(doubling, "1").contains("too complex"));

  std::string chain = R"({"$ref":"#/$defs/d0","$defs":{)";
  for (int i = 0; i < 2000; ++i)
    chain += "\"d" + std::to_string(i) + R"(":{"$ref":"#/$defs/d)" + std::to_string(i + 1) + "\"},";
  chain += R"("d2000":true}})";
  EXPECT_NE(refusal(chain), "");

  std::string same = "[";
  for (int i = 0; i < 20'000; ++i)
    same += (i ? "," : "") + std::to_string(i);
  EXPECT_TRUE(fault(R"({"uniqueItems":true})", same + "]").contains("too complex"));
}

TEST(JsonSchema, TellsAFewFaultsOnly) {
  auto const schema = JsonSchema::from(parsed(R"({"items":{"type":"string"}})"));
  EXPECT_EQ(schema->faults(parsed("[1,2,3,4,5,6,7,8,9]")).size(), 5U);
}

}  // namespace
}  // namespace al::agents
