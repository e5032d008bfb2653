/// Groups of consumers on both databases. Members are stepped by hand, so that nothing depends on time; leases end and
/// retries come due by SQL.

#include "events/consumer.hpp"

#include <gmock/gmock.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/post.hpp>
#include <future>

#include "events/event_fixture.hpp"

namespace al::events {
namespace {

using storage::Scope;
using storage::Statement;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

Statement const expire_member{"test.expire",
                              "UPDATE consumer_members SET leased_until = al_after(-1000000) WHERE id = $1"};
Statement const make_due{"test.due",
                         "UPDATE dead_letters SET next_try_at = al_after(-1000000) WHERE next_try_at IS NOT NULL"};
Statement const list_letters{"test.letters",
                             "SELECT aggregate_id, aggregate_version, state, attempts, error FROM dead_letters"
                             " ORDER BY aggregate_id, aggregate_version"};
Statement const list_marks{"test.marks", "SELECT COUNT(*) FROM consumer_slots WHERE marked_event IS NOT NULL"};
Statement const retry_letters{"test.retry",
                              "UPDATE dead_letters SET state = 'retrying', is_out_of_order = true,"
                              " next_try_at = al_now() WHERE state = 'parked'"};

/// What a handler saw.
struct Seen {
  std::string text;  ///< "a 1": aggregate and version
  std::int64_t attempt;
  bool is_out_of_order;
};

class ConsumerTest : public EventFixture {
 protected:
  /// A member of the group and what it handled. `fate` decides how a handler ends.
  struct Member {
    std::vector<Seen> seen{};
    std::function<Task<Result<void>>(Delivery const&)> fate{};
    std::unique_ptr<Consumer> consumer{};

    [[nodiscard]] std::vector<std::string> texts() const {
      std::vector<std::string> out;
      for (auto const& one : seen)
        out.push_back(one.text);
      return out;
    }
  };

  Task<void> write(std::string aggregate, std::int64_t version) {
    storage::Batch batch{.scope = Scope::of(default_tenant), .steps = {}};
    Values params{uuid_v7(clock, random), default_tenant.value, std::string("agent:updated"), std::move(aggregate),
                  version};
    batch.steps.push_back({.statement = &append_event, .params = std::move(params)});
    auto const done = co_await database->apply(std::move(batch), soon());
    EXPECT_TRUE(done) << done.error().message;
  }
  void have(std::string const& aggregate) { loop.wait(write(aggregate, ++versions[aggregate])); }
  Rows query(Statement const& statement) { return loop.wait(database->read(Scope::system(), statement, {}, soon())); }
  void run(Statement const& statement, Values params = {}) {
    storage::Batch batch{Scope::system(), {}};
    batch.steps.push_back({&statement, std::move(params), storage::Guard::must_match});
    auto const done = loop.wait(database->apply(std::move(batch), soon()));
    ASSERT_TRUE(done) << done.error().message;
  }

  static ConsumerOptions options() {
    return {.name = "group",
            .start = ConsumerOptions::Start::beginning,
            .slots = 4,
            .store_interval = std::chrono::milliseconds{0},
            .lease = std::chrono::seconds{600},
            .handler_timeout = std::chrono::seconds{60},
            .retry_delay_first = std::chrono::hours{1000},
            .retry_delay_max = std::chrono::hours{1000}};
  }
  Member& member(ConsumerOptions wanted = options()) {
    auto& made = *members.emplace_back(std::make_unique<Member>());
    auto handler = [&made](Delivery const& delivery) -> Task<Result<void>> {
      auto const& event = delivery.event;
      made.seen.push_back(
          {event.aggregate_id + " " + std::to_string(event.version), delivery.attempt, delivery.is_out_of_order});
      if (made.fate)
        co_return co_await made.fate(delivery);
      co_return Result<void>{};
    };
    Consumer::Ties const ties{*database, *log, bus, clock, random};
    made.consumer = std::make_unique<Consumer>(loop.executor(), ties, std::move(handler), std::move(wanted));
    return made;
  }
  void renew(Member& member) { loop.wait(member.consumer->renew()); }
  void deliver(Member& member) {
    for (int i = 0; i < 100; ++i) {
      if (!loop.wait(member.consumer->deliver()))
        return;
    }
    ADD_FAILURE() << "delivery does not end";
  }
  /// Its process died: it renews nothing and gives nothing back.
  void expire(Member& member) { run(expire_member, {member.consumer->id()}); }
  void expire_and_replace(Member& dead, Member& next) {
    expire(dead);
    renew(next);
  }
  /// Delivers what waits for its next attempt.
  void deliver_due(Member& member) {
    run(make_due);
    bus.ring("dead_letter:retried");
    deliver(member);
  }
  /// Handles until the handler of `aggregate` has begun, and ends then as a process does that is killed.
  void die_while_handling(Member& member, std::string aggregate) {
    std::promise<void> begun;
    asio::cancellation_signal kill;
    member.fate = [&, aggregate](Delivery const& delivery) -> Task<Result<void>> {
      if (delivery.event.aggregate_id == aggregate) {
        begun.set_value();
        co_await sleep_until(std::chrono::steady_clock::now() + std::chrono::hours{1});
      }
      co_return Result<void>{};
    };
    std::promise<void> ended;
    asio::co_spawn(loop.executor(), member.consumer->deliver(),
                   asio::bind_cancellation_slot(kill.slot(), [&](std::exception_ptr, bool) { ended.set_value(); }));
    ASSERT_EQ(begun.get_future().wait_for(std::chrono::seconds{60}), std::future_status::ready);
    asio::post(loop.executor(), [&] { kill.emit(asio::cancellation_type::terminal); });
    ASSERT_EQ(ended.get_future().wait_for(std::chrono::seconds{60}), std::future_status::ready);
    expire(member);
  }
  /// "a 1 waiting 1" for each.
  std::vector<std::string> letters() {
    std::vector<std::string> out;
    for (auto const& row : query(list_letters)) {
      out.push_back(std::get<std::string>(row.at(0)) + " " + std::to_string(std::get<std::int64_t>(row.at(1))) + " " +
                    std::get<std::string>(row.at(2)) + " " + std::to_string(std::get<std::int64_t>(row.at(3))));
    }
    return out;
  }

  std::map<std::string, std::int64_t> versions;
  std::vector<std::unique_ptr<Member>> members;
};
INSTANTIATE_TEST_SUITE_P(On, ConsumerTest, testing::ValuesIn(storage::backend_kinds()),
                         [](auto const& info) { return std::string(info.param.name); });

/// Fails for the aggregate, by an Error and by an exception in turn, up to `attempts` times.
auto fails_for(std::string aggregate, std::int64_t attempts = 1000) {
  return [aggregate = std::move(aggregate), attempts](Delivery const& delivery) -> Task<Result<void>> {
    if (delivery.event.aggregate_id != aggregate || delivery.attempt > attempts)
      co_return Result<void>{};
    if (delivery.attempt % 2 == 0)
      throw std::runtime_error("thrown");
    co_return fail(Code::unavailable, "answered");
  };
}

/// Nothing if each aggregate's versions came once and in order.
std::string disorder(std::vector<std::string> const& texts) {
  std::map<std::string, int> last;
  for (auto const& text : texts) {
    auto const aggregate = text.substr(0, text.find(' '));
    if (std::stoi(text.substr(text.find(' '))) != ++last[aggregate])
      return text;
  }
  return {};
}

TEST(ConsumerSlots, AreTheSameForEver) {
  EXPECT_EQ(slot_of({"default", "task", "t-1"}, 16), 13);
  EXPECT_EQ(slot_of({"default", "agent", "researcher"}, 16), 3);
  EXPECT_EQ(slot_of({"other", "agent", "researcher"}, 16), 10);
}

/// Members renew in any order, die and come; in the end nobody has more than its share and every slot has an owner.
TEST(ConsumerSlots, AreSharedFairly) {
  GroupState group;
  for (std::int64_t i = 0; i < 16; ++i)
    group.slots.push_back({.number = i});
  for (std::size_t const count : {1U, 3U, 16U, 20U, 5U, 2U, 1U}) {
    group.members.clear();
    for (std::size_t i = 0; i < count; ++i)
      group.members.push_back("m" + std::to_string(10 + i));
    for (auto& slot : group.slots)
      slot.is_owned = std::ranges::count(group.members, slot.owner) > 0;
    for (int round = 0; round < 2; ++round) {
      for (auto const& member : group.members) {
        auto const share = share_of(member, group);
        for (auto const number : share.give_back)
          group.slots[static_cast<std::size_t>(number)].is_owned = false;
        for (auto const& slot : share.take)
          group.slots[static_cast<std::size_t>(slot.number)] = {
              .number = slot.number, .owner = member, .is_owned = true};
      }
    }
    auto const quota = (16 + count - 1) / count;
    for (auto const& member : group.members) {
      auto const held = std::ranges::count_if(group.slots, [&](auto const& s) { return s.owner == member; });
      EXPECT_LE(static_cast<std::size_t>(held), quota) << count;
    }
    EXPECT_TRUE(std::ranges::all_of(group.slots, &Slot::is_owned)) << count;
  }
}

TEST(ConsumerSlots, OrderIsChecked) {
  EXPECT_EQ(disorder({"a 1", "b 1", "a 2"}), "");
  EXPECT_EQ(disorder({"a 1", "a 3"}), "a 3");
  EXPECT_EQ(disorder({"a 1", "a 1"}), "a 1");
}

TEST_P(ConsumerTest, NewGroupBeginsWhereItIsTold) {
  have("a");
  auto& from_beginning = member();
  auto wanted = options();
  wanted.name = "other";
  wanted.start = ConsumerOptions::Start::tip;
  auto& from_tip = member(wanted);
  renew(from_beginning);
  renew(from_tip);
  have("a");
  deliver(from_beginning);
  deliver(from_tip);
  EXPECT_THAT(from_beginning.texts(), ElementsAre("a 1", "a 2"));
  EXPECT_THAT(from_tip.texts(), ElementsAre("a 2"));
}

TEST_P(ConsumerTest, OnlyItsChannelsComeToIt) {
  auto wanted = options();
  wanted.channels = {"task:*"};
  auto& none = member(wanted);
  have("a");
  renew(none);
  deliver(none);
  EXPECT_THAT(none.texts(), IsEmpty());
}

TEST_P(ConsumerTest, TwoMembersShareEventsInOrderPerAggregateWhileOthersWrite) {
  constexpr int aggregates = 12;
  constexpr int each = 15;
  auto wanted = options();
  wanted.page = 7;
  auto& a = member(wanted);
  auto& b = member(wanted);
  renew(a);
  renew(b);
  renew(a);
  deliver(a);  // gives back what is b's
  renew(b);
  EXPECT_EQ(a.consumer->slots_held(), 2U);
  EXPECT_EQ(b.consumer->slots_held(), 2U);
  auto const writer = [this](std::string aggregate) -> Task<int> {
    for (int version = 1; version <= each; ++version)
      co_await write(aggregate, version);
    co_return 0;
  };
  auto const reader = [&](Member& member) -> Task<int> {
    auto const limit = std::chrono::steady_clock::now() + std::chrono::seconds{60};
    while (a.seen.size() + b.seen.size() < aggregates * each && std::chrono::steady_clock::now() < limit)
      co_await member.consumer->deliver();
    co_return 0;
  };
  std::vector<Task<int>> tasks;
  for (int i = 0; i < aggregates; ++i)
    tasks.push_back(writer("a" + std::to_string(i)));
  tasks.push_back(reader(a));
  tasks.push_back(reader(b));
  for (auto const& ended : loop.wait(settle(std::move(tasks))))
    EXPECT_FALSE(ended.fault);
  EXPECT_EQ(a.seen.size() + b.seen.size(), aggregates * each);
  EXPECT_FALSE(a.seen.empty());
  EXPECT_FALSE(b.seen.empty());
  auto all = a.texts();
  std::ranges::copy(b.texts(), std::back_inserter(all));
  EXPECT_EQ(disorder(all), "") << "an aggregate has one slot, and a slot one member";
}

TEST_P(ConsumerTest, SlotsOfADeadMemberGoOnWhereItsCursorStands) {
  auto& a = member();
  auto& b = member();
  renew(a);
  for (auto const* aggregate : {"a", "b", "c", "a"})
    have(aggregate);
  deliver(a);
  EXPECT_EQ(a.seen.size(), 4U);
  for (auto const* aggregate : {"b", "a"})
    have(aggregate);
  renew(b);
  EXPECT_EQ(b.consumer->slots_held(), 0U) << "the lease lasts";
  expire_and_replace(a, b);
  EXPECT_EQ(b.consumer->slots_held(), 4U);
  deliver(b);
  EXPECT_THAT(b.texts(), UnorderedElementsAre("b 2", "a 3"));
  auto all = a.texts();
  std::ranges::copy(b.texts(), std::back_inserter(all));
  EXPECT_EQ(disorder(all), "");
}

/// Between two stores of its cursor a member only remembers how far it is.
class ConsumerCursorTest : public ConsumerTest {
 protected:
  static ConsumerOptions seldom() {
    auto out = options();
    out.store_interval = std::chrono::hours{1};
    return out;
  }
  /// It has stored its cursor once, then handled "a 2" and "b 2".
  Member& member_that_is_further() {
    auto& made = member(seldom());
    renew(made);
    for (auto const* aggregate : {"a", "b"})
      have(aggregate);
    deliver(made);
    for (auto const* aggregate : {"a", "b"})
      have(aggregate);
    deliver(made);
    EXPECT_THAT(made.texts(), UnorderedElementsAre("a 1", "b 1", "a 2", "b 2"));
    return made;
  }
};
INSTANTIATE_TEST_SUITE_P(On, ConsumerCursorTest, testing::ValuesIn(storage::backend_kinds()),
                         [](auto const& info) { return std::string(info.param.name); });

TEST_P(ConsumerCursorTest, WhatWasHandledSinceComesAgainAfterADeath) {
  auto& dead = member_that_is_further();
  auto& next = member();
  expire_and_replace(dead, next);
  deliver(next);
  EXPECT_THAT(next.texts(), UnorderedElementsAre("a 2", "b 2"));
}

TEST_P(ConsumerCursorTest, NothingComesAgainAfterAStop) {
  auto& stopped = member_that_is_further();
  auto& next = member();
  loop.wait(stopped.consumer->stop());
  renew(next);
  deliver(next);
  EXPECT_THAT(next.texts(), IsEmpty());
}

TEST_P(ConsumerCursorTest, NothingComesAgainWhereASlotIsHandedOn) {
  auto& first = member_that_is_further();
  auto& second = member();
  renew(second);
  renew(first);
  deliver(first);
  renew(second);
  EXPECT_EQ(second.consumer->slots_held(), 2U);
  deliver(second);
  EXPECT_THAT(second.texts(), IsEmpty());
}

TEST_P(ConsumerCursorTest, WhatFailedIsStoredAtOnce) {
  auto& dead = member_that_is_further();
  dead.fate = fails_for("a");
  have("a");
  deliver(dead);
  auto& next = member();
  expire_and_replace(dead, next);
  deliver(next);
  EXPECT_THAT(letters(), ElementsAre(HasSubstr("a 3 waiting")));
  EXPECT_THAT(next.texts(), UnorderedElementsAre("b 2")) << "it is of another slot";
}

TEST_P(ConsumerTest, StoppedMemberLeavesItsSlotsAtOnce) {
  auto& a = member();
  auto& b = member();
  renew(a);
  have("a");
  deliver(a);
  loop.wait(a.consumer->stop());
  renew(b);
  EXPECT_EQ(b.consumer->slots_held(), 4U);
  have("a");
  deliver(b);
  EXPECT_THAT(b.texts(), ElementsAre("a 2"));
}

TEST_P(ConsumerTest, MemberThatLostItsSlotsCannotMoveTheCursor) {
  static Statement const move_cursor{"test.move", "UPDATE consumer_slots SET cursor = $1"};
  auto& zombie = member();
  auto& second = member();
  auto& third = member();
  renew(zombie);
  expire_and_replace(zombie, second);
  have("a");
  have("b");
  deliver(zombie);
  EXPECT_EQ(zombie.seen.size(), 2U) << "it does not know yet";
  EXPECT_EQ(zombie.consumer->slots_held(), 0U) << "now it does";
  expire_and_replace(second, third);
  deliver(third);
  EXPECT_EQ(third.seen.size(), 2U) << "nothing was skipped";
  // What the test would see if the cursor had been moved.
  have("a");
  run(move_cursor, {loop.wait(log->tip(soon()))});
  auto& fourth = member();
  expire_and_replace(third, fourth);
  deliver(fourth);
  EXPECT_THAT(fourth.texts(), IsEmpty());
}

TEST_P(ConsumerTest, FailureHoldsUpItsAggregateAloneUntilItIsParked) {
  auto& one = member();
  one.fate = fails_for("bad");
  renew(one);
  for (auto const* aggregate : {"bad", "good", "bad", "good"})
    have(aggregate);
  deliver(one);
  EXPECT_THAT(one.texts(), UnorderedElementsAre("bad 1", "good 1", "good 2"));
  EXPECT_THAT(letters(), ElementsAre("bad 1 waiting 1", "bad 2 waiting 0"));
  have("bad");
  deliver(one);
  EXPECT_THAT(letters(), ElementsAre("bad 1 waiting 1", "bad 2 waiting 0", "bad 3 waiting 0"));
  for (int attempt = 2; attempt <= 5; ++attempt) {
    one.seen.clear();
    deliver_due(one);
    ASSERT_FALSE(one.seen.empty());
    EXPECT_EQ(one.seen[0].text, "bad 1");
    EXPECT_EQ(one.seen[0].attempt, attempt);
    EXPECT_EQ(one.seen.size(), attempt < 5 ? 1U : 2U) << "parked, the next one goes";
  }
  EXPECT_THAT(letters(), ElementsAre("bad 1 parked 5", "bad 2 waiting 1", "bad 3 waiting 0"));
  one.fate = {};
  one.seen.clear();
  deliver_due(one);
  EXPECT_THAT(one.texts(), ElementsAre("bad 2", "bad 3"));
  EXPECT_THAT(letters(), ElementsAre("bad 1 parked 5"));
  have("bad");
  deliver(one);
  EXPECT_THAT(letters(), ElementsAre("bad 1 parked 5")) << "what is parked holds up nothing";
  EXPECT_EQ(one.seen.back().text, "bad 4");
}

TEST_P(ConsumerTest, SuccessorGoesOnWithWhatWaits) {
  auto& first = member();
  first.fate = fails_for("bad");
  renew(first);
  have("bad");
  have("bad");
  deliver(first);
  auto& second = member();
  expire_and_replace(first, second);
  have("bad");
  deliver_due(second);
  EXPECT_THAT(second.texts(), ElementsAre("bad 1", "bad 2", "bad 3"));
  EXPECT_EQ(second.seen[0].attempt, 2);
  EXPECT_THAT(letters(), IsEmpty());
}

TEST_P(ConsumerTest, RetryByHandIsMarkedAndGetsOneAttempt) {
  auto wanted = options();
  wanted.tries = 1;
  auto& one = member(wanted);
  one.fate = fails_for("bad");
  renew(one);
  have("bad");
  deliver(one);
  EXPECT_THAT(letters(), ElementsAre("bad 1 parked 1"));
  for (int attempt = 2; attempt <= 3; ++attempt) {
    run(retry_letters);
    bus.ring("dead_letter:retried");
    deliver(one);
    EXPECT_TRUE(one.seen.back().is_out_of_order);
    EXPECT_THAT(letters(), ElementsAre("bad 1 parked " + std::to_string(attempt)));
  }
  one.fate = {};
  run(retry_letters);
  bus.ring("dead_letter:retried");
  deliver(one);
  EXPECT_THAT(letters(), IsEmpty());
}

TEST_P(ConsumerTest, HandlerThatHangsIsCut) {
  auto wanted = options();
  wanted.handler_timeout = std::chrono::milliseconds{20};
  auto& one = member(wanted);
  one.fate = [](Delivery const&) -> Task<Result<void>> {
    co_await sleep_until(std::chrono::steady_clock::now() + std::chrono::hours{1});
    co_return Result<void>{};
  };
  renew(one);
  have("a");
  deliver(one);
  auto const rows = query(list_letters);
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_THAT(std::get<std::string>(rows[0].at(4)), HasSubstr("within 20 ms"));
}

TEST_P(ConsumerTest, EventThatEndsTheProcessIsParkedAndTheOthersAreNot) {
  have("poison");
  have("a");
  have("b");
  have("poison");
  auto* last = &member();
  renew(*last);
  die_while_handling(*last, "poison");
  for (int attempt = 1; attempt <= 5; ++attempt) {
    auto& next = member();
    renew(next);
    die_while_handling(next, "poison");
    EXPECT_EQ(next.seen.back().text, "poison 1");
    EXPECT_EQ(next.seen.back().attempt, attempt);
    EXPECT_THAT(letters(), IsEmpty());
    last = &next;
  }
  auto& survivor = member();
  renew(survivor);
  deliver(survivor);
  EXPECT_THAT(survivor.texts(), testing::Not(testing::Contains("poison 1")));
  EXPECT_THAT(survivor.texts(), testing::Contains("poison 2")) << "later ones go on";
  EXPECT_THAT(letters(), ElementsAre("poison 1 parked 5"));
  EXPECT_EQ(std::get<std::int64_t>(query(list_marks).at(0).at(0)), 0);
}

TEST_P(ConsumerTest, RetryThatEndsTheProcessCounts) {
  auto wanted = options();
  wanted.tries = 2;
  auto& first = member(wanted);
  first.fate = fails_for("bad");
  renew(first);
  have("bad");
  deliver(first);
  run(make_due);
  bus.ring("dead_letter:retried");
  die_while_handling(first, "bad");
  EXPECT_THAT(letters(), ElementsAre("bad 1 waiting 2"));
  auto& second = member(wanted);
  renew(second);
  deliver(second);
  EXPECT_THAT(second.texts(), IsEmpty());
  EXPECT_THAT(letters(), ElementsAre("bad 1 parked 2"));
}

TEST_P(ConsumerTest, ReplayDeliversAgainFromAPoint) {
  auto& one = member();
  renew(one);
  have("a");
  have("b");
  auto const token = loop.wait(log->tip(soon()));
  clock.advance(std::chrono::hours{1});
  have("a");
  deliver(one);
  ConsumerStore store(*database, "group");
  auto const delivered_after = [&](std::string const& from) {
    EXPECT_TRUE(loop.wait(store.reset(from, soon())));
    one.seen.clear();
    deliver(one);
    EXPECT_THAT(one.texts(), IsEmpty()) << "it goes on until it hears of it";
    renew(one);
    deliver(one);
    return one.texts();
  };
  EXPECT_THAT(delivered_after(log->beginning()), UnorderedElementsAre("a 1", "b 1", "a 2"));
  EXPECT_THAT(delivered_after(token), ElementsAre("a 2"));
  EXPECT_THAT(delivered_after(loop.wait(log->tip(soon()))), IsEmpty());
  EXPECT_EQ(loop.wait(store.reset("nonsense", soon())).error().code, Code::invalid);
  ConsumerStore nobody(*database, "nobody");
  EXPECT_EQ(loop.wait(nobody.reset(token, soon())).error().code, Code::not_found);
}

TEST_P(ConsumerTest, LogIsReadFromATimeOn) {
  static Statement const shift{"test.shift", "UPDATE events SET timestamp = al_after(-3600000000)"};
  have("a");
  run(shift);
  have("b");
  auto const first = query({"test.time", "SELECT MIN(timestamp) FROM events"}).at(0).at(0);
  auto const last = query({"test.time", "SELECT MAX(timestamp) FROM events"}).at(0).at(0);
  auto const read = [&](Value const& value, std::chrono::seconds plus) {
    Timestamp time{};
    entity::time_type().read(value, &time);
    auto const token = loop.wait(log->since(time + plus, soon()));
    return loop.wait(log->read_after(Scope::system(), token, {}, 10, soon()))->events.size();
  };
  EXPECT_EQ(read(first, std::chrono::seconds{0}), 2U);
  EXPECT_EQ(read(last, std::chrono::seconds{0}), 1U);
  EXPECT_EQ(read(last, std::chrono::seconds{10}), 0U);
}

TEST_P(ConsumerTest, LostDoorbellIsMadeGoodByTheClock) {
  auto wanted = options();
  wanted.poll_interval = [] { return std::chrono::milliseconds{20}; };
  auto& one = member(wanted);
  std::promise<void> handled;
  one.fate = [&](Delivery const&) -> Task<Result<void>> {
    handled.set_value();
    co_return Result<void>{};
  };
  asio::post(loop.executor(), [&] { one.consumer->start(); });
  have("a");  // rings nowhere
  EXPECT_EQ(handled.get_future().wait_for(std::chrono::seconds{60}), std::future_status::ready);
  loop.wait(one.consumer->stop());
  EXPECT_EQ(one.consumer->slots_held(), 0U);
}

TEST_P(ConsumerTest, ForcedStopCountsNoAttempt) {
  auto wanted = options();
  wanted.drain_timeout = std::chrono::seconds{0};
  auto& one = member(wanted);
  std::promise<void> begun;
  one.fate = [&](Delivery const&) -> Task<Result<void>> {
    begun.set_value();
    co_await sleep_until(std::chrono::steady_clock::now() + std::chrono::hours{1});
    co_return Result<void>{};
  };
  have("a");
  asio::post(loop.executor(), [&] { one.consumer->start(); });
  ASSERT_EQ(begun.get_future().wait_for(std::chrono::seconds{60}), std::future_status::ready);
  loop.wait(one.consumer->stop());
  EXPECT_THAT(letters(), IsEmpty());
  auto& next = member();
  renew(next);
  deliver(next);
  EXPECT_THAT(next.texts(), ElementsAre("a 1"));
}

/// A reader that waited for the oldest running transaction would stand still here.
TEST_P(ConsumerTest, LongTransactionDelaysNothing) {
  if (database->dialect() == storage::Dialect::sqlite)
    return;  // one writer
  static Statement const running{"test.running", "SELECT COUNT(*) FROM pg_snapshot_xip(pg_current_snapshot())"};
  auto const& name = dynamic_cast<storage::PostgresBackend const&>(*backend).name();
  auto& one = member();
  renew(one);
  auto slow = std::async(std::launch::async, [&] {
    PostgresServer::shared().execute(name, "SELECT pg_current_xact_id(); SELECT pg_sleep(3)");
  });
  std::int64_t open = 0;
  auto const limit = std::chrono::steady_clock::now() + std::chrono::seconds{2};
  while (open == 0 && std::chrono::steady_clock::now() < limit) {
    have("later");  // a snapshot lists a running transaction once a later one has ended
    open = std::get<std::int64_t>(query(running).at(0).at(0));
  }
  EXPECT_EQ(open, 1) << "no transaction is open";
  for (int i = 0; i < 2; ++i) {
    have("a");
    deliver(one);
  }
  EXPECT_THAT(one.texts(), testing::IsSupersetOf({"a 1", "a 2"}));
  EXPECT_NE(slow.wait_for(std::chrono::seconds{0}), std::future_status::ready) << "the transaction ended too soon";
  slow.get();
}

}  // namespace
}  // namespace al::events
