#pragma once
#include <optional>
#include <string>
#include <vector>

#include "storage/database.hpp"

namespace al::data {

/// Whom a token stands for.
struct Access {
  TenantId tenant;
  std::string id;
  std::string name;
  std::vector<std::string> permissions;
};

/// Access tokens, kept only as SHA-256. Thread-safe.
class AccessStore {
 public:
  AccessStore(storage::Database& database, Clock const& clock, Random& random)
      : database_(database), clock_(clock), random_(random) {}

  /// Whom the token with this hash stands for; nobody when it is unknown or revoked. Looks across tenants: that is how
  /// a tenant is found.
  [[nodiscard]] Task<std::optional<Access>> find(std::string hash, Deadline);

  /// Whether the tenant has any token.
  [[nodiscard]] Task<bool> any(TenantId const&, Deadline);

  /// Errors: conflict (this very token exists).
  [[nodiscard]] Task<Result<void>> add(TenantId const&, std::string name, std::string hash,
                                       std::vector<std::string> const& permissions, Deadline);

 private:
  storage::Database& database_;
  Clock const& clock_;
  Random& random_;
};

}  // namespace al::data
