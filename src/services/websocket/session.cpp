#include "services/websocket/session.hpp"

#include <algorithm>

#include "core/fault.hpp"
#include "core/log.hpp"
#include "http/request_id.hpp"

namespace al::services::websocket {
namespace {

constexpr std::size_t credential_bytes_max = 4096;
constexpr std::chrono::seconds call_timeout{10};
constexpr Deadline never{SteadyTime::max()};
constexpr std::string_view connect_permission = "websocket:connect";
constexpr std::string_view send_permission = "messages:send";

constexpr std::int64_t replay_page = 100;
constexpr std::size_t held_max = 5000;
/// 8 KB a connection at most, which go with its first subscription.
constexpr std::size_t heard_max = 1000;
/// How soon to look again whether a client that resumes has taken what it was sent: the log alone must not fill its
/// queue.
constexpr std::chrono::milliseconds replay_pause{20};

constexpr std::chrono::seconds beat_interval{10};
constexpr std::chrono::seconds beat_ttl{30};

Deadline soon() { return Deadline::after(call_timeout); }

std::unexpected<Error> denied(std::string message) { return fail(Code::forbidden, std::move(message)); }

/// The last connection that a user had in this room here has left it.
Task<void> tell_left(SessionTies ties, TenantId tenant, std::string room, std::string user) {
  if (ties.hub.is_over())
    co_return;
  if (ties.presence != nullptr) {
    if (auto const gone = co_await ties.presence->leave(tenant, room, user, soon()); !gone)
      log::warning("a room's member could not be taken out", {{"error", std::string_view(gone.error().message)}});
    // Another connection of his may have come meanwhile, and what noted it may have been taken out again.
    if (auto const here = ties.hub.members(tenant, room); std::ranges::find(here, user) != here.end()) {
      (void)co_await ties.presence->beat(tenant, room, user, beat_ttl, soon());
      co_return;
    }
  }
  ties.hub.tell_room(tenant, room, user, false);
}

}  // namespace

bool Allowance::take(SteadyTime now) {
  if (at_ != SteadyTime{})
    left_ = std::min(burst, left_ + std::chrono::duration<double>(now - at_).count() * per_second);
  at_ = now;
  if (left_ < 1)
    return false;
  left_ -= 1;
  return true;
}

Session::Session(SessionTies ties, std::shared_ptr<http::WebSocket> socket, asio::any_io_executor executor,
                 Opening opening)
    : ties_(ties),
      socket_(std::move(socket)),
      executor_(std::move(executor)),
      shard_(ties_.hub.here(executor_)),
      opening_(std::move(opening)) {
  stream_ = ties_.messages.writer().new_uuid();
}

// ---- its life ----

/// Signs off whatever ends the session, also the end of the process.
struct Session::Stay {
  explicit Stay(Session& it) : session(it) { session.ties_.hub.counts().connections.fetch_add(1); }
  ~Stay() {
    session.is_closed_ = true;
    session.ties_.hub.counts().connections.fetch_sub(1);
    session.leave_everything();
  }
  Stay(Stay const&) = delete;
  Stay& operator=(Stay const&) = delete;
  Session& session;
};

Task<void> Session::run() {
  auto const self = shared_from_this();
  Stay const stay(*this);
  co_await serve();
}

Task<void> Session::serve() {
  auto const known_by = Deadline{ties_.hub.clock().steady() + authentication_time};
  send(connection_id_text(stream_));
  // Whichever message brings the credential: the client does not say twice where it stands.
  if (!opening_.resume.empty())
    resume_ = std::move(opening_.resume);
  if (!opening_.token.empty())
    co_await act({.verb = Verb::authenticate, .token = std::move(opening_.token)});
  for (;;) {
    auto message = co_await socket_->receive(is_known() ? never : known_by);
    if (!message) {
      if (is_known())
        continue;
      send(error_text("unauthenticated", "Not authenticated"));
      close(close_unauthenticated, "not authenticated in time");
      co_return;
    }
    if (!*message || !co_await handle(std::move(**message)))
      co_return;
  }
}

/// False: that was the last.
Task<bool> Session::handle(std::string text) {
  if (!allowance_.take(ties_.hub.clock().steady())) {
    close(http::close_code::policy_violation, "too many messages");
    co_return false;
  }
  auto [id, message] = parse_inbound(std::move(text));
  bool const is_early = !is_known() && (!message || message->verb != Verb::authenticate);
  if (is_early) {
    send(error_text("unauthenticated", "Not authenticated", id));
  } else if (!message) {
    refuse(message.error(), id);
  } else {
    co_await act(std::move(*message));
  }
  co_return !is_closed_;
}

Task<void> Session::act(Inbound message) {
  auto const id = message.id;
  try {
    switch (message.verb) {
      case Verb::authenticate:
        co_return co_await authenticate(std::move(message.token), std::move(message.resume), id);
      case Verb::subscribe:
        co_return co_await subscribe(std::move(message));
      case Verb::unsubscribe:
        co_return unsubscribe(message);
      case Verb::join_room:
        co_return co_await join_room(std::move(message));
      case Verb::leave_room:
        co_return co_await leave_room(std::move(message));
      case Verb::presence:
        co_return co_await show_presence(std::move(message));
      case Verb::send_message:
        co_return co_await send_message(std::move(message));
      case Verb::ping:
        co_return send(plain_text("pong", position(), id));
    }
  } catch (Fault const& fault) {
    log::warning("a message of a WebSocket could not be served", {{"error", std::string_view(fault.what())}});
    refuse({.code = Code::unavailable, .message = "this is out of reach at the moment; try again"}, id);
  }
}

void Session::leave_everything() {
  if (!is_known())
    return;
  shard_.remove(shared_from_this());
  ties_.hub.dismiss(principal.tenant, user);
  for (auto const& room : rooms) {
    bool const is_last = ties_.hub.exit(principal.tenant, room, user);
    // When the process is about to go nothing begins any more, and his time in the room runs out.
    if (!is_last || ties_.hub.is_over())
      continue;
    if (ties_.presence == nullptr) {
      ties_.hub.tell_room(principal.tenant, room, user, false);
    } else {
      // Not here: the end of the connection waits for nobody.
      spawn(executor_, "a room that a WebSocket left", tell_left(ties_, principal.tenant, room, user));
    }
  }
}

void Session::close(std::uint16_t code, std::string_view reason) {
  is_closed_ = true;
  socket_->close(code, reason);
}

void Session::send(std::shared_ptr<std::string const> const& text) {
  if (is_closed_)
    return;
  if (socket_->send(text)) {
    ties_.hub.counts().sent.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  // Either it has closed itself, which receive() tells too, or it was too slow.
  is_closed_ = true;
  ties_.hub.counts().dropped.fetch_add(1, std::memory_order_relaxed);
}

void Session::notify(std::shared_ptr<std::string const> const& text) { send(text); }

void Session::deliver(ItemPointer const& item) {
  if (!is_replaying_) {
    remember(*item);
    send(item->text);
  } else if (held_.size() < held_max) {
    held_.push_back(item);
  } else {
    close(http::close_code::try_again_later, "more came than could be caught up with; resume");
  }
}

// ---- who it is ----

Task<Result<http::Principal>> Session::check(std::string const& token) {
  if (!http::is_visible_ascii(token, credential_bytes_max))
    co_return fail(Code::unauthenticated, "A token consists of visible ASCII characters.");
  http::Request request;
  request.headers.set("Authorization", "Bearer " + token);
  co_return co_await ties_.authenticator.authenticate(request, soon());
}

Task<void> Session::authenticate(std::string token, std::optional<std::string> resume, std::string id) {
  auto found = co_await check(token);
  if (!found) {
    refuse(found.error(), id);
    if (!is_known() && found.error().code == Code::unauthenticated)
      close(close_unauthenticated, "authentication failed");
    co_return;
  }
  if (is_known()) {
    renew(std::move(*found), std::move(token), id);
    co_return;
  }
  if (!found->may(connect_permission)) {
    refuse(denied("this needs the permission websocket:connect").error(), id);
    close(close_forbidden, "permission denied");
    co_return;
  }
  token_ = std::move(token);
  co_await settle_in(std::move(*found), std::move(resume), std::move(id));
}

Task<void> Session::settle_in(http::Principal found, std::optional<std::string> resume, std::string id) {
  // Before it is known: a client that is told to try again begins anew, and its token counts then.
  auto const account = co_await find_account(found);
  auto const who = found.user_id.empty() ? found.id : found.user_id;
  if (auto const admitted = ties_.hub.admit(found.tenant, who); !admitted) {
    refuse(admitted.error(), id);
    close(http::close_code::policy_violation, "too many connections");
    co_return;
  }
  user = who;
  principal = std::move(found);
  if (resume)
    resume_ = std::move(resume);
  shard_.add(shared_from_this());
  ties_.hub.sweep(executor_);
  if (!resume_) {
    if (auto const joined = co_await join_feed(); !joined) {
      refuse(joined.error(), id);
      close(http::close_code::try_again_later, "the event log is out of reach");
      co_return;
    }
  }
  send(authenticated_text(principal, account, position(), id));
}

/// The same user with a fresh token: nothing else changes.
void Session::renew(http::Principal found, std::string token, std::string const& id) {
  auto const who = found.user_id.empty() ? found.id : found.user_id;
  if (found.tenant != principal.tenant || who != user) {
    refuse(denied("this connection is another user's; open a new one").error(), id);
    return;
  }
  token_ = std::move(token);
  shard_.change(*this, [&] { principal = std::move(found); });
  send(authenticated_text(principal, {}, position(), id));
}

Task<Account> Session::find_account(http::Principal const& of) {
  if (of.user_id.empty())
    co_return Account{};
  auto const found = co_await ties_.users.get(of.tenant, model::UserId{of.user_id}, soon());
  co_return found ? Account{.email = found->email, .roles = found->roles} : Account{};
}

Task<void> Session::recheck() {
  if (is_closed_ || !is_known())
    co_return;
  auto const token = token_;
  try {
    auto found = co_await check(token);
    if (is_closed_ || token != token_)
      co_return;
    bool const is_over = found ? !found->may(connect_permission) : found.error().code == Code::unauthenticated;
    if (is_over) {
      revoke();
    } else if (found && found->permissions != principal.permissions) {
      shard_.change(*this, [&] { principal.permissions = std::move(found->permissions); });
    }
    co_await beat();
  } catch (Fault const&) {  // NOLINT(bugprone-empty-catch)
    // Nobody can say now; requests are answered 503 meanwhile, and the log says why.
  }
}

void Session::revoke() {
  if (is_closed_)
    return;
  ties_.hub.counts().revoked.fetch_add(1);
  send(error_text("unauthenticated", "the credential has expired or was revoked"));
  close(close_unauthenticated, "the credential has expired or was revoked");
}

// ---- what it hears ----

Task<Result<std::string>> Session::join_feed() { co_return co_await within(soon(), shard_.join(shared_from_this())); }

/// A token that stands right behind what it was sent. Empty while it is not sent everything up to where the feed
/// stands: a token that moves on without it would lose what lies between.
std::string Session::position() const { return is_live() && !is_replaying_ ? shard_.resume() : std::string(); }

/// A token may still come with the first subscription, and what came live does not come again then.
void Session::remember(Item const& item) {
  if (!can_resume_)
    return;
  heard_.push_back(item.seq);
  if (heard_.size() > heard_max) {
    can_resume_ = false;
    heard_ = {};
  }
}

Result<std::vector<std::string>> Session::patterns_with(std::vector<std::string> const& more) const {
  auto wanted = patterns;
  wanted.insert(wanted.end(), more.begin(), more.end());
  std::ranges::sort(wanted);
  auto const doubles = std::ranges::unique(wanted);
  wanted.erase(doubles.begin(), doubles.end());
  if (wanted.size() > patterns_max)
    return fail(Code::invalid, "a connection takes at most " + std::to_string(patterns_max) + " patterns");
  return wanted;
}

Task<void> Session::subscribe(Inbound message) {
  if (is_replaying_) {
    refuse(fail(Code::conflict, "what was missed is still being sent; wait for resumed").error(), message.id);
    co_return;
  }
  auto wanted = patterns_with(message.events);
  if (!wanted) {
    refuse(wanted.error(), message.id);
    co_return;
  }
  auto token = message.resume ? std::move(message.resume) : resume_;
  if (token) {
    co_await resume_from(std::move(*token), std::move(*wanted), std::move(message.id));
  } else {
    co_await follow(std::move(*wanted), std::move(message.id));
  }
}

void Session::begin_subscription() {
  resume_.reset();
  can_resume_ = false;
}

/// Goes on from now.
Task<void> Session::follow(std::vector<std::string> wanted, std::string id) {
  // Before it joins: it may be handed a batch before it hears that it has.
  shard_.change(*this, [&] { patterns = std::move(wanted); });
  if (!is_live()) {
    if (auto const joined = co_await join_feed(); !joined) {
      refuse(joined.error(), id);
      close(http::close_code::try_again_later, "the event log is out of reach");
      co_return;
    }
  }
  begin_subscription();
  heard_ = {};
  send(patterns_text("subscribed", patterns, position(), id));
}

/// Sends what came after `token`, or says that nobody can tell what that was and goes on from now. When the log is out
/// of reach nothing has changed, and the same message may come again.
Task<void> Session::resume_from(std::string token, std::vector<std::string> wanted, std::string id) {
  bool is_whole = can_resume_;
  if (is_whole)
    is_whole = (co_await ties_.hub.log().has_all_after(token, soon())).value_or(false);
  // Meanwhile more may have come live than is remembered.
  if (!is_whole || !can_resume_) {
    send(error_text("resume_lost", "what came after this token cannot be told any more; load anew", id));
    co_await follow(std::move(wanted), std::move(id));
    co_return;
  }
  // All at once: an event comes either live with the old patterns, and is remembered, or in the replay.
  shard_.leave(*this);
  patterns = std::move(wanted);
  is_replaying_ = true;
  begin_subscription();
  std::ranges::sort(heard_);
  send(patterns_text("subscribed", patterns, {}, id));
  spawn(executor_, "replay to a WebSocket", replay(shared_from_this(), std::move(token)));
}

void Session::unsubscribe(Inbound const& message) {
  if (is_replaying_) {
    refuse(fail(Code::conflict, "what was missed is still being sent; wait for resumed").error(), message.id);
    return;
  }
  shard_.change(*this, [&] {
    if (!message.has_events)
      patterns.clear();
    std::erase_if(patterns,
                  [&](auto const& it) { return std::ranges::find(message.events, it) != message.events.end(); });
  });
  send(patterns_text("unsubscribed", patterns, position(), message.id));
}

// ---- what it missed ----

events::Filter Session::replay_filter() const {
  events::Filter out{.channels = patterns};
  if (!out.channels.empty())
    out.channels.emplace_back(message_channel);
  else
    out.channels = {std::string(message_channel)};
  return out;
}

/// Up to the end of the log; then the live events are held until the rest, up to where they begin, has been sent.
Task<void> Session::replay(std::shared_ptr<Session> self, std::string token) {
  try {
    token = co_await self->replay_log(std::move(token));
    auto const joined = co_await self->join_feed();
    if (!joined)
      throw Unavailable(joined.error().message);
    co_await self->replay_until(std::move(token), *joined);
    co_await self->replay_held();
  } catch (Fault const& fault) {
    log::warning("a WebSocket could not be sent what it missed", {{"error", std::string_view(fault.what())}});
    self->close(http::close_code::try_again_later, "the event log is out of reach; resume");
  }
}

Task<std::string> Session::replay_log(std::string token) {
  for (bool more = true; more && !is_closed_;) {
    auto page = co_await ties_.hub.log().read_after(storage::Scope::of(principal.tenant), token, replay_filter(),
                                                    replay_page, soon());
    if (!page)
      throw Fault(page.error().message);
    token = page->token;
    more = page->more;
    co_await send_page(std::move(*page));
  }
  co_return token;
}

Task<void> Session::replay_until(std::string token, std::string until) {
  for (bool more = true; more && !is_closed_;) {
    auto page = co_await ties_.hub.log().read_between(storage::Scope::of(principal.tenant), token, until,
                                                      replay_filter(), replay_page, soon());
    if (!page)
      throw Fault(page.error().message);
    token = page->token;
    more = page->more;
    co_await send_page(std::move(*page));
  }
}

Task<void> Session::send_page(events::Page page) {
  for (auto const& positioned : page.events) {
    auto const item = make_item(positioned);
    if (!wants(*item) || std::ranges::binary_search(heard_, item->seq))
      continue;
    co_await room_to_send();
    send(item->text);
    ties_.hub.counts().replayed.fetch_add(1, std::memory_order_relaxed);
  }
}

// A client that takes nothing at all is dropped by its connection.
Task<void> Session::room_to_send() {
  while (!is_closed_ && !socket_->has_room())
    co_await sleep_until(std::chrono::steady_clock::now() + replay_pause);
}

Task<void> Session::replay_held() {
  while (!held_.empty() && !is_closed_) {
    send(held_.front()->text);
    held_.pop_front();
    co_await room_to_send();
  }
  held_.clear();
  heard_ = {};
  is_replaying_ = false;
  send(plain_text("resumed", shard_.resume()));
}

// ---- rooms and messages ----

Task<void> Session::join_room(Inbound message) {
  auto const& room = message.room;
  if (!rooms.contains(room)) {
    if (rooms.size() >= rooms_max) {
      refuse(fail(Code::invalid, "a connection is in at most 32 rooms").error(), message.id);
      co_return;
    }
    shard_.change(*this, [&] { rooms.insert(room); });
    bool const is_first = ties_.hub.enter(principal.tenant, room, user);
    if (ties_.presence != nullptr) {
      if (auto const there = co_await ties_.presence->beat(principal.tenant, room, user, beat_ttl, soon()); !there)
        log::warning("a room's member could not be noted", {{"error", std::string_view(there.error().message)}});
    }
    if (is_first)
      ties_.hub.tell_room(principal.tenant, room, user, true);
  }
  send(room_text("room_joined", room, {}, message.id));
}

Task<void> Session::leave_room(Inbound message) {
  auto const& room = message.room;
  if (rooms.contains(room)) {
    shard_.change(*this, [&] { rooms.erase(room); });
    if (ties_.hub.exit(principal.tenant, room, user))
      co_await tell_left(ties_, principal.tenant, room, user);
  }
  send(room_text("room_left", room, {}, message.id));
}

/// Only members learn who is in a room.
Task<void> Session::show_presence(Inbound message) {
  if (!rooms.contains(message.room)) {
    refuse(denied("join the room first").error(), message.id);
    co_return;
  }
  auto members = ties_.hub.members(principal.tenant, message.room);
  if (ties_.presence != nullptr) {
    auto shared = co_await ties_.presence->members(principal.tenant, message.room, soon());
    if (!shared) {
      refuse(shared.error(), message.id);
      co_return;
    }
    members.insert(members.end(), shared->begin(), shared->end());
    std::ranges::sort(members);
    auto const doubles = std::ranges::unique(members);
    members.erase(doubles.begin(), doubles.end());
  }
  send(presence_text(message.room, members, message.id));
}

Task<void> Session::beat() {
  auto const now = ties_.hub.clock().steady();
  if (ties_.presence == nullptr || rooms.empty() || now < beat_at_)
    co_return;
  beat_at_ = now + beat_interval;
  auto const mine = rooms;
  for (auto const& room : mine) {
    // It may have left this one while another one was noted.
    if (!is_closed_ && rooms.contains(room))
      (void)co_await ties_.presence->beat(principal.tenant, room, user, beat_ttl, soon());
  }
}

Task<void> Session::send_message(Inbound message) {
  if (!principal.may(send_permission)) {
    refuse(denied("Permission denied: this needs messages:send").error(), message.id);
    co_return;
  }
  if (message.target.kind == Target::Kind::room && !rooms.contains(message.target.id)) {
    refuse(denied("join the room first").error(), message.id);
    co_return;
  }
  auto actor = opening_.actor;
  actor.tenant = principal.tenant;
  actor.user_id = principal.id;
  auto data = message_data({.target = std::move(message.target), .sender = user, .body = std::move(message.message)});
  data::Stream const stream{.kind = std::string(message_kind), .id = stream_};
  auto const expected = stream_version_;
  // Whatever becomes of it, the next one does not have to know: it begins a stream of its own unless this one stands.
  stream_ = ties_.messages.writer().new_uuid();
  stream_version_ = 0;
  std::vector<data::NewEvent> events;
  events.push_back({.channel = std::string(message_channel), .data = {.text = std::move(data)}});
  auto const version = co_await ties_.messages.append(std::move(actor), stream, expected, std::move(events), soon());
  if (!version) {
    refuse(version.error(), message.id);
    co_return;
  }
  stream_ = stream.id;
  stream_version_ = *version;
  send(plain_text("message_sent", {}, message.id));
}

}  // namespace al::services::websocket
