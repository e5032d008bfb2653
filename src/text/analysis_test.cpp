#include "text/analysis.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "text/vocabulary.hpp"

namespace al::text {
namespace {

bool has(std::vector<std::string> const& list, std::string_view term) {
  return std::ranges::find(list, term) != list.end();
}

std::vector<std::string> split(std::string_view list) {
  std::vector<std::string> out;
  for (std::size_t begin = 0; begin < list.size();) {
    auto const end = std::min(list.find(' ', begin), list.size());
    out.emplace_back(list.substr(begin, end - begin));
    begin = end + 1;
  }
  return out;
}

TEST(Analysis, GivesFormsOfAWordOneTerm) {
  struct Case {
    std::string_view one, other;
  };
  for (auto const& [one, other] : {
           Case{"query", "queries"},
           {"deploying", "deployment"},
           {"authenticate", "authentication"},
           {"optimise", "optimization"},
           {"serialised", "serialize"},
           {"colours", "color"},
           {"analyse", "analyze"},
           {"labelling", "labeled"},
           {"centre", "center"},
           {"catalogue", "catalogs"},
       }) {
    EXPECT_EQ(term_of(one), term_of(other)) << one << ' ' << other;
    EXPECT_FALSE(term_of(one).empty());
  }
}

TEST(Analysis, KeepsDifferentWordsApart) {
  struct Case {
    std::string_view one, other;
  };
  for (auto const& [one, other] : {Case{"ios", "io"},
                                   {"united", "unit"},
                                   {"business", "busy"},
                                   {"java", "javascript"},
                                   {"sha256", "sha512"},
                                   {"новый", "новая"}}) {
    EXPECT_NE(term_of(one), term_of(other)) << one << ' ' << other;
  }
}

TEST(Analysis, DropsStopWords) {
  EXPECT_EQ(term_of("the"), "");
  EXPECT_EQ(term_of("how"), "");
  EXPECT_EQ(term_of("dont"), "");
  EXPECT_TRUE(terms("How do I do that, and why?").empty());
  EXPECT_EQ(terms("The locks, the locking"), (std::vector<std::string>{"lock", "lock"}));
}

TEST(Analysis, IndexTermsAreDistinctAndAlphanumeric) {
  Item const item{.id = "best_practices_a34d4a18_20250902130927",
                  .category = "best_practices",
                  .source = "https://developer.example.com/guides/",
                  .content = "SQL Injection:\nsql injection & 'quotes' -- (C++) TLS1.3 | NOT AND \"x\" <-> café"};
  auto const list = split(index_terms(item));
  auto sorted = list;
  std::ranges::sort(sorted);
  EXPECT_EQ(std::ranges::adjacent_find(sorted), sorted.end());
  for (auto const& term : list) {
    EXPECT_FALSE(term.empty());
    EXPECT_TRUE(std::ranges::all_of(term, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }))
        << term;
  }
  for (auto const term : {"sql", "inject", "quot", "cplusplus", "tls1d3", "cafe", "practic", "guid", "exampl"}) {
    EXPECT_TRUE(has(list, term)) << term;
  }
  for (auto const term : {"a34d4a18", "20250902130927", "https", "com", "not", "and"})
    EXPECT_FALSE(has(list, term));
}

TEST(Analysis, IndexTermsStayUnderTheLimit) {
  std::string content;
  for (int i = 0; content.size() < 1'000'000; ++i)
    content += "word" + std::to_string(i) + "x ";
  auto const out = index_terms({.id = "a", .category = "b", .source = "c", .content = content});
  EXPECT_LE(out.size(), index_bytes_max);
  EXPECT_GT(out.size(), index_bytes_max - 100);
}

TEST(Analysis, EveryTermOfAQuestionFindsItsWord) {
  struct Case {
    std::string_view question, content;
  };
  for (auto const& [question, content] : {
           Case{"How do I stop SQL injection?", "Injections in SQL"},
           {"k8s?", "Kubernetes pods"},
           {"Kubernetes", "a k8s cluster"},
           {"what is ML", "machine learning"},
           {"machine learning", "an ML pipeline"},
           {"finetuning", "fine-tuning a model"},
           {"fine-tuning", "finetuning"},
           {"getUserName", "get_user_name"},
           {"Postgres", "PostgreSQL"},
           {"pg", "PostgreSQL"},
           {"C++", "modern c++"},
           {"TLS 1.3", "TLS1.3 handshake"},
           {"prevent it", "How to avoid"},
           {"Café", "cafes"},
       }) {
    auto const index = split(index_terms({.id = "x", .category = "y", .source = "", .content = content}));
    auto const query = query_terms(question);
    auto const found = std::ranges::any_of(query, [&](std::string const& term) { return has(index, term); });
    EXPECT_TRUE(found) << question << " | " << content;
  }
}

TEST(Analysis, QueryTermsAreDistinctAndBounded) {
  EXPECT_TRUE(query_terms("").empty());
  EXPECT_TRUE(query_terms("What is it, and how do you do that?").empty());
  EXPECT_TRUE(query_terms("?!*\"'()&|<->:").empty());
  EXPECT_EQ(query_terms("sql SQL Sql"), (std::vector<std::string>{"sql"}));
  // General words only when there is nothing else.
  EXPECT_TRUE(has(query_terms("best practices"), "best"));
  EXPECT_FALSE(has(query_terms("best practices for SQL"), "best"));
  std::string many;
  for (int i = 0; i < 10'000; ++i)
    many += "term" + std::to_string(i) + "q ";
  EXPECT_LE(query_terms(many).size(), query_terms_max);
  EXPECT_EQ(parse_question(many).concepts.size(), concepts_max);
}

TEST(Analysis, WeighsTheWordsOfAQuestion) {
  auto const weight = [](std::string_view question, std::string_view term) {
    for (auto const& each : parse_question(question).concepts) {
      if (each.alternatives.front().term == term)
        return each.weight;
    }
    return -1.0;
  };
  EXPECT_EQ(weight("explain sharding", "shard"), 1.0);
  EXPECT_LT(weight("explain sharding", "explain"), 0.5);
  EXPECT_EQ(weight("cheap sharding", "cheap"), 0.5);
  EXPECT_GT(weight("what about Lisbon", "lisbon"), 1.0);
  EXPECT_EQ(weight("Lisbon", "lisbon"), 1.0);  // The first word of a sentence has a capital anyway.
  EXPECT_EQ(weight("in 1974 snow", "1974"), 0.5);
  EXPECT_EQ(weight("choose k in k-means", "kmean"), 1.0);
  EXPECT_EQ(weight("choose k in k-means", "mean"), -1.0);
  EXPECT_EQ(weight("the sql", "the"), -1.0);
}

TEST(Analysis, ReadsPrintedValues) {
  EXPECT_EQ(readable(R"({'response': 'one\ntwo\n\n- three\tfour, it\'s'})"),
            "{'response': 'one\ntwo\n\n- three four, it's'}");
  // Code that mentions line breaks is no printed value.
  std::string const code = "puts(\"a\\n\");\nputs(\"b\\n\");\nputs(\"c\\n\");\n";
  EXPECT_EQ(readable(code), code);
  EXPECT_EQ(readable("one \\n only"), "one \\n only");
  EXPECT_EQ(readable("a\\nb\\nc\\nd\\"), "a\nb\nc\nd\\");
}

TEST(Analysis, FindsTitles) {
  EXPECT_EQ(title_of("\n## A title:\n\ntext"), "A title");
  EXPECT_EQ(title_of("One line"), "One line");
  EXPECT_EQ(title_of(std::string(200, 'x') + "\nmore"), "");
  EXPECT_EQ(title_of(""), "");
  EXPECT_EQ(title_of(" \n "), "");
}

TEST(Vocabulary, ListsDoNotContradictEachOther) {
  for (auto const& [brief, full] : abbreviations()) {
    EXPECT_FALSE(is_stop_word(brief)) << brief;
    EXPECT_FALSE(terms(full).empty()) << full;
    EXPECT_FALSE(terms(brief).empty()) << brief;
  }
  for (auto const group : related_words()) {
    for (auto const& word : split(group))
      EXPECT_FALSE(term_of(word).empty()) << word;
  }
  EXPECT_EQ(generality_of("best"), Generality::common);
  EXPECT_EQ(generality_of("cheap"), Generality::everyday);
  EXPECT_EQ(generality_of("kubernetes"), Generality::specific);
}

}  // namespace
}  // namespace al::text
