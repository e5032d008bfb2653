#include "core/nearest.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace al {
namespace {

TEST(Nearest, FindsWhatWasMeant) {
  std::vector<std::string> const commands{"serve", "init", "migrate", "agent", "task", "knowledge", "events"};
  struct Case {
    std::string word, meant;
  };
  for (auto const& [word, meant] : std::vector<Case>{{"serv", "serve"},
                                                     {"sevre", "serve"},
                                                     {"agnet", "agent"},
                                                     {"agents", "agent"},
                                                     {"knowlege", "knowledge"},
                                                     {"know", "knowledge"},
                                                     {"tasks", "task"},
                                                     {"frobnicate", ""},
                                                     {"knowledge-of-mine", ""},
                                                     {"x", ""},
                                                     {"", ""},
                                                     {std::string(1000, 'a'), ""}}) {
    EXPECT_EQ(nearest(word, commands), meant) << word;
  }
  EXPECT_EQ(nearest("serve", {}), "");
}

}  // namespace
}  // namespace al
