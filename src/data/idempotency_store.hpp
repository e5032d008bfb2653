#pragma once
#include <optional>
#include <string>

#include "core/actor.hpp"
#include "core/ids.hpp"
#include "storage/database.hpp"

namespace al::data {

/// Answers by Idempotency-Key, kept 24 hours; the scope of a key is tenant, principal and route. Thread-safe.
class IdempotencyStore {
 public:
  IdempotencyStore(storage::Database& database, Clock const& clock, Random& random)
      : database_(database), clock_(clock), random_(random) {}

  struct Use {
    std::string route;
    std::string key;
    std::string body_hash;
    bool is_repeatable = true;  ///< a call whose outcome nobody knows may run again, with the same `made_id`
  };
  struct Answer {
    std::int64_t status = 0;
    std::string location;
    std::string body;
  };

  struct Begun {
    std::optional<Answer> answer;
    std::string made_id;  ///< a UUIDv7 for what the call makes, the same for each that goes on in place of the first
  };

  /// The stored answer; without one the caller owns the key for 60 s, until save(), release() or abandon().
  /// Errors: idempotency_mismatch (another body), conflict (the first call is still running, or nobody knows what
  /// became of it and it may not run again).
  [[nodiscard]] Task<Result<Begun>> begin(Actor const&, Use, Deadline);
  [[nodiscard]] Task<void> save(Actor const&, std::string route, std::string key, Answer, Deadline);
  /// Nothing was done: the key is as new.
  [[nodiscard]] Task<void> release(Actor const&, std::string route, std::string key, Deadline);
  /// Nobody knows what was done: the next call with this key and body may go on in place of this one.
  [[nodiscard]] Task<void> abandon(Actor const&, std::string route, std::string key, Deadline);

  /// Removes what has expired, in all tenants.
  [[nodiscard]] Task<void> sweep(Deadline);

 private:
  [[nodiscard]] Task<void> end_use(storage::Statement const&, Actor const&, std::string route, std::string key,
                                   Deadline);

  storage::Database& database_;
  Clock const& clock_;
  Random& random_;
};

}  // namespace al::data
