#pragma once
/// The role agent-designer (8002): agents, their tasks and what they know.

#include "data/agent_store.hpp"
#include "data/knowledge_import.hpp"
#include "data/knowledge_store.hpp"
#include "data/task_store.hpp"
#include "http/router.hpp"

namespace al::services::agent_designer {

/// What the handlers work with. All outlive the router.
struct Stores {
  data::AgentStore& agents;
  data::TaskStore& tasks;
  data::KnowledgeStore& knowledge;
  data::KnowledgeImport& import;
};

void add_routes(http::Router&, Stores const&);

// One file each.
void add_agent_routes(http::Router&, Stores const&);
void add_task_routes(http::Router&, Stores const&);
void add_knowledge_routes(http::Router&, Stores const&);

}  // namespace al::services::agent_designer
