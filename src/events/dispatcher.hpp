#pragma once
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "events/bus.hpp"
#include "events/event_log.hpp"

namespace al::events {

/// Calls handlers for what commits, whoever committed it, and rings the doorbell for it: so events of other processes,
/// which ring none here, are noticed at most `poll_interval` late. It reads the log from its own cursor, by the clock
/// alone. Were it rung as well, it could not tell whose events it reads: to announce none of them leaves a foreign one
/// unheard, to announce all doubles every read of every subscriber. By the clock, a local event costs a spare ring in
/// each interval at most. Handlers can be registered at any time, also while it runs, and see what is read from then
/// on. An exception of a handler is logged and does not keep the event from the others.
class Dispatcher {
 public:
  using Handler = std::function<void(model::Event const&)>;

  Dispatcher(EventLog& log, Bus& bus, std::chrono::milliseconds poll_interval)
      : log_(log), bus_(bus), poll_interval_(poll_interval) {}

  /// `pattern` is a channel, "task:*" or "*". Any thread. Handlers are called one at a time and must not block.
  void on(std::string pattern, Handler handler);

  /// Reads on until it is cancelled. Events that committed before the call are not delivered.
  [[nodiscard]] Task<void> run();

 private:
  struct Registration {
    std::string pattern;
    Handler handler;
  };
  void deliver(model::Event const&);
  [[nodiscard]] Task<void> deliver_new(std::string& token);

  EventLog& log_;
  Bus& bus_;
  std::chrono::milliseconds const poll_interval_;
  std::mutex mutex_;
  std::vector<Registration> handlers_;
};

}  // namespace al::events
