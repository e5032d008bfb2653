#pragma once
#include <chrono>
#include <optional>
#include <string>

#include "data/change.hpp"
#include "data/page.hpp"
#include "model/api_key.hpp"

namespace al::data {

/// A new key, of which only the hash is kept.
struct NewKey {
  std::string hash;    ///< SHA-256
  std::string prefix;  ///< what people recognise it by
};

/// API keys of a tenant. Every change is in the audit trail. Thread-safe.
class ApiKeyStore {
 public:
  explicit ApiKeyStore(Writer& writer) : writer_(writer) {}

  /// Whether the tenant has any key, revoked ones too.
  [[nodiscard]] Task<bool> any(TenantId const&, Deadline);

  [[nodiscard]] model::ApiKeyId new_id() { return model::ApiKeyId{writer_.new_uuid()}; }
  /// Errors: invalid, conflict (this very key exists, or one of this id).
  [[nodiscard]] Task<Result<model::ApiKey>> create(Actor const&, model::ApiKey, NewKey, Deadline);
  /// Errors: not_found (also when it is revoked).
  [[nodiscard]] Task<Result<model::ApiKey>> get(TenantId const&, model::ApiKeyId const&, Deadline);
  /// The newest first; only `owner`'s when it is named. Errors: invalid (a cursor that is none of ours).
  [[nodiscard]] Task<Result<Page<model::ApiKey>>> list(TenantId const&, std::optional<model::UserId> owner, PageRequest,
                                                       Deadline);
  /// Another key takes the place of the one that it has, which is still taken for `grace`. Errors: not_found,
  /// version_mismatch, conflict (it kept changing under us).
  [[nodiscard]] Task<Result<model::ApiKey>> rotate(Actor const&, model::ApiKeyId const&, NewKey,
                                                   std::chrono::seconds grace, std::optional<std::int64_t> expected,
                                                   Deadline);
  /// At once and for good. Errors: not_found.
  [[nodiscard]] Task<Result<void>> revoke(Actor const&, model::ApiKeyId const&, Deadline);

 private:
  Writer& writer_;
};

}  // namespace al::data
