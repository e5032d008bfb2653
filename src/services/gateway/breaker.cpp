#include "services/gateway/breaker.hpp"

#include <algorithm>

namespace al::services::gateway {

bool is_failure(Outcome const& outcome) {
  switch (outcome.kind) {
    case Outcome::Kind::connect_failed:
    case Outcome::Kind::no_answer:
    case Outcome::Kind::cut_off:
      return true;
    case Outcome::Kind::answered:
      return outcome.status == 500 || (outcome.status >= 502 && outcome.status <= 504);
    case Outcome::Kind::abandoned:
      break;
  }
  return false;
}

Breaker::Breaker(BreakerSettings const& settings)
    : settings_(settings), calls_(settings.window), failures_(settings.window) {}

BreakerState Breaker::state(SteadyTime now) const {
  if (!open_until_)
    return BreakerState::closed;
  return now < *open_until_ ? BreakerState::open : BreakerState::half_open;
}

bool Breaker::is_ready(SteadyTime now) const {
  auto const state = this->state(now);
  return state == BreakerState::closed || (state == BreakerState::half_open && !is_probing_);
}

SteadyTime::duration Breaker::open_left(SteadyTime now) const {
  return open_until_ ? std::max(*open_until_ - now, SteadyTime::duration::zero()) : SteadyTime::duration::zero();
}

std::optional<Breaker::Permit> Breaker::acquire(SteadyTime now) {
  if (!is_ready(now))
    return std::nullopt;
  is_probing_ = open_until_.has_value();
  return Permit{era_};
}

void Breaker::report(Permit permit, Outcome const& outcome, SteadyTime now) {
  if (outcome.kind == Outcome::Kind::abandoned)
    return release(permit);
  if (permit.era != era_)
    return;
  if (open_until_)  // Of this era only the probe has a permit.
    return is_failure(outcome) ? open(now) : close();
  calls_.add(now);
  unreached_ = outcome.kind == Outcome::Kind::connect_failed ? unreached_ + 1 : 0;
  if (!is_failure(outcome))
    return;
  failures_.add(now);
  auto const failures = failures_.sum(now);
  bool const is_gone = unreached_ >= settings_.failures;
  if (is_gone || (failures >= settings_.failures && failures * 2 >= calls_.sum(now)))
    open(now);
}

void Breaker::release(Permit permit) {
  if (permit.era == era_)
    is_probing_ = false;
}

void Breaker::open(SteadyTime now) {
  open_until_ = now + settings_.open_for;
  is_probing_ = false;
  ++era_;
}

void Breaker::close() {
  open_until_.reset();
  is_probing_ = false;
  calls_.clear();
  failures_.clear();
  unreached_ = 0;
  ++era_;
}

}  // namespace al::services::gateway
