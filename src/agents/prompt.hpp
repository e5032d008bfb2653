#pragma once
/// The words that a model is given. Pure.

#include <string>
#include <vector>

#include "agents/settings.hpp"
#include "data/knowledge_store.hpp"
#include "model/agent.hpp"
#include "providers/answer.hpp"

namespace al::agents {

/// Who the agent is and how it cites.
[[nodiscard]] std::string system_prompt(model::Agent const&, Settings const&);

/// The best passages of `matches`, at most `passages_max` and so many bytes; each is one numbered source.
[[nodiscard]] std::vector<providers::Citation> citations(std::vector<data::KnowledgeMatch> const& matches,
                                                         std::size_t passages_max, std::size_t bytes_max);

/// "[3] source (category)\npassage" for each, numbered from `first`.
[[nodiscard]] std::string quote(std::vector<providers::Citation> const&, std::size_t first);

/// The passages, the context and what is asked.
[[nodiscard]] std::string user_prompt(std::string const& text, Document const& context,
                                      std::vector<providers::Citation> const& sources);

/// The numbers from 1 to `sources` that `text` refers to as [n].
[[nodiscard]] std::vector<std::size_t> cited(std::string_view text, std::size_t sources);

}  // namespace al::agents
