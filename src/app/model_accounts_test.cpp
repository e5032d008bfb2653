#include "app/model_accounts.hpp"

#include <gtest/gtest.h>

namespace al::app {
namespace {

Config config_of(std::map<std::string, std::string> environment) {
  return *Config::load({.file = {}, .dotenv = {}, .environment = std::move(environment), .options = {}});
}

TEST(ModelAccounts, AreThereWhenTheirKeyOrUrlIs) {
  EXPECT_TRUE(accounts_of(config_of({}))->empty());
  auto const both = accounts_of(config_of({{"ANTHROPIC_API_KEY", "k"}, {"OPENAI_BASE_URL", "http://127.0.0.1:1/v1/"}}));
  ASSERT_EQ(both->size(), 2U);
  EXPECT_EQ(both->at(0).base_url, "http://127.0.0.1:1/v1");
  EXPECT_EQ(both->at(1).base_url, "https://api.anthropic.com");
  EXPECT_EQ(both->at(1).key, "k");
}

TEST(ModelAccounts, ReadTheMapOfNames) {
  auto const accounts =
      accounts_of(config_of({{"OPENAI_API_KEY", "k"}, {"OPENAI_MODELS", "claude-3-haiku = gpt-5-nano, gpt-4=gpt-5,"}}));
  ASSERT_TRUE(accounts);
  EXPECT_EQ(accounts->at(0).models,
            (std::map<std::string, std::string>{{"claude-3-haiku", "gpt-5-nano"}, {"gpt-4", "gpt-5"}}));
}

TEST(ModelAccounts, NameTheSettingThatIsWrong) {
  auto const url = accounts_of(config_of({{"OPENAI_BASE_URL", "localhost:11434"}}));
  EXPECT_TRUE(url.error().message.contains("openai.base_url"));
  auto const map = accounts_of(config_of({{"ANTHROPIC_API_KEY", "k"}, {"ANTHROPIC_MODELS", "fast"}}));
  EXPECT_TRUE(map.error().message.contains("anthropic.models"));
}

}  // namespace
}  // namespace al::app
