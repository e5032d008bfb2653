/// Sessions over a socket that a test speaks through, on a real database with the feed of the program.

#include "services/websocket/session.hpp"

#include <gmock/gmock.h>

#include <boost/asio/execution/context.hpp>
#include <boost/asio/query.hpp>
#include <condition_variable>
#include <deque>
#include <future>
#include <mutex>

#include "core/fault.hpp"
#include "core/json.hpp"
#include "data/store_fixture.hpp"

namespace al::services::websocket {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

/// Reads what a test puts in, and keeps what is sent. Any thread.
class ScriptedSocket final : public http::WebSocket {
 public:
  explicit ScriptedSocket(Clock const& clock) : clock_(clock) {}

  Task<Result<std::optional<std::string>>> receive(Deadline deadline) override {
    for (;;) {
      {
        std::scoped_lock const lock(mutex_);
        if (code_ != 0 || is_gone_)
          co_return std::optional<std::string>();
        if (!inbound_.empty()) {
          auto text = std::move(inbound_.front());
          inbound_.pop_front();
          co_return std::optional(std::move(text));
        }
      }
      if (clock_.steady() >= deadline.at)
        co_return fail(Code::timed_out, "");
      co_await sleep_until(std::chrono::steady_clock::now() + 1ms);
    }
  }
  bool send(std::shared_ptr<std::string const> text) override {
    std::scoped_lock const lock(mutex_);
    if (code_ != 0 || is_full_)
      return false;
    sent_.push_back(*text);
    has_sent_.notify_one();
    return true;
  }
  [[nodiscard]] bool has_room() const override {
    std::scoped_lock const lock(mutex_);
    return !is_full_;
  }
  void close(std::uint16_t code, std::string_view) override {
    std::scoped_lock const lock(mutex_);
    if (code_ == 0)
      code_ = code;
  }

  void say(std::string text) {
    std::scoped_lock const lock(mutex_);
    inbound_.push_back(std::move(text));
  }
  void go() {
    std::scoped_lock const lock(mutex_);
    is_gone_ = true;
  }
  void fill() {
    std::scoped_lock const lock(mutex_);
    is_full_ = true;
  }
  int code() const {
    std::scoped_lock const lock(mutex_);
    return code_;
  }
  /// The next message that was sent and not looked at yet; empty when none comes.
  std::string next() {
    std::unique_lock lock(mutex_);
    if (!has_sent_.wait_for(lock, 20s, [&] { return seen_ < sent_.size(); }))
      return {};
    return sent_[seen_++];
  }

 private:
  Clock const& clock_;
  mutable std::mutex mutex_;
  std::condition_variable has_sent_;
  std::deque<std::string> inbound_;
  std::vector<std::string> sent_;
  std::size_t seen_ = 0;
  int code_ = 0;
  bool is_gone_ = false;
  bool is_full_ = false;
};

/// Knows tokens by their text. Any thread.
class Tokens final : public http::Authenticator {
 public:
  Task<Result<http::Principal>> authenticate(http::Request const& request, Deadline) override {
    std::scoped_lock const lock(mutex_);
    auto const found = known_.find(std::string(request.headers.find("Authorization").value_or("")));
    if (found == known_.end())
      co_return fail(Code::unauthenticated, "unknown");
    co_return found->second;
  }
  void set(std::string const& token, http::Principal principal) {
    std::scoped_lock const lock(mutex_);
    known_["Bearer " + token] = std::move(principal);
  }
  void revoke(std::string const& token) {
    std::scoped_lock const lock(mutex_);
    known_.erase("Bearer " + token);
  }

 private:
  std::mutex mutex_;
  std::map<std::string, http::Principal> known_;
};

http::Principal who(std::string id, std::vector<std::string> permissions, std::string tenant = "default") {
  permissions.emplace_back("websocket:connect");
  return {.tenant = TenantId{std::move(tenant)}, .id = std::move(id), .permissions = std::move(permissions)};
}

/// The database, which can be taken away, and can be slow to say how far back the log reaches. Any thread.
class SpoiltDatabase final : public storage::Database {
 public:
  explicit SpoiltDatabase(storage::Database& whole) : whole_(whole) {}

  [[nodiscard]] storage::Dialect dialect() const override { return whole_.dialect(); }
  Task<Rows> read(storage::Scope scope, storage::Statement const& statement, Values values,
                  Deadline deadline) override {
    while (statement.name == "events.reach" && is_slow.load()) {
      has_begun.store(true);
      co_await sleep_until(std::chrono::steady_clock::now() + 1ms);
    }
    if (is_away.load())
      throw Unavailable("the database is away");
    co_return co_await whole_.read(std::move(scope), statement, std::move(values), deadline);
  }
  Task<Result<std::vector<Rows>>> apply(storage::Batch batch, Deadline deadline) override {
    return whole_.apply(std::move(batch), deadline);
  }
  Task<Result<Row>> write_row(storage::Scope scope, storage::RowStatement const& statement, Values values,
                              Deadline deadline) override {
    return whole_.write_row(std::move(scope), statement, std::move(values), deadline);
  }
  Task<void> ping(Deadline deadline) override { return whole_.ping(deadline); }
  [[nodiscard]] storage::PoolState pool() const override { return whole_.pool(); }
  void close() override { whole_.close(); }

  std::atomic<bool> is_away = false;
  std::atomic<bool> is_slow = false;
  std::atomic<bool> has_begun = false;

 private:
  storage::Database& whole_;
};

/// What all processes would know, of one room. Any thread.
class SharedRoom final : public Presence {
 public:
  Task<Result<void>> beat(TenantId, std::string, std::string member, std::chrono::milliseconds, Deadline) override {
    std::scoped_lock const lock(mutex_);
    members_.insert(std::move(member));
    co_return Result<void>{};
  }
  Task<Result<void>> leave(TenantId, std::string, std::string member, Deadline) override {
    while (is_slow.load()) {
      has_begun.store(true);
      co_await sleep_until(std::chrono::steady_clock::now() + 1ms);
    }
    std::scoped_lock const lock(mutex_);
    members_.erase(member);
    left.fetch_add(1);
    co_return Result<void>{};
  }
  Task<Result<std::vector<std::string>>> members(TenantId, std::string, Deadline) override {
    std::scoped_lock const lock(mutex_);
    co_return std::vector<std::string>(members_.begin(), members_.end());
  }
  std::set<std::string> now() {
    std::scoped_lock const lock(mutex_);
    return members_;
  }

  std::atomic<bool> is_slow = false;
  std::atomic<bool> has_begun = false;
  std::atomic<int> left = 0;

 private:
  std::mutex mutex_;
  std::set<std::string> members_;
};

class WebSocketSession : public data::StoreFixture {
 protected:
  struct Client {
    std::shared_ptr<ScriptedSocket> socket;
    std::future<void> end;
  };

  void SetUp() override {
    StoreFixture::SetUp();
    spoilt = std::make_unique<SpoiltDatabase>(*database);
    spoilt_writer = std::make_unique<data::Writer>(*spoilt, bus, clock, random, "test");
    spoilt_log = std::make_unique<events::EventLog>(*spoilt);
    messages = std::make_unique<data::EventStore>(*writer);
    users = std::make_unique<data::UserStore>(*spoilt_writer);
    hub = std::make_unique<Hub>(*spoilt_log, bus, clock);
    io = std::make_unique<EventLoop>();
    auto const executor = io->executor();
    hub->open({static_cast<asio::io_context*>(&asio::query(executor, asio::execution::context))});
    tokens.set("all", who("root", {"*:*"}));
    tokens.set("tasks", who("tasker", {"tasks:read"}));
    tokens.set("foreign", who("root", {"*:*"}, "other"));
  }
  void TearDown() override {
    spoilt->is_away = false;
    spoilt->is_slow = false;
    room.is_slow = false;
    for (auto& client : clients) {
      client->socket->go();
      client->end.get();
    }
    io.reset();  // after the feed and the sweep, which end with the last client
    StoreFixture::TearDown();
  }

  Client& connect(std::string token = {}, std::string resume = {}) {
    auto client = std::make_unique<Client>();
    client->socket = std::make_shared<ScriptedSocket>(clock);
    client->end = io->start([](WebSocketSession& test, std::shared_ptr<http::WebSocket> socket, std::string token,
                               std::string resume) -> Task<void> {
      auto const session = std::make_shared<Session>(
          SessionTies{*test.hub, test.tokens, *test.messages, *test.users, test.presence}, std::move(socket),
          co_await asio::this_coro::executor,
          Session::Opening{.token = std::move(token), .resume = std::move(resume), .actor = actor()});
      co_await session->run();
    }(*this, client->socket, std::move(token), std::move(resume)));
    clients.push_back(std::move(client));
    EXPECT_TRUE(clients.back()->socket->next().starts_with(R"({"type":"connection_id")"));
    return *clients.back();
  }
  Client& signed_in(std::string const& token, std::string const& patterns = {}, std::string const& resume = {}) {
    auto& client = connect(token);
    EXPECT_EQ(type_of(client.socket->next()), "authenticated");
    if (!patterns.empty()) {
      client.socket->say(R"({"type":"subscribe","events":[)" + patterns + "]" +
                         (resume.empty() ? "" : R"(,"resume":")" + resume + "\"") + "}");
      EXPECT_EQ(type_of(client.socket->next()), "subscribed");
    }
    return client;
  }
  /// "event agent:created a1", "error invalid", "pong".
  static std::string brief(std::string const& text) {
    auto const parsed = json::parse(text);
    if (!parsed)
      return "nothing";
    auto const& object = parsed->as_object();
    std::string out(object.at("type").as_string());
    for (auto const* key : {"code", "channel", "target", "room_id"}) {
      if (auto const* value = object.if_contains(key))
        out += " " + std::string(value->as_string());
    }
    if (auto const* data = object.if_contains("data"))
      out += " " + std::string(data->as_object().at("aggregate_id").as_string());
    if (auto const* message = object.if_contains("message"); message != nullptr && message->is_object()) {
      if (auto const* words = message->as_object().if_contains("words"))
        out += " " + std::string(words->as_string());
    }
    return out;
  }
  static std::string type_of(std::string const& text) { return brief(text).substr(0, brief(text).find(' ')); }
  static std::string resume_of(std::string const& text) {
    return std::string(json::parse(text).value().as_object().at("resume").as_string());
  }
  /// Everything up to the answer of a ping.
  static std::vector<std::string> all(Client& client) {
    client.socket->say(R"({"type":"ping"})");
    std::vector<std::string> out;
    for (std::string next = brief(client.socket->next()); next != "pong"; next = brief(client.socket->next())) {
      out.push_back(next);
      if (next == "nothing")
        break;
    }
    return out;
  }
  /// Everything up to the end of a replay.
  static std::vector<std::string> replayed(Client& client) {
    std::vector<std::string> out;
    for (std::string next = brief(client.socket->next()); next != "resumed"; next = brief(client.socket->next())) {
      out.push_back(next);
      if (next == "nothing")
        break;
    }
    return out;
  }
  static bool has_token(std::string const& text) { return json::parse(text).value().as_object().contains("resume"); }
  static void join(Client& client, std::string const& room) {
    EXPECT_EQ(ask(client, R"({"type":"join_room","room_id":")" + room + R"("})"), "room_joined " + room);
  }
  static void subscribe(Client& client, std::string const& resume = {}) {
    client.socket->say(R"({"type":"subscribe","events":["agent:*"])" +
                       (resume.empty() ? "" : R"(,"resume":")" + resume + R"(")") + "}");
  }
  /// Where the log ends. It is not empty: nobody could tell whether something is gone from before its first event.
  std::string here() {
    have_agent("before");
    return wait(log->tip(soon()));
  }
  void say(std::string const& target, std::vector<std::string> const& words) {
    std::vector<data::NewEvent> events;
    for (auto const& it : words) {
      auto data = message_data(
          {.target = parse_target(target).value(), .sender = "tester", .body = R"({"words":")" + it + R"("})"});
      events.push_back({.channel = std::string(message_channel), .data = {.text = std::move(data)}});
    }
    data::Stream const stream{.kind = std::string(message_kind), .id = writer->new_uuid()};
    EXPECT_TRUE(wait(messages->append(actor(), stream, 0, std::move(events), soon())));
  }
  void wait_for(std::function<bool()> const& is_so) {
    auto const limit = std::chrono::steady_clock::now() + 20s;
    while (!is_so() && std::chrono::steady_clock::now() < limit)
      wait(sleep_until(std::chrono::steady_clock::now() + 1ms));
    EXPECT_TRUE(is_so());
  }
  static std::string ask(Client& client, std::string text) {
    client.socket->say(std::move(text));
    return brief(client.socket->next());
  }

  Tokens tokens;
  std::unique_ptr<SpoiltDatabase> spoilt;  ///< what the sessions and their feed read
  std::unique_ptr<data::Writer> spoilt_writer;
  std::unique_ptr<events::EventLog> spoilt_log;
  SharedRoom room;
  Presence* presence = nullptr;  ///< of those who connect from now on
  std::unique_ptr<data::EventStore> messages;
  std::unique_ptr<data::UserStore> users;
  std::unique_ptr<Hub> hub;
  std::unique_ptr<EventLoop> io;
  std::vector<std::unique_ptr<Client>> clients;
};
AL_ON_EVERY_DATABASE(WebSocketSession);

TEST_P(WebSocketSession, NothingGoesBeforeTheCredential) {
  auto& client = connect();
  EXPECT_EQ(ask(client, R"({"type":"subscribe","events":["*"]})"), "error unauthenticated");
  EXPECT_EQ(ask(client, "nonsense"), "error unauthenticated");
  have_agent("unheard");
  EXPECT_EQ(ask(client, R"({"type":"authenticate","token":"all"})"), "authenticated");
  EXPECT_THAT(all(client), IsEmpty());
}

TEST_P(WebSocketSession, AWrongCredentialOrNoneEndsIt) {
  auto& wrong = connect("wrong");
  EXPECT_EQ(brief(wrong.socket->next()), "error unauthenticated");
  wrong.end.wait();
  EXPECT_EQ(wrong.socket->code(), 4401);
  auto& silent = connect();
  clock.advance(11s);
  EXPECT_EQ(brief(silent.socket->next()), "error unauthenticated");
  silent.end.wait();
  EXPECT_EQ(silent.socket->code(), 4401);
  EXPECT_EQ(hub->counts().connections.load(), 0U);
}

TEST_P(WebSocketSession, EventsGoToWhoWantsThemAndMay) {
  auto& everything = signed_in("all", R"("*")");
  auto& agents_only = signed_in("all", R"("agent.*")");
  auto& tasker = signed_in("tasks", R"("*")");
  auto& foreign = signed_in("foreign", R"("*")");
  have_agent("a");
  have_task("a");
  EXPECT_EQ(brief(everything.socket->next()), "event agent:created a");
  EXPECT_TRUE(brief(everything.socket->next()).starts_with("event task:created"));
  EXPECT_THAT(all(agents_only), ElementsAre("event agent:created a"));
  EXPECT_TRUE(brief(tasker.socket->next()).starts_with("event task:created"));
  EXPECT_THAT(all(tasker), IsEmpty());
  EXPECT_THAT(all(foreign), IsEmpty());
}

TEST_P(WebSocketSession, AResumedClientMissesNothingAndHearsNothingTwice) {
  auto& first = signed_in("all", R"("agent:*")");
  have_agent("a0");
  auto const token = resume_of(first.socket->next());
  std::vector<std::string> expected;
  for (int i = 1; i <= 130; ++i) {
    have_agent("a" + std::to_string(i));
    expected.push_back("event agent:created a" + std::to_string(i));
  }
  auto& again = signed_in("all", R"("agent:*")", token);
  for (int i = 131; i <= 160; ++i) {
    have_agent("a" + std::to_string(i));
    expected.push_back("event agent:created a" + std::to_string(i));
  }
  std::vector<std::string> heard;
  while (heard.size() < expected.size()) {
    auto const next = brief(again.socket->next());
    if (next == "nothing")
      break;
    if (next != "resumed")
      heard.push_back(next);
  }
  EXPECT_EQ(heard, expected);
  auto const rest = all(again);
  EXPECT_THAT(rest, testing::Each("resumed"));
}

TEST_P(WebSocketSession, ATokenThatNobodyKnowsIsLost) {
  auto& client = signed_in("all");
  for (std::string const token : {"nonsense", "s.99999999", "p.99999999:99999999:..0"}) {
    client.socket->say(R"({"type":"subscribe","events":["agent:*"],"resume":")" + token + "\"}");
    EXPECT_EQ(brief(client.socket->next()), "error resume_lost");
    EXPECT_EQ(brief(client.socket->next()), "subscribed");
  }
  have_agent("later");
  EXPECT_EQ(brief(client.socket->next()), "event agent:created later");
}

TEST_P(WebSocketSession, AResumeThatFailsOnceLosesNothing) {
  auto& client = connect();
  EXPECT_EQ(ask(client, R"({"type":"authenticate","token":"all","resume":")" + here() + "\"}"), "authenticated");
  have_agent("missed");
  spoilt->is_away = true;
  subscribe(client);
  EXPECT_EQ(brief(client.socket->next()), "error unavailable");
  for (auto const* text : {R"({"type":"ping"})", R"({"type":"unsubscribe"})"}) {
    client.socket->say(text);
    EXPECT_FALSE(has_token(client.socket->next())) << text;
  }
  spoilt->is_away = false;
  subscribe(client);
  EXPECT_EQ(brief(client.socket->next()), "subscribed");
  EXPECT_THAT(replayed(client), ElementsAre("event agent:created missed"));
  have_agent("later");
  EXPECT_EQ(brief(client.socket->next()), "event agent:created later");
}

TEST_P(WebSocketSession, ASubscriptionThatFailsChangesNothing) {
  auto const token = here();
  auto& client = signed_in("all");
  spoilt->is_slow = true;
  subscribe(client, token);
  wait_for([&] { return spoilt->has_begun.load(); });
  spoilt->is_away = true;
  spoilt->is_slow = false;
  EXPECT_EQ(brief(client.socket->next()), "error unavailable");
  spoilt->is_away = false;
  client.socket->say(R"({"type":"ping"})");
  EXPECT_TRUE(has_token(client.socket->next())) << "it is sent what comes, as before";
  have_agent("unheard");
  say("all", {"heard"});
  EXPECT_EQ(brief(client.socket->next()), "message all heard");
  subscribe(client, token);
  EXPECT_EQ(brief(client.socket->next()), "subscribed");
  EXPECT_THAT(replayed(client), ElementsAre("event agent:created unheard"));
}

TEST_P(WebSocketSession, ACredentialThatCannotBeLookedUpMayComeAgain) {
  auto user = who("root", {"*:*"});
  user.user_id = "01900000-0000-7000-8000-000000000000";
  tokens.set("user", user);
  auto const token = here();
  auto& client = connect();
  have_agent("missed");
  spoilt->is_away = true;
  auto const known = R"({"type":"authenticate","token":"user","resume":")" + token + "\"}";
  EXPECT_EQ(ask(client, known), "error unavailable");
  EXPECT_EQ(ask(client, R"({"type":"ping"})"), "error unauthenticated");
  spoilt->is_away = false;
  EXPECT_EQ(ask(client, known), "authenticated");
  subscribe(client);
  EXPECT_EQ(brief(client.socket->next()), "subscribed");
  EXPECT_THAT(replayed(client), ElementsAre("event agent:created missed"));
}

TEST_P(WebSocketSession, TheTokenOfTheHandshakeWaitsForTheCredential) {
  auto& client = connect({}, here());
  have_agent("missed");
  EXPECT_EQ(ask(client, R"({"type":"authenticate","token":"all"})"), "authenticated");
  subscribe(client);
  EXPECT_EQ(brief(client.socket->next()), "subscribed");
  EXPECT_THAT(replayed(client), ElementsAre("event agent:created missed"));
}

TEST_P(WebSocketSession, WhatCameLiveIsNotSentAgain) {
  auto const token = here();
  say("all", {"missed"});
  auto& client = signed_in("all");
  say("room:r", {"before he came"});
  say("all", {"live"});
  EXPECT_EQ(brief(client.socket->next()), "message all live");
  join(client, "r");
  say("room:r", {"live too"});
  EXPECT_EQ(brief(client.socket->next()), "message room:r live too");
  have_agent("a");
  subscribe(client, token);
  EXPECT_EQ(brief(client.socket->next()), "subscribed");
  EXPECT_THAT(replayed(client),
              ElementsAre("message all missed", "message room:r before he came", "event agent:created a"));
  say("all", {"later"});
  EXPECT_EQ(brief(client.socket->next()), "message all later");
}

TEST_P(WebSocketSession, WhatComesWhileTheLogIsAskedComesOnce) {
  auto const token = here();
  auto& client = signed_in("all");
  auto& other = signed_in("all", R"("agent:*")");
  spoilt->is_slow = true;
  subscribe(client, token);
  wait_for([&] { return spoilt->has_begun.load(); });
  have_agent("a");
  say("all", {"meanwhile"});
  EXPECT_EQ(brief(other.socket->next()), "event agent:created a");
  EXPECT_EQ(brief(other.socket->next()), "message all meanwhile");
  spoilt->is_slow = false;
  EXPECT_EQ(brief(client.socket->next()), "message all meanwhile");
  EXPECT_EQ(brief(client.socket->next()), "subscribed");
  EXPECT_THAT(replayed(client), ElementsAre("event agent:created a"));
}

TEST_P(WebSocketSession, ATokenThatComesTooLateIsLost) {
  auto const token = here();
  auto& subscribed = signed_in("all", R"("agent:*")");
  have_agent("a");
  EXPECT_EQ(brief(subscribed.socket->next()), "event agent:created a");
  auto& flooded = signed_in("all");
  for (int i = 0; i <= 10; ++i)
    say("all", std::vector<std::string>(100, "one of many"));
  for (auto* const client : {&subscribed, &flooded}) {
    for (int i = 0; i < 1100; ++i)
      ASSERT_EQ(brief(client->socket->next()), "message all one of many");
    subscribe(*client, token);
    EXPECT_EQ(brief(client->socket->next()), "error resume_lost");
    EXPECT_EQ(brief(client->socket->next()), "subscribed");
  }
  have_agent("later");
  for (auto* const client : {&subscribed, &flooded})
    EXPECT_EQ(brief(client->socket->next()), "event agent:created later");
}

TEST_P(WebSocketSession, WhoGoesIsGoneFromThePresenceOfAllProcesses) {
  presence = &room;
  tokens.set("him", who("him", {}));
  auto& him = signed_in("him");
  auto& again = signed_in("him");
  auto& root = signed_in("all");
  join(root, "r");
  join(him, "r");
  join(again, "r");
  EXPECT_EQ(brief(root.socket->next()), "member_joined r");
  him.socket->go();
  him.end.wait();
  EXPECT_EQ(room.now(), (std::set<std::string>{"him", "root"}));
  again.socket->go();
  EXPECT_EQ(brief(root.socket->next()), "member_left r");
  EXPECT_EQ(room.now(), (std::set<std::string>{"root"}));
}

TEST_P(WebSocketSession, WhoComesBackAtOnceStaysPresent) {
  presence = &room;
  tokens.set("him", who("him", {}));
  auto& root = signed_in("all");
  auto& him = signed_in("him");
  join(root, "r");
  join(him, "r");
  EXPECT_EQ(brief(root.socket->next()), "member_joined r");
  room.is_slow = true;
  him.socket->go();
  wait_for([&] { return room.has_begun.load(); });
  auto& again = signed_in("him");
  join(again, "r");
  EXPECT_EQ(brief(root.socket->next()), "member_joined r");
  room.is_slow = false;
  wait_for([&] { return room.left.load() == 1; });
  wait_for([&] { return room.now().contains("him"); });
  EXPECT_THAT(all(root), IsEmpty());
}

TEST_P(WebSocketSession, MessagesReachTheirAddressees) {
  tokens.set("him", who("him", {}));
  auto& him = signed_in("him");
  auto& root = signed_in("all");
  auto& foreign = signed_in("foreign");
  EXPECT_EQ(ask(him, R"({"type":"join_room","room_id":"r"})"), "room_joined r");
  EXPECT_EQ(ask(root, R"({"type":"send_message","target":"room:r","message":{}})"), "error forbidden");
  EXPECT_EQ(ask(him, R"({"type":"send_message","target":"all","message":{}})"), "error forbidden");
  EXPECT_EQ(ask(root, R"({"type":"join_room","room_id":"r"})"), "room_joined r");
  EXPECT_EQ(ask(foreign, R"({"type":"join_room","room_id":"r"})"), "room_joined r");
  EXPECT_EQ(brief(him.socket->next()), "member_joined r");
  for (auto const* target : {"room:r", "user:him", "all", "user:nobody"})
    root.socket->say(R"({"type":"send_message","target":")" + std::string(target) + R"(","message":{}})");
  EXPECT_EQ(brief(him.socket->next()), "message room:r");
  EXPECT_EQ(brief(him.socket->next()), "message user:him");
  EXPECT_EQ(brief(him.socket->next()), "message all");
  EXPECT_THAT(all(foreign), IsEmpty());
  root.socket->go();
  EXPECT_EQ(brief(him.socket->next()), "member_left r");
}

TEST_P(WebSocketSession, ACredentialThatEndsEndsItsConnection) {
  tokens.set("short", who("short", {"agents:read"}));
  auto& client = signed_in("short", R"("*")");
  tokens.revoke("short");
  EXPECT_EQ(brief(client.socket->next()), "error unauthenticated");
  client.end.wait();
  EXPECT_EQ(client.socket->code(), 4401);
}

TEST_P(WebSocketSession, APermissionThatIsTakenAwayTakesItsEvents) {
  tokens.set("reader", who("reader", {"agents:read"}));
  auto& client = signed_in("reader", R"("*")");
  have_agent("a");
  EXPECT_EQ(brief(client.socket->next()), "event agent:created a");
  tokens.set("reader", who("reader", {}));
  wait([]() -> Task<void> { co_await sleep_until(std::chrono::steady_clock::now() + 1500ms); }());
  have_agent("b");
  auto& other = signed_in("all", R"("*")");
  have_agent("c");
  EXPECT_EQ(brief(other.socket->next()), "event agent:created c");
  EXPECT_THAT(all(client), IsEmpty());
}

TEST_P(WebSocketSession, AFloodEndsIt) {
  auto& client = signed_in("all");
  for (int i = 0; i < 200; ++i)
    client.socket->say(R"({"type":"ping"})");
  client.end.wait();
  EXPECT_EQ(client.socket->code(), 1008);
}

TEST_P(WebSocketSession, AUserHasSoManyConnections) {
  for (int i = 0; i < 100; ++i)
    signed_in("all");
  EXPECT_EQ(hub->users(default_tenant), (std::map<std::string, std::size_t>{{"root", 100}}));
  auto& over = connect("all");
  EXPECT_EQ(brief(over.socket->next()), "error too_many_requests");
  over.end.wait();
  EXPECT_EQ(over.socket->code(), 1008);
  signed_in("tasks");
  signed_in("foreign");
}

TEST_P(WebSocketSession, WhoTakesNothingIsDroppedAndCounted) {
  auto& client = signed_in("all", R"("*")");
  client.socket->fill();
  have_agent("a");
  have_agent("b");
  auto& other = signed_in("all", R"("*")");
  have_agent("c");
  EXPECT_EQ(brief(other.socket->next()), "event agent:created c");
  EXPECT_EQ(hub->counts().dropped.load(), 1U);
  client.socket->close(1013, "");
  client.end.wait();
}

}  // namespace
}  // namespace al::services::websocket
