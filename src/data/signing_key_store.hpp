#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/database.hpp"

namespace al::data {

/// A key that signs tokens, with its secret sealed.
struct StoredSigningKey {
  std::string id;
  std::string purpose;  ///< "access" or "refresh"
  std::string sealed;
  Timestamp created_at{};
  std::optional<Timestamp> retired_at{};
};

/// The installation's signing keys; they belong to no tenant. Thread-safe.
class SigningKeyStore {
 public:
  explicit SigningKeyStore(storage::Database& database) : database_(database) {}

  /// Those not retired longer than `kept` ago, the oldest first.
  [[nodiscard]] Task<std::vector<StoredSigningKey>> list(std::chrono::seconds kept, Deadline);
  /// Adds a key and retires the others of its purpose in the same transaction. With `only_if_none`, not when there is
  /// one that is not retired; false then.
  [[nodiscard]] Task<bool> add(std::string id, std::string purpose, std::string sealed, bool only_if_none, Deadline);

 private:
  storage::Database& database_;
};

}  // namespace al::data
