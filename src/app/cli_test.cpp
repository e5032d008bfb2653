#include "app/cli.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace al::app {
namespace {

using testing::HasSubstr;
using testing::Not;

/// What one list of arguments leads to; nothing is run.
struct Reading {
  explicit Reading(std::vector<std::string> arguments) {
    build_cli(app, invocation);
    code = read_arguments(app, std::move(arguments), out, err);
  }
  Invocation invocation;
  CLI::App app;
  std::ostringstream out, err;
  std::optional<int> code;
};

TEST(Cli, EveryCommandIsUnderstood) {
  std::vector<std::vector<std::string>> const lines{
      {"serve"},
      {"serve", "gateway", "worker"},
      {"init"},
      {"migrate", "up"},
      {"migrate", "up", "--to", "1"},
      {"migrate", "down", "--to", "0"},
      {"migrate", "status"},
      {"config", "--json"},
      {"doctor"},
      {"agent", "list", "--limit", "5"},
      {"agent", "show", "writer"},
      {"agent", "create", "a", "--name", "A", "--specialization", "b", "--capability", "c", "--capability", "d"},
      {"task", "run", "auto", "do", "this", "--follow", "--priority", "high"},
      {"task", "run", "writer", "serve the list", "--json"},
      {"task", "list", "--agent", "writer", "--status", "failed"},
      {"task", "show", "id", "--steps"},
      {"task", "show", "--watch", "id"},
      {"task", "show", "id", "--watch=0.5"},
      {"task", "watch", "id"},
      {"task", "list", "--all", "--no-pager"},
      {"task", "cancel", "id"},
      {"task", "retry", "id"},
      {"knowledge", "add", "writer", "text", "--source", "me"},
      {"knowledge", "search", "how", "to", "--agent", "writer", "--limit", "3"},
      {"events", "tail", "--channel", "task:*", "--channel", "agent:*"},
      {"events", "replay", "task", "id"},
      {"model", "list"},
      {"model", "show", "name"},
      {"model", "usage", "--from", "2026-01-01", "--all"},
      {"completion", "bash"},
      {"complete", "agent"},
      {"man"},
  };
  for (auto const& line : lines) {
    Reading const reading(line);
    EXPECT_FALSE(reading.code) << testing::PrintToString(line) << reading.err.str();
    EXPECT_TRUE(reading.invocation.action) << testing::PrintToString(line);
  }
}

TEST(Cli, WordsThatAreCommandsElsewhereAreText) {
  Reading const reading({"task", "run", "writer", "serve", "config"});
  EXPECT_FALSE(reading.code) << reading.err.str();
}

TEST(Cli, SettingsAreOptionsBeforeAndBehindTheCommand) {
  Reading const reading({"--data", "/a", "serve", "--database.pool-size", "7", "--gateway.port=9000", "--json"});
  ASSERT_FALSE(reading.code) << reading.err.str();
  EXPECT_EQ(reading.invocation.settings, (std::map<std::string, std::string>{
                                             {"data", "/a"}, {"database.pool_size", "7"}, {"gateway.port", "9000"}}));
  EXPECT_TRUE(reading.invocation.json);
  EXPECT_FALSE(reading.invocation.config_file);
}

TEST(Cli, EverySettingIsAnOption) {
  for (auto const& setting : settings()) {
    auto option = "--" + std::string(setting.name);
    std::ranges::replace(option, '_', '-');
    Reading const reading({"config", option, "x"});
    EXPECT_FALSE(reading.code) << option << ": " << reading.err.str();
    EXPECT_EQ(reading.invocation.settings.count(std::string(setting.name)), 1u) << option;
  }
}

TEST(Cli, MistakesAreExplained) {
  struct Case {
    std::vector<std::string> arguments;
    std::string says;
  };
  for (auto const& [arguments, says] : std::vector<Case>{
           {{"srve"}, "did you mean 'agent-lightning serve'?"},
           {{"frobnicate"}, "there are: serve, init"},
           {{"task", "rum", "a", "b"}, "did you mean 'agent-lightning task run'?"},
           {{"task"}, "'agent-lightning task' needs one of: run, list"},
           {{"complet"}, "did you mean 'agent-lightning completion'?"},
           {{"task", "list", "--watch=0"}, "--watch needs seconds"},
           {{"task", "list", "--watch=soon"}, "--watch needs seconds"},
           {{"task", "list", "--all", "--limit", "5"}, "--all"},
           {{"task", "list", "--all", "--watch"}, "--all"},
           {{"agent", "list", "--limt", "5"}, "there is no option --limt; did you mean --limit?"},
           {{"serve", "--database.pool_size", "5"}, "did you mean --database.pool-size?"},
           {{"--jsn", "config"}, "did you mean --json?"},
           {{"config", "extra"}, "'agent-lightning config' does not take 'extra'"},
           {{"task", "show"}, "TASK is required"},
           {{"migrate", "down"}, "--to is required"},
           {{"knowledge", "search", "x", "--limit", "many"}, "many"},
       }) {
    Reading const reading(arguments);
    EXPECT_EQ(reading.code, exit_usage) << testing::PrintToString(arguments);
    EXPECT_THAT(reading.err.str(), HasSubstr(says)) << testing::PrintToString(arguments);
    EXPECT_THAT(reading.err.str(), HasSubstr("--help'")) << testing::PrintToString(arguments);
    EXPECT_EQ(reading.out.str(), "");
  }
}

TEST(Cli, MistakesAreJsonForPrograms) {
  for (auto const& arguments : std::vector<std::vector<std::string>>{{"--json", "srve"},
                                                                     {"task", "--json"},
                                                                     {"config", "extra", "--json"},
                                                                     {"migrate", "up", "--to", "-1", "--json"}}) {
    Reading const reading(arguments);
    EXPECT_EQ(reading.code, exit_usage) << testing::PrintToString(arguments);
    EXPECT_THAT(reading.err.str(), testing::StartsWith(R"({"error":{"code":"bad_request","message":")"));
    EXPECT_THAT(reading.err.str(), HasSubstr("--help'."));
    EXPECT_THAT(reading.err.str(), testing::EndsWith("}}\n"));
  }
}

TEST(Cli, NumbersOfMigrationsHaveARange) {
  for (auto const* number : {"0", "-1", "10000", "1.5", "x"}) {
    Reading const reading({"migrate", "up", "--to", number});
    EXPECT_EQ(reading.code, exit_usage) << number;
    EXPECT_THAT(reading.err.str(), HasSubstr("--to")) << number;
  }
  EXPECT_EQ(Reading({"migrate", "down", "--to", "-1"}).code, exit_usage);
  EXPECT_FALSE(Reading({"migrate", "down", "--to", "0"}).code);
  EXPECT_FALSE(Reading({"migrate", "up"}).code);
}

TEST(Cli, OnlyServeLogsBesideItsResults) {
  EXPECT_TRUE(Reading({"serve"}).invocation.logs);
  EXPECT_FALSE(Reading({"migrate", "up"}).invocation.logs);
}

TEST(Cli, HelpAndVersionArePrinted) {
  Reading const help({"--help"});
  EXPECT_EQ(help.code, exit_ok);
  EXPECT_THAT(help.out.str(), HasSubstr("Examples:"));
  EXPECT_THAT(help.out.str(), HasSubstr("knowledge"));
  EXPECT_THAT(help.out.str(), Not(HasSubstr("--database.pool-size N"))) << "settings would drown the commands";
  EXPECT_THAT(help.out.str(), Not(HasSubstr("\n  complete "))) << "only scripts use it";
  Reading const nested({"task", "run", "--help"});
  EXPECT_EQ(nested.code, exit_ok);
  EXPECT_THAT(nested.out.str(), HasSubstr("--follow"));
  Reading const version({"--version"});
  EXPECT_EQ(version.code, exit_ok);
  EXPECT_EQ(version.out.str(), "agent-lightning " AL_VERSION "\n");
  EXPECT_EQ(Reading({}).code, exit_usage);
}

}  // namespace
}  // namespace al::app
