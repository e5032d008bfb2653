#pragma once
#include <array>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cache/local_cache.hpp"
#include "data/change.hpp"
#include "data/page.hpp"
#include "model/agent.hpp"

namespace al::data {

/// Words that stand where an agent's id stands in a path, so that no agent can be called so.
inline constexpr std::array<std::string_view, 2> reserved_agent_ids{"auto", "execute"};

/// An agent as clients see it, ready to be sent.
struct AgentView {
  std::string json;
  std::int64_t version = 0;
};

/// What is known of an agent's work; times in seconds.
struct AgentPerformance {
  AgentId agent_id;
  std::int64_t total_tasks = 0;
  std::int64_t completed_tasks = 0;
  std::int64_t failed_tasks = 0;
  std::int64_t open_tasks = 0;
  std::optional<double> average_completion_time;
  std::optional<double> success_rate;
};
BOOST_DESCRIBE_STRUCT(AgentPerformance, (),
                      (agent_id, total_tasks, completed_tasks, failed_tasks, open_tasks, average_completion_time,
                       success_rate))

constexpr auto describe(std::type_identity<AgentPerformance>) {
  using namespace entity;
  using P = AgentPerformance;
  return about("AgentPerformance", "", "How an agent has done.", field<&P::agent_id>("The agent."),
               field<&P::total_tasks>("Tasks it was ever given."), field<&P::completed_tasks>("Those completed."),
               field<&P::failed_tasks>("Those failed."), field<&P::open_tasks>("Those pending or started."),
               field<&P::average_completion_time>("Seconds from start to completion, mean."),
               field<&P::success_rate>("Completed of those that ended by themselves, in percent."));
}

/// What of it is not given lets all through.
struct AgentFilter {
  std::string text{};  ///< a part of the id, name, specialization or a capability, in any case of the letters
  std::optional<model::AgentStatus> status{};  ///< as it is shown
};

/// Agents of a tenant. Thread-safe.
class AgentStore {
 public:
  /// `cache` may be null: every read goes to the database. Else this listens on the writer's bus, which announces
  /// nothing any more when this goes.
  AgentStore(Writer& writer, cache::LocalCache<AgentView>* cache);

  /// Errors: not_found.
  [[nodiscard]] Task<Result<std::shared_ptr<AgentView const>>> view(TenantId const&, AgentId const&, Freshness,
                                                                    Deadline);
  [[nodiscard]] Task<Result<model::Agent>> get(TenantId const&, AgentId const&, Deadline);
  /// The agent as it was written, through the cache, for those who let it work: its status is never busy.
  /// Errors: not_found.
  [[nodiscard]] Task<Result<model::Agent>> stored(TenantId const&, AgentId const&, Deadline);
  /// Brings the `limit` agents that were changed last into the cache, of all tenants.
  [[nodiscard]] Task<void> warm_up(std::int64_t limit, Deadline);
  /// Whether there was an agent of this id that is deleted now.
  [[nodiscard]] Task<bool> was_deleted(TenantId const&, AgentId const&, Deadline);
  /// By id. Errors: invalid (a cursor that is none of ours).
  [[nodiscard]] Task<Result<Page<model::Agent>>> list(TenantId const&, AgentFilter, PageRequest, Deadline);

  /// An agent that was deleted comes back under its id, its version counting on. Errors: invalid, conflict (it exists).
  [[nodiscard]] Task<Result<model::Agent>> create(Actor const&, model::Agent, Deadline);
  /// Applies a PATCH. Errors: not_found, invalid, version_mismatch (`expected` is not its version), conflict (it kept
  /// changing under us).
  [[nodiscard]] Task<Result<model::Agent>> update(Actor const&, AgentId const&, json::Input patch,
                                                  std::optional<std::int64_t> expected, Deadline);
  /// Errors: as update(); invalid when the status is busy.
  [[nodiscard]] Task<Result<model::Agent>> set_status(Actor const&, AgentId const&, model::AgentStatus,
                                                      std::optional<std::int64_t> expected, Deadline);
  /// Soft: readers see 404, its history stays, its pending tasks are cancelled by the sweep. Errors: not_found,
  /// version_mismatch.
  [[nodiscard]] Task<Result<void>> remove(Actor const&, AgentId const&, std::optional<std::int64_t> expected, Deadline);

  [[nodiscard]] Task<Result<AgentPerformance>> performance(TenantId const&, AgentId const&, Deadline);

  struct Candidate {
    model::Agent agent;
    std::int64_t open_tasks = 0;
  };
  /// Everyone who could take a task: not offline, not in error; at most 1000.
  [[nodiscard]] Task<std::vector<Candidate>> candidates(TenantId const&, Deadline);

 private:
  using Edit = std::function<Result<void>(model::Agent&)>;
  /// Applies `edit` to what is stored, anew when someone else was faster. Errors: as update(), and those of `edit`.
  Task<Result<model::Agent>> change(Actor const&, AgentId const&, Edit edit, std::optional<std::int64_t> expected,
                                    Deadline);

  Writer& writer_;
  cache::LocalCache<AgentView>* cache_;
};

}  // namespace al::data
