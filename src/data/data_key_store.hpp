#pragma once
#include <optional>
#include <string>
#include <vector>

#include "storage/database.hpp"

namespace al::data {

/// A tenant's data key, wrapped by the master key.
struct WrappedKey {
  TenantId tenant;
  std::string wrapped;
};

/// Data keys, of each tenant at most one, never unwrapped. Thread-safe.
class DataKeyStore {
 public:
  explicit DataKeyStore(storage::Database& database) : database_(database) {}

  [[nodiscard]] Task<std::optional<std::string>> find(TenantId const&, Deadline);

  /// Keeps the key, unless the tenant has one: of many processes that try at once one succeeds. The answer is the key
  /// that is kept. Errors: invalid (there is no such tenant).
  [[nodiscard]] Task<Result<std::string>> add(TenantId const&, std::string wrapped, Deadline);

  /// Those of all tenants. One read for each tenant: the table is closed to whoever names none.
  [[nodiscard]] Task<std::vector<WrappedKey>> all(Deadline);

 private:
  storage::Database& database_;
};

}  // namespace al::data
