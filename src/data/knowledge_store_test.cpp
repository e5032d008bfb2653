#include "data/store_fixture.hpp"

namespace al::data {
namespace {

class KnowledgeStoreTest : public StoreFixture {
 protected:
  void SetUp() override {
    StoreFixture::SetUp();
    have_agent("a");
    have_agent("b");
  }
  std::vector<std::string> found(std::string question, std::optional<AgentId> agent = std::nullopt) {
    std::vector<std::string> ids;
    for (auto const& match :
         wait(knowledge->search(default_tenant, {.agent_id = std::move(agent), .category = std::nullopt},
                                std::move(question), 10, soon()))) {
      ids.push_back(match.item.id.value);
      EXPECT_FALSE(match.passages.empty());
    }
    return ids;
  }
  Result<model::Knowledge> get(std::optional<AgentId> agent, std::string id) {
    return wait(knowledge->get(default_tenant, agent, KnowledgeId{std::move(id)}, soon()));
  }
  Result<model::Knowledge> patch(std::string id, std::string body) {
    auto const source = json::Source::from(std::move(body));
    return wait(
        knowledge->update(actor(), AgentId{"a"}, KnowledgeId{std::move(id)}, source->root(), std::nullopt, soon()));
  }
};
AL_ON_EVERY_DATABASE(KnowledgeStoreTest);

TEST_P(KnowledgeStoreTest, FindsWhatAnswers) {
  have_item("a", "walls", "Firewalls\n\nA firewall filters packets between two networks by rules.");
  have_item("a", "bread", "Sourdough\n\nA sourdough starter is fed with flour and water every day.");
  EXPECT_EQ(found("How does a firewall filter packets?"), std::vector<std::string>{"walls"});
  EXPECT_EQ(found("feeding a sourdough starter", AgentId{"a"}), std::vector<std::string>{"bread"});
  EXPECT_TRUE(found("feeding a sourdough starter", AgentId{"b"}).empty()) << "another agent's knowledge";
  EXPECT_TRUE(found("quantum chromodynamics").empty());
  EXPECT_TRUE(found("").empty());
  EXPECT_TRUE(found("' OR 1=1 -- \" ) & | ! <-> *").empty());
}

/// A search looks at the hundred best only; what nobody may see must not take their places.
TEST_P(KnowledgeStoreTest, WhatIsGoneOrElsewhereHidesNothing) {
  std::vector<Task<Result<model::Knowledge>>> adds;
  auto const who = actor();
  for (int i = 0; i < 120; ++i) {
    model::Knowledge item;
    item.agent_id = AgentId{i % 2 == 0 ? "b" : "a"};
    item.id = KnowledgeId{"many-" + std::to_string(i)};
    item.category = "many";
    item.content = "Volcanoes\n\nA volcano is a volcano.";
    adds.push_back(knowledge->add(who, {.item = std::move(item)}, soon()));
  }
  for (auto const& one : wait(settle(std::move(adds))))
    ASSERT_TRUE(one.value);
  have_item("a", "vent",
            "Volcanoes\n\nMagma rises through a vent of the volcano, and cools to basalt or to tuff there.");
  KnowledgeFilter const rare{.agent_id = std::nullopt, .category = model::Knowledge{}.category};
  auto const of_category = wait(knowledge->search(default_tenant, rare, "What is a volcano?", 10, soon()));
  ASSERT_EQ(of_category.size(), 1U);
  EXPECT_EQ(of_category[0].item.id.value, "vent");
  for (int i = 1; i < 120; i += 2) {
    KnowledgeId const id{"many-" + std::to_string(i)};
    ASSERT_TRUE(wait(knowledge->remove(who, AgentId{"a"}, id, std::nullopt, soon())));
  }
  ASSERT_TRUE(wait(agents->remove(who, AgentId{"b"}, std::nullopt, soon())));
  EXPECT_EQ(found("What is a volcano?"), std::vector<std::string>{"vent"});
}

TEST_P(KnowledgeStoreTest, IsAddedOnceUnderASeed) {
  auto const add = [this](std::string seed) {
    model::Knowledge item;
    item.agent_id = AgentId{"a"};
    item.category = "notes";
    item.content = "Sourdough is fed every day.";
    return wait(knowledge->add(actor(), {.item = std::move(item), .id_seed = std::move(seed)}, soon()));
  };
  auto const first = add("one");
  ASSERT_TRUE(first) << first.error().message;
  auto const again = add("one");
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->id, first->id);
  EXPECT_EQ(history("knowledge", "a/" + first->id.value), "knowledge:added");
  EXPECT_NE(add("two")->id, first->id);
  EXPECT_NE(add("")->id, add("")->id);
}

TEST_P(KnowledgeStoreTest, TheIndexFollowsEveryChange) {
  have_item("a", "k", "Firewalls\n\nA firewall filters packets.");
  ASSERT_TRUE(patch("k", R"({"content":"Sourdough\n\nA sourdough starter is fed with flour."})"));
  EXPECT_TRUE(found("firewall packets").empty());
  EXPECT_EQ(found("sourdough flour"), std::vector<std::string>{"k"});
  ASSERT_TRUE(wait(knowledge->remove(actor(), AgentId{"a"}, KnowledgeId{"k"}, std::nullopt, soon())));
  EXPECT_TRUE(found("sourdough flour").empty());
  EXPECT_EQ(get(AgentId{"a"}, "k").error().code, Code::not_found);
  EXPECT_EQ(have_item("a", "k", "Volcanoes\n\nMagma rises through a vent.").version, 4);
  EXPECT_EQ(found("magma vent"), std::vector<std::string>{"k"});
  EXPECT_EQ(history("knowledge", "a/k"), "knowledge:added knowledge:updated knowledge:deleted knowledge:added");
}

TEST_P(KnowledgeStoreTest, DeletedAgentsTakeTheirKnowledgeOutOfSight) {
  have_item("a", "k", "Firewalls\n\nA firewall filters packets.");
  ASSERT_TRUE(wait(agents->remove(actor(), AgentId{"a"}, std::nullopt, soon())));
  EXPECT_TRUE(found("firewall packets").empty());
  EXPECT_EQ(get(std::nullopt, "k").error().code, Code::not_found);
}

TEST_P(KnowledgeStoreTest, AnIdIsUniqueUnderItsAgent) {
  have_item("a", "k", "one");
  have_item("b", "k", "two");
  EXPECT_EQ(get(std::nullopt, "k").error().code, Code::conflict);
  EXPECT_EQ(get(AgentId{"b"}, "k")->content, "two");
  model::Knowledge again;
  again.agent_id = AgentId{"a"};
  again.id = KnowledgeId{"k"};
  again.content = "three";
  EXPECT_EQ(wait(knowledge->add(actor(), {.item = again}, soon())).error().code, Code::conflict);
  again.agent_id = AgentId{"nobody"};
  EXPECT_EQ(wait(knowledge->add(actor(), {.item = again}, soon())).error().code, Code::not_found);
}

TEST_P(KnowledgeStoreTest, MakesAnIdWhenNoneIsGiven) {
  auto const item = have_item("a", "", "text");
  EXPECT_TRUE(item.id.value.starts_with("a_"));
  EXPECT_EQ(item.id.value.size(), 18U);
}

TEST_P(KnowledgeStoreTest, HoldsLargeAndOddTexts) {
  std::string const large(1 << 20, 'x');
  EXPECT_EQ(have_item("a", "large", large).content, large);
  std::string const odd = "a,\"b\"\\{c}'\n\t NULL null \u00e9\u4e2d\U0001F4A3";
  EXPECT_EQ(have_item("a", odd, odd).content, odd);
  EXPECT_EQ(get(AgentId{"a"}, odd)->id.value, odd);
}

TEST_P(KnowledgeStoreTest, ListsInPages) {
  for (auto const* id : {"3", "1", "2"})
    have_item("a", id, "x");
  have_item("b", "0", "y");
  std::string seen;
  PageRequest request{.limit = 2, .cursor = {}, .count_total = true};
  for (;;) {
    auto const page = wait(knowledge->list(default_tenant, {}, request, soon()));
    EXPECT_EQ(page->total, 4);
    for (auto const& item : page->items)
      seen += item.agent_id.value + item.id.value + " ";
    if (page->next_cursor.empty())
      break;
    request.cursor = page->next_cursor;
  }
  EXPECT_EQ(seen, "a1 a2 a3 b0 ");
}

TEST_P(KnowledgeStoreTest, APageEndsWhereItsItemsGetTooLarge) {
  std::string const large(1'000'000, 'x');
  for (auto const* id : {"a", "b", "c", "d", "e", "f"})
    have_item("a", id, large);
  auto const first = wait(knowledge->list(default_tenant, {}, {.limit = 500, .cursor = {}}, soon()));
  ASSERT_EQ(first->items.size(), 5U) << "the one that goes beyond 4 MiB is the last";
  EXPECT_EQ(first->items.back().id.value, "e");
  ASSERT_FALSE(first->next_cursor.empty());
  auto const second = wait(knowledge->list(default_tenant, {}, {.limit = 500, .cursor = first->next_cursor}, soon()));
  ASSERT_EQ(second->items.size(), 1U);
  EXPECT_EQ(second->items[0].id.value, "f");
  EXPECT_TRUE(second->next_cursor.empty());
  auto const whole = wait(knowledge->list(default_tenant, {}, {.limit = 5, .cursor = {}}, soon()));
  EXPECT_EQ(whole->items.size(), 5U);
  EXPECT_FALSE(whole->next_cursor.empty());
}

TEST_P(KnowledgeStoreTest, TagsAreKeptInMetadata) {
  model::Knowledge item;
  item.agent_id = AgentId{"a"};
  item.id = KnowledgeId{"k"};
  item.content = "text";
  item.metadata.text = R"({"b": 1.50,"tags":"none"})";
  item.tags = {"red", "\"quoted\""};
  auto const added = wait(knowledge->add(actor(), {.item = item}, soon()));
  ASSERT_TRUE(added) << added.error().message;
  EXPECT_EQ(added->metadata.text, R"({"b":1.50,"tags":["red","\"quoted\""]})");
  EXPECT_EQ(added->tags, item.tags);
  EXPECT_EQ(get(AgentId{"a"}, "k")->tags, item.tags);
  EXPECT_EQ(patch("k", R"({"tags":["blue"]})")->metadata.text, R"({"b":1.50,"tags":["blue"]})");
  EXPECT_EQ(patch("k", R"({"category":"c"})")->tags, std::vector<std::string>{"blue"}) << "what is left out stays";
  auto const replaced = patch("k", R"({"metadata":{"tags":["from metadata",7]}})");
  EXPECT_EQ(replaced->tags, std::vector<std::string>{"from metadata"});
  EXPECT_EQ(replaced->metadata.text, R"({"tags":["from metadata",7]})");
  EXPECT_EQ(patch("k", R"({"tags":[]})")->metadata.text, R"({"tags":[]})");
}

TEST_P(KnowledgeStoreTest, BadTagsAreRefused) {
  have_item("a", "k", "text");
  std::string const large(262'130, 'x');
  struct Case {
    std::string body, path;
  };
  for (auto const& [body, path] : {Case{R"({"tags":["ok",""]})", "tags[1]"}, Case{R"({"tags":"red"})", "tags"},
                                   Case{R"({"tags":[")" + std::string(51, 't') + "\"]}", "tags[0]"},
                                   Case{R"({"tags":["red"],"metadata":{"x":")" + large + "\"}}", "metadata"}}) {
    auto const refused = patch("k", body);
    ASSERT_FALSE(refused) << path;
    ASSERT_EQ(refused.error().faults.size(), 1U) << path;
    EXPECT_EQ(refused.error().faults[0].path, path);
  }
  EXPECT_EQ(get(AgentId{"a"}, "k")->version, 1);
}

TEST_P(KnowledgeStoreTest, WhatWasDeletedComesBackOnlyWhenItIsMeant) {
  auto item = have_item("a", "k", "one");
  ASSERT_TRUE(wait(knowledge->remove(actor(), AgentId{"a"}, KnowledgeId{"k"}, std::nullopt, soon())));
  EXPECT_TRUE(wait(knowledge->was_deleted(default_tenant, AgentId{"a"}, KnowledgeId{"k"}, soon())));
  EXPECT_FALSE(wait(knowledge->was_deleted(default_tenant, AgentId{"b"}, KnowledgeId{"k"}, soon())));
  auto const refused =
      wait(knowledge->add(actor(), {.item = item, .import_hashes = R"(["h"])", .brings_back = false}, soon()));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::conflict);
  EXPECT_TRUE(wait(knowledge->known_imports(default_tenant, {"h"}, soon())).empty());
  ASSERT_TRUE(wait(knowledge->add(actor(), {.item = item}, soon())));
  EXPECT_FALSE(wait(knowledge->was_deleted(default_tenant, AgentId{"a"}, KnowledgeId{"k"}, soon())));
}

TEST_P(KnowledgeStoreTest, RemembersWhatWasImported) {
  model::Knowledge item;
  item.agent_id = AgentId{"a"};
  item.id = KnowledgeId{"k"};
  item.content = "text";
  ASSERT_TRUE(wait(knowledge->add(actor(), {.item = item, .import_hashes = R"(["h1","h2"])"}, soon())));
  EXPECT_EQ(wait(knowledge->known_imports(default_tenant, {"h1", "h3"}, soon())), std::vector<std::string>{"h1"});
  ASSERT_TRUE(wait(knowledge->remove(actor(), AgentId{"a"}, KnowledgeId{"k"}, std::nullopt, soon())));
  EXPECT_EQ(wait(knowledge->known_imports(default_tenant, {"h2"}, soon())), std::vector<std::string>{"h2"});
}

TEST_P(KnowledgeStoreTest, ListsTheMostUsedFirst) {
  have_agent("used");
  for (auto const* id : {"k1", "k2", "k3", "k4"})
    have_item("used", id, "some text");
  storage::Statement const use{"test.use", "UPDATE knowledge SET usage_count = $3 WHERE tenant_id = $1 AND id = $2"};
  for (auto const& [id, uses] : {std::pair{"k3", std::int64_t{7}}, std::pair{"k1", std::int64_t{2}}}) {
    storage::Batch batch{storage::Scope::of(default_tenant), {}};
    batch.steps.push_back({&use, {default_tenant.value, std::string(id), uses}});
    ASSERT_TRUE(wait(database->apply(std::move(batch), soon())));
  }
  std::string order;
  PageRequest request{.limit = 1, .cursor = {}, .count_total = true};
  for (int i = 0; i < 10; ++i) {
    auto const page = wait(knowledge->list(
        default_tenant, {.agent_id = AgentId{"used"}, .order = KnowledgeFilter::Order::usage}, request, soon()));
    ASSERT_TRUE(page);
    EXPECT_EQ(page->total, 4);
    for (auto const& item : page->items)
      order += item.id.value + " ";
    request.cursor = page->next_cursor;
    if (request.cursor.empty())
      break;
  }
  EXPECT_EQ(order, "k3 k1 k4 k2 ");
  for (auto const* cursor : {"used/k1", "x/used/k1", "7/", "7", "7/used", "7//"}) {
    request.cursor = cursor;
    auto const page = wait(knowledge->list(default_tenant, {.order = KnowledgeFilter::Order::usage}, request, soon()));
    ASSERT_FALSE(page) << cursor;
    EXPECT_EQ(page.error().code, Code::invalid);
  }
}

}  // namespace
}  // namespace al::data
