#include "services/ai_model/token_reader.hpp"

#include <gtest/gtest.h>

namespace al::services::ai_model {
namespace {

using providers::Kind;

struct Case {
  char const* what;
  Kind kind;
  bool is_stream;
  std::string text;
  providers::Usage tokens;
};

std::vector<Case> const cases{
    {"a plain OpenAI answer",
     Kind::openai,
     false,
     R"({"id":"x","choices":[{"message":{"content":"\"usage\":{\"prompt_tokens\":99}"}}],)"
     R"("usage":{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10,"details":{"prompt_tokens":1}}})",
     {7, 3}},
    {"embeddings",
     Kind::openai,
     false,
     R"({"data":[{"embedding":[0.1,-2e-3]}],"usage":{"prompt_tokens":5,"total_tokens":5}})",
     {5, 0}},
    {"a plain Anthropic answer",
     Kind::anthropic,
     false,
     R"({"content":[{"type":"tool_use","input":{"usage":{"input_tokens":99}}}],)"
     R"("usage":{"input_tokens":7,"cache_creation_input_tokens":10,"cache_read_input_tokens":100,"output_tokens":3}})",
     {117, 3}},
    {"a stream whose caller asked for usage",
     Kind::openai,
     true,
     "data: {\"choices\":[{\"delta\":{\"content\":\"\\\"usage\\\":{}\"}}],\"usage\":null}\n\n"
     "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":3}}\n\ndata: [DONE]\n\n",
     {7, 3}},
    {"a stream whose caller did not", Kind::openai, true, "data: {\"choices\":[]}\n\ndata: [DONE]\n\n", {}},
    {"a stream with carriage returns and no space",
     Kind::openai,
     true,
     ": hello\r\rdata:{\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":3}}\r\r",
     {7, 3}},
    {"an Anthropic stream",
     Kind::anthropic,
     true,
     "event: message_start\r\ndata: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":7,"
     "\"cache_read_input_tokens\":3,\"output_tokens\":1}}}\r\n\r\nevent: message_delta\r\n"
     "data: {\"type\":\"message_delta\",\"usage\":{\"output_tokens\":20}}\r\n\r\n",
     {10, 20}},
    {"counts that are none",
     Kind::openai,
     false,
     R"({"usage":{"prompt_tokens":9223372036854775807,"completion_tokens":-5}})",
     {1'000'000'000, 0}},
    {"cached counts that are none",
     Kind::anthropic,
     false,
     R"({"usage":{"input_tokens":9223372036854775807,"cache_read_input_tokens":9223372036854775807}})",
     {2'000'000'000, 0}},
    {"what is no JSON", Kind::openai, true, "data: {\"usage\"\n\ndata: \"usage\"\n\n", {}},
    {"a document without usage", Kind::openai, false, R"({"data":[],"usage":null})", {}},
    {"no document", Kind::openai, false, "<html>\"usage\":{\"prompt_tokens\":9}</html>", {}},
    {"an event that is too long, and one after it",
     Kind::openai,
     true,
     "data: {\"usage\":{\"prompt_tokens\":1},\"x\":\"" + std::string(TokenReader::line_bytes_max, 'x') +
         "\"}\n\ndata: {\"usage\":{\"prompt_tokens\":2}}\n\n",
     {2, 0}},
};

TEST(TokenReader, ReadsWhatAnAnswerUsed) {
  for (auto const& one : cases) {
    for (std::size_t const size : {one.text.size(), std::size_t{1}, std::size_t{5}, std::size_t{100}}) {
      TokenReader reader(one.kind, one.is_stream);
      for (std::size_t at = 0; at < one.text.size(); at += size)
        reader.feed(std::string_view(one.text).substr(at, size));
      EXPECT_EQ(reader.tokens(), one.tokens) << one.what << " in pieces of " << size;
    }
  }
}

}  // namespace
}  // namespace al::services::ai_model
