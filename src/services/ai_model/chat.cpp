#include "core/fault.hpp"
#include "core/log.hpp"
#include "http/sse.hpp"
#include "services/ai_model/chats.hpp"
#include "services/ai_model/protocol.hpp"
#include "services/ai_model/text_pipe.hpp"
#include "services/common/reply.hpp"

namespace al::services::ai_model {

struct ChatRequest {
  std::string message;
  std::optional<SessionId> session_id;
  Document context;
  bool stream = false;
};
BOOST_DESCRIBE_STRUCT(ChatRequest, (), (message, session_id, context, stream))

constexpr auto describe(std::type_identity<ChatRequest>) {
  using namespace entity;
  using R = ChatRequest;
  return about(
      "ChatRequest", "", "Something said to an agent.", field<&R::message>("What is said.", {.min = 1, .max = 100'000}),
      field<&R::session_id>("The conversation that goes on; a new one when left out."),
      field<&R::context>("Whatever travels along.", {.max = 262144, .defaulted = true}),
      field<&R::stream>("Server-sent events: session, text as it is written, end or error.", {.defaulted = true}));
}

struct ChatAnswer {
  SessionId session_id;
  AgentId agent_id;
  providers::Answer answer;
};
BOOST_DESCRIBE_STRUCT(ChatAnswer, (), (session_id, agent_id, answer))

constexpr auto describe(std::type_identity<ChatAnswer>) {
  using namespace entity;
  return about("ChatAnswer", "", "What an agent answers; with `stream`, the data of the event `end`.",
               field<&ChatAnswer::session_id>("The conversation, for what is said next."),
               field<&ChatAnswer::agent_id>("Who answers."), field<&ChatAnswer::answer>("The answer."));
}

namespace {

using http::Call;
using http::Response;

/// Where an agent runs that someone talks with: its words go to the client, and nothing is kept but what was said.
class ChatHost final : public agents::Host {
 public:
  explicit ChatHost(TextPipe* pipe) : pipe_(pipe) {}

  [[nodiscard]] Task<std::vector<data::TaskStep>> past(Deadline) override { co_return std::vector<data::TaskStep>{}; }
  void note(std::string_view, std::chrono::microseconds, std::string) override {}
  [[nodiscard]] Task<Result<void>> save() override { co_return Result<void>{}; }
  void begin_text(std::int64_t step) override { step_ = step; }
  void text(std::string_view piece) override {
    if (pipe_)
      pipe_->push(http::sse_event({}, "text", ObjectText().number("step", step_).text("text", piece).done()));
  }
  void wait_begins() override {}
  void wait_ends() override {}

 private:
  TextPipe* pipe_;
  std::int64_t step_ = 0;
};

/// One question to an agent and its answer.
struct Exchange {
  Chats chats;
  Actor actor;
  std::string request_id;
  SessionId session_id;
  agents::Assignment assignment;
};

Task<Result<providers::Answer>> answer(Exchange const& exchange, TextPipe* pipe, Deadline deadline) {
  ChatHost host(pipe);
  auto answer = co_await exchange.chats.runner.run(exchange.assignment, host, deadline);
  if (!answer)
    co_return fail(for_caller(std::move(answer.error())));
  auto kept = co_await remember(exchange.chats, exchange.actor, exchange.session_id, exchange.assignment.text, *answer,
                                deadline);
  if (!kept)
    co_return fail(std::move(kept.error()));
  co_return answer;
}

std::string answer_json(Exchange const& exchange, providers::Answer const& answer) {
  return entity::to_json(ChatAnswer{exchange.session_id, exchange.assignment.agent.id, answer});
}

std::string error_event(Exchange const& exchange, Error const& error) {
  return http::sse_event({}, "error", std::get<std::string>(http::problem(error, exchange.request_id).body));
}

Task<void> stream_answer(Exchange const& exchange, TextPipe& pipe) {
  pipe.push(http::sse_event({}, "session", ObjectText().text("session_id", exchange.session_id.value).done()));
  Error error{.code = Code::unavailable, .message = "a part of the platform could not be reached; try again"};
  try {
    auto const given = co_await answer(exchange, &pipe, Deadline::after(answer_time_max));
    if (given) {
      pipe.push(http::sse_event({}, "end", answer_json(exchange, *given)));
      co_return;
    }
    error = given.error();
  } catch (Fault const& fault) {
    log::warning("a chat met a fault", {{"session_id", exchange.session_id.value}, {"reason", fault.what()}});
  }
  pipe.push(error_event(exchange, error));
}

Response streamed(std::shared_ptr<Exchange const> exchange) {
  Response response;
  response.headers.set("Content-Type", "text/event-stream");
  response.headers.set("Cache-Control", "no-store");
  response.body = http::BodyStream([exchange](http::BodyWriter& writer) -> Task<void> {
    TextPipe pipe(co_await asio::this_coro::executor, http::sse_heartbeat);
    co_await pipe.run(stream_answer(*exchange, pipe), writer);
  });
  return response;
}

/// The session that goes on, or a new one.
Task<Result<model::ChatSession>> open_session(Chats const& chats, Actor const& actor, AgentId const& agent,
                                              std::optional<SessionId> const& id, Deadline deadline) {
  if (!id)
    co_return co_await chats.sessions.create(actor, chats.sessions.new_id(), agent, deadline);
  auto session = co_await chats.sessions.get(actor, *id, deadline);
  if (session && session->agent_id && *session->agent_id != agent)
    co_return fail(Code::conflict, "session '" + id->value + "' is with agent '" + session->agent_id->value + "'");
  co_return session;
}

Task<Result<Response>> chat(Chats chats, Call& call) {
  auto said = entity::from_json<ChatRequest>(call.body());
  if (!said)
    co_return fail(std::move(said.error()));
  auto const deadline = call.context.deadline;
  auto exchange = std::make_shared<Exchange>(Exchange{chats, call.context.actor(), call.context.request_id, {}, {}});
  auto agent = co_await chats.agents.stored(exchange->actor.tenant, AgentId{call.path("agent_id")}, deadline);
  if (!agent)
    co_return fail(std::move(agent.error()));
  auto session = co_await open_session(chats, exchange->actor, agent->id, said->session_id, deadline);
  if (!session)
    co_return fail(std::move(session.error()));
  auto turns = co_await turns_of(chats, exchange->actor, session->id, deadline);
  if (!turns)
    co_return fail(std::move(turns.error()));
  exchange->session_id = session->id;
  exchange->assignment = {.actor = exchange->actor,
                          .agent = std::move(*agent),
                          .text = std::move(said->message),
                          .context = std::move(said->context),
                          .history = std::move(*turns)};
  if (said->stream)
    co_return streamed(std::move(exchange));
  auto const given = co_await answer(*exchange, nullptr, deadline);
  if (!given)
    co_return fail(given.error());
  co_return http::json_response(200, answer_json(*exchange, *given));
}

}  // namespace

void add_chat_routes(http::Router& router, Chats const& chats) {
  router.add({.method = http::Method::post,
              .path = "/agents/{agent_id}/chat",
              .permission = "agents:chat",
              .summary = "Talk with an agent; it remembers the session",
              .takes = http::Body::json,
              .request = &entity::entity<ChatRequest>(),
              .response = &entity::entity<ChatAnswer>(),
              .errors = {Code::not_found, Code::conflict, Code::too_many_requests, Code::unavailable, Code::timed_out},
              .idempotent_key = false,
              .time_max = answer_time_max,
              .ends_with_client = true,
              .handler = [chats](Call& call) { return chat(chats, call); }});
}

}  // namespace al::services::ai_model
