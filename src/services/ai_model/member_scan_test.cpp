#include "services/ai_model/member_scan.hpp"

#include <gtest/gtest.h>

namespace al::services::ai_model {
namespace {

struct Case {
  std::string text;
  std::string model;  ///< the value's text; empty: there is none
  int times = 1;
  bool is_complete = true;
};

std::vector<Case> const cases{
    {R"({"model":"gpt"})", R"("gpt")"},
    {" \n{ \"a\" : 1 , \"model\" :\t\"g\\\"p,}t\" , \"b\":2 } rest", R"("g\"p,}t")"},
    {R"({"messages":[{"model":"inner","x":"}]{\\"}],"model":"outer"})", R"("outer")"},
    {R"({"tools":{"model":{"model":1}},"a":"model","model":"m"})", R"("m")"},
    {R"({"model":null})", "null"},
    {R"({"model": 12.5e3 , "a":true})", "12.5e3"},
    {R"({"model":[1,"]",{"a":2}],"b":0})", R"([1,"]",{"a":2}])"},
    {R"({"model":{"a":"\\"}})", R"({"a":"\\"})"},
    {R"({"model":"a","model":"b"})", R"("b")", 2},
    {R"({"mod\u0065l":"hidden"})", R"("hidden")"},
    {R"({"models":"m","mode":"l","":"e"})", "", 0},
    {R"({})", "", 0},
    {R"([{"model":"m"}])", "", 0, false},
    {R"("model")", "", 0, false},
    {"", "", 0, false},
    {R"({"model":"m")", R"("m")", 1, false},
    {R"({"model":"m)", "", 1, false},
    {R"({"a":"\\\\\\","model":"m"})", R"("m")"},
    {"{\"a\":\"" + std::string(100'000, '\\') + "\",\"model\":\"m\"}", R"("m")"},
    {R"({"model":")" + std::string(5000, 'x') + R"(","a":1})", ""},
};

void check(Case const& expected, MemberScan const& scan) {
  auto const& model = scan[1];
  EXPECT_EQ(scan.is_complete(), expected.is_complete) << expected.text.substr(0, 80);
  EXPECT_EQ(model.times, expected.times) << expected.text.substr(0, 80);
  EXPECT_EQ(model.text, expected.model) << expected.text.substr(0, 80);
  if (!model.text.empty())
    EXPECT_EQ(expected.text.substr(model.begin, model.end - model.begin), expected.model);
}

TEST(MemberScan, FindsMembersOfTheOutermostObject) {
  for (auto const& one : cases) {
    MemberScan scan({"stream", "model"});
    scan.feed(one.text);
    check(one, scan);
  }
}

TEST(MemberScan, FindsThemHoweverTheTextIsCut) {
  for (auto const& one : cases) {
    for (std::size_t const size : {1, 2, 3, 7}) {
      MemberScan scan({"stream", "model"});
      for (std::size_t at = 0; at < one.text.size(); at += size)
        scan.feed(std::string_view(one.text).substr(at, size));
      check(one, scan);
    }
  }
}

TEST(MemberScan, ReadsOnOverAnyBytes) {
  // What is no JSON is the provider's to refuse; here it must only do no harm.
  for (std::string const text : {"{{{{", "}}}}", "{]]]]", "{\"", "{\"a\"", "{:,:,}", "{\"model\"::,,}", "{\"model\"}",
                                 "\xff\xfe{\"model\":\xff}", "{\"model\":1]}", "{,\"model\":1"}) {
    MemberScan scan({"model"});
    scan.feed(text);
    EXPECT_LE(scan[0].end, text.size());
  }
}

}  // namespace
}  // namespace al::services::ai_model
