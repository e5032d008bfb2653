#include "core/failpoint.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "core/fault.hpp"

#ifdef AL_FAILPOINTS

#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>

namespace al::failpoint {
namespace {

class Failpoint : public testing::Test {
 protected:
  void TearDown() override { arm(""); }
};

bool throws(std::string_view name) {
  try {
    AL_FAILPOINT(name);
    return false;
  } catch (Unavailable const&) {
    return true;
  }
}

/// Which of the first `visits` visits throw: "..x" is the third one.
std::string visits(std::string_view name, int count) {
  std::string out;
  for (int i = 0; i < count; ++i)
    out += throws(name) ? 'x' : '.';
  return out;
}

TEST_F(Failpoint, DoesNothingUntilItIsArmed) {
  EXPECT_EQ(visits("a", 3), "...");
  arm("a=error");
  EXPECT_EQ(visits("a", 3), "xxx");
  EXPECT_EQ(visits("b", 3), "...");
  arm("");
  EXPECT_EQ(visits("a", 3), "...");
}

TEST_F(Failpoint, CountsVisits) {
  arm("once=error@3; each=error%2 ;\n always = error ;");
  EXPECT_EQ(visits("once", 6), "..x...");
  EXPECT_EQ(visits("each", 6), ".x.x.x");
  EXPECT_EQ(visits("always", 2), "xx");
}

TEST_F(Failpoint, CountsAnewWhenArmedAnew) {
  arm("a=error@2");
  EXPECT_EQ(visits("a", 1), ".");
  arm("a=error@2");
  EXPECT_EQ(visits("a", 3), ".x.");
}

TEST_F(Failpoint, TakesSeveralActionsOfOneName) {
  arm("a=error@1;a=error@3");
  EXPECT_EQ(visits("a", 4), "x.x.");
}

TEST_F(Failpoint, SaysItsNameInTheFault) {
  arm("storage.commit.before=error");
  try {
    reach("storage.commit.before");
    ADD_FAILURE() << "no fault";
  } catch (Unavailable const& fault) {
    EXPECT_STREQ(fault.what(), "failpoint storage.commit.before");
  }
}

TEST_F(Failpoint, DelaysTheThread) {
  arm("a=delay:20@1");
  auto start = std::chrono::steady_clock::now();
  reach("a");
  EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(20));
}

TEST_F(Failpoint, CountsEveryVisitOfEveryThread) {
  constexpr int threads = 4;
  constexpr int rounds = 500;
  arm("a=error%10");
  std::atomic<int> faults{0};
  {
    std::vector<std::jthread> running;
    running.reserve(threads);
    for (int t = 0; t < threads; ++t) {
      running.emplace_back([&] {
        for (int i = 0; i < rounds; ++i)
          faults += throws("a") ? 1 : 0;
      });
    }
  }
  EXPECT_EQ(faults, threads * rounds / 10);
}

TEST_F(Failpoint, RefusesTextThatItDoesNotUnderstandAndKeepsWhatWasArmed) {
  arm("a=error");
  for (auto const* text :
       {"b", "=error", "b=", "b=explode", "b=error@", "b=error@0", "b=error@-1", "b=error@x", "b=error%0", "b=error@1x",
        "b=delay", "b=delay:", "b=delay:x", "b=delay:-1", "b=delay:3600001", "c=error;b=oops"}) {
    EXPECT_THROW(arm(text), std::invalid_argument) << text;
  }
  EXPECT_EQ(visits("a", 1), "x");
  EXPECT_EQ(visits("b", 1), ".");
  EXPECT_EQ(visits("c", 1), ".");
}

TEST(FailpointDeathTest, CrashIsAKillThatNothingCatches) {
  EXPECT_EXIT(
      {
        arm("a=crash@2");
        reach("a");
        std::fputs("first visit passed\n", stderr);
        reach("a");
      },
      testing::KilledBySignal(SIGKILL), "first visit passed");
}

/// Only in the child of a death test, which has one thread.
void set_variable(char const* text) {
  ::setenv("AL_FAILPOINTS", text, 1);  // NOLINT(concurrency-mt-unsafe)
}

/// "threadsafe" starts the program anew, so the variable has not been read yet there.
TEST(FailpointDeathTest, ReadsTheVariableOnce) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        set_variable("a=crash@1");
        reach("a");
      },
      testing::KilledBySignal(SIGKILL), "");
  EXPECT_EXIT(
      {
        set_variable("a=crash@1");
        arm("b=crash");
        reach("a");
        ::_exit(7);
      },
      testing::ExitedWithCode(7), "");
  EXPECT_DEATH(
      {
        set_variable("a=crsh");
        reach("b");
      },
      "AL_FAILPOINTS cannot be read");
}

}  // namespace
}  // namespace al::failpoint

#else

TEST(Failpoint, IsCompiledOut) {
  static_assert(noexcept(AL_FAILPOINT("anything")));
  AL_FAILPOINT("anything");
}

#endif
