#pragma once
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/ids.hpp"
#include "events/bus.hpp"

namespace al::events {

/// What the models of running tasks have written so far, for those who watch. It is lost with the process: the answer
/// itself is stored, this is only sooner. Thread-safe; the bus rings `live:TASK` when there is more.
class LiveText {
 public:
  explicit LiveText(Bus& bus) : bus_(bus) {}

  /// The task's model begins its next answer; what it wrote in the one before is gone.
  void begin(TenantId const&, TaskId const&, std::int64_t step);
  /// Text beyond `bytes_max` of one answer is not shown.
  void append(TenantId const&, TaskId const&, std::string_view piece);
  /// The attempt is over.
  void end(TenantId const&, TaskId const&);

  struct Written {
    std::uint64_t answer = 0;  ///< a number of each answer that was begun, of whatever attempt
    std::int64_t step = 0;
    std::string text;  ///< what came after `offset`, or all of another answer
  };
  /// Nothing when the task does not run here or has written no more.
  [[nodiscard]] std::optional<Written> read(TenantId const&, TaskId const&, std::uint64_t answer,
                                            std::size_t offset) const;

  [[nodiscard]] static std::string channel(TaskId const& task) { return "live:" + task.value; }

  static constexpr std::size_t bytes_max = 1 << 20;

 private:
  using Key = std::pair<std::string, std::string>;
  Bus& bus_;
  mutable std::mutex mutex_;
  std::map<Key, Written> texts_;
  std::uint64_t answers_ = 0;
};

}  // namespace al::events
