#include "data/workflow_store.hpp"

#include <algorithm>

#include "data/expected_version.hpp"
#include "data/row_values.hpp"

namespace al::data {

namespace {

using model::Workflow;
using model::WorkflowId;
using model::WorkflowStatus;
using storage::Scope;
using storage::Statement;
using Statuses = std::vector<WorkflowStatus>;
using enum WorkflowStatus;

entity::Entity const& workflow_entity = entity::entity<Workflow>();
Aggregate const workflow_aggregate{.entity = workflow_entity, .key = {{"id", "uuid"}}, .id = "u.id"};

RowSource const stored_workflow =
    make_source(workflow_aggregate, "workflow", "workflow.get", " AND t.deleted_at IS NULL");

// Statements of their own for one status: a condition that may be null keeps the planner from its index.
std::string const of_tenant = " FROM workflows t WHERE t.tenant_id = $1 AND t.deleted_at IS NULL";
std::string const page_before = "SELECT " + entity::columns(workflow_entity, "t.") + of_tenant + " AND t.id < $2";
std::string const in_order = " ORDER BY t.id DESC LIMIT $3";
Statement const list_all{"workflow.list", page_before + in_order};
Statement const list_of_status{"workflow.list_status", page_before + " AND t.status = $4" + in_order};
Statement const count_all{"workflow.count", "SELECT COUNT(*)" + of_tenant};
Statement const count_of_status{"workflow.count_status", "SELECT COUNT(*)" + of_tenant + " AND t.status = $2"};

// ---- the state machine ----

std::string name_of(WorkflowStatus status) { return boost::describe::enum_to_string(status, "?"); }

bool contains(Statuses const& statuses, WorkflowStatus status) {
  return std::ranges::find(statuses, status) != statuses.end();
}

/// "draft, pending or failed".
std::string listed(Statuses const& statuses) {
  std::string out;
  for (std::size_t i = 0; i < statuses.size(); ++i)
    out += (i == 0 ? "" : i + 1 == statuses.size() ? " or " : ", ") + name_of(statuses[i]);
  return out;
}

std::string guard(Statuses const& from) {
  std::string names;
  for (auto const status : from)
    names += (names.empty() ? "'" : ", '") + name_of(status) + "'";
  return "t.version = {expected} AND t.status IN (" + names + ") AND t.deleted_at IS NULL";
}

/// A way from one status to another; `from` is also the guard of its statement.
struct Transition {
  Statuses from;
  WorkflowStatus to;
  Change change;
};

Transition transition(std::string_view name, std::string_view channel, Statuses from, WorkflowStatus to,
                      std::string const& set = {}) {
  UpdateSpec const spec{
      .name = name,
      .channel = channel,
      .cache = CacheEffect::put,
      .params = {{"expected", "bigint"}, {"current_step", "bigint"}, {"context", "json"}, {"error", "text"}},
      .set = "status = '" + name_of(to) +
             "', current_step = COALESCE({current_step}, t.current_step),"
             " context = COALESCE({context}, t.context), updated_at = al_now()" +
             set,
      .where = guard(from)};
  return {std::move(from), to, make_update(workflow_aggregate, spec)};
}

std::string const ended = ", completed_at = al_now()";

/// All of them. `workflow:started` is said when work begins, not when it is asked for.
std::vector<Transition> const transitions{
    transition("workflow.submit", "workflow:updated", {draft}, pending),
    transition("workflow.start", "workflow:started", {pending}, running, ", started_at = al_now()"),
    transition("workflow.step", "workflow:step", {running, paused}, running),
    transition("workflow.pause", "workflow:step", {running}, paused),
    transition("workflow.complete", "workflow:completed", {running}, completed, ended),
    transition("workflow.fail", "workflow:failed", {running}, failed, ended + ", error_message = {error}"),
    transition("workflow.cancel", "workflow:cancelled", {draft, pending, running, paused}, cancelled, ended),
    transition("workflow.retry", "workflow:retried", {failed, cancelled}, pending,
               ", started_at = NULL, completed_at = NULL, error_message = NULL"),
};

Transition const* find_transition(WorkflowStatus from, WorkflowStatus to) {
  auto const found = std::ranges::find_if(
      transitions, [&](Transition const& one) { return one.to == to && contains(one.from, from); });
  return found == transitions.end() ? nullptr : &*found;
}

Statuses reachable(WorkflowStatus from) {
  Statuses out;
  for (auto const& one : transitions) {
    if (contains(one.from, from))
      out.push_back(one.to);
  }
  return out;
}

Statuses const editable{draft, pending, failed, cancelled};
Statuses const removable{draft, completed, failed, cancelled};

// ---- the other changes ----

Change const create_workflow = make_insert(
    workflow_aggregate, {.name = "workflow.create", .channel = "workflow:created", .cache = CacheEffect::put});

Change const update_workflow = make_update(
    workflow_aggregate, {.name = "workflow.update",
                         .channel = "workflow:updated",
                         .cache = CacheEffect::put,
                         .params = {{"expected", "bigint"},
                                    {"name", "text"},
                                    {"description", "text"},
                                    {"steps", "json"},
                                    {"context", "json"},
                                    {"current_step", "bigint"}},
                         .set = "name = {name}, description = {description}, steps = {steps}, context = {context},"
                                " current_step = {current_step}, updated_at = al_now()",
                         .where = guard(editable)});

Change const remove_workflow = make_update(workflow_aggregate, {.name = "workflow.delete",
                                                                .channel = "workflow:deleted",
                                                                .cache = CacheEffect::remove,
                                                                .params = {{"expected", "bigint"}},
                                                                .set = "deleted_at = al_now(), updated_at = al_now()",
                                                                .where = guard(removable)});

// ---- what the description of the entity cannot say ----

template <class M>
Value bound(M const& member) {
  return entity::type_of<M>().bind(&member);
}

template <class M>
Value bound(std::optional<M> const& member) {
  return member ? bound(*member) : Value{};
}

void check_size(std::string path, std::size_t size, std::int64_t bytes_max, entity::Faults& faults) {
  if (std::cmp_greater(size, bytes_max)) {
    faults.push_back({std::move(path), "must have at most " + std::to_string(bytes_max) + " bytes of JSON, has " +
                                           std::to_string(size)});
  }
}

entity::Faults faults_of(Workflow const& workflow) {
  entity::Faults faults;
  auto const count = std::ssize(workflow.steps);
  if (count == 0 && contains({pending, running, paused}, workflow.status))
    faults.push_back({"steps", "must have at least 1 element, unless the workflow is a draft"});
  check_size("steps", std::get<std::string>(bound(workflow.steps)).size(), model::workflow_steps_bytes_max, faults);
  check_size("context", workflow.context.text.size(), model::workflow_context_bytes_max, faults);
  if (workflow.current_step && (*workflow.current_step < 0 || *workflow.current_step >= count)) {
    faults.push_back({"current_step", "must be the place of one of its " + std::to_string(count) +
                                          " steps, from 0, is " + std::to_string(*workflow.current_step)});
  }
  return faults;
}

void check_new(Workflow const& workflow, entity::Faults& faults) {
  if (!is_uuid(workflow.id.value))
    faults.push_back({"id", "must be a UUID"});
  if (workflow.status != draft && workflow.status != pending)
    faults.push_back({"status", "must be draft or pending for a new workflow; it changes by what becomes of it"});
}

void check_move(Workflow const& stored, WorkflowMove const& move, entity::Faults& faults) {
  if (move.context) {
    auto const parsed = json::parse(move.context->text);
    if (!parsed || !parsed->is_object())
      faults.push_back({"context", parsed ? "must be an object" : parsed.error().message});
  }
  if (move.error_message && move.to != failed)
    faults.push_back({"error_message", "is for a workflow that fails; leave it out"});
  if (stored.status == running && move.to == running && !move.current_step && !move.context)
    faults.push_back({"current_step", "is required, or a context: the workflow is running already"});
}

Error no_such_workflow(WorkflowId const& id) {
  return {.code = Code::not_found, .message = "there is no workflow '" + id.value + "'"};
}

/// Its status does not allow it; `why` goes on after that.
std::unexpected<Error> refused(Workflow const& workflow, std::string const& why) {
  return fail(Code::conflict, "workflow '" + workflow.id.value + "' is " + name_of(workflow.status) + "; " + why);
}

/// How often a change that lost a race is decided anew, when the caller named no version.
constexpr int change_tries_max = 5;

}  // namespace

Task<Result<Workflow>> WorkflowStore::create(Actor const& actor, Workflow workflow, Deadline deadline) {
  workflow.created_by = actor.user_id;
  workflow.current_step.reset();
  workflow.error_message.reset();
  workflow.started_at.reset();
  workflow.completed_at.reset();
  auto faults = faults_of(workflow);
  check_new(workflow, faults);
  if (!faults.empty())
    co_return fail(entity::invalid(std::move(faults)));
  auto params = bind_first(workflow, writer_.clock().now());
  auto row = co_await writer_.write(create_workflow, actor, std::move(params), deadline);
  if (!row && row.error().code == Code::conflict)
    co_return fail(Code::conflict, "workflow '" + workflow.id.value + "' exists already; choose another id");
  if (!row)
    co_return fail(std::move(row.error()));
  co_return entity::from_row<Workflow>(*row);
}

Task<Result<Workflow>> WorkflowStore::get(TenantId const& tenant, WorkflowId const& id, Deadline deadline,
                                          Freshness freshness) {
  auto const row = co_await writer_.read(stored_workflow, tenant, id.value, freshness, deadline);
  if (!row)
    co_return fail(row.error());
  if (*row == nullptr)
    co_return fail(no_such_workflow(id));
  co_return entity::from_row<Workflow>(**row);
}

Task<Result<Page<Workflow>>> WorkflowStore::list(TenantId const& tenant, std::optional<WorkflowStatus> status,
                                                 PageRequest request, Deadline deadline) {
  if (!request.cursor.empty() && !is_uuid(request.cursor))
    co_return fail(wrong_cursor());
  Values params{tenant.value, request.cursor.empty() ? std::string(last_uuid) : normal_uuid(request.cursor),
                request.limit + 1};
  Values count_params{tenant.value};
  if (status) {
    params.push_back(bound(*status));
    count_params.push_back(bound(*status));
  }
  auto& database = writer_.database();
  auto rows =
      co_await database.read(Scope::of(tenant), status ? list_of_status : list_all, std::move(params), deadline);
  auto page = page_of<Workflow>(cut_page(rows, request.limit));
  if (request.count_total) {
    auto const counted = co_await database.read(Scope::of(tenant), status ? count_of_status : count_all,
                                                std::move(count_params), deadline);
    page.total = integer_at(counted.at(0), 0);
  }
  co_return page;
}

Task<Result<Workflow>> WorkflowStore::update(Actor const& actor, WorkflowId const& id, json::Input patch,
                                             std::optional<std::int64_t> expected, Deadline deadline) {
  Decide const decide = [patch](Workflow workflow) -> Result<Decision> {
    if (!contains(editable, workflow.status))
      return refused(workflow, "its definition can be changed while it is " + listed(editable));
    if (auto ok = entity::patch_json(workflow, patch); !ok)
      return fail(std::move(ok.error()));
    if (workflow.current_step && *workflow.current_step >= std::ssize(workflow.steps))
      workflow.current_step.reset();
    if (auto faults = faults_of(workflow); !faults.empty())
      return fail(entity::invalid(std::move(faults)));
    return Decision{&update_workflow,
                    {workflow.id.value, workflow.version, workflow.name, workflow.description, bound(workflow.steps),
                     workflow.context.text, bound(workflow.current_step)}};
  };
  co_return co_await change(actor, id, decide, expected, deadline);
}

Task<Result<Workflow>> WorkflowStore::move(Actor const& actor, WorkflowId const& id, WorkflowMove wanted,
                                           std::optional<std::int64_t> expected, Deadline deadline) {
  Decide const decide = [wanted = std::move(wanted)](Workflow workflow) -> Result<Decision> {
    auto const* way = find_transition(workflow.status, wanted.to);
    if (way == nullptr) {
      auto const others = reachable(workflow.status);
      return refused(workflow, "it cannot become " + name_of(wanted.to) +
                                   (others.empty() ? ", it stays so" : ", only " + listed(others)));
    }
    entity::Faults faults;
    check_move(workflow, wanted, faults);
    workflow.status = wanted.to;
    if (wanted.current_step)
      workflow.current_step = wanted.current_step;
    if (wanted.context)
      workflow.context = *wanted.context;
    auto const more = faults_of(workflow);
    faults.insert(faults.end(), more.begin(), more.end());
    if (!faults.empty())
      return fail(entity::invalid(std::move(faults)));
    return Decision{&way->change,
                    {workflow.id.value, workflow.version, bound(wanted.current_step), bound(wanted.context),
                     bound(wanted.error_message)}};
  };
  co_return co_await change(actor, id, decide, expected, deadline);
}

Task<Result<void>> WorkflowStore::remove(Actor const& actor, WorkflowId const& id, std::optional<std::int64_t> expected,
                                         Deadline deadline) {
  Decide const decide = [](Workflow const& workflow) -> Result<Decision> {
    if (!contains(removable, workflow.status))
      return refused(workflow, "cancel it before you delete it");
    return Decision{&remove_workflow, {workflow.id.value, workflow.version}};
  };
  auto removed = co_await change(actor, id, decide, expected, deadline);
  if (!removed)
    co_return fail(std::move(removed.error()));
  co_return Result<void>{};
}

Task<Result<Workflow>> WorkflowStore::change(Actor const& actor, WorkflowId const& id, Decide decide,
                                             std::optional<std::int64_t> expected, Deadline deadline) {
  for (int i = 0; i < change_tries_max; ++i) {
    auto stored = co_await get(actor.tenant, id, deadline, Freshness::fresh);
    if (!stored)
      co_return stored;
    if (auto ok = check_version("the workflow", stored->version, expected); !ok)
      co_return fail(std::move(ok.error()));
    auto decision = decide(std::move(*stored));
    if (!decision)
      co_return fail(std::move(decision.error()));
    auto row = co_await writer_.write(*decision->change, actor, std::move(decision->params), deadline);
    if (row)
      co_return entity::from_row<Workflow>(*row);
    if (row.error().code != Code::conflict)
      co_return fail(std::move(row.error()));
  }
  co_return fail(Code::conflict, "workflow '" + id.value + "' kept changing; try again");
}

}  // namespace al::data
