#pragma once
#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "core/async.hpp"

namespace al::events {

/// The doorbell: after a commit it tells whoever waits that the log has grown. It carries no data; losing a ring loses
/// nothing, because every subscriber reads on from its own cursor. Thread-safe; rings within the process.
class Bus {
 public:
  /// One waiter. Lives on one executor; destroying it ends the subscription. The bus outlives it.
  class Subscription {
   public:
    ~Subscription();
    Subscription(Subscription const&) = delete;
    Subscription& operator=(Subscription const&) = delete;
    /// Returns true when a matching channel was announced since the last return, false at `until`.
    [[nodiscard]] Task<bool> wait(SteadyTime until);

   private:
    friend class Bus;
    struct State;
    Subscription(Bus&, std::shared_ptr<State>);
    Bus& bus_;
    std::shared_ptr<State> const state_;
  };

  Bus();
  ~Bus();

  /// Rings for one channel ("task:created"). Cheap when nobody waits.
  void announce(std::string_view channel);

  /// `patterns` are channels, or "task:*", or "*".
  [[nodiscard]] std::unique_ptr<Subscription> subscribe(asio::any_io_executor, std::vector<std::string> patterns);

  [[nodiscard]] std::size_t subscriptions() const { return count_.load(std::memory_order_relaxed); }

 private:
  std::mutex mutex_;
  std::vector<std::shared_ptr<Subscription::State>> subscribers_;
  std::atomic<std::size_t> count_{0};
};

/// Whether `pattern` ("*", "task:*", "task:created") takes `channel`. The brief's underscore names are taken as
/// aliases.
[[nodiscard]] bool channel_matches(std::string_view pattern, std::string_view channel);

}  // namespace al::events
