#include "security/idempotency.hpp"

namespace al::security {

Task<Result<std::optional<http::Idempotency::Stored>>> StoredIdempotency::begin(
    Actor const& actor, std::string_view route, std::string_view key, std::string_view body_hash, Deadline deadline) {
  auto begun = co_await store_.begin(actor, std::string(route), std::string(key), std::string(body_hash), deadline);
  if (!begun)
    co_return fail(std::move(begun.error()));
  if (!*begun)
    co_return std::nullopt;
  auto& answer = **begun;
  co_return Stored{static_cast<int>(answer.status), std::move(answer.location), std::move(answer.body)};
}

Task<void> StoredIdempotency::store(Actor const& actor, std::string_view route, std::string_view key, Stored stored,
                                    Deadline deadline) {
  data::IdempotencyStore::Answer answer{stored.status, std::move(stored.location), std::move(stored.body)};
  co_await store_.save(actor, std::string(route), std::string(key), std::move(answer), deadline);
}

Task<void> StoredIdempotency::release(Actor const& actor, std::string_view route, std::string_view key,
                                      Deadline deadline) {
  co_await store_.release(actor, std::string(route), std::string(key), deadline);
}

}  // namespace al::security
