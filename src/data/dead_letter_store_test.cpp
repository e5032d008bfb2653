/// What people do with dead letters, and that their consumer hears of it.

#include "data/dead_letter_store.hpp"

#include <gmock/gmock.h>

#include "data/store_fixture.hpp"
#include "events/consumer.hpp"

namespace al::data {
namespace {

using model::DeadLetterId;
using model::DeadLetterState;

class DeadLetterStoreTest : public StoreFixture {
 protected:
  void SetUp() override {
    StoreFixture::SetUp();
    store = std::make_unique<DeadLetterStore>(*writer);
    consumer = std::make_unique<events::Consumer>(
        loop.executor(), events::Consumer::Ties{*database, *log, bus, clock, random},
        [this](events::Delivery const& delivery) -> Task<Result<void>> {
          ++handled;
          was_out_of_order = delivery.is_out_of_order;
          if (is_broken)
            co_return fail(Code::unavailable, "broken");
          co_return Result<void>{};
        },
        events::ConsumerOptions{.name = "mailer",
                                .channels = {"agent:*"},
                                .start = events::ConsumerOptions::Start::beginning,
                                .lease = std::chrono::seconds{600},
                                .tries = 1});
    wait(consumer->renew());
  }
  void deliver() {
    for (int i = 0; i < 100; ++i) {
      if (!wait(consumer->deliver()))
        return;
    }
    ADD_FAILURE() << "delivery does not end";
  }
  /// Parked letters about `count` new agents, newest first.
  std::vector<model::DeadLetter> have_letters(int count) {
    for (int i = 0; i < count; ++i) {
      clock.advance(std::chrono::milliseconds{1});
      have_agent("a" + std::to_string(i));
      deliver();
    }
    return listed();
  }
  std::vector<model::DeadLetter> listed(DeadLetterFilter filter = {}) {
    auto page = wait(store->list(default_tenant, std::move(filter), {}, soon()));
    EXPECT_TRUE(page);
    return page->items;
  }

  std::unique_ptr<DeadLetterStore> store;
  std::unique_ptr<events::Consumer> consumer;
  bool is_broken = true;
  int handled = 0;
  bool was_out_of_order = false;
};
AL_ON_EVERY_DATABASE(DeadLetterStoreTest);

TEST_P(DeadLetterStoreTest, KeepsTheWholeEvent) {
  auto const letters = have_letters(1);
  ASSERT_EQ(letters.size(), 1U);
  auto const& letter = letters[0];
  EXPECT_EQ(letter.consumer, "mailer");
  EXPECT_EQ(letter.state, DeadLetterState::parked);
  EXPECT_EQ(letter.channel, "agent:created");
  EXPECT_EQ(letter.aggregate_id, "a0");
  EXPECT_EQ(letter.aggregate_version, 1);
  EXPECT_EQ(letter.attempts, 1);
  EXPECT_EQ(letter.error, "broken");
  EXPECT_FALSE(letter.next_try_at);
  auto const events = wait(log->read_after(storage::Scope::system(), log->beginning(), {}, 10, soon()))->events;
  EXPECT_EQ(letter.event.text, entity::to_json(events.at(0).event));
  auto const one = wait(store->get(default_tenant, letter.id, soon()));
  ASSERT_TRUE(one);
  EXPECT_EQ(entity::to_json(*one), entity::to_json(letter));
}

TEST_P(DeadLetterStoreTest, ListsInPagesAndByFilter) {
  have_letters(3);
  auto const page = wait(store->list(default_tenant, {}, {.limit = 2, .cursor = {}, .count_total = true}, soon()));
  ASSERT_TRUE(page);
  ASSERT_EQ(page->items.size(), 2U);
  EXPECT_EQ(page->total, 3);
  EXPECT_EQ(page->items[0].aggregate_id, "a2");
  auto const rest =
      wait(store->list(default_tenant, {}, {.limit = 2, .cursor = page->next_cursor, .count_total = false}, soon()));
  ASSERT_EQ(rest->items.size(), 1U);
  EXPECT_EQ(rest->next_cursor, "");
  EXPECT_EQ(listed({.consumer = "mailer"}).size(), 3U);
  EXPECT_EQ(listed({.consumer = "other"}).size(), 0U);
  EXPECT_EQ(listed({.channel = "agent:created"}).size(), 3U);
  EXPECT_EQ(listed({.channel = "agent:deleted"}).size(), 0U);
  EXPECT_EQ(listed({.state = DeadLetterState::waiting}).size(), 0U);
  EXPECT_EQ(wait(store->list(default_tenant, {}, {.cursor = "x"}, soon())).error().code, Code::invalid);
}

TEST_P(DeadLetterStoreTest, RetriedOneIsHandledOnceMoreAndGone) {
  auto const id = have_letters(1).at(0).id;
  handled = 0;
  deliver();
  EXPECT_EQ(handled, 0) << "parked";
  auto const retried = wait(store->retry(actor(), id, soon()));
  ASSERT_TRUE(retried) << retried.error().message;
  EXPECT_EQ(retried->state, DeadLetterState::retrying);
  EXPECT_EQ(wait(store->retry(actor(), id, soon())).error().code, Code::conflict);
  deliver();
  EXPECT_EQ(handled, 1);
  EXPECT_TRUE(was_out_of_order);
  EXPECT_EQ(listed().at(0).state, DeadLetterState::parked);
  EXPECT_EQ(listed().at(0).attempts, 2);
  is_broken = false;
  ASSERT_TRUE(wait(store->retry(actor(), id, soon())));
  deliver();
  EXPECT_EQ(handled, 2);
  EXPECT_TRUE(listed().empty());
  EXPECT_EQ(wait(store->retry(actor(), id, soon())).error().code, Code::not_found);
  EXPECT_EQ(history("dead_letter", id.value), "dead_letter:retried dead_letter:retried");
}

TEST_P(DeadLetterStoreTest, AllOfAFilterAreRetried) {
  have_letters(3);
  EXPECT_EQ(wait(store->retry_all(actor(), {.consumer = "other"}, soon())), 0);
  EXPECT_EQ(wait(store->retry_all(actor(), {.consumer = "mailer"}, soon())), 3);
  EXPECT_EQ(wait(store->retry_all(actor(), {.consumer = "mailer"}, soon())), 0);
  is_broken = false;
  deliver();
  EXPECT_TRUE(listed().empty());
}

TEST_P(DeadLetterStoreTest, DroppedOneIsGone) {
  auto const letters = have_letters(2);
  ASSERT_TRUE(wait(store->drop(actor(), letters[0].id, soon())));
  EXPECT_EQ(wait(store->drop(actor(), letters[0].id, soon())).error().code, Code::not_found);
  EXPECT_EQ(wait(store->get(default_tenant, letters[0].id, soon())).error().code, Code::not_found);
  ASSERT_EQ(listed().size(), 1U);
  EXPECT_EQ(listed()[0].id, letters[1].id);
  EXPECT_EQ(history("dead_letter", letters[0].id.value), "dead_letter:dropped");
}

TEST_P(DeadLetterStoreTest, OtherTenantsTouchNothing) {
  auto const id = have_letters(1).at(0).id;
  TenantId const other{"other"};
  EXPECT_EQ(wait(store->get(other, id, soon())).error().code, Code::not_found);
  EXPECT_TRUE(wait(store->list(other, {}, {}, soon()))->items.empty());
  EXPECT_EQ(wait(store->retry(actor("other"), id, soon())).error().code, Code::not_found);
  EXPECT_EQ(wait(store->drop(actor("other"), id, soon())).error().code, Code::not_found);
  EXPECT_EQ(wait(store->retry_all(actor("other"), {}, soon())), 0);
  EXPECT_EQ(listed().at(0).state, DeadLetterState::parked);
}

}  // namespace
}  // namespace al::data
