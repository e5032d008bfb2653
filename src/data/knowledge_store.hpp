#pragma once
#include <optional>
#include <string>
#include <vector>

#include "data/change.hpp"
#include "data/page.hpp"
#include "model/knowledge.hpp"

namespace al::data {

/// An item that a search found, best passages first.
struct KnowledgeMatch {
  model::Knowledge item;
  double score = 0;
  double coverage = 0;  ///< share of the question's weight that the item covers, 0 to 1
  std::vector<std::string> passages;
};

struct KnowledgeFilter {
  std::optional<AgentId> agent_id{};
  std::optional<std::string> category{};
  enum class Order {
    id,     ///< by agent and id
    usage,  ///< the most used first
  };
  Order order = Order::id;
};

/// How an item is written: which changes are stored beside it.
struct KnowledgeWrite {
  model::Knowledge item;
  /// What the id of an item without one is made of: an item of that id is the same one, added before. Empty: chance.
  std::string id_seed{};
  /// Hashes of what it was imported from (JSON array of strings), remembered in the same transaction.
  std::string import_hashes = "[]";
  /// Whether adding takes back a deletion of this id.
  bool brings_back = true;
};

/// What the text index keeps of an item, between spaces: the terms of its text, and those by which a search stays
/// within the tenant or the agent.
[[nodiscard]] std::string knowledge_terms(TenantId const&, model::Knowledge const&);

/// PostgreSQL's text index of the items in `r`, rows of a statement with their terms; NULL, of deleted items, for none.
inline constexpr std::string_view index_knowledge_rows =
    "INSERT INTO knowledge_text (tenant_id, agent_id, knowledge_id, terms)"
    " SELECT tenant_id, agent_id, id, array_to_tsvector(string_to_array(terms, ' ')) FROM r WHERE terms IS NOT NULL";

/// Knowledge of a tenant's agents. An item's id is unique under its agent. Thread-safe.
class KnowledgeStore {
 public:
  explicit KnowledgeStore(Writer& writer) : writer_(writer) {}

  /// Errors: not_found; conflict when no agent is named and several have an item of this id.
  [[nodiscard]] Task<Result<model::Knowledge>> get(TenantId const&, std::optional<AgentId> const&, KnowledgeId const&,
                                                   Deadline);
  /// Errors: invalid (a cursor that is none of ours, or of the other order).
  [[nodiscard]] Task<Result<Page<model::Knowledge>>> list(TenantId const&, KnowledgeFilter, PageRequest, Deadline);

  /// Whether the agent had an item of this id that is deleted now.
  [[nodiscard]] Task<bool> was_deleted(TenantId const&, AgentId const&, KnowledgeId const&, Deadline);

  /// An empty id is made here ("{agent}_{16 hex digits}"). Errors: not_found (no such agent), conflict (it exists, or
  /// it was deleted and the write does not bring it back), invalid (its tags).
  [[nodiscard]] Task<Result<model::Knowledge>> add(Actor const&, KnowledgeWrite, Deadline);
  /// Replaces the item, whose version must still be `item.version`; its usage count never goes down, and its tags are
  /// those of the metadata. Errors: conflict.
  [[nodiscard]] Task<Result<model::Knowledge>> replace(Actor const&, KnowledgeWrite, Deadline);
  /// Applies a PATCH. Errors: not_found, invalid, version_mismatch, conflict.
  [[nodiscard]] Task<Result<model::Knowledge>> update(Actor const&, std::optional<AgentId> const&, KnowledgeId const&,
                                                      json::Input patch, std::optional<std::int64_t> expected,
                                                      Deadline);
  /// Errors: as update().
  [[nodiscard]] Task<Result<void>> remove(Actor const&, std::optional<AgentId> const&, KnowledgeId const&,
                                          std::optional<std::int64_t> expected, Deadline);

  /// What answers `question`, best first; nothing when nothing is relevant enough.
  [[nodiscard]] Task<std::vector<KnowledgeMatch>> search(TenantId const&, KnowledgeFilter, std::string question,
                                                         std::size_t limit, Deadline);

  /// Which of `hashes` were imported before.
  [[nodiscard]] Task<std::vector<std::string>> known_imports(TenantId const&, std::vector<std::string> const& hashes,
                                                             Deadline);

 private:
  Writer& writer_;
};

}  // namespace al::data
