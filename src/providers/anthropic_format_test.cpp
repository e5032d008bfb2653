#include "providers/anthropic_format.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace al::providers::anthropic {
namespace {

using testing::HasSubstr;

ChatRequest question() { return {.model = "m", .messages = {{.text = "Where?"}}}; }

TEST(AnthropicRequest, HasTheSystemTextBesideTheTurns) {
  auto request = question();
  request.system = "Be brief.";
  EXPECT_EQ(request_body(request),
            R"({"model":"m","max_tokens":4096,"stream":true,"messages":[{"role":"user","content":"Where?"}],)"
            R"("system":"Be brief."})");
}

TEST(AnthropicRequest, AnswersAllToolsInOneTurn) {
  auto request = question();
  request.messages.push_back(
      {.role = Message::Role::assistant, .tool_calls = {{"a", "look", R"({"q":1})"}, {"b", "look", ""}}});
  request.messages.push_back({.role = Message::Role::tool, .text = "found", .tool_call_id = "a"});
  request.messages.push_back({.role = Message::Role::tool, .text = "no", .tool_call_id = "b", .is_error = true});
  EXPECT_THAT(request_body(request),
              HasSubstr(R"({"role":"assistant","content":[{"type":"tool_use","id":"a","name":"look","input":{"q":1}},)"
                        R"({"type":"tool_use","id":"b","name":"look","input":{}}]},{"role":"user","content":[)"
                        R"({"type":"tool_result","tool_use_id":"a","content":"found"},)"
                        R"({"type":"tool_result","tool_use_id":"b","content":"no","is_error":true}]}])"));
}

TEST(AnthropicRequest, HoldsTheAnswerToASchemaWhereItCan) {
  auto request = question();
  request.answer_schema =
      Document{R"({"type":"object","properties":{"x":{"type":"string"}},"additionalProperties":false})"};
  EXPECT_THAT(request_body(request), HasSubstr(R"("output_config":{"format":{"type":"json_schema")"));
  request.answer_schema = Document{R"({"type":"object","properties":{"x":{"type":"integer","minimum":1}}})"};
  EXPECT_THAT(request_body(request), testing::Not(HasSubstr("output_config")));
}

TEST(AnthropicRequest, SendsBackWhatTheModelSaidUnchanged) {
  auto request = question();
  request.messages.push_back({.role = Message::Role::assistant,
                              .text = "not this",
                              .verbatim = Document{R"([{"type":"thinking","thinking":"hm","signature":"s"}])"}});
  EXPECT_THAT(request_body(request), HasSubstr(R"("content":[{"type":"thinking","thinking":"hm","signature":"s"}]})"));
}

class AnthropicReader : public testing::Test {
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

TEST_F(AnthropicReader, PutsTextThoughtsAndCallsTogether) {
  for (auto const* data :
       {R"({"type":"message_start","message":{"model":"c-1","usage":{"input_tokens":5,"cache_read_input_tokens":3,)"
        R"("output_tokens":1}}})",
        R"({"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":""}})",
        R"({"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"hm"}})",
        R"({"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"sig"}})",
        R"({"type":"content_block_stop","index":0})", R"({"type":"ping"})", R"({"type":"something_new"})",
        R"({"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}})",
        R"({"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"Par"}})",
        R"({"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"is"}})",
        R"({"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"t",)"
        R"("name":"look","input":{}}})",
        R"({"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":""}})",
        R"({"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"{\"q\""}})",
        R"({"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":":1}"}})",
        R"({"type":"content_block_start","index":3,"content_block":{"type":"tool_use","id":"u",)"
        R"("name":"now","input":{}}})",
        R"({"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":9}})"})
    ASSERT_TRUE(read(data).value_or(false)) << data;
  EXPECT_FALSE(reader.done());
  ASSERT_TRUE(read(R"({"type":"message_stop"})"));
  ASSERT_TRUE(reader.done());
  auto const answer = reader.take();
  EXPECT_EQ(text, "Paris");
  EXPECT_EQ(answer.message.text, "Paris");
  EXPECT_EQ(answer.model, "c-1");
  EXPECT_EQ(answer.finish, Finish::tool_calls);
  EXPECT_EQ(answer.usage->input_tokens, 8) << "what was read from a cache is read too";
  EXPECT_EQ(answer.usage->output_tokens, 9) << "cumulative, not added";
  ASSERT_EQ(answer.message.tool_calls.size(), 2U);
  EXPECT_EQ(answer.message.tool_calls[0].arguments, R"({"q":1})");
  EXPECT_EQ(answer.message.tool_calls[1].arguments, "{}") << "nothing at all stands for no arguments";
  EXPECT_EQ(answer.message.verbatim->text,
            R"([{"type":"thinking","thinking":"hm","signature":"sig"},{"type":"text","text":"Paris"},)"
            R"({"type":"tool_use","id":"t","name":"look","input":{"q":1}},)"
            R"({"type":"tool_use","id":"u","name":"now","input":{}}])");
}

TEST_F(AnthropicReader, TellsWhyTheModelStopped) {
  for (auto const& [reason, finish] : {std::pair{"end_turn", Finish::stop}, std::pair{"max_tokens", Finish::length},
                                       std::pair{"refusal", Finish::refused}}) {
    Reader fresh;
    ASSERT_TRUE(fresh.read(std::string(R"({"type":"message_delta","delta":{"stop_reason":")") + reason + "\"}}", {}));
    EXPECT_EQ(fresh.take().finish, finish);
  }
}

TEST_F(AnthropicReader, AnErrorInTheStreamHasTheMeaningOfItsStatus) {
  for (auto const& [type, code] :
       {std::pair{"overloaded_error", Code::unavailable}, std::pair{"rate_limit_error", Code::too_many_requests},
        std::pair{"timeout_error", Code::timed_out}, std::pair{"invalid_request_error", Code::invalid}}) {
    auto const done = read(std::string(R"({"type":"error","error":{"type":")") + type + R"(","message":"busy"}})");
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, code) << type;
    EXPECT_THAT(done.error().message, HasSubstr("busy"));
  }
}

TEST_F(AnthropicReader, GarbageIsAnErrorNotACrash) {
  for (auto const* data : {"", "<html>", "[]", "{\"type\":", "7"})
    EXPECT_FALSE(Reader().read(data, {})) << data;
  for (auto const* data :
       {"{}", R"({"type":3})", R"({"type":"content_block_delta","index":4,"delta":{"type":"text_delta","text":"x"}})",
        R"({"type":"content_block_start","index":"x"})", R"({"type":"message_delta","usage":[]})"})
    EXPECT_TRUE(Reader().read(data, {})) << data;
}

}  // namespace
}  // namespace al::providers::anthropic
