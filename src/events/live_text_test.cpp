#include "events/live_text.hpp"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <tuple>

#include "testing/manual_clock.hpp"

namespace al::events {
namespace {

class LiveTextTest : public testing::Test {
 protected:
  static LiveText::Attempt attempt(std::int64_t epoch, std::string task = "t", std::string tenant = "default") {
    return {TenantId{std::move(tenant)}, TaskId{std::move(task)}, epoch};
  }
  /// What a reader who has `offset` bytes of `answer` gets; "-" when there is nothing.
  std::string read(std::uint64_t answer, std::size_t offset) const {
    auto const written = live.read(TenantId{"default"}, TaskId{"t"}, answer, offset);
    return written ? std::to_string(written->answer) + "/" + std::to_string(written->step) + " " + written->text : "-";
  }

  ManualClock clock;
  LiveText live{clock};
};

TEST_F(LiveTextTest, GivesWhatCameAfterwards) {
  EXPECT_EQ(read(0, 0), "-");
  live.begin(attempt(1), 1);
  EXPECT_EQ(read(0, 0), "-");
  live.append(attempt(1), "Par");
  live.append(attempt(1), "is");
  EXPECT_EQ(read(0, 0), "1/1 Paris");
  EXPECT_EQ(read(1, 3), "1/1 is");
  EXPECT_EQ(read(1, 5), "-");
}

TEST_F(LiveTextTest, BeginsAgainWithEachAnswer) {
  live.begin(attempt(1), 1);
  live.append(attempt(1), "Let me look");
  live.begin(attempt(1), 2);
  live.append(attempt(1), "Paris");
  EXPECT_EQ(read(1, 11), "2/2 Paris");
  EXPECT_EQ(read(0, 0), "2/2 Paris");
}

TEST_F(LiveTextTest, TellsTheSameStepOfAnotherAttemptApart) {
  live.begin(attempt(1), 1);
  live.append(attempt(1), "Paris");
  live.end(attempt(1));
  live.begin(attempt(2), 1);
  live.append(attempt(2), "Parma");
  EXPECT_EQ(read(1, 5), "2/1 Parma");
}

/// Words that nobody had read yet went with the answer that they belong to.
TEST_F(LiveTextTest, WordsCanBeReadAfterTheirAnswerHasEnded) {
  live.begin(attempt(1), 1);
  live.append(attempt(1), "Let me look");
  live.begin(attempt(1), 2);
  live.append(attempt(1), "Paris");
  live.end(attempt(1));
  EXPECT_EQ(read(1, 4), "1/1 me look");
  EXPECT_EQ(read(1, 11), "2/2 Paris");
  EXPECT_EQ(read(2, 5), "-");
}

TEST_F(LiveTextTest, AnAttemptThatEndedIsForgottenAfterAWhile) {
  live.begin(attempt(1), 1);
  live.append(attempt(1), "Paris");
  live.end(attempt(1));
  clock.advance(LiveText::ended_for - std::chrono::milliseconds{1});
  live.end(attempt(1, "another"));
  EXPECT_EQ(read(0, 0), "1/1 Paris");
  clock.advance(std::chrono::milliseconds{1});
  live.end(attempt(1, "another"));
  EXPECT_EQ(read(0, 0), "-");
}

TEST_F(LiveTextTest, WhatEndedDoesNotTakeTheNextAttemptWithIt) {
  live.begin(attempt(1), 1);
  live.end(attempt(1));
  live.begin(attempt(2), 1);
  live.append(attempt(2), "Parma");
  clock.advance(LiveText::ended_for);
  live.end(attempt(1, "another"));
  EXPECT_EQ(read(0, 0), "2/1 Parma");
}

TEST_F(LiveTextTest, WhatEndedIsBounded) {
  live.begin(attempt(1), 1);
  live.append(attempt(1), "Paris");
  live.end(attempt(1));
  for (std::size_t i = 0; i < LiveText::ended_bytes_max / LiveText::bytes_max; ++i) {
    EXPECT_EQ(read(0, 0), "1/1 Paris");
    auto const other = attempt(1, std::to_string(i));
    live.begin(other, 1);
    live.append(other, std::string(LiveText::bytes_max, 'x'));
    live.end(other);
  }
  EXPECT_EQ(read(0, 0), "-");
}

/// An attempt that was cancelled wrote into the text of the one after it.
TEST_F(LiveTextTest, AnOlderAttemptIsHeardNoLonger) {
  live.begin(attempt(1), 1);
  live.append(attempt(1), "old");
  live.begin(attempt(3), 1);
  live.append(attempt(3), "new");
  live.append(attempt(1), "old");
  live.begin(attempt(1), 2);
  live.append(attempt(1), "old");
  live.end(attempt(1));
  clock.advance(LiveText::ended_for);
  live.end(attempt(1));
  EXPECT_EQ(read(0, 0), "2/1 new");
}

TEST_F(LiveTextTest, IsTheTenantsOwn) {
  live.begin(attempt(1), 1);
  live.append(attempt(1), "secret");
  auto const foreign = attempt(1, "t", "other");
  EXPECT_FALSE(live.read(foreign.tenant, foreign.task, 0, 0));
  live.append(foreign, "none");
  EXPECT_EQ(read(0, 0), "1/1 secret");
  live.begin(foreign, 1);
  live.append(foreign, "theirs");
  EXPECT_EQ(live.read(foreign.tenant, foreign.task, 0, 0)->answer, 1U) << "numbers tell nothing of other tenants";
}

/// Smaller pieces came behind one that had no room, as if it had not been.
TEST_F(LiveTextTest, EndsAtTheFirstPieceThatHasNoRoom) {
  live.begin(attempt(1), 1);
  live.append(attempt(1), std::string(LiveText::bytes_max - 2, 'x'));
  live.append(attempt(1), "four");
  live.append(attempt(1), "y");
  EXPECT_EQ(live.read(TenantId{"default"}, TaskId{"t"}, 1, 0)->text.size(), LiveText::bytes_max - 2);
  live.begin(attempt(1), 2);
  live.append(attempt(1), "y");
  EXPECT_EQ(read(1, LiveText::bytes_max - 2), "2/2 y");
}

TEST_F(LiveTextTest, TellsHowTheNewestAnswerStands) {
  auto const standing = [&] { return live.standing(TenantId{"default"}, TaskId{"t"}); };
  EXPECT_FALSE(standing());
  live.begin(attempt(1), 1);
  live.begin(attempt(1), 2);
  ASSERT_TRUE(standing());
  EXPECT_EQ(std::tuple(standing()->epoch, standing()->answer, standing()->step), std::tuple(1, 2U, 2));
  EXPECT_FALSE(standing()->is_over);
  live.end(attempt(1));
  EXPECT_TRUE(standing()->is_over);
  live.begin(attempt(2), 1);
  EXPECT_FALSE(standing()->is_over);
  EXPECT_FALSE(live.standing(TenantId{"other"}, TaskId{"t"}));
}

TEST_F(LiveTextTest, ForgetsOnlyWhatCameFromAfar) {
  auto afar = attempt(1);
  afar.is_from_afar = true;
  live.begin(afar, 1);
  live.append(afar, "Paris");
  EXPECT_TRUE(live.read(TenantId{"default"}, TaskId{"t"}, 0, 0)->is_from_afar);
  live.forget(attempt(2));
  EXPECT_EQ(read(0, 0), "1/1 Paris");
  live.forget(afar);
  EXPECT_EQ(read(0, 0), "-");
  live.begin(attempt(1), 1);
  live.append(attempt(1), "Parma");
  live.forget(attempt(1));
  EXPECT_EQ(read(0, 0), "2/1 Parma");
}

TEST_F(LiveTextTest, TellsOthersOfAnswersThatBeginHere) {
  std::vector<std::string> begun;
  live.join({.begins = [&](TenantId const& tenant, TaskId const& task) { begun.push_back(tenant.value + task.value); },
             .fetch = {}});
  auto afar = attempt(2);
  afar.is_from_afar = true;
  live.begin(attempt(1), 1);
  live.begin(afar, 1);
  live.begin(attempt(1), 2);
  EXPECT_EQ(begun, (std::vector<std::string>{"defaultt"}));
  EXPECT_EQ(live.fetch(TenantId{"default"}, TaskId{"t"}), nullptr);
}

TEST_F(LiveTextTest, RingsForChangesOfTheTask) {
  Bus bus;
  live.follow(bus);
  asio::io_context io;
  auto const doorbell = live.watch(io.get_executor(), TaskId{"t"});
  auto const rung = [&] {
    io.restart();
    std::optional<bool> out;
    asio::co_spawn(io, doorbell->wait(SteadyTime{}), [&](std::exception_ptr, bool it) { out = it; });
    io.run();
    return out;
  };
  bus.announce({.channel = "task:completed", .aggregate_id = "t"});
  EXPECT_EQ(rung(), true);
  bus.announce({.channel = "task:completed", .aggregate_id = "another"});
  bus.announce({.channel = "agent:updated", .aggregate_id = "t"});
  EXPECT_EQ(rung(), false);
  bus.hear({.channel = "task:failed"});
  EXPECT_EQ(rung(), true) << "any task may be meant";
}

}  // namespace
}  // namespace al::events
