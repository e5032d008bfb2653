#pragma once
#include <optional>
#include <string>

#include "core/actor.hpp"
#include "storage/database.hpp"

namespace al::data {

/// Answers by Idempotency-Key, kept 24 hours; the scope of a key is tenant, principal and route. Thread-safe.
class IdempotencyStore {
 public:
  explicit IdempotencyStore(storage::Database& database) : database_(database) {}

  struct Answer {
    std::int64_t status = 0;
    std::string location;
    std::string body;
  };

  /// The stored answer; or nothing, then the caller owns the key for 60 s, until save() or release().
  /// Errors: idempotency_mismatch (another body), conflict (the first call is still running).
  [[nodiscard]] Task<Result<std::optional<Answer>>> begin(Actor const&, std::string route, std::string key,
                                                          std::string body_hash, Deadline);
  [[nodiscard]] Task<void> save(Actor const&, std::string route, std::string key, Answer, Deadline);
  [[nodiscard]] Task<void> release(Actor const&, std::string route, std::string key, Deadline);

  /// Removes what has expired, in all tenants.
  [[nodiscard]] Task<void> sweep(Deadline);

 private:
  storage::Database& database_;
};

}  // namespace al::data
