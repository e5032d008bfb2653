#include "app/console.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace al::app {
namespace {

using testing::HasSubstr;
using testing::Not;

struct Output {
  explicit Output(Console::Options options = {}) : console(out, err, options) {}
  std::ostringstream out;
  std::ostringstream err;
  Console console;
};

Console::Options terminal(std::size_t width) { return {.is_terminal = true, .has_colour = true, .width = width}; }

TEST(Console, ResultsAndNotesGoTheirOwnWays) {
  Output output;
  output.console.print("result");
  output.console.note("note");
  output.console.error("broken");
  EXPECT_EQ(output.out.str(), "result\n");
  EXPECT_EQ(output.err.str(), "note\nerror: broken\n");
}

TEST(Console, AResultThatIsLostIsAFault) {
  std::ofstream full("/dev/full");
  std::ostringstream err;
  Console console(full, err, {});
  EXPECT_THROW(console.print("result"), OutputLost);
  EXPECT_THROW(console.flush(), OutputLost);
}

TEST(Console, ColoursOnlyWhereTheyAreWanted) {
  EXPECT_EQ(Output().console.paint("x", Tone::bad), "x");
  Output const coloured(terminal(80));
  EXPECT_EQ(coloured.console.paint("x", Tone::bad), "\x1b[31mx\x1b[0m");
  EXPECT_EQ(coloured.console.paint("x", Tone::plain), "x");
  EXPECT_EQ(coloured.console.paint("", Tone::bad), "");
}

TEST(Console, TestsRunWithoutATerminal) {
  auto const console = Console::of_process(false, {{"TERM", "xterm"}});
  EXPECT_FALSE(console.options().is_terminal);
  EXPECT_FALSE(console.options().has_colour);
}

TEST(Table, ALongListIsWrittenWhileItIsRead) {
  Output output;
  Table table({"ID", "NAME"});
  table.add({{"a"}, {"Alpha"}});
  EXPECT_EQ(table.next(output.console), "ID  NAME\na   Alpha");
  table.add({{"longer"}, {"B"}});
  table.add({{"c"}, {"C"}});
  EXPECT_EQ(table.next(output.console), "longer  B\nc   C") << "nothing is cut for a program";
  Output narrow(terminal(40));
  Table cut_table({"ID", "NAME"});
  cut_table.add({{"abc"}, {"x"}});
  EXPECT_THAT(cut_table.next(narrow.console), HasSubstr("abc"));
  cut_table.add({{"abcdef"}, {"a long name"}});
  EXPECT_THAT(cut_table.next(narrow.console), HasSubstr("abcdef  a l…"));
}

TEST(Table, AlignsItsColumns) {
  Table table({"ID", "NAME"});
  table.add({{"a"}, {"Alpha"}});
  table.add({{"longer"}, {"B"}});
  EXPECT_EQ(table.text(Output().console),
            "ID      NAME\n"
            "a       Alpha\n"
            "longer  B");
}

TEST(Table, CountsColumnsAndNotBytes) {
  Table table({"ID", "X"});
  table.add({{"ünï"}, {"1"}});
  table.add({{"日本"}, {"2"}});
  table.add({{"abcd"}, {"3"}});
  EXPECT_EQ(table.text(Output().console),
            "ID    X\n"
            "ünï   1\n"
            "日本  2\n"
            "abcd  3");
}

TEST(Table, FitsATerminalAndIsWholeElsewhere) {
  Table table({"ID", "TEXT"});
  table.add({{"a"}, {std::string(200, 'x')}});
  auto options = terminal(40);
  options.has_colour = false;
  std::istringstream lines(table.text(Output(options).console));
  for (std::string line; std::getline(lines, line);)
    EXPECT_LE(columns_of(line), 40u) << line;
  EXPECT_THAT(table.text(Output(options).console), HasSubstr("…"));
  EXPECT_THAT(table.text(Output().console), HasSubstr(std::string(200, 'x')));
}

TEST(Table, WhatTheNextCommandNeedsIsNeverCut) {
  std::string const id(36, 'i');
  std::string const variable(26, 'V');
  auto const cells = [&] { return std::vector<Cell>{{id}, {std::string(20, 'n')}, {std::string(60, 'x')}}; };
  auto options = terminal(70);
  options.has_colour = false;
  Output const narrow(options);
  Table table({"ID", "NAME", "TEXT"});
  table.add(cells());
  auto const text = table.text(narrow.console);
  auto const row = text.substr(text.find('\n') + 1);
  EXPECT_THAT(row, testing::StartsWith(id + "  n"));
  EXPECT_EQ(columns_of(row), 70u) << "the others give way, and no more than is needed";
  Table settings({"SETTING", "VALUE", "VARIABLE"}, true);
  settings.add({{id}, {std::string(60, 'x')}, {variable}});
  EXPECT_THAT(settings.text(narrow.console), testing::EndsWith("…  " + variable));
}

TEST(Table, OnATerminalThatIsMuchTooNarrowIdsAreWholeStill) {
  Table table({"ID", "TEXT"});
  table.add({{std::string(60, 'i')}, {std::string(60, 'x')}});
  EXPECT_THAT(table.text(Output(terminal(40)).console), HasSubstr(std::string(60, 'i') + "  xxxxx…"));
}

TEST(Table, GivesTerminalsNothingToObey) {
  Table table({"NAME"});
  table.add({{"evil\x1b[2J\r\nname\x07"}});
  auto const text = table.text(Output(terminal(80)).console);
  EXPECT_THAT(text, Not(HasSubstr("\x1b[2J")));
  EXPECT_THAT(text, HasSubstr("evil [2J  name"));
}

TEST(Printable, ReplacesWhatIsNoText) {
  struct Case {
    std::string in, out;
    bool keep_lines = false;
  };
  for (auto const& [in, out, keep_lines] : std::vector<Case>{{"plain ä €  😀", "plain ä €  😀"},
                                                             {"a\nb\tc", "a b c"},
                                                             {"a\nb\tc", "a\nb c", true},
                                                             {"\xC2\x9B"
                                                              "31m",
                                                              " 31m"},
                                                             {"cut \xE2\x82", "cut \xEF\xBF\xBD\xEF\xBF\xBD"},
                                                             {"\xFF", "\xEF\xBF\xBD"},
                                                             {"", ""}}) {
    EXPECT_EQ(printable(in, keep_lines), out) << in;
  }
}

TEST(Cut, LeavesOutWhatDoesNotFit) {
  EXPECT_EQ(cut("abc", 3), "abc");
  EXPECT_EQ(cut("abcd", 3), "ab…");
  EXPECT_EQ(cut("日本語", 5), "日本…");
  EXPECT_EQ(cut("日本語", 4), "日…") << "half of a wide character cannot be shown";
}

TEST(Wrapped, BreaksBetweenWordsAndKeepsLinesThatFit) {
  struct Case {
    std::string in;
    std::size_t columns, indent;
    std::string out;
  };
  for (auto const& [in, columns, indent, out] :
       std::vector<Case>{{"one two three", 8, 0, "one two\nthree"},
                         {"one two three", 80, 0, "one two three"},
                         {"  code {\n    stays", 80, 2, "    code {\n      stays"},
                         {"a\n\nb", 80, 1, " a\n\n b"},
                         {"a-word-that-is-longer x", 6, 2, "  a-word-that-is-longer\n  x"},
                         {"one  two   three", 8, 0, "one two\nthree"},
                         {"", 8, 0, ""}}) {
    EXPECT_EQ(wrapped(in, columns, indent), out) << in;
  }
}

}  // namespace
}  // namespace al::app
