#include "data/knowledge_import.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/string.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

#include "data/store_fixture.hpp"

namespace al::data {
namespace {

namespace fs = std::filesystem;
using model::Knowledge;

storage::Statement const use_item{
    "test.use",
    "INSERT INTO knowledge_uses (tenant_id, agent_id, knowledge_id, used_at) VALUES ($1, $2, $3, al_now())"};

/// Tests run in the root of the repository.
fs::path const fixtures = "tests/fixtures/agent-knowledge";

/// Files of the prototype itself, when they lie beside the repository.
fs::path const real_files = "../shared/data/agent-knowledge";

std::string read_file(fs::path const& path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in) << path << ": run the tests in the root of the repository";
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string fixture(std::string const& name) { return read_file(fixtures / name); }

json::value parsed(std::string const& text) {
  auto value = json::parse(text);
  EXPECT_TRUE(value) << value.error().message;
  return value ? *value : json::value();
}

std::string quoted(std::string_view text) {
  std::string out;
  json::append_string(out, text);
  return out;
}

std::string item_text(std::string_view id, std::string_view content, std::string_view time, std::int64_t uses = 0) {
  return R"({"id":)" + quoted(id) + R"(,"content":)" + quoted(content) + R"(,"timestamp":)" + quoted(time) +
         R"(,"usage_count":)" + std::to_string(uses) + "}";
}

std::string list_text(std::vector<std::string> const& items) {
  std::string out = "[";
  for (auto const& item : items)
    out.append(out.size() > 1 ? "," : "").append(item);
  return out + "]";
}

/// The value of `path` in the document, as text; "-" when there is none.
std::string at(Document const& document, std::string_view key) {
  auto const source = json::Source::from(document.text);
  auto const member = source ? json::member(source->root(), key) : json::Input{};
  return member.parsed ? json::serialize(*member.parsed) : "-";
}

/// "imported 1 merged 0 skipped 0 faulty 0"
std::string counts(ImportReport const& report) {
  return "imported " + std::to_string(report.imported) + " merged " + std::to_string(report.merged) + " skipped " +
         std::to_string(report.skipped) + " faulty " + std::to_string(report.faulty.size());
}

class KnowledgeImportTest : public StoreFixture {
 protected:
  void SetUp() override {
    StoreFixture::SetUp();
    import_.emplace(*agents, *knowledge);
  }

  Result<ImportReport> try_import(std::string agent, std::string const& text) {
    auto const source = json::Source::from(text);
    EXPECT_TRUE(source) << source.error().message;
    return wait(import_->run(actor(), AgentId{std::move(agent)}, source->root(), soon()));
  }
  ImportReport import(std::string agent, std::string const& text) {
    auto report = try_import(std::move(agent), text);
    EXPECT_TRUE(report) << report.error().message;
    return report ? *report : ImportReport{};
  }

  std::map<std::string, Knowledge> items_of(std::string agent) {
    std::map<std::string, Knowledge> out;
    PageRequest request{.limit = page_limit_max, .cursor = {}};
    do {
      auto page = wait(
          knowledge->list(default_tenant, {.agent_id = AgentId{agent}, .category = std::nullopt}, request, soon()));
      EXPECT_TRUE(page);
      for (auto& item : page->items)
        out.emplace(item.id.value, std::move(item));
      request.cursor = page->next_cursor;
    } while (!request.cursor.empty());
    return out;
  }
  Knowledge item(std::string agent, std::string id) {
    auto found = wait(knowledge->get(default_tenant, AgentId{std::move(agent)}, KnowledgeId{id}, soon()));
    EXPECT_TRUE(found) << id;
    return found ? *found : Knowledge{};
  }
  void edit(std::string agent, std::string id, std::string const& patch) {
    auto const source = json::Source::from(patch);
    ASSERT_TRUE(wait(knowledge->update(actor(), AgentId{std::move(agent)}, KnowledgeId{std::move(id)}, source->root(),
                                       std::nullopt, soon())));
  }
  void remove(std::string agent, std::string id) {
    ASSERT_TRUE(
        wait(knowledge->remove(actor(), AgentId{std::move(agent)}, KnowledgeId{std::move(id)}, std::nullopt, soon())));
  }
  void use(std::string agent, std::string id) {
    storage::Batch batch{storage::Scope::of(default_tenant), {{&use_item, {default_tenant.value, agent, id}}}};
    ASSERT_TRUE(wait(database->apply(std::move(batch), soon())));
    ASSERT_EQ(wait(tasks->fold_knowledge_uses(soon())), 1U);
  }

  std::optional<KnowledgeImport> import_;
};
AL_ON_EVERY_DATABASE(KnowledgeImportTest);

TEST_P(KnowledgeImportTest, MakesTheAgentAndItsItems) {
  auto const report = import("night_gardener", fixture("night_gardener.json"));
  EXPECT_EQ(counts(report), "imported 4 merged 2 skipped 1 faulty 0");
  EXPECT_TRUE(report.agent_created);
  auto const agent = wait(agents->get(default_tenant, AgentId{"night_gardener"}, soon()));
  ASSERT_TRUE(agent);
  EXPECT_EQ(agent->name, "Night Gardener");
  EXPECT_EQ(agent->specialization, "night_gardener");
  EXPECT_EQ(agent->model, model::Agent{}.model);
  EXPECT_TRUE(agent->imported);
  ASSERT_EQ(items_of("night_gardener").size(), 4U);
  auto const moths = item("night_gardener", "moths");
  EXPECT_EQ(moths.content, "Moths — not bees — pollinate after dark. 🌙");
  EXPECT_EQ(moths.source, "日記");
  EXPECT_EQ(moths.category, "domain_knowledge");
  EXPECT_EQ(to_rfc3339(moths.created_at), "2025-09-08T08:00:00Z");
  EXPECT_EQ(moths.updated_at, clock.now());
  EXPECT_EQ(moths.version, 1);
}

TEST_P(KnowledgeImportTest, LeavesAnAgentThatIsThereAsItIs) {
  auto const before = have_agent("night_gardener");
  EXPECT_FALSE(import("night_gardener", fixture("night_gardener.json")).agent_created);
  auto const after = wait(agents->get(default_tenant, before.id, soon()));
  EXPECT_FALSE(after->imported);
  EXPECT_EQ(after->version, before.version);
}

TEST_P(KnowledgeImportTest, TheNewestVariantWinsAndTheOthersAreKept) {
  auto const text = fixture("night_gardener.json");
  import("night_gardener", text);
  auto const watering = item("night_gardener", "watering");
  EXPECT_EQ(watering.content, "Water the beds before sunrise.");
  EXPECT_EQ(watering.usage_count, 15);
  EXPECT_EQ(watering.relevance_score, 0.7);
  EXPECT_EQ(to_rfc3339(watering.created_at), "2025-09-09T05:30:00.250000Z");
  EXPECT_EQ(at(watering.metadata, "type"), R"("function")");
  auto const file = parsed(text);
  json::array const others{file.at(0), file.at(5)};
  EXPECT_EQ(at(watering.metadata, "merged"), json::serialize(others)) << "every member of the others, in file order";
  EXPECT_EQ(at(item("night_gardener", "pruning").metadata, "merged"), "-") << "an identical variant is no variant";
}

TEST_P(KnowledgeImportTest, OfEquallyOldVariantsTheLaterOneWins) {
  import("a", list_text({item_text("k", "first", "2025-01-01T00:00:00"),
                         item_text("k", "second", "2025-01-01T00:00:00"), R"({"id":"k","content":"without a time"})"}));
  EXPECT_EQ(item("a", "k").content, "second");
}

TEST_P(KnowledgeImportTest, UnknownMembersAreKept) {
  import("night_gardener", fixture("night_gardener.json"));
  auto const compost = item("night_gardener", "compost");
  EXPECT_EQ(compost.metadata.text.find(R"({"b":1,"a":{)"), 0U) << compost.metadata.text;
  EXPECT_EQ(parsed(at(compost.metadata, "imported")), parsed(R"({"reviewed_by":"Ida","weights":[0.1,100]})"));
  EXPECT_EQ(to_rfc3339(compost.created_at), "2025-09-10T00:00:00.500000Z");
}

TEST_P(KnowledgeImportTest, AnIdOfTwoAgentsStaysTwoItems) {
  import("night_gardener", fixture("night_gardener.json"));
  EXPECT_EQ(counts(import("ferry_captain", fixture("ferry_captain.json"))), "imported 2 merged 0 skipped 0 faulty 0");
  EXPECT_EQ(item("ferry_captain", "watering").usage_count, 8);
  EXPECT_EQ(item("night_gardener", "watering").usage_count, 15);
  auto const tides = item("ferry_captain", "tides");
  EXPECT_EQ(tides.category, "domain_knowledge");
  EXPECT_EQ(tides.source, "");
  EXPECT_EQ(tides.metadata.text, "{}");
  EXPECT_EQ(tides.created_at, clock.now()) << "without a time it is as old as its import";
}

TEST_P(KnowledgeImportTest, LongTextsAreNotCut) {
  EXPECT_EQ(counts(import("test_pilot", fixture("test_pilot.json"))), "imported 2 merged 0 skipped 0 faulty 0");
  auto const file = parsed(fixture("test_pilot.json"));
  auto const& source = file.at(0).at("source").as_string();
  EXPECT_GT(source.size(), 3500U);
  EXPECT_EQ(item("test_pilot", "checklist").source, std::string_view(source));
  std::string large;
  while (large.size() < 70'000)
    large += "Paragraph " + std::to_string(large.size()) + " — with a dash.\n\n";
  import("test_pilot", list_text({item_text("large", large, "2025-01-01T00:00:00")}));
  EXPECT_EQ(item("test_pilot", "large").content, large);
}

TEST_P(KnowledgeImportTest, BadItemsAreReportedAndTheRestLoads) {
  auto const report = import("careless_clerk", fixture("careless_clerk.json"));
  EXPECT_EQ(report.imported, 2);
  std::vector<std::pair<std::int64_t, std::string>> const expected{{1, "id: is required"},
                                                                   {2, "content: is required"},
                                                                   {3, "content: must be a string, not a number"},
                                                                   {4, "id: must be 1 to 255 bytes"},
                                                                   {5, "timestamp: "},
                                                                   {6, "usage_count: must be at least 0"},
                                                                   {7, "relevance_score: must be a number"},
                                                                   {8, "metadata: must be an object"},
                                                                   {9, "content: must have 1 to"},
                                                                   {10, "must be an object"},
                                                                   {11, "must be an object"}};
  ASSERT_EQ(report.faulty.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(report.faulty[i].position, expected[i].first);
    EXPECT_TRUE(report.faulty[i].reason.starts_with(expected[i].second)) << report.faulty[i].reason;
  }
  EXPECT_EQ(items_of("careless_clerk").size(), 2U);
  EXPECT_EQ(item("careless_clerk", "also_good").category, "domain_knowledge");
}

TEST_P(KnowledgeImportTest, AllFaultsOfAnItemAreNamed) {
  auto const report = import("a", R"([{"content":1,"usage_count":"x","category":")" + std::string(51, 'c') + R"("}])");
  ASSERT_EQ(report.faulty.size(), 1U);
  for (auto const* part :
       {"id: is required", "content: must be a string", "usage_count: must be", "category: must have"}) {
    EXPECT_NE(report.faulty[0].reason.find(part), std::string::npos) << part << " in " << report.faulty[0].reason;
  }
  EXPECT_FALSE(report.agent_created) << "there is nothing to know";
}

TEST_P(KnowledgeImportTest, WhatWasBadCanBeImportedOnceItIsMended) {
  EXPECT_EQ(counts(import("a", R"([{"id":"k","content":7}])")), "imported 0 merged 0 skipped 0 faulty 1");
  EXPECT_EQ(counts(import("a", R"([{"id":"k","content":"seven"}])")), "imported 1 merged 0 skipped 0 faulty 0");
}

TEST_P(KnowledgeImportTest, RunningItAgainChangesNothing) {
  auto const text = fixture("night_gardener.json");
  import("night_gardener", text);
  use("night_gardener", "pruning");
  edit("night_gardener", "watering", R"({"content":"Never water the beds."})");
  remove("night_gardener", "moths");
  auto const before = items_of("night_gardener");
  auto const again = import("night_gardener", text);
  EXPECT_EQ(counts(again), "imported 0 merged 0 skipped 7 faulty 0");
  EXPECT_FALSE(again.agent_created);
  auto const after = items_of("night_gardener");
  ASSERT_EQ(after.size(), 3U) << "the deleted item stays deleted";
  for (auto const& [id, item] : before)
    EXPECT_EQ(entity::to_json(after.at(id)), entity::to_json(item));
  EXPECT_EQ(after.at("pruning").usage_count, 1);
  EXPECT_EQ(history("knowledge", "night_gardener/watering"), "knowledge:added knowledge:updated");
}

TEST_P(KnowledgeImportTest, BlanksAndTheOrderOfMembersDoNotMatter) {
  import("a", R"([{"id":"k","content":"a \u2014 b","metadata":{"x":1.0,"y":[1,2]}}])");
  EXPECT_EQ(counts(import("a", "[ { \"metadata\" : {\"y\":[1, 2],\n\"x\":1},\"content\":\"a — b\", \"id\":\"k\" } ]")),
            "imported 0 merged 0 skipped 1 faulty 0");
  EXPECT_EQ(counts(import("a", R"([{"id":"k","content":"a - b"}])")), "imported 0 merged 1 skipped 0 faulty 0");
}

TEST_P(KnowledgeImportTest, ANewerVariantReplacesWhatAnImportWrote) {
  import("a", list_text({item_text("k", "old", "2025-01-01T00:00:00", 9)}));
  use("a", "k");
  EXPECT_EQ(counts(import("a", list_text({item_text("k", "new", "2025-01-02T00:00:00", 4)}))),
            "imported 0 merged 1 skipped 0 faulty 0");
  auto const now = item("a", "k");
  EXPECT_EQ(now.content, "new");
  EXPECT_EQ(now.version, 2);
  EXPECT_EQ(to_rfc3339(now.created_at), "2025-01-02T00:00:00Z");
  EXPECT_EQ(now.usage_count, 10) << "uses are never taken back";
  auto const merged = parsed(at(now.metadata, "merged"));
  ASSERT_EQ(merged.as_array().size(), 1U);
  EXPECT_EQ(merged.at(0).at("content").as_string(), "old");
  EXPECT_EQ(merged.at(0).at("timestamp").as_string(), "2025-01-01T00:00:00Z");
  EXPECT_EQ(merged.at(0).at("usage_count").as_int64(), 10);
  import("a", list_text({item_text("k", "newest", "2025-01-03T00:00:00", 40)}));
  EXPECT_EQ(item("a", "k").usage_count, 40) << "the winner's count is that of the file";
  EXPECT_EQ(parsed(at(item("a", "k").metadata, "merged")).as_array().size(), 2U) << "the oldest is still there";
}

TEST_P(KnowledgeImportTest, AnOlderVariantGoesBesideTheItem) {
  import("a", list_text({item_text("k", "new", "2025-01-02T00:00:00")}));
  auto const older = item_text("k", "old", "2025-01-01T00:00:00");
  EXPECT_EQ(counts(import("a", list_text({older}))), "imported 0 merged 1 skipped 0 faulty 0");
  EXPECT_EQ(item("a", "k").content, "new");
  EXPECT_EQ(parsed(at(item("a", "k").metadata, "merged")), parsed(list_text({older})));
  import("a", list_text({item_text("k", "newest", "2025-01-03T00:00:00")}));
  EXPECT_EQ(item("a", "k").content, "newest") << "taking in a variant is no edit by a user";
}

TEST_P(KnowledgeImportTest, WhatAUserWroteIsNeverOverwritten) {
  import("a", list_text({item_text("edited", "from the file", "2025-01-01T00:00:00")}));
  edit("a", "edited", R"({"content":"by a user"})");
  have_item("a", "made", "by a user");
  for (auto const* id : {"edited", "made"}) {
    auto const newer = item_text(id, "newer than all", "2027-01-01T00:00:00");
    EXPECT_EQ(counts(import("a", list_text({newer}))), "imported 0 merged 1 skipped 0 faulty 0");
    EXPECT_EQ(item("a", id).content, "by a user");
    EXPECT_EQ(parsed(at(item("a", id).metadata, "merged")), parsed(list_text({newer})));
    import("a", list_text({item_text(id, "newer still", "2028-01-01T00:00:00")}));
    EXPECT_EQ(item("a", id).content, "by a user") << "also not after a variant was put beside it";
  }
}

TEST_P(KnowledgeImportTest, WhatAUserDeletedStaysDeleted) {
  import("a",
         list_text({item_text("k", "old", "2025-01-01T00:00:00"), item_text("l", "other", "2025-01-01T00:00:00")}));
  remove("a", "k");
  auto const report = import(
      "a", list_text({item_text("k", "old", "2025-01-01T00:00:00"), item_text("l", "newer", "2025-01-02T00:00:00"),
                      item_text("k", "new", "2027-01-01T00:00:00"), item_text("k", "newer", "2028-01-01T00:00:00")}));
  EXPECT_EQ(counts(report), "imported 0 merged 1 skipped 3 faulty 0");
  ASSERT_EQ(report.left_out.size(), 2U) << "what was imported before needs no word";
  EXPECT_EQ(report.left_out[0].position, 2);
  EXPECT_EQ(report.left_out[1].position, 3);
  EXPECT_NE(report.left_out[0].reason.find("was deleted"), std::string::npos) << report.left_out[0].reason;
  EXPECT_EQ(items_of("a").size(), 1U);
  EXPECT_EQ(history("knowledge", "a/k"), "knowledge:added knowledge:deleted");
  EXPECT_EQ(have_item("a", "k", "by a user").version, 3) << "a user may take it back";
  EXPECT_EQ(counts(import("a", list_text({item_text("k", "new", "2027-01-01T00:00:00")}))),
            "imported 0 merged 1 skipped 0 faulty 0");
  EXPECT_EQ(item("a", "k").content, "by a user");
}

TEST_P(KnowledgeImportTest, CountedUsesMakeNoNewItem) {
  auto const before = item_text("k", "text", "2025-01-01T00:00:00", 1);
  auto const after = item_text("k", "text", "2025-01-01T00:00:00", 2);
  EXPECT_EQ(counts(import("a", list_text({before, after}))), "imported 1 merged 0 skipped 1 faulty 0");
  EXPECT_EQ(item("a", "k").usage_count, 2) << "the most uses of equal ones";
  edit("a", "k", R"({"category":"edited"})");
  auto const third = item_text("k", "text", "2025-01-01T00:00:00", 3);
  EXPECT_EQ(counts(import("a", list_text({third}))), "imported 0 merged 0 skipped 1 faulty 0");
  EXPECT_EQ(at(item("a", "k").metadata, "merged"), "-") << "an edited item does not grow with every use";
  remove("a", "k");
  EXPECT_EQ(counts(import("a", list_text({before, third}))), "imported 0 merged 0 skipped 2 faulty 0");
  EXPECT_TRUE(items_of("a").empty());
}

TEST_P(KnowledgeImportTest, RequestsMayBeCutAnywhere) {
  auto const text = fixture("night_gardener.json");
  import("whole", text);
  ImportReport sum;
  auto const source = json::Source::from(text);
  for (auto const& element : json::elements(source->root())) {
    auto const part = import("parts", "[" + std::string(element.raw) + "]");
    sum.imported += part.imported;
    sum.merged += part.merged;
    sum.skipped += part.skipped;
  }
  EXPECT_EQ(counts(sum), "imported 4 merged 2 skipped 1 faulty 0");
  auto const whole = items_of("whole");
  auto const parts = items_of("parts");
  ASSERT_EQ(parts.size(), whole.size());
  for (auto const& [id, item] : whole) {
    EXPECT_EQ(parts.at(id).content, item.content);
    EXPECT_EQ(parts.at(id).usage_count, item.usage_count);
    EXPECT_EQ(parts.at(id).created_at, item.created_at);
  }
  EXPECT_EQ(parsed(at(parts.at("watering").metadata, "merged")).as_array().size(), 2U);
}

TEST_P(KnowledgeImportTest, TwoImportsAtOnceDoEverythingOnce) {
  auto const text = fixture("night_gardener.json");
  auto const source = json::Source::from(text);
  Actor const who = actor();
  AgentId const agent{"night_gardener"};
  auto first = loop.start(import_->run(who, agent, source->root(), soon()));
  auto second = loop.start(import_->run(who, agent, source->root(), soon()));
  auto const one = first.get();
  auto const two = second.get();
  ASSERT_TRUE(one && two);
  EXPECT_EQ(one->imported + two->imported, 4);
  EXPECT_EQ(one->faulty.size() + two->faulty.size(), 0U);
  EXPECT_EQ(items_of("night_gardener").size(), 4U);
  EXPECT_EQ(parsed(at(item("night_gardener", "watering").metadata, "merged")).as_array().size(), 2U);
}

TEST_P(KnowledgeImportTest, WhatDoesNotFitBesideIsReportedNotCut) {
  std::string const large(200'000, 'x');
  auto const file =
      list_text({item_text("k", large + "1", "2025-01-01T00:00:00"), item_text("k", large + "2", "2025-01-02T00:00:00"),
                 item_text("k", large + "3", "2025-01-03T00:00:00")});
  auto const report = import("a", file);
  EXPECT_EQ(counts(report), "imported 1 merged 1 skipped 0 faulty 1");
  EXPECT_EQ(report.faulty[0].position, 1);
  EXPECT_NE(report.faulty[0].reason.find("262144"), std::string::npos) << report.faulty[0].reason;
  EXPECT_EQ(item("a", "k").content, large + "3");
  EXPECT_EQ(counts(import("a", file)), "imported 0 merged 0 skipped 2 faulty 1") << "it is reported each time";
  auto const newer = import("a", list_text({item_text("k", large + "4", "2025-01-04T00:00:00")}));
  EXPECT_EQ(counts(newer), "imported 0 merged 0 skipped 0 faulty 1");
  EXPECT_EQ(item("a", "k").content, large + "3") << "what is stored would be lost";
}

TEST_P(KnowledgeImportTest, WhatIsNestedTooDeepStaysOutOfMerged) {
  std::string const deep(26, '[');
  auto const nested = R"({"id":"k","content":"deep","metadata":{"a":)" + deep + std::string(26, ']') + "}}";
  auto const report = import("a", list_text({nested, item_text("k", "flat", "2025-01-01T00:00:00")}));
  EXPECT_EQ(counts(report), "imported 1 merged 0 skipped 0 faulty 1");
  EXPECT_EQ(counts(import("b", list_text({nested}))), "imported 1 merged 0 skipped 0 faulty 0")
      << "alone it may be deep";
}

TEST_P(KnowledgeImportTest, MetadataOfOurOwnKeysIsLeftAlone) {
  auto const report = import("a", R"([
    {"id":"k","content":"1","timestamp":"2025-01-02T00:00:00","metadata":{"merged":[{"content":"0"}]}},
    {"id":"k","content":"2","timestamp":"2025-01-01T00:00:00"},
    {"id":"l","content":"1","timestamp":"2025-01-02T00:00:00","metadata":{"merged":"text"}},
    {"id":"l","content":"2","timestamp":"2025-01-01T00:00:00"},
    {"id":"m","content":"1","metadata":{"imported":1},"colour":"red"},
    {"id":"n","content":"1","metadata":{"imported":1,"merged":"text"}}])");
  EXPECT_EQ(counts(report), "imported 3 merged 1 skipped 0 faulty 2");
  EXPECT_EQ(parsed(at(item("a", "k").metadata, "merged")).as_array().size(), 2U) << "the list goes on";
  EXPECT_EQ(at(item("a", "l").metadata, "merged"), R"("text")");
  EXPECT_EQ(item("a", "n").metadata.text, R"({"imported":1,"merged":"text"})");
  EXPECT_EQ(report.faulty[0].position, 3);
  EXPECT_EQ(report.faulty[1].position, 4);
}

TEST_P(KnowledgeImportTest, ADeletedAgentDoesNotComeBackByTheWay) {
  auto const text = fixture("ferry_captain.json");
  import("ferry_captain", text);
  ASSERT_TRUE(wait(agents->remove(actor(), AgentId{"ferry_captain"}, std::nullopt, soon())));
  EXPECT_EQ(counts(import("ferry_captain", text)), "imported 0 merged 0 skipped 2 faulty 0");
  auto const refused = try_import("ferry_captain", R"([{"id":"new","content":"New."}])");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::conflict);
  EXPECT_EQ(wait(agents->get(default_tenant, AgentId{"ferry_captain"}, soon())).error().code, Code::not_found);
  have_agent("ferry_captain");
  EXPECT_EQ(import("ferry_captain", R"([{"id":"new","content":"New."}])").imported, 1);
}

TEST_P(KnowledgeImportTest, OnlyListsForAgentsAreTaken) {
  std::vector<std::string> const many(KnowledgeImport::items_max + 1, "1");
  for (auto const& text : {std::string(R"({"knowledge_items":[]})"), std::string("null"), list_text(many)}) {
    auto const refused = try_import("a", text);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::invalid);
  }
  for (auto const reserved : reserved_agent_ids) {
    EXPECT_EQ(try_import(std::string(reserved), R"([{"id":"k","content":"c"}])").error().code, Code::invalid);
  }
  EXPECT_EQ(counts(import("a", "[]")), "imported 0 merged 0 skipped 0 faulty 0");
  EXPECT_FALSE(wait(agents->get(default_tenant, AgentId{"a"}, soon())));
}

void expect_equal(json::value const& wanted, Knowledge const& item) {
  auto const text = [&](char const* key) { return std::string_view(wanted.at(key).as_string()); };
  EXPECT_EQ(item.category, text("category"));
  EXPECT_EQ(item.content, text("content"));
  EXPECT_EQ(item.source, text("source"));
  EXPECT_EQ(item.created_at, *parse_time(text("timestamp")));
  EXPECT_EQ(item.usage_count, wanted.at("usage_count").as_int64());
  EXPECT_EQ(item.relevance_score, wanted.at("relevance_score").to_number<double>());
}

TEST_P(KnowledgeImportTest, RealFilesArriveWhole) {
  if (!fs::exists(real_files))
    GTEST_SKIP() << "no files of the prototype beside the repository";
  for (auto const& entry : fs::directory_iterator(real_files)) {
    if (entry.path().extension() != ".json")
      continue;
    SCOPED_TRACE(entry.path());
    auto const agent = entry.path().stem().string();
    auto const text = read_file(entry.path());
    auto const file = parsed(text).as_array();
    std::map<std::string, json::value> newest;
    for (auto const& wanted : file) {
      auto& best = newest[std::string(wanted.at("id").as_string())];
      if (best.is_null() || wanted.at("timestamp").as_string() >= best.at("timestamp").as_string())
        best = wanted;
    }
    auto const report = import(agent, text);
    EXPECT_EQ(report.imported, std::ssize(newest));
    EXPECT_EQ(report.imported + report.merged + report.skipped, std::ssize(file));
    EXPECT_TRUE(report.faulty.empty());
    auto const items = items_of(agent);
    ASSERT_EQ(items.size(), newest.size());
    for (auto const& [id, wanted] : newest) {
      expect_equal(wanted, items.at(id));
      auto metadata = parsed(items.at(id).metadata.text);
      metadata.as_object().erase("merged");
      EXPECT_EQ(metadata, wanted.at("metadata"));
    }
    EXPECT_EQ(import(agent, text).skipped, std::ssize(file));
  }
}

}  // namespace
}  // namespace al::data
