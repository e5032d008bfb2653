#include "providers/extractive.hpp"

#include <algorithm>
#include <utility>

#include "text/passages.hpp"
#include "text/ranking.hpp"

namespace al::providers {
namespace {

/// A passage cut to less than this says too little to be worth its number.
constexpr std::size_t worthwhile_bytes = 200;

/// A block of code that was cut needs its closing fence, or the rest of the answer would be code as well.
std::string closed(std::string_view passage, bool cut) {
  std::string out(passage);
  if (cut)
    out += " …";
  std::size_t fences = 0;
  for (auto at = out.find("```"); at != std::string::npos; at = out.find("```", at + 3))
    ++fences;
  if (fences % 2 == 1)
    out += "\n```";
  return out;
}

struct Chosen {
  std::size_t hit;
  std::size_t round;
  std::string passage;
};

/// Takes passages until the answer is full: first the best of each item, then their second ones, and so on, so that a
/// long item does not crowd out the others.
std::vector<Chosen> choose(Prompt const& prompt) {
  std::vector<Chosen> out;
  text::SeenPassages seen;
  std::size_t bytes = 0;
  std::size_t rounds = 0;
  for (auto const& hit : prompt.knowledge)
    rounds = std::max(rounds, hit.passages.size());
  for (std::size_t round = 0; round < std::min(rounds, passages_max); ++round) {
    for (std::size_t i = 0; i < prompt.knowledge.size() && out.size() < passages_max; ++i) {
      auto const& passages = prompt.knowledge[i].passages;
      if (round >= passages.size() || passages[round].empty())
        continue;
      auto const room = passage_bytes_max - bytes;
      auto const passage = text::shortened(passages[round], room);
      auto const cut = passage.size() < passages[round].size();
      if (passage.empty() || (cut && passage.size() < worthwhile_bytes) || !seen.add(passages[round]))
        continue;
      bytes += passage.size();
      out.push_back({i, round, closed(passage, cut)});
    }
  }
  std::ranges::sort(out, {}, [](Chosen const& chosen) { return std::pair(chosen.hit, chosen.round); });
  return out;
}

std::string const& name_of(model::Agent const& agent) { return agent.name.empty() ? agent.id.value : agent.name; }

std::string nothing_found(Prompt const& prompt) {
  return "Nothing was found: the knowledge of " + name_of(prompt.agent) +
         " says nothing about this.\n\n"
         "It answers without a model, from that knowledge alone. Add knowledge about it to the agent, or let a model "
         "answer.";
}

}  // namespace

std::string heading(std::string_view source, KnowledgeId const& id, std::string_view category) {
  std::string out(text::shortened(source.empty() ? std::string_view(id.value) : source, 200));
  if (!category.empty())
    out.append(" (").append(category).append(")");
  std::ranges::replace(out, '\n', ' ');
  std::ranges::replace(out, '\r', ' ');
  return out;
}

Answer extract(Prompt const& prompt) {
  Answer out;
  out.provider = "extractive";
  auto chosen = choose(prompt);
  if (chosen.empty()) {
    out.text = nothing_found(prompt);
    return out;
  }
  out.found = true;
  out.text = "From the knowledge of " + name_of(prompt.agent) +
             ", quoted as it stands; no model wrote or checked this answer.";
  auto previous = prompt.knowledge.size();
  for (auto& [index, round, passage] : chosen) {
    auto const& hit = prompt.knowledge[index];
    if (index != previous)
      out.text += "\n\n**" + heading(hit.item.source, hit.item.id, hit.item.category) + "**";
    previous = index;
    out.text += "\n\n[" + std::to_string(out.sources.size() + 1) + "] " + passage;
    out.sources.push_back(
        {hit.item.id, hit.item.agent_id, hit.item.source, hit.item.category, hit.score, std::move(passage)});
  }
  return out;
}

}  // namespace al::providers
