#include "core/yaml.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/describe/enum.hpp>

namespace al::yaml {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

enum class Colour { red, dark_green };
BOOST_DESCRIBE_ENUM(Colour, red, dark_green)

/// The faults as lines "path: message".
std::vector<std::string> lines_of(Faults faults) {
  std::vector<std::string> out;
  for (auto const& fault : std::move(faults).error("wrong").faults)
    out.push_back(fault.path + ": " + fault.message);
  return out;
}

/// The faults of a text that parse() alone refuses.
std::vector<std::string> refused(std::string_view text) {
  Faults faults("a.yaml");
  EXPECT_FALSE(parse(text, faults)) << text.substr(0, 80);
  return lines_of(std::move(faults));
}

/// A tree on one line: maps as {key@line=…}, lists as […], scalars in quotes.
std::string drawn(Node const& node) {
  if (node.kind == Kind::null)
    return "~";
  if (node.kind == Kind::scalar)
    return "'" + node.text + "'";
  std::string out(1, node.kind == Kind::list ? '[' : '{');
  for (auto const& child : node.children) {
    out += &child == node.children.data() ? "" : " ";
    out += child.key + "@" + std::to_string(child.line) + "=" + drawn(child);
  }
  return out + (node.kind == Kind::list ? ']' : '}');
}

std::string parsed(std::string_view text) {
  Faults faults("a.yaml");
  auto const node = parse(text, faults);
  EXPECT_TRUE(faults.empty()) << text;
  return node ? drawn(*node) : "nothing";
}

// ---- the tree ----

TEST(YamlParse, KeepsLinesAndOrder) {
  EXPECT_EQ(parsed("# first\nb:\n  - 1\n  - x: two\n    y: \"\"\na: {c: , d: null, b: 'q'}\n"),
            "{b@2=[@3='1' @4={x@4='two' y@5=''}] a@6={c@6=~ d@6=~ b@6='q'}}");
  EXPECT_EQ(parsed("a: 1\na: 2"), "{a@1='1' a@2='2'}") << "a key that is given twice is for the reader to report";
  EXPECT_EQ(parsed(""), "~");
  EXPECT_EQ(parsed("# nothing\n---\n"), "~");
  EXPECT_EQ(parsed("\xEF\xBB\xBF"
                   "a: 1"),
            "{a@1='1'}");
  EXPECT_EQ(parsed("a: &x [1]\nb: *x"), "{a@1=[@1='1'] b@2=[@1='1']}");
}

TEST(YamlParse, RefusesWhatItCannotRead) {
  EXPECT_THAT(refused("a: [1\nb: 2\n"), ElementsAre(HasSubstr("not YAML: ")));
  EXPECT_THAT(refused("a: b: c"),
              ElementsAre(testing::AllOf(HasSubstr("not YAML"), HasSubstr("(file a.yaml line 1)"))));
  EXPECT_THAT(refused("a: 1\nb: *nobody"), ElementsAre(HasSubstr("not YAML: ")));
  EXPECT_THAT(refused("a: 1\n---\nb: 2"), ElementsAre(": the file holds more than one document (file a.yaml)"));
  EXPECT_THAT(refused("a: 1\nb: \xFF"), ElementsAre(": the file is not UTF-8 (file a.yaml line 2)"));
  EXPECT_THAT(refused("a: 1\n? [b]\n: 2"), ElementsAre(": a key must be a plain word (file a.yaml line 2)"));
  EXPECT_THAT(refused("\"a\\u0007\": 1"), ElementsAre(": a key must be a plain word (file a.yaml line 1)"));
  EXPECT_THAT(refused(std::string((1 << 20) + 1, ' ')), ElementsAre(": the file is longer than 1 MiB (file a.yaml)"));
}

TEST(YamlParse, HoldsItsLimits) {
  auto const nested = [](std::size_t levels) { return std::string(levels, '[') + std::string(levels, ']'); };
  EXPECT_EQ(parsed(nested(3)), "[@1=[@1=[]]]");
  EXPECT_NE(parsed(nested(33)), "nothing");
  EXPECT_THAT(refused(nested(34)), ElementsAre(": the file nests deeper than 32 levels (file a.yaml line 1)"));
  EXPECT_THAT(refused(std::string(200'000, '[')), ElementsAre(HasSubstr("not YAML")));
  EXPECT_THAT(refused("a: &x\n  - *x\n"), ElementsAre(HasSubstr("nests deeper")));

  std::string many;
  for (int i = 0; i < 19'999; ++i)
    many += "- 1\n";
  EXPECT_NE(parsed(many), "nothing");
  EXPECT_THAT(refused(many + "- 1\n"), ElementsAre(": the file has more than 20000 values (file a.yaml line 20000)"));
  std::string laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    auto const below = "*a" + std::to_string(i - 1) + " ";
    auto const here = "a" + std::to_string(i);
    laughs.append(here).append(": &").append(here).append(" [").append(below);
    for (int j = 0; j < 9; ++j)
      laughs += ", " + below;
    laughs += "]\n";
  }
  EXPECT_THAT(refused(laughs), ElementsAre(HasSubstr("more than 20000 values")));
}

// ---- the reader ----

class YamlReader : public testing::Test {
 protected:
  MapReader over(std::string_view text) {
    auto node = parse(text, faults_);
    EXPECT_TRUE(node);
    node_ = node ? std::move(*node) : Node{};
    return MapReader(node_, "top[1]", faults_);
  }
  std::vector<std::string> faults() { return lines_of(faults_); }

  Faults faults_{"a.yaml"};
  Node node_;
};

TEST_F(YamlReader, ReadsWhatIsThere) {
  auto reader =
      over("name: x y\ncount: -3\nwait: 90\nflag: Yes\noff: off\ncolour: dark_green\nlist: [a, b]\nempty: []\n");
  EXPECT_EQ(reader.text("name"), "x y");
  EXPECT_EQ(reader.integer("count", 1, -3, 10), -3);
  EXPECT_EQ(reader.seconds("wait", 1s, 1s, 2min), 90s);
  EXPECT_TRUE(reader.boolean("flag", false));
  EXPECT_FALSE(reader.boolean("off", true));
  EXPECT_EQ(reader.choice("colour", Colour::red), Colour::dark_green);
  EXPECT_EQ(reader.list("list").size(), 2U);
  EXPECT_EQ(reader.list("empty").size(), 0U);
  EXPECT_EQ(reader.line("wait"), 3U);
  EXPECT_EQ(reader.path("wait"), "top[1].wait");
  reader.finish();
  EXPECT_THAT(faults(), IsEmpty());
}

TEST_F(YamlReader, FallsBackOnWhatIsNotThere) {
  for (auto const* text : {"", "{}", "name:\ncount: null\nwait: ~\nflag:\ncolour:\nlist:\n"}) {
    auto reader = over(text);
    EXPECT_EQ(reader.text("name", "n"), "n");
    EXPECT_EQ(reader.integer("count", 7, 8, 9), 7);
    EXPECT_EQ(reader.seconds("wait", 5s, 1s, 2s), 5s);
    EXPECT_TRUE(reader.boolean("flag", true));
    EXPECT_EQ(reader.choice("colour", Colour::dark_green), Colour::dark_green);
    EXPECT_EQ(reader.list("list").size(), 0U);
    EXPECT_EQ(reader.find("name"), nullptr);
    reader.finish();
  }
  EXPECT_THAT(faults(), IsEmpty());
}

TEST_F(YamlReader, NamesEveryMistake) {
  auto reader = over(
      "name: \"\"\nother: \"a\\u0007\"\ncount: 11\nnumber: 1.5\nwait: 10s\nflag: maybe\ncolour: redd\nhue: xx\n"
      "list: a\nmap: {a: 1}\ncount: 3\nwiat: 4\nqqqqqqqq: 5\n");
  EXPECT_EQ(reader.text("name", "n"), "n");
  EXPECT_EQ(reader.text("other", "o"), "o");
  EXPECT_EQ(reader.integer("count", 1, 0, 10), 1);
  EXPECT_EQ(reader.integer("number", 2, 0, 10), 2);
  EXPECT_EQ(reader.seconds("wait", 3s, 1s, 9s), 3s);
  EXPECT_TRUE(reader.boolean("flag", true));
  EXPECT_EQ(reader.choice("colour", Colour::dark_green), Colour::dark_green);
  EXPECT_EQ(reader.choice("hue", Colour::red), Colour::red);
  EXPECT_EQ(reader.list("list").size(), 0U);
  EXPECT_EQ(reader.text("map"), "");
  reader.fault("missing", "must be there");
  reader.finish();
  EXPECT_THAT(
      faults(),
      ElementsAre(
          "top[1].count: given twice, first on line 3 (file a.yaml line 11)",
          "top[1].name: must be text of 1 to 1024 bytes without control characters (file a.yaml line 1)",
          "top[1].other: must be text of 1 to 1024 bytes without control characters (file a.yaml line 2)",
          "top[1].count: must be a whole number from 0 to 10, not \"11\" (file a.yaml line 3)",
          "top[1].number: must be a whole number from 0 to 10, not \"1.5\" (file a.yaml line 4)",
          "top[1].wait: must be a whole number of seconds from 1 to 9, not \"10s\" (file a.yaml line 5)",
          "top[1].flag: must be true or false, not \"maybe\" (file a.yaml line 6)",
          "top[1].colour: must be one of red, dark_green, not \"redd\"; did you mean red? (file a.yaml line 7)",
          "top[1].hue: must be one of red, dark_green, not \"xx\" (file a.yaml line 8)",
          "top[1].list: must be a list (file a.yaml line 9)",
          "top[1].map: must be text of 1 to 1024 bytes without control characters, not a list or map (file a.yaml line "
          "10)",
          "top[1].missing: must be there (file a.yaml line 1)",
          "top[1].wiat: there is no such key; did you mean wait? (file a.yaml line 12)",
          "top[1].qqqqqqqq: there is no such key; there are: name, other, count, number, wait, flag, colour, hue, "
          "list, "
          "map (file a.yaml line 13)"));
}

TEST_F(YamlReader, WantsAMap) {
  auto reader = over("- a\n- b\n");
  EXPECT_EQ(reader.integer("count", 5, 0, 9), 5);
  reader.finish();
  EXPECT_THAT(faults(), ElementsAre("top[1]: must be a map, as key: value (file a.yaml line 1)"));
}

// ---- messages ----

TEST(YamlFaults, AreListedToALimit) {
  Faults faults("a.yaml");
  for (std::size_t i = 0; i < Faults::listed_max + 3; ++i)
    faults.add("k" + std::to_string(i), i, "is wrong");
  auto const error = std::move(faults).error("the file is wrong");
  EXPECT_EQ(error.code, Code::invalid);
  EXPECT_EQ(error.faults.size(), Faults::listed_max);
  EXPECT_TRUE(
      error.message.starts_with("the file is wrong: k0: is wrong (file a.yaml); k1: is wrong (file a.yaml line 1); "))
      << error.message;
  EXPECT_TRUE(error.message.ends_with("k99: is wrong (file a.yaml line 99); and 3 more")) << error.message;
}

TEST(YamlMessages, ShowNoPasswords) {
  EXPECT_EQ(shown("abc"), "\"abc\"");
  EXPECT_EQ(shown(std::string(100, 'a')), '"' + std::string(60, 'a') + "…\"");
  EXPECT_THAT(shown("http://user:hidden@host:1"), Not(HasSubstr("hidden")));
  EXPECT_EQ(shown("user:hidden@host:1"), "what was given");
  EXPECT_EQ(shown("a\nb"), "what was given");
}

}  // namespace
}  // namespace al::yaml
