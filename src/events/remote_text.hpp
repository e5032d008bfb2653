#pragma once
#include <chrono>
#include <memory>
#include <string>

#include "core/random.hpp"
#include "events/live_text.hpp"
#include "redis/settings.hpp"

namespace al::events {

/// Joins the LiveText of several processes by publish and subscribe of Redis. Who watches a task asks for its words,
/// says how many it has, and asks again every `renewal`; whoever runs the task sends the rest, in the order of their
/// offsets, for as long as it is asked. So Redis keeps no text, and what nobody watches is not sent. What was lost with
/// Redis is asked for again. A text that was ended and forgotten is not: the task's row has the answer.
class RemoteText {
 public:
  struct Times {
    std::chrono::milliseconds renewal{2000};
    std::chrono::milliseconds wanted{6000};  ///< how long a task is sent after it was last asked for
  };

  /// `process` is this process's own name, a UUID, by which it knows what it sent itself. Joins `live`, which outlives
  /// the context of `executor`; `random` outlives this. All runs on `executor`, which is one thread's. Throws Fault
  /// when a TLS file of `options` cannot be read.
  RemoteText(asio::any_io_executor executor, redis::Options const& options, LiveText& live, Random& random,
             std::string process)
      : RemoteText(std::move(executor), options, live, random, std::move(process), Times{}) {}
  RemoteText(asio::any_io_executor executor, redis::Options const& options, LiveText& live, Random& random,
             std::string process, Times times);
  ~RemoteText();
  RemoteText(RemoteText const&) = delete;
  RemoteText& operator=(RemoteText const&) = delete;

  /// Begins to hear what others ask for; for processes that run tasks. On the executor, once. Without it what others
  /// write can be watched all the same.
  void start();

  /// Tasks that others ask for, at most; of more, watchers see no words before some are not asked for any longer.
  static constexpr std::size_t wishes_max = 10'000;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace al::events
