#include "data/starter.hpp"

#include <array>
#include <set>

#include "core/log.hpp"
#include "embedded/starter_knowledge.hpp"

namespace al::data {

namespace {

using storage::Scope;
using storage::Statement;

struct DefaultAgent {
  std::string_view id, name, model;
  std::array<std::string_view, 4> capabilities;
};

/// The ten of the brief's integration plan, whose specialization is their id.
constexpr std::array<DefaultAgent, 10> default_agents{{
    {"researcher",
     "Research Specialist",
     "claude-3-haiku",
     {"literature search", "source criticism", "evidence synthesis", "survey design"}},
    {"developer",
     "Code Developer",
     "claude-3-sonnet",
     {"software implementation", "debugging", "testing", "api design"}},
    {"reviewer",
     "Code Reviewer",
     "claude-3-haiku",
     {"code review", "readability", "defect detection", "merge criteria"}},
    {"optimizer", "Performance Optimizer", "claude-3-haiku", {"profiling", "caching", "query tuning", "load testing"}},
    {"writer",
     "Documentation Writer",
     "claude-3-haiku",
     {"technical writing", "editing", "tutorials", "release notes"}},
    {"security_expert",
     "Security Expert",
     "claude-3-opus",
     {"application security", "threat modelling", "incident response", "cryptography"}},
    {"data_scientist",
     "Data Scientist",
     "claude-3-sonnet",
     {"statistics", "machine learning", "data cleaning", "experiment design"}},
    {"devops_engineer",
     "DevOps Engineer",
     "claude-3-haiku",
     {"deployment", "kubernetes", "monitoring", "infrastructure as code"}},
    {"blockchain_developer",
     "Blockchain Developer",
     "claude-3-haiku",
     {"smart contracts", "solidity", "consensus", "wallets"}},
    {"system_architect",
     "System Architect",
     "claude-3-opus",
     {"architecture", "scalability", "distributed systems", "trade-off analysis"}},
}};

/// Also those that were deleted.
Statement const ever_agents{"starter.agents", "SELECT id FROM agents WHERE tenant_id = $1"};
Statement const ever_items{"starter.items", "SELECT agent_id || '/' || id FROM knowledge WHERE tenant_id = $1"};

std::set<std::string> to_set(Rows const& rows) {
  std::set<std::string> out;
  for (auto const& row : rows)
    out.insert(std::get<std::string>(row.at(0)));
  return out;
}

model::Agent to_agent(DefaultAgent const& d) {
  model::Agent agent;
  agent.id = AgentId{d.id};
  agent.name = d.name;
  agent.model = d.model;
  agent.specialization = d.id;
  agent.capabilities.assign(d.capabilities.begin(), d.capabilities.end());
  return agent;
}

/// The packs are part of the binary: one that does not parse is our own bug, and a test reads them all.
std::vector<model::Knowledge> pack_items(EmbeddedFile const& file) {
  AgentId const agent{file.name.substr(0, file.name.find('.'))};
  auto const source = json::Source::from(std::string(file.text));
  if (!source)
    throw Fault("starter pack " + std::string(file.name) + ": " + source.error().message);
  std::vector<model::Knowledge> items;
  for (auto const& element : json::elements(source->root())) {
    auto item = entity::from_json<model::Knowledge>(element);
    if (!item)
      throw Fault("starter pack " + std::string(file.name) + ": " + item.error().message);
    item->agent_id = agent;
    items.push_back(std::move(*item));
  }
  return items;
}

/// Counts what was added. A conflict means that another process was faster; anything else is a fault.
template <class T>
std::size_t count_added(std::vector<Settled<Result<T>>> const& settled) {
  std::size_t added = 0;
  for (auto const& one : settled) {
    if (one.fault)
      std::rethrow_exception(one.fault);
    if (one.value) {
      ++added;
    } else if (one.value.error().code != Code::conflict && one.value.error().code != Code::not_found) {
      throw Fault("the starter content was refused: " + one.value.error().message);
    }
  }
  return added;
}

}  // namespace

Task<Starter::Added> Starter::run(TenantId const& tenant, Deadline deadline) {
  Actor const actor{.tenant = tenant, .user_id = "system", .correlation_id = {}, .causation_id = {}, .traceparent = {}};
  auto& database = writer_.database();
  Added added;
  auto const agents = to_set(co_await database.read(Scope::of(tenant), ever_agents, {tenant.value}, deadline));
  std::vector<Task<Result<model::Agent>>> new_agents;
  for (auto const& d : default_agents) {
    if (!agents.contains(std::string(d.id)))
      new_agents.push_back(agents_.create(actor, to_agent(d), deadline));
  }
  added.agents = count_added(co_await settle(std::move(new_agents)));

  auto const items = to_set(co_await database.read(Scope::of(tenant), ever_items, {tenant.value}, deadline));
  std::vector<Task<Result<model::Knowledge>>> new_items;
  for (auto const& file : embedded::starter_knowledge()) {
    for (auto& item : pack_items(file)) {
      if (items.contains(item.agent_id.value + "/" + item.id.value))
        continue;
      new_items.push_back(knowledge_.add(actor, {.item = std::move(item)}, deadline));
    }
  }
  added.items = count_added(co_await settle(std::move(new_items)));
  if (added.agents + added.items > 0) {
    log::info("starter content added",
              {{"agents", static_cast<std::int64_t>(added.agents)}, {"items", static_cast<std::int64_t>(added.items)}});
  }
  co_return added;
}

}  // namespace al::data
