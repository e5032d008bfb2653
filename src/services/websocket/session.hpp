#pragma once
/// One client of /ws: what it may say, what it is sent, and how it takes up where it left off.

#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "data/event_store.hpp"
#include "data/user_store.hpp"
#include "http/websocket.hpp"
#include "services/websocket/hub.hpp"

namespace al::services::websocket {

/// Of the application's range (RFC 6455, section 7.4.2), after the HTTP statuses.
inline constexpr std::uint16_t close_unauthenticated = 4401;
inline constexpr std::uint16_t close_forbidden = 4403;

/// What sessions work with. All outlive them.
struct SessionTies {
  Hub& hub;
  http::Authenticator& authenticator;
  data::EventStore& messages;
  data::UserStore& users;
  Presence* presence = nullptr;  ///< null: this process's rooms are all there are
};

/// So many messages a client may send.
class Allowance {
 public:
  static constexpr double per_second = 50;
  static constexpr double burst = 100;
  /// False: it has sent too many.
  [[nodiscard]] bool take(SteadyTime now);

 private:
  double left_ = burst;
  SteadyTime at_{};
};

/// Lives on its connection's thread.
class Session final : public Follower, public std::enable_shared_from_this<Session> {
 public:
  static constexpr std::chrono::seconds authentication_time{10};
  static constexpr std::size_t rooms_max = 32;

  /// What came with the handshake; both may be empty.
  struct Opening {
    std::string token;
    std::string resume;
    Actor actor;  ///< the request's
  };
  Session(SessionTies ties, std::shared_ptr<http::WebSocket> socket, asio::any_io_executor executor, Opening opening);

  /// Until the connection ends.
  [[nodiscard]] Task<void> run();

  void deliver(ItemPointer const&) override;
  void notify(std::shared_ptr<std::string const> const& text) override;
  [[nodiscard]] Task<void> recheck() override;
  void revoke() override;

 private:
  struct Stay;

  [[nodiscard]] Task<void> serve();
  [[nodiscard]] Task<bool> handle(std::string text);
  [[nodiscard]] Task<void> act(Inbound message);
  [[nodiscard]] Task<void> authenticate(std::string token, std::optional<std::string> resume, std::string id);
  [[nodiscard]] Task<void> settle_in(http::Principal found, std::optional<std::string> resume, std::string id);
  void renew(http::Principal found, std::string token, std::string const& id);
  [[nodiscard]] Task<Account> find_account(http::Principal const&);
  [[nodiscard]] Task<Result<http::Principal>> check(std::string const& token);

  [[nodiscard]] Task<void> subscribe(Inbound message);
  [[nodiscard]] Task<void> follow(std::vector<std::string> wanted, std::string id);
  [[nodiscard]] Task<void> resume_from(std::string token, std::vector<std::string> wanted, std::string id);
  void unsubscribe(Inbound const& message);
  [[nodiscard]] Result<std::vector<std::string>> patterns_with(std::vector<std::string> const& more) const;
  [[nodiscard]] Task<Result<std::string>> join_feed();
  [[nodiscard]] std::string position() const;
  void remember(Item const& item);
  void begin_subscription();

  [[nodiscard]] Task<void> join_room(Inbound message);
  [[nodiscard]] Task<void> leave_room(Inbound message);
  [[nodiscard]] Task<void> show_presence(Inbound message);
  [[nodiscard]] Task<void> send_message(Inbound message);
  [[nodiscard]] Task<void> beat();
  void leave_everything();

  static Task<void> replay(std::shared_ptr<Session> self, std::string token);
  [[nodiscard]] Task<std::string> replay_log(std::string token);
  [[nodiscard]] Task<void> replay_until(std::string token, std::string until);
  [[nodiscard]] Task<void> replay_held();
  [[nodiscard]] Task<void> send_page(events::Page page);
  [[nodiscard]] Task<void> room_to_send();
  [[nodiscard]] events::Filter replay_filter() const;

  void send(std::shared_ptr<std::string const> const& text);
  void send(std::string text) { send(std::make_shared<std::string const>(std::move(text))); }
  void refuse(Error const& error, std::string const& id) { send(error_text(error, id)); }
  void close(std::uint16_t code, std::string_view reason);
  [[nodiscard]] bool is_known() const { return !principal.id.empty(); }

  SessionTies const ties_;
  std::shared_ptr<http::WebSocket> const socket_;
  asio::any_io_executor const executor_;
  Shard& shard_;
  Opening opening_;
  std::string token_;                  ///< its credential
  std::optional<std::string> resume_;  ///< where the first subscription begins, until it has begun
  std::vector<std::int64_t> heard_;    ///< numbers of the messages that came live while `can_resume_`
  bool can_resume_ = true;             ///< no subscription has begun, and `heard_` has all that came before it
  std::string stream_;                 ///< of the messages that it sends
  std::int64_t stream_version_ = 0;
  Allowance allowance_;
  SteadyTime beat_at_{};
  std::deque<ItemPointer> held_;  ///< came while it is replaying
  bool is_replaying_ = false;
  bool is_closed_ = false;
};

}  // namespace al::services::websocket
