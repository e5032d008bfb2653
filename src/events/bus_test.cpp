#include "events/bus.hpp"

#include <gtest/gtest.h>

#include "testing/event_loop.hpp"

namespace al::events {
namespace {

constexpr std::chrono::milliseconds never_long{20};

bool rings(EventLoop& loop, Bus::Subscription& subscription) {
  return loop.wait(subscription.wait(std::chrono::steady_clock::now() + never_long));
}

TEST(ChannelMatches, Table) {
  for (auto const* pattern : {"*", "task:*", "task_*", "task:created", "task_created"})
    EXPECT_TRUE(channel_matches(pattern, "task:created")) << pattern;
  for (auto const* pattern : {"", "task", "task:", "task:create", "task:created:", "task.created", "tas:*", "agent:*"})
    EXPECT_FALSE(channel_matches(pattern, "task:created")) << pattern;
}

TEST(Bus, RingsOnlyWhoTakesTheChannel) {
  Bus bus;
  EventLoop loop;
  auto const tasks = bus.subscribe(loop.executor(), {"agent:deleted", "task:*"});
  auto const all = bus.subscribe(loop.executor(), {"*"});
  bus.ring("agent:created");
  EXPECT_FALSE(rings(loop, *tasks));
  EXPECT_TRUE(rings(loop, *all));
  bus.ring("task:created");
  EXPECT_TRUE(rings(loop, *tasks));
  EXPECT_TRUE(rings(loop, *all));
  EXPECT_FALSE(rings(loop, *all)) << "a ring counts once";
}

/// Reconnecting streams once grew the list until something was announced.
TEST(Bus, ForgetsASubscriptionThatEnds) {
  Bus bus;
  EventLoop loop;
  auto const stays = bus.subscribe(loop.executor(), {"*"});
  for (int i = 0; i < 10; ++i)
    std::ignore = bus.subscribe(loop.executor(), {"*"});
  EXPECT_EQ(bus.subscriptions(), 1U);
  bus.ring("task:created");
  EXPECT_TRUE(rings(loop, *stays));
}

TEST(Bus, TellsListenersAndOtherProcessesOfWhatWasAnnouncedHere) {
  Bus bus;
  EventLoop loop;
  std::vector<std::string> listened;
  std::vector<std::string> forwarded;
  bus.on("agent:*", [&](Announcement const& it) { listened.push_back(it.tenant.value + "/" + it.aggregate_id); });
  bus.forward_to([&](Announcement const& it) { forwarded.push_back(it.aggregate_id); });
  auto const agents = bus.subscribe(loop.executor(), {"agent:*"});
  bus.announce({.channel = "agent:updated", .tenant = TenantId{"t"}, .aggregate_id = "here"});
  bus.announce({.channel = "task:created", .tenant = TenantId{"t"}, .aggregate_id = "task"});
  bus.hear({.channel = "agent:updated", .tenant = TenantId{"t"}, .aggregate_id = "there"});
  EXPECT_EQ(listened, (std::vector<std::string>{"t/here", "t/there"}));
  EXPECT_EQ(forwarded, (std::vector<std::string>{"here", "task"})) << "what was heard is not sent round again";
  EXPECT_TRUE(rings(loop, *agents));
}

TEST(Bus, RingsAllWhenAnythingMayHaveBeenMissed) {
  Bus bus;
  EventLoop loop;
  auto const tasks = bus.subscribe(loop.executor(), {"task:created"});
  bus.ring_all();
  EXPECT_TRUE(rings(loop, *tasks));
}

}  // namespace
}  // namespace al::events
