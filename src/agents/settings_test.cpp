#include "agents/settings.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace al::agents {
namespace {

Result<Settings> read(std::string config) { return read_settings(Document{std::move(config)}); }

/// The keys that are wrong, in their order.
std::vector<std::string> wrong(std::string config) {
  std::vector<std::string> out;
  auto const settings = read(std::move(config));
  if (settings)
    return out;
  EXPECT_EQ(settings.error().code, Code::invalid);
  for (auto const& fault : settings.error().faults)
    out.push_back(fault.path);
  return out;
}

using Names = std::vector<std::string>;

TEST(ReadSettings, WhatIsNotSaidIsAsUsual) {
  for (auto const* config : {"{}", R"({"their_own":{"max_steps":0}})", R"({"max_steps":null,"tools":null})"}) {
    auto const settings = read(config);
    ASSERT_TRUE(settings) << config;
    EXPECT_EQ(settings->provider, "");
    EXPECT_EQ(settings->system_prompt, "");
    EXPECT_FALSE(settings->temperature);
    EXPECT_EQ(settings->max_tokens, 4096);
    EXPECT_EQ(settings->max_steps, 10);
    EXPECT_EQ(settings->max_total_tokens, 200'000);
    EXPECT_TRUE(settings->may_search);
    EXPECT_FALSE(settings->may_delegate);
    EXPECT_FALSE(settings->answer_schema);
  }
}

TEST(ReadSettings, TakesWhatIsSaid) {
  auto const settings =
      read(R"({"provider":"house","system_prompt":"You are a poet.","temperature":0.5,"max_tokens":7,"max_steps":8,)"
           R"("max_total_tokens":9,"tools":["delegate"],"answer_schema":{"type": "object"}})");
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings->provider, "house");
  EXPECT_EQ(settings->system_prompt, "You are a poet.");
  EXPECT_EQ(settings->temperature, 0.5);
  EXPECT_EQ(settings->max_tokens, 7);
  EXPECT_EQ(settings->max_steps, 8);
  EXPECT_EQ(settings->max_total_tokens, 9);
  EXPECT_FALSE(settings->may_search);
  EXPECT_TRUE(settings->may_delegate);
  ASSERT_TRUE(settings->answer_schema);
  EXPECT_EQ(settings->answer_schema->text, R"({"type": "object"})") << "as it was written";
}

TEST(ReadSettings, KnowsItsToolsAmongOthers) {
  auto const all = read(R"({"tools":["theirs","knowledge_search",7,"delegate"]})");
  ASSERT_TRUE(all);
  EXPECT_TRUE(all->may_search);
  EXPECT_TRUE(all->may_delegate);
  auto const none = read(R"({"tools":[]})");
  ASSERT_TRUE(none);
  EXPECT_FALSE(none->may_search);
  EXPECT_FALSE(none->may_delegate);
}

TEST(ReadSettings, TakesTheLimitsAndNothingBeyond) {
  EXPECT_EQ(wrong(R"({"max_tokens":1000000,"max_steps":100,"max_total_tokens":100000000,"temperature":2})"), Names{});
  EXPECT_EQ(wrong(R"({"max_tokens":1,"max_steps":1,"max_total_tokens":1,"temperature":0})"), Names{});
  EXPECT_EQ(wrong(R"({"max_tokens":1000001})"), Names{"config.max_tokens"});
  EXPECT_EQ(wrong(R"({"max_steps":101})"), Names{"config.max_steps"});
  EXPECT_EQ(wrong(R"({"max_total_tokens":100000001})"), Names{"config.max_total_tokens"});
  EXPECT_EQ(wrong(R"({"temperature":2.1})"), Names{"config.temperature"});
  EXPECT_EQ(wrong(R"({"temperature":-0.1})"), Names{"config.temperature"});
}

TEST(ReadSettings, NamesWhatIsOfAnotherKind) {
  for (auto const* value : {"0", "-1", "1.5", "\"5\"", "true", "[]", "{}", "9223372036854775808"}) {
    for (auto const* key : {"max_tokens", "max_steps", "max_total_tokens"}) {
      auto const config = std::string("{\"") + key + "\":" + value + "}";
      EXPECT_EQ(wrong(config), Names{std::string("config.") + key}) << config;
    }
  }
  EXPECT_EQ(wrong(R"({"provider":7})"), Names{"config.provider"});
  EXPECT_EQ(wrong(R"({"system_prompt":[]})"), Names{"config.system_prompt"});
  EXPECT_EQ(wrong(R"({"temperature":"hot"})"), Names{"config.temperature"});
  EXPECT_EQ(wrong(R"({"tools":"delegate"})"), Names{"config.tools"});
  EXPECT_EQ(wrong(R"({"answer_schema":"object"})"), Names{"config.answer_schema"});
}

TEST(ReadSettings, NamesAllThatIsWrong) {
  auto const names = wrong(R"({"max_steps":0,"temperature":9,"provider":"fine","tools":7})");
  EXPECT_EQ(names.size(), 3U);
}

TEST(ReadSettings, OneWrongKeyMakesAGoodConfigBad) {
  EXPECT_TRUE(read(R"({"max_steps":3,"answer_schema":{"type":"string"}})"));
  EXPECT_FALSE(read(R"({"max_steps":3,"answer_schema":{"type":"string","pattern":"^a"}})"));
}

}  // namespace
}  // namespace al::agents
