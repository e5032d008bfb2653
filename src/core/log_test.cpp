#include "core/log.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <boost/json/object.hpp>
#include <boost/json/string.hpp>
#include <boost/json/value.hpp>
#include <cmath>
#include <limits>
#include <thread>

#include "core/json.hpp"
#include "core/time.hpp"

namespace al::log {
namespace {

/// Standard error while one of these lives; back to the default configuration afterwards.
class Log : public testing::Test {
 protected:
  void SetUp() override { testing::internal::CaptureStderr(); }
  void TearDown() override {
    if (!taken_)
      taken();
    configure("info", "json");
  }

  std::string taken() {
    taken_ = true;
    return testing::internal::GetCapturedStderr();
  }

  /// The one line that was written, as a JSON object.
  json::object object() {
    auto text = taken();
    EXPECT_EQ(std::ranges::count(text, '\n'), 1) << text;
    auto parsed = json::parse(text);
    EXPECT_TRUE(parsed && parsed->is_object()) << text;
    return parsed && parsed->is_object() ? parsed->get_object() : json::object{};
  }

 private:
  bool taken_ = false;
};

std::string string_at(json::object const& object, std::string_view key) {
  auto const* found = object.if_contains(key);
  return found && found->is_string() ? std::string(found->get_string()) : "(no string)";
}

TEST_F(Log, WritesOneJsonObjectALineInOrder) {
  auto before = SystemClock().now();
  info("server started", {{"port", std::int64_t{8000}}, {"ratio", 0.7}, {"ready", true}, {"role", "gateway"}});
  auto after = SystemClock().now();
  auto line = object();
  std::vector<std::string> keys;
  for (auto const& member : line)
    keys.emplace_back(member.key());
  EXPECT_EQ(keys, (std::vector<std::string>{"time", "level", "message", "port", "ratio", "ready", "role"}));
  EXPECT_EQ(string_at(line, "level"), "info");
  EXPECT_EQ(string_at(line, "message"), "server started");
  EXPECT_EQ(line["port"], json::value(8000));
  EXPECT_EQ(line["ratio"], json::value(0.7));
  EXPECT_EQ(line["ready"], json::value(true));
  EXPECT_EQ(string_at(line, "role"), "gateway");
  auto time = parse_time(string_at(line, "time"));
  EXPECT_TRUE(time && *time >= before && *time <= after) << string_at(line, "time");
}

TEST_F(Log, EscapesWhatWouldBreakTheLine) {
  error("first\nsecond \"quoted\" \\", {{"text", "tab\t\r\x1b[31m"}});
  auto line = object();
  EXPECT_EQ(string_at(line, "message"), "first\nsecond \"quoted\" \\");
  EXPECT_EQ(string_at(line, "text"), "tab\t\r\x1b[31m");
}

TEST_F(Log, ReplacesWhatIsNotUtf8AndTerminalControls) {
  info("caf\xC3\xA9 \xFF\xC3", {{"late",
                                 "a\x7F\xC2\x9B"
                                 "b"},
                                {"bad\xFFkey", "x"},
                                {"nul", std::string_view("a\0b", 3)}});
  auto line = object();
  EXPECT_EQ(string_at(line, "message"), "café \uFFFD\uFFFD");
  EXPECT_EQ(string_at(line, "late"), "a\uFFFD\uFFFDb");
  EXPECT_EQ(string_at(line, "bad\uFFFDkey"), "x");
  EXPECT_EQ(string_at(line, "nul"), "a\uFFFDb");
}

TEST_F(Log, WritesNumbersThatJsonHasNoWordForAsStrings) {
  info("m", {{"a", std::nan("")}, {"b", -std::numeric_limits<double>::infinity()}});
  auto line = object();
  EXPECT_EQ(string_at(line, "a"), "nan");
  EXPECT_EQ(string_at(line, "b"), "-inf");
}

TEST_F(Log, FieldsDoNotReplaceItsOwnMembers) {
  info("mine", {{"message", "theirs"}, {"level", "theirs"}, {"time", "theirs"}});
  auto line = object();
  EXPECT_EQ(string_at(line, "message"), "mine");
  EXPECT_EQ(string_at(line, "message_"), "theirs");
  EXPECT_EQ(string_at(line, "level_"), "theirs");
  EXPECT_EQ(string_at(line, "time_"), "theirs");
}

/// Looks at the field alone: the digits of a number may also stand in the time of the line.
TEST_F(Log, MasksFieldsWhoseKeyNamesASecret) {
  constexpr std::array<std::string_view, 13> keys{
      "password",     "Password",      "db_password",         "secret",  "client_secret", "token", "access_token",
      "X-Auth-Token", "authorization", "Proxy-Authorization", "api_key", "API-Key",       "apikey"};
  for (auto key : keys) {
    info("m", {{key, "hunter2"}});
    info("m", {{key, std::int64_t{4711}}});
  }
  auto text = taken();
  std::size_t lines = 0;
  for (std::string_view rest = text; !rest.empty(); ++lines) {
    auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(line.size() + 1);
    auto parsed = json::parse(line);
    ASSERT_TRUE(parsed && parsed->is_object()) << line;
    ASSERT_LT(lines, 2 * keys.size());
    EXPECT_EQ(string_at(parsed->get_object(), keys.at(lines / 2)), "***") << line;
  }
  EXPECT_EQ(lines, 2 * keys.size());
}

TEST_F(Log, ShowsWhatOnlyLooksLikeASecret) {
  info("m", {{"input_tokens", std::int64_t{12}}, {"key", "k"}, {"user", "ann"}, {"tokens", "text might be one"}});
  auto line = object();
  EXPECT_EQ(line["input_tokens"], json::value(12));
  EXPECT_EQ(string_at(line, "key"), "k");
  EXPECT_EQ(string_at(line, "user"), "ann");
  EXPECT_EQ(string_at(line, "tokens"), "***");
}

TEST_F(Log, MasksUrlPasswordsInValuesAndMessages) {
  warning("cannot reach postgresql://ann:hunter2@db/al", {{"url", "redis://:hunter2@cache:6379/0"}});
  auto line = object();
  EXPECT_EQ(string_at(line, "message"), "cannot reach postgresql://ann:***@db/al");
  EXPECT_EQ(string_at(line, "url"), "redis://:***@cache:6379/0");
}

TEST_F(Log, LeavesOutWhatIsBelowTheLevelAndChangesAtAnyTime) {
  debug("one");
  configure("debug", "json");
  debug("two");
  configure("error", "json");
  warning("three");
  error("four");
  auto text = taken();
  EXPECT_FALSE(text.contains("one"));
  EXPECT_TRUE(text.contains("two"));
  EXPECT_FALSE(text.contains("three"));
  EXPECT_TRUE(text.contains("four"));
}

TEST_F(Log, WritesTextForPeople) {
  configure("info", "text");
  warning("disk is nearly full", {{"free", std::int64_t{7}},
                                  {"path", "a b"},
                                  {"empty", ""},
                                  {"tag", "x=\"1\""},
                                  {"plain", "café"},
                                  {"token", "hunter2"}});
  auto text = taken();
  EXPECT_TRUE(parse_time(text.substr(0, text.find(' ')))) << text;
  EXPECT_EQ(text.substr(text.find(' ') + 1),
            "warning disk is nearly full free=7 path=\"a b\" empty=\"\" tag=\"x=\\\"1\\\"\" plain=café token=***\n");
}

TEST_F(Log, TextKeepsToOneLine) {
  configure("info", "text");
  info("first\n2026-01-01T00:00:00Z error forged", {{"a", "x\ny"}, {"b\nc", "\x1b[2J"}});
  auto text = taken();
  EXPECT_EQ(std::ranges::count(text, '\n'), 1) << text;
  EXPECT_FALSE(text.contains('\x1b')) << text;
}

TEST_F(Log, LinesOfManyThreadsStayWhole) {
  constexpr int threads = 4;
  constexpr int lines = 200;
  {
    std::vector<std::jthread> running;
    running.reserve(threads);
    for (int t = 0; t < threads; ++t) {
      running.emplace_back([t] {
        for (int i = 0; i < lines; ++i)
          info("m", {{"thread", std::int64_t{t}}, {"text", std::string(300, 'x')}});
      });
    }
  }
  auto text = taken();
  int whole = 0;
  for (std::string_view rest = text; !rest.empty();) {
    auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(line.size() + 1);
    whole += json::parse(line).has_value() ? 1 : 0;
  }
  EXPECT_EQ(whole, threads * lines);
}

TEST(LogDeathTest, RefusesWhatTheSettingsDoNotAllow) {
  EXPECT_DEATH(configure("loud", "json"), "level");
  EXPECT_DEATH(configure("info", "xml"), "format");
}

struct Masked {
  std::string_view in;
  std::string_view out;
};

class MaskUrl : public testing::TestWithParam<Masked> {};

TEST_P(MaskUrl, HidesThePasswordAndNothingElse) { EXPECT_EQ(mask_url(GetParam().in), GetParam().out); }

INSTANTIATE_TEST_SUITE_P(
    Urls, MaskUrl,
    testing::Values(Masked{"", ""}, Masked{"no url: at all @ x", "no url: at all @ x"}, Masked{"://", "://"},
                    Masked{"postgresql://u:p@h:5432/d", "postgresql://u:***@h:5432/d"},
                    Masked{"postgresql://u@h:5432/d", "postgresql://u@h:5432/d"},
                    Masked{"postgresql://h:5432/d", "postgresql://h:5432/d"},
                    Masked{"postgresql://u:p@h1:1,h2:2/d", "postgresql://u:***@h1:1,h2:2/d"},
                    Masked{"postgresql://u:a/b@c?d#e@h/d", "postgresql://u:***@h/d"},
                    Masked{"postgresql:///d?user=u&password=p&sslmode=require",
                           "postgresql:///d?user=u&password=***&sslmode=require"},
                    Masked{"redis://:p@h", "redis://:***@h"}, Masked{"redis://:@h", "redis://:***@h"},
                    Masked{"https://h:8000/mail/a@b", "https://h:8000/mail/a@b"},
                    Masked{"https://u:p@h/mail/a@b", "https://u:***@h/mail/a@b"},
                    Masked{"wss://h/ws?token=t&x=1#f", "wss://h/ws?token=***&x=1#f"},
                    Masked{"http://h/?API_KEY=t", "http://h/?API_KEY=***"},
                    Masked{"from http://a:b@c/ to \"ftp://d:e@f\", done",
                           "from http://a:***@c/ to \"ftp://d:***@f\", done"},
                    Masked{"host=h user=u password=p dbname=d", "host=h user=u password=*** dbname=d"},
                    Masked{"password='a \\' b' dbname=d", "password=*** dbname=d"},
                    Masked{"password = p dbname = d", "password = *** dbname = d"},
                    Masked{"password='never closed", "password=***"}, Masked{"token= next=5", "token= next=5"},
                    Masked{"= x", "= x"}, Masked{"a=b=c", "a=b=c"}));

}  // namespace
}  // namespace al::log
