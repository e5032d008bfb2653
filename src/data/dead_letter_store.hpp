#pragma once
#include <optional>
#include <string>

#include "data/change.hpp"
#include "data/page.hpp"
#include "model/dead_letter.hpp"

namespace al::data {

struct DeadLetterFilter {
  std::optional<std::string> consumer{};
  std::optional<std::string> channel{};  ///< exact, such as task:completed
  std::optional<model::DeadLetterState> state{};
};

/// What consumers could not handle, for people to look at and decide. Consumers themselves write it
/// (events/consumer_store.hpp). Thread-safe.
class DeadLetterStore {
 public:
  explicit DeadLetterStore(Writer& writer) : writer_(writer) {}

  /// Errors: not_found.
  [[nodiscard]] Task<Result<model::DeadLetter>> get(TenantId const&, model::DeadLetterId const&, Deadline);
  /// Newest first. Errors: invalid (cursor).
  [[nodiscard]] Task<Result<Page<model::DeadLetter>>> list(TenantId const&, DeadLetterFilter, PageRequest, Deadline);

  /// Has its consumer handle a parked one once more, out of order; a success deletes it. Errors: not_found, conflict
  /// (it is not parked).
  [[nodiscard]] Task<Result<model::DeadLetter>> retry(Actor const&, model::DeadLetterId const&, Deadline);
  /// All parked ones of the filter, at most `page_limit_max` a call; answers how many. Call again until it is 0.
  [[nodiscard]] Task<std::int64_t> retry_all(Actor const&, DeadLetterFilter, Deadline);
  /// Deletes a parked one. Errors: not_found, conflict (it is not parked).
  [[nodiscard]] Task<Result<void>> drop(Actor const&, model::DeadLetterId const&, Deadline);

 private:
  [[nodiscard]] Task<Error> explain(TenantId const&, model::DeadLetterId const&, Deadline);

  Writer& writer_;
};

}  // namespace al::data
