/// Asks the questions of tests/retrieval about the starter knowledge. It needs nothing but text, so it stands here.

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <deque>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/json.hpp"
#include "core/utf8.hpp"
#include "text/analysis.hpp"
#include "text/ranking.hpp"

namespace al::text {
namespace {

namespace fs = std::filesystem;

json::value read(fs::path const& path) {
  std::ifstream file(path, std::ios::binary);
  std::string const text{std::istreambuf_iterator<char>(file), {}};
  auto out = json::parse(text);
  if (!out)
    throw std::runtime_error(path.string() + ": " + out.error().message);
  return *out;
}

std::string text_of(json::value const& object, std::string_view key) {
  auto const* found = object.as_object().if_contains(key);
  return found == nullptr ? std::string() : std::string(found->as_string());
}

/// The knowledge of one agent, looked up as a database does: by single terms of an index.
class Base {
 public:
  explicit Base(fs::path const& path) {
    auto const parsed = read(path);
    for (auto const& each : parsed.as_array()) {
      auto const& id = texts_.emplace_back(text_of(each, "id"));
      auto const& category = texts_.emplace_back(text_of(each, "category"));
      auto const& source = texts_.emplace_back(text_of(each, "source"));
      auto const& content = texts_.emplace_back(text_of(each, "content"));
      items_.push_back({.id = id, .category = category, .source = source, .content = content});
      std::set<std::string> index;
      auto const list = index_terms(items_.back());
      for (std::size_t begin = 0; begin < list.size();) {
        auto const end = std::min(list.find(' ', begin), list.size());
        index.insert(list.substr(begin, end - begin));
        begin = end + 1;
      }
      indexes_.push_back(std::move(index));
    }
  }

  struct Found {
    std::string id;
    Hit hit;
  };
  std::vector<Found> ask(std::string const& question) const {
    std::vector<Item> candidates;
    auto const terms = query_terms(question);
    for (std::size_t i = 0; i < items_.size(); ++i) {
      auto const holds = [&](std::string const& term) { return indexes_[i].contains(term); };
      if (std::ranges::any_of(terms, holds))
        candidates.push_back(items_[i]);
    }
    std::vector<Found> out;
    Corpus const corpus{.documents = static_cast<std::int64_t>(items_.size()), .document_frequency = {}};
    for (auto& hit : rank(question, candidates, corpus)) {
      out.push_back({std::string(candidates[hit.candidate].id), std::move(hit)});
    }
    return out;
  }

 private:
  std::deque<std::string> texts_;
  std::vector<Item> items_;
  std::vector<std::set<std::string>> indexes_;
};

struct Outcome {
  std::size_t known = 0, right = 0, unknown = 0, answered = 0;
  std::string table;  ///< what went wrong
};

Outcome ask_all(fs::path const& questions) {
  Outcome out;
  std::map<std::string, Base> bases;
  auto const parsed = read(questions);
  auto const ask = [&](json::value const& each) {
    auto const agent = text_of(each, "agent");
    auto const [base, fresh] = bases.try_emplace(agent, fs::path("assets/knowledge") / (agent + ".json"));
    return base->second.ask(text_of(each, "question"));
  };
  auto const note = [&](json::value const& each, std::vector<Base::Found> const& found, std::string_view wanted) {
    out.table +=
        text_of(each, "agent") + ": " + text_of(each, "question") + "\n  wanted " + std::string(wanted) + ", found";
    if (found.empty())
      out.table += " nothing";
    for (auto const& [id, hit] : found) {
      out.table += " " + id + " (" + std::to_string(hit.score) + ", " + std::to_string(hit.coverage) + ")";
    }
    out.table += '\n';
  };
  for (auto const& each : parsed.at("known").as_array()) {
    auto const found = ask(each);
    auto const expect = text_of(each, "expect");
    ++out.known;
    if ((!found.empty() && found[0].id == expect) || (found.size() > 1 && found[1].id == expect)) {
      ++out.right;
    } else {
      note(each, found, expect);
    }
  }
  for (auto const& each : parsed.at("unknown").as_array()) {
    auto const found = ask(each);
    ++out.unknown;
    if (found.empty())
      continue;
    ++out.answered;
    note(each, found, "nothing");
  }
  return out;
}

TEST(Retrieval, AnswersTheQuestionsOfTheStarterKnowledge) {
  auto const out = ask_all("tests/retrieval/questions.json");
  ASSERT_GE(out.known, 40U);
  ASSERT_GE(out.unknown, 15U);
  EXPECT_GE(out.right * 10, out.known * 9) << out.right << " of " << out.known << '\n' << out.table;
  EXPECT_EQ(out.answered, 0U) << out.table;
}

/// Questions in words that were chosen without looking at the texts; no stemmer bridges all of them.
TEST(Retrieval, AnswersParaphrases) {
  auto const out = ask_all("tests/retrieval/paraphrases.json");
  ASSERT_GE(out.known, 80U);
  ASSERT_GE(out.unknown, 50U);
  EXPECT_GE(out.right * 100, out.known * 80) << out.right << " of " << out.known << '\n' << out.table;
  EXPECT_EQ(out.answered, 0U) << out.table;
}

/// The prototype's own files, with items of 70 kB; they are not part of the repository.
TEST(Retrieval, AnswersFromImportedFiles) {
  fs::path const folder = "../shared/data/agent-knowledge";
  if (!fs::exists(folder))
    GTEST_SKIP() << "no imported files here";
  auto const security = Base(folder / "security_expert.json").ask("How do I stop SQL injection?");
  ASSERT_FALSE(security.empty());
  EXPECT_TRUE(security[0].hit.passages.at(0).text.contains("parameterized queries"));

  Base const blockchain(folder / "blockchain_developer.json");
  auto const wallet = blockchain.ask("How does a wallet get a verifiable credential issued?");
  ASSERT_FALSE(wallet.empty());
  for (auto const& [id, hit] : wallet) {
    for (auto const& passage : hit.passages) {
      EXPECT_LE(passage.text.size(), 2'000U);
      EXPECT_EQ(utf8::valid_prefix(passage.text), passage.text.size());
      EXPECT_FALSE(passage.text.contains("\\n\\n")) << "a printed value was not made readable";
    }
  }
  EXPECT_TRUE(blockchain.ask("What is the weather in Paris?").empty());
}

}  // namespace
}  // namespace al::text
