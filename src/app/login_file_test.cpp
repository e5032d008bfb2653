#include "app/login_file.hpp"

#include <gtest/gtest.h>

namespace al::app {
namespace {

TEST(LoginFile, EachServerHasItsOwnBelowTheHome) {
  auto const one = login_file("http://127.0.0.1:8000", {{"HOME", "/somewhere/ada"}});
  EXPECT_EQ(one.parent_path(), "/somewhere/ada/.config/agent-lightning");
  EXPECT_EQ(one, login_file("http://127.0.0.1:8000", {{"HOME", "/somewhere/ada"}}));
  EXPECT_NE(one, login_file("http://127.0.0.1:9000", {{"HOME", "/somewhere/ada"}}));
  auto const other =
      login_file("http://127.0.0.1:8000", {{"HOME", "/somewhere/ada"}, {"XDG_CONFIG_HOME", "/elsewhere"}});
  EXPECT_EQ(other.parent_path(), "/elsewhere/agent-lightning");
}

TEST(LoginFile, WithoutAHomeThereIsNone) { EXPECT_TRUE(login_file("http://127.0.0.1:8000", {}).empty()); }

}  // namespace
}  // namespace al::app
