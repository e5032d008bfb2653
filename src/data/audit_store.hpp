#pragma once
#include <optional>
#include <string>
#include <vector>

#include "core/actor.hpp"
#include "data/page.hpp"
#include "model/audit_entry.hpp"
#include "storage/database.hpp"

namespace al::data {

struct AuditFilter {
  std::optional<std::string> actor{};
  std::optional<std::string> action{};  ///< "user:created"
  std::optional<std::string> target{};
  std::optional<model::AuditOutcome> outcome{};
};

/// A place in a tenant's chain: from 1 on, each hash covers its entry and the hash before it.
struct AuditLink {
  std::int64_t seq = 0;
  std::string entry_id;
  std::string hash;
};

/// A link with its entry; none when the entry is gone, which nobody may make it.
struct ChainedEntry {
  AuditLink link;
  std::optional<model::AuditEntry> entry;
};

/// That a chain had this hash at this place, signed by us.
struct AuditCheckpoint {
  std::int64_t seq = 0;
  std::string hash;
  Timestamp at{};
  std::string key_id;
  std::string signature;
};

/// The audit trail. Changes write their entries themselves (change.hpp); what is no change is recorded here.
/// Thread-safe.
class AuditStore {
 public:
  AuditStore(storage::Database& database, Clock const& clock, Random& random)
      : database_(database), clock_(clock), random_(random) {}

  /// Something that changed no row, such as a refused sign-in. `details` is a JSON object.
  [[nodiscard]] Task<void> record(Actor const&, std::string action, std::string target, model::AuditOutcome,
                                  Document details, Deadline);
  /// The newest first. Errors: invalid (a cursor that is none of ours).
  [[nodiscard]] Task<Result<Page<model::AuditEntry>>> list(TenantId const&, AuditFilter, PageRequest, Deadline);
  /// Errors: not_found.
  [[nodiscard]] Task<Result<model::AuditEntry>> get(TenantId const&, EventId const&, Deadline);

  /// Tenants with entries that are in no chain yet.
  [[nodiscard]] Task<std::vector<TenantId>> behind(Deadline);
  /// The oldest entries of a tenant that are in no chain yet, up to `limit`.
  [[nodiscard]] Task<std::vector<model::AuditEntry>> pending(TenantId const&, std::int64_t limit, Deadline);
  /// The end of a tenant's chain; of an empty one seq 0 and no hash.
  [[nodiscard]] Task<AuditLink> head(TenantId const&, Deadline);
  /// All or none. False when somebody else has gone on from the same end.
  [[nodiscard]] Task<bool> append(TenantId const&, std::vector<AuditLink> const&, Deadline);
  [[nodiscard]] Task<void> add_checkpoint(TenantId const&, AuditCheckpoint, Deadline);

  /// Links after `seq`, in order, up to `limit`.
  [[nodiscard]] Task<std::vector<ChainedEntry>> chain(TenantId const&, std::int64_t after_seq, std::int64_t limit,
                                                      Deadline);
  /// In order.
  [[nodiscard]] Task<std::vector<AuditCheckpoint>> checkpoints(TenantId const&, Deadline);
  /// Entries that are neither in the chain nor wait to be: somebody has put them there or cut links out. Up to `limit`.
  [[nodiscard]] Task<std::vector<std::string>> strays(TenantId const&, std::int64_t limit, Deadline);
  /// How many wait to be chained.
  [[nodiscard]] Task<std::int64_t> count_pending(TenantId const&, Deadline);

 private:
  storage::Database& database_;
  Clock const& clock_;
  Random& random_;
};

}  // namespace al::data
