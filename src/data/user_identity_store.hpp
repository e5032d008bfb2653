#pragma once
#include <optional>
#include <string>

#include "data/change.hpp"
#include "data/page.hpp"
#include "model/user_identity.hpp"

namespace al::data {

/// Who users are at identity providers. One person there is one user here, in the whole installation. Every change is
/// in the audit trail. Thread-safe.
class UserIdentityStore {
 public:
  explicit UserIdentityStore(Writer& writer) : writer_(writer) {}

  struct Owner {
    TenantId tenant;
    model::UserId user_id;
  };
  /// Looks across tenants: that is how a tenant is found. Nobody when it is no user's.
  [[nodiscard]] Task<std::optional<Owner>> find_owner(std::string issuer, std::string subject, Deadline);
  /// Errors: conflict (it is a user's already).
  [[nodiscard]] Task<Result<model::UserIdentity>> link(Actor const&, model::UserId, std::string issuer,
                                                       std::string subject, Deadline);
  /// For a user without a password, whom an address is enough to get to: that is good once, also when that person is
  /// unlinked again. Errors: conflict (it is a user's already, or this user has had one).
  [[nodiscard]] Task<Result<model::UserIdentity>> link_first(Actor const&, model::UserId, std::string issuer,
                                                             std::string subject, Deadline);
  /// The newest first. Errors: invalid (a cursor that is none of ours).
  [[nodiscard]] Task<Result<Page<model::UserIdentity>>> list(TenantId const&, model::UserId const&, PageRequest,
                                                             Deadline);
  /// Ends his logins as well. Errors: not_found (also when it is another user's).
  [[nodiscard]] Task<Result<void>> unlink(Actor const&, model::UserId const&, model::UserIdentityId const&, Deadline);

 private:
  [[nodiscard]] Task<Result<model::UserIdentity>> add(Actor const&, model::UserIdentityId, model::UserId,
                                                      std::string issuer, std::string subject, Deadline);

  Writer& writer_;
};

}  // namespace al::data
