#pragma once
/// Locks by name that end by themselves. A lock is never the only guard: whoever held it may go on after it ended, a
/// server may forget it, and then two hold it. The database's constraint, or the token in a guard, decides.

#include <boost/asio/experimental/parallel_group.hpp>
#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "core/async.hpp"
#include "core/random.hpp"
#include "redis/connections.hpp"

namespace al::cache {

/// Of a name's locks, a later one has a higher token: microseconds since 1970, or one more than the last token. So it
/// also rises when all is forgotten, as long as the clock is not set back at the same time.
struct Lock {
  std::string name;
  std::int64_t token = 0;
  SteadyTime since{};  ///< before it was asked for: it lasts at least for its time to live from here on
};

/// Any thread. Names are made by keys.hpp.
class Locks {
 public:
  static constexpr std::chrono::milliseconds ttl_min{10};

  /// `random` outlives this.
  explicit Locks(Random& random) : random_(random) {}
  virtual ~Locks() = default;
  Locks(Locks const&) = delete;
  Locks& operator=(Locks const&) = delete;

  /// Tries, with back-off of 100 ms at most, until the deadline; in no order among those who wait.
  /// Errors: conflict (somebody else holds it until the deadline), unavailable (at once; when Redis did it and its
  /// answer was lost, nobody has the lock until `ttl` is over), timed_out, invalid (`ttl` below ttl_min).
  [[nodiscard]] Task<Result<Lock>> acquire(std::string name, std::chrono::milliseconds ttl, Deadline deadline);

  /// From now on it lasts for `ttl`. Errors: lease_lost (it ended, or was forgotten), unavailable, timed_out.
  [[nodiscard]] virtual Task<Result<void>> renew(Lock lock, std::chrono::milliseconds ttl, Deadline deadline) = 0;
  /// Errors: as renew.
  [[nodiscard]] virtual Task<Result<void>> release(Lock lock, Deadline deadline) = 0;

 protected:
  struct Attempt {
    std::optional<std::int64_t> token;  ///< none: held by somebody else
  };
  /// `attempt` is the same for all tries of one acquire(): whoever has the lock by it gets it again.
  [[nodiscard]] virtual Task<Result<Attempt>> try_acquire(std::string const& name, std::string const& attempt,
                                                          std::chrono::milliseconds ttl, Deadline deadline) = 0;

 private:
  Random& random_;
};

/// In this process.
class LocalLocks final : public Locks {
 public:
  static constexpr std::size_t locks_max = 100'000;

  LocalLocks(Clock const& clock, Random& random) : Locks(random), clock_(clock) {}
  [[nodiscard]] Task<Result<void>> renew(Lock lock, std::chrono::milliseconds ttl, Deadline) override;
  [[nodiscard]] Task<Result<void>> release(Lock lock, Deadline) override;

 private:
  struct Held {
    std::int64_t token = 0;
    std::string attempt;
    SteadyTime until;
  };
  [[nodiscard]] Task<Result<Attempt>> try_acquire(std::string const& name, std::string const& attempt,
                                                  std::chrono::milliseconds ttl, Deadline) override;

  Clock const& clock_;
  std::mutex mutex_;
  std::unordered_map<std::string, Held> held_;
  std::int64_t last_ = 0;
};

/// In Redis, for all processes.
class RedisLocks final : public Locks {
 public:
  RedisLocks(redis::Connections& connections, Random& random) : Locks(random), connections_(connections) {}
  [[nodiscard]] Task<Result<void>> renew(Lock lock, std::chrono::milliseconds ttl, Deadline deadline) override;
  [[nodiscard]] Task<Result<void>> release(Lock lock, Deadline deadline) override;

 private:
  [[nodiscard]] Task<Result<Attempt>> try_acquire(std::string const& name, std::string const& attempt,
                                                  std::chrono::milliseconds ttl, Deadline deadline) override;

  redis::Connections& connections_;
};

/// Renews the lock for as long as it can; then answers why it could not: lease_lost. That is a sixth of `ttl` before it
/// ends elsewhere, or as soon as it is known to have ended.
[[nodiscard]] Task<Result<void>> keep(Locks& locks, Lock lock, std::chrono::milliseconds ttl);

/// Gives the lock back in the background; if that fails, it ends by itself. `locks` outlives the executor's work.
void give_back(asio::any_io_executor const& executor, Locks& locks, Lock lock);

/// Runs `work(lock)` while it holds the lock, which it renews. When the lock is lost the work is cancelled, and its end
/// waited for. `deadline` is for the lock to be acquired; the work has its own.
/// Errors: as acquire; lease_lost; those of the work, whose exceptions are rethrown.
template <class T>
[[nodiscard]] Task<Result<T>> cache_lock(Locks& locks, std::string name, std::chrono::milliseconds ttl,
                                         Deadline deadline, std::function<Task<Result<T>>(Lock const&)> work) {
  auto const executor = co_await asio::this_coro::executor;
  auto acquired = co_await locks.acquire(std::move(name), ttl, deadline);
  if (!acquired)
    co_return fail(std::move(acquired.error()));
  auto const lock = *acquired;
  std::exception_ptr cancelled;
  Result<T> answer = fail(Code::lease_lost, "The lock was lost.");
  try {
    auto race =
        asio::experimental::make_parallel_group(asio::co_spawn(executor, work(lock), asio::deferred),
                                                asio::co_spawn(executor, keep(locks, lock, ttl), asio::deferred));
    auto [order, thrown, value, keep_thrown, lost] =
        co_await race.async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
    bool const is_done = order[0] == 0;
    if (is_done)
      answer = std::move(value);
    cancelled = is_done ? thrown : keep_thrown;
  } catch (...) {
    cancelled = std::current_exception();
  }
  give_back(executor, locks, lock);
  if (cancelled)
    std::rethrow_exception(cancelled);
  co_return answer;
}

}  // namespace al::cache
