#include "core/config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>

namespace al {
namespace {

using testing::HasSubstr;
using testing::Not;

/// A directory of its own for every test.
class ConfigFiles : public testing::Test {
 protected:
  void SetUp() override {
    auto pattern = (std::filesystem::temp_directory_path() / "al-config-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::filesystem::path write(std::string const& name, std::string_view text) {
    auto path = directory_ / name;
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }

  Result<Config> from_yaml(std::string_view text) {
    return Config::load({.file = write("agent-lightning.yaml", text), .dotenv = {}, .environment = {}, .options = {}});
  }

  Result<Config> from_dotenv(std::string_view text, std::map<std::string, std::string> environment = {}) {
    return Config::load(
        {.file = {}, .dotenv = write(".env", text), .environment = std::move(environment), .options = {}});
  }

  std::filesystem::path directory_;
};

Result<Config> from_environment(std::map<std::string, std::string> variables) {
  return Config::load({.file = {}, .dotenv = {}, .environment = std::move(variables), .options = {}});
}

Result<Config> from_options(std::map<std::string, std::string> options) {
  return Config::load({.file = {}, .dotenv = {}, .environment = {}, .options = std::move(options)});
}

EffectiveSetting const& effective(Config const& config, std::string_view name) {
  auto all = config.all();
  return *std::ranges::find_if(all, [&](auto const& one) { return one.setting->name == name; });
}

/// The faults as lines "path: message".
std::string faults(Result<Config> const& config) {
  if (config)
    return "no fault";
  EXPECT_EQ(config.error().code, Code::invalid);
  std::string out;
  for (auto const& fault : config.error().faults) {
    out += fault.path + ": " + fault.message + "\n";
    EXPECT_THAT(config.error().message, HasSubstr(fault.path + ": " + fault.message));
  }
  return out;
}

std::string text_of(Result<Config> const& config, std::string_view name) {
  return config ? config->text(name) : "faults:\n" + faults(config);
}

// ---- the table ----

TEST(Settings, AreNamedOnceAndDocumented) {
  std::set<std::string_view> names;
  std::set<std::string_view> variables;
  for (auto const& setting : settings()) {
    EXPECT_TRUE(names.insert(setting.name).second) << setting.name;
    EXPECT_TRUE(variables.insert(setting.variable).second) << setting.variable;
    EXPECT_TRUE(setting.doc.ends_with('.')) << setting.name;
    EXPECT_LE(setting.min, setting.max) << setting.name;
  }
  for (auto name : names) {
    for (auto other : names)
      EXPECT_FALSE(other.starts_with(std::string(name) + ".")) << other << " is under " << name;
  }
}

TEST(Settings, HaveTheDefaultsOfTheBrief) {
  auto config = from_environment({});
  ASSERT_TRUE(config) << faults(config);
  EXPECT_EQ(config->text("data"), "./data");
  EXPECT_FALSE(config->is_set("url"));
  EXPECT_EQ(config->text("host"), "127.0.0.1");
  EXPECT_EQ(config->integer("gateway.port"), 8000);
  EXPECT_EQ(config->integer("agent_designer.port"), 8002);
  EXPECT_EQ(config->integer("operations.port"), 8011);
  EXPECT_EQ(config->integer("dashboard.port"), 8051);
  EXPECT_EQ(config->integer("database.pool_size"), 20);
  EXPECT_EQ(config->integer("database.max_overflow"), 40);
  EXPECT_EQ(config->integer("database.statement_timeout"), 30);
  EXPECT_TRUE(config->boolean("database.prepared"));
  EXPECT_FALSE(config->is_set("token"));
  EXPECT_FALSE(config->is_set("database.url"));
  EXPECT_EQ(config->all().size(), settings().size());
  for (auto const& one : config->all())
    EXPECT_EQ(one.origin, "default") << one.setting->name;
}

TEST(SettingsDeathTest, AnUnknownOrWronglyTypedNameIsOurOwnMistake) {
  auto config = from_environment({});
  ASSERT_TRUE(config);
  EXPECT_DEATH((void)config->text("no.such"), "not in the table");
  EXPECT_DEATH((void)config->integer("data"), "");
  EXPECT_DEATH((void)config->boolean("threads"), "");
}

TEST(DotenvExample, IsTheTableAsText) {
  std::ifstream in(".env.example");
  ASSERT_TRUE(in) << "run the tests from the root of the repository";
  std::string file((std::istreambuf_iterator<char>(in)), {});
  EXPECT_EQ(file, dotenv_example()) << "write what dotenv_example() returns into .env.example";
  for (auto const& setting : settings()) {
    EXPECT_THAT(file, HasSubstr("\n#" + std::string(setting.variable) + "=" + std::string(setting.fallback) + "\n"));
    EXPECT_THAT(file, HasSubstr("\n# " + std::string(setting.doc) + "\n"));
  }
}

TEST_F(ConfigFiles, TheExampleWithoutItsCommentSignsIsTheDefaults) {
  std::string text = dotenv_example();
  for (auto const& setting : settings()) {
    auto line = "\n#" + std::string(setting.variable) + "=";
    auto at = text.find(line);
    ASSERT_NE(at, std::string::npos) << setting.variable;
    text.erase(at + 1, 1);
  }
  auto config = from_dotenv(text);
  ASSERT_TRUE(config) << faults(config);
  auto defaults = from_environment({});
  for (auto const& one : config->all()) {
    auto name = one.setting->name;
    EXPECT_EQ(one.value, defaults->text(name)) << name;
    EXPECT_EQ(one.origin == "default", one.value.empty()) << name;
  }
}

// ---- precedence ----

TEST_F(ConfigFiles, LaterSourcesWin) {
  Config::Sources sources{
      .file =
          write("my.yaml",
                "worker: {concurrency: 1}\nthreads: 1\nhost: file\n\ndatabase:\n  pool_size: 1\n  max_overflow: 1\n"),
      .dotenv = write(".env",
                      "# first\nAGENT_LIGHTNING_THREADS=2\nAGENT_LIGHTNING_HOST=dotenv\n"
                      "DB_POOL_SIZE=2\nDB_MAX_OVERFLOW=2\n"),
      .environment = {{"AGENT_LIGHTNING_HOST", "environment"}, {"DB_POOL_SIZE", "3"}, {"PATH", "/bin"}},
      .options = {{"database.pool_size", "4"}}};
  auto config = Config::load(sources);
  ASSERT_TRUE(config) << faults(config);
  EXPECT_EQ(config->integer("worker.concurrency"), 1);
  EXPECT_EQ(effective(*config, "worker.concurrency").origin, "file my.yaml line 1");
  EXPECT_EQ(config->integer("threads"), 2);
  EXPECT_EQ(effective(*config, "threads").origin, ".env line 2");
  EXPECT_EQ(config->text("host"), "environment");
  EXPECT_EQ(effective(*config, "host").origin, "environment AGENT_LIGHTNING_HOST");
  EXPECT_EQ(config->integer("database.max_overflow"), 2);
  EXPECT_EQ(config->integer("database.pool_size"), 4);
  EXPECT_EQ(effective(*config, "database.pool_size").origin, "option");
  EXPECT_EQ(effective(*config, "data").origin, "default");
}

TEST_F(ConfigFiles, AnEmptyVariableIsNotSetButStillHidesDotenv) {
  Config::Sources sources{.file = write("a.yaml", "database: {password: from the file}"),
                          .dotenv = write(".env", "DB_PASSWORD=x\nDB_HOST=db\nDB_PORT=\n"),
                          .environment = {{"DB_PASSWORD", ""}},
                          .options = {}};
  auto config = Config::load(sources);
  ASSERT_TRUE(config) << faults(config);
  EXPECT_EQ(config->text("database.password"), "from the file");
  EXPECT_EQ(config->text("database.host"), "db");
  EXPECT_EQ(config->integer("database.port"), 5432);
}

TEST(Options, MayEmptyATextThatMayBeEmpty) {
  auto config = Config::load({.file = {},
                              .dotenv = {},
                              .environment = {{"DATABASE_URL", "postgresql://h/d"}},
                              .options = {{"database.url", ""}}});
  ASSERT_TRUE(config) << faults(config);
  EXPECT_FALSE(config->is_set("database.url"));
  EXPECT_THAT(faults(from_options({{"data", ""}})), HasSubstr("data: must be UTF-8 text, not empty"));
  EXPECT_THAT(faults(from_options({{"threads", ""}})), HasSubstr("threads: must be a whole number"));
}

// ---- values ----

struct OneValue {
  std::string variable;
  std::string given;
  std::string kept;  ///< empty when it must be refused
};

class Values : public testing::TestWithParam<OneValue> {};

TEST_P(Values, AreKeptPlainlyOrRefused) {
  auto const& [variable, given, kept] = GetParam();
  auto const* setting = std::ranges::find(settings(), std::string_view(variable), &Setting::variable).base();
  auto config = from_environment({{variable, given}});
  if (kept.empty()) {
    EXPECT_THAT(faults(config), HasSubstr(std::string(setting->name) + ": must be "));
    EXPECT_THAT(faults(config), HasSubstr("(environment " + variable + ")"));
  } else {
    EXPECT_EQ(text_of(config, setting->name), kept);
  }
}

INSTANTIATE_TEST_SUITE_P(Integers, Values,
                         testing::Values(OneValue{"GATEWAY_PORT", "0", "0"}, OneValue{"GATEWAY_PORT", "65535", "65535"},
                                         OneValue{"GATEWAY_PORT", "0080", "80"}, OneValue{"GATEWAY_PORT", "65536", ""},
                                         OneValue{"GATEWAY_PORT", "-1", ""}, OneValue{"GATEWAY_PORT", "80a", ""},
                                         OneValue{"GATEWAY_PORT", " 80", ""}, OneValue{"GATEWAY_PORT", "8e3", ""},
                                         OneValue{"GATEWAY_PORT", "99999999999999999999", ""},
                                         OneValue{"DB_POOL_SIZE", "1", "1"}, OneValue{"DB_POOL_SIZE", "0", ""},
                                         OneValue{"DB_POOL_SIZE", "1000", "1000"}, OneValue{"DB_POOL_SIZE", "1001", ""},
                                         OneValue{"WORKER_CONCURRENCY", "0", ""},
                                         OneValue{"WORKER_LEASE_SECONDS", "5", "5"},
                                         OneValue{"WORKER_LEASE_SECONDS", "4", ""},
                                         OneValue{"WORKER_LEASE_SECONDS", "3601", ""}, OneValue{"DB_PORT", "0", ""}));

INSTANTIATE_TEST_SUITE_P(Booleans, Values,
                         testing::Values(OneValue{"DB_PREPARED", "true", "on"}, OneValue{"DB_PREPARED", "FALSE", "off"},
                                         OneValue{"DB_PREPARED", "on", "on"}, OneValue{"DB_PREPARED", "off", "off"},
                                         OneValue{"DB_PREPARED", "Yes", "on"}, OneValue{"DB_PREPARED", "no", "off"},
                                         OneValue{"DB_PREPARED", "1", "on"}, OneValue{"DB_PREPARED", "0", "off"},
                                         OneValue{"DB_PREPARED", "2", ""}, OneValue{"DB_PREPARED", "y", ""},
                                         OneValue{"DB_PREPARED", "maybe", ""}));

INSTANTIATE_TEST_SUITE_P(Texts, Values,
                         testing::Values(OneValue{"LOG_LEVEL", "WARNING", "warning"},
                                         OneValue{"LOG_LEVEL", "debug", "debug"}, OneValue{"LOG_LEVEL", "loud", ""},
                                         OneValue{"LOG_LEVEL", "debug|info", ""},
                                         OneValue{"LOG_FORMAT", "text", "text"}, OneValue{"LOG_FORMAT", "xml", ""},
                                         OneValue{"AGENT_LIGHTNING_DATA", "/var/lib/a b", "/var/lib/a b"},
                                         OneValue{"AGENT_LIGHTNING_DATA", "caf\xC3\xA9", "caf\xC3\xA9"},
                                         OneValue{"AGENT_LIGHTNING_DATA", "a\nb", ""},
                                         OneValue{"AGENT_LIGHTNING_DATA", "a\xFF", ""}));

INSTANTIATE_TEST_SUITE_P(Urls, Values,
                         testing::Values(OneValue{"DATABASE_URL", "postgresql://h/d", "postgresql://h/d"},
                                         OneValue{"DATABASE_URL", "postgres://h/d", "postgres://h/d"},
                                         OneValue{"DATABASE_URL", "mysql://u:p@h/d", ""},
                                         OneValue{"DATABASE_URL", "POSTGRESQL://h/d", ""},
                                         OneValue{"DATABASE_URL", "postgresql:h/d", ""},
                                         OneValue{"DATABASE_URL", "agents", ""},
                                         OneValue{"DATABASE_URL", "host=h dbname=d", ""},
                                         OneValue{"MIGRATE_DATABASE_URL", "postgresql://h/d", "postgresql://h/d"},
                                         OneValue{"MIGRATE_DATABASE_URL", "sqlite:///d", ""}));

TEST(Load, NamesEveryFaultAndWhatIsAllowed) {
  auto config =
      Config::load({.file = {},
                    .dotenv = {},
                    .environment = {{"DB_POOL_SIZE", "many"}, {"LOG_LEVEL", "loud"}},
                    .options = {{"worker.lease", "1"}, {"databse.url", "x"}, {"database", "x"}, {"zzz", "x"}}});
  EXPECT_EQ(faults(config),
            "database.pool_size: must be a whole number from 1 to 1000, not \"many\" (environment DB_POOL_SIZE)\n"
            "log.level: must be one of debug, info, warning, error, not \"loud\" (environment LOG_LEVEL)\n"
            "database: there is no such setting, only a group of that name: settings stand under it (option)\n"
            "databse.url: there is no such setting; did you mean database.url? (option)\n"
            "worker.lease: must be a whole number of seconds from 5 to 3600, not \"1\" (option)\n"
            "zzz: there is no such setting (option)\n");
}

TEST(Load, NeverRepeatsASecretInAFault) {
  auto config = from_environment({{"AGENT_LIGHTNING_TOKEN", "hunter2\n"},
                                  {"DB_PASSWORD", "hunter2\n"},
                                  {"DATABASE_URL", "postgresql://ann:hunter2@h/\n"},
                                  {"AGENT_LIGHTNING_DATA", "\n" + std::string(200, 'x')}});
  auto text = faults(config);
  EXPECT_EQ(config ? 0U : config.error().faults.size(), 4U) << text;
  EXPECT_THAT(text, Not(HasSubstr("hunter2")));
  EXPECT_THAT(text, HasSubstr("postgresql://ann:***@h/"));
  for (auto const* url : {"mysql://ann:hunter2@h/d", "ann:hunter2@h/d", "host=h password=hunter2"}) {
    auto const refused = faults(from_environment({{"DATABASE_URL", url}}));
    EXPECT_THAT(refused, HasSubstr("begins with postgresql:// or postgres://"));
    EXPECT_THAT(refused, Not(HasSubstr("hunter2")));
  }
  EXPECT_THAT(text, Not(HasSubstr(std::string(100, 'x'))));
}

// ---- YAML ----

TEST_F(ConfigFiles, YamlNestsOrIsDotted) {
  auto config = from_yaml(
      "# comment\n"
      "database:\n"
      "  pool_size: 7\n"
      "  prepared: off\n"
      "database.max_overflow: \"8\"\n"
      "log: {level: Debug}\n"
      "host: ~\n"
      "worker:\n");
  ASSERT_TRUE(config) << faults(config);
  EXPECT_EQ(config->integer("database.pool_size"), 7);
  EXPECT_FALSE(config->boolean("database.prepared"));
  EXPECT_EQ(config->integer("database.max_overflow"), 8);
  EXPECT_EQ(config->text("log.level"), "debug");
  EXPECT_EQ(effective(*config, "host").origin, "default");
  EXPECT_EQ(effective(*config, "database.prepared").origin, "file agent-lightning.yaml line 4");
}

TEST_F(ConfigFiles, AnEmptyYamlFileIsFine) {
  EXPECT_TRUE(from_yaml(""));
  EXPECT_TRUE(from_yaml("# nothing yet\n"));
  EXPECT_TRUE(
      from_yaml("\xEF\xBB\xBF"
                "threads: 2\n"));
}

TEST_F(ConfigFiles, YamlFaultsNameTheirLine) {
  auto config = from_yaml(
      "databse:\n"
      "  pool_size: 7\n"
      "database:\n"
      "  pool_sise: 7\n"
      "  pool_timeout: soon\n"
      "  url: [a, b]\n"
      "log: info\n"
      "threads: 1\n"
      "threads: 2\n"
      "? [a, b]\n"
      ": 3\n"
      "data: {path: x}\n");
  constexpr std::string_view file = "agent-lightning.yaml line ";
  auto text = faults(config);
  auto at = [&](int line) { return "(file " + std::string(file) + std::to_string(line) + ")\n"; };
  EXPECT_EQ(
      text,
      "databse: there is no such setting; did you mean database? " + at(1) +
          "database.pool_sise: there is no such setting; did you mean database.pool_size? " + at(4) +
          "database.pool_timeout: must be a whole number of seconds from 1 to 3600, not \"soon\" " + at(5) +
          "database.url: must be a URL that begins with postgresql:// or postgres://, or empty, not a list or map " +
          at(6) + "log: there is no such setting, only a group of that name: settings stand under it " + at(7) +
          "threads: given twice " + at(9) + "the whole file: a key must be a plain word " + at(10) +
          "data: must be UTF-8 text, not empty, without control characters, not a list or map " + at(12));
}

TEST_F(ConfigFiles, WhatIsNoYamlMapIsRefused) {
  EXPECT_THAT(faults(from_yaml("- a\n- b\n")), HasSubstr("must be a map of settings"));
  EXPECT_THAT(faults(from_yaml("just words")), HasSubstr("must be a map of settings"));
  EXPECT_THAT(faults(from_yaml("a: [1,\n")), HasSubstr("not YAML"));
  EXPECT_THAT(faults(from_yaml("threads: 1\n---\nthreads: 2\n")), HasSubstr("more than one document"));
  EXPECT_THAT(faults(from_yaml(std::string((1 << 20) + 1, '#'))), HasSubstr("longer than 1 MiB"));
}

TEST_F(ConfigFiles, AliasesCannotMakeLoadingLong) {
  std::string text = "a0: &a0 [x]\n";
  for (int i = 1; i < 40; ++i) {
    auto name = "a" + std::to_string(i);
    auto before = "*a" + std::to_string(i - 1);
    text.append(name).append(": &").append(name).append(" [").append(before).append(", ").append(before).append("]\n");
  }
  auto config = from_yaml(text);
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().faults.size(), 40U);
}

TEST_F(ConfigFiles, AFileThatWasNamedMustExist) {
  auto load = [](std::filesystem::path const& path) {
    return Config::load({.file = path, .dotenv = {}, .environment = {}, .options = {}});
  };
  EXPECT_THAT(faults(load(directory_ / "none.yaml")), HasSubstr("none.yaml: the file does not exist"));
  EXPECT_THAT(faults(load(directory_)), HasSubstr("this is a directory, not a file"));
  EXPECT_TRUE(Config::load({.file = {}, .dotenv = directory_ / "none.env", .environment = {}, .options = {}}));
}

// ---- .env ----

TEST_F(ConfigFiles, DotenvKnowsQuotesCommentsAndExport) {
  auto config = from_dotenv(
      "\xEF\xBB\xBF# comment\r\n"
      "\n"
      "export AGENT_LIGHTNING_DATA = plain text  # comment\n"
      "AGENT_LIGHTNING_URL='http://h/ # \\n $X'  # comment\n"
      "AGENT_LIGHTNING_TOKEN=\"a \\\" b \\\\ \\$ \\x # c\"\r\n"
      "DATABASE_URL=postgresql://u:p#q@h/d\n"
      "  DB_NAME=a=b=c\n"
      "DB_USER=\t#comment\n"
      "SOMETHING_ELSE=x\n"
      "DB_HOST=last");
  ASSERT_TRUE(config) << faults(config);
  EXPECT_EQ(config->text("data"), "plain text");
  EXPECT_EQ(config->text("url"), "http://h/ # \\n $X");
  EXPECT_EQ(config->text("token"), "a \" b \\ $ \\x # c");
  EXPECT_EQ(config->text("database.url"), "postgresql://u:p#q@h/d");
  EXPECT_EQ(config->text("database.name"), "a=b=c");
  EXPECT_EQ(config->text("database.user"), "agent_user");
  EXPECT_EQ(config->text("database.host"), "last");
}

TEST_F(ConfigFiles, DotenvFaultsNameTheirLineAndNoContent) {
  auto config = from_dotenv(
      "hunter2\n"
      "1A=hunter2\n"
      "=hunter2\n"
      "A=\"hunter2\n"
      "B='hunter2' hunter2\n"
      "C=1\n"
      "C=1\n"
      "DB_POOL_SIZE=none\n");
  EXPECT_EQ(faults(config),
            ".env line 1: write KEY=VALUE\n"
            ".env line 2: a variable's name is letters, digits and underscores, with no digit in front\n"
            ".env line 3: a variable's name is letters, digits and underscores, with no digit in front\n"
            ".env line 4: the closing quote is missing\n"
            ".env line 5: only a comment may follow the closing quote\n"
            "C: given twice (.env line 7)\n"
            "database.pool_size: must be a whole number from 1 to 1000, not \"none\" (.env line 8)\n");
}

TEST_F(ConfigFiles, DotenvNeverOverridesTheEnvironment) {
  EXPECT_EQ(text_of(from_dotenv("DB_NAME=theirs\n", {{"DB_NAME", "ours"}}), "database.name"), "ours");
  EXPECT_EQ(text_of(from_dotenv("DB_NAME=theirs\n", {{"DB_NAME", ""}}), "database.name"), "agent_lightning");
  EXPECT_EQ(text_of(from_dotenv("DB_NAME=theirs\n", {{"DB_HOST", "h"}}), "database.name"), "theirs");
}

TEST_F(ConfigFiles, AFileThatBecomesWrongIsRefusedTheNextTime) {
  auto file = write("a.yaml", "threads: 2\n");
  Config::Sources sources{.file = file, .dotenv = {}, .environment = {}, .options = {}};
  EXPECT_EQ(text_of(Config::load(sources), "threads"), "2");
  write("a.yaml", "threads: two\n");
  EXPECT_THAT(faults(Config::load(sources)), HasSubstr("threads: must be a whole number"));
}

// ---- what is shown ----

TEST(Shown, MasksSecretsAndPasswordsInUrls) {
  auto config = from_environment({{"AGENT_LIGHTNING_TOKEN", "hunter2"},
                                  {"DB_PASSWORD", "hunter2"},
                                  {"DATABASE_URL", "postgresql://ann:hunter2@h:1/d"},
                                  {"MIGRATE_DATABASE_URL", "postgres://h/d?user=ann&password=hunter2"},
                                  {"DB_HOST", "h"}});
  ASSERT_TRUE(config) << faults(config);
  for (auto const& one : config->all())
    EXPECT_THAT(one.shown(), Not(HasSubstr("hunter2"))) << one.setting->name;
  EXPECT_EQ(effective(*config, "token").shown(), "***");
  EXPECT_EQ(effective(*config, "database.url").shown(), "postgresql://ann:***@h:1/d");
  EXPECT_EQ(effective(*config, "database.migrate_url").shown(), "postgres://h/d?user=ann&password=***");
  EXPECT_EQ(effective(*config, "database.host").shown(), "h");
  EXPECT_EQ(config->text("token"), "hunter2");
}

TEST(Shown, AnEmptySecretIsEmpty) { EXPECT_EQ(effective(*from_environment({}), "token").shown(), ""); }

// ---- database_url ----

struct Database {
  std::map<std::string, std::string> environment;
  std::string url;
};

class DatabaseUrl : public testing::TestWithParam<Database> {};

TEST_P(DatabaseUrl, IsGivenOrComposed) {
  auto config = from_environment(GetParam().environment);
  ASSERT_TRUE(config) << faults(config);
  EXPECT_EQ(database_url(*config), GetParam().url);
}

INSTANTIATE_TEST_SUITE_P(
    Parts, DatabaseUrl,
    testing::Values(Database{{}, ""}, Database{{{"DB_PASSWORD", "p"}, {"DB_USER", "u"}}, ""},
                    Database{{{"DATABASE_URL", "postgresql://a/b"}, {"DB_HOST", "h"}}, "postgresql://a/b"},
                    Database{{{"DB_HOST", "h"}}, "postgresql://agent_user@h:5432/agent_lightning"},
                    Database{{{"DB_HOST", "db.example"},
                              {"DB_PORT", "6432"},
                              {"DB_NAME", "a/b?c"},
                              {"DB_USER", "u@x"},
                              {"DB_PASSWORD", "p:/@ %\xC3\xA9"}},
                             "postgresql://u%40x:p%3A%2F%40%20%25%C3%A9@db.example:6432/a%2Fb%3Fc"},
                    Database{{{"DB_HOST", "::1"}}, "postgresql://agent_user@[::1]:5432/agent_lightning"},
                    Database{{{"DB_HOST", "[fe80::1%eth0]"}},
                             "postgresql://agent_user@[fe80::1%25eth0]:5432/agent_lightning"},
                    Database{{{"DB_HOST", "/run/postgresql"}},
                             "postgresql://agent_user@%2Frun%2Fpostgresql:5432/agent_lightning"}));

TEST(ProcessEnvironment, HoldsEveryVariableWhole) {
  // No other thread runs here.
  ASSERT_EQ(::setenv("AL_CONFIG_TEST", "a=b c", 1), 0);  // NOLINT(concurrency-mt-unsafe)
  auto with = Config::process_environment();
  ASSERT_EQ(::unsetenv("AL_CONFIG_TEST"), 0);  // NOLINT(concurrency-mt-unsafe)
  auto without = Config::process_environment();
  EXPECT_EQ(with["AL_CONFIG_TEST"], "a=b c");
  EXPECT_FALSE(without.contains("AL_CONFIG_TEST"));
}

}  // namespace
}  // namespace al
