#include <algorithm>

#include "security/outgoing.hpp"
#include "services/common/reply.hpp"
#include "services/service_discovery/routes.hpp"

namespace al::services::service_discovery {

namespace {

using http::Call;
using http::Method;
using http::Response;
using model::InstanceId;
using model::ServiceInstance;

/// Errors: not_found, since what is no UUID names nothing.
Result<InstanceId> instance_id(Call const& call) {
  auto const& id = call.path("instance_id");
  if (!is_uuid(id))
    return fail(Code::not_found, "there is no instance '" + id + "'; ids are UUIDs");
  return InstanceId{normal_uuid(id)};
}

bool is_plain_path(std::string_view path) {
  constexpr std::string_view others = "-._~!$&'()*+,;=:@/?%";
  return path.starts_with('/') && !path.starts_with("//") && std::ranges::all_of(path, [&](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || others.contains(c);
         });
}

bool is_plain_tag(std::string_view tag) {
  return !tag.empty() && tag.size() <= model::instance_tag_bytes_max && std::ranges::none_of(tag, [](char c) {
    return c == ',' || static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  });
}

/// What the description of an instance does not say.
entity::Faults faults_of(Discovery const& discovery, ServiceInstance& instance) {
  entity::Faults faults;
  if (std::ranges::find(discovery.roles, instance.name.value) != discovery.roles.end())
    faults.push_back({"name", "is a role of this installation, whose processes register themselves; choose another"});
  if (auto host = security::service_host(instance.host)) {
    instance.host = std::move(*host);
  } else {
    faults.push_back({"host", host.error().message});
  }
  if (!is_plain_path(instance.health_path))
    faults.push_back({"health_path", "must be a path such as /ready, of characters that need no escape"});
  for (std::size_t i = 0; i < instance.tags.size(); ++i) {
    if (!is_plain_tag(instance.tags[i]))
      faults.push_back({"tags[" + std::to_string(i) + "]", "must have 1 to 50 bytes, without commas"});
  }
  return faults;
}

Task<Result<Response>> list(Discovery const& discovery, Call& call) {
  if (auto ok = require_operator(call); !ok)
    co_return fail(std::move(ok.error()));
  auto const page = page_request(call);
  if (!page)
    co_return fail(page.error());
  auto const instances = co_await discovery.services.list(*page, call.context.deadline);
  if (!instances)
    co_return fail(instances.error());
  co_return list_response("instances", *instances);
}

Task<Result<Response>> create(Discovery const& discovery, Call& call) {
  auto instance = entity::from_json<ServiceInstance>(call.body());
  if (!instance)
    co_return fail(std::move(instance.error()));
  if (auto faults = faults_of(discovery, *instance); !faults.empty())
    co_return fail(entity::invalid(std::move(faults)));
  instance->id = id_for_new(call, discovery.services);
  auto const made =
      co_await discovery.services.add(call.context.actor(), std::move(*instance), {}, call.context.deadline);
  if (!made)
    co_return fail(made.error());
  co_return http::entity_response(201, entity::to_json(*made), made->version, "/api/v1/instances/" + made->id.value);
}

Task<Result<Response>> get(Discovery const& discovery, Call& call) {
  if (auto ok = require_operator(call); !ok)
    co_return fail(std::move(ok.error()));
  auto const id = instance_id(call);
  if (!id)
    co_return fail(id.error());
  auto const instance = co_await discovery.services.get(*id, call.context.deadline);
  if (!instance)
    co_return fail(instance.error());
  co_return http::entity_response(200, entity::to_json(*instance), instance->version);
}

Task<Result<Response>> heartbeat(Discovery const& discovery, Call& call) {
  auto const said = entity::from_json<model::InstanceHeartbeat>(call.body());
  if (!said)
    co_return fail(said.error());
  auto const id = instance_id(call);
  if (!id)
    co_return fail(id.error());
  auto const instance = co_await discovery.services.heartbeat(call.context.actor(), *id, *said, call.context.deadline);
  if (!instance)
    co_return fail(instance.error());
  co_return http::entity_response(200, entity::to_json(*instance), instance->version);
}

Task<Result<Response>> remove(Discovery const& discovery, Call& call) {
  if (auto ok = require_operator(call); !ok)
    co_return fail(std::move(ok.error()));
  auto const id = instance_id(call);
  if (!id)
    co_return fail(id.error());
  auto const done = co_await discovery.services.remove_external(call.context.actor(), *id, call.context.deadline);
  if (!done)
    co_return fail(done.error());
  co_return message_response("instance '" + id->value + "' is deregistered");
}

}  // namespace

Result<void> require_operator(Call const& call) {
  if (call.context.principal.tenant == default_tenant)
    return {};
  return fail(Code::forbidden, "Only those who run the installation see its services.");
}

void add_instance_routes(http::Router& router, Discovery const& discovery) {
  auto const* instance = &entity::entity<ServiceInstance>();
  router.add({.method = Method::get,
              .path = "/instances",
              .permission = "services:read",
              .summary = "List what answers for services, by service",
              .query = list_parameters(),
              .response = instance,
              .list = "instances",
              .errors = {Code::forbidden},
              .handler = bind(discovery, list)});
  router.add({.method = Method::post,
              .path = "/instances",
              .permission = "services:manage",
              .summary = "Register an instance of a service that is no role of this installation",
              .takes = http::Body::json,
              .request = instance,
              .response = instance,
              .success = 201,
              .errors = {Code::conflict, Code::forbidden},
              .handler = bind(discovery, create)});
  router.add({.method = Method::get,
              .path = "/instances/{instance_id}",
              .permission = "services:read",
              .summary = "Read one instance",
              .response = instance,
              .errors = {Code::not_found, Code::forbidden},
              .handler = bind(discovery, get)});
  router.add({.method = Method::post,
              .path = "/instances/{instance_id}/heartbeat",
              .permission = "services:manage",
              .summary = "Say that a registered instance lives: it stays for another ttl_seconds",
              .takes = http::Body::json,
              .request = &entity::entity<model::InstanceHeartbeat>(),
              .response = instance,
              .errors = {Code::not_found, Code::forbidden, Code::conflict},
              .handler = bind(discovery, heartbeat)});
  router.add({.method = Method::del,
              .path = "/instances/{instance_id}",
              .permission = "services:manage",
              .summary = "Deregister an instance that a client registered",
              .response = &entity::entity<Message>(),
              .errors = {Code::not_found, Code::forbidden, Code::conflict},
              .handler = bind(discovery, remove)});
}

}  // namespace al::services::service_discovery
