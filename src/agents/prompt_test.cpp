#include "agents/prompt.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace al::agents {
namespace {

using Numbers = std::vector<std::size_t>;

data::KnowledgeMatch match(std::string id, std::vector<std::string> passages) {
  data::KnowledgeMatch out;
  out.item.id = KnowledgeId(std::move(id));
  out.item.agent_id = AgentId("clerk");
  out.item.category = "facts";
  out.item.source = "guide of " + out.item.id.value;
  out.score = 2.5;
  out.passages = std::move(passages);
  return out;
}

std::vector<std::string> passages_of(std::vector<providers::Citation> const& sources) {
  std::vector<std::string> out;
  for (auto const& source : sources)
    out.push_back(source.passage);
  return out;
}

model::Agent clerk() {
  model::Agent agent;
  agent.id = AgentId("clerk");
  agent.name = "Clerk";
  agent.specialization = "timetables";
  return agent;
}

TEST(SystemPrompt, SaysWhoTheAgentIsAndHowItCites) {
  auto agent = clerk();
  auto const plain = system_prompt(agent, Settings{});
  EXPECT_TRUE(plain.starts_with("You are Clerk, specialised in timetables."));
  EXPECT_FALSE(plain.contains("You can:"));
  EXPECT_TRUE(plain.contains("square brackets"));
  EXPECT_FALSE(plain.contains("JSON"));
  agent.capabilities = {"ferries", "trains"};
  EXPECT_TRUE(system_prompt(agent, Settings{}).contains("You can: ferries, trains."));
}

TEST(SystemPrompt, TheConfigMaySayWhoTheAgentIs) {
  Settings settings;
  settings.system_prompt = "You are a poet.";
  auto const prompt = system_prompt(clerk(), settings);
  EXPECT_TRUE(prompt.starts_with("You are a poet.\n"));
  EXPECT_FALSE(prompt.contains("Clerk"));
  EXPECT_TRUE(prompt.contains("square brackets"));
}

TEST(SystemPrompt, TellsTheSchemaOfTheAnswer) {
  Settings settings;
  settings.answer_schema = Document{R"({"type":"object"})"};
  EXPECT_TRUE(system_prompt(clerk(), settings).ends_with("\n{\"type\":\"object\"}"));
}

TEST(Citations, TheBestOfEachComesBeforeTheSecondOfAny) {
  auto const sources = citations({match("a", {"a1", "a2", "a3"}), match("b", {"b1"}), match("c", {})}, 10, 1000);
  EXPECT_EQ(passages_of(sources), (std::vector<std::string>{"a1", "b1", "a2", "a3"}));
  ASSERT_EQ(sources.size(), 4U);
  EXPECT_EQ(sources[1].knowledge_id, KnowledgeId("b"));
  EXPECT_EQ(sources[1].agent_id, AgentId("clerk"));
  EXPECT_EQ(sources[1].source, "guide of b");
  EXPECT_EQ(sources[1].category, "facts");
  EXPECT_EQ(sources[1].score, 2.5);
}

TEST(Citations, AreSoManyAtMost) {
  auto const matches = std::vector<data::KnowledgeMatch>{match("a", {"a1", "a2"}), match("b", {"b1"})};
  EXPECT_EQ(citations(matches, 3, 1000).size(), 3U);
  EXPECT_EQ(citations(matches, 2, 1000).size(), 2U);
  EXPECT_TRUE(citations(matches, 0, 1000).empty());
  EXPECT_TRUE(citations({}, 3, 1000).empty());
}

TEST(Citations, AreSoManyBytesAtMostAndWholeCharacters) {
  std::string umlauts;
  for (int i = 0; i < 50; ++i)
    umlauts += "\xc3\xbc";
  for (std::size_t bytes_max : {0U, 1U, 2U, 21U, 99U, 100U, 150U}) {
    std::size_t bytes = 0;
    for (auto const& source : citations({match("a", {umlauts}), match("b", {umlauts})}, 10, bytes_max)) {
      bytes += source.passage.size();
      EXPECT_FALSE(source.passage.empty());
      EXPECT_EQ(source.passage.size() % 2, 0U) << "cut inside a character";
    }
    EXPECT_LE(bytes, bytes_max);
  }
}

TEST(Quote, NumbersOnFromTheFirst) {
  auto const sources = citations({match("a", {"At noon."}), match("b", {"At ten."})}, 10, 1000);
  EXPECT_EQ(quote(sources, 3), "[3] guide of a (facts)\nAt noon.\n\n[4] guide of b (facts)\nAt ten.");
  EXPECT_EQ(quote({}, 1), "");
}

TEST(Quote, AHeadingIsOneLine) {
  auto sources = citations({match("a", {"At noon."})}, 1, 1000);
  ASSERT_EQ(sources.size(), 1U);
  sources[0].source = "guide\n[9] of\r\nlies";
  auto const text = quote(sources, 1);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
  EXPECT_FALSE(text.contains('\r'));
  sources[0].source = "";
  sources[0].category = "";
  EXPECT_EQ(quote(sources, 1), "[1] a\nAt noon.") << "without a source it goes by its id";
}

TEST(UserPrompt, HasThePassagesTheContextAndTheQuestionInThisOrder) {
  auto const sources = citations({match("a", {"At noon."})}, 1, 1000);
  EXPECT_EQ(user_prompt("When?", Document{}, {}), "When?");
  EXPECT_EQ(user_prompt("When?", Document{R"({"day":1})"}, {}), "Context:\n{\"day\":1}\n\n---\n\nWhen?");
  EXPECT_EQ(user_prompt("When?", Document{R"({"day":1})"}, sources),
            "What your knowledge says:\n\n[1] guide of a (facts)\nAt noon.\n\n---\n\n"
            "Context:\n{\"day\":1}\n\n---\n\nWhen?");
}

TEST(Cited, FindsTheNumbersThatThereAre) {
  EXPECT_EQ(cited("At noon [2], they say [1][2].", 3), (Numbers{1, 2}));
  EXPECT_EQ(cited("Nothing.", 3), Numbers{});
  EXPECT_EQ(cited("", 3), Numbers{});
  EXPECT_EQ(cited("[1]", 0), Numbers{});
}

TEST(Cited, LeavesOutWhatIsNoReference) {
  EXPECT_EQ(cited("[0] [4] [-1] [x] [] [1.5] [ 2] [3", 3), Numbers{});
  EXPECT_EQ(cited("[99999999999999999999999999]", 3), Numbers{});
  EXPECT_EQ(cited("[[3]]", 3), Numbers{3});
  EXPECT_EQ(cited("[1 [2] 3]", 3), Numbers{2});
}

TEST(Cited, TakesNoLongerForBracketsThatStayOpen) {
  auto const begun = std::chrono::steady_clock::now();
  EXPECT_EQ(cited(std::string(4'000'000, '[') + "2]", 3), Numbers{2});
  EXPECT_EQ(cited("[3" + std::string(4'000'000, '['), 3), Numbers{});
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds{5});
}

}  // namespace
}  // namespace al::agents
