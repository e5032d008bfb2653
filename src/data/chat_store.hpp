#pragma once
#include <string>
#include <vector>

#include "data/change.hpp"
#include "data/page.hpp"
#include "model/chat.hpp"

namespace al::data {

/// Conversations, each its creator's own: for everyone else they are not there. Thread-safe.
class ChatStore {
 public:
  explicit ChatStore(Writer& writer) : writer_(writer) {}

  [[nodiscard]] SessionId new_id() { return SessionId{writer_.new_uuid()}; }
  /// The actor's own session of this id when it is there already.
  [[nodiscard]] Task<Result<model::ChatSession>> create(Actor const&, SessionId, std::optional<AgentId>, Deadline);
  /// Errors: not_found.
  [[nodiscard]] Task<Result<model::ChatSession>> get(Actor const&, SessionId const&, Deadline,
                                                     Freshness = Freshness::cached);
  /// Newest first. Errors: invalid (cursor).
  [[nodiscard]] Task<Result<Page<model::ChatSession>>> list(Actor const&, PageRequest, Deadline);
  /// Adds messages in one change; seq and time are made here. Errors: not_found.
  [[nodiscard]] Task<Result<model::ChatSession>> append(Actor const&, SessionId const&, std::vector<model::ChatMessage>,
                                                        Deadline);
  /// The last `limit` messages, oldest first. Errors: not_found.
  [[nodiscard]] Task<Result<std::vector<model::ChatMessage>>> history(Actor const&, SessionId const&,
                                                                      std::int64_t limit, Deadline);
  /// Forgets what was said. Errors: not_found.
  [[nodiscard]] Task<Result<void>> clear(Actor const&, SessionId const&, Deadline);
  /// The session and what was said in it. Errors: not_found.
  [[nodiscard]] Task<Result<void>> remove(Actor const&, SessionId const&, Deadline);

 private:
  Writer& writer_;
};

}  // namespace al::data
