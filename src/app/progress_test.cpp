#include "app/progress.hpp"

#include <gtest/gtest.h>

#include <sstream>

namespace al::app {
namespace {

TEST(Progress, ShowsTheShare) {
  EXPECT_EQ(progress_text(0, 8, "a", 80), "[························]   0%  a");
  EXPECT_EQ(progress_text(4, 8, "a", 80), "[████████████············]  50%  a");
  EXPECT_EQ(progress_text(8, 8, "a", 80), "[████████████████████████] 100%  a");
  EXPECT_EQ(progress_text(9, 8, "a", 80), progress_text(8, 8, "a", 80)) << "a file may have grown";
  EXPECT_EQ(progress_text(0, 0, "a", 80), progress_text(8, 8, "a", 80)) << "nothing is soon done";
  EXPECT_EQ(columns_of(progress_text(4, 8, std::string(100, 'x'), 50)), 50U);
  EXPECT_EQ(progress_text(0, 8, "a\x1b[2J\n", 80).find('\x1b'), std::string::npos);
}

TEST(Progress, DrawsOnTerminalsOnlyAndLeavesNothing) {
  struct Case {
    Console::Options options;
    bool draws;
  };
  for (auto const& [options, draws] :
       {Case{{.is_terminal = true}, true}, Case{{.is_terminal = true, .json = true}, false}, Case{{}, false}}) {
    std::ostringstream out;
    {
      Progress progress(out, options, 2);
      progress.show(1, "half");
      EXPECT_EQ(out.str().contains("50%"), draws);
    }
    EXPECT_EQ(out.str().ends_with("\r\x1b[2K"), draws);
  }
}

TEST(Progress, IsSilentUntilItIsShown) {
  std::ostringstream out;
  {
    Progress const progress(out, {.is_terminal = true}, 2);
  }
  EXPECT_EQ(out.str(), "");
}

}  // namespace
}  // namespace al::app
