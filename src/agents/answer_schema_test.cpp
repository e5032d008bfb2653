#include "agents/answer_schema.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace al::agents {
namespace {

Document const city{
    R"({"type":"object","properties":{"city":{"type":"string"},"people":{"type":"integer","minimum":1}},)"
    R"("required":["city","people"],"additionalProperties":false})"};
constexpr char const* bern = R"({"city":"Bern","people":134000})";

bool is_usable(std::string schema) {
  auto const checked = check_schema(Document{std::move(schema)});
  if (checked)
    return true;
  EXPECT_EQ(checked.error().code, Code::invalid);
  EXPECT_FALSE(checked.error().message.empty());
  return false;
}

/// Why an answer does not fit; empty when it does.
std::string reason(Document const& schema, std::string const& answer) {
  auto const matched = match_schema(schema, answer);
  if (matched)
    return {};
  EXPECT_EQ(matched.error().code, Code::invalid);
  return matched.error().message;
}

TEST(CheckSchema, TakesOrdinaryOnes) {
  EXPECT_TRUE(is_usable(city.text));
  EXPECT_TRUE(is_usable("{}"));
  EXPECT_TRUE(is_usable(R"({"enum":["a",1,null]})"));
  EXPECT_TRUE(
      is_usable(R"({"type":"array","items":{"$ref":"#/definitions/a"},"definitions":{"a":{"type":"string"}}})"));
  EXPECT_TRUE(is_usable(R"({"anyOf":[{"type":"string"},{"type":"null"}]})"));
}

TEST(CheckSchema, RefusesRegularExpressionsWhereverTheyStand) {
  EXPECT_FALSE(is_usable(R"({"type":"string","pattern":"^(a+)+$"})"));
  EXPECT_FALSE(is_usable(R"({"patternProperties":{"^a":{}}})"));
  EXPECT_FALSE(is_usable(R"({"properties":{"a":{"items":[{"not":{"pattern":"a"}}]}}})"));
  EXPECT_TRUE(is_usable(R"({"properties":{"pattern":{"type":"string"}}})")) << "a property may have that name";
}

TEST(CheckSchema, RefusesWhatIsNoObject) {
  for (auto const* schema : {"[]", "true", "7", "\"object\"", "null", "{", ""})
    EXPECT_FALSE(check_schema(Document{schema})) << schema;
}

TEST(CheckSchema, RefusesWhatHasNoMeaning) {
  EXPECT_FALSE(is_usable(R"({"type":"no such type"})"));
  EXPECT_FALSE(is_usable(R"({"required":"city"})"));
  EXPECT_FALSE(is_usable(R"({"minLength":-1})"));
  EXPECT_FALSE(is_usable(R"({"multipleOf":0})"));
}

TEST(CheckSchema, RefusesReferencesThatLeadNowhere) {
  EXPECT_FALSE(is_usable(R"({"$ref":"#/definitions/nowhere"})"));
  EXPECT_FALSE(is_usable(R"({"$ref":"http://127.0.0.1:1/schema.json"})"));
  EXPECT_FALSE(is_usable(R"({"$ref":"#"})"));
}

TEST(MatchSchema, GivesTheAnswerAsJson) {
  auto const matched = match_schema(city, bern);
  ASSERT_TRUE(matched);
  EXPECT_EQ(matched->text, bern);
}

TEST(MatchSchema, TakesOffAFence) {
  for (auto const* before : {"```json\n", "```\n", "\n ```JSON\n", "```json\r\n"}) {
    auto const matched = match_schema(city, before + std::string(bern) + "\n```\n");
    ASSERT_TRUE(matched) << before;
    EXPECT_EQ(matched->text, bern);
  }
  EXPECT_EQ(reason(city, "\n\t " + std::string(bern) + "\r\n"), "");
  EXPECT_NE(reason(city, "```json\n```"), "");
  EXPECT_NE(reason(city, "``````"), "");
  EXPECT_NE(reason(city, "```"), "");
}

TEST(MatchSchema, SaysWhatIsNoJson) {
  for (auto const* answer : {"", "About 134000.", "{\"city\":", "{} {}", "{'city':'Bern'}"})
    EXPECT_TRUE(reason(city, answer).contains("no JSON")) << answer;
}

TEST(MatchSchema, SaysWhereItDiffers) {
  EXPECT_TRUE(reason(city, R"({"city":"Bern","people":0})").contains("people"));
  EXPECT_TRUE(reason(city, R"({"city":"Bern","people":"many"})").contains("people"));
  EXPECT_TRUE(reason(city, R"({"city":"Bern"})").contains("people"));
  EXPECT_TRUE(reason(city, R"({"city":"Bern","people":1,"mayor":"x"})").contains("mayor"));
  EXPECT_NE(reason(city, "[]"), "");
}

TEST(MatchSchema, OneWrongValueMakesAGoodAnswerBad) {
  EXPECT_EQ(reason(city, bern), "");
  EXPECT_NE(reason(city, R"({"city":"Bern","people":-134000})"), "");
}

TEST(MatchSchema, FollowsReferences) {
  Document const tree{R"({"type":"object","properties":{"next":{"$ref":"#"}},"additionalProperties":false})"};
  EXPECT_EQ(reason(tree, R"({"next":{"next":{}}})"), "");
  EXPECT_NE(reason(tree, R"({"next":{"next":{"other":1}}})"), "");
}

}  // namespace
}  // namespace al::agents
