#include "events/live_text.hpp"

namespace al::events {

void LiveText::begin(TenantId const& tenant, TaskId const& task, std::int64_t step) {
  std::scoped_lock const lock(mutex_);
  texts_[{tenant.value, task.value}] = {.answer = ++answers_, .step = step, .text = {}};
}

void LiveText::append(TenantId const& tenant, TaskId const& task, std::string_view piece) {
  {
    std::scoped_lock const lock(mutex_);
    auto const found = texts_.find({tenant.value, task.value});
    if (found == texts_.end() || found->second.text.size() + piece.size() > bytes_max)
      return;
    found->second.text += piece;
  }
  bus_.announce(channel(task));
}

void LiveText::end(TenantId const& tenant, TaskId const& task) {
  {
    std::scoped_lock const lock(mutex_);
    texts_.erase({tenant.value, task.value});
  }
  bus_.announce(channel(task));
}

std::optional<LiveText::Written> LiveText::read(TenantId const& tenant, TaskId const& task, std::uint64_t answer,
                                                std::size_t offset) const {
  std::scoped_lock const lock(mutex_);
  auto const found = texts_.find({tenant.value, task.value});
  if (found == texts_.end())
    return std::nullopt;
  auto const& written = found->second;
  auto const from = written.answer == answer ? offset : 0;
  if (from >= written.text.size())
    return std::nullopt;
  return Written{written.answer, written.step, written.text.substr(from)};
}

}  // namespace al::events
