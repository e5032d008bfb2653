#pragma once
#include <functional>
#include <string>
#include <vector>

#include "agents/runner.hpp"
#include "data/task_store.hpp"
#include "events/live_text.hpp"

namespace al::services::worker {

/// Where an agent runs that carries out a task: its steps go to the task's trace, its words to those who watch.
class TaskJournal final : public agents::Host {
 public:
  /// What the worker does about it. All are called on its executor.
  struct Ties {
    data::TaskStore& tasks;
    events::LiveText& live;
    std::function<SteadyTime()> lease_until;  ///< after that nothing may be written
    std::function<void()> text_begins;        ///< once, when the model begins its first answer
    std::function<void()> place_was_freed;    ///< it waits for another task
  };
  TaskJournal(Ties ties, data::Claim const& claim)
      : ties_(std::move(ties)), claim_(claim), attempt_{claim.tenant, claim.task.id, claim.epoch} {}
  /// The attempt is over and stored: who watches the task is told, also when no model wrote anything.
  void end() { ties_.live.end(attempt_); }

  [[nodiscard]] Task<std::vector<data::TaskStep>> past(Deadline) override;
  void note(std::string_view kind, std::chrono::microseconds took, std::string detail) override;
  [[nodiscard]] Task<Result<void>> save() override;
  void begin_text(std::int64_t step) override;
  void text(std::string_view piece) override;
  void wait_begins() override;
  void wait_ends() override { --waits_; }

  /// Noted and not durable yet.
  [[nodiscard]] std::vector<data::TaskStep> const& unsaved() const { return unsaved_; }
  [[nodiscard]] std::string const& text_so_far() const { return text_; }
  [[nodiscard]] bool is_waiting() const { return waits_ > 0; }

 private:
  Ties ties_;
  data::Claim const& claim_;
  events::LiveText::Attempt const attempt_;
  std::vector<data::TaskStep> unsaved_;
  std::int64_t last_step_ = 0;
  std::string text_;
  bool has_text_ = false;
  int waits_ = 0;
};

}  // namespace al::services::worker
