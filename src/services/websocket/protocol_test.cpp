#include "services/websocket/protocol.hpp"

#include <gtest/gtest.h>

namespace al::services::websocket {
namespace {

Code code_of(std::string text) {
  auto const read = parse_inbound(std::move(text)).message;
  return read ? Code::internal : read.error().code;
}

TEST(WebSocketProtocol, Targets) {
  using Kind = Target::Kind;
  EXPECT_EQ(parse_target("all").value(), Target{});
  EXPECT_EQ(parse_target("room:a.b-c").value(), (Target{Kind::room, "a.b-c"}));
  EXPECT_EQ(parse_target("user:0199").value(), (Target{Kind::user, "0199"}));
  for (auto const* text : {"", "ALL", "room:", "user:", "room:a b", "user:a\nb", "group:x", "room:a/b"})
    EXPECT_FALSE(parse_target(text)) << text;
  for (auto const* text : {"all", "room:x", "user:y"})
    EXPECT_EQ(to_text(parse_target(text).value()), text);
}

TEST(WebSocketProtocol, PatternsInBothSpellings) {
  EXPECT_EQ(parse_pattern("*").value(), "*");
  EXPECT_EQ(parse_pattern("task:*").value(), "task:*");
  EXPECT_EQ(parse_pattern("task.created").value(), "task:created");
  EXPECT_EQ(parse_pattern("api_key.*").value(), "api_key:*");
  for (auto const* text :
       {"", "task", "task:", ":created", "Task:*", "*:*", "task:a:b", "task.a.b", "task:cre*", "task,x:y"})
    EXPECT_FALSE(parse_pattern(text)) << text;
  EXPECT_FALSE(parse_pattern(std::string(100, 'a') + ":*"));
}

TEST(WebSocketProtocol, WhatClientsSend) {
  auto const known = parse_inbound(R"({"type":"authenticate","token":"t","resume":"s.1","id":"7","newer":1})").message;
  ASSERT_TRUE(known);
  EXPECT_EQ(known->verb, Verb::authenticate);
  EXPECT_EQ(known->token, "t");
  EXPECT_EQ(known->resume, "s.1");
  EXPECT_EQ(known->id, "7");
  auto const subscribed = parse_inbound(R"({"type":"subscribe","events":["task.*","task:*","*"]})").message;
  ASSERT_TRUE(subscribed);
  EXPECT_EQ(subscribed->events, (std::vector<std::string>{"task:*", "*"}));
  auto const sent = parse_inbound(R"({"type":"send_message","target":"room:r","message":{"n":1.50}})").message;
  ASSERT_TRUE(sent);
  EXPECT_EQ(sent->message, R"({"n":1.50})");
  EXPECT_TRUE(parse_inbound(R"({"type":"subscribe","events":[]})").message);
  EXPECT_EQ(parse_inbound(R"({"type":"fly","id":"9"})").id, "9");
}

TEST(WebSocketProtocol, WhatIsRefused) {
  EXPECT_EQ(code_of("{"), Code::bad_request);
  EXPECT_EQ(code_of(R"({"type":"ping","type":"ping"})"), Code::bad_request);
  for (auto const* text :
       {"[]", "7", "null", "{}", R"({"type":7})", R"({"type":"fly"})", R"({"type":"authenticate"})",
        R"({"type":"authenticate","token":""})", R"({"type":"subscribe"})", R"({"type":"subscribe","events":"*"})",
        R"({"type":"subscribe","events":[1]})", R"({"type":"join_room"})", R"({"type":"join_room","room_id":"a b"})",
        R"({"type":"send_message","target":"all"})", R"({"type":"send_message","target":"all","message":[]})",
        R"({"type":"send_message","target":"x","message":{}})", R"({"type":"ping","id":7})"}) {
    EXPECT_EQ(code_of(text), Code::invalid) << text;
  }
  std::string many = R"({"type":"subscribe","events":[)";
  for (int i = 0; i < 65; ++i)
    many += std::string(i == 0 ? "" : ",") + R"("a:*")";
  EXPECT_EQ(code_of(many + "]}"), Code::invalid);
}

TEST(WebSocketProtocol, MessagesTravelInEvents) {
  Message const message{.target = {Target::Kind::user, "u"}, .sender = "s", .body = R"({"text":"grün"})"};
  auto const back = read_message({.text = message_data(message)});
  ASSERT_TRUE(back);
  EXPECT_EQ(back->target, message.target);
  EXPECT_EQ(back->sender, "s");
  EXPECT_EQ(back->body, message.body);
  EXPECT_FALSE(read_message({.text = "{}"}));
  EXPECT_FALSE(read_message({.text = R"({"target":"moon","sender":"s","message":{}})"}));
}

TEST(WebSocketProtocol, WhatGoesOut) {
  EXPECT_EQ(error_text("invalid", "no", "1"), R"({"type":"error","id":"1","code":"invalid","error":"no"})");
  EXPECT_EQ(plain_text("pong", "s.1"), R"({"type":"pong","resume":"s.1"})");
  EXPECT_EQ(room_text("member_joined", "r", "u"), R"({"type":"member_joined","room_id":"r","user_id":"u"})");
  EXPECT_EQ(patterns_text("subscribed", {"a:*"}, "", ""), R"({"type":"subscribed","events":["a:*"]})");
  EXPECT_EQ(dotted("task:created"), "task.created");
  model::Event event;
  event.channel = "task:created";
  event.aggregate_id = "t";
  auto const text = event_text(event, "s.9");
  EXPECT_TRUE(text.starts_with(R"({"type":"event","event":"task.created","channel":"task:created","data":{)")) << text;
  EXPECT_TRUE(text.ends_with(R"("resume":"s.9"})")) << text;
}

}  // namespace
}  // namespace al::services::websocket
