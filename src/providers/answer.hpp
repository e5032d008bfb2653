#pragma once
/// An answer and what it rests on, whoever gave it: a model behind an API, or the agent's knowledge alone.

#include <boost/describe.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/entity.hpp"
#include "core/value.hpp"
#include "model/agent.hpp"
#include "model/knowledge.hpp"

namespace al::providers {

/// An item that the search found relevant, and the passages of it that say why, best first.
struct KnowledgeHit {
  model::Knowledge item;
  double score = 0;
  std::vector<std::string> passages;
};

/// All that an answer is made from.
struct Prompt {
  model::Agent agent;
  std::string task;
  std::vector<KnowledgeHit> knowledge;  ///< best first
};

/// A passage that an answer rests on. Its place in `Answer::sources`, counted from 1, is its number in the text.
struct Citation {
  KnowledgeId knowledge_id;
  AgentId agent_id;
  std::string source;
  std::string category;
  double score = 0;
  std::string passage;
};
BOOST_DESCRIBE_STRUCT(Citation, (), (knowledge_id, agent_id, source, category, score, passage))

constexpr auto describe(std::type_identity<Citation>) {
  return entity::about("Citation", "", "A passage of knowledge that an answer rests on.",
                       entity::field<&Citation::knowledge_id>("The item."),
                       entity::field<&Citation::agent_id>("Whose knowledge it is."),
                       entity::field<&Citation::source>("Where the item comes from."),
                       entity::field<&Citation::category>("Its category."),
                       entity::field<&Citation::score>("How well the item fits; comparable within one answer only."),
                       entity::field<&Citation::passage>("The text that was used."));
}

/// What a provider answered; the task's `result`.
struct Answer {
  std::string text;
  std::string provider;
  std::string model;
  bool found = false;
  std::vector<Citation> sources;
  std::int64_t input_tokens = 0;
  std::int64_t output_tokens = 0;
  std::int64_t steps = 0;
  std::string finish;
  std::optional<Document> output;
};
BOOST_DESCRIBE_STRUCT(Answer, (),
                      (text, provider, model, found, sources, input_tokens, output_tokens, steps, finish, output))

constexpr auto describe(std::type_identity<Answer>) {
  return entity::about(
      "Answer", "", "An agent's answer to a task.",
      entity::field<&Answer::text>("The answer in Markdown; [1], [2] refer to `sources`."),
      entity::field<&Answer::provider>("Who made it: `extractive` quotes the agent's knowledge, others are models."),
      entity::field<&Answer::model>("The model that was used; empty when there was none."),
      entity::field<&Answer::found>("False when the agent's knowledge says nothing about it."),
      entity::field<&Answer::sources>("The passages that were at hand, in the order of their numbers."),
      entity::field<&Answer::input_tokens>("Tokens the model read; 0 without a model."),
      entity::field<&Answer::output_tokens>("Tokens the model wrote; 0 without a model."),
      entity::field<&Answer::steps>("How often the model was asked; 0 without a model."),
      entity::field<&Answer::finish>("Why the model stopped: stop, or length when its answer was cut; else empty."),
      entity::field<&Answer::output>("The answer as JSON, when the agent has an answer_schema.", {.any_json = true}));
}

}  // namespace al::providers
