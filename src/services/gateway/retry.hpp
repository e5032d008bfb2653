#pragma once
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>

#include "core/random.hpp"
#include "core/time.hpp"
#include "http/message.hpp"
#include "services/gateway/breaker.hpp"
#include "services/gateway/sliding_count.hpp"

namespace al::services::gateway {

/// A call of which an attempt has just ended.
struct EndedAttempt {
  http::Method method = http::Method::get;
  bool has_honoured_key = false;  ///< the request carries an Idempotency-Key, and its service honours that
  std::int64_t attempts = 1;      ///< made so far, this one included
  std::int64_t retries_max = 0;   ///< the route's
  Outcome outcome{};
  SteadyTime::duration time_left{};  ///< of the route's timeout
};

/// Whether the call may be made once more, and how long to wait before. Nothing: what there is goes to the caller.
///
/// A method that may be repeated (RFC 9110, section 9.2.2), or a POST with an Idempotency-Key that the service honours,
/// is tried again when no answer came or when someone on the way says that none could be had (502, 503, 504). Where the
/// service does not look at the key, the header is only the client's hope: a model call would be paid twice. Any call
/// is tried again when nothing of it was sent. Never: what is answered otherwise (a 500 would come again), an answer
/// that broke off (its caller may have the first part), a caller who left, and when too little time would be left for
/// an answer. The delay is core/backoff's full jitter, `delay_first` doubling up to `delay_max`. Pure.
[[nodiscard]] std::optional<std::chrono::microseconds> may_retry(EndedAttempt const&, Random&);

/// `delay_first` and `delay_max` of may_retry(), and what must be left after the delay for an attempt to make sense.
inline constexpr std::chrono::milliseconds delay_first{50};
inline constexpr std::chrono::milliseconds delay_max{1000};
inline constexpr std::chrono::milliseconds attempt_time_min{100};

/// Keeps the retries for one service to a fifth of its calls, so that they cannot multiply an overload: with three
/// retries a call it would otherwise get four times the calls just when it can take the fewest. `floor` retries within
/// the window are free, for services with few calls. Counted over `window`. Thread-safe.
class RetryBudget {
 public:
  static constexpr std::chrono::seconds window{10};
  static constexpr std::int64_t calls_a_retry = 5;
  static constexpr std::int64_t floor = 10;

  /// A call came; once, however often it is tried.
  void count_call(SteadyTime now);
  /// Takes one retry, after may_retry() allowed it. False: the budget is spent, and the call ends as it is.
  [[nodiscard]] bool take_retry(SteadyTime now);

 private:
  std::mutex mutex_;
  SlidingCount calls_{window};
  SlidingCount retries_{window};
};

}  // namespace al::services::gateway
