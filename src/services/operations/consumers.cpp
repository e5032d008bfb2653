#include "core/log.hpp"
#include "services/common/reply.hpp"
#include "services/operations/events.hpp"

namespace al::services::operations {

namespace {

using events::ConsumerGroups;
using http::Call;
using http::Method;
using http::Response;

Task<Result<Response>> list(ConsumerGroups& groups, Call& call) {
  data::Page<model::ConsumerGroup> page;
  page.items = co_await groups.list(call.context.deadline);
  co_return list_response("consumers", page);
}

Task<Result<Response>> get(ConsumerGroups& groups, Call& call) {
  auto group = co_await groups.find(call.path("consumer"), call.context.deadline);
  if (!group)
    co_return fail(std::move(group.error()));
  co_return http::json_response(200, entity::to_json(*group));
}

/// Errors: invalid, unless the body names one point.
Result<model::ConsumerReplay> wanted_of(Call const& call) {
  auto wanted = entity::from_json<model::ConsumerReplay>(call.body());
  if (wanted && wanted->since.has_value() == wanted->from.has_value())
    return fail(entity::invalid({{"since", "give either `since`, a time, or `from`, which is beginning or tip"}}));
  return wanted;
}

/// Handlers may get what they have had, and a group that is sent forward never gets what it has not: people will want
/// to know who did that.
void log_replay(Call const& call, std::string const& name, model::ConsumerReplay const& wanted) {
  auto const& principal = call.context.principal;
  auto const to = wanted.since ? to_rfc3339(*wanted.since) : boost::describe::enum_to_string(*wanted.from, "?");
  log::info("a consumer group goes on from another point of the event log",
            {{"consumer", std::string_view(name)},
             {"from", std::string_view(to)},
             {"user_id", std::string_view(principal.id)},
             {"tenant_id", std::string_view(principal.tenant.value)},
             {"request_id", std::string_view(call.context.request_id)}});
}

Task<Result<Response>> replay(ConsumerGroups& groups, Call& call) {
  auto const wanted = wanted_of(call);
  if (!wanted)
    co_return fail(wanted.error());
  auto const& name = call.path("consumer");
  auto group = co_await groups.replay(name, *wanted, call.context.deadline);
  if (!group)
    co_return fail(std::move(group.error()));
  log_replay(call, name, *wanted);
  co_return http::json_response(200, entity::to_json(*group));
}

template <class F>
http::Handler bind(ConsumerGroups& groups, F handler) {
  return [&groups, handler](Call& call) { return handler(groups, call); };
}

}  // namespace

void add_consumer_routes(http::Router& router, ConsumerGroups& groups) {
  auto const* group = &entity::entity<model::ConsumerGroup>();
  router.add({.method = Method::get,
              .path = "/consumers",
              .permission = "consumers:read",
              .of_installation = true,
              .summary = "The consumer groups of the installation, and how far each has come in the event log",
              .response = group,
              .list = "consumers",
              .handler = bind(groups, list)});
  router.add({.method = Method::get,
              .path = "/consumers/{consumer}",
              .permission = "consumers:read",
              .of_installation = true,
              .summary = "One consumer group",
              .response = group,
              .errors = {Code::not_found},
              .handler = bind(groups, get)});
  router.add({.method = Method::post,
              .path = "/consumers/{consumer}/replay",
              .permission = "consumers:write",
              .of_installation = true,
              .summary = "Send a whole group to a point of the event log, for the events of all tenants",
              .takes = http::Body::json,
              .request = &entity::entity<model::ConsumerReplay>(),
              .response = group,
              .errors = {Code::not_found},
              .handler = bind(groups, replay)});
}

}  // namespace al::services::operations
