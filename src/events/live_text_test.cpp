#include "events/live_text.hpp"

#include <gtest/gtest.h>

namespace al::events {
namespace {

TenantId const tenant{"default"};
TaskId const task{"t"};

TEST(LiveText, GivesWhatCameAfterwards) {
  Bus bus;
  LiveText live(bus);
  EXPECT_FALSE(live.read(tenant, task, 0, 0));
  live.begin(tenant, task, 1);
  live.append(tenant, task, "Par");
  live.append(tenant, task, "is");
  EXPECT_EQ(live.read(tenant, task, 0, 0)->text, "Paris");
  EXPECT_EQ(live.read(tenant, task, 1, 3)->text, "is");
  EXPECT_FALSE(live.read(tenant, task, 1, 5));
}

TEST(LiveText, BeginsAgainWithEachAnswer) {
  Bus bus;
  LiveText live(bus);
  live.begin(tenant, task, 1);
  live.append(tenant, task, "Let me look");
  live.begin(tenant, task, 2);
  live.append(tenant, task, "Paris");
  auto const written = live.read(tenant, task, 1, 11);
  ASSERT_TRUE(written);
  EXPECT_EQ(written->step, 2);
  EXPECT_EQ(written->text, "Paris");
}

TEST(LiveText, TellsTheSameStepOfAnotherAttemptApart) {
  Bus bus;
  LiveText live(bus);
  live.begin(tenant, task, 1);
  live.append(tenant, task, "Paris");
  auto const first = live.read(tenant, task, 0, 0);
  live.end(tenant, task);
  live.begin(tenant, task, 1);
  live.append(tenant, task, "Parma");
  EXPECT_EQ(live.read(tenant, task, first->answer, first->text.size())->text, "Parma");
}

TEST(LiveText, IsTheTenantsOwnAndGoesWithTheAttempt) {
  Bus bus;
  LiveText live(bus);
  live.begin(tenant, task, 1);
  live.append(tenant, task, "secret");
  EXPECT_FALSE(live.read(TenantId{"other"}, task, 0, 0));
  live.append(TenantId{"other"}, task, "none");
  EXPECT_EQ(live.read(tenant, task, 0, 0)->text, "secret");
  live.end(tenant, task);
  EXPECT_FALSE(live.read(tenant, task, 0, 0));
}

TEST(LiveText, IsBounded) {
  Bus bus;
  LiveText live(bus);
  live.begin(tenant, task, 1);
  live.append(tenant, task, std::string(LiveText::bytes_max, 'x'));
  live.append(tenant, task, "y");
  EXPECT_EQ(live.read(tenant, task, 1, 0)->text.size(), LiveText::bytes_max);
}

}  // namespace
}  // namespace al::events
