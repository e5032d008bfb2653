#pragma once
#include "data/agent_store.hpp"
#include "data/knowledge_store.hpp"

namespace al::data {

/// The ten agents of the first start and the knowledge that ships in the binary.
class Starter {
 public:
  Starter(Writer& writer, AgentStore& agents, KnowledgeStore& knowledge)
      : writer_(writer), agents_(agents), knowledge_(knowledge) {}

  struct Added {
    std::size_t agents = 0;
    std::size_t items = 0;
  };

  /// Puts in what this tenant never had. Deleting is soft, so what a user deleted is still known and stays deleted.
  /// Interrupted, it goes on at the next start; two processes at once do no harm. Throws Unavailable.
  [[nodiscard]] Task<Added> run(TenantId const&, Deadline);

 private:
  Writer& writer_;
  AgentStore& agents_;
  KnowledgeStore& knowledge_;
};

}  // namespace al::data
