#pragma once
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "data/change.hpp"
#include "data/page.hpp"
#include "model/user.hpp"

namespace al::data {

/// A user with what he proves himself by, which only signing in sees.
struct StoredUser {
  TenantId tenant;
  model::User user;
  std::string password_hash;  ///< empty: he has none and signs in through a provider
  std::string sealed_totp;    ///< empty: no second factor was begun
};

/// As addresses are stored and compared: ASCII letters in lower case, without white space around.
[[nodiscard]] std::string normal_email(std::string_view);

/// A password as it becomes the user's.
struct NewPassword {
  std::string hash;
  bool must_change = false;
};

/// Users of a tenant. Every change is in the audit trail. Whatever takes access away also ends the user's logins, in
/// the same transaction. Thread-safe.
class UserStore {
 public:
  explicit UserStore(Writer& writer) : writer_(writer) {}

  /// Looks across tenants: that is how a tenant is found. Nobody when no user has the address.
  [[nodiscard]] Task<std::optional<StoredUser>> find_by_email(std::string email, Deadline);
  /// Errors: not_found.
  [[nodiscard]] Task<Result<StoredUser>> stored(TenantId const&, model::UserId const&, Deadline);
  /// Errors: not_found.
  [[nodiscard]] Task<Result<model::User>> get(TenantId const&, model::UserId const&, Deadline);
  /// Those with `text` in their name or address, in letters of any case; empty: all. The newest first. Errors: invalid
  /// (a cursor that is none of ours).
  [[nodiscard]] Task<Result<Page<model::User>>> list(TenantId const&, std::string text, PageRequest, Deadline);
  /// Whether any tenant has a user.
  [[nodiscard]] Task<bool> any(Deadline);

  [[nodiscard]] model::UserId new_id() { return model::UserId{writer_.new_uuid()}; }
  /// Errors: invalid, conflict (a user has the address, here or in another tenant).
  [[nodiscard]] Task<Result<model::User>> create(Actor const&, model::User, std::string password_hash, Deadline);

  using Edit = std::function<Result<void>(model::User&)>;
  /// Name, address, status and roles. Errors: not_found, invalid, conflict (another one has the address, or he kept
  /// changing under us), version_mismatch, those of `edit`.
  [[nodiscard]] Task<Result<model::User>> update(Actor const&, model::UserId const&, Edit,
                                                 std::optional<std::int64_t> expected, Deadline);
  /// Ends his logins but `kept`. Errors: not_found, conflict.
  [[nodiscard]] Task<Result<model::User>> set_password(Actor const&, model::UserId const&, NewPassword,
                                                       std::string kept_login, Deadline);
  /// The same hash of the same password under stronger parameters: nobody need know.
  [[nodiscard]] Task<void> refresh_hash(TenantId const&, model::UserId const&, std::string old_hash,
                                        std::string new_hash, Deadline);

  /// A second factor that is not asked for yet. Errors: not_found, conflict (he has one).
  [[nodiscard]] Task<Result<model::User>> begin_mfa(Actor const&, model::UserId const&, std::string sealed, Deadline);
  /// From now on it is asked for; `code_hashes` are his recovery codes. Ends his other logins. Errors: not_found,
  /// conflict (none was begun, or `step` was used).
  [[nodiscard]] Task<Result<model::User>> enable_mfa(Actor const&, model::UserId const&, std::int64_t step,
                                                     std::vector<std::string> code_hashes, std::string kept_login,
                                                     Deadline);
  /// Errors: not_found, conflict (he has none).
  [[nodiscard]] Task<Result<model::User>> disable_mfa(Actor const&, model::UserId const&, Deadline);
  /// False when this step or a later one was taken before: a code is good once.
  [[nodiscard]] Task<bool> take_totp_step(TenantId const&, model::UserId const&, std::int64_t step, Deadline);
  /// False when he has no such unused code.
  [[nodiscard]] Task<bool> take_recovery_code(TenantId const&, model::UserId const&, std::string hash, Deadline);

  /// Soft: his address is free again, what he did stays. Errors: not_found, version_mismatch, conflict.
  [[nodiscard]] Task<Result<void>> remove(Actor const&, model::UserId const&, std::optional<std::int64_t> expected,
                                          Deadline);

 private:
  [[nodiscard]] Task<Result<model::User>> change_one(Change const&, Actor const&, model::UserId const&, Values more,
                                                     std::string refusal, Deadline);

  Writer& writer_;
};

}  // namespace al::data
