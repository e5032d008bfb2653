#include <algorithm>

#include "core/utf8.hpp"
#include "http/target.hpp"
#include "services/agent_designer/answers.hpp"
#include "services/agent_designer/routes.hpp"
#include "services/common/reply.hpp"

namespace al::services::agent_designer {

struct SearchRequest {
  std::string query;
  std::optional<AgentId> agent_id;
  std::optional<std::string> category;
  std::int64_t limit = 10;
  double min_relevance = 0;
};
BOOST_DESCRIBE_STRUCT(SearchRequest, (), (query, agent_id, category, limit, min_relevance))

constexpr auto describe(std::type_identity<SearchRequest>) {
  using namespace entity;
  using R = SearchRequest;
  return about("KnowledgeSearchRequest", "", "A question to the knowledge.",
               field<&R::query>("What is looked for, in any words.", {.min = 1, .max = 10000}),
               field<&R::agent_id>("Only this agent's knowledge."), field<&R::category>("Only this category."),
               field<&R::limit>("How many at most.", {.min = 1, .max = 50, .defaulted = true}),
               field<&R::min_relevance>("Share of the question that a hit must cover, 0 to 1.",
                                        {.min = 0, .max = 1, .defaulted = true}));
}

struct SearchHit {
  model::Knowledge knowledge;
  double score = 0;
  double coverage = 0;
  std::vector<std::string> passages;
};
BOOST_DESCRIBE_STRUCT(SearchHit, (), (knowledge, score, coverage, passages))

constexpr auto describe(std::type_identity<SearchHit>) {
  using namespace entity;
  return about("KnowledgeHit", "", "An item that answers a question.", field<&SearchHit::knowledge>("The item."),
               field<&SearchHit::score>("Relevance; comparable within one answer."),
               field<&SearchHit::coverage>("Share of the question that it covers, 0 to 1."),
               field<&SearchHit::passages>("The passages that match, best first."));
}

struct ContextRequest {
  AgentId agent_id;
  std::string task_description;
  std::int64_t limit = 5;
};
BOOST_DESCRIBE_STRUCT(ContextRequest, (), (agent_id, task_description, limit))

constexpr auto describe(std::type_identity<ContextRequest>) {
  using namespace entity;
  using R = ContextRequest;
  return about("TaskContextRequest", "", "What would an agent know about a task?", field<&R::agent_id>("The agent."),
               field<&R::task_description>("The task.", {.min = 1, .max = 10000}),
               field<&R::limit>("How many items at most.", {.min = 1, .max = 50, .defaulted = true}));
}

namespace {

using http::Call;
using http::Method;
using http::Response;

constexpr std::size_t bulk_body_max = 16 << 20;
constexpr std::size_t shown_key_bytes_max = 64;

/// Bodies that carry raw items are not decoded as a whole; their keys are checked here.
void refuse_other_keys(json::Input body, entity::Entity const& known, entity::Faults& faults) {
  auto const* object = body.parsed->if_object();
  if (!object)
    return faults.push_back({"", "must be a JSON object"});
  for (auto const& member : *object) {
    if (faults.size() >= entity::faults_max)
      return;
    if (std::ranges::count(known.fields, std::string_view(member.key()), &entity::Field::name) > 0)
      continue;
    std::string names;
    for (auto const& field : known.fields)
      names += (names.empty() ? "" : ", ") + std::string(field.name);
    faults.push_back({utf8::shortened(member.key(), shown_key_bytes_max), "is unknown; known are " + names});
  }
}

/// The items themselves are looked at one by one.
void refuse_wrong_kinds(json::Input body, entity::Entity const& known, entity::Faults& faults) {
  for (auto const& field : known.fields) {
    auto const member = json::member(body, field.name);
    if (member.is_null() || field.name == "agent_id")
      continue;
    if (field.type->json == "array" && !member.parsed->is_array())
      faults.push_back({std::string(field.name), "must be an array"});
    if (field.type->json == "boolean" && !member.parsed->is_bool())
      faults.push_back({std::string(field.name), "must be true or false"});
    if (field.type->json == "string" && !member.parsed->is_string())
      faults.push_back({std::string(field.name), "must be a string"});
  }
}

Result<AgentId> agent_in_body(json::Input body, entity::Entity const& known) {
  AgentId agent;
  entity::Faults faults;
  refuse_other_keys(body, known, faults);
  auto const member = json::member(body, "agent_id");
  if (member.parsed == nullptr) {
    faults.push_back({"agent_id", "is required"});
  } else {
    entity::slug_type().decode(member, &agent, entity::Mode::create, "agent_id", faults);
  }
  if (body.parsed->is_object())
    refuse_wrong_kinds(body, known, faults);
  if (!faults.empty())
    return fail(entity::invalid(std::move(faults)));
  return agent;
}

Response item_response(int status, model::Knowledge const& item) {
  std::string location;
  if (status == 201) {
    location = "/api/v1/knowledge/" + http::percent_encode(item.id.value) + "?agent_id=" + item.agent_id.value;
  }
  return http::entity_response(status, entity::to_json(item), item.version, std::move(location));
}

Task<Result<Response>> list(Stores stores, Call& call, std::optional<AgentId> agent, ObjectText head) {
  auto const page = page_request(call);
  if (!page)
    co_return fail(page.error());
  data::KnowledgeFilter filter{.agent_id = std::move(agent), .category = std::nullopt};
  if (auto const category = call.query("category"))
    filter.category = std::string(*category);
  if (call.query("order") == "usage")
    filter.order = data::KnowledgeFilter::Order::usage;
  auto items =
      co_await stores.knowledge.list(call.context.principal.tenant, std::move(filter), *page, call.context.deadline);
  if (!items)
    co_return fail(std::move(items.error()));
  co_return list_response("knowledge", *items, std::move(head));
}

Task<Result<Response>> list_all(Stores stores, Call& call) {
  auto const agent = query_agent(call);
  if (!agent)
    co_return fail(agent.error());
  co_return co_await list(stores, call, *agent, {});
}

Task<Result<Response>> list_of_agent(Stores stores, Call& call) {
  AgentId const id{call.path("agent_id")};
  auto agent =
      co_await stores.agents.view(call.context.principal.tenant, id, data::Freshness::cached, call.context.deadline);
  if (!agent)
    co_return fail(std::move(agent.error()));
  OfAgent head{.agent_id = id, .category = {}};
  if (auto const category = call.query("category"))
    head.category = std::string(*category);
  co_return co_await list(stores, call, id, ObjectText(head));
}

/// `agent` comes from the path; without one the body names it.
Task<Result<Response>> add_item(Stores stores, Call& call, std::optional<AgentId> agent) {
  auto item = entity::from_json<model::Knowledge>(call.body());
  if (!item)
    co_return fail(std::move(item.error()));
  if (!agent && item->agent_id.value.empty())
    co_return fail(entity::invalid({{"agent_id", "is required"}}));
  if (agent && !item->agent_id.value.empty() && item->agent_id != *agent) {
    co_return fail(entity::invalid({{"agent_id", "is another agent than the one in the path; leave it out"}}));
  }
  if (agent)
    item->agent_id = std::move(*agent);
  data::KnowledgeWrite write{.item = std::move(*item), .id_seed = call.made_id};
  auto added = co_await stores.knowledge.add(call.context.actor(), std::move(write), call.context.deadline);
  if (!added)
    co_return fail(std::move(added.error()));
  co_return item_response(201, *added);
}

Task<Result<Response>> add_of_agent(Stores stores, Call& call) {
  co_return co_await add_item(stores, call, AgentId{call.path("agent_id")});
}

Task<Result<Response>> add(Stores stores, Call& call) { co_return co_await add_item(stores, call, std::nullopt); }

Task<Result<Response>> get(Stores stores, Call& call) {
  answer_in_full(call);
  auto const agent = query_agent(call);
  if (!agent)
    co_return fail(agent.error());
  auto item = co_await stores.knowledge.get(call.context.principal.tenant, *agent,
                                            KnowledgeId{call.path("knowledge_id")}, call.context.deadline);
  if (!item)
    co_return fail(std::move(item.error()));
  co_return item_response(200, *item);
}

Task<Result<Response>> update(Stores stores, Call& call) {
  if (auto ok = require_change(call); !ok)
    co_return fail(std::move(ok.error()));
  auto const agent = query_agent(call);
  if (!agent)
    co_return fail(agent.error());
  auto const expected = call.if_match();
  if (!expected)
    co_return fail(expected.error());
  auto item = co_await stores.knowledge.update(call.context.actor(), *agent, KnowledgeId{call.path("knowledge_id")},
                                               call.body(), *expected, call.context.deadline);
  if (!item)
    co_return fail(std::move(item.error()));
  co_return item_response(200, *item);
}

Task<Result<Response>> remove(Stores stores, Call& call) {
  auto const agent = query_agent(call);
  if (!agent)
    co_return fail(agent.error());
  auto const expected = call.if_match();
  if (!expected)
    co_return fail(expected.error());
  auto done = co_await stores.knowledge.remove(call.context.actor(), *agent, KnowledgeId{call.path("knowledge_id")},
                                               *expected, call.context.deadline);
  if (!done)
    co_return fail(std::move(done.error()));
  co_return message_response("knowledge '" + call.path("knowledge_id") + "' is deleted");
}

std::vector<SearchHit> to_hits(std::vector<data::KnowledgeMatch> matches, double min_coverage) {
  std::vector<SearchHit> hits;
  for (auto& match : matches) {
    if (match.coverage < min_coverage)
      continue;
    hits.push_back({std::move(match.item), match.score, match.coverage, std::move(match.passages)});
  }
  return hits;
}

Task<Result<Response>> search(Stores stores, Call& call) {
  auto wanted = entity::from_json<SearchRequest>(call.body());
  if (!wanted)
    co_return fail(std::move(wanted.error()));
  auto matches = co_await stores.knowledge.search(
      call.context.principal.tenant, {.agent_id = wanted->agent_id, .category = wanted->category}, wanted->query,
      static_cast<std::size_t>(wanted->limit), call.context.deadline);
  auto hits = to_hits(std::move(matches), wanted->min_relevance);
  co_return list_response("results", data::Page<SearchHit>{std::move(hits), {}, {}});
}

Task<Result<Response>> context(Stores stores, Call& call) {
  auto wanted = entity::from_json<ContextRequest>(call.body());
  if (!wanted)
    co_return fail(std::move(wanted.error()));
  auto const& tenant = call.context.principal.tenant;
  auto agent = co_await stores.agents.view(tenant, wanted->agent_id, data::Freshness::cached, call.context.deadline);
  if (!agent)
    co_return fail(std::move(agent.error()));
  auto matches = co_await stores.knowledge.search(tenant, {.agent_id = wanted->agent_id, .category = std::nullopt},
                                                  wanted->task_description, static_cast<std::size_t>(wanted->limit),
                                                  call.context.deadline);
  co_return list_response("context", data::Page<SearchHit>{to_hits(std::move(matches), 0), {}, {}});
}

std::string explain(Error const& error) {
  std::string out = error.message;
  for (auto const& fault : error.faults)
    out += "; " + fault.path + ": " + fault.message;
  return out;
}

void note_added(BulkReport& report, BulkResult& result, Result<model::Knowledge> const& added) {
  if (!added) {
    result.reason = explain(added.error());
    return;
  }
  ++report.successful;
  result.id = added->id;
  result.status = "added";
}

/// Each item stands or falls by itself; they are written together.
Task<Result<Response>> bulk(Stores stores, Call& call) {
  auto agent_id = agent_in_body(call.body(), entity::entity<KnowledgeBulk>());
  if (!agent_id)
    co_return fail(std::move(agent_id.error()));
  auto const elements = json::elements(json::member(call.body(), "items"));
  if (elements.empty() || std::ssize(elements) > bulk_items_max) {
    co_return fail(entity::invalid({{"items", "must be an array of 1 to " + std::to_string(bulk_items_max)}}));
  }
  auto agent = co_await stores.agents.view(call.context.principal.tenant, *agent_id, data::Freshness::cached,
                                           call.context.deadline);
  if (!agent)
    co_return fail(std::move(agent.error()));
  auto const actor = call.context.actor();
  BulkReport report{
      .total = std::ssize(elements), .successful = 0, .failed = 0, .results = std::vector<BulkResult>(elements.size())};
  std::vector<std::size_t> positions;
  std::vector<Task<Result<model::Knowledge>>> writes;
  for (std::size_t i = 0; i < elements.size(); ++i) {
    auto& result = report.results[i];
    result.position = static_cast<std::int64_t>(i);
    result.status = "failed";
    auto item =
        entity::from_json<model::Knowledge>(elements[i], entity::Mode::create, "items[" + std::to_string(i) + "]");
    if (!item) {
      result.reason = explain(item.error());
      continue;
    }
    if (!item->agent_id.value.empty() && item->agent_id != *agent_id) {
      result.reason = "agent_id: is another agent than that of the body";
      continue;
    }
    item->agent_id = *agent_id;
    positions.push_back(i);
    auto seed = call.made_id.empty() ? std::string() : call.made_id + "/" + std::to_string(i);
    data::KnowledgeWrite write{.item = std::move(*item), .id_seed = std::move(seed)};
    writes.push_back(stores.knowledge.add(actor, std::move(write), call.context.deadline));
  }
  auto const settled = co_await settle(std::move(writes));
  for (std::size_t k = 0; k < settled.size(); ++k) {
    if (settled[k].fault)
      std::rethrow_exception(settled[k].fault);
    note_added(report, report.results[positions[k]], settled[k].value);
  }
  report.failed = report.total - report.successful;
  co_return described_response(200, report);
}

std::vector<ImportRemark> remarks(std::vector<data::ImportReport::Fault> faults) {
  std::vector<ImportRemark> out;
  for (auto& fault : faults)
    out.push_back({fault.position, std::move(fault.reason)});
  return out;
}

Task<Result<Response>> import(Stores stores, Call& call) {
  auto agent = agent_in_body(call.body(), entity::entity<KnowledgeImportRequest>());
  if (!agent)
    co_return fail(std::move(agent.error()));
  auto report = co_await stores.import.run(call.context.actor(), *agent, json::member(call.body(), "items"),
                                           call.context.deadline);
  if (!report)
    co_return fail(std::move(report.error()));
  co_return described_response(200, ImportAnswer{.imported = report->imported,
                                                 .merged = report->merged,
                                                 .skipped = report->skipped,
                                                 .agent_created = report->agent_created,
                                                 .left_out = remarks(std::move(report->left_out)),
                                                 .faulty = remarks(std::move(report->faulty))});
}

template <class F>
http::Handler bind(Stores const& stores, F handler) {
  return [stores, handler](Call& call) { return handler(stores, call); };
}

}  // namespace

static void add_list_routes(http::Router& router, Stores const& stores) {
  auto const* item = &entity::entity<model::Knowledge>();
  http::Parameter const category{.name = "category", .doc = "Only this category."};
  http::Parameter const order{
      .name = "order", .doc = "usage: the most used first; by agent and id when left out.", .choices = {"id", "usage"}};
  router.add({.method = Method::get,
              .path = "/knowledge",
              .permission = "knowledge:read",
              .summary = "List knowledge",
              .query = list_parameters({{.name = "agent_id", .doc = "Only this agent's."}, category, order}),
              .response = item,
              .list = "knowledge",
              .handler = bind(stores, list_all)});
  router.add({.method = Method::get,
              .path = "/agents/{agent_id}/knowledge",
              .permission = "knowledge:read",
              .summary = "List what an agent knows",
              .query = list_parameters({category, order}),
              .response = item,
              .list = "knowledge",
              .head = &entity::entity<OfAgent>(),
              .errors = {Code::not_found},
              .handler = bind(stores, list_of_agent)});
}

/// The routes of single items.
static void add_item_routes(http::Router& router, Stores const& stores) {
  auto const* item = &entity::entity<model::Knowledge>();
  http::Parameter const agent{.name = "agent_id", .doc = "Whose knowledge; needed when several have this id."};
  router.add({.method = Method::post,
              .path = "/knowledge",
              .permission = "knowledge:write",
              .summary = "Add knowledge to the agent named in the body",
              .takes = http::Body::json,
              .request = item,
              .response = item,
              .success = 201,
              .errors = {Code::not_found, Code::conflict},
              .body_max = 2 << 20,
              .handler = bind(stores, agent_designer::add)});
  router.add({.method = Method::post,
              .path = "/agents/{agent_id}/knowledge",
              .permission = "knowledge:write",
              .summary = "Add to what an agent knows",
              .takes = http::Body::json,
              .request = item,
              .response = item,
              .success = 201,
              .errors = {Code::not_found, Code::conflict},
              .body_max = 2 << 20,
              .handler = bind(stores, add_of_agent)});
  router.add({.method = Method::get,
              .path = "/knowledge/{knowledge_id}",
              .permission = "knowledge:read",
              .summary = "Read one item",
              .query = {agent},
              .response = item,
              .errors = {Code::not_found, Code::conflict},
              .handler = bind(stores, agent_designer::get)});
  router.add({.method = Method::put,
              .path = "/knowledge/{knowledge_id}",
              .permission = "knowledge:write",
              .summary = "Change what is given of an item",
              .query = {agent},
              .takes = http::Body::json,
              .request = item,
              .response = item,
              .errors = {Code::not_found, Code::conflict, Code::version_mismatch},
              .body_max = 2 << 20,
              .handler = bind(stores, update)});
  router.add({.method = Method::del,
              .path = "/knowledge/{knowledge_id}",
              .permission = "knowledge:write",
              .summary = "Delete an item",
              .query = {agent},
              .response = &entity::entity<Message>(),
              .errors = {Code::not_found, Code::conflict, Code::version_mismatch},
              .handler = bind(stores, agent_designer::remove)});
}

/// Search, and many items at once.
static void add_question_routes(http::Router& router, Stores const& stores) {
  router.add({.method = Method::post,
              .path = "/knowledge/search",
              .permission = "knowledge:read",
              .summary = "Find what answers a question",
              .takes = http::Body::json,
              .request = &entity::entity<SearchRequest>(),
              .response = &entity::entity<SearchHit>(),
              .list = "results",
              .handler = bind(stores, search)});
  router.add({.method = Method::post,
              .path = "/knowledge/bulk",
              .permission = "knowledge:write",
              .summary = "Add up to 500 items at once",
              .takes = http::Body::json,
              .request = &entity::entity<KnowledgeBulk>(),
              .response = &entity::entity<BulkReport>(),
              .errors = {Code::not_found},
              .body_max = bulk_body_max,
              .handler = bind(stores, bulk)});
  router.add({.method = Method::post,
              .path = "/knowledge/import",
              .permission = "knowledge:write",
              .summary = "Take over items of a prototype's knowledge file",
              .takes = http::Body::json,
              .request = &entity::entity<KnowledgeImportRequest>(),
              .response = &entity::entity<ImportAnswer>(),
              .body_max = bulk_body_max,
              .handler = bind(stores, import)});
  router.add({.method = Method::post,
              .path = "/context/task",
              .permission = "knowledge:read",
              .summary = "What an agent knows about a task",
              .takes = http::Body::json,
              .request = &entity::entity<ContextRequest>(),
              .response = &entity::entity<SearchHit>(),
              .list = "context",
              .errors = {Code::not_found},
              .handler = bind(stores, context)});
}

void add_knowledge_routes(http::Router& router, Stores const& stores) {
  add_list_routes(router, stores);
  add_item_routes(router, stores);
  add_question_routes(router, stores);
}

}  // namespace al::services::agent_designer
