#include "agents/transcript.hpp"

#include <algorithm>
#include <ranges>

namespace al::agents {
namespace {

using providers::Message;

/// A step as it was written; what a later version wrote otherwise ends the reading.
template <class Step>
std::optional<Step> read(data::TaskStep const& step) {
  auto const source = json::Source::from(step.detail.text);
  auto parsed = source ? entity::from_json<Step>(source->root(), entity::Mode::stored) : Result<Step>(Step{});
  return source && parsed ? std::optional(std::move(*parsed)) : std::nullopt;
}

/// Where the conversation begins that may go on; the end when there is none.
std::vector<data::TaskStep>::const_iterator beginning(std::vector<data::TaskStep> const& past) {
  auto begin = past.end();
  for (auto at = past.begin(); at != past.end(); ++at) {
    if (at->kind == step_prompt)
      begin = at;
    auto const failure = at->kind == step_failure ? read<FailureStep>(*at) : std::nullopt;
    if (at->kind == step_retry || at->kind == step_answer || (failure && !failure->again))
      begin = past.end();
  }
  return begin;
}

/// False when the step cannot be read.
bool go_on(Conversation& out, data::TaskStep const& step) {
  auto const add = [&](auto read_step) {
    if (read_step)
      out.add(std::move(*read_step));
    return read_step.has_value();
  };
  if (step.kind == step_model)
    return add(read<ModelStep>(step));
  if (step.kind == step_tool)
    return add(read<ToolStep>(step));
  if (step.kind == step_delegate) {
    if (auto const given = read<DelegateStep>(step))
      out.delegated[given->call_id] = given->task_id;
  }
  if (step.kind == step_resume)
    out.take_up_again();
  return true;
}

/// Where what follows the last answer begins; the beginning when there is none.
auto after_last_answer(auto& messages) {
  return std::ranges::find(messages | std::views::reverse, Message::Role::assistant, &Message::role).base();
}

}  // namespace

void Conversation::add(PromptStep step) {
  for (auto const& turn : step.messages) {
    auto const role = turn.role == "assistant" ? Message::Role::assistant : Message::Role::user;
    messages.push_back({.role = role, .text = turn.text});
  }
  sources = step.sources;
  prompt = std::move(step);
}

void Conversation::add(ModelStep step) {
  Message message{.role = Message::Role::assistant, .text = std::move(step.text)};
  for (auto& call : step.tool_calls)
    message.tool_calls.push_back({std::move(call.id), std::move(call.name), std::move(call.arguments)});
  message.verbatim = std::move(step.verbatim);
  messages.push_back(std::move(message));
  delegated.clear();  // ids of calls are the answer's own
  given_up.clear();
  ++model_steps;
  usage.input_tokens += step.input_tokens;
  usage.output_tokens += step.output_tokens;
  model = std::move(step.model);
  finish = std::move(step.finish);
}

void Conversation::add(ToolStep step) {
  auto const role = step.call_id.empty() ? Message::Role::user : Message::Role::tool;
  if (role == Message::Role::user)
    ++corrections;
  if (step.gave_up)
    given_up.insert(step.call_id);
  messages.push_back({.role = role,
                      .text = std::move(step.result),
                      .tool_call_id = std::move(step.call_id),
                      .is_error = step.is_error});
  std::ranges::move(step.sources, std::back_inserter(sources));
}

void Conversation::take_up_again() {
  auto const is_given_up = [&](Message const& message) { return given_up.contains(message.tool_call_id); };
  messages.erase(std::remove_if(after_last_answer(messages), messages.end(), is_given_up), messages.end());
  given_up.clear();
}

std::vector<providers::ToolCall> Conversation::open_calls() const {
  auto const last = after_last_answer(messages);
  if (last == messages.begin())
    return {};
  std::vector<providers::ToolCall> open;
  for (auto const& call : std::prev(last)->tool_calls) {
    if (std::find_if(last, messages.end(), [&](Message const& m) { return m.tool_call_id == call.id; }) ==
        messages.end())
      open.push_back(call);
  }
  return open;
}

bool name_apart(std::vector<providers::ToolCall>& calls) {
  std::set<std::string> used;
  std::size_t made = 0;
  for (auto& call : calls) {
    while (call.id.empty() || !used.insert(call.id).second)
      call.id = "call_" + std::to_string(++made);
  }
  return made > 0;
}

std::optional<Conversation> resume(std::vector<data::TaskStep> const& past, std::int64_t agent_version) {
  auto at = beginning(past);
  auto prompt = at == past.end() ? std::nullopt : read<PromptStep>(*at);
  if (!prompt || prompt->agent_version != agent_version)
    return std::nullopt;
  Conversation out;
  out.add(std::move(*prompt));
  for (++at; at != past.end(); ++at) {
    if (!go_on(out, *at))
      return std::nullopt;
    ++out.resumed_steps;
  }
  out.take_up_again();
  return out;
}

}  // namespace al::agents
