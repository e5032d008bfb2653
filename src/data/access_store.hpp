#pragma once
#include <optional>
#include <string>
#include <vector>

#include "storage/database.hpp"

namespace al::data {

/// Whom a credential stands for, as long as nobody has ended it.
struct Access {
  TenantId tenant;
  std::string id;       ///< of the principal: the user's, or the API key's
  std::string user_id;  ///< empty: an API key of a service
  bool must_change_password = false;
  bool is_use_noted = true;  ///< of an API key: that it was used within the last minute
  /// Of the user, empty without one. Ids of built-in roles are names only.
  std::vector<std::string> roles;
  std::vector<std::string> role_permissions;  ///< of those of his roles that are not built in
  std::vector<std::string> key_permissions;   ///< of the API key
};

/// Finds out across tenants whom a credential stands for: that is how the tenant is found. Nobody of a suspended
/// organisation, and no user but an active one. Thread-safe.
class AccessStore {
 public:
  explicit AccessStore(storage::Database& database) : database_(database) {}

  /// By the SHA-256 of an API key, or of the one before its rotation within the grace.
  [[nodiscard]] Task<std::optional<Access>> find_key(std::string hash, Deadline);
  [[nodiscard]] Task<std::optional<Access>> find_login(TenantId const&, std::string login_id, Deadline);

  /// Notes that the key is used, to the minute.
  [[nodiscard]] Task<void> note_use(TenantId const&, std::string key_id, Deadline);

 private:
  storage::Database& database_;
};

}  // namespace al::data
