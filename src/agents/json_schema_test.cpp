#include "agents/json_schema.hpp"

#include <gtest/gtest.h>

#include <chrono>

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

TEST(JsonSchema, RoundsNoNumbers) {
  struct Case {
    char const* schema;
    char const* good;
    char const* bad;
  };
  for (auto const& [schema, good, bad] : {
           Case{R"({"multipleOf":2})", "1000000002", "1000000001"},
           Case{R"({"multipleOf":2})", "-4", "1e-3"},
           Case{R"({"multipleOf":5})", "18446744073709551615", "18446744073709551614"},
           Case{R"({"multipleOf":3})", "3e300", "1e300"},
           Case{R"({"multipleOf":100})", "2e3", "250"},
           Case{R"({"multipleOf":0.01})", "4.35", "4.355"},
           Case{R"({"multipleOf":2.5e-7})", "0", "3e-7"},
           Case{R"({"multipleOf":0.5})", "1000000000000000.5", "1000000000000000.25"},
           Case{R"({"multipleOf":1e308})", "1e308", "5e-324"},
           Case{R"({"uniqueItems":true})", "[9007199254740992,9007199254740993]",
                "[9007199254740993,9007199254740993]"},
           Case{R"({"enum":[9007199254740993]})", "9007199254740993", "9007199254740992"},
           Case{R"({"minimum":9007199254740993})", "9007199254740993", "9007199254740992"},
           Case{R"({"exclusiveMaximum":18446744073709551615})", "18446744073709551614", "18446744073709551615"},
           Case{R"({"maximum":-9223372036854775807})", "-9223372036854775808", "-9223372036854775806"},
           Case{R"({"maximum":9007199254740992.0})", "9007199254740992", "9007199254740993"},
       }) {
    EXPECT_EQ(fault(schema, good), "") << schema << " " << good;
    EXPECT_NE(fault(schema, bad), "") << schema << " " << bad;
  }
}

TEST(JsonSchema, ComparesAllTheWayDown) {
  for (auto const& [only, same, other] : {
           std::tuple{"[1]", "[1.0]", "[1,1]"},
           std::tuple{R"({"a":[1,{"b":2}],"c":"x"})", R"({"c":"x","a":[1.0,{"b":2.0}]})",
                      R"({"c":"x","a":[1,{"b":3}]})"},
           std::tuple{R"({"a":null})", R"({"a":null})", R"({"b":null})"},
           std::tuple{"false", "false", "0"},
       }) {
    auto const schema = R"({"const":)" + std::string(only) + "}";
    EXPECT_EQ(fault(schema, same), "") << schema << " " << same;
    EXPECT_NE(fault(schema, other), "") << schema << " " << other;
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

TEST(JsonSchema, RefusesReferencesToWhatIsNoSchema) {
  for (auto const* schema : {R"({"$ref":"#/default","default":5})", R"({"$ref":"#/default","default":{"type":5}})",
                             R"({"$ref":"#/required","required":["a"]})", R"({"not":{"$ref":"#/const"},"const":"a"})",
                             R"({"properties":{"a":{"$ref":"#/properties"},"type":{"type":"string"}}})",
                             R"({"$ref":"#/default","default":{"items":{"$ref":"#/default/title"},"title":"x"}})"})
    EXPECT_NE(refusal(schema), "") << schema;
  EXPECT_TRUE(refusal(R"({"$ref":"#/default","default":{"type":5}})").starts_with("#/default/type: "));
  EXPECT_EQ(fault(R"({"$ref":"#/default","default":{"type":"string"}})", "1"),
            R"(the answer must be of type "string")");
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

std::string repeated(std::size_t times, std::string const& part, char const* separator = ",") {
  std::string out;
  for (std::size_t i = 0; i < times; ++i)
    out += (i ? separator : "") + part;
  return out;
}

/// What costs more than a step must use up as much of the budget.
TEST(JsonSchema, CountsWhatTakesTime) {
  std::string names;
  for (int i = 0; i < 8500; ++i)
    names += (i ? ",\"" : "\"") + std::to_string(i) + "\"";
  auto const objects = "[" + repeated(20'000, "{}") + "]";
  EXPECT_TRUE(fault(R"({"items":{"required":[)" + names + "]}}", objects).contains("too complex"));

  auto const list = "[" + repeated(10'000, "0") + "]";
  auto const lists = "[" + repeated(39, list) + "]";
  EXPECT_TRUE(fault(R"({"items":{"const":)" + list + "}}", lists).contains("too complex"));

  auto const text = "\"" + std::string(1'000'000, 'x') + "\"";
  auto const measured = R"({"allOf":[)" + repeated(500, R"({"minLength":1})") + "]}";
  EXPECT_TRUE(fault(measured, text).contains("too complex"));
}

TEST(JsonSchema, TakesNoTimeForWhatNobodyHears) {
  auto const begun = std::chrono::steady_clock::now();
  std::string names;
  for (int i = 0; i < 8000; ++i)
    names += (i ? ",\"" : "\"") + std::to_string(i) + "\"";
  auto const numbers = "[" + repeated(50'000, "0") + "]";
  EXPECT_NE(fault(R"({"items":{"not":{"required":[)" + names + "]}}}", numbers), "");
  EXPECT_NE(fault(R"({"items":{"enum":[)" + names + "]}}", "[0,0,0,0,0,0,0,0,0,0]"), "");

  auto const deep = R"({")" + std::string(1'000'000, 'k') + R"(":)" + numbers + "}";
  EXPECT_EQ(fault(R"({"additionalProperties":{"items":{"type":"integer"}}})", deep), "");
  auto const wrong = fault(R"({"additionalProperties":{"items":{"type":"string"}}})", deep);
  EXPECT_LT(wrong.size(), 1000U);

  auto const escapes = R"({"$defs":{"a":true},"items":{"$ref":"#/$defs/)" + repeated(15'000, "~1", "") + "\"}}";
  EXPECT_NE(refusal(escapes), "");
  auto const steep = R"({"$defs":{")" + std::string(15'000, '/') + R"(":true},"items":{"$ref":"#/$defs/)" +
                     repeated(15'000, "~1", "") + "\"}}";
  EXPECT_EQ(fault(steep, numbers), "");
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds{10});
}

TEST(JsonSchema, TellsAFewFaultsOnly) {
  auto const schema = JsonSchema::from(parsed(R"({"items":{"type":"string"}})"));
  EXPECT_EQ(schema->faults(parsed("[1,2,3,4,5,6,7,8,9]")).size(), 5U);
}

}  // namespace
}  // namespace al::agents
