#include "http/sse.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "core/fault.hpp"

namespace al::http {
namespace {

struct Seen {
  std::string id, name, data;
  bool operator==(Seen const&) const = default;
};

std::ostream& operator<<(std::ostream& out, Seen const& seen) {
  return out << '[' << seen.id << '|' << seen.name << '|' << seen.data << ']';
}

std::vector<Seen> parse(std::string_view text, std::size_t piece) {
  SseParser parser;
  std::vector<Seen> seen;
  for (std::size_t i = 0; i < text.size(); i += piece) {
    parser.feed(text.substr(i, piece));
    while (auto event = parser.next())
      seen.push_back({event->id, event->name, event->data});
  }
  return seen;
}

struct Case {
  char const* what;
  std::string text;
  std::vector<Seen> events;
};

std::vector<Case> const& cases() {
  static std::vector<Case> const all{
      {"one line", "data: a\n\n", {{"", "", "a"}}},
      {"all fields", "id: 7\nevent: task\ndata: a\n\n", {{"7", "task", "a"}}},
      {"lines are joined", "data: a\ndata: b\n\n", {{"", "", "a\nb"}}},
      {"CR LF", "data: a\r\ndata: b\r\n\r\n", {{"", "", "a\nb"}}},
      {"CR", "data: a\r\rdata: b\r\r:\n", {{"", "", "a"}, {"", "", "b"}}},
      {"only one space goes", "data:  a\n\ndata:b\n\n", {{"", "", " a"}, {"", "", "b"}}},
      {"no colon", "data\n\n", {{"", "", ""}}},
      {"two empty lines of data", "data\ndata\n\n", {{"", "", "\n"}}},
      {"comments are no events", ": keep-alive\n\n: x\ndata: a\n\n", {{"", "", "a"}}},
      {"without data there is no event", "event: x\n\ndata: a\n\n", {{"", "", "a"}}},
      {"the id stays", "id: 1\ndata: a\n\ndata: b\n\nid\ndata: c\n\n", {{"1", "", "a"}, {"1", "", "b"}, {"", "", "c"}}},
      {"an id alone counts", "id: 1\n\ndata: b\n\n", {{"1", "", "b"}}},
      {"an id with NUL does not", std::string("id: a\0b\ndata: b\n\n", 17), {{"", "", "b"}}},
      {"unknown fields", "retry: 5\nfoo: bar\ndata: a\n\n", {{"", "", "a"}}},
      {"the last event is cut", "data: a\n\ndata: b\n", {{"", "", "a"}}},
      {"byte order mark",
       "\xef\xbb\xbf"
       "data: a\n\n",
       {{"", "", "a"}}},
      {"half a mark is data",
       "\xef\xbb"
       "data: a\n\ndata: b\n\n",
       {{"", "", "b"}}},
      {"colons in data", "data: {\"a\": 1}\n\n", {{"", "", "{\"a\": 1}"}}},
      {"nothing", "", {}},
      {"only line breaks", "\n\r\n\n", {}},
  };
  return all;
}

TEST(SseParser, ReadsTheSameInPiecesOfAnySize) {
  for (auto const& [what, text, events] : cases()) {
    for (std::size_t const piece : {1, 2, 3, 7, 1000})
      EXPECT_EQ(parse(text, piece), events) << what << ' ' << piece;
  }
}

TEST(SseParser, RefusesAnEndlessEvent) {
  SseParser parser;
  std::string const piece = "data: " + std::string(1 << 20, 'x') + "\n";
  for (int i = 0; i < 3; ++i) {
    parser.feed(piece);
    EXPECT_FALSE(parser.next());
  }
  parser.feed(piece);
  EXPECT_THROW(std::ignore = parser.next(), Fault);
}

TEST(SseParser, TakesAnEventOfAlmostFourMebibytes) {
  SseParser parser;
  std::string const data((4 << 20) - 100, 'x');
  parser.feed("data: " + data + "\n");
  EXPECT_FALSE(parser.next());
  parser.feed("\n");
  auto const event = parser.next();
  ASSERT_TRUE(event);
  EXPECT_EQ(event->data, data);
}

TEST(SseEvent, IsReadBackAsItWas) {
  for (std::string const data : {"", "a", "a\nb", "\n", "a\n", "\n\na\n\n", " a", ": a", "{\"x\":1}"}) {
    auto const text = sse_event("42", "task:done", data);
    EXPECT_EQ(parse(text, 1000), (std::vector<Seen>{{"42", "task:done", data}})) << text;
  }
}

TEST(SseEvent, CannotBeBrokenByItsParts) {
  EXPECT_EQ(sse_event("1\ndata: x", "a\r\nid: 9", "b"), "id: 1data: x\nevent: aid: 9\ndata: b\n\n");
  EXPECT_EQ(parse(sse_event("", "", "a\r\rid: 5\r\n"), 1000), (std::vector<Seen>{{"", "", "a\n\nid: 5\n"}}));
  EXPECT_EQ(parse(std::string(sse_heartbeat), 1), (std::vector<Seen>{}));
}

}  // namespace
}  // namespace al::http
