#include "storage/postgres_pool.hpp"

#include <algorithm>

namespace al::storage::postgres {
namespace {

/// Idle connections above the pool's size are kept this long, for the next burst.
constexpr std::chrono::seconds overflow_close{1};

bool is_better(ConnectionView const& a, ConnectionView const& b) {
  if (a.in_flight != b.in_flight)
    return a.in_flight < b.in_flight;
  // The one used last, so that the others may become idle for good.
  return a.idle_since > b.idle_since;
}

bool is_stuck(ConnectionView const& connection, PoolLimits const& limits, SteadyTime now) {
  return connection.in_flight > 0 && now - connection.busy_since > limits.stuck_after;
}

}  // namespace

PoolChoice choose(std::span<ConnectionView const> connections, PoolLimits const& limits, std::size_t waiting,
                  bool may_open, SteadyTime now) {
  std::optional<std::size_t> best;
  bool best_stuck = true;
  std::size_t ready = 0;
  std::size_t opening = 0;
  bool opens_soon = false;
  for (std::size_t i = 0; i < connections.size(); ++i) {
    auto const& connection = connections[i];
    if (connection.state == ConnectionState::opening || connection.state == ConnectionState::checking) {
      ++opening;
      opens_soon = opens_soon || now - connection.opened_at < limits.opening_patience;
    }
    if (connection.state != ConnectionState::ready)
      continue;
    ++ready;
    if (connection.in_flight >= limits.depth_max)
      continue;
    bool const stuck = is_stuck(connection, limits, now);
    if (best && stuck > best_stuck)
      continue;
    if (!best || stuck < best_stuck || is_better(connection, connections[*best])) {
      best = i;
      best_stuck = stuck;
    }
  }
  PoolChoice choice;
  bool const has_idle = best && connections[*best].in_flight == 0;
  bool const below_target = ready + opening < limits.busy_target;
  // More connections for stuck ones come in doublings, so that one slow moment does not open them all.
  bool const makes_room = best_stuck && opening < std::max<std::size_t>(ready, 1);
  choice.open = !has_idle && (below_target || makes_room) && may_open && connections.size() < limits.size_max &&
                opening < waiting;
  if (has_idle && now - connections[*best].idle_since > limits.check_after) {
    choice.check = best;
  } else if (best && (!best_stuck || !(choice.open || opens_soon))) {
    choice.use = best;
  }
  return choice;
}

IdleChoice choose_idle(ConnectionView const& connection, std::size_t open, PoolLimits const& limits, SteadyTime now) {
  if (connection.state == ConnectionState::leaving)
    return {.close = true};
  auto const patience = open > limits.size ? std::min(limits.idle_close, overflow_close) : limits.idle_close;
  auto const closes_at = std::min(connection.idle_since + patience, connection.opened_at + limits.recycle);
  return {.close = now >= closes_at, .ask_again = closes_at};
}

}  // namespace al::storage::postgres
