#include "services/ai_model/passthrough.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/ai_model/protocol.hpp"

namespace al::services::ai_model {
namespace {

using providers::Account;
using providers::Accounts;
using providers::Kind;
using testing::HasSubstr;

Accounts const accounts{
    {.id = "anthropic", .kind = Kind::anthropic, .base_url = "", .default_model = "claude-haiku"},
    {.id = "openai", .kind = Kind::openai, .base_url = "", .default_model = "gpt-mini"},
    {.id = "local", .kind = Kind::openai, .base_url = "", .default_model = "llama", .models = {{"fast", "llama:8b"}}},
};

std::string target(Accounts const& from, Kind kind, std::string_view model) {
  auto const found = find_target(from, kind, model);
  return found ? found->account->id + "/" + found->model : "failed: " + found.error().message;
}

TEST(Target, IsTheAccountThatMapsTheName) { EXPECT_EQ(target(accounts, Kind::openai, "fast"), "local/llama:8b"); }

TEST(Target, IsElseTheAccountThatKnowsTheName) {
  EXPECT_EQ(target(accounts, Kind::openai, "llama"), "local/llama");
  EXPECT_EQ(target(accounts, Kind::openai, "llama:8b"), "local/llama:8b");
}

TEST(Target, IsElseTheFirstOfItsKindWithTheNameAsItIs) {
  EXPECT_EQ(target(accounts, Kind::openai, "o9"), "openai/o9");
  EXPECT_EQ(target(accounts, Kind::openai, ""), "openai/");
  EXPECT_EQ(target(accounts, Kind::anthropic, "fast"), "anthropic/fast") << "another protocol's map";
}

TEST(Target, WithoutAnAccountSaysWhatToConfigure) {
  Accounts const none{{.id = "openai", .kind = Kind::openai, .base_url = ""}};
  EXPECT_THAT(target(none, Kind::anthropic, "claude"), HasSubstr("ANTHROPIC_API_KEY"));
  EXPECT_THAT(target({}, Kind::openai, "gpt"), HasSubstr("OPENAI_API_KEY"));
  EXPECT_EQ(find_target({}, Kind::openai, "gpt").error().code, Code::not_found);
}

TEST(ModelName, IsReadAndReplacedInPlace) {
  struct Case {
    std::string body, name, replaced;
  };
  for (auto const& [body, name, replaced] : std::vector<Case>{
           {R"({"model":"a","x":1.0})", "a", R"({"model":"new \"one\"","x":1.0})"},
           {"{ \"x\" : [ ],\n\"model\" :\t\"a b\" }\n", "a b", "{ \"x\" : [ ],\n\"model\" :\t\"new \\\"one\\\"\" }\n"},
           {R"({"model":"\u0061\/b"})", "a/b", R"({"model":"new \"one\""})"},
       }) {
    auto const found = ModelName::in(body);
    ASSERT_TRUE(found) << body;
    EXPECT_EQ(found->text(), name);
    auto changed = body;
    found->replace(changed, "new \"one\"");
    EXPECT_EQ(changed, replaced);
  }
}

TEST(ModelName, MayBeMissing) {
  for (std::string const body : {"{}", R"({"model":null})", R"({"model":7})", R"({"model":["a"]})"}) {
    auto const found = ModelName::in(body);
    ASSERT_TRUE(found) << body;
    EXPECT_EQ(found->text(), "") << body;
  }
}

TEST(ModelName, RefusesWhatTwoReadersCouldReadInTwoWays) {
  for (std::string const body : {"", "[]", "{", R"({"model":"a")", R"({"model":"a","model":"b"})",
                                 R"({"model":"a","mod\u0065l":"b"})", R"({"model":"\ud800"})"}) {
    auto const found = ModelName::in(body);
    ASSERT_FALSE(found) << body;
    EXPECT_EQ(found.error().code, Code::bad_request);
  }
}

// ---- headers ----

TEST(PassedHeaders, OfTheCallerOnlyWhatMeansSomethingToTheProvider) {
  http::Headers caller;
  for (auto const* name : {"Authorization", "X-Api-Key", "Cookie", "Host", "Connection", "Content-Length", "Expect",
                           "Transfer-Encoding", "Accept-Encoding", "X-Forwarded-For", "X-User-Id", "OpenAI-Project",
                           "Proxy-Authorization", "traceparent", "X-Request-Id", "api-key", "X-Unknown"}) {
    caller.add(name, "secret");
  }
  for (auto const* name : {"Content-Type", "ACCEPT", "User-Agent", "Anthropic-Version", "anthropic-beta",
                           "anthropic-beta", "OpenAI-Beta", "X-Stainless-Retry-Count", "Idempotency-Key"}) {
    caller.add(name, "kept");
  }
  Account account{.id = "a", .kind = Kind::openai, .base_url = "", .key = "k"};
  auto const openai = headers_for(account, caller);
  EXPECT_EQ(openai.size(), 10u);
  EXPECT_EQ(openai.find("Authorization"), "Bearer k");
  EXPECT_EQ(openai.count("anthropic-beta"), 2u);
  for (auto const& [name, value] : openai)
    EXPECT_NE(value, "secret") << name;
  account.kind = Kind::anthropic;
  auto const anthropic = headers_for(account, caller);
  EXPECT_EQ(anthropic.find("x-api-key"), "k");
  EXPECT_FALSE(anthropic.find("Authorization"));
  account.key.clear();
  EXPECT_EQ(headers_for(account, caller).size(), 9u) << "a server of one's own may need no key";
}

TEST(PassedHeaders, OfTheProviderWhatClientsRead) {
  http::Headers provider;
  for (auto const* name : {"Set-Cookie", "Connection", "Transfer-Encoding", "Content-Length", "Server", "Location",
                           "WWW-Authenticate", "Strict-Transport-Security", "Alt-Svc"}) {
    provider.add(name, "dropped");
  }
  for (auto const* name :
       {"Content-Type", "x-request-id", "Request-Id", "x-ratelimit-anything", "anthropic-ratelimit-tokens-reset",
        "openai-processing-ms", "Retry-After", "retry-after-ms", "x-should-retry", "Cache-Control"}) {
    provider.add(name, "kept");
  }
  auto const passed = headers_from(provider);
  EXPECT_EQ(passed.size(), 10u);
  for (auto const& [name, value] : passed)
    EXPECT_EQ(value, "kept") << name;
}

// ---- errors ----

TEST(ProtocolErrors, HaveTheFormOfTheProtocol) {
  Error const error{.code = Code::unauthenticated, .message = "no \"token\""};
  auto const openai = openai_error(error, "r1", 0);
  EXPECT_EQ(openai.status, 401);
  EXPECT_EQ(openai.headers.find("Content-Type"), "application/json");
  EXPECT_EQ(
      std::get<std::string>(openai.body),
      R"({"error":{"message":"no \"token\"","type":"authentication_error","param":null,"code":"unauthenticated"}})");
  auto const anthropic = anthropic_error(error, "r1", 0);
  EXPECT_EQ(anthropic.headers.find("request-id"), "r1");
  EXPECT_EQ(std::get<std::string>(anthropic.body),
            R"({"type":"error","error":{"type":"authentication_error","message":"no \"token\""},"request_id":"r1"})");
  EXPECT_EQ(openai_error({.code = Code::unavailable, .message = ""}, "r1", 0).headers.find("Retry-After"), "1");
  EXPECT_EQ(anthropic_error({.code = Code::invalid, .message = ""}, "r1", 0).status, 400);
}

TEST(ProtocolErrors, OfTheWayToTheProvider) {
  auto const status = [](Code code) { return gateway_error(Kind::openai, {.code = code, .message = ""}, "r").status; };
  EXPECT_EQ(status(Code::unavailable), 502);
  EXPECT_EQ(status(Code::timed_out), 504);
  EXPECT_EQ(status(Code::forbidden), 403);
  EXPECT_EQ(status(Code::invalid), 502);
}

}  // namespace
}  // namespace al::services::ai_model
