#include "services/websocket/protocol.hpp"

#include <algorithm>
#include <array>
#include <boost/describe/enum_to_string.hpp>
#include <boost/json/value.hpp>

#include "core/entity.hpp"
#include "core/json.hpp"
#include "services/common/reply.hpp"

namespace al::services::websocket {
namespace {

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
         c == ':' || c == '-';
}

std::unexpected<Error> wrong(std::string path, std::string message) {
  return fail(entity::invalid({{std::move(path), std::move(message)}}));
}

struct VerbName {
  std::string_view name;
  Verb verb;
};
constexpr std::array verbs{VerbName{"authenticate", Verb::authenticate}, VerbName{"subscribe", Verb::subscribe},
                           VerbName{"unsubscribe", Verb::unsubscribe},   VerbName{"join_room", Verb::join_room},
                           VerbName{"leave_room", Verb::leave_room},     VerbName{"presence", Verb::presence},
                           VerbName{"send_message", Verb::send_message}, VerbName{"ping", Verb::ping}};

/// A text member. Errors: invalid when it is there and no text of 1 to `bytes_max` bytes.
Result<std::optional<std::string>> text_member(json::Input in, std::string_view key, std::size_t bytes_max) {
  auto const member = json::member(in, key);
  if (member.is_null())
    return std::optional<std::string>();
  if (!member.parsed->is_string())
    return wrong(std::string(key), "must be a text");
  std::string_view const text(member.parsed->get_string().data(), member.parsed->get_string().size());
  if (text.empty() || text.size() > bytes_max)
    return wrong(std::string(key), "must have 1 to " + std::to_string(bytes_max) + " bytes");
  return std::optional(std::string(text));
}

Result<std::string> required_text(json::Input in, std::string_view key, std::size_t bytes_max) {
  auto text = text_member(in, key, bytes_max);
  if (!text)
    return fail(std::move(text.error()));
  if (!*text)
    return wrong(std::string(key), "is missing");
  return std::move(**text);
}

Result<void> read_events(json::Input in, Inbound& out) {
  auto const list = json::member(in, "events");
  if (list.is_null())
    return {};
  if (!list.parsed->is_array())
    return wrong("events", "must be a list of patterns such as task:*");
  auto const elements = json::elements(list);
  if (elements.size() > patterns_max)
    return wrong("events", "takes at most " + std::to_string(patterns_max) + " patterns");
  out.has_events = true;
  for (std::size_t i = 0; i < elements.size(); ++i) {
    auto const path = "events[" + std::to_string(i) + "]";
    auto const& element = *elements[i].parsed;
    if (!element.is_string())
      return wrong(path, "must be a text");
    auto pattern = parse_pattern({element.get_string().data(), element.get_string().size()});
    if (!pattern)
      return wrong(path, pattern.error().message);
    if (std::ranges::find(out.events, *pattern) == out.events.end())
      out.events.push_back(std::move(*pattern));
  }
  return {};
}

Result<void> read_subscription(json::Input in, Inbound& out) {
  if (auto events = read_events(in, out); !events)
    return events;
  if (!out.has_events && out.verb == Verb::subscribe)
    return wrong("events", "is missing");
  auto resume = text_member(in, "resume", token_bytes_max);
  if (!resume)
    return fail(std::move(resume.error()));
  out.resume = std::move(*resume);
  return {};
}

Result<void> read_room(json::Input in, Inbound& out) {
  auto room = required_text(in, "room_id", room_bytes_max);
  if (!room)
    return fail(std::move(room.error()));
  if (!is_room(*room))
    return wrong("room_id", "takes letters, digits and _ . : -");
  out.room = std::move(*room);
  return {};
}

Result<void> read_sending(json::Input in, Inbound& out) {
  auto const text = required_text(in, "target", room_bytes_max + id_bytes_max);
  if (!text)
    return fail(text.error());
  auto target = parse_target(*text);
  if (!target)
    return wrong("target", target.error().message);
  out.target = std::move(*target);
  auto const message = json::member(in, "message");
  if (message.is_null() || !message.parsed->is_object())
    return wrong("message", "must be an object");
  out.message = message.raw;
  return {};
}

Result<void> read_authenticate(json::Input in, Inbound& out) {
  auto token = required_text(in, "token", token_bytes_max);
  if (!token)
    return fail(std::move(token.error()));
  out.token = std::move(*token);
  auto resume = text_member(in, "resume", token_bytes_max);
  if (!resume)
    return fail(std::move(resume.error()));
  out.resume = std::move(*resume);
  return {};
}

Result<void> read_members(json::Input in, Inbound& out) {
  switch (out.verb) {
    case Verb::authenticate:
      return read_authenticate(in, out);
    case Verb::subscribe:
    case Verb::unsubscribe:
      return read_subscription(in, out);
    case Verb::join_room:
    case Verb::leave_room:
    case Verb::presence:
      return read_room(in, out);
    case Verb::send_message:
      return read_sending(in, out);
    case Verb::ping:
      break;
  }
  return {};
}

Result<Inbound> read_inbound(json::Input root) {
  auto const type = required_text(root, "type", 50);
  if (!type)
    return fail(type.error());
  auto const verb = std::ranges::find(verbs, std::string_view(*type), &VerbName::name);
  if (verb == verbs.end())
    return fail(Code::invalid, "there is no message of this type");
  Inbound out{.verb = verb->verb};
  if (auto read = read_members(root, out); !read)
    return fail(std::move(read.error()));
  return out;
}

ObjectText begin(std::string_view type, std::string_view id) {
  ObjectText out;
  out.text("type", type);
  if (!id.empty())
    out.text("id", id);
  return out;
}

std::string list_of(std::vector<std::string> const& texts) {
  std::string out = "[";
  for (auto const& text : texts) {
    if (out.size() > 1)
      out += ',';
    json::append_string(out, text);
  }
  return out + "]";
}

std::string user_text(http::Principal const& principal, Account const& account) {
  ObjectText out;
  out.text("id", principal.user_id.empty() ? principal.id : principal.user_id);
  out.text("tenant_id", principal.tenant.value);
  if (!account.email.empty())
    out.text("email", account.email);
  out.raw("roles", list_of(account.roles)).raw("permissions", list_of(principal.permissions));
  return out.done();
}

}  // namespace

Result<Target> parse_target(std::string_view text) {
  using Kind = Target::Kind;
  if (text == "all")
    return Target{};
  if (text.starts_with("room:") && is_room(text.substr(5)))
    return Target{Kind::room, std::string(text.substr(5))};
  auto const user = text.starts_with("user:") ? text.substr(5) : std::string_view{};
  if (!user.empty() && user.size() <= id_bytes_max && std::ranges::all_of(user, is_plain))
    return Target{Kind::user, std::string(user)};
  return fail(Code::invalid, "must be all, room:ID or user:ID");
}

std::string to_text(Target const& target) {
  switch (target.kind) {
    case Target::Kind::all:
      return "all";
    case Target::Kind::room:
      return "room:" + target.id;
    case Target::Kind::user:
      return "user:" + target.id;
  }
  return {};
}

Result<std::string> parse_pattern(std::string_view text) {
  auto const fits = [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; };
  auto const refuse = [] { return fail(Code::invalid, "must be such as task:created, task:* or *"); };
  if (text == "*")
    return std::string("*");
  auto const separator = text.find_first_of(":.");
  if (text.size() > pattern_bytes_max || separator == std::string_view::npos)
    return refuse();
  auto const kind = text.substr(0, separator);
  auto const change = text.substr(separator + 1);
  bool const is_whole = !kind.empty() && std::ranges::all_of(kind, fits) && !change.empty() &&
                        (change == "*" || std::ranges::all_of(change, fits));
  if (!is_whole)
    return refuse();
  return std::string(kind) + ":" + std::string(change);
}

bool is_room(std::string_view text) {
  return !text.empty() && text.size() <= room_bytes_max && std::ranges::all_of(text, is_plain);
}

Parsed parse_inbound(std::string text) {
  auto const source = json::Source::from(std::move(text));
  if (!source)
    return {.message = fail(source.error())};
  auto const root = source->root();
  if (!root.parsed->is_object())
    return {.message = fail(Code::invalid, "a message must be a JSON object")};
  auto id = text_member(root, "id", id_bytes_max);
  if (!id)
    return {.message = fail(std::move(id.error()))};
  auto known = std::move(*id).value_or("");
  auto message = read_inbound(root);
  if (message)
    message->id = known;
  return {.id = std::move(known), .message = std::move(message)};
}

std::string connection_id_text(std::string_view connection_id) {
  return begin("connection_id", {}).text("connection_id", connection_id).done();
}

std::string authenticated_text(http::Principal const& principal, Account const& account, std::string_view resume,
                               std::string_view id) {
  auto out = begin("authenticated", id);
  out.raw("user", user_text(principal, account));
  if (!resume.empty())
    out.text("resume", resume);
  return out.done();
}

std::string error_text(std::string_view code, std::string_view message, std::string_view id) {
  return begin("error", id).text("code", code).text("error", message).done();
}

std::string error_text(Error const& error, std::string_view id) {
  auto message = error.message;
  for (auto const& fault : error.faults)
    message += (&fault == error.faults.data() ? ": " : ", ") + fault.path + " " + fault.message;
  return error_text(boost::describe::enum_to_string(error.code, "internal"), message, id);
}

std::string patterns_text(std::string_view type, std::vector<std::string> const& patterns, std::string_view resume,
                          std::string_view id) {
  auto out = begin(type, id);
  out.raw("events", list_of(patterns));
  if (!resume.empty())
    out.text("resume", resume);
  return out.done();
}

std::string room_text(std::string_view type, std::string_view room, std::string_view user_id, std::string_view id) {
  auto out = begin(type, id);
  out.text("room_id", room);
  if (!user_id.empty())
    out.text("user_id", user_id);
  return out.done();
}

std::string presence_text(std::string_view room, std::vector<std::string> const& members, std::string_view id) {
  return begin("presence", id).text("room_id", room).raw("members", list_of(members)).done();
}

std::string plain_text(std::string_view type, std::string_view resume, std::string_view id) {
  auto out = begin(type, id);
  if (!resume.empty())
    out.text("resume", resume);
  return out.done();
}

std::string dotted(std::string_view channel) {
  std::string out(channel);
  if (auto const at = out.find(':'); at != std::string::npos)
    out[at] = '.';
  return out;
}

std::string event_text(model::Event const& event, std::string_view resume) {
  auto out = begin("event", {});
  out.text("event", dotted(event.channel)).text("channel", event.channel);
  out.raw("data", entity::to_json(event)).text("timestamp", to_rfc3339(event.timestamp)).text("resume", resume);
  return out.done();
}

std::string message_data(Message const& message) {
  ObjectText out;
  out.text("target", to_text(message.target)).text("sender", message.sender).raw("message", message.body);
  return out.done();
}

std::optional<Message> read_message(Document const& data) {
  auto const source = json::Source::from(data.text);
  if (!source)
    return std::nullopt;
  auto const text = required_text(source->root(), "target", room_bytes_max + id_bytes_max);
  auto const sender = required_text(source->root(), "sender", id_bytes_max);
  auto const body = json::member(source->root(), "message");
  auto target = text ? parse_target(*text) : fail(text.error());
  if (!target || !sender || body.is_null())
    return std::nullopt;
  return Message{.target = std::move(*target), .sender = *sender, .body = std::string(body.raw)};
}

std::string message_text(model::Event const& event, Message const& message, std::string_view resume) {
  auto out = begin("message", {});
  out.text("message_id", event.event_id.value).text("target", to_text(message.target)).text("sender", message.sender);
  out.raw("message", message.body).text("timestamp", to_rfc3339(event.timestamp)).text("resume", resume);
  return out.done();
}

}  // namespace al::services::websocket
