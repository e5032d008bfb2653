#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "data/agent_store.hpp"
#include "data/knowledge_store.hpp"

namespace al::data {

/// What became of the items of one request.
struct ImportReport {
  struct Fault {
    std::int64_t position = 0;  ///< in the array, from 0
    std::string reason;
  };
  std::int64_t imported = 0;  ///< items that are there now and were not before
  std::int64_t merged = 0;    ///< variants that were put beside an item of the same id, or replaced it
  std::int64_t skipped = 0;   ///< imported before, also when the item was used or edited since; or deleted here
  bool agent_created = false;
  std::vector<Fault> left_out;  ///< of the skipped, those that are new but whose id a user deleted
  std::vector<Fault> faulty;
};

/// Takes over items of the prototype's `.agent-knowledge` files. Nothing is lost or silently changed: the same id twice
/// under one agent keeps the newest (by timestamp, then by position) and puts the others into `metadata.merged`;
/// members that are not known here go into `metadata.imported`; what was imported is remembered by the hash of its
/// content but its uses, so that running it again changes nothing. An item that a user made or edited is never
/// overwritten: what comes later under its id goes into `metadata.merged` as well. An item that a user deleted does not
/// come back: what comes later under its id is skipped. What does not fit is reported, never cut. Thread-safe;
/// two imports of one agent at once may answer conflict for an item, which is then reported as faulty and goes through
/// next time.
class KnowledgeImport {
 public:
  /// Of one request.
  static constexpr std::size_t items_max = 1000;

  KnowledgeImport(AgentStore& agents, KnowledgeStore& knowledge) : agents_(agents), knowledge_(knowledge) {}

  /// `items` is a JSON array of raw items. The agent is created when it does not exist: marked imported, its name from
  /// the slug, the default model. Errors: invalid (no array, too long, or a reserved agent id), conflict (the agent was
  /// deleted and there is something new for it).
  [[nodiscard]] Task<Result<ImportReport>> run(Actor const&, AgentId const&, json::Input items, Deadline);

 private:
  AgentStore& agents_;
  KnowledgeStore& knowledge_;
};

}  // namespace al::data
