#pragma once
/// What all WebSockets of a process share: the one reader of the event log, the shards that it feeds, the credentials'
/// sweeps, and the counts.

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "events/bus.hpp"
#include "events/event_log.hpp"
#include "http/router.hpp"
#include "services/websocket/shard.hpp"

namespace al::services::websocket {

/// Who is in a room, in all processes when they share something that can tell. Any thread.
class Presence {
 public:
  virtual ~Presence() = default;
  /// The member is there for `ttl` from now on. Errors: unavailable, timed_out, too_many_requests.
  [[nodiscard]] virtual Task<Result<void>> beat(TenantId tenant, std::string room, std::string member,
                                                std::chrono::milliseconds ttl, Deadline) = 0;
  /// Errors: unavailable, timed_out.
  [[nodiscard]] virtual Task<Result<void>> leave(TenantId tenant, std::string room, std::string member, Deadline) = 0;
  /// Sorted. Errors: unavailable, timed_out.
  [[nodiscard]] virtual Task<Result<std::vector<std::string>>> members(TenantId tenant, std::string room, Deadline) = 0;
};

/// Since the start of the process.
struct Counts {
  std::atomic<std::size_t> connections = 0;  ///< open now
  std::atomic<std::uint64_t> sent = 0;       ///< messages of all kinds
  std::atomic<std::uint64_t> dropped = 0;    ///< connections that were too slow
  std::atomic<std::uint64_t> refused = 0;    ///< handshakes of foreign pages
  std::atomic<std::uint64_t> revoked = 0;    ///< connections whose credential ended
  std::atomic<std::uint64_t> replayed = 0;   ///< events sent again after a resume
};

/// Any thread, but for what says otherwise. The feed runs while somebody follows it, and costs nothing else.
class Hub {
 public:
  static constexpr std::size_t connections_of_user_max = 100;

  Hub(events::EventLog& log, events::Bus& bus, Clock const& clock);
  ~Hub();
  Hub(Hub const&) = delete;
  Hub& operator=(Hub const&) = delete;

  /// On the contexts of the HTTP servers; once, before the first connection. They end before the hub does.
  void open(std::vector<asio::io_context*> const& contexts);
  /// The contexts are about to go: nothing is handed to them any more. After their threads have ended.
  void close();
  /// close() was called.
  [[nodiscard]] bool is_over() const { return is_over_.load(); }
  /// The shard of the calling thread. Throws Fault where there is none.
  [[nodiscard]] Shard& here(asio::any_io_executor const&);
  /// Sees to it that the credentials of this shard's followers are looked at every second while there are any.
  void sweep(asio::any_io_executor const&);

  /// Counts a connection of a user. Errors: too_many_requests.
  [[nodiscard]] Result<void> admit(TenantId const&, std::string const& user);
  void dismiss(TenantId const&, std::string const& user);
  /// Connections by user.
  [[nodiscard]] std::map<std::string, std::size_t> users(TenantId const&) const;

  /// True for the first one of a user in a room; false when he is there already.
  [[nodiscard]] bool enter(TenantId const&, std::string const& room, std::string const& user);
  /// True when no connection of his is left in it.
  [[nodiscard]] bool exit(TenantId const&, std::string const& room, std::string const& user);
  /// Those of this process.
  [[nodiscard]] std::vector<std::string> members(TenantId const&, std::string const& room) const;
  /// Tells the members here, and in the other processes as far as the bus reaches.
  void tell_room(TenantId const&, std::string const& room, std::string const& user, bool has_come);

  [[nodiscard]] events::EventLog& log() { return log_; }
  [[nodiscard]] Clock const& clock() const { return clock_; }
  [[nodiscard]] Counts& counts() { return counts_; }
  /// The Prometheus text format (version 0.0.4), each line ended.
  [[nodiscard]] std::string metrics() const;

 private:
  struct Lane {
    asio::io_context* context;
    std::unique_ptr<Shard> shard;
    bool is_sweeping = false;  ///< of its thread
  };
  using Key = std::pair<std::string, std::string>;

  [[nodiscard]] Lane& lane_of(asio::any_io_executor const&);
  [[nodiscard]] std::uint64_t ask();
  [[nodiscard]] Task<void> feed();
  [[nodiscard]] Task<void> follow(events::Bus::Subscription& bell);
  [[nodiscard]] Task<bool> read_page(std::string& position);
  void hand_out(std::shared_ptr<Batch const> const& batch);
  [[nodiscard]] bool rest();
  void hear(events::Announcement const&);
  static Task<void> sweep_lane(Lane& lane);

  events::EventLog& log_;
  events::Bus& bus_;
  Clock const& clock_;
  std::vector<Lane> lanes_;
  Counts counts_;
  std::atomic<std::size_t> followers_ = 0;
  std::atomic<bool> is_over_ = false;

  mutable std::mutex mutex_;
  std::uint64_t asked_ = 0;                                  // under mutex
  bool is_feeding_ = false;                                  // under mutex
  events::Bus::Subscription* bell_ = nullptr;                // under mutex
  std::map<Key, std::size_t> users_;                         // under mutex
  std::map<Key, std::map<std::string, std::size_t>> rooms_;  // under mutex: connections of each member
};

}  // namespace al::services::websocket
