#include <algorithm>

#include "core/strings.hpp"
#include "services/agent_designer/agent_choice.hpp"
#include "services/agent_designer/answers.hpp"
#include "services/agent_designer/routes.hpp"
#include "services/common/reply.hpp"

namespace al::services::agent_designer {

/// The brief's short form: a task for a named agent, or for whoever fits best.
struct ExecuteRequest {
  std::string task;
  std::string agent_id = "auto";
  Document context;
  std::int64_t timeout = 60;
};
BOOST_DESCRIBE_STRUCT(ExecuteRequest, (), (task, agent_id, context, timeout))

constexpr auto describe(std::type_identity<ExecuteRequest>) {
  using namespace entity;
  using R = ExecuteRequest;
  return about("ExecuteRequest", "", "A task for a named agent, or for `auto`.",
               field<&R::task>("What is to be done or answered.", {.min = 1, .max = 10000}),
               field<&R::agent_id>("An agent's id, or `auto`.", {.min = 1, .max = 50, .defaulted = true}),
               field<&R::context>("Whatever travels along.", {.max = 262144, .defaulted = true}),
               field<&R::timeout>("Seconds that one attempt may take.", {.min = 1, .max = 86400, .defaulted = true}));
}

/// Change of a task by a client.
struct TaskPatch {
  model::Priority priority = model::Priority::normal;
};
BOOST_DESCRIBE_STRUCT(TaskPatch, (), (priority))

constexpr auto describe(std::type_identity<TaskPatch>) {
  using namespace entity;
  return about("TaskPatch", "", "What can be changed of a pending task.",
               field<&TaskPatch::priority>("Higher ones are claimed first."));
}

namespace {

using http::Call;
using http::Method;
using http::Response;

constexpr std::string_view automatic = "auto";
constexpr std::size_t known_max = 10;

Task<Result<AgentChoice>> find_agent(Stores stores, Call& call, std::string agent_id, std::string description) {
  auto const& tenant = call.context.principal.tenant;
  auto const deadline = call.context.deadline;
  if (agent_id != automatic) {
    if (!is_slug(agent_id))
      co_return fail(Code::not_found, "there is no agent '" + agent_id + "'");
    auto agent = co_await stores.agents.stored(tenant, AgentId{agent_id}, deadline);
    if (!agent)
      co_return fail(std::move(agent.error()));
    co_return AgentChoice{agent->id, agent->name, {}};
  }
  auto const candidates = co_await stores.agents.candidates(tenant, deadline);
  auto const known = co_await stores.knowledge.search(tenant, {}, description, known_max, deadline);
  auto choice = choose_agent(description, candidates, known);
  if (!choice)
    co_return fail(Code::unavailable, "no agent can take a task now: all are offline or in error");
  co_return std::move(*choice);
}

Task<Result<Response>> create(Stores stores, Call& call) {
  auto task = entity::from_json<model::Task>(call.body());
  if (!task)
    co_return fail(std::move(task.error()));
  task->id = id_for_new(call, stores.tasks);
  if (call.path("agent_id") == automatic) {
    auto choice = co_await find_agent(stores, call, std::string(automatic), task->description);
    if (!choice)
      co_return fail(std::move(choice.error()));
    task->agent_id = choice->id;
    task->chosen_because = choice->because;
  } else {
    task->agent_id = AgentId{call.path("agent_id")};
  }
  auto created = co_await stores.tasks.create(call.context.actor(), std::move(*task), call.context.deadline);
  if (!created)
    co_return fail(std::move(created.error()));
  co_return http::entity_response(201, entity::to_json(*created), created->version,
                                  "/api/v1/tasks/" + created->id.value);
}

Task<Result<Response>> execute(Stores stores, Call& call) {
  auto wanted = entity::from_json<ExecuteRequest>(call.body());
  if (!wanted)
    co_return fail(std::move(wanted.error()));
  auto choice = co_await find_agent(stores, call, wanted->agent_id, wanted->task);
  if (!choice)
    co_return fail(std::move(choice.error()));
  model::Task task;
  task.id = id_for_new(call, stores.tasks);
  task.agent_id = choice->id;
  task.description = std::move(wanted->task);
  task.context = std::move(wanted->context);
  task.timeout_seconds = wanted->timeout;
  if (!choice->because.empty())
    task.chosen_because = choice->because;
  auto created = co_await stores.tasks.create(call.context.actor(), std::move(task), call.context.deadline);
  if (!created)
    co_return fail(std::move(created.error()));
  auto response = described_response(202, TaskAccepted{.task_id = created->id.value,
                                                       .agent_id = choice->id,
                                                       .agent_name = choice->name,
                                                       .message = "the task waits for " + choice->name});
  response.headers.set("Location", "/api/v1/tasks/" + created->id.value);
  co_return response;
}

/// The router has looked whether they are enumerators.
template <class E>
std::vector<E> several(Call const& call, std::string_view name) {
  std::vector<E> out;
  auto rest = call.query(name).value_or("");
  while (!rest.empty()) {
    E value{};
    if (boost::describe::enum_from_string(std::string(take_part(rest, ',')).c_str(), value) &&
        std::ranges::count(out, value) == 0)
      out.push_back(value);
  }
  return out;
}

std::optional<Timestamp> time_of(Call const& call, std::string_view name, entity::Faults& faults) {
  auto const text = call.query(name);
  if (!text)
    return std::nullopt;
  auto const time = parse_time(*text);
  if (!time)
    faults.push_back({std::string(name), "must be a time, as 2026-01-31T12:00:00Z"});
  return time ? std::optional(*time) : std::nullopt;
}

Result<data::TaskFilter> task_filter(Call const& call) {
  entity::Faults faults;
  data::TaskFilter filter{.statuses = several<model::TaskStatus>(call, "status"),
                          .priorities = several<model::Priority>(call, "priority"),
                          .created_from = time_of(call, "created_from", faults),
                          .created_to = time_of(call, "created_to", faults)};
  auto const take = [&](auto const& read, auto& into) {
    if (read)
      into = *read;
    else
      faults.insert(faults.end(), read.error().faults.begin(), read.error().faults.end());
  };
  take(query_agent(call), filter.agent_id);
  take(query_text(call, "q"), filter.text);
  if (auto const parent = call.query("parent_id")) {
    if (is_uuid(*parent))
      filter.parent_id = TaskId{normal_uuid(*parent)};
    else
      faults.push_back({"parent_id", "must be a UUID"});
  }
  if (!faults.empty())
    return fail(entity::invalid(std::move(faults)));
  return filter;
}

Task<Result<Response>> queue(Stores stores, Call& call) {
  auto const queue = co_await stores.tasks.queue(call.context.principal.tenant, call.context.deadline);
  co_return described_response(200, queue);
}

std::vector<http::Parameter> task_parameters() {
  return list_parameters(
      {{.name = "status",
        .doc = "Only those in these states, with commas.",
        .choices = entity::type_of<model::TaskStatus>().choices,
        .several = true},
       {.name = "priority",
        .doc = "Only those of these priorities, with commas.",
        .choices = entity::type_of<model::Priority>().choices,
        .several = true},
       {.name = "created_from", .doc = "Only those that were created at this time or later, as 2026-01-31T12:00:00Z."},
       {.name = "created_to", .doc = "Only those that were created before this time."},
       {.name = "parent_id", .doc = "Only those that this task's agent delegated."},
       {.name = "q",
        .doc = "Only those with this in their description, 1 to 200 characters; case does not matter. Looked for in "
               "the newest 100,000 that pass the rest."}});
}

Task<Result<Response>> list(Stores stores, Call& call) {
  auto const page = page_request(call);
  if (!page)
    co_return fail(page.error());
  auto filter = task_filter(call);
  if (!filter)
    co_return fail(std::move(filter.error()));
  auto tasks =
      co_await stores.tasks.list(call.context.principal.tenant, std::move(*filter), *page, call.context.deadline);
  if (!tasks)
    co_return fail(std::move(tasks.error()));
  co_return list_response("tasks", *tasks);
}

Task<Result<Response>> list_of_agent(Stores stores, Call& call) {
  auto const page = page_request(call);
  if (!page)
    co_return fail(page.error());
  auto filter = task_filter(call);
  if (!filter)
    co_return fail(std::move(filter.error()));
  filter->agent_id = AgentId{call.path("agent_id")};
  auto const& tenant = call.context.principal.tenant;
  auto agent = co_await stores.agents.view(tenant, *filter->agent_id, data::Freshness::cached, call.context.deadline);
  if (!agent)
    co_return fail(std::move(agent.error()));
  auto tasks = co_await stores.tasks.list(tenant, *filter, *page, call.context.deadline);
  if (!tasks)
    co_return fail(std::move(tasks.error()));
  co_return list_response("tasks", *tasks, ObjectText(TasksOfAgent{*filter->agent_id}));
}

Response task_response(model::Task const& task) {
  return http::entity_response(200, entity::to_json(task), task.version);
}

Task<Result<Response>> get(Stores stores, Call& call) {
  auto const id = task_id(call);
  if (!id)
    co_return fail(id.error());
  auto task = co_await stores.tasks.get(call.context.principal.tenant, *id, call.context.deadline, freshness(call));
  if (!task)
    co_return fail(std::move(task.error()));
  co_return task_response(*task);
}

Task<Result<Response>> steps(Stores stores, Call& call) {
  auto const id = task_id(call);
  if (!id)
    co_return fail(id.error());
  auto steps = co_await stores.tasks.steps(call.context.principal.tenant, *id, call.context.deadline);
  if (!steps)
    co_return fail(std::move(steps.error()));
  co_return list_response("steps", data::Page<data::TaskStep>{std::move(*steps), {}, {}}, ObjectText(StepsOfTask{*id}));
}

Task<Result<Response>> cancel(Stores stores, Call& call) {
  auto const id = task_id(call);
  if (!id)
    co_return fail(id.error());
  auto task = co_await stores.tasks.cancel(call.context.actor(), *id, call.context.deadline);
  if (!task)
    co_return fail(std::move(task.error()));
  co_return task_response(*task);
}

Task<Result<Response>> retry(Stores stores, Call& call) {
  auto const id = task_id(call);
  if (!id)
    co_return fail(id.error());
  auto task = co_await stores.tasks.retry(call.context.actor(), *id, call.context.deadline);
  if (!task)
    co_return fail(std::move(task.error()));
  co_return task_response(*task);
}

Task<Result<Response>> set_priority(Stores stores, Call& call) {
  if (auto ok = require_change(call); !ok)
    co_return fail(std::move(ok.error()));
  auto const id = task_id(call);
  if (!id)
    co_return fail(id.error());
  auto const expected = call.if_match();
  if (!expected)
    co_return fail(expected.error());
  auto const patch = entity::from_json<TaskPatch>(call.body());
  if (!patch)
    co_return fail(patch.error());
  auto task =
      co_await stores.tasks.set_priority(call.context.actor(), *id, patch->priority, *expected, call.context.deadline);
  if (!task)
    co_return fail(std::move(task.error()));
  co_return task_response(*task);
}

template <class F>
http::Handler bind(Stores const& stores, F handler) {
  return [stores, handler](Call& call) { return handler(stores, call); };
}

}  // namespace

/// Creating and listing.
static void add_many_routes(http::Router& router, Stores const& stores) {
  auto const* task = &entity::entity<model::Task>();
  router.add({.method = Method::post,
              .path = "/agents/{agent_id}/tasks",
              .permission = "tasks:write",
              .summary = "Give an agent a task; `auto` chooses the agent",
              .takes = http::Body::json,
              .request = task,
              .response = task,
              .success = 201,
              .errors = {Code::not_found, Code::unavailable},
              .handler = bind(stores, create)});
  router.add({.method = Method::post,
              .path = "/agents/execute",
              .permission = "tasks:write",
              .summary = "Give a task to an agent or to whoever fits best",
              .takes = http::Body::json,
              .request = &entity::entity<ExecuteRequest>(),
              .response = &entity::entity<TaskAccepted>(),
              .success = 202,
              .errors = {Code::not_found, Code::unavailable},
              .handler = bind(stores, execute)});
  router.add({.method = Method::get,
              .path = "/agents/{agent_id}/tasks",
              .permission = "tasks:read",
              .summary = "List the tasks of an agent",
              .query = task_parameters(),
              .response = task,
              .list = "tasks",
              .head = &entity::entity<TasksOfAgent>(),
              .errors = {Code::not_found},
              .handler = bind(stores, list_of_agent)});
  auto all_parameters = task_parameters();
  all_parameters.push_back({.name = "agent_id", .doc = "Only those of this agent."});
  router.add({.method = Method::get,
              .path = "/tasks/queue",
              .permission = "tasks:read",
              .summary = "How many tasks wait and run now, in all and by agent",
              .response = &entity::entity<model::TaskQueue>(),
              .handler = bind(stores, queue)});
  router.add({.method = Method::get,
              .path = "/tasks",
              .permission = "tasks:read",
              .summary = "List tasks, newest first",
              .query = std::move(all_parameters),
              .response = task,
              .list = "tasks",
              .handler = bind(stores, list)});
}

/// One task.
static void add_one_routes(http::Router& router, Stores const& stores) {
  auto const* task = &entity::entity<model::Task>();
  router.add({.method = Method::get,
              .path = "/tasks/{task_id}",
              .permission = "tasks:read",
              .summary = "Read one task",
              .response = task,
              .errors = {Code::not_found},
              .handler = bind(stores, get)});
  router.add({.method = Method::get,
              .path = "/tasks/{task_id}/steps",
              .permission = "tasks:read",
              .summary = "How the task's answers came about, step by step",
              .response = &entity::entity<data::TaskStep>(),
              .list = "steps",
              .head = &entity::entity<StepsOfTask>(),
              .errors = {Code::not_found},
              .handler = bind(stores, steps)});
  router.add({.method = Method::put,
              .path = "/tasks/{task_id}",
              .permission = "tasks:write",
              .summary = "Change the priority of a pending task",
              .takes = http::Body::json,
              .request = &entity::entity<TaskPatch>(),
              .response = task,
              .errors = {Code::not_found, Code::conflict, Code::version_mismatch},
              .handler = bind(stores, set_priority)});
  router.add({.method = Method::post,
              .path = "/tasks/{task_id}/cancel",
              .permission = "tasks:write",
              .summary = "Cancel a task that has not ended",
              .response = task,
              .errors = {Code::not_found, Code::conflict},
              .handler = bind(stores, cancel)});
  router.add({.method = Method::post,
              .path = "/tasks/{task_id}/retry",
              .permission = "tasks:write",
              .summary = "Run a failed or cancelled task again; delegated ones while their parent has not ended",
              .response = task,
              .errors = {Code::not_found, Code::conflict},
              .handler = bind(stores, retry)});
}

Result<TaskId> task_id(http::Call const& call) {
  auto const& text = call.path("task_id");
  if (!is_uuid(text))
    return fail(Code::not_found, "there is no task '" + text + "'; ids are UUIDs");
  return TaskId{normal_uuid(text)};
}

void add_task_routes(http::Router& router, Stores const& stores) {
  add_many_routes(router, stores);
  add_one_routes(router, stores);
  add_task_stream_route(router, stores);
}

}  // namespace al::services::agent_designer
