#include "services/websocket/routes.hpp"

#include "model/broadcast.hpp"
#include "services/common/reply.hpp"

namespace al::services::websocket {

struct BroadcastAccepted {
  std::string status = "accepted";
  std::string message_id;
};
BOOST_DESCRIBE_STRUCT(BroadcastAccepted, (), (status, message_id))

constexpr auto describe(std::type_identity<BroadcastAccepted>) {
  using namespace entity;
  return about("BroadcastAccepted", "", "A message that is on its way.", field<&BroadcastAccepted::status>("accepted."),
               field<&BroadcastAccepted::message_id>("Its id; a repeat with the same key has the same."));
}

struct ConnectedUser {
  std::string user_id;
  std::int64_t connections = 0;
};
BOOST_DESCRIBE_STRUCT(ConnectedUser, (), (user_id, connections))

constexpr auto describe(std::type_identity<ConnectedUser>) {
  using namespace entity;
  return about("ConnectedUser", "", "Somebody who is connected.", field<&ConnectedUser::user_id>("A user or API key."),
               field<&ConnectedUser::connections>("How many he has."));
}

struct Connections {
  std::int64_t connections = 0;
  std::vector<ConnectedUser> users;
  std::int64_t count = 0;
};
BOOST_DESCRIBE_STRUCT(Connections, (), (connections, users, count))

constexpr auto describe(std::type_identity<Connections>) {
  using namespace entity;
  return about("Connections", "", "Who is connected to this process.", field<&Connections::connections>("In all."),
               field<&Connections::users>("Whose they are."), field<&Connections::count>("How many users."));
}

namespace {

using http::Call;
using http::Method;
using http::Response;

/// The credential of the handshake: of a header, else of the query, for browsers cannot set headers here. Cookies are
/// none: a foreign page's handshake carries them too.
std::string token_of(Call const& call) {
  constexpr std::string_view scheme = "Bearer ";
  auto const& headers = call.request.headers;
  if (auto const header = headers.find("Authorization")) {
    bool const is_bearer =
        header->size() > scheme.size() && http::equal_without_case(header->substr(0, scheme.size()), scheme);
    return std::string(is_bearer ? header->substr(scheme.size()) : *header);
  }
  if (auto const key = headers.find("X-Api-Key"))
    return std::string(*key);
  return std::string(call.query("token").value_or(""));
}

/// Keeps the session for as long as it runs.
Task<void> serve(std::shared_ptr<Session> session) { co_await session->run(); }

Task<Result<Response>> connect(Sockets sockets, Call& call) {
  auto const& headers = call.request.headers;
  // Clients that are no browsers send none, and have nobody's pages.
  if (auto const origin = headers.find("Origin")) {
    if (headers.count("Origin") != 1 || !sockets.origins.allows(*origin, headers.find("Host").value_or(""))) {
      sockets.ties.hub.counts().refused.fetch_add(1);
      co_return fail(Code::forbidden,
                     "Pages of this origin may not connect. The operator names it in AGENT_LIGHTNING_ALLOWED_ORIGINS.");
    }
  }
  Session::Opening const opening{
      .token = token_of(call), .resume = std::string(call.query("resume").value_or("")), .actor = call.context.actor()};
  auto const executor = co_await asio::this_coro::executor;
  Response response;
  response.status = 101;
  response.body = http::WebSocketSession{
      .run = [ties = sockets.ties, executor, opening](std::shared_ptr<http::WebSocket> socket) -> Task<void> {
        return serve(std::make_shared<Session>(ties, std::move(socket), executor, opening));
      }};
  co_return response;
}

// ---- POST /broadcast ----

Result<Message> read_broadcast(json::Input body) {
  auto const wanted = entity::from_json<model::Broadcast>(body);
  if (!wanted)
    return fail(wanted.error());
  entity::Faults faults;
  auto target = parse_target(wanted->target);
  if (!target)
    faults.push_back({"target", target.error().message});
  if (!wanted->data.text.starts_with('{'))
    faults.push_back({"data", "must be an object"});
  if (!faults.empty())
    return fail(entity::invalid(std::move(faults)));
  ObjectText message;
  message.text("type", wanted->type);
  if (wanted->channel)
    message.text("channel", *wanted->channel);
  message.raw("data", wanted->data.text);
  return Message{.target = std::move(*target), .sender = {}, .body = message.done()};
}

Task<Result<Response>> broadcast(Sockets sockets, Call& call) {
  auto message = read_broadcast(call.body());
  if (!message)
    co_return fail(std::move(message.error()));
  auto const& principal = call.context.principal;
  message->sender = principal.user_id.empty() ? principal.id : principal.user_id;
  auto& messages = sockets.ties.messages;
  auto const id = call.made_id.empty() ? messages.writer().new_uuid() : call.made_id;
  std::vector<data::NewEvent> events;
  events.push_back({.channel = std::string(message_channel), .data = {.text = message_data(*message)}});
  auto const sent = co_await messages.append(call.context.actor(), {.kind = std::string(message_kind), .id = id}, 0,
                                             std::move(events), call.context.deadline);
  // The stream is the call's own: when it is there already, this call has been made before.
  if (!sent && sent.error().code != Code::version_mismatch)
    co_return fail(sent.error());
  co_return described_response(202, BroadcastAccepted{.message_id = id});
}

// ---- GET /connections ----

Task<Result<Response>> connections(Sockets sockets, Call& call) {
  Connections out;
  auto const users = sockets.ties.hub.users(call.context.principal.tenant);
  for (auto const& [user, count] : users) {
    out.users.push_back({user, static_cast<std::int64_t>(count)});
    out.connections += out.users.back().connections;
  }
  out.count = std::ssize(out.users);
  co_return described_response(200, out);
}

template <class F>
http::Handler bind(Sockets const& sockets, F handler) {
  return [sockets, handler](Call& call) { return handler(sockets, call); };
}

}  // namespace

void add_routes(http::Router& router, Sockets const& sockets) {
  router.add({.method = Method::get,
              .path = "/ws",
              .permission = "",
              .summary = "A WebSocket for events and messages",
              .query = {{.name = "token", .doc = "The credential, of clients that cannot send it otherwise."},
                        {.name = "resume", .doc = "Where the first subscription begins: a resume token."}},
              .success = 101,
              .errors = {Code::forbidden},
              .websocket = true,
              .handler = bind(sockets, connect)});
  router.add({.method = Method::post,
              .path = "/broadcast",
              .permission = "messages:send",
              .summary = "Send a message to connected clients",
              .takes = http::Body::json,
              .request = &entity::entity<model::Broadcast>(),
              .response = &entity::entity<BroadcastAccepted>(),
              .success = 202,
              .handler = bind(sockets, broadcast)});
  router.add({.method = Method::get,
              .path = "/connections",
              .permission = "connections:read",
              .summary = "Who is connected to this process",
              .response = &entity::entity<Connections>(),
              .handler = bind(sockets, connections)});
}

}  // namespace al::services::websocket
