#include "app/completion.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/cli.hpp"

namespace al::app {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

struct Program {
  Program() { build_cli(app, invocation); }
  Invocation invocation;
  CLI::App app;
};

Command const& find(std::vector<Command> const& tree, std::string_view path) {
  auto const found = std::ranges::find(tree, path, &Command::path);
  EXPECT_NE(found, tree.end()) << path;
  return found == tree.end() ? tree.front() : *found;
}

Argument const& find(std::vector<Argument> const& arguments, std::string_view name) {
  auto const found = std::ranges::find(arguments, name, &Argument::name);
  EXPECT_NE(found, arguments.end()) << name;
  return *found;
}

TEST(CommandTree, HasEveryCommandAndOption) {
  Program const program;
  auto const tree = command_tree(program.app);
  EXPECT_EQ(tree.front().path, "");
  EXPECT_EQ(find(tree, "task run").usage(), "agent-lightning task run AGENT TEXT...");
  EXPECT_EQ(find(tree, "task").usage(), "agent-lightning task COMMAND");
  EXPECT_THAT(tree, Not(Contains(testing::Field(&Command::path, "complete")))) << "it is hidden";
  auto const& run = find(tree, "task run");
  EXPECT_EQ(find(run.options, "--priority").choices, (std::vector<std::string>{"low", "normal", "high", "urgent"}));
  EXPECT_EQ(find(run.options, "--follow").value, "");
  EXPECT_EQ(find(run.options, "--max-attempts").value, "N");
  EXPECT_EQ(find(find(tree, "provider add").options, "--kind").choices,
            (std::vector<std::string>{"openai", "anthropic"}));
  EXPECT_THAT(run.options, Not(Contains(testing::Property(&Argument::name, "--help")))) << "it is the program's";
  EXPECT_THAT(find(find(tree, "serve").positionals, "ROLE").choices, Contains("worker"));
  auto const& program_options = tree.front().options;
  EXPECT_FALSE(find(program_options, "--data").is_setting);
  EXPECT_TRUE(find(program_options, "--log.level").is_setting);
  EXPECT_EQ(find(program_options, "--log.level").choices,
            (std::vector<std::string>{"debug", "info", "warning", "error"}));
}

TEST(CompletionScript, NamesEverything) {
  Program const program;
  auto const tree = command_tree(program.app);
  for (auto const shell : {Shell::bash, Shell::zsh, Shell::fish}) {
    auto const script = completion_script(shell, tree);
    for (auto const& command : tree) {
      EXPECT_THAT(script, HasSubstr("'" + command.path + (shell == Shell::fish ? "" : "')")));
      for (auto const& option : command.options) {
        auto const name = shell == Shell::fish ? "-l " + option.name().substr(2) : option.name();
        EXPECT_THAT(script, HasSubstr(name));
      }
    }
  }
}

TEST(CompletionScript, OffersIdsAmongChoices) {
  Program const program;
  auto const tree = command_tree(program.app);
  EXPECT_THAT(completion_script(Shell::bash, tree), HasSubstr("positionals='auto|@agent -+'"));
  EXPECT_THAT(completion_script(Shell::zsh, tree), HasSubstr("args=('auto|@agent' '-+')"));
  EXPECT_THAT(completion_script(Shell::fish, tree),
              HasSubstr("-a 'auto (agent-lightning complete agent 2>/dev/null)'"));
}

TEST(CompletionScript, QuotesWhatShellsWouldObey) {
  std::vector<Command> const tree{{.path = "",
                                   .doc = "",
                                   .footer = "",
                                   .options = {{.names = {"--it"}, .value = "", .doc = "don't $(touch x) \\ `y`"}},
                                   .positionals = {},
                                   .commands = {{.name = "go", .doc = "it's: so"}}}};
  EXPECT_THAT(completion_script(Shell::zsh, tree), HasSubstr(R"('--it:don'\''t $(touch x) \ `y`')"));
  EXPECT_THAT(completion_script(Shell::zsh, tree), HasSubstr(R"('go:it'\''s: so')"));
  EXPECT_THAT(completion_script(Shell::fish, tree), HasSubstr(R"(-d 'don\'t $(touch x) \\ `y`')"));
}

}  // namespace
}  // namespace al::app
