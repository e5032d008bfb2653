#pragma once
#include <chrono>
#include <deque>
#include <functional>
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
/// listens for all changes would read the database each time. RemoteText brings here what is written elsewhere.
class LiveText {
 public:
  explicit LiveText(Clock const& clock) : clock_(clock) {}

  /// Who writes. When two attempts of one task overlap, the one of the lower epoch is heard no longer.
  struct Attempt {
    TenantId tenant;
    TaskId task;
    std::int64_t epoch = 0;
    bool is_from_afar = false;  ///< it runs in another process
  };

  /// The task's model begins its next answer.
  void begin(Attempt const&, std::int64_t step);
  /// From the first piece that does not fit into `bytes_max` of one answer on nothing of it is shown.
  void append(Attempt const&, std::string_view piece);
  /// The attempt is over. What it wrote stays for `ended_for`, less when others need the room.
  void end(Attempt const&);
  /// What came from afar of this attempt is of no use any more.
  void forget(Attempt const&);

  struct Written {
    std::uint64_t answer = 0;  ///< the tenant's, each that was begun, of whatever task and attempt
    std::int64_t step = 0;
    std::string text;  ///< what came after `offset`, or all of a later answer
    std::int64_t epoch = 0;
    bool is_from_afar = false;
    /// The answer before it and its length, so that a reader who lost words knows. 0: nobody knows any more.
    std::uint64_t before = 0;
    std::size_t before_bytes = 0;
  };
  /// The reader has `offset` bytes of `answer`, or answer 0. What is left of it comes before the one after it. Nothing
  /// when the task does not run here or has written no more.
  [[nodiscard]] std::optional<Written> read(TenantId const&, TaskId const&, std::uint64_t answer,
                                            std::size_t offset) const;
  /// The newest answer of a task.
  struct Standing {
    std::int64_t epoch = 0;
    std::uint64_t answer = 0;
    std::int64_t step = 0;
    bool is_from_afar = false;
    bool is_over = false;  ///< the attempt has ended: no more is written
  };
  /// Nothing when no attempt has begun to write, or the last one is forgotten.
  [[nodiscard]] std::optional<Standing> standing(TenantId const&, TaskId const&) const;

  /// Rings when the task has written more, when an attempt of it has ended, and as ring() and follow() say.
  [[nodiscard]] std::unique_ptr<Bus::Subscription> watch(asio::any_io_executor, TaskId const&);
  /// Whoever watches the task is to look.
  void ring(TaskId const& task) { bus_.ring(task.value); }
  /// Rings for announced changes of the tasks' rows as well. As Bus::on(): before the first announcement.
  void follow(Bus& bus);

  /// Has what the task writes in other processes brought here for as long as the result is kept.
  [[nodiscard]] std::shared_ptr<void> fetch(TenantId const&, TaskId const&) const;
  /// What joins the texts of several processes. Both are called on any thread, and neither blocks nor throws.
  struct Others {
    std::function<void(TenantId const&, TaskId const&)> begins;  ///< an answer is begun here
    std::function<std::shared_ptr<void>(TenantId const&, TaskId const&)> fetch;
  };
  /// Before the first text.
  void join(Others others) { others_ = std::move(others); }

  static constexpr std::size_t bytes_max = 1 << 20;
  static constexpr std::chrono::seconds ended_for{5};
  static constexpr std::size_t ended_bytes_max = 16 << 20;

 private:
  using Key = std::pair<std::string, std::string>;
  struct Texts {
    Written now;     ///< its epoch is that of the attempt which is heard
    Written before;  ///< for those who have not read to its end when the next one begins
    bool is_full = false;
    bool is_over = false;
  };
  struct Ended {
    Key key;
    std::uint64_t answer;
    std::size_t bytes;
    SteadyTime until;
  };
  static Key key_of(Attempt const& attempt) { return {attempt.tenant.value, attempt.task.value}; }
  [[nodiscard]] Texts* texts_of(Attempt const&);
  [[nodiscard]] bool begin_answer(Attempt const&, std::int64_t step);
  void forget_ended();

  Clock const& clock_;
  Others others_;
  Bus bus_;
  mutable std::mutex mutex_;
  std::map<Key, Texts> texts_;
  std::deque<Ended> ended_;  ///< the oldest first
  std::size_t ended_bytes_ = 0;
  std::map<std::string, std::uint64_t> answers_;  ///< of each tenant, so that it learns nothing of the others
};

}  // namespace al::events
