#include "events/consumer_groups.hpp"

#include <gmock/gmock.h>

#include "events/consumer_store.hpp"
#include "events/event_fixture.hpp"

namespace al::events {
namespace {

using model::ConsumerGroup;
using model::DeadLetterState;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::chrono::minutes lease{10};

class ConsumerGroupsTest : public EventFixture {
 protected:
  void SetUp() override {
    EventFixture::SetUp();
    groups = std::make_unique<ConsumerGroups>(*database, *log);
  }
  void have(std::string aggregate) {
    storage::Batch batch{.scope = storage::Scope::of(default_tenant), .steps = {}};
    Values params{uuid_v7(clock, random), default_tenant.value, std::string("agent:updated"), std::move(aggregate),
                  ++version};
    batch.steps.push_back({.statement = &append_event, .params = std::move(params)});
    auto const done = loop.wait(database->apply(std::move(batch), soon()));
    ASSERT_TRUE(done) << done.error().message;
  }
  void shift_events(std::int64_t microseconds) {
    static storage::Statement const shift{"test.shift", "UPDATE events SET timestamp = al_after($1)"};
    ASSERT_TRUE(loop.wait(database->apply({storage::Scope::system(), {{&shift, {microseconds}}}}, soon())));
  }
  void make_group(std::string const& name, std::int64_t slots) {
    loop.wait(ConsumerStore(*database, name).create_slots(slots, log->beginning(), soon()));
  }
  /// Takes `count` slots for a new member, which it names.
  std::vector<Hold> take(ConsumerStore& store, std::string const& member, std::size_t count,
                         std::chrono::microseconds lasts = lease) {
    auto state = loop.wait(store.renew(member, lasts, soon()));
    state.slots.resize(count);
    std::vector<Hold> holds;
    for (auto const& slot : loop.wait(store.take(member, std::move(state.slots), soon())))
      holds.push_back({.slot = slot.number, .epoch = slot.epoch});
    EXPECT_EQ(holds.size(), count);
    return holds;
  }
  ConsumerGroup found(std::string name) {
    auto group = loop.wait(groups->find(std::move(name), soon()));
    EXPECT_TRUE(group);
    return group.value_or(ConsumerGroup{});
  }
  std::int64_t behind(std::string token, std::int64_t count_max = 100) {
    auto const backlog = loop.wait(log->backlog(std::move(token), count_max, soon()));
    EXPECT_TRUE(backlog);
    EXPECT_EQ(backlog->oldest.has_value(), backlog->events > 0);
    return backlog->events;
  }
  /// Sends it there; answers how far behind it is then.
  std::int64_t replayed(model::ConsumerReplay point) {
    auto const group = loop.wait(groups->replay("mailer", point, soon()));
    EXPECT_TRUE(group);
    return group ? group->lag : -1;
  }

  std::unique_ptr<ConsumerGroups> groups;
  std::int64_t version = 0;
};
INSTANTIATE_TEST_SUITE_P(On, ConsumerGroupsTest, testing::ValuesIn(storage::backend_kinds()),
                         [](auto const& info) { return std::string(info.param.name); });

TEST_P(ConsumerGroupsTest, ShowsWhoHoldsSlotsAndWhereTheyStand) {
  EXPECT_THAT(loop.wait(groups->list(soon())), IsEmpty());
  make_group("mailer", 4);
  make_group("auditor", 2);
  auto const idle = found("mailer");
  EXPECT_EQ(idle.slots, 4);
  EXPECT_EQ(idle.lag, 0);
  EXPECT_FALSE(idle.oldest_unhandled_at);
  EXPECT_THAT(idle.members, IsEmpty());

  ConsumerStore store(*database, "mailer");
  auto const one = uuid_v7(clock, random);
  auto const holds = take(store, one, 3);
  have("a");
  have("b");
  loop.wait(store.advance(holds, loop.wait(log->tip(soon())), soon()));
  have("c");
  auto const behind = found("mailer");
  ASSERT_EQ(behind.members.size(), 1U);
  EXPECT_EQ(behind.members[0].id, one);
  EXPECT_EQ(behind.members[0].slots, 3);
  ASSERT_EQ(behind.positions.size(), 2U);
  EXPECT_EQ(behind.positions[0].slots, 1) << "the rearmost first";
  EXPECT_EQ(behind.positions[0].lag, 3);
  EXPECT_EQ(behind.positions[1].slots, 3);
  EXPECT_EQ(behind.positions[1].lag, 1);
  EXPECT_EQ(behind.lag, 3);
  EXPECT_TRUE(behind.oldest_unhandled_at);
  EXPECT_EQ(behind.oldest_unhandled_at, behind.positions[0].oldest_unhandled_at);

  auto const all = loop.wait(groups->list(soon()));
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].name, "auditor");
  EXPECT_EQ(all[0].lag, 3);
  EXPECT_THAT(all[0].members, IsEmpty());
  EXPECT_EQ(all[1].name, "mailer");
}

TEST_P(ConsumerGroupsTest, LeavesOutMembersThatDied) {
  make_group("mailer", 4);
  ConsumerStore store(*database, "mailer");
  take(store, uuid_v7(clock, random), 2, std::chrono::microseconds{-1});
  EXPECT_THAT(found("mailer").members, IsEmpty());
}

TEST_P(ConsumerGroupsTest, CountsDeadLettersByState) {
  make_group("mailer", 4);
  ConsumerStore store(*database, "mailer");
  auto const holds = take(store, uuid_v7(clock, random), 1);
  have("a");
  have("b");
  have("c");
  auto const events = loop.wait(log->read_after(storage::Scope::system(), log->beginning(), {}, 10, soon()))->events;
  ASSERT_EQ(events.size(), 3U);
  std::vector<Letter> letters;
  std::vector<std::string> ids;
  for (auto const& positioned : events) {
    auto const state = letters.empty() ? DeadLetterState::waiting : DeadLetterState::parked;
    letters.push_back({.event = positioned.event, .state = state, .attempts = 1, .error = "broken", .delay = {}});
    ids.push_back(uuid_v7(clock, random));
  }
  ASSERT_TRUE(loop.wait(store.advance(holds[0], log->beginning(), std::move(letters), std::move(ids), soon())));
  make_group("auditor", 1);
  auto const group = found("mailer");
  EXPECT_EQ(group.waiting, 1);
  EXPECT_EQ(group.parked, 2);
  EXPECT_EQ(group.retrying, 0);
  EXPECT_EQ(found("auditor").parked, 0);
}

TEST_P(ConsumerGroupsTest, BacklogIsWhatAReaderWouldGet) {
  EXPECT_EQ(behind(log->beginning()), 0);
  for (auto const* aggregate : {"a", "b", "c"})
    have(aggregate);
  auto const tip = loop.wait(log->tip(soon()));
  auto const cut = loop.wait(log->read_after(storage::Scope::system(), log->beginning(), {}, 1, soon()))->token;
  EXPECT_EQ(behind(log->beginning()), 3);
  EXPECT_EQ(behind(log->beginning(), 2), 2) << "it counts no further";
  EXPECT_EQ(behind(cut), 2);
  EXPECT_EQ(behind(tip), 0);
  have("d");
  EXPECT_EQ(behind(cut), 3) << "the rest of the page, and what came after it";
  EXPECT_EQ(behind(tip), 1);
  EXPECT_EQ(loop.wait(log->backlog("nonsense", 1, soon())).error().code, Code::invalid);
}

TEST_P(ConsumerGroupsTest, ReplayGoesToATimeOrAnEndOfTheLog) {
  make_group("mailer", 4);
  ConsumerStore store(*database, "mailer");
  have("a");
  have("b");
  shift_events(-3'600'000'000);
  have("c");
  auto const before = found("mailer").oldest_unhandled_at;
  ASSERT_TRUE(before);
  take(store, uuid_v7(clock, random), 2);
  EXPECT_EQ(replayed({.since = {}, .from = model::LogEnd::tip}), 0);
  EXPECT_EQ(found("mailer").members.at(0).slots, 0) << "its members take the slots again from there";
  EXPECT_EQ(replayed({.since = {}, .from = model::LogEnd::beginning}), 3);
  EXPECT_EQ(replayed({.since = *before + std::chrono::minutes{30}, .from = {}}), 1);
  EXPECT_EQ(replayed({.since = before, .from = {}}), 3);
  EXPECT_EQ(replayed({.since = *before + std::chrono::hours{24}, .from = {}}), 0);
}

TEST_P(ConsumerGroupsTest, WhatIsNotThereIsNotFound) {
  EXPECT_EQ(loop.wait(groups->find("nobody", soon())).error().code, Code::not_found);
  EXPECT_EQ(loop.wait(groups->replay("nobody", {}, soon())).error().code, Code::not_found);
  EXPECT_THAT(loop.wait(groups->list(soon())), ElementsAre());
}

}  // namespace
}  // namespace al::events
