#pragma once
#include <boost/describe.hpp>

#include "core/entity.hpp"

namespace al::model {

enum class ChatRole { system, user, assistant };
BOOST_DESCRIBE_ENUM(ChatRole, system, user, assistant)

struct ChatSession {
  SessionId id;
  std::optional<AgentId> agent_id;
  std::string created_by;
  std::int64_t message_count = 0;
  std::int64_t version = 1;
  Timestamp created_at{};
  Timestamp updated_at{};
};
BOOST_DESCRIBE_STRUCT(ChatSession, (), (id, agent_id, created_by, message_count, version, created_at, updated_at))

constexpr auto describe(std::type_identity<ChatSession>) {
  using namespace entity;
  using S = ChatSession;
  constexpr auto server = Access::read_only;
  return about("ChatSession", "chat_sessions", "A conversation that is remembered.",
               field<&S::id>("UUIDv7.", {.access = server}),
               field<&S::agent_id>("The agent it is with; null: with a model alone.", {.access = Access::create_only}),
               field<&S::created_by>("Whose it is: nobody else sees it.", {.access = server}),
               field<&S::message_count>("Messages that were ever said in it.", {.access = server}),
               field<&S::version>("Counts its changes; the ETag.", {.access = server}),
               field<&S::created_at>("When it began, UTC.", {.access = server}),
               field<&S::updated_at>("When something was last said, UTC.", {.access = server}));
}

struct ChatMessage {
  std::int64_t seq = 0;
  ChatRole role = ChatRole::user;
  std::string content;
  Document metadata;
  Timestamp created_at{};
};
BOOST_DESCRIBE_STRUCT(ChatMessage, (), (seq, role, content, metadata, created_at))

constexpr auto describe(std::type_identity<ChatMessage>) {
  using namespace entity;
  using M = ChatMessage;
  return about("ChatMessage", "chat_messages", "What was said.",
               field<&M::seq>("Its place in the session, from 1.", {.access = Access::read_only}),
               field<&M::role>("Who said it."), field<&M::content>("The words.", {.min = 1, .max = 200'000}),
               field<&M::metadata>("Whatever belongs to it, kept as written.", {.max = 65536, .defaulted = true}),
               field<&M::created_at>("When, UTC.", {.access = Access::read_only}));
}

}  // namespace al::model
