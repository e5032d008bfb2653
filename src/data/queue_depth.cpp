#include "data/queue_depth.hpp"

#include "core/fault.hpp"
#include "core/log.hpp"
#include "data/row_values.hpp"

namespace al::data {

namespace {

using storage::Scope;
using storage::Statement;

constexpr std::chrono::seconds interval{15};
constexpr std::chrono::microseconds lease = std::chrono::seconds{45};
constexpr std::chrono::seconds look_timeout{10};

Statement const take_lease{
    "queue.lease",
    "INSERT INTO upkeep_leases AS l (name, holder, leased_until) VALUES ('queue-depth', $1, al_after($2))"
    " ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, leased_until = excluded.leased_until"
    " WHERE l.holder = excluded.holder OR l.leased_until <= al_now() RETURNING name"};

/// Only open tasks are read, through their partial indexes.
Statement const count_open{"queue.depth",
                           "SELECT o.tenant_id, CAST(SUM(o.pending) AS bigint), CAST(SUM(o.started) AS bigint) FROM ("
                           "SELECT p.tenant_id, COUNT(*) AS pending, 0 AS started FROM tasks p"
                           " WHERE p.status = 'pending' AND p.available_at <= al_now() GROUP BY p.tenant_id UNION ALL"
                           " SELECT s.tenant_id, 0, COUNT(*) FROM tasks s WHERE s.status = 'started'"
                           " GROUP BY s.tenant_id) o GROUP BY o.tenant_id ORDER BY 2 DESC LIMIT 1000"};

Statement const list_tenants{"queue.tenants", "SELECT id FROM tenants ORDER BY id LIMIT 1000"};

}  // namespace

Task<void> QueueDepth::run() {
  for (;;) {
    try {
      co_await look(Deadline::after(look_timeout));
    } catch (Fault const& fault) {
      log::warning("the depth of the queue could not be read", {{"error", std::string_view(fault.what())}});
    }
    co_await sleep_until(std::chrono::steady_clock::now() + interval);
  }
}

Task<bool> QueueDepth::look(Deadline deadline) {
  bool const was_ours = std::exchange(is_ours_, co_await hold_lease(deadline));
  if (!is_ours_) {
    last_.clear();
    co_return false;
  }
  // Whoever looked before may have ended with a queue that is empty now: each tenant gets one value in any case.
  if (!was_ours) {
    for (auto const& row : co_await database_.read(Scope::system(), list_tenants, {}, deadline))
      last_[text_at(row, 0)] = {.pending = 1, .started = 1};
  }
  std::map<std::string, Depth, std::less<>> now;
  for (auto const& row : co_await database_.read(Scope::system(), count_open, {}, deadline))
    now[text_at(row, 0)] = {.pending = integer_at(row, 1), .started = integer_at(row, 2)};
  for (auto const& [tenant, depth] : last_)
    now.try_emplace(tenant);
  for (auto const& [tenant, depth] : now) {
    auto const before = last_.find(tenant);
    auto const had = before == last_.end() ? Depth{} : before->second;
    record(tenant, "queue.pending", had.pending, depth.pending);
    record(tenant, "queue.started", had.started, depth.started);
  }
  std::erase_if(now, [](auto const& entry) { return entry.second.pending == 0 && entry.second.started == 0; });
  last_ = std::move(now);
  co_return true;
}

Task<bool> QueueDepth::hold_lease(Deadline deadline) {
  storage::Batch batch{Scope::system(), {}};
  batch.steps.push_back({&take_lease, {holder_, std::int64_t{lease.count()}}});
  auto const taken = co_await database_.apply(std::move(batch), deadline);
  co_return taken && !taken->at(0).empty();
}

/// What is 0 and was 0 is not worth a value.
void QueueDepth::record(std::string const& tenant, std::string name, std::int64_t before, std::int64_t now) {
  if (before == 0 && now == 0)
    return;
  metrics_.add(
      TenantId{tenant},
      {.service = "worker", .name = std::move(name), .value = static_cast<double>(now), .tags = {}, .timestamp = {}});
}

}  // namespace al::data
