#pragma once
/// Conversations: with an agent, or with a model alone.

#include <map>
#include <string>
#include <vector>

#include "agents/runner.hpp"
#include "data/agent_store.hpp"
#include "data/chat_store.hpp"
#include "services/ai_model/routes.hpp"

namespace al::services::ai_model {

/// What the handlers work with. All outlive the router.
struct Chats {
  data::ChatStore& sessions;
  data::AgentStore& agents;
  agents::Runner& runner;
  Models models;
  Clock const& clock;
  Random& random;
};

void add_chat_routes(http::Router&, Chats const&);       ///< POST /agents/{agent_id}/chat
void add_inference_routes(http::Router&, Chats const&);  ///< POST /inference
void add_session_routes(http::Router&, Chats const&);    ///< /sessions

/// Models may take their time; the providers' own timeouts end what hangs.
inline constexpr std::chrono::seconds answer_time_max{600};

/// The session that a request names. Errors: not_found.
[[nodiscard]] Task<Result<model::ChatSession>> session_of(Chats const&, Actor const&, std::string const& id, Deadline,
                                                          data::Freshness = data::Freshness::cached);

/// What was said before, as a model is told of it: the last turns, as many as fit.
[[nodiscard]] Task<Result<std::vector<providers::Message>>> turns_of(Chats const&, Actor const&, SessionId const&,
                                                                     Deadline);

/// Question and answer are remembered together, or neither is.
[[nodiscard]] Task<Result<void>> remember(Chats const&, Actor const&, SessionId const&, std::string question,
                                          providers::Answer const&, Deadline);

}  // namespace al::services::ai_model
