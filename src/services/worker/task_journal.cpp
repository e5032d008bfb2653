#include "services/worker/task_journal.hpp"

#include <algorithm>

#include "core/fault.hpp"
#include "core/log.hpp"

namespace al::services::worker {
namespace {

constexpr std::chrono::seconds store_timeout{30};
constexpr std::chrono::milliseconds pause_after_fault{500};
/// More of an unfinished answer is not kept for `progress`.
constexpr std::size_t text_max = 64 * 1024;

}  // namespace

/// An attempt that was handed back has the same number as this one, so its steps are counted on from.
Task<std::vector<data::TaskStep>> TaskJournal::past(Deadline deadline) {
  auto steps = co_await ties_.tasks.steps(claim_.tenant, claim_.task.id, deadline);
  if (!steps)
    co_return std::vector<data::TaskStep>{};
  for (auto const& step : *steps) {
    if (step.attempt == claim_.task.attempt)
      last_step_ = std::max(last_step_, step.step);
  }
  co_return std::move(*steps);
}

void TaskJournal::note(std::string_view kind, std::chrono::microseconds took, std::string detail) {
  data::TaskStep step;
  step.attempt = claim_.task.attempt;
  step.step = ++last_step_;
  step.kind = kind;
  step.duration_us = took.count();
  step.detail.text = std::move(detail);
  unsaved_.push_back(std::move(step));
}

/// What was paid for is not given up because the database is away for a moment.
Task<Result<void>> TaskJournal::save() {
  while (std::chrono::steady_clock::now() < ties_.lease_until()) {
    try {
      auto saved = co_await ties_.tasks.record(claim_, unsaved_, Deadline::after(store_timeout));
      if (saved)
        unsaved_.clear();
      co_return saved;
    } catch (Fault const& fault) {
      log::warning("the steps of a task could not be stored yet",
                   {{"task_id", claim_.task.id.value}, {"reason", fault.what()}});
    }
    co_await sleep_until(std::chrono::steady_clock::now() + pause_after_fault);
  }
  co_return fail(Code::lease_lost, "the lease ran out before the steps could be stored");
}

void TaskJournal::begin_text(std::int64_t step) {
  text_.clear();
  ties_.live.begin(attempt_, step);
  if (!std::exchange(has_text_, true))
    ties_.text_begins();
}

void TaskJournal::text(std::string_view piece) {
  if (text_.size() < text_max)
    text_ += piece;
  ties_.live.append(attempt_, piece);
}

void TaskJournal::wait_begins() {
  ++waits_;
  ties_.place_was_freed();
}

}  // namespace al::services::worker
