#include "app/manual.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <sstream>

#include "app/cli.hpp"

namespace al::app {
namespace {

using testing::HasSubstr;

std::string whole_manual() {
  Invocation invocation;
  CLI::App app;
  build_cli(app, invocation);
  return manual(command_tree(app));
}

std::string dashed(std::string text) {
  for (auto at = text.find('-'); at != std::string::npos; at = text.find('-', at + 2))
    text.replace(at, 1, "\\-");
  return text;
}

TEST(Manual, NamesEverything) {
  auto const page = whole_manual();
  Invocation invocation;
  CLI::App app;
  build_cli(app, invocation);
  for (auto const& command : command_tree(app)) {
    if (!command.path.empty())
      EXPECT_THAT(page, HasSubstr(".SS \"" + dashed(command.usage()) + "\"\n"));
    for (auto const& option : command.options)
      EXPECT_THAT(page, HasSubstr("\\fB" + dashed(option.name()) + "\\fR"));
  }
  for (auto const& setting : settings())
    EXPECT_THAT(page, HasSubstr("\n\\fB" + std::string(setting.variable) + "\\fR\n"));
  for (auto const* section :
       {"NAME", "SYNOPSIS", "OPTIONS", "COMMANDS", "ENVIRONMENT", "FILES", "EXIT STATUS", "EXAMPLES"})
    EXPECT_THAT(page, HasSubstr("\n.SH " + std::string(section) + "\n"));
}

TEST(Manual, IsWellFormedRoff) {
  std::set<std::string> const requests{".TH", ".nr", ".ad", ".SH", ".SS", ".PP", ".TP", ".EX", ".EE"};
  std::istringstream in(whole_manual());
  bool is_code = false;
  for (std::string line; std::getline(in, line);) {
    EXPECT_EQ(std::ranges::count_if(line, [](char c) { return static_cast<unsigned char>(c) >= 0x80; }), 0) << line;
    EXPECT_FALSE(line.starts_with('\'')) << line;
    EXPECT_FALSE(line.empty() && !is_code) << "an empty line is a request of its own";
    if (!line.starts_with('.'))
      continue;
    EXPECT_TRUE(requests.contains(line.substr(0, line.find(' ')))) << line;
    EXPECT_EQ(line == ".EX" ? is_code : line == ".EE" && !is_code, false) << line;
    is_code = line == ".EX" || (is_code && line != ".EE");
  }
  EXPECT_FALSE(is_code);
}

TEST(Manual, PrintsTextAsItStands) {
  std::vector<Command> const tree{{.path = "",
                                   .doc = ".SH X \\fB 'a' \"b\" ü€ -- `c` ~ ^",
                                   .footer = "",
                                   .options = {},
                                   .positionals = {},
                                   .commands = {}}};
  EXPECT_THAT(manual(tree), HasSubstr("\n\\&.SH X \\efB \\(aqa\\(aq \\(dqb\\(dq \\[u00FC]\\[u20AC] \\-\\- \\(gac\\(ga "
                                      "\\(ti \\(ha\n"));
}

}  // namespace
}  // namespace al::app
