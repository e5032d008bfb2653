#include "providers/account.hpp"

#include <gtest/gtest.h>

namespace al::providers {
namespace {

Accounts const both{{.id = "openai",
                     .kind = Kind::openai,
                     .base_url = "http://o/v1",
                     .default_model = "gpt-5-mini",
                     .models = {{"gpt-4", "gpt-5"}, {"claude-old", "gpt-5"}}},
                    {.id = "anthropic", .kind = Kind::anthropic, .base_url = "http://a", .default_model = "claude-x"}};

std::string chosen(Accounts const& accounts, std::string_view wanted, std::string_view model) {
  auto const choice = choose_account(accounts, wanted, model);
  if (!choice)
    return choice.error().message;
  return choice->account ? choice->account->id + " " + choice->model : std::string(extractive);
}

TEST(ChooseAccount, GoesByTheNameOfTheModel) {
  EXPECT_EQ(chosen(both, "", "gpt-4"), "openai gpt-5");
  EXPECT_EQ(chosen(both, "", "gpt-4.1"), "openai gpt-5-mini");
  EXPECT_EQ(chosen(both, "", "claude-3-haiku"), "anthropic claude-x");
  EXPECT_EQ(chosen(both, "", "claude-old"), "openai gpt-5");
  EXPECT_EQ(chosen(both, "", "gpt-5"), "openai gpt-5") << "what a name is mapped to is a name as well";
  EXPECT_EQ(chosen({both[1]}, "", "gpt-4"), "anthropic claude-x");
}

/// Text that is meant for one server must not reach another.
TEST(ChooseAccount, GoesToWhoHasTheModel) {
  Accounts const three{{.id = "aaa", .kind = Kind::openai, .base_url = "http://a", .default_model = "small"},
                       {.id = "house", .kind = Kind::openai, .base_url = "http://h", .default_model = "llama3"},
                       both[0]};
  EXPECT_EQ(chosen(three, "", "llama3"), "house llama3");
  EXPECT_EQ(chosen(three, "", "gpt-5-mini"), "openai gpt-5-mini");
  EXPECT_EQ(chosen(three, "", "gpt-4"), "openai gpt-5");
  EXPECT_EQ(chosen(three, "", "nobody-knows"), "aaa small");
  EXPECT_EQ(chosen(three, "", ""), "aaa small");
  EXPECT_EQ(account_with(three, "llama3", Kind::anthropic), nullptr);
}

TEST(ChooseAccount, ANamedProviderTakesTheNameAsItIs) {
  EXPECT_EQ(chosen(both, "openai", "gpt-4.1"), "openai gpt-4.1");
  EXPECT_EQ(chosen(both, "openai", "gpt-4"), "openai gpt-5");
  EXPECT_EQ(chosen(both, "anthropic", ""), "anthropic claude-x");
  EXPECT_TRUE(chosen(both, "mistral", "m").contains("'mistral'"));
}

TEST(ChooseAccount, WithoutAccountsNobodyThinks) {
  EXPECT_EQ(chosen({}, "", "gpt-4"), extractive);
  EXPECT_EQ(chosen(both, "extractive", "gpt-4"), extractive);
}

}  // namespace
}  // namespace al::providers
