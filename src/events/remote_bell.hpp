#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "core/random.hpp"
#include "events/bus.hpp"
#include "redis/settings.hpp"

namespace al::events {

/// Joins the buses of several processes by publish and subscribe of Redis: what is announced here is heard there. What
/// commits while one announcement travels goes with the next, together. Announcements can be lost, with Redis or with
/// the process that made them; CatchUp finds what was missed.
class RemoteBell {
 public:
  /// `process` is this process's own name, by which it knows what it sent itself. `bus` and `random` outlive this.
  /// All runs on `executor`, which is one thread's. Throws Fault when a TLS file of `options` cannot be read.
  RemoteBell(asio::any_io_executor executor, redis::Options const& options, Bus& bus, Random& random,
             std::string process);
  ~RemoteBell();
  RemoteBell(RemoteBell const&) = delete;
  RemoteBell& operator=(RemoteBell const&) = delete;

  /// Begins to listen. On the executor, once.
  void start();

  /// Takes it to the others, soon. Any thread; never waits. While Redis is away it is dropped, and the others are told
  /// to look for themselves when Redis is back.
  void send(Announcement const& announcement);

  /// Where this process stands with what the others announce. Any thread.
  struct Hearing {
    bool is_whole = false;   ///< now it hears all that is sent
    std::uint64_t gaps = 0;  ///< how many times it has not; `is_whole` with the same number as before: nothing was lost
  };
  [[nodiscard]] Hearing hearing() const;

  /// Sent and not yet taken by Redis, at most; of more, the others hear only that there was something.
  static constexpr std::size_t waiting_max = 10'000;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace al::events
