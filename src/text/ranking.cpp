#include "text/ranking.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "text/passages.hpp"
#include "text/words.hpp"

namespace al::text {
namespace {

// Saturation and length normalisation of BM25. The length is that of a window, so it is known without an average over
// the corpus, which a truncated list of candidates could not give.
constexpr double k1 = 1.2;
constexpr double b = 0.4;
constexpr double typical_bytes = 800;
constexpr std::size_t window_bytes = 2'000;
// What a word counts in the title and in the labels (id, category, source), against one in the text.
constexpr double title_boost = 2.5;
constexpr double label_boost = 1.0;
constexpr double loose_share = 0.6;
constexpr double label_share = 0.7;
/// The share of the smaller weight that two neighbouring words of the question earn by standing together.
constexpr double pair_bonus = 0.5;
constexpr std::uint32_t pair_distance = 3;
/// As many items without any of the words are added to every corpus, so that in one of three items a word that occurs
/// in one of them is rare, not average.
constexpr double imagined_documents = 20;
/// Above it, rarer says nothing more: in a corpus of a million items one unknown word would else outweigh all others.
constexpr double idf_max = 9;
/// General words alone do not reach it, two words of daily life do.
constexpr double specific_min = 0.7;
/// What a word of daily life counts at least.
constexpr double everyday_min = 0.5;
constexpr double passage_relative_min = 0.4;
constexpr double same_share = 0.8;

enum class Place : std::uint8_t { body, title, label };

struct Match {
  std::size_t at;
  std::uint32_t position;
  std::uint16_t feature;  ///< a concept; from concepts.size() on: concept i and i + 1 side by side
  bool exact;
};

/// The terms of the question, for looking at each word of a text as cheaply as possible.
class Matcher {
 public:
  explicit Matcher(Question const& question) {
    for (std::size_t i = 0; i < question.concepts.size(); ++i) {
      for (auto const& [term, exact] : question.concepts[i].alternatives) {
        targets_[term].push_back({static_cast<std::uint16_t>(i), exact});
        // Stemming changes endings only ("dying" to "die" keeps one letter), so most words fail here.
        if (!term.empty())
          first_[static_cast<unsigned char>(term[0])] = true;
      }
    }
  }

  void find(std::string_view text, std::vector<Match>& out) {
    Words words(text);
    for (Word word; words.next(word);) {
      if (!first_[static_cast<unsigned char>(word.folded[0])])
        continue;
      auto const* found = look_up(word.folded);
      if (found == nullptr)
        continue;
      for (auto const& [index, exact] : *found)
        out.push_back({word.begin, word.position, index, exact});
    }
  }

  void find_label(std::string_view label, std::vector<Match>& out) const {
    for (auto const& term : label_terms(label)) {
      auto const found = targets_.find(term);
      if (found == targets_.end())
        continue;
      for (auto const& [index, exact] : found->second)
        out.push_back({0, 0, index, exact});
    }
  }

 private:
  struct Target {
    std::uint16_t index;
    bool exact;
  };
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };

  std::vector<Target> const* look_up(std::string_view folded) {
    if (auto const known = stemmed_.find(folded); known != stemmed_.end())
      return known->second;
    auto const found = targets_.find(term_of(folded));
    auto const* out = found == targets_.end() ? nullptr : &found->second;
    stemmed_.emplace(folded, out);
    return out;
  }

  std::unordered_map<std::string, std::vector<Target>, Hash, std::equal_to<>> targets_;
  std::unordered_map<std::string, std::vector<Target> const*, Hash, std::equal_to<>> stemmed_;
  std::array<bool, 256> first_{};
};

/// Adds a match for each two neighbouring concepts of the question that stand close together in the text.
void add_pairs(std::vector<Match>& matches, std::size_t concepts) {
  auto const count = matches.size();
  for (std::size_t i = 0; i + 1 < count; ++i) {
    for (auto k = i + 1; k < count && matches[k].position - matches[i].position <= pair_distance; ++k) {
      auto const low = std::min(matches[i].feature, matches[k].feature);
      auto const high = std::max(matches[i].feature, matches[k].feature);
      if (high != low + 1)
        continue;
      auto const feature = static_cast<std::uint16_t>(concepts + low);
      matches.push_back({matches[k].at, matches[k].position, feature, matches[i].exact && matches[k].exact});
    }
  }
  std::ranges::sort(matches, {}, [](Match const& m) { return std::pair(m.at, m.feature); });
}

/// How often each feature occurs in a piece of text.
struct Tally {
  std::vector<std::uint32_t> exact, loose;
  explicit Tally(std::size_t features) : exact(features), loose(features) {}
  void add(Match const& m) { ++(m.exact ? exact : loose)[m.feature]; }
  void remove(Match const& m) { --(m.exact ? exact : loose)[m.feature]; }
  [[nodiscard]] double frequency(std::size_t i) const { return exact[i] + loose_share * loose[i]; }
  [[nodiscard]] double share(std::size_t i) const { return exact[i] > 0 ? 1 : loose[i] > 0 ? loose_share : 0; }
};

struct Scored {
  double score = 0;
  double coverage = 0;
  double specific = 0;      ///< the weights, without rarity, of what was found
  bool on_subject = false;  ///< a specific word stands in the title or a label
};

/// A candidate and where the question's words stand in it.
struct Looked {
  std::size_t candidate = 0;
  std::string content;
  std::vector<std::string_view> pieces;  ///< empty when the content is one window
  std::vector<Match> matches;            ///< of the content
  Tally title, label;
  Scored best;
  explicit Looked(std::size_t features) : title(features), label(features) {}
};

class Ranking {
 public:
  Ranking(std::string_view question, std::span<Item const> items, Corpus const& corpus, RankOptions const& options)
      : question_(parse_question(question)), items_(items), options_(options), matcher_(question_) {
    auto const concepts = question_.concepts.size();
    features_ = concepts == 0 ? 0 : 2 * concepts - 1;
    if (concepts == 0)
      return;
    needed_ = needed_of(question_);
    looked_.reserve(items.size());
    for (std::size_t i = 0; i < items.size(); ++i)
      look_at(i);
    weigh(corpus);
  }

  std::vector<Hit> run() {
    std::vector<Hit> out;
    if (total_weight_ <= 0)
      return out;
    for (auto& each : looked_)
      each.best = best_window(each);
    std::erase_if(looked_, [&](Looked const& each) { return !passes(each.best); });
    std::ranges::sort(looked_, {}, [](Looked const& each) { return std::pair(-each.best.score, each.candidate); });
    SeenPassages seen;
    for (auto const& each : looked_) {
      if (out.size() == options_.hits_max)
        break;
      if (!out.empty() && each.best.score < options_.relative_score_min * out.front().score)
        break;
      Hit hit{each.candidate, each.best.score, each.best.coverage, {}};
      for (auto& passage : best_passages(each)) {
        if (hit.passages.size() < options_.passages_max && seen.add(passage.text)) {
          hit.passages.push_back(std::move(passage));
        }
      }
      if (!hit.passages.empty())
        out.push_back(std::move(hit));
    }
    return out;
  }

 private:
  /// What must be found at least, without rarity. "How do I print?" has nothing but a word of daily life: then that is
  /// asked for. General words alone ask for nothing.
  static double needed_of(Question const& question) {
    double asked = 0;
    bool has_everyday = false;
    for (auto const& each : question.concepts) {
      asked += each.weight;
      has_everyday = has_everyday || each.weight >= everyday_min;
    }
    return has_everyday ? std::min(specific_min, asked) : specific_min;
  }

  void look_at(std::size_t index) {
    auto const& item = items_[index];
    if (!(item.weight > 0))
      return;
    Looked out(features_);
    out.candidate = index;
    out.content = readable(item.content);
    matcher_.find(out.content, out.matches);
    std::vector<Match> labels;
    for (auto const label : {item.id, item.category, item.source})
      matcher_.find_label(label, labels);
    if (out.matches.empty() && labels.empty())
      return;
    add_pairs(out.matches, question_.concepts.size());
    auto const title = title_of(out.content);
    auto const title_end =
        title.empty() ? 0 : static_cast<std::size_t>(title.data() + title.size() - out.content.data());
    for (auto const& match : out.matches) {
      if (match.at < title_end)
        out.title.add(match);
    }
    for (auto const& match : labels)
      out.label.add(match);
    if (out.content.size() > window_bytes)
      out.pieces = passages(out.content);
    looked_.push_back(std::move(out));
  }

  /// Gives each concept its weight: its share of the question times its rarity.
  void weigh(Corpus const& corpus) {
    auto const concepts = question_.concepts.size();
    auto const documents =
        imagined_documents + static_cast<double>(std::max(corpus.documents, static_cast<std::int64_t>(items_.size())));
    weights_.assign(features_, 0);
    for (std::size_t i = 0; i < concepts; ++i) {
      auto const frequency = std::min(document_frequency(i, corpus), documents);
      auto const idf = std::log1p((documents - frequency + 0.5) / (frequency + 0.5));
      weights_[i] = question_.concepts[i].weight * std::min(idf, idf_max);
      total_weight_ += weights_[i];
    }
    for (std::size_t i = 0; i + 1 < concepts; ++i) {
      weights_[concepts + i] = pair_bonus * std::min(weights_[i], weights_[i + 1]);
    }
  }

  double document_frequency(std::size_t feature, Corpus const& corpus) const {
    std::int64_t known = 0;
    for (auto const& [term, exact] : question_.concepts[feature].alternatives) {
      auto const found = exact ? corpus.document_frequency.find(term) : corpus.document_frequency.end();
      if (found != corpus.document_frequency.end())
        known = std::max(known, found->second);
    }
    std::int64_t seen = 0;
    for (auto const& each : looked_) {
      auto const here = [&](Match const& match) { return match.feature == feature && match.exact; };
      if (each.label.exact[feature] > 0 || std::ranges::any_of(each.matches, here))
        ++seen;
    }
    return static_cast<double>(std::max(known, seen));
  }

  /// The best stretch of neighbouring passages that a reader takes in at once.
  Scored best_window(Looked const& each) const {
    Tally tally(features_);
    auto const factor = weight_factor(items_[each.candidate].weight);
    if (each.pieces.empty()) {
      for (auto const& match : each.matches)
        tally.add(match);
      auto out = score(tally, each, each.content.size());
      out.score *= factor;
      return out;
    }
    Scored best;
    std::size_t first = 0;
    std::size_t leaving = 0;
    std::size_t entering = 0;
    auto const* const start = each.content.data();
    for (auto const& piece : each.pieces) {
      auto const end = static_cast<std::size_t>(piece.data() + piece.size() - start);
      while (entering < each.matches.size() && each.matches[entering].at < end)
        tally.add(each.matches[entering++]);
      auto begin = static_cast<std::size_t>(each.pieces[first].data() - start);
      while (end - begin > window_bytes && each.pieces[first].data() != piece.data()) {
        begin = static_cast<std::size_t>(each.pieces[++first].data() - start);
        while (leaving < entering && each.matches[leaving].at < begin)
          tally.remove(each.matches[leaving++]);
      }
      auto const here = score(tally, each, end - begin);
      if (here.score > best.score)
        best = here;
    }
    best.score *= factor;
    return best;
  }

  Scored score(Tally const& body, Looked const& each, std::size_t bytes) const {
    auto const concepts = question_.concepts.size();
    auto const length = 1 - b + b * static_cast<double>(bytes) / typical_bytes;
    Scored out;
    double covered = 0;
    for (std::size_t i = 0; i < features_; ++i) {
      auto const frequency =
          body.frequency(i) / length + title_boost * each.title.frequency(i) + label_boost * each.label.frequency(i);
      if (frequency <= 0)
        continue;
      out.score += weights_[i] * frequency * (k1 + 1) / (frequency + k1);
      if (i >= concepts)
        continue;
      auto const share = std::max({body.share(i), each.title.share(i), label_share * each.label.share(i)});
      covered += weights_[i] * share;
      auto const weight = question_.concepts[i].weight;
      out.specific += weight * share;
      out.on_subject = out.on_subject || (weight >= specific_min && each.title.share(i) + each.label.share(i) > 0);
    }
    out.coverage = covered / total_weight_;
    out.score *= 0.3 + 0.7 * out.coverage;
    return out;
  }

  bool passes(Scored const& best) const {
    if (best.specific < needed_)
      return false;
    if (best.coverage >= options_.coverage_min)
      return true;
    return best.coverage >= options_.subject_coverage_min && best.score >= options_.subject_score_min &&
           (best.on_subject || best.specific >= 2 * specific_min);
  }

  /// A weight over 1 lifts an item gently, so that it cannot bury all others; one below 1 lowers it in proportion.
  static double weight_factor(double weight) { return weight <= 1 ? weight : 1 + std::log2(weight) / 4; }

  std::vector<PassageHit> best_passages(Looked const& each) const {
    auto const pieces = each.pieces.empty() ? passages(each.content) : each.pieces;
    std::vector<PassageHit> out;
    std::size_t next = 0;
    Looked const nothing(features_);
    for (auto const piece : pieces) {
      Tally tally(features_);
      auto const end = static_cast<std::size_t>(piece.data() + piece.size() - each.content.data());
      for (; next < each.matches.size() && each.matches[next].at < end; ++next)
        tally.add(each.matches[next]);
      auto const here = score(tally, nothing, piece.size()).score;
      if (here > 0)
        out.push_back({std::string(piece), here});
    }
    // Found by its labels alone: its beginning says best what it is about.
    if (out.empty() && !pieces.empty())
      out.push_back({std::string(pieces.front()), each.best.score});
    std::ranges::sort(out, {}, [](PassageHit const& p) { return std::pair(-p.score, std::string_view(p.text)); });
    std::erase_if(out, [&](PassageHit const& p) { return p.score < passage_relative_min * out.front().score; });
    return out;
  }

  Question question_;
  std::span<Item const> items_;
  RankOptions options_;
  Matcher matcher_;
  std::size_t features_ = 0;
  std::vector<double> weights_;
  double total_weight_ = 0;
  double needed_ = specific_min;
  std::vector<Looked> looked_;
};

}  // namespace

std::vector<Hit> rank(std::string_view question, std::span<Item const> candidates, Corpus const& corpus,
                      RankOptions const& options) {
  return Ranking(question, candidates, corpus, options).run();
}

bool SeenPassages::add(std::string_view passage) {
  std::unordered_set<std::uint64_t> shingles;
  std::array<std::uint64_t, 3> last{};
  std::size_t count = 0;
  Words words(passage);
  for (Word word; words.next(word);) {
    last = {last[1], last[2], std::hash<std::string_view>{}(word.folded)};
    if (++count >= last.size())
      shingles.insert((last[0] * 31 + last[1]) * 31 + last[2]);
  }
  // Shorter than one shingle: its words are all there is to compare.
  if (shingles.empty())
    shingles.insert((last[0] * 31 + last[1]) * 31 + last[2]);
  for (auto const& old : seen_) {
    auto const known = std::ranges::count_if(shingles, [&](std::uint64_t s) { return old.contains(s); });
    if (static_cast<double>(known) >= same_share * static_cast<double>(shingles.size()))
      return false;
  }
  seen_.push_back(std::move(shingles));
  return true;
}

}  // namespace al::text
