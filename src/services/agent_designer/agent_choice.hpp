#pragma once
#include <string>
#include <vector>

#include "data/agent_store.hpp"
#include "data/knowledge_store.hpp"

namespace al::services::agent_designer {

struct AgentChoice {
  AgentId id;
  std::string name;
  std::string because;  ///< for people
};

/// Whom `auto` gives a task to: the one whose name, field and abilities share most words with it; among equals the one
/// who knows the best answer; among these the one with the fewest open tasks; then by id. Nobody when there is no
/// candidate. Pure.
[[nodiscard]] std::optional<AgentChoice> choose_agent(std::string_view description,
                                                      std::vector<data::AgentStore::Candidate> const& candidates,
                                                      std::vector<data::KnowledgeMatch> const& known);

}  // namespace al::services::agent_designer
