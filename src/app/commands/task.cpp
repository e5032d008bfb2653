#include <boost/json/object.hpp>

#include "app/answer.hpp"
#include "app/command.hpp"

namespace al::app {
namespace {

constexpr std::size_t text_columns_max = 100;

struct NewTask {
  std::string agent;
  std::vector<std::string> words;
  std::string priority;
  std::string context;
  std::optional<std::int64_t> timeout_s;
  std::optional<std::int64_t> attempts_max;
  bool follow = false;
};

struct Filter {
  std::string agent;
  std::string status;
  std::string limit;
  std::string cursor;
};

std::string joined(std::vector<std::string> const& words) {
  std::string out;
  for (auto const& word : words)
    out.append(out.empty() ? "" : " ").append(word);
  return out;
}

// ---- how tasks look ----

/// The answer's text, and the sources that its numbers stand for.
std::string answer_text(Console const& console, json::value const& result) {
  auto const width = std::min(console.options().width, text_columns_max);
  auto out = wrapped(printable(text_of(result, "text"), true), width);
  std::size_t number = 0;
  for (auto const& source : list_of(result, "sources")) {
    if (number == 0)
      out += "\n\n" + console.paint("Sources", Tone::strong);
    auto const where = text_of(source, "source");
    out += "\n[" + std::to_string(++number) + "] " +
           printable(text_of(source, "agent_id") + "/" + text_of(source, "knowledge_id"));
    if (!where.empty())
      out += "  " + console.paint(printable(where), Tone::faint);
  }
  return out;
}

std::string details(Console const& console, json::value const& task) {
  auto const status = text_of(task, "status");
  Details out(console);
  out.add("id", text_of(task, "id"), Tone::strong).add("agent", text_of(task, "agent_id"));
  out.add("chosen because", text_of(task, "chosen_because")).add("task", text_of(task, "description"));
  out.add("status", status, tone_of_status(status)).add("priority", text_of(task, "priority"));
  out.add("attempt", text_of(task, "attempt") + " of " + text_of(task, "max_attempts"));
  out.add("created", text_of(task, "created_at")).add("not before", text_of(task, "scheduled_at"));
  out.add("deadline", text_of(task, "deadline_at")).add("started", text_of(task, "started_at"));
  out.add("ended", text_of(task, "completed_at")).add("error", text_of(task, "error_message"), Tone::bad);
  auto const& result = member_of(task, "result");
  return result.is_object() ? out.text() + "\n\n" + answer_text(console, result) : out.text();
}

std::string steps_text(Console const& console, json::value const& steps) {
  Table table({"ATTEMPT", "STEP", "KIND", "MS", "DETAIL"});
  for (auto const& step : list_of(steps, "steps")) {
    auto const& took = member_of(step, "duration_us");
    auto const ms = took.is_int64()
                        ? std::to_string(took.get_int64() / 1000) + "." + std::to_string(took.get_int64() % 1000 / 100)
                        : std::string();
    table.add({{text_of(step, "attempt")},
               {text_of(step, "step")},
               {text_of(step, "kind"), Tone::strong},
               {ms},
               {text_of(step, "detail"), Tone::faint}});
  }
  return table.empty() ? std::string("No steps yet.") : table.text(console);
}

// ---- commands ----

std::string body_of(NewTask const& wanted, Error& error) {
  json::object body{{"description", joined(wanted.words)}};
  if (!wanted.priority.empty())
    body["priority"] = wanted.priority;
  if (wanted.timeout_s)
    body["timeout_seconds"] = *wanted.timeout_s;
  if (wanted.attempts_max)
    body["max_attempts"] = *wanted.attempts_max;
  if (!wanted.context.empty()) {
    auto context = json::parse(wanted.context);
    if (context) {
      body["context"] = std::move(*context);
    } else {
      error = {Code::invalid, "--context is no JSON: " + context.error().message};
    }
  }
  return json::serialize(body);
}

/// Says what has become of the task, on standard error: the answer alone is the result.
void note_change(Console& console, json::value const& event) {
  if (console.json())
    return;
  auto const& task = member_of(event, "data");
  auto const channel = text_of(event, "channel");
  std::string text;
  if (channel == "task:created") {
    text = "given to " + text_of(task, "agent_id") + " as " + text_of(task, "id");
    if (auto const why = text_of(task, "chosen_because"); !why.empty())
      text += " (" + why + ")";
  } else if (channel == "task:started") {
    text = "started, attempt " + text_of(task, "attempt") + " of " + text_of(task, "max_attempts");
  } else if (channel == "task:progress") {
    text = "working";
  } else {
    text = text_of(task, "status");
    if (auto const why = text_of(task, "error_message"); !why.empty())
      text += ": " + why;
  }
  console.note(console.paint(printable(text_of(event, "timestamp") + "  " + text), Tone::faint));
}

bool has_ended(json::value const& event) {
  auto const status = text_of(member_of(event, "data"), "status");
  return status == "completed" || status == "failed" || status == "cancelled";
}

/// Follows the task's events from `token`, which was taken before the task was made, so that none is missed.
Task<Result<ApiClient::Reply>> follow(ApiClient& client, Console& console, std::string id, std::string token) {
  auto const watched = co_await client.events_after(token, query_text({{"channel", "task:*"}, {"aggregate_id", id}}),
                                                    [&console](json::Input event) {
                                                      note_change(console, *event.parsed);
                                                      return !has_ended(*event.parsed);
                                                    });
  if (!watched)
    co_return fail(watched.error());
  co_return co_await client.request(http::Method::get, "/tasks/" + escaped(id), {});
}

/// Shows how the task ended. Answers the exit code.
int show_end(Console& console, Result<ApiClient::Reply> const& ended) {
  if (!ended)
    return report(console, ended.error());
  auto const& task = *ended->body.root().parsed;
  bool const is_completed = text_of(task, "status") == "completed";
  if (console.json()) {
    console.print(ended->text);
  } else if (is_completed) {
    console.print(answer_text(console, member_of(task, "result")));
  } else {
    auto const why = text_of(task, "error_message");
    console.error("the task was not completed: " + text_of(task, "status") + (why.empty() ? "" : ", " + why));
  }
  return is_completed ? exit_ok : exit_failure;
}

int run_task(Workplace& workplace, NewTask const& wanted) {
  auto& console = workplace.console;
  Error error{.code = Code::internal, .message = {}};
  auto body = body_of(wanted, error);
  if (!error.message.empty())
    return report(console, error);
  ApiClient client(workplace.config);
  auto const path = "/agents/" + escaped(wanted.agent) + "/tasks";
  if (!wanted.follow) {
    return show(console, client.post(path, std::move(body)),
                [&](json::value const& task) { return details(console, task); });
  }
  auto token = client.run(client.events_tip());
  if (!token)
    return report(console, token.error());
  auto const made = client.post(path, std::move(body));
  if (!made)
    return report(console, made.error());
  auto const id = text_of(*made->body.root().parsed, "id");
  try {
    return show_end(console, client.run(follow(client, console, id, std::move(*token))));
  } catch (Interrupted const&) {
    console.note("The task goes on. See how it ends: agent-lightning task show " + printable(id));
    throw;
  }
}

int list(Workplace& workplace, Filter const& filter) {
  auto& console = workplace.console;
  ApiClient client(workplace.config);
  auto const query = query_text(
      {{"agent_id", filter.agent}, {"status", filter.status}, {"limit", filter.limit}, {"cursor", filter.cursor}});
  return show(console, client.get("/tasks" + query), [&](json::value const& page) {
    Table table({"ID", "AGENT", "STATUS", "PRIORITY", "CREATED", "TASK"});
    for (auto const& task : list_of(page, "tasks")) {
      auto const status = text_of(task, "status");
      table.add({{text_of(task, "id"), Tone::strong},
                 {text_of(task, "agent_id")},
                 {status, tone_of_status(status)},
                 {text_of(task, "priority")},
                 {text_of(task, "created_at"), Tone::faint},
                 {text_of(task, "description")}});
    }
    note_more(console, page);
    return table.empty() ? std::string("No tasks.") : table.text(console);
  });
}

int show_one(Workplace& workplace, std::string const& id, bool with_steps) {
  auto& console = workplace.console;
  ApiClient client(workplace.config);
  auto const path = "/tasks/" + escaped(id);
  if (with_steps) {
    return show(console, client.get(path + "/steps"),
                [&](json::value const& steps) { return steps_text(console, steps); });
  }
  return show(console, client.get(path), [&](json::value const& task) { return details(console, task); });
}

int act(Workplace& workplace, std::string const& id, std::string_view what) {
  ApiClient client(workplace.config);
  return show(workplace.console, client.post("/tasks/" + escaped(id) + "/" + std::string(what), {}),
              [&](json::value const& task) { return details(workplace.console, task); });
}

void add_run(CLI::App& task, Invocation& invocation) {
  auto* runs = task.add_subcommand("run", "Give an agent a task");
  auto wanted = std::make_shared<NewTask>();
  runs->add_option("AGENT", wanted->agent, "Who gets it; auto finds the best fit")->required();
  runs->add_option("TASK", wanted->words, "What is to be done or answered")->required();
  runs->add_flag("--follow", wanted->follow, "Watch it and print the answer; exit code 1 when it fails");
  runs->add_option("--priority", wanted->priority, "low, normal, high or urgent");
  runs->add_option("--context", wanted->context, "A JSON object that travels along")->type_name("JSON");
  runs->add_option("--timeout", wanted->timeout_s, "Seconds that one attempt may take")->type_name("SECONDS");
  runs->add_option("--max-attempts", wanted->attempts_max, "After so many it fails for good")->type_name("N");
  runs->footer(
      "Examples:\n  agent-lightning task run security_expert \"How do I stop SQL injection?\" --follow\n"
      "  agent-lightning task run auto \"Write release notes\" --priority high");
  runs->callback(
      [=, &invocation] { invocation.action = [=](Workplace& workplace) { return run_task(workplace, *wanted); }; });
}

void add_list(CLI::App& task, Invocation& invocation) {
  auto* lists = task.add_subcommand("list", "Tasks, newest first");
  auto filter = std::make_shared<Filter>();
  lists->add_option("--agent", filter->agent, "Only of this agent")->type_name("AGENT");
  lists->add_option("--status", filter->status, "pending, started, completed, failed or cancelled");
  lists->add_option("--limit", filter->limit, "How many at most (1 to 500, default 50)")->type_name("N");
  lists->add_option("--cursor", filter->cursor, "Where the page before ended")->type_name("CURSOR");
  lists->callback(
      [=, &invocation] { invocation.action = [=](Workplace& workplace) { return list(workplace, *filter); }; });
}

void add_act(CLI::App& task, Invocation& invocation, std::string const& name, std::string const& description) {
  auto* acts = task.add_subcommand(name, description);
  auto id = std::make_shared<std::string>();
  acts->add_option("TASK", *id, "Its id")->required();
  acts->callback(
      [=, &invocation] { invocation.action = [=](Workplace& workplace) { return act(workplace, *id, name); }; });
}

}  // namespace

void add_task_commands(CLI::App& app, Invocation& invocation) {
  auto* task = app.add_subcommand("task", "Give tasks to agents and see what becomes of them");
  task->require_subcommand(1);
  add_run(*task, invocation);
  add_list(*task, invocation);

  auto* shows = task->add_subcommand("show", "One task with its answer");
  auto id = std::make_shared<std::string>();
  auto steps = std::make_shared<bool>(false);
  shows->add_option("TASK", *id, "Its id")->required();
  shows->add_flag("--steps", *steps, "How the answer came about, step by step");
  shows->callback(
      [=, &invocation] { invocation.action = [=](Workplace& workplace) { return show_one(workplace, *id, *steps); }; });
  add_act(*task, invocation, "cancel", "Stop a task that has not ended");
  add_act(*task, invocation, "retry", "Run a failed or cancelled task again");
}

}  // namespace al::app
