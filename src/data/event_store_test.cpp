/// Aggregates that are nothing but their events: versions, races, snapshots.

#include "data/event_store.hpp"

#include <gmock/gmock.h>

#include <future>

#include "data/store_fixture.hpp"

namespace al::data {
namespace {

using storage::Scope;
using storage::Statement;
using testing::ElementsAre;
using testing::HasSubstr;

Statement const forget_events{"test.forget", "DELETE FROM events WHERE tenant_id = $1 AND version <= $2"};

class EventStoreTest : public StoreFixture {
 protected:
  void SetUp() override {
    StoreFixture::SetUp();
    store = std::make_unique<EventStore>(*writer);
  }

  Result<std::int64_t> append(Stream stream, std::int64_t expected, std::vector<NewEvent> events) {
    return wait(store->append(actor(), std::move(stream), expected, std::move(events), soon()));
  }

  /// Events that add 1, 2, … in calls of up to a hundred.
  void have_numbers(Stream const& stream, std::int64_t count) {
    for (std::int64_t at = 0; at < count;) {
      std::vector<NewEvent> events;
      for (auto n = at + 1; n <= std::min<std::int64_t>(count, at + 100); ++n)
        events.push_back({"saga:added", {R"({"n":)" + std::to_string(n) + "}"}});
      auto const version = append(stream, at, std::move(events));
      ASSERT_TRUE(version) << version.error().message;
      at = *version;
    }
  }

  /// Depends on the order: not a sum.
  static void take(std::int64_t& state, model::Event const& event) {
    auto const data = json::parse(event.data.text);
    state = (state * 31 + data->as_object().at("n").as_int64()) % 1'000'003;
  }
  static Result<std::int64_t> restore(Document const& document) {
    auto const state = json::parse(document.text);
    if (!state || !state->is_int64())
      return fail(Code::internal, "no number");
    return state->as_int64();
  }
  FoldRule<std::int64_t> const rule{.apply = take, .restore = restore};

  Result<Folded<std::int64_t>> load(Stream stream) {
    return wait(store->load(TenantId{"default"}, std::move(stream), rule, soon()));
  }
  Result<void> snapshot(Stream stream, std::int64_t version, std::int64_t state) {
    return wait(store->snapshot(TenantId{"default"}, std::move(stream), version, {std::to_string(state)}, soon()));
  }

  std::unique_ptr<EventStore> store;
};
AL_ON_EVERY_DATABASE(EventStoreTest);

TEST_P(EventStoreTest, AppendsCountVersions) {
  std::vector<std::string> heard;
  bus.on("saga:*", [&](events::Announcement const& it) { heard.push_back(it.channel + " " + it.aggregate_id); });
  EXPECT_EQ(append({"saga", "a"}, 0, {{"saga:begun", {R"({"of":"x"})"}}, {"saga:step_done", {}}}), 2);
  EXPECT_EQ(append({"saga", "a"}, 2, {{"saga:ended", {}}}), 3);
  EXPECT_EQ(append({"saga", "b"}, 0, {{"saga:begun", {}}}), 1);
  EXPECT_EQ(history("saga", "a"), "saga:begun saga:step_done saga:ended");
  EXPECT_THAT(heard, ElementsAre("saga:begun a", "saga:step_done a", "saga:ended a", "saga:begun b"));
  auto const first = wait(store->replay(TenantId{"default"}, {"saga", "a"}, 1, 1, soon()));
  ASSERT_EQ(first.size(), 1U);
  EXPECT_EQ(first[0].data.text, R"({"of":"x"})");
  EXPECT_EQ(first[0].service, "test");
  EXPECT_EQ(first[0].metadata.user_id, "tester");
  EXPECT_EQ(first[0].metadata.correlation_id, "request-1");
}

TEST_P(EventStoreTest, ReplaysFromAnyVersion) {
  have_numbers({"saga", "a"}, 7);
  auto const versions = [&](std::int64_t from, std::int64_t limit) {
    std::vector<std::int64_t> out;
    for (auto const& event : wait(store->replay(TenantId{"default"}, {"saga", "a"}, from, limit, soon())))
      out.push_back(event.version);
    return out;
  };
  EXPECT_THAT(versions(1, 3), ElementsAre(1, 2, 3));
  EXPECT_THAT(versions(6, 100), ElementsAre(6, 7));
  EXPECT_THAT(versions(8, 100), ElementsAre());
  EXPECT_THAT(versions(1, -1), ElementsAre());
}

TEST_P(EventStoreTest, AnotherVersionIsRefusedAndWritesNothing) {
  have_numbers({"saga", "a"}, 3);
  bool was_announced = false;
  bus.on("saga:*", [&](auto const&) { was_announced = true; });
  for (std::int64_t const expected : {0, 1, 2, 4}) {
    auto const refused = append({"saga", "a"}, expected, {{"saga:lost", {}}, {"saga:lost", {}}});
    ASSERT_FALSE(refused) << expected;
    EXPECT_EQ(refused.error().code, Code::version_mismatch) << expected;
    EXPECT_THAT(refused.error().message, HasSubstr("saga 'a'"));
  }
  EXPECT_EQ(append({"saga", "new"}, 1, {{"saga:lost", {}}}).error().code, Code::version_mismatch);
  EXPECT_EQ(history("saga", "a"), "saga:added saga:added saga:added");
  EXPECT_EQ(history("saga", "new"), "");
  EXPECT_FALSE(was_announced);
}

TEST_P(EventStoreTest, OfSixteenAppendersOneHasEachVersion) {
  constexpr int appenders = 16;
  constexpr std::int64_t rounds = 20;
  for (std::int64_t expected = 0; expected < rounds; ++expected) {
    std::vector<std::future<Result<std::int64_t>>> running;
    for (int i = 0; i < appenders; ++i) {
      std::vector<NewEvent> events{{"saga:added", {R"({"n":)" + std::to_string(i) + "}"}}};
      running.push_back(loop.start(store->append(actor(), {"saga", "a"}, expected, std::move(events), soon())));
    }
    int won = 0;
    for (auto& one : running) {
      auto const version = one.get();
      won += version ? 1 : 0;
      EXPECT_EQ(version.value_or(expected + 1), expected + 1);
      EXPECT_TRUE(version || version.error().code == Code::version_mismatch) << version.error().message;
    }
    ASSERT_EQ(won, 1) << "at version " << expected;
  }
  auto const events = wait(store->replay(TenantId{"default"}, {"saga", "a"}, 1, 500, soon()));
  ASSERT_EQ(std::ssize(events), rounds);
  for (std::size_t i = 0; i < events.size(); ++i)
    EXPECT_EQ(events[i].version, static_cast<std::int64_t>(i) + 1);
}

/// More events than one page of the log has, and snapshots at either side of the page's end.
TEST_P(EventStoreTest, ASnapshotAndTheRestComeToTheSameAsAllEvents) {
  Stream const stream{"saga", "a"};
  have_numbers(stream, 1'203);
  auto const whole = load(stream);
  ASSERT_TRUE(whole) << whole.error().message;
  EXPECT_EQ(whole->version, 1'203);
  Folded<std::int64_t> state;
  for (std::int64_t const at : {1, 499, 500, 501, 702, 703, 1'202, 1'203}) {
    auto const events = wait(store->replay(TenantId{"default"}, stream, state.version + 1, at - state.version, soon()));
    state = fold(state, events, rule);
    ASSERT_EQ(state.version, at);
    ASSERT_TRUE(snapshot(stream, at, state.state));
    auto const loaded = load(stream);
    ASSERT_TRUE(loaded) << loaded.error().message;
    EXPECT_EQ(loaded->state, whole->state) << at;
    EXPECT_EQ(loaded->version, whole->version) << at;
  }
}

TEST_P(EventStoreTest, ANewerSnapshotIsNeverReplaced) {
  Stream const stream{"saga", "a"};
  have_numbers(stream, 5);
  ASSERT_TRUE(snapshot(stream, 5, 55));
  ASSERT_TRUE(snapshot(stream, 3, 33)) << "late, but no fault of its author";
  ASSERT_TRUE(snapshot(stream, 5, 77)) << "the same version is the same state";
  EXPECT_EQ(load(stream)->state, 55);
  auto const early = snapshot(stream, 6, 66);
  ASSERT_FALSE(early);
  EXPECT_EQ(early.error().code, Code::invalid);
  EXPECT_THAT(early.error().message, HasSubstr("no version 6"));
  EXPECT_EQ(load(stream)->state, 55);
  EXPECT_EQ(snapshot({"saga", "unknown"}, 1, 1).error().code, Code::invalid);
}

TEST_P(EventStoreTest, WhatTheRuleCannotReadIsItsError) {
  Stream const stream{"saga", "a"};
  have_numbers(stream, 1);
  ASSERT_TRUE(wait(store->snapshot(TenantId{"default"}, stream, 1, {R"({"old":"shape"})"}, soon())));
  EXPECT_EQ(load(stream).error().message, "no number");
  EXPECT_EQ(load({"saga", "b"}).error().code, Code::not_found);
}

/// The log keeps events for a time only. A state without the first ones must not pass for the whole.
TEST_P(EventStoreTest, LoadsNothingWithoutItsFirstEventsUnlessASnapshotHasThem) {
  Stream const stream{"saga", "a"};
  have_numbers(stream, 6);
  auto const whole = load(stream);
  auto const half = fold({}, wait(store->replay(TenantId{"default"}, stream, 1, 3, soon())), rule);
  auto const forget = [&](std::int64_t last) {
    ASSERT_TRUE(wait(database->apply({Scope::of(TenantId{"default"}), {{&forget_events, {"default", last}}}}, soon())));
  };
  forget(3);
  EXPECT_THROW((void)load(stream), Fault);
  ASSERT_TRUE(snapshot(stream, 3, half.state));
  EXPECT_EQ(load(stream)->state, whole->state);
  forget(6);
  EXPECT_THROW((void)load(stream), Fault) << "the stream is at version 6";
  ASSERT_TRUE(snapshot(stream, 6, whole->state));
  EXPECT_EQ(load(stream)->state, whole->state);
  EXPECT_EQ(append(stream, 6, {{"saga:added", {R"({"n":1})"}}}), 7) << "versions go on";
}

TEST_P(EventStoreTest, RefusesWhatOthersCouldNotRead) {
  std::string const large = R"({"a":")" + std::string(16'384, 'x') + "\"}";
  struct {
    Stream stream;
    std::string channel;
    std::string data;
    std::string path;
  } const cases[]{
      {{"", "a"}, ":begun", "{}", "kind"},
      {{"Saga", "a"}, "Saga:begun", "{}", "kind"},
      {{"_saga", "a"}, "_saga:begun", "{}", "kind"},
      {{"sa__ga", "a"}, "sa__ga:begun", "{}", "kind"},
      {{"task", "a"}, "task:begun", "{}", "kind"},
      {{std::string(51, 'a'), "a"}, std::string(51, 'a') + ":begun", "{}", "kind"},
      {{"saga", ""}, "saga:begun", "{}", "aggregate_id"},
      {{"saga", "a\nb"}, "saga:begun", "{}", "aggregate_id"},
      {{"saga", "a"}, "begun", "{}", "events[1].channel"},
      {{"saga", "a"}, "sagas:begun", "{}", "events[1].channel"},
      {{"saga", "a"}, "saga:", "{}", "events[1].channel"},
      {{"saga", "a"}, "saga:a:b", "{}", "events[1].channel"},
      {{"saga", "a"}, "saga:begun", "", "events[1].data"},
      {{"saga", "a"}, "saga:begun", "{", "events[1].data"},
      {{"saga", "a"}, "saga:begun", "[]", "events[1].data"},
      {{"saga", "a"}, "saga:begun", R"({"a":1,"a":2})", "events[1].data"},
      {{"saga", "a"}, "saga:begun", large, "events[1].data"},
  };
  for (auto const& [stream, channel, data, path] : cases) {
    SCOPED_TRACE(stream.kind + " " + channel + " " + data.substr(0, 20));
    auto const refused = append(stream, 0, {{stream.kind + ":begun", {}}, {channel, {data}}});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::invalid);
    ASSERT_FALSE(refused.error().faults.empty());
    EXPECT_TRUE(std::ranges::any_of(refused.error().faults, [&](auto const& f) { return f.path == path; }))
        << refused.error().faults.front().path;
  }
  EXPECT_EQ(append({"saga", "a"}, 0, {}).error().code, Code::invalid);
  EXPECT_EQ(append({"saga", "a"}, -1, {{"saga:begun", {}}}).error().code, Code::invalid);
  std::vector<NewEvent> const many(EventStore::append_events_max + 1, {"saga:begun", {}});
  EXPECT_EQ(append({"saga", "a"}, 0, many).error().code, Code::invalid);
  EXPECT_EQ(wait(store->snapshot(TenantId{"default"}, {"saga", "a"}, 1, {"{"}, soon())).error().code, Code::invalid);
  EXPECT_EQ(history("saga", "a"), "");
  std::string const largest = R"({"a":")" + std::string(16'384 - 8, 'x') + "\"}";
  EXPECT_EQ(append({"saga", "ü / \"a\""}, 0, {{"saga:step_done", {largest}}}), 1);
}

}  // namespace
}  // namespace al::data
