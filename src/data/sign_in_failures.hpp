#pragma once
#include <chrono>
#include <optional>
#include <string>

#include "storage/database.hpp"

namespace al::data {

/// So many failures within the window lock an account.
inline constexpr std::int64_t sign_in_failures_max = 5;
inline constexpr std::chrono::minutes sign_in_failures_window{15};
inline constexpr std::chrono::minutes sign_in_locked_for{15};

/// Counts failed sign-ins for names that somebody has typed, in the same way whether a user has them or not, so that
/// being locked tells nobody which names there are. In the database, for all processes and over restarts. Thread-safe.
class SignInFailures {
 public:
  explicit SignInFailures(storage::Database& database) : database_(database) {}

  /// How long the name is locked still; nothing: it is not. `account` is a hash of what was typed.
  [[nodiscard]] Task<std::optional<std::chrono::seconds>> locked_for(std::string account, Deadline);
  /// True when this failure has locked it.
  [[nodiscard]] Task<bool> add(std::string account, Deadline);
  [[nodiscard]] Task<void> clear(std::string account, Deadline);

 private:
  storage::Database& database_;
};

}  // namespace al::data
