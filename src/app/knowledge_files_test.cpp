#include "app/knowledge_files.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "core/json.hpp"
#include "testing/temporary_directory.hpp"

namespace al::app {
namespace {

namespace fs = std::filesystem;
using Texts = std::vector<std::string_view>;

void write_file(fs::path const& path, std::string_view text) { std::ofstream(path, std::ios::binary) << text; }

TEST(CutArray, FindsTheElements) {
  struct Case {
    std::string_view text;
    Texts elements;
  };
  std::vector<Case> const cases{
      {"[]", {}},
      {" [ \n ] \n", {}},
      {"[1]", {"1"}},
      {"[ {\"a\": [1, 2]} ,\n\"x\" ]", {"{\"a\": [1, 2]}", "\"x\""}},
      {R"(["]", "[,", "\"],", "\\"])", {R"("]")", R"("[,")", R"("\"],")", R"("\\")"}},
      {"[1,]", {"1", ""}},
      {"[,]", {"", ""}},
      {R"([{"a" 1}, {"b": ], 3])", {R"({"a" 1})", R"({"b": ])", "3"}},
  };
  for (auto const& [text, elements] : cases) {
    auto const cut = cut_array(text);
    ASSERT_TRUE(cut) << text << ": " << cut.error().message;
    EXPECT_EQ(*cut, elements) << text;
  }
}

TEST(CutArray, RefusesWhatIsNoArray) {
  for (std::string_view const text :
       {"", " ", "{}", "null", "\"[]\"", "[", "[1", "[1, {]", "[\"]", "[\"\\", "[1}", "[{]}]", "[] []", "[1]2"}) {
    auto const cut = cut_array(text);
    ASSERT_FALSE(cut) << text;
    EXPECT_TRUE(cut.error().message.starts_with("is no JSON array: ")) << cut.error().message;
  }
}

TEST(PlanImport, PutsItemsOfOneIdTogetherInTheirOrder) {
  Texts const items{R"({"id":"a","n":1})", R"({"id":"b"})", R"({"n":2})", R"({"id":"a","n":3})", R"({"id":"b","n":4})"};
  auto const plan = plan_import(items, {.items_max = 3});
  ASSERT_EQ(plan.chunks.size(), 2U);
  EXPECT_EQ(plan.chunks[0].positions, (std::vector<std::int64_t>{0, 3, 1}));
  EXPECT_EQ(plan.chunks[0].items[1], items[3]);
  EXPECT_EQ(plan.chunks[1].positions, (std::vector<std::int64_t>{4, 2}));
  EXPECT_TRUE(plan.unfit.empty());
}

TEST(PlanImport, KeepsToTheLimits) {
  std::string const small = R"({"id":")" + std::string(30, 's') + "\"}";
  std::string const large = R"({"id":")" + std::string(100, 'l') + "\"}";
  std::string const huge = R"({"id":")" + std::string(200, 'h') + "\"}";
  auto const plan = plan_import({small, large, small, huge}, {.chunk_bytes_max = 90, .item_bytes_max = 150});
  ASSERT_EQ(plan.chunks.size(), 2U);
  EXPECT_EQ(plan.chunks[0].items.size(), 2U);
  EXPECT_EQ(plan.chunks[1].positions, std::vector<std::int64_t>{1}) << "what is too large for a chunk goes alone";
  ASSERT_EQ(plan.unfit.size(), 1U);
  EXPECT_EQ(plan.unfit[0].position, 3);
}

TEST(PlanImport, NamesWhatCannotBeSent) {
  auto const deep = [](std::size_t levels) { return std::string(levels, '[') + std::string(levels, ']'); };
  auto const fits = deep(json::depth_max - 2);
  auto const too_deep = deep(json::depth_max - 1);
  auto const plan = plan_import({"", "{\"a\" 1}", "\"\xff\"", R"("\u0000")", R"({"a":1,"a":2})", too_deep, fits, "7"});
  std::vector<std::int64_t> unfit;
  for (auto const& item : plan.unfit) {
    unfit.push_back(item.position);
    EXPECT_FALSE(item.reason.empty());
  }
  EXPECT_EQ(unfit, (std::vector<std::int64_t>{0, 1, 2, 3, 4, 5}));
  ASSERT_EQ(plan.chunks.size(), 1U);
  EXPECT_EQ(plan.chunks[0].positions, (std::vector<std::int64_t>{6, 7})) << "the server says what is wrong with 7";
  EXPECT_TRUE(json::parse(import_body(AgentId{"a"}, "a \"b\".json", plan.chunks[0])));
}

TEST(KnowledgeFiles, AreListedByNameAndReadWhole) {
  TemporaryDirectory directory;
  for (auto const* name : {"b.json", "a.json", "c.json.bak", "json"})
    write_file(directory.path() / name, "[]");
  fs::create_directory(directory.path() / "folder.json");
  write_file(directory.path() / "folder.json" / "inner.json", "[]");
  auto const files = knowledge_files(directory.path());
  ASSERT_TRUE(files);
  std::vector<std::string> names;
  for (auto const& file : *files)
    names.push_back(file.name);
  EXPECT_EQ(names, (std::vector<std::string>{"a.json", "b.json", "folder.json"}));
  EXPECT_EQ(files->front().bytes, 2U);
  std::string const large(3'000'000, 'x');
  write_file(directory.path() / "a.json", large);
  EXPECT_EQ(read_knowledge_file(directory.path() / "a.json").value(), large);
  EXPECT_FALSE(knowledge_files(directory.path() / "missing"));
  EXPECT_FALSE(knowledge_files(directory.path() / "a.json")) << "no directory";
}

TEST(KnowledgeFiles, LinksPipesAndGiantsAreNotRead) {
  TemporaryDirectory directory;
  auto const path = [&](char const* name) { return directory.path() / name; };
  write_file(path("real.json"), "[]");
  fs::create_symlink(path("real.json"), path("link.json"));
  fs::create_symlink(path("nowhere"), path("dangling.json"));
  fs::create_directory(path("folder.json"));
  ASSERT_EQ(::mkfifo(path("pipe.json").c_str(), 0600), 0);
  write_file(path("giant.json"), "[");
  fs::resize_file(path("giant.json"), knowledge_file_bytes_max + 1);
  std::vector<std::pair<char const*, std::string_view>> const cases{{"link.json", "is a link"},
                                                                    {"dangling.json", "is a link"},
                                                                    {"folder.json", "is no regular file"},
                                                                    {"pipe.json", "is no regular file"},
                                                                    {"giant.json", "has 67108865 bytes"},
                                                                    {"missing.json", "cannot be read: No such file"}};
  for (auto const& [name, reason] : cases) {
    auto const text = read_knowledge_file(path(name));
    ASSERT_FALSE(text) << name;
    EXPECT_TRUE(text.error().message.starts_with(reason)) << text.error().message;
  }
  fs::resize_file(path("giant.json"), knowledge_file_bytes_max);
  EXPECT_TRUE(read_knowledge_file(path("giant.json")));
}

TEST(KnowledgeFiles, TheNameIsTheAgent) {
  EXPECT_EQ(agent_of_file("mobile_developer.json").value(), AgentId{"mobile_developer"});
  for (std::string_view const name : {".json", "Bad Name.json", "Écrit.json", "a/b.json", "-a.json"}) {
    EXPECT_FALSE(agent_of_file(name)) << name;
  }
  EXPECT_FALSE(agent_of_file(std::string(51, 'a') + ".json"));
}

}  // namespace
}  // namespace al::app
