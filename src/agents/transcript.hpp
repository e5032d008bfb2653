#pragma once
/// The steps of a run as they stand in the trace, and a conversation made from them again. Pure.

#include <boost/describe.hpp>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "data/task_store.hpp"
#include "providers/answer.hpp"
#include "providers/chat.hpp"

namespace al::agents {

/// Kinds of steps.
inline constexpr std::string_view step_retrieve = "retrieve", step_prompt = "prompt", step_model = "model",
                                  step_tool = "tool", step_delegate = "delegate", step_resume = "resume",
                                  step_failure = "failure", step_answer = "answer", step_retry = "retry";

struct Turn {
  std::string role;  ///< user or assistant
  std::string text;
};
BOOST_DESCRIBE_STRUCT(Turn, (), (role, text))

/// What the model was given at first.
struct PromptStep {
  std::string provider;
  std::string model;
  std::int64_t agent_version = 0;
  std::string system;
  std::vector<Turn> messages;
  std::vector<std::string> tools;
  std::vector<providers::Citation> sources;
};
BOOST_DESCRIBE_STRUCT(PromptStep, (), (provider, model, agent_version, system, messages, tools, sources))

struct CalledTool {
  std::string id;
  std::string name;
  std::string arguments;
};
BOOST_DESCRIBE_STRUCT(CalledTool, (), (id, name, arguments))

/// One answer of the model.
struct ModelStep {
  std::string provider;
  std::string model;
  std::string text;
  std::vector<CalledTool> tool_calls;
  std::string finish;
  std::int64_t input_tokens = 0;
  std::int64_t output_tokens = 0;
  std::optional<Document> verbatim;
};
BOOST_DESCRIBE_STRUCT(ModelStep, (), (provider, model, text, tool_calls, finish, input_tokens, output_tokens, verbatim))

/// What a tool answered, or what was wrong with an answer of the model when `call_id` is empty.
struct ToolStep {
  std::string call_id;
  std::string name;
  std::string result;
  bool is_error = false;
  bool gave_up = false;  ///< for want of time: an attempt that goes on from here takes the call up again
  std::vector<providers::Citation> sources;
};
BOOST_DESCRIBE_STRUCT(ToolStep, (), (call_id, name, result, is_error, gave_up, sources))

/// Work that was given to another agent, noted before the task is created.
struct DelegateStep {
  std::string call_id;
  TaskId task_id;
};
BOOST_DESCRIBE_STRUCT(DelegateStep, (), (call_id, task_id))

struct FailureStep {
  std::string error;
  bool again = false;  ///< the same conversation may go on
};
BOOST_DESCRIBE_STRUCT(FailureStep, (), (error, again))

constexpr auto describe(std::type_identity<Turn>) {
  return entity::about("Turn", "", "A turn of a conversation.", entity::field<&Turn::role>("user or assistant."),
                       entity::field<&Turn::text>("What was said."));
}
constexpr auto describe(std::type_identity<PromptStep>) {
  using S = PromptStep;
  return entity::about(
      "PromptStep", "", "What the model was given at first.", entity::field<&S::provider>("Who is asked."),
      entity::field<&S::model>("Its model."), entity::field<&S::agent_version>("Version of the agent."),
      entity::field<&S::system>("The system prompt."), entity::field<&S::messages>("The conversation so far."),
      entity::field<&S::tools>("Tools that may be called."),
      entity::field<&S::sources>("Passages that the prompt quotes."));
}
constexpr auto describe(std::type_identity<CalledTool>) {
  return entity::about("CalledTool", "", "A call that the model wants.", entity::field<&CalledTool::id>("Its id."),
                       entity::field<&CalledTool::name>("The tool."),
                       entity::field<&CalledTool::arguments>("As the model wrote them."));
}
constexpr auto describe(std::type_identity<ModelStep>) {
  using S = ModelStep;
  return entity::about("ModelStep", "", "One answer of the model.", entity::field<&S::provider>("Who answered."),
                       entity::field<&S::model>("With which model."), entity::field<&S::text>("The text."),
                       entity::field<&S::tool_calls>("Tools it wants called."),
                       entity::field<&S::finish>("Why it stopped."), entity::field<&S::input_tokens>("Tokens read."),
                       entity::field<&S::output_tokens>("Tokens written."),
                       entity::field<&S::verbatim>("The content as the provider sent it."));
}
constexpr auto describe(std::type_identity<ToolStep>) {
  using S = ToolStep;
  return entity::about("ToolStep", "", "What a tool answered.", entity::field<&S::call_id>("The call."),
                       entity::field<&S::name>("The tool."), entity::field<&S::result>("Its answer."),
                       entity::field<&S::is_error>("It could not do it."),
                       entity::field<&S::gave_up>("It had no time left; the next attempt takes the call up again."),
                       entity::field<&S::sources>("Passages that the answer quotes."));
}
constexpr auto describe(std::type_identity<DelegateStep>) {
  return entity::about("DelegateStep", "", "Work given to another agent.",
                       entity::field<&DelegateStep::call_id>("The call."),
                       entity::field<&DelegateStep::task_id>("The task that does it."));
}
constexpr auto describe(std::type_identity<FailureStep>) {
  return entity::about("FailureStep", "", "Why the attempt ended.", entity::field<&FailureStep::error>("The reason."),
                       entity::field<&FailureStep::again>("The next attempt goes on with this conversation."));
}

/// A conversation under way.
struct Conversation {
  PromptStep prompt{};
  std::vector<providers::Message> messages{};
  std::vector<providers::Citation> sources{};  ///< in the order of their numbers
  std::int64_t model_steps = 0;
  providers::Usage usage{};
  std::string model{};                        ///< as the provider named it last
  std::string finish{};                       ///< of the last answer
  std::map<std::string, TaskId> delegated{};  ///< by call
  std::set<std::string> given_up{};           ///< calls of the last answer that a tool had no time for
  std::int64_t corrections = 0;               ///< how often the model was told that its answer cannot be used
  std::size_t resumed_steps = 0;

  void add(PromptStep);
  void add(ModelStep);
  void add(ToolStep);
  /// With new time: calls that were given up are open again, unless the model went on without them.
  void take_up_again();
  /// Calls of the last answer that no tool has answered yet.
  [[nodiscard]] std::vector<providers::ToolCall> open_calls() const;
};

/// Gives an id to each call that has none, or one that another call of the answer has: a tool's answer must name its
/// call, and some servers let it be empty or count wrongly. False when there was nothing to do.
[[nodiscard]] bool name_apart(std::vector<providers::ToolCall>&);

/// The conversation that an earlier attempt of this version of the agent left, when it may go on: none that came to its
/// end, and none from before someone asked for a retry.
[[nodiscard]] std::optional<Conversation> resume(std::vector<data::TaskStep> const& past, std::int64_t agent_version);

}  // namespace al::agents
