#include "agents/loop.hpp"

#include "agents/answer_schema.hpp"
#include "agents/prompt.hpp"
#include "agents/settings.hpp"
#include "core/failpoint.hpp"
#include "providers/extractive.hpp"
#include "providers/remote.hpp"

namespace al::agents {
namespace {

using providers::Answer;

constexpr std::size_t matches_max = 8;
constexpr std::size_t passages_max = 8;
constexpr std::size_t passage_bytes_max = 6'000;
/// How often a model may try anew to fit its answer to the schema.
constexpr std::int64_t corrections_max = 2;

class Stopwatch {
 public:
  [[nodiscard]] std::chrono::microseconds passed() const {
    return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begun_);
  }

 private:
  SteadyTime begun_ = std::chrono::steady_clock::now();
};

std::string describe_retrieval(std::string_view question, std::vector<data::KnowledgeMatch> const& matches) {
  std::string out = "{\"question\":";
  json::append_string(out, question);
  out += ",\"found\":[";
  for (std::size_t i = 0; i < matches.size(); ++i) {
    out += i ? ",{\"id\":" : "{\"id\":";
    json::append_string(out, matches[i].item.id.value);
    out += ",\"score\":";
    json::append_number(out, matches[i].score);
    out += '}';
  }
  return out + "]}";
}

std::string_view finish_name(providers::Finish finish) {
  switch (finish) {
    case providers::Finish::tool_calls:
      return "tool_calls";
    case providers::Finish::length:
      return "length";
    case providers::Finish::refused:
      return "refused";
    case providers::Finish::stop:
      break;
  }
  return "stop";
}

Task<std::vector<data::KnowledgeMatch>> retrieve(ToolStores const& stores, Assignment const& assignment, Host& host,
                                                 Deadline deadline) {
  Stopwatch const watch;
  auto matches = co_await stores.knowledge.search(assignment.actor.tenant, {.agent_id = assignment.agent.id},
                                                  assignment.text, matches_max, deadline);
  host.note(step_retrieve, watch.passed(), describe_retrieval(assignment.text, matches));
  co_return matches;
}

Task<Result<Answer>> answer_from_knowledge(ToolStores const& stores, Assignment const& assignment, Host& host,
                                           Deadline deadline) {
  auto matches = co_await retrieve(stores, assignment, host, deadline);
  Stopwatch const watch;
  providers::Prompt prompt{.agent = assignment.agent, .task = assignment.text, .knowledge = {}};
  for (auto& match : matches)
    prompt.knowledge.push_back({std::move(match.item), match.score, std::move(match.passages)});
  auto answer = providers::extract(prompt);
  host.note(step_answer, watch.passed(), entity::to_json(answer));
  co_return answer;
}

/// One assignment on its way through a model.
class Run {
 public:
  Run(Loop::Parts const& parts, Assignment const& assignment, Settings const& settings, providers::Choice choice,
      std::unique_ptr<providers::ChatModel> model, Host& host, Deadline deadline)
      : parts_(parts),
        assignment_(assignment),
        settings_(settings),
        choice_(std::move(choice)),
        model_(std::move(model)),
        host_(host),
        deadline_(deadline),
        tools_(parts.stores, assignment, settings, host) {}

  Task<Result<Answer>> go() {
    auto done = co_await converse();
    if (!done && done.error().code != Code::lease_lost) {
      FailureStep const failure{done.error().message, may_go_on(done.error().code)};
      host_.note(step_failure, {}, entity::to_json(failure));
    }
    co_return done;
  }

 private:
  /// A call that failed can be made again; a limit that was reached stays reached.
  static bool may_go_on(Code code) {
    return code == Code::unavailable || code == Code::too_many_requests || code == Code::timed_out;
  }

  Task<void> begin() {
    offered_ = co_await tools_.offered(deadline_);
    auto earlier = resume(co_await host_.past(deadline_), assignment_.agent.version);
    if (earlier) {
      conversation_ = std::move(*earlier);
      host_.note(step_resume, {}, "{\"steps\":" + std::to_string(conversation_.resumed_steps) + "}");
      co_return;
    }
    auto const matches = co_await retrieve(parts_.stores, assignment_, host_, deadline_);
    PromptStep step;
    step.provider = choice_.account->id;
    step.model = choice_.model;
    step.agent_version = assignment_.agent.version;
    step.system = system_prompt(assignment_.agent, settings_);
    step.sources = citations(matches, passages_max, passage_bytes_max);
    for (auto const& turn : assignment_.history)
      step.messages.push_back({turn.role == providers::Message::Role::assistant ? "assistant" : "user", turn.text});
    step.messages.push_back({"user", user_prompt(assignment_.text, assignment_.context, step.sources)});
    for (auto const& tool : offered_)
      step.tools.push_back(tool.name);
    host_.note(step_prompt, {}, entity::to_json(step));
    conversation_.add(std::move(step));
  }

  Task<Result<Answer>> converse() {
    co_await begin();
    for (;;) {
      if (auto const open = conversation_.open_calls(); !open.empty()) {
        if (auto used = co_await use_tools(open); !used)
          co_return fail(std::move(used.error()));
      } else if (has_answer()) {
        auto answer = finish();
        if (answer || answer.error().code != Code::conflict)
          co_return answer;
        correct(answer.error().message);
      }
      if (auto const limit = over_limit())
        co_return fail(*limit);
      if (auto asked = co_await ask(); !asked)
        co_return fail(std::move(asked.error()));
    }
  }

  [[nodiscard]] bool has_answer() const {
    return conversation_.messages.back().role == providers::Message::Role::assistant;
  }

  [[nodiscard]] std::optional<Error> over_limit() const {
    if (conversation_.model_steps >= settings_.max_steps) {
      return Error{.code = Code::invalid,
                   .message = "no answer within " + std::to_string(settings_.max_steps) +
                              " calls of the model; raise config.max_steps or make the task smaller"};
    }
    auto const tokens = conversation_.usage.input_tokens + conversation_.usage.output_tokens;
    if (tokens >= settings_.max_total_tokens) {
      return Error{.code = Code::invalid,
                   .message = "no answer within " + std::to_string(settings_.max_total_tokens) + " tokens (" +
                              std::to_string(tokens) +
                              " used); raise config.max_total_tokens or make the task smaller"};
    }
    return std::nullopt;
  }

  [[nodiscard]] providers::ChatRequest request() const {
    return {.model = choice_.model,
            .system = conversation_.prompt.system,
            .messages = conversation_.messages,
            .tools = offered_,
            .max_output_tokens = settings_.max_tokens,
            .temperature = settings_.temperature,
            .answer_schema = settings_.answer_schema};
  }

  /// What the model answers is durable before anything is done with it.
  Task<Result<void>> ask() {
    Stopwatch const watch;
    host_.begin_text(conversation_.model_steps + 1);
    auto const what = request();
    auto answer = co_await model_->chat(what, deadline_, [this](std::string_view piece) {
      host_.text(piece);
      return true;
    });
    auto const tokens = answer && answer->usage ? *answer->usage : providers::Usage{};
    parts_.used({.actor = assignment_.actor,
                 .provider = choice_.account->id,
                 .model = choice_.model,
                 .is_answered = answer.has_value(),
                 .tokens = tokens,
                 .took = watch.passed()});
    AL_FAILPOINT("agents.answered");
    if (!answer)
      co_return fail(std::move(answer.error()));
    if (auto const calls = answer->message.tool_calls.size(); calls > calls_read_max) {
      co_return fail(Code::invalid, "the model called " + std::to_string(calls) + " tools in one answer; at most " +
                                        std::to_string(calls_read_max) + " are read");
    }
    auto step = written_down(std::move(*answer));
    host_.note(step_model, watch.passed(), entity::to_json(step));
    if (auto saved = co_await host_.save(); !saved)
      co_return fail(std::move(saved.error()));
    AL_FAILPOINT("agents.journaled");
    conversation_.add(std::move(step));
    co_return Result<void>{};
  }

  [[nodiscard]] ModelStep written_down(providers::ChatAnswer answer) const {
    ModelStep step;
    step.provider = choice_.account->id;
    step.model = answer.model.empty() ? choice_.model : answer.model;
    step.finish = finish_name(answer.finish);
    auto& said = answer.message;
    // What the provider sent has the ids that it gave, which the answers of the tools would no longer name.
    if (!name_apart(said.tool_calls))
      step.verbatim = std::move(said.verbatim);
    for (auto& call : said.tool_calls)
      step.tool_calls.push_back({std::move(call.id), std::move(call.name), std::move(call.arguments)});
    step.text = std::move(said.text);
    auto const tokens = answer.usage.value_or(providers::Usage{});
    step.input_tokens = tokens.input_tokens;
    step.output_tokens = tokens.output_tokens;
    return step;
  }

  Task<Result<void>> use_tools(std::vector<providers::ToolCall> const& calls) {
    Stopwatch const watch;
    auto steps = co_await tools_.run(calls, conversation_, deadline_);
    if (!steps)
      co_return fail(std::move(steps.error()));
    for (auto& step : *steps) {
      host_.note(step_tool, watch.passed() / std::ssize(*steps), entity::to_json(step));
      conversation_.add(std::move(step));
    }
    co_return Result<void>{};
  }

  /// The model's last words as the answer. Errors: conflict when they do not fit the schema yet.
  Result<Answer> finish() {
    auto const& said = conversation_.messages.back();
    if (conversation_.finish == "refused") {
      return fail(Code::invalid, "the model refused to answer" + (said.text.empty() ? "" : ": " + said.text));
    }
    Answer out;
    if (settings_.answer_schema) {
      auto output = match_schema(*settings_.answer_schema, said.text);
      if (!output)
        return fail(conversation_.corrections < corrections_max ? Code::conflict : Code::invalid,
                    "the answer cannot be used: " + output.error().message);
      out.output = std::move(*output);
    }
    out.text = said.text;
    out.provider = choice_.account->id;
    out.model = conversation_.model;
    out.sources = conversation_.sources;
    out.found = !out.sources.empty();
    out.input_tokens = conversation_.usage.input_tokens;
    out.output_tokens = conversation_.usage.output_tokens;
    out.steps = conversation_.model_steps;
    out.finish = conversation_.finish;
    return out;
  }

  void correct(std::string const& why) {
    ToolStep step;
    step.result = why + ". Answer again, with JSON of the schema alone.";
    step.is_error = true;
    host_.note(step_tool, {}, entity::to_json(step));
    conversation_.add(std::move(step));
  }

  Loop::Parts const& parts_;
  Assignment const& assignment_;
  Settings const& settings_;
  providers::Choice choice_;
  std::unique_ptr<providers::ChatModel> model_;
  Host& host_;
  Deadline deadline_;
  Tools tools_;
  std::vector<providers::Tool> offered_;
  Conversation conversation_;
};

}  // namespace

Task<Result<Answer>> Loop::run(Assignment const& assignment, Host& host, Deadline deadline) {
  auto const settings = read_settings(assignment.agent.config);
  if (!settings)
    co_return fail(Code::invalid, "the agent's configuration: " + settings.error().message);
  auto const accounts = co_await parts_.directory.accounts(assignment.actor.tenant, deadline);
  auto choice = providers::choose_account(*accounts, settings->provider, assignment.agent.model);
  if (!choice)
    co_return fail(Code::invalid, "config.provider of the agent: " + choice.error().message);
  if (!choice->account)
    co_return co_await answer_from_knowledge(parts_.stores, assignment, host, deadline);
  auto& client = parts_.client(co_await asio::this_coro::executor, *choice->account);
  auto model = providers::chat_model({client, parts_.clock, parts_.random}, *choice->account);
  Run run(parts_, assignment, *settings, *choice, std::move(model), host, deadline);
  co_return co_await run.go();
}

}  // namespace al::agents
