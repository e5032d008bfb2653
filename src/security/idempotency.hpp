#pragma once
#include "data/idempotency_store.hpp"
#include "http/router.hpp"

namespace al::security {

/// The router's memory of answers, in the database, so that a repetition is known to every process. Thread-safe.
class StoredIdempotency final : public http::Idempotency {
 public:
  explicit StoredIdempotency(data::IdempotencyStore& store) : store_(store) {}

  [[nodiscard]] Task<Result<Begun>> begin(Actor const&, Use, Deadline) override;
  [[nodiscard]] Task<void> store(Actor const&, std::string_view route, std::string_view key, Stored, Deadline) override;
  [[nodiscard]] Task<void> release(Actor const&, std::string_view route, std::string_view key, Deadline) override;
  [[nodiscard]] Task<void> abandon(Actor const&, std::string_view route, std::string_view key, Deadline) override;

 private:
  data::IdempotencyStore& store_;
};

}  // namespace al::security
