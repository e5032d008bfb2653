#include "data/chat_store.hpp"

#include <set>

#include "data/store_fixture.hpp"

namespace al::data {
namespace {

class ChatStoreTest : public StoreFixture {
 protected:
  void SetUp() override {
    StoreFixture::SetUp();
    chats = std::make_unique<ChatStore>(*writer);
  }
  static Actor other_user() {
    auto out = actor();
    out.user_id = "somebody else";
    return out;
  }
  SessionId have_session() {
    auto made = wait(chats->create(actor(), chats->new_id(), AgentId{"poet"}, soon()));
    EXPECT_TRUE(made);
    return made->id;
  }
  static model::ChatMessage said(model::ChatRole role, std::string content) {
    model::ChatMessage out;
    out.role = role;
    out.content = std::move(content);
    return out;
  }
  /// "1 user hello|2 assistant hi"
  std::string told(SessionId const& id, std::int64_t limit = 50) {
    std::string out;
    for (auto const& message : wait(chats->history(actor(), id, limit, soon())).value()) {
      out += (out.empty() ? "" : "|") + std::to_string(message.seq) + " " +
             boost::describe::enum_to_string(message.role, "?") + " " + message.content;
    }
    return out;
  }

  std::unique_ptr<ChatStore> chats;
};
AL_ON_EVERY_DATABASE(ChatStoreTest);

TEST_P(ChatStoreTest, RemembersWhatWasSaidInOrder) {
  auto const id = have_session();
  using enum model::ChatRole;
  auto first = wait(chats->append(actor(), id, {said(user, "hello"), said(assistant, "hi \"you\" 🙂")}, soon()));
  ASSERT_TRUE(first);
  EXPECT_EQ(first->message_count, 2);
  EXPECT_EQ(first->version, 2);
  ASSERT_TRUE(wait(chats->append(actor(), id, {said(user, "more")}, soon())));
  EXPECT_EQ(told(id), "1 user hello|2 assistant hi \"you\" 🙂|3 user more");
  EXPECT_EQ(told(id, 2), "2 assistant hi \"you\" 🙂|3 user more");
  EXPECT_EQ(history("session", id.value), "session:created session:message session:message");
}

/// On PostgreSQL all but one of them were told that there is no such session.
TEST_P(ChatStoreTest, IsMadeOnceUnderAnId) {
  auto const id = have_session();
  auto const again = wait(chats->create(actor(), id, AgentId{"poet"}, soon()));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->id, id);
  EXPECT_EQ(history("session", id.value), "session:created");
}

TEST_P(ChatStoreTest, TakesWhatManySayAtOnce) {
  auto const id = have_session();
  auto const who = actor();
  std::vector<Task<Result<model::ChatSession>>> appends;
  for (int i = 0; i < 40; ++i)
    appends.push_back(chats->append(who, id, {said(model::ChatRole::user, std::to_string(i))}, soon()));
  for (auto const& one : wait(settle(std::move(appends)))) {
    ASSERT_FALSE(one.fault);
    EXPECT_TRUE(one.value) << one.value.error().message;
  }
  EXPECT_EQ(wait(chats->get(who, id, soon()))->message_count, 40);
  std::set<std::string> heard;
  std::int64_t place = 0;
  for (auto const& message : wait(chats->history(who, id, 50, soon())).value()) {
    EXPECT_EQ(message.seq, ++place);
    heard.insert(message.content);
  }
  EXPECT_EQ(heard.size(), 40U);
}

TEST_P(ChatStoreTest, KeepsMetadataAsWritten) {
  auto const id = have_session();
  auto message = said(model::ChatRole::user, "hello");
  message.metadata.text = R"({"b": 1, "a": [1.50]})";
  ASSERT_TRUE(wait(chats->append(actor(), id, {message}, soon())));
  auto const back = wait(chats->history(actor(), id, 1, soon()));
  auto const parsed = json::parse(back->at(0).metadata.text);
  EXPECT_EQ(*parsed, *json::parse(message.metadata.text));
}

TEST_P(ChatStoreTest, ASessionIsItsCreatorsOwn) {
  auto const id = have_session();
  ASSERT_TRUE(wait(chats->append(actor(), id, {said(model::ChatRole::user, "secret")}, soon())));
  EXPECT_EQ(wait(chats->get(other_user(), id, soon())).error().code, Code::not_found);
  EXPECT_EQ(wait(chats->history(other_user(), id, 9, soon())).error().code, Code::not_found);
  EXPECT_EQ(wait(chats->append(other_user(), id, {said(model::ChatRole::user, "x")}, soon())).error().code,
            Code::not_found);
  EXPECT_EQ(wait(chats->clear(other_user(), id, soon())).error().code, Code::not_found);
  EXPECT_EQ(wait(chats->remove(other_user(), id, soon())).error().code, Code::not_found);
  EXPECT_TRUE(wait(chats->list(other_user(), {.limit = 9, .cursor = {}}, soon()))->items.empty());
  EXPECT_EQ(told(id), "1 user secret");
}

TEST_P(ChatStoreTest, ForgetsWhenItIsToldTo) {
  auto const id = have_session();
  ASSERT_TRUE(wait(chats->append(actor(), id, {said(model::ChatRole::user, "one")}, soon())));
  ASSERT_TRUE(wait(chats->clear(actor(), id, soon())));
  EXPECT_EQ(told(id), "");
  // Places are never given twice.
  ASSERT_TRUE(wait(chats->append(actor(), id, {said(model::ChatRole::user, "two")}, soon())));
  EXPECT_EQ(told(id), "2 user two");
  ASSERT_TRUE(wait(chats->remove(actor(), id, soon())));
  EXPECT_EQ(wait(chats->get(actor(), id, soon())).error().code, Code::not_found);
  EXPECT_EQ(wait(chats->remove(actor(), id, soon())).error().code, Code::not_found);
  EXPECT_EQ(history("session", id.value),
            "session:created session:message session:cleared session:message session:deleted");
}

TEST_P(ChatStoreTest, ListsNewestFirstPageByPage) {
  std::vector<SessionId> made;
  for (int i = 0; i < 3; ++i) {
    clock.advance(std::chrono::milliseconds{1});
    made.push_back(have_session());
  }
  auto const first = wait(chats->list(actor(), {.limit = 2, .cursor = {}}, soon()));
  ASSERT_EQ(first->items.size(), 2U);
  EXPECT_EQ(first->items[0].id, made[2]);
  auto const rest = wait(chats->list(actor(), {.limit = 2, .cursor = first->next_cursor}, soon()));
  ASSERT_EQ(rest->items.size(), 1U);
  EXPECT_EQ(rest->items[0].id, made[0]);
  EXPECT_TRUE(rest->next_cursor.empty());
  EXPECT_EQ(wait(chats->list(actor(), {.limit = 2, .cursor = "x"}, soon())).error().code, Code::invalid);
}

}  // namespace
}  // namespace al::data
