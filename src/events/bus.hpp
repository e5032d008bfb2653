#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "core/async.hpp"
#include "core/ids.hpp"

namespace al::events {

/// What everyone is told of an event that has committed: enough to know whether to look, and what to forget.
struct Announcement {
  std::string channel;  ///< "task:created"
  TenantId tenant{};
  std::string aggregate_id{};
  AgentId agent_id{};  ///< whose it is; empty when it is no agent's
};

/// The doorbell: after a commit it tells whoever waits that the log has grown. Losing a ring loses nothing, because
/// every subscriber reads on from its own cursor. Thread-safe.
class Bus {
 public:
  /// One waiter. Lives on one executor; destroying it ends the subscription. The bus outlives it.
  class Subscription {
   public:
    ~Subscription();
    Subscription(Subscription const&) = delete;
    Subscription& operator=(Subscription const&) = delete;
    /// Returns true when a matching channel was rung since the last return, false at `until`.
    [[nodiscard]] Task<bool> wait(SteadyTime until);
    /// Rings for this one alone. Any thread.
    void ring();

   private:
    friend class Bus;
    struct State;
    Subscription(Bus&, std::shared_ptr<State>);
    Bus& bus_;
    std::shared_ptr<State> const state_;
  };

  using Listener = std::function<void(Announcement const&)>;

  Bus();
  ~Bus();

  /// Called by whoever committed: rings here, tells the listeners, and hands it on to the other processes.
  void announce(Announcement const&);
  /// An announcement that another process made.
  void hear(Announcement const&);
  /// Rings for one channel and tells nobody else. Cheap when nobody waits.
  void ring(std::string_view channel);
  /// Announcements may have been missed: all look.
  void ring_all();

  /// `listener` learns of each announcement whose channel matches, on the thread that made it, before anyone is rung.
  /// It must neither block nor throw. Only before the first announcement.
  void on(std::string pattern, Listener listener);
  /// What takes announcements to the other processes. As on(); none, when there are no others.
  void forward_to(Listener forward) { forward_ = std::move(forward); }

  /// `patterns` are channels, or "task:*", or "*".
  [[nodiscard]] std::unique_ptr<Subscription> subscribe(asio::any_io_executor, std::vector<std::string> patterns);

  /// How many were announced here since the start, by channel; for metrics.
  [[nodiscard]] std::map<std::string, std::uint64_t> announced() const;
  [[nodiscard]] std::size_t subscriptions() const { return count_.load(std::memory_order_relaxed); }

 private:
  template <class Takes>
  void ring_those(Takes takes);

  std::vector<std::pair<std::string, Listener>> listeners_;
  Listener forward_;
  mutable std::mutex mutex_;
  std::map<std::string, std::uint64_t> announced_;
  std::vector<std::shared_ptr<Subscription::State>> subscribers_;
  std::atomic<std::size_t> count_{0};
};

/// Whether `pattern` ("*", "task:*", "task:created") takes `channel`. The brief's underscore names are taken as
/// aliases.
[[nodiscard]] bool channel_matches(std::string_view pattern, std::string_view channel);

}  // namespace al::events
