#pragma once
#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/ids.hpp"
#include "core/time.hpp"
#include "events/bus.hpp"

namespace al::events {

/// What the models of running tasks have written so far, for those who watch. It is lost with the process: the answer
/// itself is stored, this is only sooner. Thread-safe. It has a doorbell of its own: every word rings, and whoever
/// listens for all changes would read the database each time.
class LiveText {
 public:
  explicit LiveText(Clock const& clock) : clock_(clock) {}

  /// Who writes. When two attempts of one task overlap, the one of the lower epoch is heard no longer.
  struct Attempt {
    TenantId tenant;
    TaskId task;
    std::int64_t epoch = 0;
  };

  /// The task's model begins its next answer.
  void begin(Attempt const&, std::int64_t step);
  /// From the first piece that does not fit into `bytes_max` of one answer on nothing of it is shown.
  void append(Attempt const&, std::string_view piece);
  /// The attempt is over. What it wrote stays for `ended_for`, less when others need the room.
  void end(Attempt const&);

  struct Written {
    std::uint64_t answer = 0;  ///< the tenant's, each that was begun, of whatever task and attempt
    std::int64_t step = 0;
    std::string text;  ///< what came after `offset`, or all of a later answer
  };
  /// The reader has `offset` bytes of `answer`, or answer 0. What is left of it comes before the one after it. Nothing
  /// when the task does not run here or has written no more.
  [[nodiscard]] std::optional<Written> read(TenantId const&, TaskId const&, std::uint64_t answer,
                                            std::size_t offset) const;
  /// Rings when the task has written more or an attempt of it has ended.
  [[nodiscard]] std::unique_ptr<Bus::Subscription> watch(asio::any_io_executor, TaskId const&);

  static constexpr std::size_t bytes_max = 1 << 20;
  static constexpr std::chrono::seconds ended_for{5};
  static constexpr std::size_t ended_bytes_max = 16 << 20;

 private:
  using Key = std::pair<std::string, std::string>;
  struct Texts {
    std::int64_t epoch = 0;
    Written now;
    Written before;  ///< for those who have not read to its end when the next one begins
    bool is_full = false;
  };
  struct Ended {
    Key key;
    std::uint64_t answer;
    std::size_t bytes;
    SteadyTime until;
  };
  static Key key_of(Attempt const& attempt) { return {attempt.tenant.value, attempt.task.value}; }
  void forget_ended();

  Clock const& clock_;
  Bus bus_;
  mutable std::mutex mutex_;
  std::map<Key, Texts> texts_;
  std::deque<Ended> ended_;  ///< the oldest first
  std::size_t ended_bytes_ = 0;
  std::map<std::string, std::uint64_t> answers_;  ///< of each tenant, so that it learns nothing of the others
};

}  // namespace al::events
