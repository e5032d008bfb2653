#include "data/audit_store.hpp"

#include "data/row_values.hpp"

namespace al::data {

namespace {

using model::AuditEntry;
using model::AuditOutcome;
using storage::Guard;
using storage::Scope;
using storage::Statement;

entity::Entity const& entry_entity = entity::entity<AuditEntry>();
std::string const columns = entity::columns(entry_entity, "t.");

Statement const add_entry{
    "audit.add",
    "INSERT INTO audit_entries (tenant_id, id, at, actor, action, target, outcome, address, request_id, details)"
    " VALUES ($1, $2, al_now(), $3, $4, $5, $6, $7, $8, $9)"};
Statement const add_pending{"audit.add_pending", "INSERT INTO audit_pending (tenant_id, entry_id) VALUES ($1, $2)"};

/// Conditions that may be left out: the newest entries come first, and few are read past.
Statement const list_entries{"audit.list", "SELECT " + columns +
                                               " FROM audit_entries t WHERE t.tenant_id = $1 AND t.id < $2"
                                               " AND ($4 = '' OR t.actor = $4) AND ($5 = '' OR t.action = $5)"
                                               " AND ($6 = '' OR t.target = $6) AND ($7 = '' OR t.outcome = $7)"
                                               " ORDER BY t.id DESC LIMIT $3"};

Statement const get_entry{"audit.get",
                          "SELECT " + columns + " FROM audit_entries t WHERE t.tenant_id = $1 AND t.id = $2"};

Statement const list_behind{"audit.behind", "SELECT DISTINCT tenant_id FROM audit_pending"};
Statement const list_pending{"audit.pending", "SELECT " + columns +
                                                  " FROM audit_pending p JOIN audit_entries t"
                                                  " ON t.tenant_id = p.tenant_id AND t.id = p.entry_id"
                                                  " WHERE p.tenant_id = $1 ORDER BY p.entry_id LIMIT $2"};
Statement const count_waiting{"audit.count_pending", "SELECT COUNT(*) FROM audit_pending WHERE tenant_id = $1"};
Statement const find_head{"audit.head",
                          "SELECT seq, entry_id, hash FROM audit_chain WHERE tenant_id = $1 ORDER BY seq DESC LIMIT 1"};
Statement const add_link{"audit.chain",
                         "INSERT INTO audit_chain (tenant_id, seq, entry_id, hash) VALUES ($1, $2, $3, $4)"};
Statement const drop_pending{"audit.chained", "DELETE FROM audit_pending WHERE tenant_id = $1 AND entry_id = $2"};
Statement const insert_checkpoint{
    "audit.checkpoint",
    "INSERT INTO audit_checkpoints (tenant_id, seq, hash, at, key_id, signature) VALUES ($1, $2, $3, $4, $5, $6)"
    " ON CONFLICT (tenant_id, seq) DO NOTHING"};

Statement const list_chain{"audit.list_chain", "SELECT c.seq, c.entry_id, c.hash, " + columns +
                                                   " FROM audit_chain c LEFT JOIN audit_entries t"
                                                   " ON t.tenant_id = c.tenant_id AND t.id = c.entry_id"
                                                   " WHERE c.tenant_id = $1 AND c.seq > $2 ORDER BY c.seq LIMIT $3"};
Statement const list_checkpoints{
    "audit.list_checkpoints",
    "SELECT seq, hash, at, key_id, signature FROM audit_checkpoints WHERE tenant_id = $1 ORDER BY seq"};
Statement const list_strays{
    "audit.strays",
    "SELECT t.id FROM audit_entries t WHERE t.tenant_id = $1"
    " AND NOT EXISTS (SELECT 1 FROM audit_chain c WHERE c.tenant_id = t.tenant_id AND c.entry_id = t.id)"
    " AND NOT EXISTS (SELECT 1 FROM audit_pending p WHERE p.tenant_id = t.tenant_id AND p.entry_id = t.id)"
    " ORDER BY t.id LIMIT $2"};

AuditLink link_of(Row const& row) {
  return {.seq = integer_at(row, 0), .entry_id = text_at(row, 1), .hash = text_at(row, 2)};
}

std::string text_or_empty(std::optional<std::string> text) { return std::move(text).value_or(std::string()); }

}  // namespace

Task<void> AuditStore::record(Actor const& actor, std::string action, std::string target, AuditOutcome outcome,
                              Document details, Deadline deadline) {
  auto const id = uuid_v7(clock_, random_);
  auto const& tenant = actor.tenant.value;
  storage::Batch batch{Scope::of(actor.tenant), {}};
  batch.steps.push_back(
      {&add_entry,
       {tenant, id, actor.user_id, std::move(action), std::move(target), entity::type_of<AuditOutcome>().bind(&outcome),
        actor.address, actor.correlation_id, std::move(details.text)}});
  batch.steps.push_back({&add_pending, {tenant, id}});
  if (auto done = co_await database_.apply(std::move(batch), deadline); !done)
    throw Fault("the audit trail refused an entry: " + done.error().message);
}

Task<Result<Page<AuditEntry>>> AuditStore::list(TenantId const& tenant, AuditFilter filter, PageRequest request,
                                                Deadline deadline) {
  auto cursor = request.cursor.empty() ? std::string(last_uuid) : std::move(request.cursor);
  if (!is_uuid(cursor))
    co_return fail(wrong_cursor());
  auto const outcome = filter.outcome ? entity::type_of<AuditOutcome>().bind(&*filter.outcome) : Value(std::string());
  Values params{tenant.value,
                std::move(cursor),
                request.limit + 1,
                text_or_empty(std::move(filter.actor)),
                text_or_empty(std::move(filter.action)),
                text_or_empty(std::move(filter.target)),
                outcome};
  auto rows = co_await database_.read(Scope::of(tenant), list_entries, std::move(params), deadline);
  co_return page_of<AuditEntry>(cut_page(rows, request.limit));
}

Task<Result<AuditEntry>> AuditStore::get(TenantId const& tenant, EventId const& id, Deadline deadline) {
  auto const rows = co_await database_.read(Scope::of(tenant), get_entry, {tenant.value, id.value}, deadline);
  if (rows.empty())
    co_return fail(Code::not_found, "there is no audit entry '" + id.value + "'");
  co_return entity::from_row<AuditEntry>(rows[0]);
}

Task<std::vector<TenantId>> AuditStore::behind(Deadline deadline) {
  std::vector<TenantId> out;
  for (auto const& row : co_await database_.read(Scope::system(), list_behind, {}, deadline))
    out.emplace_back(text_at(row, 0));
  co_return out;
}

Task<std::vector<AuditEntry>> AuditStore::pending(TenantId const& tenant, std::int64_t limit, Deadline deadline) {
  auto const rows = co_await database_.read(Scope::of(tenant), list_pending, {tenant.value, limit}, deadline);
  std::vector<AuditEntry> out;
  for (auto const& row : rows)
    out.push_back(entity::from_row<AuditEntry>(row));
  co_return out;
}

Task<std::int64_t> AuditStore::count_pending(TenantId const& tenant, Deadline deadline) {
  auto const rows = co_await database_.read(Scope::of(tenant), count_waiting, {tenant.value}, deadline);
  co_return integer_at(rows.at(0), 0);
}

Task<AuditLink> AuditStore::head(TenantId const& tenant, Deadline deadline) {
  auto const rows = co_await database_.read(Scope::of(tenant), find_head, {tenant.value}, deadline);
  co_return rows.empty() ? AuditLink{} : link_of(rows[0]);
}

// The place in the chain is a key, so two that go on from the same end cannot both.
Task<bool> AuditStore::append(TenantId const& tenant, std::vector<AuditLink> const& links, Deadline deadline) {
  storage::Batch batch{Scope::of(tenant), {}};
  for (auto const& link : links) {
    batch.steps.push_back({&add_link, {tenant.value, link.seq, link.entry_id, link.hash}});
    batch.steps.push_back({&drop_pending, {tenant.value, link.entry_id}, Guard::must_match});
  }
  auto done = co_await database_.apply(std::move(batch), deadline);
  if (!done && done.error().code != Code::conflict)
    throw Fault("the audit chain refused a link: " + done.error().message);
  co_return done.has_value();
}

Task<void> AuditStore::add_checkpoint(TenantId const& tenant, AuditCheckpoint checkpoint, Deadline deadline) {
  Values params{tenant.value,  checkpoint.seq,    std::move(checkpoint.hash),
                checkpoint.at, checkpoint.key_id, std::move(checkpoint.signature)};
  std::ignore = co_await database_.apply({Scope::of(tenant), {{&insert_checkpoint, std::move(params)}}}, deadline);
}

Task<std::vector<ChainedEntry>> AuditStore::chain(TenantId const& tenant, std::int64_t after_seq, std::int64_t limit,
                                                  Deadline deadline) {
  auto const rows = co_await database_.read(Scope::of(tenant), list_chain, {tenant.value, after_seq, limit}, deadline);
  constexpr std::size_t first = 3;
  std::vector<ChainedEntry> out;
  for (auto const& row : rows) {
    ChainedEntry chained{.link = link_of(row), .entry = {}};
    if (!is_null(row.at(first)))
      chained.entry = entity::from_row<AuditEntry>(row, first);
    out.push_back(std::move(chained));
  }
  co_return out;
}

Task<std::vector<AuditCheckpoint>> AuditStore::checkpoints(TenantId const& tenant, Deadline deadline) {
  std::vector<AuditCheckpoint> out;
  for (auto const& row : co_await database_.read(Scope::of(tenant), list_checkpoints, {tenant.value}, deadline)) {
    out.push_back({.seq = integer_at(row, 0),
                   .hash = text_at(row, 1),
                   .at = value_at<Timestamp>(row, 2),
                   .key_id = text_at(row, 3),
                   .signature = text_at(row, 4)});
  }
  co_return out;
}

Task<std::vector<std::string>> AuditStore::strays(TenantId const& tenant, std::int64_t limit, Deadline deadline) {
  std::vector<std::string> out;
  for (auto const& row : co_await database_.read(Scope::of(tenant), list_strays, {tenant.value, limit}, deadline))
    out.push_back(text_at(row, 0));
  co_return out;
}

}  // namespace al::data
