#pragma once
#include <boost/describe/enum.hpp>
#include <cstdint>
#include <optional>

#include "core/time.hpp"
#include "services/gateway/config.hpp"
#include "services/gateway/sliding_count.hpp"

namespace al::services::gateway {

/// What became of one attempt to call an instance.
struct Outcome {
  enum class Kind {
    connect_failed,  ///< nothing of the request was sent
    no_answer,       ///< it was sent, in part or whole, and no byte of an answer came: cut, or timed out
    answered,        ///< the answer's head came, with `status`
    cut_off,         ///< an answer began, and broke off
    abandoned,       ///< the caller left: that says nothing of the instance
  };
  Kind kind = Kind::abandoned;
  int status = 0;  ///< of `answered`
};

/// Whether the instance is to blame: connections that fail or break, time-outs, and 500, 502, 503 and 504. What a
/// caller did wrong (4xx) and what is not there (501) is no sign that the instance is not well.
[[nodiscard]] bool is_failure(Outcome const&);

/// closed: calls go through. open: none does, for a while. half_open: one call at a time tries whether it is well
/// again.
enum class BreakerState { closed, open, half_open };
BOOST_DESCRIBE_ENUM(BreakerState, closed, open, half_open)

/// Keeps calls from an instance that fails, so that callers need not wait for it and it can recover. It opens at
/// `failures` failures within `window`, when they are at least half of the calls whose end was reported in it: a few
/// answers of 500 among thousands, or a caller who knows how to provoke them, must not take an instance from everybody.
/// It opens as well when so many calls in a row could not connect: no caller can bring that about, and an instance that
/// served thousands within the window would else be tried for as many calls after its end.
/// After `open_for` one call probes: when it succeeds the breaker closes and forgets, else it is open again as long.
/// Pure apart from its state: the time is passed in. Not thread-safe: the balancer's mutex guards it.
class Breaker {
 public:
  /// One call that may go; reported once.
  struct Permit {
    std::uint64_t era;
  };

  explicit Breaker(BreakerSettings const&);

  /// Nothing when no call may go now. In half_open the permit is that of the probe, and others get none until it is
  /// reported.
  [[nodiscard]] std::optional<Permit> acquire(SteadyTime now);
  /// How the call ended. One that was permitted before the state last changed counts for nothing.
  void report(Permit, Outcome const&, SteadyTime now);
  /// The call ended without a word on the instance; a probe's place is free again.
  void release(Permit);

  [[nodiscard]] BreakerState state(SteadyTime now) const;
  /// Whether acquire() would give a permit.
  [[nodiscard]] bool is_ready(SteadyTime now) const;
  /// How long it stays open; zero in the other states.
  [[nodiscard]] SteadyTime::duration open_left(SteadyTime now) const;

 private:
  void open(SteadyTime now);
  void close();

  BreakerSettings settings_;
  SlidingCount calls_;
  SlidingCount failures_;
  std::int64_t unreached_ = 0;            ///< calls in a row that could not connect
  std::optional<SteadyTime> open_until_;  ///< nothing: closed
  bool is_probing_ = false;
  std::uint64_t era_ = 0;  ///< counts what changed the state
};

}  // namespace al::services::gateway
