#include "app/pager.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include "testing/temporary_directory.hpp"

namespace al::app {
namespace {

std::string read_file(std::filesystem::path const& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// A console on a terminal of four lines, whose pager copies what it gets into a file.
struct Screen {
  explicit Screen(std::vector<std::string> pager = {}) {
    if (pager.empty())
      pager = {"dd", "status=none", "of=" + paged.string()};
    console.emplace(out, err, Console::Options{.is_terminal = true, .height = 4, .pager = std::move(pager)});
  }
  TemporaryDirectory directory;
  std::filesystem::path paged = directory.path() / "paged";
  std::ostringstream out, err;
  std::optional<Console> console;
};

TEST(PagerCommand, IsSplitOnBlanksAndNothingElse) {
  using Words = std::vector<std::string>;
  EXPECT_EQ(pager_command({}), (Words{"less", "-FRX"}));
  EXPECT_EQ(pager_command({{"PAGER", " most  -s "}}), (Words{"most", "-s"}));
  EXPECT_EQ(pager_command({{"PAGER", "less; rm -r x"}}), (Words{"less;", "rm", "-r", "x"}));
  EXPECT_EQ(pager_command({{"PAGER", ""}}), Words());
  EXPECT_EQ(pager_command({{"TERM", "dumb"}}), Words());
}

TEST(LongOutput, WhatFitsIsPrinted) {
  Screen screen;
  screen.console->page("1\n2\n3");
  EXPECT_EQ(screen.out.str(), "1\n2\n3\n");
  EXPECT_FALSE(std::filesystem::exists(screen.paged));
}

TEST(LongOutput, WhatDoesNotFitIsPaged) {
  Screen screen;
  screen.console->page("1\n2\n3\n4");
  EXPECT_EQ(screen.out.str(), "");
  EXPECT_EQ(read_file(screen.paged), "1\n2\n3\n4\n");
}

TEST(LongOutput, PagesAsItComes) {
  Screen screen;
  LongOutput out(*screen.console);
  for (int i = 0; i < 6; ++i)
    EXPECT_TRUE(out.print(std::to_string(i)));
  out.finish();
  EXPECT_EQ(screen.out.str(), "");
  EXPECT_EQ(read_file(screen.paged), "0\n1\n2\n3\n4\n5\n");
}

TEST(LongOutput, IsPrintedWhenThereIsNoSuchPager) {
  Screen screen({"/nonexistent/pager"});
  LongOutput out(*screen.console);
  EXPECT_TRUE(out.print("1\n2\n3\n4\n5"));
  EXPECT_TRUE(out.print("6"));
  out.finish();
  EXPECT_EQ(screen.out.str(), "1\n2\n3\n4\n5\n6\n");
}

TEST(LongOutput, EndsWithItsReader) {
  auto* const before = std::signal(SIGPIPE, SIG_IGN);
  Screen screen({"true"});
  LongOutput out(*screen.console);
  std::string const page(1 << 16, '\n');
  bool is_read = true;
  for (int i = 0; i < 100 && is_read; ++i)
    is_read = out.print(page);
  out.finish();
  EXPECT_FALSE(is_read);
  std::signal(SIGPIPE, before);
}

TEST(LongOutput, ProgramsGetAllAtOnce) {
  std::ostringstream out, err;
  Console console(out, err, {.height = 2, .pager = {"/nonexistent/pager"}});
  console.page("1\n2\n3\n4");
  EXPECT_EQ(out.str(), "1\n2\n3\n4\n");
}

}  // namespace
}  // namespace al::app
