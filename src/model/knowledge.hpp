#pragma once
#include <boost/describe.hpp>

#include "core/entity.hpp"

namespace al::model {

struct Knowledge {
  KnowledgeId id;
  AgentId agent_id;
  std::string category = "domain_knowledge";
  std::string content;
  std::string source;
  Document metadata;
  std::vector<std::string> tags;  ///< a part of `metadata`
  std::int64_t usage_count = 0;
  double relevance_score = 1.0;
  std::int64_t version = 1;
  Timestamp created_at{};
  Timestamp updated_at{};
  std::optional<Timestamp> last_used_at;
};
BOOST_DESCRIBE_STRUCT(Knowledge, (),
                      (id, agent_id, category, content, source, metadata, tags, usage_count, relevance_score, version,
                       created_at, updated_at, last_used_at))

constexpr auto describe(std::type_identity<Knowledge>) {
  using namespace entity;
  constexpr auto server = Access::read_only;
  return about("Knowledge", "knowledge", "Something an agent knows.",
               field<&Knowledge::id>("Unique under its agent; made by the server when left out.",
                                     {.access = Access::create_only, .defaulted = true}),
               field<&Knowledge::agent_id>("Whose knowledge it is; the path may say it instead.",
                                           {.access = Access::create_only, .defaulted = true}),
               field<&Knowledge::category>("Kind of knowledge.", {.min = 1, .max = 50, .defaulted = true}),
               field<&Knowledge::content>("The text.", {.min = 1, .max = 1048576}),
               field<&Knowledge::source>("Where it comes from.", {.max = 65536, .defaulted = true}),
               field<&Knowledge::metadata>("Anything else, kept as written.", {.max = 262144, .defaulted = true}),
               field<&Knowledge::tags>("Short words to sort it by; kept in `metadata.tags`.",
                                       {.max = 64, .defaulted = true, .stored = false}),
               field<&Knowledge::usage_count>("How often an answer used it.", {.access = server}),
               field<&Knowledge::relevance_score>("Weight in search.", {.min = 0, .max = 100, .defaulted = true}),
               field<&Knowledge::version>("Counts its changes; the ETag.", {.access = server}),
               field<&Knowledge::created_at>("When it was created, UTC.", {.access = server}),
               field<&Knowledge::updated_at>("When it was last changed, UTC.", {.access = server}),
               field<&Knowledge::last_used_at>("When an answer last used it, UTC.", {.access = server}));
}

}  // namespace al::model
