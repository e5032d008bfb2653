#include "providers/openai_format.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace al::providers::openai {
namespace {

using testing::HasSubstr;

ChatRequest question() { return {.model = "m", .messages = {{.text = "Where?"}}}; }

TEST(OpenAiRequest, HasTheModelTheTurnsAndAsksForUsage) {
  auto request = question();
  request.system = "Be brief.";
  EXPECT_EQ(request_body(request),
            R"({"model":"m","messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Where?"}],)"
            R"("max_tokens":4096,"stream":true,"stream_options":{"include_usage":true}})");
}

TEST(OpenAiRequest, SendsToolCallsBackBeforeTheirAnswers) {
  auto request = question();
  request.messages.push_back({.role = Message::Role::assistant, .tool_calls = {{"c1", "look", R"({"q":"a\"b"})"}}});
  request.messages.push_back({.role = Message::Role::tool, .text = "found", .tool_call_id = "c1"});
  EXPECT_THAT(request_body(request),
              HasSubstr(R"({"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function",)"
                        R"("function":{"name":"look","arguments":"{\"q\":\"a\\\"b\"}"}}]},)"
                        R"({"role":"tool","tool_call_id":"c1","content":"found"})"));
}

TEST(OpenAiRequest, TellsOfToolsAndOfTheSchemaOfTheAnswer) {
  auto request = question();
  request.tools = {{"look", "Looks.", {R"({"type":"object"})"}}};
  request.answer_schema = Document{R"({"type":"object","required":["x"]})"};
  auto const body = request_body(request);
  EXPECT_THAT(body, HasSubstr(R"("tools":[{"type":"function","function":{"name":"look","description":"Looks.",)"
                              R"("parameters":{"type":"object"}}}])"));
  EXPECT_THAT(body, HasSubstr(R"("response_format":{"type":"json_schema","json_schema":{"name":"answer",)"
                              R"("strict":false,"schema":{"type":"object","required":["x"]}}})"));
}

TEST(OpenAiRequest, HoldsTheAnswerToASchemaWhereTheServerCan) {
  auto request = question();
  request.answer_schema = Document{
      R"({"type":"object","properties":{"x":{"type":"string"}},"required":["x"],"additionalProperties":false})"};
  EXPECT_THAT(request_body(request), HasSubstr(R"("strict":true)"));
  request.answer_schema = Document{R"({"type":"array","items":{"type":"string"}})"};
  EXPECT_THAT(request_body(request), testing::Not(HasSubstr("response_format")));
}

TEST(OpenAiRequest, NamesTheLimitAsTheServerKnowsIt) {
  EXPECT_EQ(limit_name_at("https://api.openai.com/v1"), newer_limit_name);
  EXPECT_EQ(limit_name_at("https://api.openai.com.example.org/v1"), limit_name);
  EXPECT_EQ(limit_name_at("http://127.0.0.1:11434/v1"), limit_name);
  EXPECT_THAT(request_body(question(), newer_limit_name), HasSubstr(R"("max_completion_tokens":4096)"));
}

class OpenAiReader : public testing::Test {
 protected:
  Result<bool> read(std::string_view data) {
    return reader.read(data, [this](std::string_view piece) {
      text += piece;
      return true;
    });
  }
  Reader reader;
  std::string text;
};

TEST_F(OpenAiReader, PutsAnAnswerTogether) {
  for (auto const* data :
       {R"({"model":"m-1","choices":[{"delta":{"role":"assistant","content":""}}],"usage":null})",
        R"({"choices":[{"delta":{"content":"Par"}}]})", R"({"choices":[{"delta":{"content":"is"}}]})",
        R"({"choices":[{"delta":{},"finish_reason":"stop"}]})",
        R"({"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":2}})"})
    ASSERT_TRUE(read(data).value_or(false)) << data;
  EXPECT_FALSE(reader.done()) << "the end of the body alone is no end of the answer";
  ASSERT_TRUE(read("[DONE]"));
  ASSERT_TRUE(reader.done());
  auto const answer = reader.take();
  EXPECT_EQ(text, "Paris");
  EXPECT_EQ(answer.message.text, "Paris");
  EXPECT_EQ(answer.model, "m-1");
  EXPECT_EQ(answer.finish, Finish::stop);
  ASSERT_TRUE(answer.usage);
  EXPECT_EQ(answer.usage->input_tokens, 7);
  EXPECT_EQ(answer.usage->output_tokens, 2);
}

TEST_F(OpenAiReader, PutsToolCallsTogetherByTheirIndex) {
  for (auto const* data :
       {R"({"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"look","arguments":""}}]}}]})",
        R"({"choices":[{"delta":{"tool_calls":[{"index":1,"id":"b","function":{"name":"ask","arguments":"{"}}]}}]})",
        R"({"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"q\":\"\\"}}]}}]})",
        R"({"choices":[{"delta":{"tool_calls":[{"index":1,"function":{"arguments":"}"}}]}}]})",
        R"({"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"u00e9\"}"}}]}}]})",
        R"({"choices":[{"delta":{},"finish_reason":"stop"}]})", "[DONE]"})
    ASSERT_TRUE(read(data)) << data;
  auto const answer = reader.take();
  EXPECT_EQ(answer.finish, Finish::tool_calls) << "also when a forced call ends with \"stop\"";
  ASSERT_EQ(answer.message.tool_calls.size(), 2U);
  EXPECT_EQ(answer.message.tool_calls[0].id, "a");
  EXPECT_EQ(answer.message.tool_calls[0].name, "look");
  EXPECT_EQ(answer.message.tool_calls[0].arguments, R"({"q":"\u00e9"})");
  EXPECT_EQ(answer.message.tool_calls[1].arguments, "{}");
  EXPECT_FALSE(answer.usage) << "unknown, not zero";
}

TEST_F(OpenAiReader, TakesWholeCallsWithoutAnIndex) {
  ASSERT_TRUE(read(R"({"choices":[{"delta":{"tool_calls":[{"id":"a","function":{"name":"x","arguments":"{}"}},)"
                   R"({"id":"b","function":{"name":"y","arguments":"{}"}}]}}]})"));
  ASSERT_EQ(reader.take().message.tool_calls.size(), 2U);
}

TEST_F(OpenAiReader, ARefusalIsTheText) {
  ASSERT_TRUE(read(R"({"choices":[{"delta":{"refusal":"I will not."},"finish_reason":"stop"}]})"));
  auto const answer = reader.take();
  EXPECT_EQ(answer.finish, Finish::refused);
  EXPECT_EQ(answer.message.text, "I will not.");
}

TEST_F(OpenAiReader, SaysWhatAnErrorInTheStreamSays) {
  auto const read_error = read(R"({"error":{"message":"overloaded","type":"server_error","code":null}})");
  ASSERT_FALSE(read_error);
  EXPECT_EQ(read_error.error().code, Code::unavailable);
  EXPECT_THAT(read_error.error().message, HasSubstr("overloaded"));
}

TEST_F(OpenAiReader, GarbageIsAnErrorNotACrash) {
  for (auto const* data : {"", "<html>", "{\"choices\":", "[1,", "\x01"}) {
    Reader fresh;
    auto const done = fresh.read(data, {});
    ASSERT_FALSE(done) << data;
    EXPECT_EQ(done.error().code, Code::unavailable) << data;
  }
  for (auto const* data : {"[]", "1", "{}", R"({"choices":7})", R"({"choices":[{"delta":[]}]})",
                           R"({"choices":[{"delta":{"tool_calls":[3]}}]})"}) {
    Reader fresh;
    EXPECT_TRUE(fresh.read(data, {})) << data;
  }
}

TEST_F(OpenAiReader, StopsWhenNobodyListens) {
  EXPECT_FALSE(*reader.read(R"({"choices":[{"delta":{"content":"x"}}]})", [](std::string_view) { return false; }));
}

TEST(OpenAiError, TellsMoneyFromHaste) {
  EXPECT_EQ(error_of(429, R"({"error":{"message":"slow","type":"requests","code":"rate_limit_exceeded"}})").code,
            Code::too_many_requests);
  EXPECT_EQ(error_of(429, R"({"error":{"message":"pay","type":"insufficient_quota","code":null}})").code,
            Code::invalid);
  auto const proxy = error_of(502, "<html>Bad gateway</html>");
  EXPECT_EQ(proxy.code, Code::unavailable);
  EXPECT_THAT(proxy.message, HasSubstr("502"));
}

}  // namespace
}  // namespace al::providers::openai
