#pragma once
#include <functional>
#include <optional>
#include <string>

#include "data/change.hpp"
#include "data/page.hpp"
#include "model/workflow.hpp"

namespace al::data {

/// Where a workflow goes, and what is known of it then.
struct WorkflowMove {
  model::WorkflowStatus to = model::WorkflowStatus::pending;
  std::optional<std::int64_t> current_step{};  ///< from 0; nothing: it stays where it is
  /// The whole of it, written as it is: databases merge documents each in their own way. Nothing: it stays as it is.
  std::optional<Document> context{};
  std::optional<std::string> error_message{};  ///< of one that fails
};

/// Workflows of a tenant: what is to be done and how far it is. Nothing is done here. Thread-safe.
///
/// Without `expected` a change is decided on what is stored, and anew when someone else was faster. Who works on a
/// workflow names the version that he knows: then nobody has cancelled or edited it meanwhile.
class WorkflowStore {
 public:
  explicit WorkflowStore(Writer& writer) : writer_(writer) {}

  [[nodiscard]] model::WorkflowId new_id() { return model::WorkflowId{writer_.new_uuid()}; }
  /// A draft or a pending one. Its id is made by the caller (new_id), so that a lost reply can be looked up.
  /// Errors: invalid, conflict (it exists).
  [[nodiscard]] Task<Result<model::Workflow>> create(Actor const&, model::Workflow, Deadline);
  /// Errors: not_found.
  [[nodiscard]] Task<Result<model::Workflow>> get(TenantId const&, model::WorkflowId const&, Deadline,
                                                  Freshness = Freshness::cached);
  /// Newest first. Errors: invalid (cursor).
  [[nodiscard]] Task<Result<Page<model::Workflow>>> list(TenantId const&, std::optional<model::WorkflowStatus>,
                                                         PageRequest, Deadline);

  /// Applies a PATCH to the definition, while nobody works by it: of a draft, a pending one, or one that has failed or
  /// was cancelled, so that it can be mended before it is retried. When a shorter list of steps no longer has the
  /// current one, it begins at the first again. Errors: not_found, invalid, version_mismatch (`expected` is not its
  /// version), conflict (its status does not allow it, or it kept changing under us).
  [[nodiscard]] Task<Result<model::Workflow>> update(Actor const&, model::WorkflowId const&, json::Input patch,
                                                     std::optional<std::int64_t> expected, Deadline);
  /// draft → pending → running ↔ paused; running → completed or failed; what has not ended → cancelled; failed or
  /// cancelled → pending, a retry, which goes on at the current step unless another one is named. From running to
  /// running it goes on to another step or context. Errors: as update().
  [[nodiscard]] Task<Result<model::Workflow>> move(Actor const&, model::WorkflowId const&, WorkflowMove,
                                                   std::optional<std::int64_t> expected, Deadline);
  /// Soft: readers see none, its history stays. A draft or one that has ended. Errors: not_found, version_mismatch,
  /// conflict (it has not ended, or kept changing under us).
  [[nodiscard]] Task<Result<void>> remove(Actor const&, model::WorkflowId const&, std::optional<std::int64_t> expected,
                                          Deadline);

 private:
  struct Decision {
    Change const* change;
    Values params;
  };
  using Decide = std::function<Result<Decision>(model::Workflow)>;
  /// Errors: not_found, version_mismatch, conflict (it kept changing), and those of `decide`.
  [[nodiscard]] Task<Result<model::Workflow>> change(Actor const&, model::WorkflowId const&, Decide decide,
                                                     std::optional<std::int64_t> expected, Deadline);

  Writer& writer_;
};

}  // namespace al::data
