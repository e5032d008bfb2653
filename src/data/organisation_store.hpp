#pragma once
#include <functional>
#include <optional>

#include "data/change.hpp"
#include "data/page.hpp"
#include "model/organisation.hpp"

namespace al::data {

/// Tenants under the names that people give them. All belong to `default_tenant`, whose people run the installation;
/// actors of other tenants are refused. Every change is in the audit trail. Thread-safe.
class OrganisationStore {
 public:
  explicit OrganisationStore(Writer& writer) : writer_(writer) {}

  /// Errors: not_found.
  [[nodiscard]] Task<Result<model::Organisation>> get(TenantId const& id, Deadline);
  /// By id. Errors: invalid (a cursor that is none of ours).
  [[nodiscard]] Task<Result<Page<model::Organisation>>> list(PageRequest, Deadline);
  /// Errors: forbidden, conflict (it exists).
  [[nodiscard]] Task<Result<model::Organisation>> create(Actor const&, model::Organisation, Deadline);
  using Edit = std::function<Result<void>(model::Organisation&)>;
  /// Errors: forbidden, not_found, conflict (it kept changing under us, or is the one that may not be suspended),
  /// version_mismatch, those of `edit`.
  [[nodiscard]] Task<Result<model::Organisation>> update(Actor const&, TenantId const& id, Edit,
                                                         std::optional<std::int64_t> expected, Deadline);

 private:
  Writer& writer_;
};

}  // namespace al::data
