#pragma once
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "events/bus.hpp"
#include "events/event_log.hpp"

namespace al::events {

/// Calls handlers for what commits, whoever committed it: it reads the log from its own cursor and takes the doorbell
/// only as a hint. What it finds without having been rung was committed by another process: for that it rings the
/// doorbell here. Handlers can be registered at any time, also while it runs, and see what is read from then on.
/// An exception of a handler is logged and does not keep the event from the others.
class Dispatcher {
 public:
  using Handler = std::function<void(model::Event const&)>;

  /// `poll_interval`: how long an event of another process, which rings no doorbell here, may go unnoticed.
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
  [[nodiscard]] Task<void> deliver_new(std::string& token, bool was_rung);

  EventLog& log_;
  Bus& bus_;
  std::chrono::milliseconds const poll_interval_;
  std::mutex mutex_;
  std::vector<Registration> handlers_;
};

}  // namespace al::events
