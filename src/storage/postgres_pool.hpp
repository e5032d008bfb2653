#pragma once
/// Decides which connection takes the next transaction, when to open one and when to close one. Pure; sockets are
/// elsewhere. Belongs to one thread.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "core/time.hpp"

namespace al::storage::postgres {

enum class ConnectionState {
  opening,
  checking,  ///< idle for so long that it must answer once before it is used
  ready,
  leaving,  ///< takes nothing new; closes when its answers are in
};

/// What the policy needs to know of a connection.
struct ConnectionView {
  ConnectionState state = ConnectionState::opening;
  std::size_t in_flight = 0;  ///< transactions sent and not answered
  SteadyTime busy_since{};    ///< when the oldest of them became the oldest
  SteadyTime idle_since{};    ///< when the last answer came
  SteadyTime opened_at{};     ///< when opening it began
};

struct PoolLimits {
  std::size_t size = 20;      ///< connections that may stay open while idle
  std::size_t size_max = 60;  ///< with overflow
  std::chrono::seconds idle_close{60};
  std::chrono::seconds recycle{3600};

  /// Up to this many connections are opened for load alone. More of them only make the server switch between
  /// processes; one or two with transactions in a row do more.
  std::size_t busy_target = 2;
  /// Transactions in a row on one connection.
  std::size_t depth_max = 16;
  /// A connection whose oldest transaction takes longer than this is not given more while another can be had.
  std::chrono::milliseconds stuck_after{3};
  /// Transactions wait this long for a connection that is being opened rather than stand behind a stuck one.
  std::chrono::milliseconds opening_patience{100};
  /// After this long without traffic a connection is asked whether it still lives.
  std::chrono::seconds check_after{30};
};

struct PoolChoice {
  std::optional<std::size_t> use;    ///< index of the connection that takes the next transaction
  std::optional<std::size_t> check;  ///< index of one to be asked first
  bool open = false;                 ///< begin to open another
};

/// `waiting` transactions want a connection. Answers what to do for the first of them; called again for the next.
/// `may_open` is false while the server refuses new connections.
[[nodiscard]] PoolChoice choose(std::span<ConnectionView const> connections, PoolLimits const& limits,
                                std::size_t waiting, bool may_open, SteadyTime now);

/// Whether an unused connection should close now; if not, when to ask again.
struct IdleChoice {
  bool close = false;
  SteadyTime ask_again{};
};
[[nodiscard]] IdleChoice choose_idle(ConnectionView const& connection, std::size_t open, PoolLimits const& limits,
                                     SteadyTime now);

}  // namespace al::storage::postgres
