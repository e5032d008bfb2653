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

void expect_read(std::vector<std::vector<std::string>> const& lines) {
  for (auto const& line : lines) {
    Reading const reading(line);
    EXPECT_FALSE(reading.code) << testing::PrintToString(line) << reading.err.str();
    EXPECT_TRUE(reading.invocation.action) << testing::PrintToString(line);
  }
}

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
      {"agent", "set", "a", "--name", "A", "--settings", R"({"max_steps": 4})"},
      {"agent", "remove", "a"},
      {"task", "run", "auto", "do", "this", "--follow", "--priority", "high"},
      {"task", "run", "auto", "do", "--timeout", "86400", "--max-attempts", "20", "--context", "{}"},
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
      {"knowledge", "list", "writer", "--all"},
      {"knowledge", "remove", "writer", "item"},
      {"events", "replay", "task", "id"},
      {"events", "replay", "session", "id"},
      {"consumer", "list"},
      {"consumer", "show", "task-metrics"},
      {"consumer", "replay", "task-metrics", "--since", "2026-01-31T12:00:00Z"},
      {"consumer", "replay", "task-metrics", "--from", "beginning"},
      {"dead-letter", "list", "--consumer", "c", "--state", "parked", "--all"},
      {"dead-letter", "retry", "id"},
      {"dead-letter", "retry", "--channel", "task:completed"},
      {"dead-letter", "drop", "id"},
      {"metric", "record", "queue.length", "12", "--service", "worker", "--tag", "host:a", "--tag", "zone:b"},
      {"metric", "record", "temperature", "-1.5"},
      {"metric", "query", "queue.length", "--from", "2026-01-01T00:00:00Z", "--step", "300"},
      {"metric", "list", "--all"},
      {"service", "list"},
      {"service", "list", "--limit", "5", "--json"},
      {"provider", "list", "--all"},
      {"provider", "add", "groq", "--kind", "openai", "--base-url", "https://api.groq.com/openai/v1"},
      {"model", "list"},
      {"model", "show", "name"},
      {"model", "usage", "--from", "2026-01-01", "--all"},
      {"backup"},
      {"backup", "--keep", "3", "--json"},
      {"backup", "list"},
      {"backup", "verify", "2026-01-31T040000.123456Z"},
      {"backup", "wal"},
      {"restore"},
      {"restore", "2026-01-31T040000.123456Z", "--force"},
      {"restore", "--to", "latest", "--directory", "new"},
      {"restore", "--to", "2026-01-31T04:00:00Z", "--directory", "new"},
      {"completion", "bash"},
      {"complete", "agent"},
      {"man"},
  };
  expect_read(lines);
}

TEST(Cli, ReadsTheCommandsOfIdentity) {
  expect_read({
      {"login"},
      {"login", "ada@example.org", "--password-file", "-", "--code", "123456"},
      {"logout"},
      {"whoami"},
      {"user", "list", "--all"},
      {"user", "create", "ada@example.org", "--name", "Ada", "--role", "viewer", "--role", "guest"},
      {"user", "set", "id", "--status", "disabled"},
      {"user", "remove", "id"},
      {"user", "reset-password", "id"},
      {"role", "list"},
      {"role", "create", "clerk", "--permission", "tasks:read", "--permission", "agents:*"},
      {"role", "remove", "clerk"},
      {"apikey", "list", "--everybody"},
      {"apikey", "create", "ci", "--permission", "agents:read", "--expires", "2030-01-01T00:00:00Z", "--service"},
      {"apikey", "rotate", "id", "--grace", "0"},
      {"apikey", "revoke", "id"},
      {"audit", "list", "--action", "user:created", "--outcome", "refused"},
      {"audit", "verify", "--noted", "7:abc"},
  });
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

TEST(Cli, ValuesAreWhatHelpSays) {
  struct Case {
    std::vector<std::string> arguments;
    std::string says;
  };
  std::vector<std::string> const create{"agent", "create", "a", "--name", "A", "--specialization", "b", "--settings"};
  auto const settings = [&](std::string const& text) {
    auto line = create;
    line.push_back(text);
    return line;
  };
  for (auto const& [arguments, says] : std::vector<Case>{
           {{"task", "list", "--limit", "abc"}, "--limit: must be a whole number from 1 to 500, not 'abc'"},
           {{"task", "list", "--limit", "0"}, "--limit: must be"},
           {{"task", "list", "--limit", "501"}, "--limit: must be"},
           {{"task", "list", "--limit", "5x"}, "--limit: must be"},
           {{"knowledge", "search", "x", "--limit", "51"}, "from 1 to 50, not '51'"},
           {{"task", "list", "--status", "foo"}, "--status: must be one of pending, started, completed"},
           {{"task", "run", "a", "b", "--priority", "mid"}, "--priority: must be one of low, normal, high, urgent"},
           {{"task", "run", "a", "b", "--priority", "low|high"}, "--priority: must be one of"},
           {{"task", "run", "a", "b", "--timeout", "0"}, "--timeout: must be a whole number from 1 to 86400"},
           {{"task", "run", "a", "b", "--max-attempts", "21"}, "from 1 to 20"},
           {{"task", "run", "a", "b", "--context", "5"}, "--context: must be a JSON object"},
           {settings("{bad"), "--settings: must be a JSON object: "},
           {settings(""), "--settings: must be a JSON object: "},
           {{"provider", "add", "p", "--kind", "foo", "--base-url", "http://h"},
            "--kind: must be one of openai, anthropic"},
           {{"events", "replay", "foo", "bar"}, "KIND: must be one of agent, task, knowledge, provider, session"},
           {{"model", "usage", "--from", "yesterday"}, "--from: must be a day, as 2026-01-31, not 'yesterday'"},
           {{"model", "usage", "--to", "2026-02-30"}, "--to: must be a day"},
           {{"consumer", "replay", "c", "--from", "end"}, "--from: must be one of beginning, tip, not 'end'"},
           {{"consumer", "replay", "c", "--from", "tip", "--since", "2026-01-31"}, "--since excludes --from"},
           {{"completion", "tcsh"}, "SHELL: must be one of bash, zsh, fish, not 'tcsh'"},
       }) {
    Reading const reading(arguments);
    EXPECT_EQ(reading.code, exit_usage) << testing::PrintToString(arguments);
    EXPECT_THAT(reading.err.str(), HasSubstr(says)) << testing::PrintToString(arguments);
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

TEST(Cli, ExamplesAreThoseOfTheCommand) {
  for (auto const& command : std::vector<std::vector<std::string>>{
           {"task", "cancel"}, {"doctor"}, {"migrate", "up"}, {"provider", "test"}, {"config"}}) {
    auto arguments = command;
    arguments.push_back("--help");
    EXPECT_THAT(Reading(arguments).out.str(), Not(HasSubstr("Example"))) << testing::PrintToString(command);
  }
  auto const replay = Reading({"events", "replay", "--help"}).out.str();
  EXPECT_THAT(replay, HasSubstr("agent-lightning events replay agent writer"));
  EXPECT_THAT(replay, Not(HasSubstr("agent-lightning serve")));
  EXPECT_THAT(Reading({"serve", "--help"}).out.str(), HasSubstr("ai-model (8005), auth (8006), websocket (8007), "
                                                                "service-discovery (8008), operations (8011)"));
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
