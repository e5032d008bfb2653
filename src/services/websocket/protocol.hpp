#pragma once
/// The messages of /ws as values: what clients send, and the texts that go out. No socket and no state here.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/ids.hpp"
#include "core/result.hpp"
#include "events/event_log.hpp"
#include "http/context.hpp"

namespace al::services::websocket {

inline constexpr std::size_t patterns_max = 64;
inline constexpr std::size_t pattern_bytes_max = 100;
inline constexpr std::size_t room_bytes_max = 100;
inline constexpr std::size_t id_bytes_max = 100;
inline constexpr std::size_t token_bytes_max = 8192;

/// Whom a message is for.
struct Target {
  enum class Kind : std::uint8_t { all, room, user };
  Kind kind = Kind::all;
  std::string id{};  ///< of the room or user
  bool operator==(Target const&) const = default;
};
/// "all", "room:ID", "user:ID". Errors: invalid.
[[nodiscard]] Result<Target> parse_target(std::string_view);
[[nodiscard]] std::string to_text(Target const&);

/// A pattern as the log has it: "task:*" also of the clients' "task.*"; "*". Errors: invalid, naming it.
[[nodiscard]] Result<std::string> parse_pattern(std::string_view);
/// 1 to room_bytes_max letters, digits and `_ . : -`.
[[nodiscard]] bool is_room(std::string_view);

enum class Verb : std::uint8_t {
  authenticate,
  subscribe,
  unsubscribe,
  join_room,
  leave_room,
  presence,
  send_message,
  ping,
};

/// What a client sent. Which members count depends on `verb`.
struct Inbound {
  Verb verb = Verb::ping;
  std::string id{};                     ///< the client's own, sent back with the answer; may be empty
  std::string token{};                  ///< authenticate
  std::optional<std::string> resume{};  ///< authenticate, subscribe
  std::vector<std::string> events{};    ///< subscribe, unsubscribe: patterns of the log
  bool has_events = false;
  std::string room{};     ///< join_room, leave_room, presence
  Target target{};        ///< send_message
  std::string message{};  ///< send_message: a JSON object as it was written
};
struct Parsed {
  std::string id{};  ///< the client's own, also of what is refused
  /// Errors: bad_request (no JSON), invalid (anything else; unknown members are let be, for newer clients).
  Result<Inbound> message;
};
[[nodiscard]] Parsed parse_inbound(std::string text);

// ---- what goes out ----

[[nodiscard]] std::string connection_id_text(std::string_view connection_id);
struct Account {
  std::string email{};
  std::vector<std::string> roles{};
};
[[nodiscard]] std::string authenticated_text(http::Principal const&, Account const&, std::string_view resume,
                                             std::string_view id);
[[nodiscard]] std::string error_text(std::string_view code, std::string_view message, std::string_view id = {});
[[nodiscard]] std::string error_text(Error const&, std::string_view id = {});
/// {"type": type, "events": […]}, and `resume` unless it is empty.
[[nodiscard]] std::string patterns_text(std::string_view type, std::vector<std::string> const& patterns,
                                        std::string_view resume, std::string_view id);
/// {"type": type, "room_id": …}, with `user_id` unless it is empty.
[[nodiscard]] std::string room_text(std::string_view type, std::string_view room, std::string_view user_id,
                                    std::string_view id = {});
[[nodiscard]] std::string presence_text(std::string_view room, std::vector<std::string> const& members,
                                        std::string_view id);
[[nodiscard]] std::string plain_text(std::string_view type, std::string_view resume, std::string_view id = {});

/// "task.created" of "task:created": how browser clients call events.
[[nodiscard]] std::string dotted(std::string_view channel);

[[nodiscard]] std::string event_text(model::Event const&, std::string_view resume);

/// The events that carry messages between clients.
inline constexpr std::string_view message_kind = "message";
inline constexpr std::string_view message_channel = "message:sent";
struct Message {
  Target target{};
  std::string sender{};  ///< user id
  std::string body{};    ///< a JSON object as it was written
};
/// The `data` of its event.
[[nodiscard]] std::string message_data(Message const&);
/// Nothing: it is no message of ours.
[[nodiscard]] std::optional<Message> read_message(Document const& data);
[[nodiscard]] std::string message_text(model::Event const&, Message const&, std::string_view resume);

}  // namespace al::services::websocket
