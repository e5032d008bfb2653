#pragma once
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "data/data_key_store.hpp"
#include "security/master_key.hpp"

namespace al::security {

/// What a secret is for and which row it stands in. Moved to another place it does not open.
struct Place {
  std::string purpose;  ///< "provider.key"
  std::string id;
};

/// Secrets at rest. Each is sealed with its tenant's data key, and data keys with the master key; what the database
/// holds tells nothing without that one. Data keys stay in memory once they are unwrapped. Thread-safe.
class Sealing {
 public:
  Sealing(data::DataKeyStore& store, MasterKey& master, Random& random)
      : store_(store), master_(master), random_(random) {}

  /// At the start: the master key opens every data key there is. Errors: invalid, forbidden, with the remedy; conflict
  /// when it does not open them, or when there are data keys and no master key.
  [[nodiscard]] Task<Result<void>> check(Deadline);

  /// Makes the tenant's data key, and the master key, when they are not there. Errors: unavailable, when this process
  /// has not the master key that the database's data keys need; invalid (no such tenant). Throws Fault, Unavailable.
  [[nodiscard]] Task<Result<std::string>> seal(TenantId const&, Place, std::string_view plain, Deadline);

  /// Errors: as seal(); internal when it was sealed elsewhere or has been changed.
  [[nodiscard]] Task<Result<std::string>> open(TenantId const&, Place, std::string_view sealed, Deadline);

 private:
  enum class When { found, made };
  [[nodiscard]] Task<Result<SecretKeyPtr>> data_key(TenantId const&, When, Deadline);
  [[nodiscard]] Task<Result<SecretKeyPtr>> master_key(When, Deadline);
  [[nodiscard]] Result<SecretKeyPtr> unwrap(SecretKey const& master, TenantId const&, std::string_view wrapped) const;
  [[nodiscard]] SecretKeyPtr known(std::string const& tenant);
  void remember(std::string const& tenant, SecretKeyPtr);

  data::DataKeyStore& store_;
  MasterKey& master_;
  Random& random_;
  std::mutex mutex_;
  std::unordered_map<std::string, SecretKeyPtr> keys_;  // by tenant
};

}  // namespace al::security
