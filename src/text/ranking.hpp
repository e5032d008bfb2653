#pragma once
/// Chooses, among candidates that a database found by single terms, the items that answer a question, and the passages
/// of them to show. It sees only text, so it decides the same on every database. Pure functions; any thread.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "text/analysis.hpp"

namespace al::text {

/// How common terms are in the whole of the knowledge that was searched. What is left out is counted among the
/// candidates, which is exact as long as they are all items that hold any of the query's terms.
struct Corpus {
  std::int64_t documents = 0;                                          ///< items in all; 0 when not known
  std::unordered_map<std::string, std::int64_t> document_frequency{};  ///< by term
};

struct RankOptions {
  std::size_t hits_max = 8;
  std::size_t passages_max = 3;  ///< of one item
  /// A hit covers at least this share of what is asked: more than one of two equally rare words; two of three are
  /// enough.
  double coverage_min = 0.51;
  /// People ask in other words than texts are written in. A smaller share is enough where what matches is plainly the
  /// subject: a word of the title or of a label, or several words, with at least this score.
  double subject_coverage_min = 0.4;
  double subject_score_min = 2.2;
  /// Hits far below the best one are left out: a share of its score.
  double relative_score_min = 0.35;
};

struct PassageHit {
  std::string text;
  double score;
};

struct Hit {
  std::size_t candidate;             ///< index into the candidates
  double score;                      ///< comparable within one answer only
  double coverage;                   ///< 0 to 1: the share of the question's informative weight that it speaks of
  std::vector<PassageHit> passages;  ///< best first, never empty
};

/// The hits, best first; none when nothing is relevant. Equal and nearly equal items and passages come once, from the
/// best of them. In an item over 2,000 bytes, what is asked must be found close together, not anywhere.
[[nodiscard]] std::vector<Hit> rank(std::string_view question, std::span<Item const> candidates,
                                    Corpus const& corpus = {}, RankOptions const& options = {});

/// Tells whether nearly the same passage was there before: most of its runs of three words are.
class SeenPassages {
 public:
  /// Remembers it. False when it says nothing new.
  bool add(std::string_view passage);

 private:
  std::vector<std::unordered_set<std::uint64_t>> seen_;
};

}  // namespace al::text
