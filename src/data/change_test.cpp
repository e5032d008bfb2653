/// What stands in the events of a change.

#include "data/change.hpp"

#include "data/store_fixture.hpp"

namespace al::data {
namespace {

class ChangeTest : public StoreFixture {
 protected:
  /// The member `key` of the data of the aggregate's first event, as text.
  std::string in_event(std::string kind, std::string id, std::string_view key) {
    auto const events = wait(log->replay(default_tenant, std::move(kind), std::move(id), 1, 1, soon()));
    if (events.size() != 1)
      return "no event";
    auto const source = json::Source::from(events[0].data.text);
    auto const member = source ? json::member(source->root(), key) : json::Input{};
    return member.parsed ? json::serialize(*member.parsed) : "-";
  }
};
AL_ON_EVERY_DATABASE(ChangeTest);

/// A long text stood in its event cut to 16,384 characters, as if that were all of it.
TEST_P(ChangeTest, AnEventCarriesATextWholeOrSaysThatItDoesNot) {
  have_agent("a");
  std::string const most(16384, 'x');
  have_item("a", "most", most);
  have_item("a", "more", most + "x");
  std::string wide;
  while (wide.size() <= most.size())
    wide += "ü";
  have_item("a", "wide", wide);
  EXPECT_EQ(in_event("knowledge", "a/most", "content"), '"' + most + '"');
  EXPECT_EQ(in_event("knowledge", "a/more", "content"), R"({"omitted_bytes":16385})");
  EXPECT_EQ(in_event("knowledge", "a/wide", "content"), R"({"omitted_bytes":16386})") << "bytes, not characters";
  EXPECT_EQ(in_event("knowledge", "a/more", "source"), R"("")");
}

TEST_P(ChangeTest, AnEventCarriesADocumentWholeOrSaysThatItDoesNot) {
  auto agent = agent_named("a");
  agent.config.text = R"({"k":"ü"})";
  ASSERT_TRUE(wait(agents->create(actor(), agent, soon())));
  agent.id = AgentId{"b"};
  agent.config.text = R"({"k":")";
  while (agent.config.text.size() < 16384)
    agent.config.text += "ü";
  agent.config.text += R"("})";
  ASSERT_TRUE(wait(agents->create(actor(), agent, soon())));
  EXPECT_EQ(in_event("agent", "a", "config"), R"({"k":"ü"})");
  EXPECT_EQ(in_event("agent", "b", "config"), R"({"omitted_bytes":)" + std::to_string(agent.config.text.size()) + "}");
}

TEST_P(ChangeTest, WhatIsNotThereIsNull) {
  have_agent("a");
  auto const task = have_task("a");
  EXPECT_EQ(in_event("task", task.id.value, "error_message"), "null");
  EXPECT_EQ(in_event("task", task.id.value, "result"), "null");
}

}  // namespace
}  // namespace al::data
