#pragma once
/// What the search knows about English in advance. The lists are short on purpose: a word belongs here when it helps in
/// any field of knowledge, not because one question asked for it.

#include <span>
#include <string_view>

namespace al::text {

/// Function words and question words: they say nothing about what is asked.
[[nodiscard]] bool is_stop_word(std::string_view folded);

/// How much finding a word says. A knowledge base of three items cannot tell general words from rare ones by counting
/// them, so those are listed: matching them alone means little, and missing them means little too.
enum class Generality {
  common,    ///< "best", "use", "explain"
  everyday,  ///< verbs, adjectives and numbers of daily life: "build", "cheap", "twelve"
  specific,  ///< all others
};
[[nodiscard]] Generality generality_of(std::string_view folded);

/// The base form of an irregular one ("chose" to "choose"), which no stemmer finds; else the word itself.
[[nodiscard]] std::string_view base_form(std::string_view folded);

/// An abbreviation and what it stands for; a long form of several words has blanks.
struct Abbreviation {
  std::string_view brief, full;
};
[[nodiscard]] std::span<Abbreviation const> abbreviations();

/// Words, separated by blanks, that questions and texts use for one another. They are no synonyms in the strict sense,
/// so they count less than the word itself.
[[nodiscard]] std::span<std::string_view const> related_words();

}  // namespace al::text
