#include "events/live_text.hpp"

namespace al::events {

void LiveText::begin(Attempt const& attempt, std::int64_t step) {
  std::scoped_lock const lock(mutex_);
  forget_ended();
  auto& texts = texts_[key_of(attempt)];
  if (attempt.epoch < texts.epoch)
    return;
  texts.epoch = attempt.epoch;
  texts.before = std::move(texts.now);
  texts.now = {.answer = ++answers_[attempt.tenant.value], .step = step, .text = {}};
  texts.is_full = false;
}

void LiveText::append(Attempt const& attempt, std::string_view piece) {
  {
    std::scoped_lock const lock(mutex_);
    auto const found = texts_.find(key_of(attempt));
    if (found == texts_.end() || found->second.epoch != attempt.epoch)
      return;
    auto& [epoch, now, before, is_full] = found->second;
    is_full = is_full || now.text.size() + piece.size() > bytes_max;
    if (is_full)
      return;
    now.text += piece;
  }
  bus_.ring(attempt.task.value);
}

void LiveText::end(Attempt const& attempt) {
  {
    std::scoped_lock const lock(mutex_);
    auto key = key_of(attempt);
    if (auto const found = texts_.find(key); found != texts_.end() && found->second.epoch == attempt.epoch) {
      auto const& [epoch, now, before, is_full] = found->second;
      auto const bytes = now.text.size() + before.text.size();
      ended_.push_back({std::move(key), now.answer, bytes, clock_.steady() + ended_for});
      ended_bytes_ += bytes;
    }
    forget_ended();
  }
  bus_.ring(attempt.task.value);
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
  auto const& [epoch, now, before, is_full] = found->second;
  bool const has_rest = before.answer == answer && offset < before.text.size();
  auto const& written = has_rest ? before : now;
  auto const from = written.answer == answer ? offset : 0;
  if (from >= written.text.size())
    return std::nullopt;
  return Written{written.answer, written.step, written.text.substr(from)};
}

std::unique_ptr<Bus::Subscription> LiveText::watch(asio::any_io_executor executor, TaskId const& task) {
  return bus_.subscribe(std::move(executor), {task.value});
}

}  // namespace al::events
