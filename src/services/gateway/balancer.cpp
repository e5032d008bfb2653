#include "services/gateway/balancer.hpp"

#include <algorithm>
#include <cassert>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace al::services::gateway {

struct Balancer::Entry {
  Entry(Instance instance, BreakerSettings const& settings) : instance(std::move(instance)), breaker(settings) {}

  Instance instance;
  Breaker breaker;
  Availability availability = Availability::up;
  std::int64_t in_flight = 0;
  std::optional<SteadyTime> warm_since{};  ///< nothing: it was there from the begin
  std::int64_t credit = 0;                 ///< of round robin
  std::uint64_t picked = 0;                ///< number of the last choice that it was

  /// In hundredths of a whole share.
  [[nodiscard]] std::int64_t weight(SteadyTime now) const {
    constexpr std::int64_t whole = 100;
    constexpr std::int64_t least = 10;
    if (!warm_since || now - *warm_since >= warm_up)
      return whole;
    auto const warm = std::max(now - *warm_since, SteadyTime::duration::zero());
    return least + (whole - least) * warm.count() / SteadyTime::duration(warm_up).count();
  }

  void come_back(SteadyTime now) {
    warm_since = now;
    credit = 0;
  }
};

struct Balancer::State {
  using Candidates = std::vector<std::size_t>;  ///< indices of entries that would do

  explicit State(Service service) : service(std::move(service)) {}

  [[nodiscard]] Candidates candidates(std::span<Instance const> tried, SteadyTime now) const;
  [[nodiscard]] std::size_t choose(Candidates const& candidates, SteadyTime now);
  [[nodiscard]] std::size_t next_in_turn(Candidates const& candidates, SteadyTime now);
  [[nodiscard]] std::size_t least_loaded(Candidates const& candidates, SteadyTime now) const;
  [[nodiscard]] Error unavailable(SteadyTime now) const;
  [[nodiscard]] std::shared_ptr<Entry> find(Instance const& instance) const;

  Service const service;
  std::mutex mutex;  ///< of all that follows, and of what the entries hold
  std::vector<std::shared_ptr<Entry>> entries;
  std::uint64_t picks = 0;
};

// ---- choice, under the mutex ----

/// Those that were not tried; when there are none, those that were.
Balancer::State::Candidates Balancer::State::candidates(std::span<Instance const> tried, SteadyTime now) const {
  Candidates fresh;
  Candidates again;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    auto const& entry = *entries[i];
    if (entry.availability != Availability::up || !entry.breaker.is_ready(now))
      continue;
    bool const is_tried = std::ranges::find(tried, entry.instance) != tried.end();
    (is_tried ? again : fresh).push_back(i);
  }
  return fresh.empty() ? again : fresh;
}

std::size_t Balancer::State::choose(Candidates const& candidates, SteadyTime now) {
  // Without a probe the instance never comes back, and it would have to wait long for its turn among others.
  auto const probe = std::ranges::find_if(
      candidates, [&](std::size_t i) { return entries[i]->breaker.state(now) == BreakerState::half_open; });
  if (probe != candidates.end())
    return *probe;
  return service.balancing == Balancing::round_robin ? next_in_turn(candidates, now) : least_loaded(candidates, now);
}

/// Smooth weighted round robin: each gains its weight in credit, and the richest pays what all gained. Equals take
/// turns, and one with a tenth of a share comes once among ten.
std::size_t Balancer::State::next_in_turn(Candidates const& candidates, SteadyTime now) {
  std::int64_t gained = 0;
  auto richest = candidates.front();
  for (auto const i : candidates) {
    auto const weight = entries[i]->weight(now);
    entries[i]->credit += weight;
    gained += weight;
    if (entries[i]->credit > entries[richest]->credit)
      richest = i;
  }
  entries[richest]->credit -= gained;
  return richest;
}

/// The fewest calls in flight for its weight, this one included; among equals the one that waits longest.
std::size_t Balancer::State::least_loaded(Candidates const& candidates, SteadyTime now) const {
  return *std::ranges::min_element(candidates, [&](std::size_t a, std::size_t b) {
    auto const& x = *entries[a];
    auto const& y = *entries[b];
    auto const load_x = (x.in_flight + 1) * y.weight(now);
    auto const load_y = (y.in_flight + 1) * x.weight(now);
    return load_x != load_y ? load_x < load_y : x.picked < y.picked;
  });
}

Error Balancer::State::unavailable(SteadyTime now) const {
  constexpr std::chrono::seconds shortest{1};
  SteadyTime::duration wait = service.health.interval;
  for (auto const& entry : entries) {
    if (entry->availability == Availability::up)
      wait = std::min(wait, entry->breaker.open_left(now));
  }
  Error error{Code::unavailable, "The service " + service.name + " takes no calls now: " +
                                     (entries.empty() ? "it has no instance." : "none of its instances is well.")};
  error.retry_after = std::max(std::chrono::ceil<std::chrono::seconds>(wait), shortest);
  return error;
}

std::shared_ptr<Balancer::Entry> Balancer::State::find(Instance const& instance) const {
  auto const found = std::ranges::find(entries, instance, [](auto const& entry) -> auto& { return entry->instance; });
  return found == entries.end() ? nullptr : *found;
}

// ---- the balancer ----

Balancer::Balancer(Service service) : state_(std::make_shared<State>(std::move(service))) {
  for (auto const& instance : state_->service.instances)
    state_->entries.push_back(std::make_shared<Entry>(instance, state_->service.breaker));
}

Result<Balancer::Attempt> Balancer::pick(std::span<Instance const> tried, SteadyTime now) {
  std::lock_guard const lock(state_->mutex);
  auto const candidates = state_->candidates(tried, now);
  if (candidates.empty())
    return fail(state_->unavailable(now));
  auto const& entry = state_->entries[state_->choose(candidates, now)];
  auto const permit = entry->breaker.acquire(now);
  assert(permit && "a candidate's breaker is ready");
  ++entry->in_flight;
  entry->picked = ++state_->picks;
  return Attempt(state_, entry, *permit);
}

void Balancer::set_instances(std::span<Instance const> instances, SteadyTime now) {
  std::lock_guard const lock(state_->mutex);
  std::vector<std::shared_ptr<Entry>> entries;
  for (auto const& instance : instances.first(std::min(instances.size(), GatewayConfig::instances_max))) {
    bool const is_double = std::ranges::any_of(entries, [&](auto const& entry) { return entry->instance == instance; });
    if (is_double)
      continue;
    auto entry = state_->find(instance);
    if (!entry) {
      entry = std::make_shared<Entry>(instance, state_->service.breaker);
      if (!state_->entries.empty())
        entry->come_back(now);
    }
    entries.push_back(std::move(entry));
  }
  state_->entries = std::move(entries);
}

void Balancer::set_availability(Instance const& instance, Availability availability, SteadyTime now) {
  std::lock_guard const lock(state_->mutex);
  auto const entry = state_->find(instance);
  if (!entry)
    return;
  if (availability == Availability::up && entry->availability != Availability::up)
    entry->come_back(now);
  entry->availability = availability;
}

std::vector<Balancer::View> Balancer::view(SteadyTime now) const {
  std::lock_guard const lock(state_->mutex);
  std::vector<View> out;
  for (auto const& entry : state_->entries)
    out.push_back({entry->instance, entry->availability, entry->breaker.state(now), entry->in_flight});
  return out;
}

// ---- one attempt ----

Balancer::Attempt::~Attempt() {
  if (!state_)
    return;
  std::lock_guard const lock(state_->mutex);
  --entry_->in_flight;
  if (!is_reported_)
    entry_->breaker.release(permit_);
}

Instance const& Balancer::Attempt::instance() const { return entry_->instance; }

void Balancer::Attempt::report(Outcome const& outcome, SteadyTime now) {
  std::lock_guard const lock(state_->mutex);
  assert(!is_reported_ && "an attempt ends once");
  is_reported_ = true;
  auto& breaker = entry_->breaker;
  auto const before = breaker.state(now);
  breaker.report(permit_, outcome, now);
  if (before == BreakerState::half_open && breaker.state(now) == BreakerState::closed)
    entry_->come_back(now);
}

}  // namespace al::services::gateway
