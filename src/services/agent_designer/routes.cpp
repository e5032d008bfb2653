#include "services/agent_designer/routes.hpp"

#include <boost/json/object.hpp>

namespace al::services::agent_designer {

void add_routes(http::Router& router, Stores const& stores) {
  add_agent_routes(router, stores);
  add_task_routes(router, stores);
  add_knowledge_routes(router, stores);
}

Result<void> require_change(http::Call const& call) {
  auto const* object = call.body().is_null() ? nullptr : call.body().parsed->if_object();
  if (object != nullptr && object->empty())
    return fail(Code::bad_request, "the body names nothing to change; give at least one field");
  return {};
}

void answer_in_full(http::Call& call) { call.request.headers.erase("If-None-Match"); }

}  // namespace al::services::agent_designer
