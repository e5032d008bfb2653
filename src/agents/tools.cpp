#include "agents/tools.hpp"

#include <algorithm>
#include <boost/json/object.hpp>
#include <chrono>

#include "agents/prompt.hpp"

namespace al::agents {
namespace {

constexpr std::string_view search_name = "knowledge_search";
constexpr std::string_view delegate_name = "delegate";
constexpr std::size_t matches_max = 5;
constexpr std::size_t passages_max = 5;
constexpr std::size_t passage_bytes_max = 4'000;
constexpr std::size_t agents_shown_max = 50;
constexpr std::size_t text_max = 10'000;
/// How soon the end of a task of another process is noticed.
constexpr std::chrono::milliseconds poll_interval{500};

/// What a task needs after its agent has answered, to be stored by its deadline.
constexpr std::chrono::seconds margin{1};

ToolStep answered(providers::ToolCall const& call, std::string result) {
  ToolStep out;
  out.call_id = call.id;
  out.name = call.name;
  out.result = std::move(result);
  return out;
}

ToolStep refused(providers::ToolCall const& call, std::string why) {
  auto out = answered(call, std::move(why));
  out.is_error = true;
  return out;
}

bool has_run_out(Deadline deadline) { return std::chrono::steady_clock::now() + margin >= deadline.at; }

ToolStep given_up(providers::ToolCall const& call) {
  auto out = refused(call, "there is no time left to wait for the answer");
  out.gave_up = true;
  return out;
}

std::string text_of(json::value const& arguments, std::string_view key) {
  auto const* object = arguments.if_object();
  auto const* value = object ? object->if_contains(key) : nullptr;
  return value && value->is_string() ? std::string(value->get_string()) : std::string{};
}

/// A passage keeps its one number: those that are known already are taken out of `found`, and told as "[1], [3]".
std::string take_known(std::vector<providers::Citation>& found, std::vector<providers::Citation> const& known) {
  std::string numbers;
  std::erase_if(found, [&](auto const& source) {
    auto const same = [&](auto const& one) {
      return one.knowledge_id == source.knowledge_id && one.agent_id == source.agent_id &&
             one.passage == source.passage;
    };
    auto const at = std::ranges::find_if(known, same);
    if (at != known.end())
      numbers += (numbers.empty() ? "[" : ", [") + std::to_string(at - known.begin() + 1) + "]";
    return at != known.end();
  });
  return numbers;
}

providers::Tool search_tool() {
  return {std::string(search_name),
          "Searches your knowledge. Answers with numbered passages to cite; use it when those you were given do not "
          "answer the question.",
          {R"({"type":"object","properties":{"query":{"type":"string","description":"What to look for, in the words )"
           R"(that a text about it would use."}},"required":["query"],"additionalProperties":false})"}};
}

providers::Tool delegate_tool(std::string const& whom) {
  return {std::string(delegate_name),
          "Gives work to another agent and waits for its answer. The agent sees only what you write. Agents:" + whom,
          {R"({"type":"object","properties":{"agent_id":{"type":"string","description":"Id of the agent."},)"
           R"("task":{"type":"string","description":"All that the agent needs to know."}},)"
           R"("required":["agent_id","task"],"additionalProperties":false})"}};
}

}  // namespace

Task<std::vector<providers::Tool>> Tools::offered(Deadline deadline) {
  std::vector<providers::Tool> out;
  if (settings_.may_search)
    out.push_back(search_tool());
  if (!settings_.may_delegate || !assignment_.task_id)
    co_return out;
  std::string whom;
  std::size_t shown = 0;
  for (auto const& [agent, load] : co_await stores_.agents.candidates(assignment_.actor.tenant, deadline)) {
    if (agent.id == assignment_.agent.id || ++shown > agents_shown_max)
      continue;
    whom += "\n- " + agent.id.value + ": " + agent.specialization;
  }
  if (!whom.empty())
    out.push_back(delegate_tool(whom));
  co_return out;
}

Task<Result<std::vector<ToolStep>>> Tools::run(std::vector<providers::ToolCall> const& calls,
                                               Conversation& conversation, Deadline deadline) {
  std::vector<ToolStep> out;
  auto known = conversation.sources;
  for (auto const& call : calls) {
    auto const arguments = json::parse(call.arguments.empty() ? "{}" : call.arguments);
    if (out.size() >= calls_max) {
      out.push_back(refused(call, "not called: an answer may call at most " + std::to_string(calls_max) + " tools"));
    } else if (!arguments || !arguments->is_object()) {
      out.push_back(refused(
          call, "the arguments are no JSON object" + (arguments ? std::string{} : ": " + arguments.error().message)));
    } else if (call.name == search_name && settings_.may_search) {
      out.push_back(co_await search(call, *arguments, known, deadline));
      std::ranges::copy(out.back().sources, std::back_inserter(known));
    } else if (call.name == delegate_name && settings_.may_delegate && assignment_.task_id) {
      auto done = co_await delegate(call, *arguments, conversation, deadline);
      if (!done)
        co_return fail(std::move(done.error()));
      out.push_back(std::move(*done));
    } else {
      out.push_back(refused(call, "there is no tool '" + call.name + "'"));
    }
  }
  co_return out;
}

Task<ToolStep> Tools::search(providers::ToolCall const& call, json::value const& arguments,
                             std::vector<providers::Citation> const& known, Deadline deadline) {
  auto query = text_of(arguments, "query");
  if (query.empty() || query.size() > text_max)
    co_return refused(call, "query: must be a text of 1 to " + std::to_string(text_max) + " bytes");
  auto const matches = co_await stores_.knowledge.search(assignment_.actor.tenant, {.agent_id = assignment_.agent.id},
                                                         std::move(query), matches_max, deadline);
  auto found = citations(matches, passages_max, passage_bytes_max);
  auto const seen = take_known(found, known);
  if (found.empty())
    co_return answered(call,
                       seen.empty() ? "Nothing was found." : "Nothing was found but what you have: " + seen + ".");
  auto out = answered(call, quote(found, known.size() + 1) + (seen.empty() ? "" : "\n\nSee also " + seen + "."));
  out.sources = std::move(found);
  co_return out;
}

/// Up the line of those who delegated: no agent twice, so that none waits for itself, and not too deep.
Task<Result<void>> Tools::refuse_delegation(AgentId const& to, Deadline deadline) {
  auto const& tenant = assignment_.actor.tenant;
  auto agent = assignment_.agent.id;
  auto row = co_await stores_.tasks.get(tenant, *assignment_.task_id, deadline);
  for (std::size_t depth = 1;; ++depth) {
    if (agent == to)
      co_return fail(Code::invalid, "agent '" + to.value + "' is waiting for this answer; ask another one");
    if (!row || !row->parent_id)
      co_return Result<void>{};
    if (depth >= delegation_depth_max)
      co_return fail(Code::invalid, "this work was delegated " + std::to_string(depth) + " times already; do it here");
    auto parent = co_await stores_.tasks.get(tenant, *row->parent_id, deadline);
    if (!parent)
      co_return Result<void>{};
    agent = parent->agent_id;
    row = std::move(parent);
  }
}

/// Its id is in the journal before it is created, so that the work is given once whatever happens. What there was no
/// time to wait for goes on, and the next attempt waits for it.
Task<Result<ToolStep>> Tools::delegate(providers::ToolCall const& call, json::value const& arguments,
                                       Conversation& conversation, Deadline deadline) {
  auto const to = text_of(arguments, "agent_id");
  auto text = text_of(arguments, "task");
  if (!is_slug(to) || text.empty() || text.size() > text_max)
    co_return refused(
        call, "agent_id must be the id of an agent, and task a text of 1 to " + std::to_string(text_max) + " bytes");
  if (has_run_out(deadline))
    co_return given_up(call);
  auto const known = conversation.delegated.find(call.id);
  if (known == conversation.delegated.end()) {
    if (auto const may = co_await refuse_delegation(AgentId{to}, deadline); !may)
      co_return refused(call, may.error().message);
    DelegateStep step{call.id, stores_.tasks.new_id()};
    host_.note(step_delegate, {}, entity::to_json(step));
    if (auto saved = co_await host_.save(); !saved)
      co_return fail(std::move(saved.error()));
    conversation.delegated[call.id] = step.task_id;
  }
  auto const id = conversation.delegated[call.id];
  auto task = co_await created(id, AgentId{to}, std::move(text), deadline);
  if (!task)
    co_return refused(call, task.error().message);
  host_.wait_begins();
  auto done = co_await ended(id, deadline);
  host_.wait_ends();
  if (!done && done.error().code == Code::timed_out)
    co_return given_up(call);
  if (!done)
    co_return refused(call, done.error().message);
  if (done->status != model::TaskStatus::completed)
    co_return refused(call, "agent '" + to + "' could not do it: " + done->error_message.value_or("it was cancelled"));
  auto const result = json::parse(done->result.value_or(Document{}).text);
  co_return answered(call, result ? text_of(*result, "text") : std::string{});
}

Task<Result<model::Task>> Tools::created(TaskId const& id, AgentId const& to, std::string text, Deadline deadline) {
  if (auto there = co_await stores_.tasks.get(assignment_.actor.tenant, id, deadline))
    co_return there;
  auto const left = std::chrono::duration_cast<std::chrono::seconds>(deadline.at - std::chrono::steady_clock::now());
  model::Task task;
  task.id = id;
  task.agent_id = to;
  task.parent_id = assignment_.task_id;
  task.description = std::move(text);
  task.timeout_seconds = std::max<std::int64_t>(1, (left - margin).count());
  task.max_attempts = 2;
  co_return co_await stores_.tasks.create(assignment_.actor, std::move(task), deadline);
}

Task<Result<model::Task>> Tools::ended(TaskId const& id, Deadline deadline) {
  auto const doorbell =
      stores_.bus.subscribe(co_await asio::this_coro::executor, {"task:completed", "task:failed", "task:cancelled"});
  for (;;) {
    auto task = co_await stores_.tasks.get(assignment_.actor.tenant, id, deadline);
    if (!task || task->completed_at)
      co_return task;
    if (has_run_out(deadline))
      co_return fail(Code::timed_out, "it has not ended yet");
    co_await doorbell->wait(std::min(std::chrono::steady_clock::now() + poll_interval, deadline.at - margin));
  }
}

}  // namespace al::agents
