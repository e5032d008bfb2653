#include "text/ranking.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace al::text {
namespace {

std::vector<Item> const& items() {
  static std::vector<Item> const out{
      {.id = "sql",
       .category = "best_practices",
       .source = "guide",
       .content = "SQL Injection Prevention:\n1. Use prepared statements\n2. Validate all input"},
      {.id = "k8s",
       .category = "operations",
       .source = "guide",
       .content = "Probes in Kubernetes\n\nA liveness probe restarts a pod. A readiness probe takes it out of the load "
                  "balancer."},
      {.id = "cake",
       .category = "kitchen",
       .source = "notes",
       .content = "Baking a sponge cake\n\nBeat eggs and sugar, fold in flour, bake at 180 degrees for 25 minutes."},
      {.id = "pool",
       .category = "operations",
       .source = "guide",
       .content = "Sizing a connection pool\n\nA database serves few connections well. Measure the load, then use "
                  "Little's law."},
  };
  return out;
}

std::vector<std::string> ids(std::vector<Hit> const& hits, std::span<Item const> candidates = items()) {
  std::vector<std::string> out;
  for (auto const& hit : hits)
    out.emplace_back(candidates[hit.candidate].id);
  return out;
}

using Ids = std::vector<std::string>;

TEST(Ranking, FindsTheItemThatAnswers) {
  EXPECT_EQ(ids(rank("How do I stop SQL injection?", items())), Ids{"sql"});
  EXPECT_EQ(ids(rank("what is a k8s readiness probe", items())), Ids{"k8s"});
  EXPECT_EQ(ids(rank("How many database connections in the pool?", items())), Ids{"pool"});
  EXPECT_EQ(ids(rank("bake a cake", items())), Ids{"cake"});
}

TEST(Ranking, FindsNothingForWhatIsNotThere) {
  for (auto const* question : {"", "?", "How do you do?", "How can you help me?", "What is the best way?",
                               "Who won the world cup in 1974?", "How do I repair a bicycle?", "flurble wexnit quandoo",
                               "Wie backe ich Brot?", "Is there a swimming contest?"}) {
    EXPECT_TRUE(rank(question, items()).empty()) << question;
  }
  EXPECT_TRUE(rank("SQL injection", {}).empty());
}

TEST(Ranking, AHitNeedsMoreThanAWordInPassing) {
  EXPECT_TRUE(rank("bank statements", items()).empty());
  EXPECT_TRUE(rank("injection needles for horses", items()).empty());
  EXPECT_EQ(ids(rank("injection statements", items())), Ids{"sql"});
}

/// What people call things every day can be all that they ask for.
TEST(Ranking, FindsAWordOfDailyLifeThatStandsAlone) {
  std::vector<Item> const office{
      {.id = "printer", .category = {}, .source = {}, .content = "Printing: the printer is in room 4; print in grey."},
      {.id = "travel", .category = {}, .source = {}, .content = "Travel: book trips through the portal."},
      {.id = "lunch", .category = {}, .source = {}, .content = "Lunch is at noon, and the best way leads downstairs."}};
  EXPECT_EQ(ids(rank("How do I print?", office), office), Ids{"printer"});
  EXPECT_EQ(ids(rank("travel", office), office), Ids{"travel"});
  EXPECT_TRUE(rank("What is the best way?", office).empty()) << "general words ask for nothing";
  EXPECT_TRUE(rank("How do I drive?", office).empty());
}

TEST(Ranking, WorksInABaseOfOneItem) {
  auto const one = std::span(items()).first(1);
  EXPECT_EQ(ids(rank("SQL injection", one), one), Ids{"sql"});
  EXPECT_TRUE(rank("baking bread", one).empty());
}

TEST(Ranking, PutsTheSubjectBeforeAMention) {
  std::vector<Item> const candidates{
      {.id = "mention",
       .category = "a",
       .source = "",
       .content = "Deploying a service\n\nCheck the logs, the dashboards and the backups before each release of it."},
      {.id = "subject",
       .category = "a",
       .source = "",
       .content = "Backups\n\nRestore one of the backups each month, or you have none."},
  };
  EXPECT_EQ(ids(rank("backups", candidates), candidates).front(), "subject");
}

TEST(Ranking, RewardsWordsThatStandTogether) {
  std::vector<Item> const candidates{
      {.id = "apart",
       .category = "a",
       .source = "",
       .content = "Memory is measured in bytes and pages and regions; a program that stops may still have a leak."},
      {.id = "together",
       .category = "a",
       .source = "",
       .content = "Bytes and pages and regions are measured; a program that stops may still have a memory leak here."},
  };
  EXPECT_EQ(ids(rank("memory leak", candidates), candidates).front(), "together");
}

TEST(Ranking, ReportsEqualItemsOnce) {
  std::string const text = "Tuning the garbage collector\n\nChoose a pause goal, then size the heap so that it is met.";
  std::string const nearly = text + " Measure.";
  std::vector<Item> const candidates{
      {.id = "one", .category = "a", .source = "", .content = text},
      {.id = "two", .category = "a", .source = "", .content = text},
      {.id = "three", .category = "a", .source = "", .content = nearly},
      {.id = "other",
       .category = "a",
       .source = "",
       .content = "Garbage collector logs\n\nEach line names the pause, the heap before and the heap after."},
  };
  auto const hits = rank("garbage collector", candidates);
  auto const found = ids(hits, candidates);
  EXPECT_EQ(found.size(), 2U);
  EXPECT_TRUE(std::ranges::find(found, "other") != found.end());
}

TEST(Ranking, HonoursTheWeightOfAnItem) {
  std::vector<Item> candidates{
      {.id = "a", .category = "x", .source = "", .content = "Rotate the signing keys each month, by hand."},
      {.id = "b", .category = "x", .source = "", .content = "Rotate the signing keys each year, by script."},
  };
  candidates[1].weight = 5;
  EXPECT_EQ(ids(rank("signing keys", candidates), candidates).front(), "b");
  candidates[1].weight = 0.2;
  EXPECT_EQ(ids(rank("signing keys", candidates), candidates).front(), "a");
  candidates[1].weight = 0;
  EXPECT_EQ(ids(rank("signing keys", candidates), candidates), Ids{"a"});
  candidates[1].weight = -1;
  EXPECT_EQ(ids(rank("signing keys", candidates), candidates), Ids{"a"});
}

TEST(Ranking, GivesShortPassagesOfALongItem) {
  std::string content = "Handbook\n\n";
  for (int i = 0; i < 150; ++i) {
    content += "Chapter " + std::to_string(i) + " speaks at length of matters that nobody asks for. " +
               std::string(300, 'x') + "\n\n";
    if (i == 100)
      content += "The escrow account is released when both parties sign.\n\n";
  }
  std::vector<Item> const candidates{{.id = "long", .category = "a", .source = "", .content = content}};
  auto const hits = rank("When is the escrow account released?", candidates);
  ASSERT_EQ(hits.size(), 1U);
  ASSERT_FALSE(hits[0].passages.empty());
  EXPECT_TRUE(hits[0].passages[0].text.contains("escrow account"));
  for (auto const& passage : hits[0].passages)
    EXPECT_LE(passage.text.size(), 2'000U);
}

TEST(Ranking, WordsFarApartInALongItemAreNoAnswer) {
  std::string content = "Handbook\n\nA falcon is mentioned here.\n\n";
  for (int i = 0; i < 60; ++i)
    content += "Filler number " + std::to_string(i) + ". " + std::string(300, 'x') + "\n\n";
  std::vector<Item> candidates{{.id = "long", .category = "a", .source = "", .content = {}}};
  auto const apart = content + "A turbine is mentioned there.";
  candidates[0].content = apart;
  EXPECT_TRUE(rank("falcon turbine", candidates).empty());
  auto const together = content + "A turbine and a falcon are mentioned there.";
  candidates[0].content = together;
  EXPECT_EQ(rank("falcon turbine", candidates).size(), 1U);
}

TEST(Ranking, TakesFrequenciesFromTheCorpusWhenKnown) {
  std::vector<Item> const candidates{
      {.id = "common", .category = "a", .source = "", .content = "The widget is round."},
      {.id = "rare", .category = "a", .source = "", .content = "The sprocket is round."},
  };
  // Of a truncated list alone, both words look alike.
  Corpus const corpus{.documents = 10'000, .document_frequency = {{"widget", 9'000}, {"sprocket", 3}}};
  EXPECT_EQ(ids(rank("widget sprocket", candidates, corpus), candidates), Ids{"rare"});
  Corpus const reversed{.documents = 10'000, .document_frequency = {{"widget", 3}, {"sprocket", 9'000}}};
  EXPECT_EQ(ids(rank("widget sprocket", candidates, reversed), candidates), Ids{"common"});
}

TEST(Ranking, DoesNotDependOnTheOrderOfCandidates) {
  auto reversed = items();
  std::ranges::reverse(reversed);
  EXPECT_EQ(ids(rank("load of a pod or database", items())),
            ids(rank("load of a pod or database", reversed), reversed));
}

TEST(Ranking, KeepsToItsOptions) {
  std::vector<std::string> texts;
  for (int i = 0; i < 30; ++i)
    texts.push_back("Note " + std::to_string(1000 + i) + " on replication of topic" + std::to_string(i));
  std::vector<Item> candidates;
  for (auto const& text : texts)
    candidates.push_back({.id = text, .category = "a", .source = "", .content = text});
  EXPECT_EQ(rank("replication", candidates, {}, {.hits_max = 3}).size(), 3U);
  EXPECT_LE(rank("replication", candidates).size(), RankOptions{}.hits_max);
  for (auto const& hit : rank("replication", candidates)) {
    EXPECT_GE(hit.coverage, 0.0);
    EXPECT_LE(hit.coverage, 1.0 + 1e-9);
  }
}

TEST(Ranking, SurvivesBrokenText) {
  std::string const broken = "replication \xFF\xC3 of \x80 data \xE2\x82";
  std::vector<Item> const candidates{{.id = "\xFF", .category = "", .source = "", .content = broken},
                                     {.id = "", .category = "", .source = "", .content = ""}};
  EXPECT_EQ(rank("replication of data \xFF", candidates).size(), 1U);
}

TEST(SeenPassages, TellsOldFromNew) {
  SeenPassages seen;
  EXPECT_TRUE(seen.add("Use prepared statements for every query."));
  EXPECT_FALSE(seen.add("use prepared  statements FOR every query"));
  EXPECT_FALSE(seen.add("Use prepared statements for every query"));
  EXPECT_TRUE(seen.add("Never build a query from strings."));
  EXPECT_TRUE(seen.add("Short"));
  EXPECT_FALSE(seen.add("short!"));
  EXPECT_TRUE(seen.add("Other"));
}

}  // namespace
}  // namespace al::text
