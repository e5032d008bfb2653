#include "model/task.hpp"

#include <boost/json/object.hpp>

#include "app/listing.hpp"
#include "app/option_values.hpp"
#include "app/task_view.hpp"

namespace al::app {
namespace {

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
  std::shared_ptr<PageOptions> page;
};

std::string joined(std::vector<std::string> const& words) {
  std::string out;
  for (auto const& word : words)
    out.append(out.empty() ? "" : " ").append(word);
  return out;
}

// ---- how tasks look ----

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
  out.add("note", cut_reason(result), Tone::caution);
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

std::string body_of(NewTask const& wanted) {
  json::object body{{"description", joined(wanted.words)}};
  if (!wanted.priority.empty())
    body["priority"] = wanted.priority;
  if (wanted.timeout_s)
    body["timeout_seconds"] = *wanted.timeout_s;
  if (wanted.attempts_max)
    body["max_attempts"] = *wanted.attempts_max;
  if (!wanted.context.empty())
    body["context"] = json::parse(wanted.context).value();
  return json::serialize(body);
}

Task<Result<void>> watch(ApiClient& client, TaskView& view, std::string id) {
  co_return co_await client.watch(
      "/tasks/" + escaped(id) + "/stream", [&] { view.begin_stream(); },
      [&](http::SseEvent const& event) { return view.take(event.name, event.data); });
}

/// Watches the task to its end. Answers the exit code.
int follow(Workplace& workplace, ApiClient& client, std::string const& id) {
  auto& console = workplace.console;
  TaskView view(console);
  try {
    auto const watched = client.run(watch(client, view, id));
    if (watched)
      return view.show_end();
    view.end_line();
    return report(console, watched.error());
  } catch (Interrupted const&) {
    view.end_line();
    console.note("The task goes on. Watch it again: agent-lightning task watch " + printable(id));
    throw;
  }
}

int run_task(Workplace& workplace, NewTask const& wanted) {
  auto& console = workplace.console;
  auto body = body_of(wanted);
  ApiClient client(workplace.config);
  auto const path = "/agents/" + escaped(wanted.agent) + "/tasks";
  if (!wanted.follow) {
    return show(console, client.post(path, std::move(body)),
                [&](json::value const& task) { return details(console, task); });
  }
  auto const made = client.post(path, std::move(body));
  if (!made)
    return report(console, made.error());
  return follow(workplace, client, text_of(*made->body.root().parsed, "id"));
}

int watch_task(Workplace& workplace, std::string const& id) {
  ApiClient client(workplace.config);
  return follow(workplace, client, id);
}

int list_tasks(Workplace& workplace, Filter const& filter) {
  Listing const listing{.path = "/tasks",
                        .key = "tasks",
                        .filters = {{"agent_id", filter.agent}, {"status", filter.status}},
                        .channels = "task:*",
                        .heading = {"ID", "AGENT", "STATUS", "PRIORITY", "CREATED", "TASK"},
                        .row =
                            [](json::value const& task) {
                              auto const status = text_of(task, "status");
                              return std::vector<Cell>{
                                  {text_of(task, "id"), Tone::strong},        {text_of(task, "agent_id")},
                                  {status, tone_of_status(status)},           {text_of(task, "priority")},
                                  {text_of(task, "created_at"), Tone::faint}, {text_of(task, "description")}};
                            },
                        .none = "No tasks."};
  return list(workplace, listing, *filter.page);
}

int show_one(Workplace& workplace, std::string const& id, bool with_steps, std::string const& watch) {
  auto const& console = workplace.console;
  auto const path = "/tasks/" + escaped(id);
  View const task{
      .path = path, .channels = "task:*", .render = [&](json::value const& one) { return details(console, one); }};
  View const steps{.path = path + "/steps", .channels = "task:*", .render = [&](json::value const& list) {
                     return steps_text(console, list);
                   }};
  return look(workplace, with_steps ? steps : task, watch);
}

int act(Workplace& workplace, std::string const& id, std::string_view what) {
  ApiClient client(workplace.config);
  return show(workplace.console, client.post("/tasks/" + escaped(id) + "/" + std::string(what), {}),
              [&](json::value const& task) { return details(workplace.console, task); });
}

void add_run(CLI::App& task, Invocation& invocation) {
  auto* runs = task.add_subcommand("run", "Give an agent a task");
  auto wanted = std::make_shared<NewTask>();
  runs->add_option("AGENT", wanted->agent, "Who gets it; auto finds the best fit")->type_name("auto|AGENT")->required();
  runs->add_option("TEXT", wanted->words, "What is to be done or answered")->required();
  runs->add_flag("--follow", wanted->follow, "Watch it and print the answer as it comes; exit code 1 when it fails");
  take_choice(runs->add_option("--priority", wanted->priority, "Higher ones are taken first; normal when left out"),
              choices_of<model::Priority>());
  take_object(runs->add_option("--context", wanted->context, "A JSON object that travels along"));
  take_number(
      runs->add_option("--timeout", wanted->timeout_s, "How long one attempt may take (1 to 86400, default 60)"), 1,
      86'400)
      ->type_name("SECONDS");
  take_number(
      runs->add_option("--max-attempts", wanted->attempts_max, "After so many it fails for good (1 to 20, default 3)"),
      1, 20);
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
  take_choice(lists->add_option("--status", filter->status, "Only in this state"), choices_of<model::TaskStatus>());
  filter->page = add_page_options(*lists);
  lists->footer("Example:\n  agent-lightning task list --agent writer --status failed");
  lists->callback(
      [=, &invocation] { invocation.action = [=](Workplace& workplace) { return list_tasks(workplace, *filter); }; });
}

void add_show(CLI::App& task, Invocation& invocation) {
  auto* shows = task.add_subcommand("show", "One task with its answer");
  auto id = std::make_shared<std::string>();
  auto steps = std::make_shared<bool>(false);
  shows->add_option("TASK", *id, "Its id")->required();
  shows->add_flag("--steps", *steps, "How the answer came about, step by step");
  auto const wish = add_watch_option(*shows);
  shows->callback([=, &invocation] {
    invocation.action = [=](Workplace& workplace) { return show_one(workplace, *id, *steps, *wish); };
  });
}

void add_watch(CLI::App& task, Invocation& invocation) {
  auto* watches =
      task.add_subcommand("watch", "Watch a task and print its answer as it comes; exit code 1 when it fails");
  auto id = std::make_shared<std::string>();
  watches->add_option("TASK", *id, "Its id")->required();
  watches->callback(
      [=, &invocation] { invocation.action = [=](Workplace& workplace) { return watch_task(workplace, *id); }; });
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
  add_show(*task, invocation);
  add_watch(*task, invocation);
  add_act(*task, invocation, "cancel", "Stop a task that has not ended");
  add_act(*task, invocation, "retry", "Run a failed or cancelled task again");
}

}  // namespace al::app
