#include "services/gateway/retry.hpp"

#include "core/backoff.hpp"

namespace al::services::gateway {
namespace {

using http::Method;
using Kind = Outcome::Kind;

bool is_repeatable(Method method, bool has_honoured_key) {
  switch (method) {
    case Method::get:
    case Method::head:
    case Method::put:
    case Method::del:
    case Method::options:
      return true;
    case Method::post:
      return has_honoured_key;
    case Method::patch:
      break;
  }
  return false;
}

/// Whether another attempt could end better without anything being done twice.
bool is_worth_it(EndedAttempt const& ended) {
  switch (ended.outcome.kind) {
    case Kind::connect_failed:
      return true;
    case Kind::no_answer:
      return is_repeatable(ended.method, ended.has_honoured_key);
    case Kind::answered:
      return ended.outcome.status >= 502 && ended.outcome.status <= 504 &&
             is_repeatable(ended.method, ended.has_honoured_key);
    case Kind::cut_off:
    case Kind::abandoned:
      break;
  }
  return false;
}

}  // namespace

std::optional<std::chrono::microseconds> may_retry(EndedAttempt const& ended, Random& random) {
  if (ended.attempts > ended.retries_max || !is_worth_it(ended))
    return std::nullopt;
  auto const delay = full_jitter(ended.attempts, delay_first, delay_max, random);
  if (ended.time_left < delay + attempt_time_min)
    return std::nullopt;
  return delay;
}

void RetryBudget::count_call(SteadyTime now) {
  std::lock_guard const lock(mutex_);
  calls_.add(now);
}

bool RetryBudget::take_retry(SteadyTime now) {
  std::lock_guard const lock(mutex_);
  if (retries_.sum(now) >= floor + calls_.sum(now) / calls_a_retry)
    return false;
  retries_.add(now);
  return true;
}

}  // namespace al::services::gateway
