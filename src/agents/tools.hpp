#pragma once
#include <string>
#include <vector>

#include "agents/runner.hpp"
#include "agents/settings.hpp"
#include "agents/transcript.hpp"
#include "data/agent_store.hpp"
#include "data/knowledge_store.hpp"
#include "events/bus.hpp"

namespace al::agents {

/// What tools work with. All outlive the runs.
struct ToolStores {
  data::AgentStore& agents;
  data::KnowledgeStore& knowledge;
  data::TaskStore& tasks;
  events::Bus& bus;
};

/// A task may be delegated on so many times.
inline constexpr std::size_t delegation_depth_max = 3;
/// Further calls in one answer are refused, and an answer with more than `calls_read_max` ends the task: it says
/// nothing but that the model has lost its way, and each call would be a step of the journal.
inline constexpr std::size_t calls_max = 16, calls_read_max = 64;

/// The tools of one run, called as the model wants them. What goes wrong is an answer that the model can act on, not an
/// error of the run; errors are lease_lost and the faults of the stores.
class Tools {
 public:
  Tools(ToolStores stores, Assignment const& assignment, Settings const& settings, Host& host)
      : stores_(stores), assignment_(assignment), settings_(settings), host_(host) {}

  /// As the model is told of them. Reads which agents there are.
  [[nodiscard]] Task<std::vector<providers::Tool>> offered(Deadline);

  /// Answers all `calls`, in their order. `conversation` says how many sources there are and what was delegated before.
  [[nodiscard]] Task<Result<std::vector<ToolStep>>> run(std::vector<providers::ToolCall> const& calls,
                                                        Conversation& conversation, Deadline);

 private:
  [[nodiscard]] Task<ToolStep> search(providers::ToolCall const&, json::value const& arguments,
                                      std::vector<providers::Citation> const& known, Deadline);
  [[nodiscard]] Task<Result<ToolStep>> delegate(providers::ToolCall const&, json::value const& arguments, Conversation&,
                                                Deadline);
  [[nodiscard]] Task<Result<void>> refuse_delegation(AgentId const&, Deadline);
  [[nodiscard]] Task<Result<model::Task>> created(TaskId const&, AgentId const&, std::string text, Deadline);
  [[nodiscard]] Task<Result<model::Task>> ended(TaskId const&, Deadline);

  ToolStores stores_;
  Assignment const& assignment_;
  Settings const& settings_;
  Host& host_;
};

}  // namespace al::agents
