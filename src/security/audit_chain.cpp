#include "security/audit_chain.hpp"

#include <boost/asio/steady_timer.hpp>
#include <set>

#include "core/hash.hpp"
#include "core/log.hpp"

namespace al::security {

namespace {

constexpr std::int64_t batch_max = 200;
constexpr std::int64_t page_max = 500;
constexpr std::int64_t strays_max = 10;
constexpr std::chrono::seconds round_timeout{30};

/// What a checkpoint signs.
std::string statement_of(TenantId const& tenant, std::int64_t seq, std::string_view hash, Timestamp at) {
  return "audit checkpoint\n" + tenant.value + "\n" + std::to_string(seq) + "\n" + std::string(hash) + "\n" +
         to_rfc3339(at);
}

std::string at_link(std::int64_t seq) { return "link " + std::to_string(seq); }

/// Compares one link with the one before it; appends what is wrong.
void check_link(data::ChainedEntry const& chained, AuditVerdict& verdict) {
  auto const& link = chained.link;
  if (link.seq != verdict.links + 1) {
    verdict.faults.push_back(at_link(verdict.links + 1) + " is missing");
  } else if (!chained.entry) {
    verdict.faults.push_back(at_link(link.seq) + ": its entry " + link.entry_id + " is gone");
  } else if (audit_hash(verdict.head, *chained.entry) != link.hash) {
    verdict.faults.push_back(at_link(link.seq) + ": the entry " + link.entry_id + " of " +
                             to_rfc3339(chained.entry->at) + " is not what was written, or its place is another");
  } else {
    verdict.links = link.seq;
    verdict.head = link.hash;
  }
}

/// The hash at a place of the chain: of the part that is as it was written.
struct Seen {
  std::set<std::int64_t> wanted;               ///< places to compare with
  std::map<std::int64_t, std::string> hashes;  ///< what was found there
};

Task<void> walk(data::AuditStore& store, TenantId const& tenant, Seen& seen, AuditVerdict& verdict, Deadline deadline) {
  while (verdict.is_intact()) {
    auto const page = co_await store.chain(tenant, verdict.links, page_max, deadline);
    for (auto const& chained : page) {
      check_link(chained, verdict);
      if (!verdict.is_intact())
        co_return;
      if (seen.wanted.contains(verdict.links))
        seen.hashes[verdict.links] = verdict.head;
    }
    if (std::ssize(page) < page_max)
      co_return;
  }
}

/// Whether the chain still has what was noted of it.
void compare(Seen const& seen, std::string_view noted_by, std::int64_t seq, std::string const& hash,
             AuditVerdict& verdict) {
  auto const found = seen.hashes.find(seq);
  if (found == seen.hashes.end())
    verdict.faults.push_back("the chain ends before link " + std::to_string(seq) + ", which " + std::string(noted_by) +
                             " has seen: its end was cut off");
  else if (found->second != hash)
    verdict.faults.push_back(at_link(seq) + " is not the one that " + std::string(noted_by) + " has seen");
}

}  // namespace

std::string audit_hash(std::string_view before, model::AuditEntry const& entry) {
  return sha256_hex(std::string(before) + "\n" + entity::to_json(entry));
}

Task<void> AuditChainer::run() {
  asio::steady_timer timer(co_await asio::this_coro::executor);
  for (std::string told;;) {
    std::string reason;
    try {
      if (auto const done = co_await chain_all(Deadline::after(round_timeout)); !done)
        reason = done.error().message;
    } catch (Fault const& fault) {
      reason = fault.what();
    }
    if (!reason.empty() && reason != told)
      log::warning("the audit trail could not be chained; it is tried again", {{"reason", std::string_view(reason)}});
    told = std::move(reason);
    timer.expires_after(interval);
    co_await timer.async_wait(asio::use_awaitable);
  }
}

Task<Result<void>> AuditChainer::chain_all(Deadline deadline) {
  Result<void> out;
  for (auto const& tenant : co_await store_.behind(deadline)) {
    co_await chain(tenant, deadline);
  }
  for (auto& [tenant, signing] : signings_) {
    bool const is_due = !signing.signed_at || clock_.steady() - *signing.signed_at >= checkpoint_interval;
    if (signing.is_signed || !is_due)
      continue;
    signing.signed_at = clock_.steady();
    // An installation where nobody signs in needs no keys, and so no master key on each of its machines.
    if (!co_await keys_.has_keys(deadline))
      continue;
    if (auto done = co_await sign_head(TenantId{tenant}, signing, deadline); !done)
      out = std::move(done);
  }
  co_return out;
}

Task<void> AuditChainer::chain(TenantId const& tenant, Deadline deadline) {
  auto head = co_await store_.head(tenant, deadline);
  for (;;) {
    auto const entries = co_await store_.pending(tenant, batch_max, deadline);
    if (entries.empty())
      break;
    std::vector<data::AuditLink> links;
    for (auto const& entry : entries) {
      head = {.seq = head.seq + 1, .entry_id = entry.id.value, .hash = audit_hash(head.hash, entry)};
      links.push_back(head);
    }
    // Somebody else was faster: what he left is for the next round.
    if (!co_await store_.append(tenant, links, deadline))
      co_return;
    auto& signing = signings_[tenant.value];
    signing.head = head;
    signing.is_signed = false;
  }
}

Task<Result<void>> AuditChainer::sign_head(TenantId const& tenant, Signing& signing, Deadline deadline) {
  auto const at = clock_.now();
  auto const& head = signing.head;
  auto const signature = co_await keys_.sign_statement(statement_of(tenant, head.seq, head.hash, at), deadline);
  if (!signature)
    co_return fail(signature.error());
  co_await store_.add_checkpoint(
      tenant, {.seq = head.seq, .hash = head.hash, .at = at, .key_id = signature->key_id, .signature = signature->text},
      deadline);
  // The second place: whoever changes the database does not change where the log goes.
  log::info("audit checkpoint",
            {{"tenant_id", std::string_view(tenant.value)}, {"seq", head.seq}, {"hash", std::string_view(head.hash)}});
  signing.is_signed = true;
  co_return Result<void>{};
}

Task<Result<AuditVerdict>> verify_audit(data::AuditStore& store, TokenKeys& keys, TenantId const& tenant,
                                        std::optional<KnownLink> known, Deadline deadline) {
  AuditVerdict verdict;
  Seen seen;
  auto const checkpoints = co_await store.checkpoints(tenant, deadline);
  for (auto const& checkpoint : checkpoints)
    seen.wanted.insert(checkpoint.seq);
  if (known)
    seen.wanted.insert(known->seq);
  co_await walk(store, tenant, seen, verdict, deadline);
  bool const is_whole = verdict.is_intact();
  for (auto const& checkpoint : checkpoints) {
    auto const statement = statement_of(tenant, checkpoint.seq, checkpoint.hash, checkpoint.at);
    auto const holds = co_await keys.has_signed(statement, {checkpoint.key_id, checkpoint.signature}, deadline);
    if (!holds)
      co_return fail(holds.error());
    if (!*holds)
      verdict.faults.push_back("the checkpoint at link " + std::to_string(checkpoint.seq) + " was not signed by us");
    else
      ++verdict.checkpoints;
    if (is_whole)
      compare(seen, "a checkpoint", checkpoint.seq, checkpoint.hash, verdict);
  }
  if (known && is_whole)
    compare(seen, "the note you gave", known->seq, known->hash, verdict);
  for (auto const& id : co_await store.strays(tenant, strays_max, deadline))
    verdict.faults.push_back("the entry " + id +
                             " is in no chain and does not wait for one: somebody put it there, or "
                             "cut links off");
  verdict.pending = co_await store.count_pending(tenant, deadline);
  co_return verdict;
}

}  // namespace al::security
