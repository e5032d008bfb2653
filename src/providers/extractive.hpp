#pragma once
#include "providers/answer.hpp"

namespace al::providers {

/// Answers with the most relevant passages of the agent's knowledge, quoted and numbered. It is retrieval and says so;
/// with nothing relevant it says that nothing was found. Pure.
[[nodiscard]] Answer extract(Prompt const&);

/// Where a passage comes from, as one line: imported items may have line breaks in their names.
[[nodiscard]] std::string heading(std::string_view source, KnowledgeId const&, std::string_view category);

/// At most so many passages, and bytes of them together, make an answer.
inline constexpr std::size_t passages_max = 4;
inline constexpr std::size_t passage_bytes_max = 2'500;

}  // namespace al::providers
