#include "providers/extractive.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/utf8.hpp"

namespace al::providers {
namespace {

KnowledgeHit hit(std::string id, std::vector<std::string> passages, double score = 1) {
  KnowledgeHit out;
  out.item.id = KnowledgeId(std::move(id));
  out.item.agent_id = AgentId("security");
  out.item.category = "best_practices";
  out.item.source = "guide of " + out.item.id.value;
  out.score = score;
  out.passages = std::move(passages);
  return out;
}

Prompt prompt(std::vector<KnowledgeHit> knowledge) {
  Prompt out;
  out.agent.id = AgentId("security");
  out.agent.name = "Security Expert";
  out.task = "How do I stop SQL injection?";
  out.knowledge = std::move(knowledge);
  return out;
}

TEST(Extractive, QuotesAndNumbersWhatItFound) {
  auto const out =
      extract(prompt({hit("a", {"Bind all values.", "Escape nothing by hand."}, 3), hit("b", {"Use views."}, 2)}));
  EXPECT_TRUE(out.found);
  EXPECT_EQ(out.provider, "extractive");
  EXPECT_EQ(out.model, "");
  EXPECT_EQ(out.text,
            "From the knowledge of Security Expert, quoted as it stands; no model wrote or checked this answer.\n\n"
            "**guide of a (best_practices)**\n\n[1] Bind all values.\n\n[2] Escape nothing by hand.\n\n"
            "**guide of b (best_practices)**\n\n[3] Use views.");
  ASSERT_EQ(out.sources.size(), 3U);
  EXPECT_EQ(out.sources[0].knowledge_id, KnowledgeId("a"));
  EXPECT_EQ(out.sources[0].score, 3);
  EXPECT_EQ(out.sources[2].knowledge_id, KnowledgeId("b"));
  EXPECT_EQ(out.sources[2].passage, "Use views.");
  EXPECT_EQ(out.input_tokens, 0);
  EXPECT_EQ(out.output_tokens, 0);
}

TEST(Extractive, SaysWhenNothingWasFound) {
  for (auto const& knowledge : {std::vector<KnowledgeHit>{}, {hit("a", {})}, {hit("a", {""})}}) {
    auto const out = extract(prompt(knowledge));
    EXPECT_FALSE(out.found);
    EXPECT_TRUE(out.sources.empty());
    EXPECT_TRUE(out.text.starts_with("Nothing was found"));
    EXPECT_TRUE(out.text.contains("Add knowledge"));
    EXPECT_TRUE(out.text.contains("let a model answer"));
  }
}

TEST(Extractive, AnswersDuplicatesOnce) {
  auto const out =
      extract(prompt({hit("a", {"Bind all of the values in a statement."}),
                      hit("b", {"bind all of the values  in a statement"}), hit("c", {"Use views instead."})}));
  ASSERT_EQ(out.sources.size(), 2U);
  EXPECT_EQ(out.sources[0].knowledge_id, KnowledgeId("a"));
  EXPECT_EQ(out.sources[1].knowledge_id, KnowledgeId("c"));
}

TEST(Extractive, LeavesRoomForEachItem) {
  auto const out = extract(prompt({hit("a", {"one fish swims", "two fish swim", "red fish sleeps", "blue fish eats"}),
                                   hit("b", {"a bird sings"}), hit("c", {"a dog barks"})}));
  ASSERT_EQ(out.sources.size(), passages_max);
  EXPECT_EQ(out.sources[0].passage, "one fish swims");
  EXPECT_EQ(out.sources[1].passage, "two fish swim");
  EXPECT_EQ(out.sources[2].knowledge_id, KnowledgeId("b"));
  EXPECT_EQ(out.sources[3].knowledge_id, KnowledgeId("c"));
}

TEST(Extractive, KeepsToItsSize) {
  std::vector<KnowledgeHit> knowledge;
  for (int i = 0; i < 6; ++i) {
    std::string text;
    auto const topic = "naïve" + std::string(static_cast<std::size_t>(i) + 1, 'y');
    for (int k = 100; text.size() < 1'900; ++k)
      text += topic + " sentence " + std::to_string(k) + " of " + topic + ". ";
    knowledge.push_back(hit("item" + std::to_string(i), {text}));
  }
  auto const out = extract(prompt(knowledge));
  std::size_t bytes = 0;
  for (auto const& source : out.sources) {
    bytes += source.passage.size();
    EXPECT_EQ(utf8::valid_prefix(source.passage), source.passage.size());
  }
  ASSERT_EQ(out.sources.size(), 2U);
  EXPECT_LE(bytes, passage_bytes_max + 50);
  EXPECT_TRUE(out.sources[1].passage.ends_with(". …")) << out.sources[1].passage;
}

TEST(Extractive, ClosesCodeThatItCuts) {
  std::string code = "```cpp\n";
  while (code.size() < 5'000)
    code += "int value_" + std::to_string(code.size()) + " = 0;\n";
  auto const out = extract(prompt({hit("a", {code + "```"})}));
  ASSERT_EQ(out.sources.size(), 1U);
  EXPECT_TRUE(out.sources[0].passage.ends_with("…\n```"));
}

TEST(Extractive, KeepsItsHeadingsOnOneLine) {
  auto one = hit("a", {"Bind."});
  one.item.source = "first\nsecond\r\nthird";
  EXPECT_TRUE(extract(prompt({one})).text.contains("**first second  third (best_practices)**"));
  one.item.source = "";
  EXPECT_TRUE(extract(prompt({one})).text.contains("**a (best_practices)**"));
}

TEST(Extractive, BecomesJson) {
  auto const answer = extract(prompt({hit("a", {"Bind all values."})}));
  auto source = json::Source::from(entity::to_json(answer));
  ASSERT_TRUE(source);
  auto const back = entity::from_json<Answer>(source->root(), entity::Mode::stored);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->text, answer.text);
  EXPECT_EQ(back->provider, "extractive");
  EXPECT_TRUE(back->found);
  ASSERT_EQ(back->sources.size(), 1U);
  EXPECT_EQ(back->sources[0].passage, "Bind all values.");
}

}  // namespace
}  // namespace al::providers
