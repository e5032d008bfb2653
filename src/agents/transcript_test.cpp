#include "agents/transcript.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace al::agents {
namespace {

using providers::Message;

constexpr std::int64_t version = 7;
constexpr char const* child = "018f0000-0000-7000-8000-000000000001";

/// What earlier attempts wrote down.
class Past {
 public:
  template <class Step>
  void add(std::string_view kind, Step const& step) {
    add_text(kind, entity::to_json(step));
  }
  void add_text(std::string_view kind, std::string detail) {
    data::TaskStep step;
    step.attempt = 1;
    step.step = std::ssize(steps) + 1;
    step.kind = std::string(kind);
    step.detail.text = std::move(detail);
    steps.push_back(std::move(step));
  }
  void fail(bool again) {
    FailureStep step;
    step.error = "overloaded";
    step.again = again;
    add(step_failure, step);
  }
  [[nodiscard]] std::optional<Conversation> resumed() const { return resume(steps, version); }

  std::vector<data::TaskStep> steps;
};

providers::Citation source(std::string id) {
  providers::Citation out;
  out.knowledge_id = KnowledgeId(std::move(id));
  out.agent_id = AgentId("clerk");
  out.passage = "The ferry leaves at noon.";
  return out;
}

PromptStep asked(std::string text) {
  PromptStep out;
  out.provider = "openai";
  out.model = "m";
  out.agent_version = version;
  out.system = "You are Clerk.";
  out.messages.push_back(Turn{"user", std::move(text)});
  out.tools = {"knowledge_search"};
  out.sources.push_back(source("a"));
  return out;
}

ModelStep said(std::string text, std::vector<std::string> const& calls = {}) {
  ModelStep out;
  out.provider = "openai";
  out.model = "m-1";
  out.text = std::move(text);
  for (auto const& id : calls)
    out.tool_calls.push_back(CalledTool{id, "knowledge_search", R"({"query":"ferry"})"});
  out.finish = calls.empty() ? "stop" : "tool_calls";
  out.input_tokens = 10;
  out.output_tokens = 3;
  return out;
}

ToolStep found(std::string call_id, std::string result) {
  ToolStep out;
  out.call_id = std::move(call_id);
  out.name = "knowledge_search";
  out.result = std::move(result);
  return out;
}

/// A question, a search, and what it found.
Past searched() {
  Past past;
  past.add_text(step_retrieve, R"({"question":"When?","found":[]})");
  past.add(step_prompt, asked("When?"));
  past.add(step_model, said("Let me look.", {"c1"}));
  auto result = found("c1", "[2] At noon.");
  result.sources.push_back(source("b"));
  past.add(step_tool, result);
  return past;
}

TEST(Resume, MakesTheConversationThatTheStepsTell) {
  auto const past = searched();
  auto const now = past.resumed();
  ASSERT_TRUE(now);
  ASSERT_EQ(now->messages.size(), 3U);
  EXPECT_EQ(now->messages[0].role, Message::Role::user);
  EXPECT_EQ(now->messages[0].text, "When?");
  EXPECT_EQ(now->messages[1].role, Message::Role::assistant);
  EXPECT_EQ(now->messages[1].text, "Let me look.");
  ASSERT_EQ(now->messages[1].tool_calls.size(), 1U);
  EXPECT_EQ(now->messages[1].tool_calls[0].id, "c1");
  EXPECT_EQ(now->messages[1].tool_calls[0].arguments, R"({"query":"ferry"})");
  EXPECT_EQ(now->messages[2].role, Message::Role::tool);
  EXPECT_EQ(now->messages[2].tool_call_id, "c1");
  EXPECT_EQ(now->messages[2].text, "[2] At noon.");
  EXPECT_EQ(now->prompt.system, "You are Clerk.");
  EXPECT_EQ(now->resumed_steps, 2U);
}

TEST(Resume, CountsWhatWasUsedAndNumbersTheSources) {
  auto past = searched();
  past.add(step_model, said("At noon [2]."));
  auto const now = past.resumed();
  ASSERT_TRUE(now);
  EXPECT_EQ(now->model_steps, 2);
  EXPECT_EQ(now->usage.input_tokens, 20);
  EXPECT_EQ(now->usage.output_tokens, 6);
  EXPECT_EQ(now->model, "m-1");
  EXPECT_EQ(now->finish, "stop");
  ASSERT_EQ(now->sources.size(), 2U);
  EXPECT_EQ(now->sources[0].knowledge_id, KnowledgeId("a"));
  EXPECT_EQ(now->sources[1].knowledge_id, KnowledgeId("b"));
}

TEST(Resume, KeepsWhatTheProviderSentAsItWas) {
  Past past;
  past.add(step_prompt, asked("When?"));
  auto step = said("At noon.");
  step.verbatim = Document{R"([{"type":"thinking","signature":"x"},{"type":"text","text":"At noon."}])"};
  past.add(step_model, step);
  auto const now = past.resumed();
  ASSERT_TRUE(now);
  ASSERT_TRUE(now->messages.back().verbatim);
  EXPECT_EQ(now->messages.back().verbatim->text, step.verbatim->text);
}

TEST(Resume, ACorrectionIsSaidByTheUser) {
  Past past;
  past.add(step_prompt, asked("When?"));
  past.add(step_model, said("noon"));
  past.add(step_tool, found("", "it is no JSON"));
  auto const now = past.resumed();
  ASSERT_TRUE(now);
  EXPECT_EQ(now->messages.back().role, Message::Role::user);
  EXPECT_EQ(now->messages.back().text, "it is no JSON");
  EXPECT_TRUE(now->open_calls().empty());
}

TEST(Resume, RemembersWhatWasDelegated) {
  Past past;
  past.add(step_prompt, asked("When?"));
  past.add(step_model, said("", {"c1"}));
  DelegateStep given;
  given.call_id = "c1";
  given.task_id = TaskId(child);
  past.add(step_delegate, given);
  auto const now = past.resumed();
  ASSERT_TRUE(now);
  ASSERT_TRUE(now->delegated.contains("c1"));
  EXPECT_EQ(now->delegated.at("c1"), TaskId(child));
  ASSERT_EQ(now->open_calls().size(), 1U) << "it is known to be given, and not known to be done";
}

/// One piece of work that was given to another agent and had no time to be done, and a search that was.
Past gave_up() {
  Past past;
  past.add(step_prompt, asked("When?"));
  past.add(step_model, said("", {"c1", "c2"}));
  DelegateStep given;
  given.call_id = "c1";
  given.task_id = TaskId(child);
  past.add(step_delegate, given);
  auto waited = found("c1", "there is no time left");
  waited.is_error = true;
  waited.gave_up = true;
  past.add(step_tool, waited);
  past.add(step_tool, found("c2", "noon"));
  return past;
}

TEST(Resume, TakesUpAgainWhatThereWasNoTimeFor) {
  auto const now = gave_up().resumed();
  ASSERT_TRUE(now);
  ASSERT_EQ(now->open_calls().size(), 1U);
  EXPECT_EQ(now->open_calls()[0].id, "c1");
  EXPECT_EQ(now->delegated.at("c1"), TaskId(child)) << "the same work, not new one";
  EXPECT_EQ(now->messages.back().tool_call_id, "c2");
}

TEST(Resume, TakesNothingUpThatTheModelWentOnWithout) {
  auto past = gave_up();
  past.add(step_model, said("They do not answer."));
  auto const now = past.resumed();
  ASSERT_TRUE(now);
  EXPECT_TRUE(now->open_calls().empty());
  ASSERT_EQ(now->messages.size(), 5U);
  EXPECT_EQ(now->messages[2].text, "there is no time left") << "the model was told so";
}

TEST(Resume, ACallThatWasTakenUpAgainHasOneAnswer) {
  auto past = gave_up();
  past.add_text(step_resume, R"({"steps":4})");
  past.add(step_tool, found("c1", "at ten"));
  past.fail(true);
  auto const now = past.resumed();
  ASSERT_TRUE(now);
  EXPECT_TRUE(now->open_calls().empty());
  ASSERT_EQ(now->messages.size(), 4U);
  EXPECT_EQ(now->messages[3].text, "at ten");
}

TEST(Resume, CountsCorrectionsOverAllAttempts) {
  auto past = searched();
  EXPECT_EQ(past.resumed()->corrections, 0) << "what a tool answers is none";
  past.add(step_model, said("noon"));
  past.add(step_tool, found("", "it is no JSON"));
  past.fail(true);
  past.add_text(step_resume, R"({"steps":4})");
  past.add(step_model, said("noon"));
  past.add(step_tool, found("", "it is no JSON"));
  EXPECT_EQ(past.resumed()->corrections, 2);
}

TEST(Resume, GoesOnAfterAFailureThatPassesAndNotAfterOthers) {
  auto past = searched();
  past.fail(true);
  ASSERT_TRUE(past.resumed());
  EXPECT_EQ(past.resumed()->messages.size(), 3U);
  past.fail(false);
  EXPECT_FALSE(past.resumed());
}

TEST(Resume, GoesOnOverSeveralAttempts) {
  auto past = searched();
  past.fail(true);
  past.add_text(step_resume, R"({"steps":2})");
  past.add(step_model, said("Let me look again.", {"c2"}));
  past.fail(true);
  auto const now = past.resumed();
  ASSERT_TRUE(now);
  EXPECT_EQ(now->model_steps, 2);
  EXPECT_EQ(now->messages.size(), 4U);
  ASSERT_EQ(now->open_calls().size(), 1U);
  EXPECT_EQ(now->open_calls()[0].id, "c2");
}

TEST(Resume, StartsAfreshAfterARetryAndOnlyThen) {
  auto past = searched();
  ASSERT_TRUE(past.resumed());
  past.add_text(step_retry, "{}");
  EXPECT_FALSE(past.resumed());
  past.add(step_prompt, asked("When again?"));
  auto const now = past.resumed();
  ASSERT_TRUE(now);
  ASSERT_EQ(now->messages.size(), 1U);
  EXPECT_EQ(now->messages[0].text, "When again?");
  EXPECT_EQ(now->model_steps, 0) << "what was said before the retry does not count";
}

TEST(Resume, StartsAfreshForAnotherVersionOfTheAgent) {
  auto const past = searched();
  EXPECT_TRUE(resume(past.steps, version));
  EXPECT_FALSE(resume(past.steps, version + 1));
}

TEST(Resume, StartsAfreshWhenAStepCannotBeRead) {
  auto past = searched();
  ASSERT_TRUE(past.resumed());
  past.add_text(step_model, R"({"text":7})");
  EXPECT_FALSE(past.resumed());
}

TEST(Resume, ThereIsNothingToGoOnWith) {
  EXPECT_FALSE(Past{}.resumed());
  Past past;
  past.add_text(step_retrieve, "{}");
  EXPECT_FALSE(past.resumed());
}

TEST(OpenCalls, AreThoseOfTheLastAnswerThatNoToolAnswered) {
  Conversation conversation;
  EXPECT_TRUE(conversation.open_calls().empty());
  conversation.add(asked("When?"));
  EXPECT_TRUE(conversation.open_calls().empty());
  conversation.add(said("", {"c1", "c2", "c3"}));
  ASSERT_EQ(conversation.open_calls().size(), 3U);
  conversation.add(found("c2", "noon"));
  auto const open = conversation.open_calls();
  ASSERT_EQ(open.size(), 2U);
  EXPECT_EQ(open[0].id, "c1");
  EXPECT_EQ(open[1].id, "c3");
  conversation.add(found("c1", "noon"));
  conversation.add(found("c3", "noon"));
  EXPECT_TRUE(conversation.open_calls().empty());
}

TEST(NameApart, GivesEachCallAnIdOfItsOwn) {
  struct Case {
    std::vector<std::string> given;
    std::vector<std::string> named;
  };
  for (auto const& [given, named] : {
           Case{{"", ""}, {"call_1", "call_2"}},
           Case{{"a", "a", "b", "a"}, {"a", "call_1", "b", "call_2"}},
           Case{{"call_1", ""}, {"call_1", "call_2"}},
           Case{{"", "call_1"}, {"call_1", "call_2"}},
       }) {
    std::vector<providers::ToolCall> calls;
    for (auto const& id : given)
      calls.push_back({.id = id, .name = {}, .arguments = {}});
    EXPECT_TRUE(name_apart(calls));
    std::vector<std::string> ids;
    for (auto const& call : calls)
      ids.push_back(call.id);
    EXPECT_EQ(ids, named);
    EXPECT_FALSE(name_apart(calls)) << "it is done";
  }
}

TEST(OpenCalls, AnIdThatComesAgainIsOpenAgain) {
  Conversation conversation;
  conversation.add(asked("When?"));
  conversation.add(said("", {"c1"}));
  conversation.add(found("c1", "noon"));
  conversation.add(said("", {"c1"}));
  EXPECT_EQ(conversation.open_calls().size(), 1U);
  conversation.add(said("At noon."));
  EXPECT_TRUE(conversation.open_calls().empty());
}

}  // namespace
}  // namespace al::agents
