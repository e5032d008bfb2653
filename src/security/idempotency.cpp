#include "security/idempotency.hpp"

namespace al::security {

Task<Result<http::Idempotency::Begun>> StoredIdempotency::begin(Actor const& actor, Use use, Deadline deadline) {
  data::IdempotencyStore::Use asked{.route = std::string(use.route),
                                    .key = std::string(use.key),
                                    .body_hash = std::string(use.body_hash),
                                    .is_repeatable = use.is_repeatable};
  auto begun = co_await store_.begin(actor, std::move(asked), deadline);
  if (!begun)
    co_return fail(std::move(begun.error()));
  Begun out{.answer = {}, .made_id = std::move(begun->made_id)};
  if (auto& answer = begun->answer)
    out.answer = Stored{static_cast<int>(answer->status), std::move(answer->location), std::move(answer->body)};
  co_return out;
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

Task<void> StoredIdempotency::abandon(Actor const& actor, std::string_view route, std::string_view key,
                                      Deadline deadline) {
  co_await store_.abandon(actor, std::string(route), std::string(key), deadline);
}

}  // namespace al::security
