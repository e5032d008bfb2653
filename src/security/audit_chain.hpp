#pragma once
/// The audit trail made tamper-evident: each tenant's entries are linked by hashes, and the end of the chain is signed
/// from time to time. Entries are written without it, in the transaction of what they tell of (data/change.hpp), so
/// nothing that changes access waits for a chain.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "data/audit_store.hpp"
#include "security/token_keys.hpp"

namespace al::security {

/// SHA-256 of the hash before (empty for the first link) and the entry as its JSON, in hexadecimal digits.
[[nodiscard]] std::string audit_hash(std::string_view before, model::AuditEntry const&);

/// Links what waits. Several may run: the places in a chain are keys, so that it has one end. On one executor.
class AuditChainer {
 public:
  static constexpr std::chrono::milliseconds interval{900};
  static constexpr std::chrono::minutes checkpoint_interval{1};

  AuditChainer(data::AuditStore& store, TokenKeys& keys, Clock const& clock)
      : store_(store), keys_(keys), clock_(clock) {}

  /// Every interval, until it is cancelled.
  [[nodiscard]] Task<void> run();
  /// All that waits now. Errors: those of Sealing, for what could not be signed; it is linked all the same.
  [[nodiscard]] Task<Result<void>> chain_all(Deadline);

 private:
  struct Signing;
  [[nodiscard]] Task<void> chain(TenantId const&, Deadline);
  [[nodiscard]] Task<Result<void>> sign_head(TenantId const&, Signing&, Deadline);

  data::AuditStore& store_;
  TokenKeys& keys_;
  Clock const& clock_;
  struct Signing {
    std::optional<SteadyTime> signed_at;  ///< or looked whether it can be
    data::AuditLink head;                 ///< of the chain, as we last left it
    bool is_signed = false;
  };
  std::map<std::string, Signing, std::less<>> signings_;  // by tenant
};

/// Where a chain was, as somebody wrote it down elsewhere: in the log, or by hand.
struct KnownLink {
  std::int64_t seq = 0;
  std::string hash;
};

/// What a look at a whole chain finds.
struct AuditVerdict {
  std::int64_t links = 0;        ///< that are as they were written
  std::string head;              ///< the hash of the last one
  std::int64_t pending = 0;      ///< entries that no chain covers yet
  std::int64_t checkpoints = 0;  ///< signatures that hold
  std::vector<std::string> faults;
  [[nodiscard]] bool is_intact() const { return faults.empty(); }
};

/// Reads all of a tenant's trail. The first broken link ends it; strays and checkpoints are looked at in any case.
/// Errors: those of Sealing.
[[nodiscard]] Task<Result<AuditVerdict>> verify_audit(data::AuditStore&, TokenKeys&, TenantId const&,
                                                      std::optional<KnownLink>, Deadline);

}  // namespace al::security
