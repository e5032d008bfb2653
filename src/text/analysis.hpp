#pragma once
/// From text to terms: stems that compare equal when people mean the same word. Any thread; pure functions.

#include <string>
#include <string_view>
#include <vector>

namespace al::text {

/// What the search sees of a knowledge item. The views must outlive the call they are given to.
struct Item {
  std::string_view id;
  std::string_view category;
  std::string_view source;
  std::string_view content;
  double weight = 1.0;  ///< the item's own `relevance_score`, 0 to 100; 0 hides it
};

/// The stem of a word that Words gave, after levelling British and American spelling. Words with digits or letters
/// beyond ASCII stay as they are. Empty for stop words.
[[nodiscard]] std::string term_of(std::string_view folded);

/// The terms of a text in their order, with repetitions, without stop words.
[[nodiscard]] std::vector<std::string> terms(std::string_view text);

/// The distinct terms of an item, separated by blanks, for the database's full-text index. Every term is alphanumeric
/// (in the sense of Unicode), so it is safe in a query of FTS5 (lower case: no operator) and of tsquery. At most
/// `index_bytes_max` bytes, which a PostgreSQL tsvector (1 MiB) holds; what is beyond is not searchable.
[[nodiscard]] std::string index_terms(Item const&);
inline constexpr std::size_t index_bytes_max = 524'288;

/// The distinct terms to look a question up with: an item that holds none of them cannot be a hit. At most
/// `query_terms_max`; empty when the question consists of stop words.
[[nodiscard]] std::vector<std::string> query_terms(std::string_view question);
inline constexpr std::size_t query_terms_max = 64;

/// One thing that a question asks about, and the terms that show that a text speaks of it.
struct Concept {
  struct Alternative {
    std::string term;
    bool exact;  ///< the word itself or its abbreviation; false: a word that is merely used for it
  };
  std::vector<Alternative> alternatives;
  /// How much of the question's meaning it carries before rarity is known: 1, less for a general word ("best") or a
  /// part of an abbreviation, more for a name.
  double weight = 1.0;
};

struct Question {
  std::vector<Concept> concepts;
};
inline constexpr std::size_t concepts_max = 32;

/// Errors: none; words over the limits are left out.
[[nodiscard]] Question parse_question(std::string_view question);

/// The words of ids, categories and sources that mean something: hashes, dates and parts of URLs are dropped.
[[nodiscard]] std::vector<std::string> label_terms(std::string_view label);

/// A value that a program printed has its line breaks as `\n`; when a text has more of these than real ones, they are
/// turned into real ones, and `\'` `\"` `\t` likewise. Else the text as it is.
[[nodiscard]] std::string readable(std::string_view content);

/// The first line when it is short enough to be a heading (120 bytes), without its marks; else empty.
[[nodiscard]] std::string_view title_of(std::string_view content);

}  // namespace al::text
