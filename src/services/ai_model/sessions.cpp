#include <algorithm>

#include "services/ai_model/chats.hpp"
#include "services/common/reply.hpp"

namespace al::services::ai_model {
namespace {

using http::Call;
using http::Method;
using http::Response;

constexpr std::int64_t history_default = 50;
constexpr std::int64_t history_max = 500;
/// Of what was said before a model is told so much: some 16,000 tokens.
constexpr std::size_t turn_bytes_max = 64 * 1024;

Task<Result<Response>> create(Chats chats, Call& call) {
  auto const wanted = entity::from_json<model::ChatSession>(call.body());
  if (!wanted)
    co_return fail(wanted.error());
  auto const actor = call.context.actor();
  if (wanted->agent_id) {
    auto agent = co_await chats.agents.stored(actor.tenant, *wanted->agent_id, call.context.deadline);
    if (!agent)
      co_return fail(std::move(agent.error()));
  }
  auto made =
      co_await chats.sessions.create(actor, id_for_new(call, chats.sessions), wanted->agent_id, call.context.deadline);
  if (!made)
    co_return fail(std::move(made.error()));
  co_return http::entity_response(201, entity::to_json(*made), made->version, "/api/v1/sessions/" + made->id.value);
}

Task<Result<Response>> list(Chats chats, Call& call) {
  auto const page = page_request(call);
  if (!page)
    co_return fail(page.error());
  auto sessions = co_await chats.sessions.list(call.context.actor(), *page, call.context.deadline);
  if (!sessions)
    co_return fail(std::move(sessions.error()));
  co_return list_response("sessions", *sessions);
}

Task<Result<Response>> get(Chats chats, Call& call) {
  auto session =
      co_await session_of(chats, call.context.actor(), call.path("session_id"), call.context.deadline, freshness(call));
  if (!session)
    co_return fail(std::move(session.error()));
  co_return http::entity_response(200, entity::to_json(*session), session->version);
}

Task<Result<Response>> remove(Chats chats, Call& call) {
  auto const actor = call.context.actor();
  auto session = co_await session_of(chats, actor, call.path("session_id"), call.context.deadline);
  if (!session)
    co_return fail(std::move(session.error()));
  if (auto done = co_await chats.sessions.remove(actor, session->id, call.context.deadline); !done)
    co_return fail(std::move(done.error()));
  co_return message_response("session '" + session->id.value + "' is deleted");
}

Task<Result<Response>> history(Chats chats, Call& call) {
  auto const limit = call.query_int("limit", history_default, 1, history_max);
  if (!limit)
    co_return fail(limit.error());
  auto const actor = call.context.actor();
  auto session = co_await session_of(chats, actor, call.path("session_id"), call.context.deadline);
  if (!session)
    co_return fail(std::move(session.error()));
  auto messages = co_await chats.sessions.history(actor, session->id, *limit, call.context.deadline);
  if (!messages)
    co_return fail(std::move(messages.error()));
  co_return list_response("messages", data::Page<model::ChatMessage>{std::move(*messages), {}, {}},
                          ObjectText().text("session_id", session->id.value));
}

Task<Result<Response>> clear(Chats chats, Call& call) {
  auto const actor = call.context.actor();
  auto session = co_await session_of(chats, actor, call.path("session_id"), call.context.deadline);
  if (!session)
    co_return fail(std::move(session.error()));
  if (auto done = co_await chats.sessions.clear(actor, session->id, call.context.deadline); !done)
    co_return fail(std::move(done.error()));
  co_return message_response("what was said in session '" + session->id.value + "' is forgotten");
}

Task<Result<Response>> add_message(Chats chats, Call& call) {
  auto message = entity::from_json<model::ChatMessage>(call.body());
  if (!message)
    co_return fail(std::move(message.error()));
  auto const actor = call.context.actor();
  auto session = co_await session_of(chats, actor, call.path("session_id"), call.context.deadline);
  if (!session)
    co_return fail(std::move(session.error()));
  std::vector<model::ChatMessage> messages;
  messages.push_back(std::move(*message));
  auto added = co_await chats.sessions.append(actor, session->id, std::move(messages), call.context.deadline);
  if (!added)
    co_return fail(std::move(added.error()));
  co_return http::entity_response(201, entity::to_json(*added), added->version);
}

template <class F>
http::Handler bind(Chats const& chats, F handler) {
  return [chats, handler](Call& call) { return handler(chats, call); };
}

}  // namespace

Task<Result<model::ChatSession>> session_of(Chats const& chats, Actor const& actor, std::string const& id,
                                            Deadline deadline, data::Freshness freshness) {
  if (!is_uuid(id))
    co_return fail(Code::not_found, "there is no session '" + id + "'; ids are UUIDs");
  co_return co_await chats.sessions.get(actor, SessionId{normal_uuid(id)}, deadline, freshness);
}

Task<Result<std::vector<providers::Message>>> turns_of(Chats const& chats, Actor const& actor, SessionId const& id,
                                                       Deadline deadline) {
  auto messages = co_await chats.sessions.history(actor, id, history_default, deadline);
  if (!messages)
    co_return fail(std::move(messages.error()));
  std::vector<providers::Message> turns;
  std::size_t bytes = 0;
  for (auto at = messages->rbegin(); at != messages->rend(); ++at) {
    bytes += at->content.size();
    if (bytes > turn_bytes_max)
      break;
    auto const role =
        at->role == model::ChatRole::assistant ? providers::Message::Role::assistant : providers::Message::Role::user;
    turns.push_back({.role = role, .text = std::move(at->content)});
  }
  std::ranges::reverse(turns);
  // Protocols want a user's turn first.
  while (!turns.empty() && turns.front().role == providers::Message::Role::assistant)
    turns.erase(turns.begin());
  co_return turns;
}

Task<Result<void>> remember(Chats const& chats, Actor const& actor, SessionId const& id, std::string question,
                            providers::Answer const& answer, Deadline deadline) {
  std::string sources = "[";
  for (auto const& source : answer.sources) {
    sources += (sources.size() > 1 ? "," : "") + ObjectText()
                                                     .text("agent_id", source.agent_id.value)
                                                     .text("knowledge_id", source.knowledge_id.value)
                                                     .text("source", source.source)
                                                     .done();
  }
  std::vector<model::ChatMessage> messages(2);
  messages[0].content = std::move(question);
  messages[1].role = model::ChatRole::assistant;
  messages[1].content = answer.text;
  messages[1].metadata.text = ObjectText()
                                  .text("provider", answer.provider)
                                  .text("model", answer.model)
                                  .number("input_tokens", answer.input_tokens)
                                  .number("output_tokens", answer.output_tokens)
                                  .raw("sources", sources + "]")
                                  .done();
  auto added = co_await chats.sessions.append(actor, id, std::move(messages), deadline);
  if (!added)
    co_return fail(std::move(added.error()));
  co_return Result<void>{};
}

void add_session_routes(http::Router& router, Chats const& chats) {
  auto const* session = &entity::entity<model::ChatSession>();
  auto const* message = &entity::entity<model::ChatMessage>();
  router.add({.method = Method::post,
              .path = "/sessions",
              .permission = "sessions:write",
              .summary = "Begin a conversation that is remembered",
              .takes = http::Body::json,
              .request = session,
              .response = session,
              .success = 201,
              .errors = {Code::not_found},
              .handler = bind(chats, create)});
  router.add({.method = Method::get,
              .path = "/sessions",
              .permission = "sessions:read",
              .summary = "List one's own conversations, newest first",
              .query = list_parameters(),
              .response = session,
              .list = "sessions",
              .handler = bind(chats, list)});
  router.add({.method = Method::get,
              .path = "/sessions/{session_id}",
              .permission = "sessions:read",
              .summary = "Read one conversation's facts",
              .response = session,
              .errors = {Code::not_found},
              .handler = bind(chats, get)});
  router.add({.method = Method::del,
              .path = "/sessions/{session_id}",
              .permission = "sessions:write",
              .summary = "Delete a conversation",
              .response = &entity::entity<Message>(),
              .errors = {Code::not_found},
              .handler = bind(chats, remove)});
  router.add({.method = Method::get,
              .path = "/sessions/{session_id}/history",
              .permission = "sessions:read",
              .summary = "What was said last, oldest first",
              .query = {{.name = "limit", .doc = "How many at most, 1 to 500; 50 when left out.", .type = "integer"}},
              .response = message,
              .list = "messages",
              .errors = {Code::not_found},
              .handler = bind(chats, history)});
  router.add({.method = Method::del,
              .path = "/sessions/{session_id}/history",
              .permission = "sessions:write",
              .summary = "Forget what was said",
              .response = &entity::entity<Message>(),
              .errors = {Code::not_found},
              .handler = bind(chats, clear)});
  router.add({.method = Method::post,
              .path = "/sessions/{session_id}/messages",
              .permission = "sessions:write",
              .summary = "Add what was said elsewhere",
              .takes = http::Body::json,
              .request = message,
              .response = session,
              .success = 201,
              .errors = {Code::not_found},
              .repeatable = false,
              .handler = bind(chats, add_message)});
}

}  // namespace al::services::ai_model
