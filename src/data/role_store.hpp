#pragma once
#include <functional>
#include <optional>

#include "data/change.hpp"
#include "data/page.hpp"
#include "model/role.hpp"

namespace al::data {

/// Roles that a tenant made for itself; the built-in ones are in model/role.hpp. Every change is in the audit trail.
/// Thread-safe.
class RoleStore {
 public:
  explicit RoleStore(Writer& writer) : writer_(writer) {}

  /// A built-in one too. Errors: not_found.
  [[nodiscard]] Task<Result<model::Role>> get(TenantId const&, model::RoleId const&, Deadline);
  /// By id, without the built-in ones. Errors: invalid (a cursor that is none of ours).
  [[nodiscard]] Task<Result<Page<model::Role>>> list(TenantId const&, PageRequest, Deadline);

  /// A role that was deleted comes back under its id, its version counting on. Errors: invalid, conflict (it exists).
  [[nodiscard]] Task<Result<model::Role>> create(Actor const&, model::Role, Deadline);
  using Edit = std::function<Result<void>(model::Role&)>;
  /// Errors: not_found, invalid, conflict (it is built in, or kept changing under us), version_mismatch, those of
  /// `edit`.
  [[nodiscard]] Task<Result<model::Role>> update(Actor const&, model::RoleId const&, Edit,
                                                 std::optional<std::int64_t> expected, Deadline);
  /// Who has it loses what it gave. Errors: not_found, version_mismatch, conflict.
  [[nodiscard]] Task<Result<void>> remove(Actor const&, model::RoleId const&, std::optional<std::int64_t> expected,
                                          Deadline);

 private:
  Writer& writer_;
};

}  // namespace al::data
