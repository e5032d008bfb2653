#include "events/live_text.hpp"

namespace al::events {

void LiveText::begin(Attempt const& attempt, std::int64_t step) {
  if (begin_answer(attempt, step) && !attempt.is_from_afar && others_.begins)
    others_.begins(attempt.tenant, attempt.task);
}

bool LiveText::begin_answer(Attempt const& attempt, std::int64_t step) {
  std::scoped_lock const lock(mutex_);
  forget_ended();
  auto& texts = texts_[key_of(attempt)];
  if (attempt.epoch < texts.now.epoch)
    return false;
  texts.before = std::move(texts.now);
  texts.now = {.answer = ++answers_[attempt.tenant.value],
               .step = step,
               .text = {},
               .epoch = attempt.epoch,
               .is_from_afar = attempt.is_from_afar,
               .before = texts.before.answer,
               .before_bytes = texts.before.text.size()};
  texts.is_full = false;
  texts.is_over = false;
  return true;
}

/// Those that the attempt writes; null when it is not the one that is heard.
LiveText::Texts* LiveText::texts_of(Attempt const& attempt) {
  auto const found = texts_.find(key_of(attempt));
  return found != texts_.end() && found->second.now.epoch == attempt.epoch ? &found->second : nullptr;
}

void LiveText::append(Attempt const& attempt, std::string_view piece) {
  {
    std::scoped_lock const lock(mutex_);
    auto* const texts = texts_of(attempt);
    if (!texts)
      return;
    texts->is_full = texts->is_full || texts->now.text.size() + piece.size() > bytes_max;
    if (texts->is_full)
      return;
    texts->now.text += piece;
  }
  ring(attempt.task);
}

void LiveText::end(Attempt const& attempt) {
  {
    std::scoped_lock const lock(mutex_);
    if (auto* const texts = texts_of(attempt)) {
      texts->is_over = true;
      auto const bytes = texts->now.text.size() + texts->before.text.size();
      ended_.push_back({key_of(attempt), texts->now.answer, bytes, clock_.steady() + ended_for});
      ended_bytes_ += bytes;
    }
    forget_ended();
  }
  ring(attempt.task);
}

void LiveText::forget(Attempt const& attempt) {
  std::scoped_lock const lock(mutex_);
  if (auto const* const texts = texts_of(attempt); texts && texts->now.is_from_afar)
    texts_.erase(key_of(attempt));
}

void LiveText::forget_ended() {
  auto const now = clock_.steady();
  while (!ended_.empty() && (ended_.front().until <= now || ended_bytes_ > ended_bytes_max)) {
    auto const& ended = ended_.front();
    // Another attempt may write there by now.
    if (auto const found = texts_.find(ended.key); found != texts_.end() && found->second.now.answer == ended.answer)
      texts_.erase(found);
    ended_bytes_ -= ended.bytes;
    ended_.pop_front();
  }
}

std::optional<LiveText::Written> LiveText::read(TenantId const& tenant, TaskId const& task, std::uint64_t answer,
                                                std::size_t offset) const {
  std::scoped_lock const lock(mutex_);
  auto const found = texts_.find({tenant.value, task.value});
  if (found == texts_.end())
    return std::nullopt;
  auto const& [now, before, is_full, is_over] = found->second;
  bool const has_rest = before.answer == answer && offset < before.text.size();
  auto const& written = has_rest ? before : now;
  auto const from = written.answer == answer ? offset : 0;
  if (from >= written.text.size())
    return std::nullopt;
  return Written{.answer = written.answer,
                 .step = written.step,
                 .text = written.text.substr(from),
                 .epoch = written.epoch,
                 .is_from_afar = written.is_from_afar,
                 .before = written.before,
                 .before_bytes = written.before_bytes};
}

std::optional<LiveText::Standing> LiveText::standing(TenantId const& tenant, TaskId const& task) const {
  std::scoped_lock const lock(mutex_);
  auto const found = texts_.find({tenant.value, task.value});
  if (found == texts_.end())
    return std::nullopt;
  auto const& [now, before, is_full, is_over] = found->second;
  return Standing{now.epoch, now.answer, now.step, now.is_from_afar, is_over};
}

std::unique_ptr<Bus::Subscription> LiveText::watch(asio::any_io_executor executor, TaskId const& task) {
  return bus_.subscribe(std::move(executor), {task.value});
}

void LiveText::follow(Bus& bus) {
  bus.on("task:*", [this](Announcement const& it) {
    // What was found in the log and not announced names no task.
    if (it.aggregate_id.empty())
      bus_.ring_all();
    else
      bus_.ring(it.aggregate_id);
  });
}

std::shared_ptr<void> LiveText::fetch(TenantId const& tenant, TaskId const& task) const {
  return others_.fetch ? others_.fetch(tenant, task) : nullptr;
}

}  // namespace al::events
