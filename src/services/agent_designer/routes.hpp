#pragma once
/// The role agent-designer (8002): agents, their tasks and what they know.

#include "data/agent_store.hpp"
#include "data/knowledge_import.hpp"
#include "data/knowledge_store.hpp"
#include "data/task_store.hpp"
#include "events/live_text.hpp"
#include "http/router.hpp"

namespace al::services::agent_designer {

/// What the handlers work with. All outlive the router.
struct Stores {
  data::AgentStore& agents;
  data::TaskStore& tasks;
  data::KnowledgeStore& knowledge;
  data::KnowledgeImport& import;
  events::LiveText& live;
  http::Authenticator& authenticator;  ///< asked again while a stream is open
};

void add_routes(http::Router&, Stores const&);

/// A PUT must say what it changes. Errors: bad_request, when the body is an empty object.
[[nodiscard]] Result<void> require_change(http::Call const&);

/// The task that the path names. Errors: not_found, since what is no UUID names no task.
[[nodiscard]] Result<TaskId> task_id(http::Call const&);

/// For what changes without a new version: an agent's status follows from its tasks, and uses of knowledge are counted
/// beside it. The ETag is the version, for `If-Match`; a 304 for it would hide such a change.
void answer_in_full(http::Call&);

// One file each.
void add_agent_routes(http::Router&, Stores const&);
void add_task_routes(http::Router&, Stores const&);
void add_task_stream_route(http::Router&, Stores const&);
void add_knowledge_routes(http::Router&, Stores const&);

}  // namespace al::services::agent_designer
