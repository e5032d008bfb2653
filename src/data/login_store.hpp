#pragma once
#include <chrono>
#include <string>

#include "data/change.hpp"
#include "data/page.hpp"
#include "model/login.hpp"

namespace al::data {

/// Unless it is refreshed, a login ends so long after it was.
inline constexpr std::chrono::hours login_ttl{24 * 30};
/// However often it is refreshed.
inline constexpr std::chrono::hours login_age_max{24 * 90};
/// Who lost his answer, or asks twice at once, is told so within this; later it is a stolen token.
inline constexpr std::chrono::seconds refresh_grace{10};

/// What a refresh came to.
struct Refreshed {
  enum class Outcome {
    refreshed,  ///< `generation` is the new one
    raced,      ///< somebody has just refreshed with the same token; the login goes on
    reused,     ///< the token was used long ago: two have it, and the login has ended
    unknown,    ///< there is no such login any more
  };
  Outcome outcome = Outcome::unknown;
  std::int64_t generation = 0;
  model::UserId user_id;
};

/// Where users are signed in. Beginning and ending are in the audit trail. Thread-safe.
class LoginStore {
 public:
  explicit LoginStore(Writer& writer) : writer_(writer) {}

  [[nodiscard]] model::LoginId new_id() { return model::LoginId{writer_.new_uuid()}; }
  /// Its first refresh token is of generation 1. Errors: invalid.
  [[nodiscard]] Task<Result<model::Login>> begin(Actor const&, model::Login, Deadline);
  /// Of all that come with one generation, one is refreshed. `generation` is what its token says.
  [[nodiscard]] Task<Refreshed> refresh(Actor const&, model::LoginId const&, std::int64_t generation, Deadline);
  /// Errors: not_found (also when it has ended).
  [[nodiscard]] Task<Result<void>> end(Actor const&, model::LoginId const&, Deadline);
  /// Those of the user that go on, the newest first. Errors: invalid (a cursor that is none of ours).
  [[nodiscard]] Task<Result<Page<model::Login>>> list(TenantId const&, model::UserId const&, PageRequest, Deadline);
  /// Errors: not_found (also when it has ended).
  [[nodiscard]] Task<Result<model::Login>> get(TenantId const&, model::LoginId const&, Deadline);

 private:
  [[nodiscard]] Task<Refreshed> explain(Actor const&, model::LoginId const&, std::int64_t generation, Deadline);

  Writer& writer_;
};

}  // namespace al::data
