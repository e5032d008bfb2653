#include "services/agent_designer/routes.hpp"

namespace al::services::agent_designer {

void add_routes(http::Router& router, Stores const& stores) {
  add_agent_routes(router, stores);
  add_task_routes(router, stores);
  add_knowledge_routes(router, stores);
}

}  // namespace al::services::agent_designer
