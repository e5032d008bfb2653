#include "services/agent_designer/agent_choice.hpp"

#include <algorithm>
#include <set>
#include <tuple>

#include "text/analysis.hpp"

namespace al::services::agent_designer {

namespace {

std::vector<std::string> shared_terms(std::vector<std::string> const& wanted, model::Agent const& agent) {
  std::string profile = agent.name + " " + agent.specialization + " " + agent.id.value;
  for (auto const& capability : agent.capabilities)
    profile += " " + capability;
  auto const terms = text::terms(profile);
  std::set<std::string> const offered(terms.begin(), terms.end());
  std::vector<std::string> shared;
  for (auto const& term : wanted) {
    if (offered.contains(term))
      shared.push_back(term);
  }
  return shared;
}

double best_answer(AgentId const& id, std::vector<data::KnowledgeMatch> const& known) {
  double best = 0;
  for (auto const& match : known) {
    if (match.item.agent_id == id)
      best = std::max(best, match.score);
  }
  return best;
}

std::string reason(std::vector<std::string> const& shared, double knows, std::int64_t open_tasks) {
  std::string out;
  if (!shared.empty()) {
    out = "its field matches";
    for (auto const& term : shared)
      out += " '" + term + "'";
  } else if (knows > 0) {
    out = "it knows most about this";
  } else {
    out = "no agent's field matches";
  }
  return out + "; it has " + std::to_string(open_tasks) + " open tasks";
}

}  // namespace

std::optional<AgentChoice> choose_agent(std::string_view description,
                                        std::vector<data::AgentStore::Candidate> const& candidates,
                                        std::vector<data::KnowledgeMatch> const& known) {
  auto const wanted = text::query_terms(description);
  std::optional<AgentChoice> chosen;
  std::tuple<std::size_t, double, std::int64_t> best;
  for (auto const& candidate : candidates) {
    auto const shared = shared_terms(wanted, candidate.agent);
    auto const knows = best_answer(candidate.agent.id, known);
    std::tuple const rank{shared.size(), knows, -candidate.open_tasks};
    if (chosen && rank <= best)
      continue;
    best = rank;
    chosen = {candidate.agent.id, candidate.agent.name, reason(shared, knows, candidate.open_tasks)};
  }
  return chosen;
}

}  // namespace al::services::agent_designer
