#include "text/analysis.hpp"

#include <libstemmer.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <stdexcept>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "text/vocabulary.hpp"
#include "text/words.hpp"

namespace al::text {
namespace {

constexpr double common_weight = 0.25;
constexpr double everyday_weight = 0.5;
constexpr double name_weight = 1.4;
constexpr double term_weight = 1.5;  ///< of an abbreviation, shared by the words it stands for
constexpr std::size_t join_bytes_max = 10;
constexpr std::size_t title_bytes_max = 120;

bool contains(auto const& list, auto const& value) { return std::ranges::find(list, value) != std::ranges::end(list); }

/// Snowball's English stemmer. A handle serves one thread at a time, so each thread has its own.
class Stemmer {
 public:
  Stemmer() : handle_(sb_stemmer_new("english", "UTF_8")) {
    if (!handle_)
      throw std::runtime_error("libstemmer has no English stemmer");
  }
  std::string_view stem(std::string_view word) {
    auto const* out =
        sb_stemmer_stem(handle_.get(), reinterpret_cast<sb_symbol const*>(word.data()), static_cast<int>(word.size()));
    if (out == nullptr)
      throw std::bad_alloc();
    return {reinterpret_cast<char const*>(out), static_cast<std::size_t>(sb_stemmer_length(handle_.get()))};
  }

 private:
  struct Delete {
    void operator()(sb_stemmer* handle) const { sb_stemmer_delete(handle); }
  };
  std::unique_ptr<sb_stemmer, Delete> handle_;
};

// Their stems would be other words.
constexpr auto unstemmed = std::to_array<std::string_view>({
    "aws",
    "businesses",
    "business",
    "ios",
    "news",
    "united",
    "universal",
    "universe",
    "university",
});

/// American spelling of the endings that differ. It need not be right for every word ("promize"), since questions and
/// texts go through it alike.
std::string level_spelling(std::string_view word) {
  std::string out(word);
  constexpr auto endings = std::to_array<std::pair<std::string_view, std::string_view>>({
      {"isation", "ization"},
      {"isations", "izations"},
      {"ised", "ized"},
      {"ises", "izes"},
      {"ising", "izing"},
      {"iser", "izer"},
      {"isers", "izers"},
      {"ise", "ize"},
      {"our", "or"},
      {"ours", "ors"},
      {"elled", "eled"},
      {"elling", "eling"},
      {"yse", "yze"},
      {"ysed", "yzed"},
      {"ysing", "yzing"},
      {"tre", "ter"},
      {"ogue", "og"},
      {"ogues", "ogs"},
  });
  for (auto const& [british, american] : endings) {
    if (out.size() < british.size() + 3 || !out.ends_with(british))
      continue;
    out.replace(out.size() - british.size(), british.size(), american);
    break;
  }
  return out;
}

std::string stem_of(std::string_view folded) {
  auto const letters = std::ranges::all_of(folded, [](char c) { return c >= 'a' && c <= 'z'; });
  if (!letters || folded.size() < 3 || contains(unstemmed, folded))
    return std::string(folded);
  thread_local Stemmer stemmer;
  return std::string(stemmer.stem(level_spelling(base_form(folded))));
}

std::string_view trim(std::string_view text, std::string_view blanks = " \t\r\n") {
  auto const begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos)
    return {};
  return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

std::vector<std::string> split(std::string_view phrase) {
  std::vector<std::string> out;
  Words words(phrase);
  for (Word word; words.next(word);) {
    if (!word.whole)
      out.emplace_back(word.folded);
  }
  return out;
}

/// The tables of vocabulary.hpp, stemmed and turned around for look-up.
struct Lexicon {
  struct Phrase {
    std::vector<std::string> stems;
    std::string brief;
  };
  std::unordered_multimap<std::string, std::size_t> by_brief;  // into phrases
  std::unordered_multimap<std::string, std::size_t> by_first;  // first stem -> phrases
  std::vector<Phrase> phrases;
  std::unordered_map<std::string, std::vector<std::string>> related;

  Lexicon() {
    for (auto const& [brief, full] : abbreviations()) {
      Phrase phrase;
      for (auto const& word : split(full)) {
        if (!is_stop_word(word))
          phrase.stems.push_back(stem_of(word));
      }
      phrase.brief = stem_of(brief);
      by_brief.emplace(phrase.brief, phrases.size());
      by_first.emplace(phrase.stems.front(), phrases.size());
      phrases.push_back(std::move(phrase));
    }
    for (auto const group : related_words()) {
      std::vector<std::string> stems;
      for (auto const& word : split(group))
        stems.push_back(stem_of(word));
      for (auto const& stem : stems) {
        auto& others = related[stem];
        for (auto const& other : stems) {
          if (other != stem && !contains(others, other))
            others.push_back(other);
        }
      }
    }
  }
};

Lexicon const& lexicon() {
  static Lexicon const out;
  return out;
}

/// A word of the question on its way to a concept.
struct Asked {
  std::string stem;
  double weight;
  std::vector<Concept::Alternative> also;  // joined forms and abbreviations
};

/// True when most words begin with a capital, so that capitals mark no names.
bool is_title_case(std::string_view question) {
  std::size_t capitals = 0;
  std::size_t all = 0;
  Words words(question);
  for (Word word; words.next(word); ++all)
    capitals += word.capital ? 1 : 0;
  return capitals * 2 > all;
}

double weight_of(Word const& word, bool is_name) {
  // "Go" is a language where "go" is nothing.
  auto const generality = generality_of(word.folded);
  if (is_name && generality != Generality::specific)
    return 1.0;
  switch (generality) {
    case Generality::common:
      return common_weight;
    case Generality::everyday:
      return everyday_weight;
    case Generality::specific:
      break;
  }
  if (std::ranges::all_of(word.folded, [](char c) { return c >= '0' && c <= '9'; }))
    return everyday_weight;
  return is_name ? name_weight : 1.0;
}

/// "fine-tuning" is asked for by its parts; a text that writes it as one word has both. Where one part is a single
/// letter ("k-means"), the other does not say what is meant. False when no part was kept.
bool add_whole(std::vector<Asked>& asked, std::vector<std::uint32_t> const& positions, Word const& word,
               std::string const& term) {
  std::vector<std::size_t> parts;
  for (std::size_t i = 0; i < asked.size(); ++i) {
    if (positions[i] == word.position || positions[i] == word.position + 1)
      parts.push_back(i);
  }
  if (parts.size() == 1) {
    auto& only = asked[parts.front()];
    only.also.push_back({std::exchange(only.stem, term), false});
    only.weight = 1.0;
  } else {
    for (auto const i : parts)
      asked[i].also.push_back({term, true});
  }
  return !parts.empty();
}

std::vector<Asked> asked_words(std::string_view question) {
  std::vector<Asked> out;
  std::vector<std::uint32_t> positions;
  auto const title_case = is_title_case(question);
  std::string previous;
  std::uint32_t previous_position = 0;
  auto first = true;
  Words words(question);
  for (Word word; words.next(word); first = false) {
    // "roll back" is also written "rollback", "set up" "setup"; what is no word finds nothing.
    std::string joined;
    if (!word.whole) {
      auto const adjacent = !previous.empty() && previous != word.folded && word.position == previous_position + 1;
      if (adjacent && word.folded.size() <= join_bytes_max)
        joined = stem_of(previous + std::string(word.folded));
      if (!joined.empty() && !out.empty() && positions.back() == previous_position) {
        out.back().also.push_back({joined, true});
      }
      previous = word.folded.size() <= join_bytes_max ? std::string(word.folded) : std::string();
      previous_position = word.position;
    }
    auto term = term_of(word.folded);
    if (term.empty())
      continue;
    if (word.whole && add_whole(out, positions, word, term))
      continue;
    if (out.size() == concepts_max)
      break;
    out.push_back({std::move(term), weight_of(word, word.capital && !first && !title_case), {}});
    positions.push_back(word.position);
    if (!joined.empty())
      out.back().also.push_back({std::move(joined), true});
  }
  return out;
}

/// Recognises "machine learning" and lets each of its words be found as "ml" too.
void add_abbreviations(std::vector<Asked>& asked) {
  auto const& known = lexicon();
  for (std::size_t i = 0; i < asked.size(); ++i) {
    auto const [begin, end] = known.by_first.equal_range(asked[i].stem);
    for (auto found = begin; found != end; ++found) {
      auto const& phrase = known.phrases[found->second];
      if (i + phrase.stems.size() > asked.size())
        continue;
      auto const same =
          std::ranges::equal(phrase.stems, std::span(asked).subspan(i, phrase.stems.size()), {}, {}, &Asked::stem);
      if (!same)
        continue;
      for (std::size_t k = 0; k < phrase.stems.size(); ++k) {
        asked[i + k].also.push_back({phrase.brief, true});
        // Together they are one term, in which a general word is not general: "single sign-on".
        asked[i + k].weight = term_weight / static_cast<double>(phrase.stems.size());
      }
    }
  }
}

void add(Question& question, Concept next) {
  auto const& term = next.alternatives.front().term;
  for (auto const& old : question.concepts) {
    if (old.alternatives.front().term == term)
      return;
  }
  if (question.concepts.size() < concepts_max)
    question.concepts.push_back(std::move(next));
}

/// An abbreviation becomes the words that it stands for, each of which may also appear as the abbreviation.
bool add_expansion(Question& question, Asked const& word) {
  auto const& known = lexicon();
  auto const [begin, end] = known.by_brief.equal_range(word.stem);
  if (begin == end)
    return false;
  Concept single{{{word.stem, true}}, word.weight};
  Lexicon::Phrase const* longest = nullptr;
  for (auto found = begin; found != end; ++found) {
    auto const& phrase = known.phrases[found->second];
    if (phrase.stems.size() == 1) {
      single.alternatives.push_back({phrase.stems.front(), true});
    } else {
      longest = &phrase;
    }
  }
  if (longest == nullptr || single.alternatives.size() > 1) {
    for (auto const& also : word.also)
      single.alternatives.push_back(also);
    add(question, std::move(single));
    return true;
  }
  for (auto const& stem : longest->stems) {
    auto const weight = term_weight / static_cast<double>(longest->stems.size());
    add(question, {{{stem, true}, {word.stem, true}}, weight});
  }
  return true;
}

/// True when more line breaks are written as `\n` than are there.
bool is_printed_value(std::string_view content) {
  std::size_t escaped = 0;
  for (auto at = content.find("\\n"); at != std::string_view::npos; at = content.find("\\n", at + 2))
    ++escaped;
  return escaped >= 3 && escaped > static_cast<std::size_t>(std::ranges::count(content, '\n'));
}

}  // namespace

std::string term_of(std::string_view folded) {
  if (is_stop_word(folded))
    return {};
  return stem_of(folded);
}

std::vector<std::string> terms(std::string_view text) {
  std::vector<std::string> out;
  Words words(text);
  for (Word word; words.next(word);) {
    if (auto term = term_of(word.folded); !term.empty())
      out.push_back(std::move(term));
  }
  return out;
}

std::string index_terms(Item const& item) {
  std::string out;
  std::unordered_set<std::string> seen;
  auto const add_term = [&](std::string term) {
    if (term.empty() || out.size() + term.size() + 1 > index_bytes_max)
      return;
    auto const [place, fresh] = seen.insert(std::move(term));
    if (!fresh)
      return;
    if (!out.empty())
      out += ' ';
    out += *place;
  };
  for (auto const label : {item.id, item.category, item.source}) {
    for (auto& term : label_terms(label))
      add_term(std::move(term));
  }
  auto const content = readable(item.content);
  std::unordered_set<std::string> written;
  Words words(content);
  for (Word word; words.next(word);) {
    // Most words of a text are repetitions; they need no stemming.
    if (written.emplace(word.folded).second)
      add_term(term_of(word.folded));
  }
  return out;
}

Question parse_question(std::string_view question) {
  Question out;
  auto asked = asked_words(question);
  add_abbreviations(asked);
  auto const& known = lexicon();
  for (auto const& word : asked) {
    if (add_expansion(out, word))
      continue;
    Concept next{{{word.stem, true}}, word.weight};
    for (auto const& also : word.also)
      next.alternatives.push_back(also);
    if (auto const related = known.related.find(word.stem); related != known.related.end()) {
      for (auto const& other : related->second)
        next.alternatives.push_back({other, false});
    }
    add(out, std::move(next));
  }
  return out;
}

std::vector<std::string> query_terms(std::string_view question) {
  auto const parsed = parse_question(question);
  auto const general = [](Concept const& c) { return c.weight <= common_weight; };
  // General words would make nearly every item a candidate, and cannot make a hit beside others.
  auto const only_general = std::ranges::all_of(parsed.concepts, general);
  std::vector<std::string> out;
  for (auto const exact : {true, false}) {
    for (auto const& each : parsed.concepts) {
      if (general(each) && !only_general)
        continue;
      for (auto const& [term, is_exact] : each.alternatives) {
        if (is_exact != exact || out.size() == query_terms_max || contains(out, term))
          continue;
        out.push_back(term);
      }
    }
  }
  return out;
}

std::vector<std::string> label_terms(std::string_view label) {
  constexpr auto empty_words = std::to_array<std::string_view>(
      {"com", "html", "http", "https", "index", "interaction", "io", "manual", "net", "org", "www"});
  std::vector<std::string> out;
  Words words(label);
  for (Word word; words.next(word);) {
    auto const digits = std::ranges::count_if(word.folded, [](char c) { return c >= '0' && c <= '9'; });
    auto const hash = digits > 0 && word.folded.size() >= 6;
    if (hash || std::cmp_equal(digits, word.folded.size()) || contains(empty_words, word.folded))
      continue;
    if (auto term = term_of(word.folded); !term.empty())
      out.push_back(std::move(term));
  }
  return out;
}

std::string readable(std::string_view content) {
  if (!is_printed_value(content))
    return std::string(content);
  std::string out;
  out.reserve(content.size());
  for (std::size_t i = 0; i < content.size(); ++i) {
    auto const next = i + 1 < content.size() ? content[i + 1] : '\0';
    auto const escaped = content[i] == '\\' && next != '\0' && std::string_view("nrt'\"\\").contains(next);
    if (!escaped) {
      out += content[i];
      continue;
    }
    ++i;
    if (next != 'r')
      out += next == 'n' ? '\n' : next == 't' ? ' ' : next;
  }
  return out;
}

std::string_view title_of(std::string_view content) {
  auto const begin = content.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos)
    return {};
  auto const line = content.substr(begin, content.find('\n', begin) - begin);
  if (line.size() > title_bytes_max)
    return {};
  return trim(line, " \t\r\n#*=:");
}

}  // namespace al::text
