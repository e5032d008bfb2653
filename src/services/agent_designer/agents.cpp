#include "agents/settings.hpp"
#include "services/agent_designer/answers.hpp"
#include "services/agent_designer/routes.hpp"
#include "services/common/reply.hpp"

namespace al::services::agent_designer {

namespace {

using http::Call;
using http::Method;
using http::Response;

AgentId agent_id(Call const& call) { return AgentId{call.path("agent_id")}; }

std::string location_of(AgentId const& id) { return "/api/v1/agents/" + id.value; }

Task<Result<Response>> list(Stores stores, Call& call) {
  auto const page = page_request(call);
  if (!page)
    co_return fail(page.error());
  auto const text = query_text(call, "q");
  if (!text)
    co_return fail(text.error());
  data::AgentFilter filter{.text = *text, .status = {}};
  model::AgentStatus status{};
  if (boost::describe::enum_from_string(std::string(call.query("status").value_or("")).c_str(), status))
    filter.status = status;
  auto agents =
      co_await stores.agents.list(call.context.principal.tenant, std::move(filter), *page, call.context.deadline);
  if (!agents)
    co_return fail(std::move(agents.error()));
  co_return list_response("agents", *agents);
}

Task<Result<Response>> get(Stores stores, Call& call) {
  answer_in_full(call);
  auto agent = co_await stores.agents.view(call.context.principal.tenant, agent_id(call), freshness(call),
                                           call.context.deadline);
  if (!agent)
    co_return fail(std::move(agent.error()));
  co_return http::entity_response(200, (*agent)->json, (*agent)->version);
}

Task<Result<Response>> create(Stores stores, Call& call) {
  auto agent = entity::from_json<model::Agent>(call.body());
  if (!agent)
    co_return fail(std::move(agent.error()));
  if (auto usable = agents::read_settings(agent->config); !usable)
    co_return fail(std::move(usable.error()));
  auto created = co_await stores.agents.create(call.context.actor(), std::move(*agent), call.context.deadline);
  if (!created)
    co_return fail(std::move(created.error()));
  co_return http::entity_response(201, entity::to_json(*created), created->version, location_of(created->id));
}

Task<Result<Response>> update(Stores stores, Call& call) {
  if (auto ok = require_change(call); !ok)
    co_return fail(std::move(ok.error()));
  auto const expected = call.if_match();
  if (!expected)
    co_return fail(expected.error());
  // A config that is no object is the store's to refuse.
  if (auto const config = json::member(call.body(), "config"); !config.is_null() && config.parsed->is_object()) {
    if (auto usable = agents::read_settings(Document{std::string(config.raw)}); !usable)
      co_return fail(std::move(usable.error()));
  }
  auto agent = co_await stores.agents.update(call.context.actor(), agent_id(call), call.body(), *expected,
                                             call.context.deadline);
  if (!agent)
    co_return fail(std::move(agent.error()));
  co_return http::entity_response(200, entity::to_json(*agent), agent->version);
}

Task<Result<Response>> remove(Stores stores, Call& call) {
  auto const expected = call.if_match();
  if (!expected)
    co_return fail(expected.error());
  auto done = co_await stores.agents.remove(call.context.actor(), agent_id(call), *expected, call.context.deadline);
  if (!done)
    co_return fail(std::move(done.error()));
  co_return message_response("agent '" + call.path("agent_id") + "' is deleted");
}

Task<Result<Response>> set_status(Stores stores, Call& call) {
  auto const status = call.query("status");
  model::AgentStatus wanted{};
  if (!status || !boost::describe::enum_from_string(std::string(*status).c_str(), wanted))
    co_return fail(entity::invalid({{"status", "is required: one of idle, error, offline"}}));
  auto const expected = call.if_match();
  if (!expected)
    co_return fail(expected.error());
  auto agent =
      co_await stores.agents.set_status(call.context.actor(), agent_id(call), wanted, *expected, call.context.deadline);
  if (!agent)
    co_return fail(std::move(agent.error()));
  co_return described_response(200, AgentStatusSet{.agent_id = agent->id, .status = wanted});
}

Task<Result<Response>> performance(Stores stores, Call& call) {
  auto out = co_await stores.agents.performance(call.context.principal.tenant, agent_id(call), call.context.deadline);
  if (!out)
    co_return fail(std::move(out.error()));
  co_return http::json_response(200, entity::to_json(*out));
}

template <class F>
http::Handler bind(Stores const& stores, F handler) {
  return [stores, handler](Call& call) { return handler(stores, call); };
}

}  // namespace

void add_agent_routes(http::Router& router, Stores const& stores) {
  auto const* agent = &entity::entity<model::Agent>();
  router.add({.method = Method::get,
              .path = "/agents",
              .permission = "agents:read",
              .summary = "List agents",
              .query = list_parameters({{.name = "q",
                                         .doc = "Only those with this in their id, name, specialization or "
                                                "capabilities, 1 to 200 characters; case does not matter."},
                                        {.name = "status",
                                         .doc = "Only those in this state, as it is shown.",
                                         .choices = entity::type_of<model::AgentStatus>().choices}}),
              .response = agent,
              .list = "agents",
              .handler = bind(stores, list)});
  router.add({.method = Method::post,
              .path = "/agents",
              .permission = "agents:write",
              .summary = "Create an agent",
              .takes = http::Body::json,
              .request = agent,
              .response = agent,
              .success = 201,
              .errors = {Code::conflict},
              .handler = bind(stores, create)});
  router.add({.method = Method::get,
              .path = "/agents/{agent_id}",
              .permission = "agents:read",
              .summary = "Read one agent",
              .response = agent,
              .errors = {Code::not_found},
              .handler = bind(stores, get)});
  router.add({.method = Method::put,
              .path = "/agents/{agent_id}",
              .permission = "agents:write",
              .summary = "Change what is given of an agent",
              .takes = http::Body::json,
              .request = agent,
              .response = agent,
              .errors = {Code::not_found, Code::version_mismatch, Code::conflict},
              .handler = bind(stores, update)});
  router.add({.method = Method::del,
              .path = "/agents/{agent_id}",
              .permission = "agents:write",
              .summary = "Delete an agent; its pending tasks are cancelled, its history stays",
              .response = &entity::entity<Message>(),
              .errors = {Code::not_found, Code::version_mismatch},
              .handler = bind(stores, remove)});
  router.add({.method = Method::put,
              .path = "/agents/{agent_id}/status",
              .permission = "agents:write",
              .summary = "Set an agent idle, in error or offline",
              .query = {{.name = "status", .doc = "The new status.", .choices = {"idle", "error", "offline"}}},
              .response = &entity::entity<AgentStatusSet>(),
              .errors = {Code::not_found, Code::version_mismatch},
              .handler = bind(stores, set_status)});
  router.add({.method = Method::get,
              .path = "/agents/{agent_id}/performance",
              .permission = "agents:read",
              .summary = "How an agent has done",
              .response = &entity::entity<data::AgentPerformance>(),
              .errors = {Code::not_found},
              .handler = bind(stores, performance)});
}

}  // namespace al::services::agent_designer
