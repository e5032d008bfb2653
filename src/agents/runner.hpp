#pragma once
/// How an agent comes to an answer, seen from those who let it: the worker (tasks) and the chat.

#include <string>
#include <string_view>
#include <vector>

#include "data/task_store.hpp"
#include "providers/answer.hpp"
#include "providers/chat.hpp"

namespace al::agents {

/// What an agent is asked.
struct Assignment {
  Actor actor;  ///< for whom; what the agent delegates is created in this name
  model::Agent agent;
  std::optional<TaskId> task_id{};  ///< nothing in a chat
  std::string text;
  Document context{};
  std::vector<providers::Message> history{};  ///< earlier turns of a chat, oldest first
};

/// The place where an agent runs. Its trace is its journal as well: what a model answered is made durable before it is
/// used, so that a run that was interrupted goes on from there and pays for nothing twice.
class Host {
 public:
  virtual ~Host() = default;

  /// What earlier attempts wrote down, oldest first.
  [[nodiscard]] virtual Task<std::vector<data::TaskStep>> past(Deadline) = 0;
  /// Adds a step; it is durable after the next save(), or with the end of the run. `detail` is JSON.
  virtual void note(std::string_view kind, std::chrono::microseconds took, std::string detail) = 0;
  /// Errors: lease_lost; then the run must end.
  [[nodiscard]] virtual Task<Result<void>> save() = 0;

  /// The model begins its `step`-th answer, and writes it piece by piece.
  virtual void begin_text(std::int64_t step) = 0;
  virtual void text(std::string_view piece) = 0;
  /// While it waits for another task the agent takes no place of those that run. Calls come in pairs.
  virtual void wait_begins() = 0;
  virtual void wait_ends() = 0;
};

/// Carries out assignments; many at a time, on the executor of each caller.
class Runner {
 public:
  virtual ~Runner() = default;
  /// Both must live until the answer is there. Errors: invalid (the agent's config, a limit that it sets, a provider
  /// that refuses), lease_lost, timed_out, too_many_requests and unavailable (another attempt may succeed).
  [[nodiscard]] virtual Task<Result<providers::Answer>> run(Assignment const&, Host&, Deadline) = 0;
};

}  // namespace al::agents
