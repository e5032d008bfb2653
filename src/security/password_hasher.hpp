#pragma once
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "core/async.hpp"

namespace al::security {

/// What one computation costs. The default is libsodium's "interactive" cost: 64 MiB and two passes, where OWASP's
/// password storage cheat sheet demands 19 MiB and two passes at least.
struct PasswordCost {
  std::uint64_t passes = 2;
  std::size_t memory_bytes = std::size_t{64} << 20;
};

/// Hashes of passwords: Argon2id (RFC 9106), one lane, stored as PHC strings ("$argon2id$v=19$m=65536,t=2,p=1$…").
///
/// A computation takes a core for tens of milliseconds and memory_bytes of memory, so that many sign-ins at once could
/// take all of both. Two threads compute, 16 calls wait, and further ones are refused at once; the threads of the
/// callers never compute. Any thread; callers go on on their own executors. Those must outlive it, and nobody calls
/// while it is destroyed: who waits then gets unavailable, and what is being computed is finished.
class PasswordHasher {
 public:
  static constexpr int threads_count = 2;
  static constexpr std::size_t waiting_max = 16;

  /// Another cost than the default, and `began`, which is called on the computing thread before each computation, are
  /// for tests.
  explicit PasswordHasher(PasswordCost cost = {}, std::function<void()> began = {});
  ~PasswordHasher();
  PasswordHasher(PasswordHasher const&) = delete;
  PasswordHasher& operator=(PasswordHasher const&) = delete;

  /// A new PHC string with a salt from the operating system. The password is wiped from memory afterwards; the caller
  /// wipes what it read it from, a text that it moved here included: short ones are copied.
  /// Errors: too_many_requests, with retry_after, when the queue is full; timed_out, when the deadline passed before
  /// its turn came, and it was not computed; unavailable, when this is destroyed; invalid, when the password has more
  /// than password_bytes_max bytes. Throws Unavailable when there is no memory.
  [[nodiscard]] Task<Result<std::string>> hash(std::string password, Deadline);

  /// Whether `stored` was made of this password. Compares in constant time; wipes the password as hash() does.
  /// Errors: as hash(), but a password that is too long does not match; internal, when `stored` is no hash that hash()
  /// could have made or costs more than any of them would.
  [[nodiscard]] Task<Result<bool>> matches(std::string stored, std::string password, Deadline);

  /// What no password matches, at the cost of one that matches: to be compared with where there is no such user, so
  /// that the time of the answer does not tell (ASVS 5.0, 6.3.8).
  [[nodiscard]] std::string const& decoy() const { return decoy_; }

  /// Whether to replace the hash at the next sign-in, which has the password: it costs less than new ones do.
  [[nodiscard]] bool needs_rehash(std::string_view stored) const;

 private:
  struct Job;
  using JobPtr = std::unique_ptr<Job>;
  struct Outcome {
    std::string hash;      ///< of hash()
    bool matches = false;  ///< of matches()
  };

  [[nodiscard]] static JobPtr make_job(std::string& password, std::optional<std::string> stored, Deadline);
  [[nodiscard]] Task<Result<std::string>> hashed(JobPtr);
  [[nodiscard]] Task<Result<bool>> compared(JobPtr);
  [[nodiscard]] Task<Result<Outcome>> outcome_of(JobPtr);
  void push(JobPtr);
  [[nodiscard]] JobPtr take(std::stop_token const&);
  void work(std::stop_token const&);
  void run(Job&);
  [[nodiscard]] Result<Outcome> compute(Job const&) const;
  static void tell(Job const&, Result<Outcome>);

  PasswordCost const cost_;
  std::string const decoy_;
  std::function<void()> const began_;
  std::mutex mutex_;
  std::condition_variable_any arrived_;
  std::deque<JobPtr> jobs_;            // guarded by mutex_
  std::vector<std::jthread> threads_;  // last: they use the rest
};

}  // namespace al::security
