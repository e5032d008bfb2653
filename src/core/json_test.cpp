#include "core/json.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "core/utf8.hpp"
#include "testing/seeded_random.hpp"

namespace al::json {
namespace {

using namespace std::string_literals;

std::string nested(std::size_t depth, char open, char close) {
  return std::string(depth, open) + std::string(depth, close);
}

std::string written(double number) {
  std::string out;
  append_number(out, number);
  return out;
}

std::string written(std::string_view text) {
  std::string out;
  append_string(out, text);
  return out;
}

TEST(JsonParse, ReadsAndWritesBack) {
  struct Case {
    std::string text;
    std::string expected;
  };
  Case const cases[] = {
      {"null", "null"},
      {" true ", "true"},
      {"\r\n\tfalse\n", "false"},
      {"0", "0"},
      {"-1", "-1"},
      {"9223372036854775807", "9223372036854775807"},
      {"-9223372036854775808", "-9223372036854775808"},
      {"18446744073709551615", "18446744073709551615"},
      {"18446744073709551616", "18446744073709551616"},
      {"0.7", "0.7"},
      {"7E-1", "0.7"},
      {"1.2e6", "1200000"},
      {"0.30000000000000004", "0.30000000000000004"},
      {"1.7976931348623157e308", "1.7976931348623157e+308"},
      {"1e-400", "0"},
      {"-1e-400", "-0.0"},
      {"0e400", "0"},
      {"\"\"", "\"\""},
      {R"("\u00e9\ud83d\ude00\/\"\\\b\f\n\r\t")", R"("é😀/\"\\\b\f\n\r\t")"},
      {"\"\xC2\x80\xF4\x8F\xBF\xBF\"", "\"\xC2\x80\xF4\x8F\xBF\xBF\""},
      {"[]", "[]"},
      {"{}", "{}"},
      {"[1, [2.5, {}], \"x\"]", "[1,[2.5,{}],\"x\"]"},
      {R"({"b": 1, "a": {"b": 2}, "": null})", R"({"b":1,"a":{"b":2},"":null})"},
      {R"([{"a":1},{"a":2}])", R"([{"a":1},{"a":2}])"},
      {nested(depth_max, '[', ']'), nested(depth_max, '[', ']')},
  };
  for (auto const& [text, expected] : cases) {
    auto const got = parse(text);
    ASSERT_TRUE(got.has_value()) << text << ": " << got.error().message;
    EXPECT_EQ(serialize(*got), expected) << text;
  }
}

struct Refused {
  std::string text;
  std::string_view where;
  std::string_view why;
};

void expect_refused(std::span<Refused const> cases) {
  for (auto const& [text, where, why] : cases) {
    auto const got = parse(text);
    ASSERT_FALSE(got.has_value()) << text << " was read as " << serialize(*got);
    auto const& error = got.error();
    EXPECT_EQ(error.code, Code::bad_request) << text;
    EXPECT_TRUE(error.message.starts_with(where)) << text << "\n" << error.message;
    EXPECT_TRUE(error.message.contains(why)) << text << "\n" << error.message;
    EXPECT_EQ(utf8::valid_prefix(error.message), error.message.size()) << "the message itself must be UTF-8";
  }
}

TEST(JsonParse, RefusesWhatBoostLetsThrough) {
  Refused const cases[] = {
      {R"({"a":1,"a":2})", "line 1, column 8: ", "the key \"a\" stands twice"},
      {"{\n  \"a\": 1,\n  \"b\": {\"c\": 1, \"c\": 2}\n}", "line 3, column 17: ", "\"c\" stands twice"},
      {R"({"é":1,"\u00e9":2})", "line 1, column ", "\"é\" stands twice"},
      {R"({"\u0061b":1,"ab":2})", "line 1, column 14: ", "\"ab\" stands twice"},
      {R"({"a":{"a":1},"b":[{"a":1}],"a":1})", "line 1, column 28: ", "\"a\" stands twice"},
      {R"({"":1,"":2})", "line 1, column 7: ", "twice"},
      {R"({"k0":0,"k1":0,"k2":0,"k3":0,"k4":0,"k5":0,"k6":0,"k7":0,"k8":0,"k9":0,"ka":0,"kb":0,"kc":0,"k3":0})",
       "line 1, column 93: ", "\"k3\" stands twice"},
      {"1e400", "line 1, column ", "too large"},
      {"[1, -1e400]", "line 1, column ", "too large"},
      {"[1e99999999999]", "line 1, column ", "too large"},
      {std::string(400, '9'), "line 1, column ", "too large"},
      {R"("a\u0000b")", "line 1, column ", "NUL"},
      {R"({"a\u0000":1})", "line 1, column ", "NUL"},
      {R"({"a\u0000b":1})", "line 1, column ", "NUL"},
      {"1 2", "line 1, column 3: ", "follows the end"},
      {"{} x", "line 1, column 4: ", "follows the end"},
      {"{}\0"s, "line 1, column 3: ", "follows the end"},
      {nested(depth_max + 1, '[', ']'), "line 1, column 33: ", "deeper than 32"},
      {std::string(100'000, '['), "line 1, column 33: ", "deeper than 32"},
      {std::string(33, '[') + "1", "line 1, column 33: ", "deeper than 32"},
  };
  expect_refused(cases);
}

TEST(JsonParse, RefusesInvalidUtf8) {
  Refused const cases[] = {
      {"\"a\xFF\"", "line 1, column 3: ", "not valid UTF-8"},
      {"\"\xC0\xAF\"", "line 1, column 2: ", "not valid UTF-8"},
      {"\"\xED\xA0\x80\"", "line 1, column 2: ", "not valid UTF-8"},
      {"\"\xF4\x90\x80\x80\"", "line 1, column 2: ", "not valid UTF-8"},
      {"{\"\xE2\x82\":1}", "line 1, column 3: ", "not valid UTF-8"},
      {"[\n\"é\xE2", "line 2, column 3: ", "not valid UTF-8"},
      {"\xFF", "line 1, column 1: ", "not valid UTF-8"},
      {R"("\ud800")", "line 1, column ", "surrogate"},
      {R"("\udc00")", "line 1, column ", "surrogate"},
      {R"("\ud800x")", "line 1, column ", "surrogate"},
      {R"("\ud800\ud800")", "line 1, column ", "surrogate"},
      {R"("\udc00\ud800")", "line 1, column ", "surrogate"},
  };
  expect_refused(cases);
}

TEST(JsonParse, SaysWhatIsWrongWithTheGrammar) {
  Refused const cases[] = {
      {"", "the text is empty", "send"},
      {" \n ", "the text is empty", "send"},
      {"{", "line 1, column 2: ", "ends too early"},
      {"[1,\n", "line 2, column 1: ", "ends too early"},
      {"\"abc", "line 1, column 5: ", "ends too early"},
      {"[1,]", "line 1, column 4: ", "comma"},
      {"{\"a\":1,}", "line 1, column 8: ", "comma"},
      {"{'a':1}", "line 1, column 2: ", "double quotes"},
      {"{a:1}", "line 1, column 2: ", "'a' is not expected"},
      {"[1 2]", "line 1, column 4: ", "'2' is not expected"},
      {"{\"a\" 1}", "line 1, column 6: ", "colon"},
      {"[“a”]", "line 1, column 2: ", "'“' is not expected"},
      {"[NaN]", "line 1, column 2: ", "NaN"},
      {"[Infinity]", "line 1, column 2: ", "Infinity"},
      {"[True]", "line 1, column 2: ", "lower case"},
      {"[1, // one\n2]", "line 1, column 5: ", "comments"},
      {"\xEF\xBB\xBF{}", "line 1, column 1: ", "byte order mark"},
      {"\"a\nb\"", "line 1, column 3: ", "\\n"},
      {"\"a\x01\"", "line 1, column 3: ", "\\u0001"},
      {"\"a\0b\""s, "line 1, column 3: ", "NUL"},
      {"\"\\x\"", "line 1, column ", "escape"},
      {"\"\\u12g4\"", "line 1, column ", "hexadecimal"},
      {"01", "line 1, column 2: ", "follows the end"},
      {"[01]", "line 1, column 3: ", "'1' is not expected"},
      {"[.5]", "line 1, column 2: ", "not expected"},
      {"[1.]", "line 1, column 4: ", "not expected"},
      {"[+1]", "line 1, column 2: ", "not expected"},
      {"[1e]", "line 1, column 4: ", "not expected"},
      {"nul", "line 1, column 4: ", "ends too early"},
  };
  expect_refused(cases);
}

TEST(JsonParse, LongKeysAreCutInMessages) {
  std::string key;
  for (int i = 0; i < 100; ++i)
    key += "é";
  auto const got = parse("{\"" + key + "\":1,\"" + key + "\":2}");
  ASSERT_FALSE(got.has_value());
  EXPECT_LT(got.error().message.size(), 200U);
  EXPECT_EQ(utf8::valid_prefix(got.error().message), got.error().message.size());
}

TEST(JsonParse, ManyKeysAreFine) {
  std::string text = "{";
  for (int i = 0; i < 4095; ++i)
    text += "\"key" + std::to_string(i) + "\":" + std::to_string(i) + ",";
  auto const good = parse(text + "\"last\":0}");
  ASSERT_TRUE(good.has_value());
  EXPECT_EQ(good->as_object().size(), 4096U);
  EXPECT_FALSE(parse(text + "\"key777\":0}").has_value());
}

TEST(JsonParse, MembersAndValuesAreLimited) {
  std::string members;
  for (int i = 0; i < 4096; ++i)
    members += "\"key" + std::to_string(i) + "\":0,";
  auto const many = parse("{" + members + "\"last\":0}");
  ASSERT_FALSE(many.has_value());
  EXPECT_TRUE(many.error().message.contains("more than 4096 members"));
  std::string values = "[0";
  for (int i = 2; i < 400'000; ++i)
    values += ",0";
  EXPECT_TRUE(parse(values + "]").has_value()) << "with the array they are 400,000";
  auto const more = parse(values + ",0]");
  ASSERT_FALSE(more.has_value());
  EXPECT_TRUE(more.error().message.contains("more than 400000 values"));
}

TEST(JsonParse, LongStringsWithEscapesAreWhole) {
  std::string const part(10'000, 'x');
  auto const got = parse("[\"" + part + "\\n" + part + "\",{\"" + part + "\\t" + part + "\":1}]");
  ASSERT_TRUE(got.has_value());
  EXPECT_EQ(std::string_view(got->at(0).as_string()), part + "\n" + part);
  EXPECT_TRUE(got->at(1).as_object().contains(part + "\t" + part));
}

TEST(JsonAppendNumber, IsPlainAndShortest) {
  struct Case {
    double number;
    std::string_view text;
  };
  Case const cases[] = {
      {0, "0"},
      {-0.0, "-0.0"},
      {1, "1"},
      {-1.5, "-1.5"},
      {0.7, "0.7"},
      {1200000, "1200000"},
      {100000, "100000"},
      {1e20, "100000000000000000000"},
      {1e21, "1e+21"},
      {1e300, "1e+300"},
      {1e-7, "0.0000001"},
      {1.5e-8, "1.5e-08"},
      {5e-324, "5e-324"},
      {-1.2345678901234566e-7, "-0.00000012345678901234566"},
      {1.0 / 3, "0.3333333333333333"},
      {std::numeric_limits<double>::quiet_NaN(), "null"},
      {std::numeric_limits<double>::infinity(), "null"},
  };
  for (auto const& [number, text] : cases)
    EXPECT_EQ(written(number), text);
}

TEST(JsonAppendNumber, ReadsBackAsTheSameBits) {
  SeededRandom random;
  int checked = 0;
  for (int i = 0; i < 20'000; ++i) {
    auto const number = std::bit_cast<double>(random.below(std::numeric_limits<std::uint64_t>::max()));
    if (!std::isfinite(number))
      continue;
    auto const text = written(number);
    auto const got = parse(text);
    ASSERT_TRUE(got.has_value()) << text;
    ASSERT_EQ(got->to_number<double>(), number) << text;
    ++checked;
  }
  EXPECT_GT(checked, 19'000);
}

TEST(JsonAppendString, EscapesAtEveryPlaceInAWord) {
  EXPECT_EQ(written(""), "\"\"");
  EXPECT_EQ(written("plain text, longer than one word of eight"), "\"plain text, longer than one word of eight\"");
  EXPECT_EQ(written("é漢字😀 /\x7F"), "\"é漢字😀 /\x7F\"");
  EXPECT_EQ(written("\0\x01\x1F\n"s), R"("\u0000\u0001\u001f\n")");
  for (std::size_t size = 1; size <= 20; ++size) {
    for (std::size_t place = 0; place < size; ++place) {
      for (auto const& [c, escape] :
           {std::pair{'"', R"(\")"}, {'\\', R"(\\)"}, {'\n', R"(\n)"}, {'\x1E', R"(\u001e)"}}) {
        std::string text(size, '\xC3');  // bytes above 0x7F beside it must not be taken for it
        text[place] = c;
        auto expected = "\"" + std::string(place, '\xC3') + escape + std::string(size - place - 1, '\xC3') + "\"";
        ASSERT_EQ(written(text), expected) << "size " << size << ", place " << place;
      }
    }
  }
}

TEST(JsonAppendString, ReadsBackAsTheSameText) {
  std::string text;
  for (char c = 1; c > 0; ++c) {
    text += c;
    if (c == 0x7F)
      break;
  }
  auto const got = parse(written(text));
  ASSERT_TRUE(got.has_value()) << got.error().message;
  EXPECT_EQ(std::string_view(got->as_string()), text);
}

TEST(JsonSource, KeepsTheTextOfItsParts) {
  auto const source = Source::from(R"(
    { "id" : "a\"}b" , "config" : { "x": [1,  2.50, "]"] } , "n":-1.0e2,"list": [ {"k":"," }, null,"[",[ ] ],"t":true }
  )");
  ASSERT_TRUE(source.has_value()) << source.error().message;
  auto const root = source->root();
  EXPECT_TRUE(root.raw.starts_with("{ \"id\"") && root.raw.ends_with("true }")) << root.raw;
  EXPECT_EQ(member(root, "id").raw, R"("a\"}b")");
  EXPECT_EQ(member(root, "config").raw, R"({ "x": [1,  2.50, "]"] })");
  EXPECT_EQ(member(root, "n").raw, "-1.0e2");
  EXPECT_EQ(member(root, "t").raw, "true");
  EXPECT_TRUE(member(root, "none").is_null());
  EXPECT_TRUE(member(root, "none").raw.empty());
  auto const list = elements(member(root, "list"));
  ASSERT_EQ(list.size(), 4U);
  EXPECT_EQ(list[0].raw, R"({"k":"," })");
  EXPECT_EQ(list[1].raw, "null");
  EXPECT_TRUE(list[1].is_null());
  EXPECT_EQ(list[2].raw, "\"[\"");
  EXPECT_EQ(list[3].raw, "[ ]");
  auto const inner = elements(member(member(root, "config"), "x"));
  ASSERT_EQ(inner.size(), 3U);
  EXPECT_EQ(inner[1].raw, "2.50");
  auto const all = members(root);
  ASSERT_EQ(all.size(), 5U);
  EXPECT_EQ(all[3].key, "list");
  EXPECT_EQ(all[3].value.raw, member(root, "list").raw);
  EXPECT_EQ(all[3].value.parsed, member(root, "list").parsed);
}

TEST(JsonSource, EveryPartParsesToItsValue) {
  auto const source = Source::from(R"({"a":[1,"x\\",{"b":"\\\"","c":[[],{}," "]}],"\"":"}","e":{"f":false,"g":0}})");
  ASSERT_TRUE(source.has_value());
  std::vector<Input> open{source->root()};
  int seen = 0;
  while (!open.empty()) {
    auto const part = open.back();
    open.pop_back();
    auto const again = parse(part.raw);
    ASSERT_TRUE(again.has_value()) << part.raw;
    EXPECT_EQ(*again, *part.parsed) << part.raw;
    ++seen;
    for (auto const& element : elements(part))
      open.push_back(element);
    for (auto const& [key, value] : members(part))
      open.push_back(value);
  }
  EXPECT_EQ(seen, 14);
}

TEST(JsonSource, IsMovable) {
  auto source = Source::from("[1]");  // short enough to sit inside the string object
  ASSERT_TRUE(source.has_value());
  Source const moved = std::move(*source);
  EXPECT_EQ(moved.root().raw, "[1]");
  EXPECT_EQ(elements(moved.root()).at(0).raw, "1");
}

TEST(JsonSource, RefusesLikeParse) {
  auto const source = Source::from("{\"a\":1,\"a\":1}");
  ASSERT_FALSE(source.has_value());
  EXPECT_EQ(source.error().code, Code::bad_request);
}

TEST(JsonInput, PartsOfOtherKindsAreNone) {
  EXPECT_TRUE(member({}, "a").is_null());
  EXPECT_TRUE(elements({}).empty());
  auto const source = Source::from("[1]");
  ASSERT_TRUE(source.has_value());
  EXPECT_TRUE(member(source->root(), "a").is_null());
  EXPECT_TRUE(members(source->root()).empty());
  auto const object = Source::from("{\"a\":1}");
  ASSERT_TRUE(object.has_value());
  EXPECT_TRUE(elements(object->root()).empty());
}

TEST(JsonInput, WithoutTextThePartsHaveNone) {
  auto const parsed = parse(R"({"a":[1,2]})");
  ASSERT_TRUE(parsed.has_value());
  Input const root{&*parsed, {}};
  auto const list = member(root, "a");
  ASSERT_NE(list.parsed, nullptr);
  EXPECT_TRUE(list.raw.empty());
  ASSERT_EQ(elements(list).size(), 2U);
  EXPECT_TRUE(elements(list)[1].raw.empty());
  EXPECT_EQ(elements(list)[1].parsed->as_int64(), 2);
}

}  // namespace
}  // namespace al::json
