#pragma once
#include <boost/asio/post.hpp>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/async.hpp"
#include "core/waiter.hpp"

namespace al::cache {

enum class Flight {
  shared,
  own,  ///< what began before may have read what is old now; others may join this one
};

/// One piece of work a key at a time in this process: who asks while it is under way waits for its answer. The first to
/// ask works on its own executor. When it fails or is cancelled, one of those who wait works in its place; its error or
/// exception is its own. Any thread. No coroutine uses it any more when it is destroyed.
template <class T>
class SingleFlight {
 public:
  /// `work()` makes a Task<Result<T>>. Errors: timed_out, when the deadline passes before somebody else's work ends;
  /// those of the work.
  template <class Work>
  [[nodiscard]] Task<Result<T>> run(std::string key, Flight kind, Deadline deadline, Work work) {
    for (int failed = 0;; ++failed) {
      bool leads = false;
      auto const flight = join(key, kind == Flight::own || failed == failures_max, leads);
      if (leads)
        co_return co_await lead(std::move(key), flight, std::move(work));
      auto heard = co_await within(deadline, listen(flight));
      if (!heard)
        co_return fail(std::move(heard.error()));
      if (*heard)
        co_return std::move(**heard);
    }
  }

  /// Who asks from now on does not share what is under way.
  void forget(std::string const& key) {
    std::scoped_lock const lock(mutex_);
    flights_.erase(key);
  }

 private:
  /// So many works of others that fail are waited for; then the caller works by itself.
  static constexpr int failures_max = 3;

  /// Nothing: it failed.
  using Heard = Result<std::optional<T>>;
  struct Shared {
    bool is_over = false;
    std::optional<T> answer;
    std::vector<std::shared_ptr<Waiter<Heard>>> waiters;
  };
  using SharedPtr = std::shared_ptr<Shared>;

  SharedPtr join(std::string const& key, bool own, bool& leads) {
    std::scoped_lock const lock(mutex_);
    auto& flight = flights_[key];
    leads = own || !flight;
    if (leads)
      flight = std::make_shared<Shared>();
    return flight;
  }

  template <class Work>
  [[nodiscard]] Task<Result<T>> lead(std::string key, SharedPtr flight, Work work) {
    std::optional<Result<T>> result;
    try {
      result = co_await work();
    } catch (...) {
      finish(key, flight, std::nullopt);
      throw;
    }
    finish(key, flight, *result ? std::optional<T>(**result) : std::nullopt);
    co_return std::move(*result);
  }

  [[nodiscard]] Task<Heard> listen(SharedPtr flight) {
    co_return co_await sleep_for_answer<Heard>([&](std::shared_ptr<Waiter<Heard>> waiter) {
      {
        std::scoped_lock const lock(mutex_);
        if (!flight->is_over) {
          flight->waiters.push_back(std::move(waiter));
          return;
        }
      }
      tell(waiter, flight->answer);
    });
  }

  void finish(std::string const& key, SharedPtr const& flight, std::optional<T> answer) {
    std::vector<std::shared_ptr<Waiter<Heard>>> waiters;
    {
      std::scoped_lock const lock(mutex_);
      flight->is_over = true;
      flight->answer = std::move(answer);
      waiters.swap(flight->waiters);
      if (auto const found = flights_.find(key); found != flights_.end() && found->second == flight)
        flights_.erase(found);
    }
    for (auto const& waiter : waiters)
      tell(waiter, flight->answer);
  }

  static void tell(std::shared_ptr<Waiter<Heard>> const& waiter, std::optional<T> const& answer) {
    waiter->set(answer);
    asio::post(waiter->executor(), [waiter] { waiter->resume(); });
  }

  std::mutex mutex_;
  std::unordered_map<std::string, SharedPtr> flights_;
};

}  // namespace al::cache
