#pragma once
#include <chrono>
#include <functional>
#include <string>

#include "events/bus.hpp"
#include "events/remote_bell.hpp"
#include "storage/database.hpp"

namespace al::events {

/// Finds what other processes committed without our having heard of it, and announces it: after Redis was away, where
/// there is none, and (as the relay) what a process that ended between commit and announcement told nobody. On
/// PostgreSQL; a SQLite database has one process. One coroutine's.
class CatchUp {
 public:
  enum class For {
    this_process,   ///< it looks only while announcements may be lost
    all_processes,  ///< the relay: it always looks, and what it finds all are told
  };
  struct Times {
    std::chrono::milliseconds poll{500};  ///< how late at most a missed event is noticed
    /// A process that hears all remembers this often how far it has heard, so that it finds what a break hid.
    std::chrono::milliseconds mark{5000};
  };

  /// `hearing` says how this process stands with the others' announcements (never whole without Redis).
  CatchUp(storage::Database& database, Bus& bus, std::function<RemoteBell::Hearing()> hearing, For whom)
      : CatchUp(database, bus, std::move(hearing), whom, Times{}) {}
  CatchUp(storage::Database& database, Bus& bus, std::function<RemoteBell::Hearing()> hearing, For whom, Times times)
      : database_(database), bus_(bus), hearing_(std::move(hearing)), whom_(whom), times_(times) {}

  /// Looks until it is cancelled; what committed before the call it leaves alone.
  [[nodiscard]] Task<void> run();

 private:
  [[nodiscard]] Task<void> look();
  [[nodiscard]] Task<void> tell_news();
  [[nodiscard]] Task<void> mark();

  storage::Database& database_;
  Bus& bus_;
  std::function<RemoteBell::Hearing()> const hearing_;
  For const whom_;
  Times const times_;
  /// Snapshots. What is not in `heard_` may not have been heard: an announcement can still be under way when its event
  /// is in the newest one, so `heard_` is the one before it.
  std::string heard_;
  std::string newest_;
  std::uint64_t gaps_ = 0;
  SteadyTime marked_at_{};
};

}  // namespace al::events
