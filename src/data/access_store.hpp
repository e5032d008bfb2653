#pragma once
#include <optional>
#include <string>
#include <vector>

#include "storage/database.hpp"

namespace al::data {

/// Whom a token stands for.
struct Access {
  TenantId tenant;
  std::string id;  ///< a UUID
  std::string name;
  std::vector<std::string> permissions;
};

/// Access tokens, kept only as SHA-256. Thread-safe.
class AccessStore {
 public:
  explicit AccessStore(storage::Database& database) : database_(database) {}

  /// Whom the token with this hash stands for; nobody when it is unknown or revoked. Looks across tenants: that is how
  /// a tenant is found.
  [[nodiscard]] Task<std::optional<Access>> find(std::string hash, Deadline);

  /// Whether the tenant has any token.
  [[nodiscard]] Task<bool> any(TenantId const&, Deadline);

  /// Errors: conflict (this very token exists, or one of this id).
  [[nodiscard]] Task<Result<void>> add(Access, std::string hash, Deadline);

 private:
  storage::Database& database_;
};

}  // namespace al::data
