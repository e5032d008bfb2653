#pragma once
#include <chrono>
#include <optional>
#include <string>

#include "core/actor.hpp"
#include "model/user.hpp"
#include "storage/database.hpp"

namespace al::data {

/// How long a link is good.
inline constexpr std::chrono::minutes password_reset_ttl{15};

/// Links by which users set a password without knowing the one before. Kept as hashes; each is good once. Thread-safe.
class PasswordResetStore {
 public:
  explicit PasswordResetStore(storage::Database& database) : database_(database) {}

  /// Takes the place of the user's other links. Errors: invalid (no such user).
  [[nodiscard]] Task<Result<void>> add(TenantId const&, model::UserId const&, std::string hash, Deadline);

  struct Taken {
    TenantId tenant;
    model::UserId user_id;
  };
  /// Whose link it is; looks across tenants. Nobody when there is none, or it is used or too old.
  [[nodiscard]] Task<std::optional<Taken>> find(std::string hash, Deadline);
  /// False when it was used meanwhile.
  [[nodiscard]] Task<bool> take(TenantId const&, std::string hash, Deadline);

 private:
  storage::Database& database_;
};

}  // namespace al::data
