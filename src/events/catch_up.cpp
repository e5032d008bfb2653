#include "events/catch_up.hpp"

#include "core/log.hpp"
#include "events/cursor.hpp"

namespace al::events {

namespace {

using storage::Scope;
using storage::Statement;

constexpr std::int64_t news_max = 1000;
constexpr std::chrono::seconds read_timeout{30};

Statement const snapshot{"catch_up.snapshot", "SELECT al_log_snapshot()"};

/// What is not in the snapshot $1, without its contents. Of agents everyone keeps copies, so of those it says which;
/// of all else it is enough that someone looks. One row always comes, for the new snapshot.
Statement const news{"catch_up.news",
                     std::string(beside_snapshot) +
                         "(SELECT DISTINCT channel, tenant_id,"
                         " CASE kind WHEN 'agent' THEN aggregate_id ELSE '' END AS aggregate_id FROM events"
                         " WHERE xid >= pg_snapshot_xmin($1::text::pg_snapshot) AND" +
                         unseen_by("xid", "$1") + "LIMIT $2::bigint) e ON true"};

std::string text_at(Row const& row, std::size_t i) { return std::get<std::string>(row.at(i)); }

}  // namespace

Task<void> CatchUp::tell_news() {
  auto const rows = co_await database_.read(Scope::system(), news, {heard_, news_max}, Deadline::after(read_timeout));
  for (auto const& row : rows) {
    if (is_null(row.at(1)))
      continue;
    auto const agent = text_at(row, 3);
    Announcement const announcement{text_at(row, 1), TenantId{text_at(row, 2)}, agent, AgentId{agent}};
    whom_ == For::all_processes ? bus_.announce(announcement) : bus_.hear(announcement);
  }
  if (std::ssize(rows) == news_max)
    bus_.ring_all();
  heard_ = newest_ = text_at(rows.at(0), 0);
}

Task<void> CatchUp::mark() {
  auto const rows = co_await database_.read(Scope::system(), snapshot, {}, Deadline::after(read_timeout));
  heard_ = newest_.empty() ? text_at(rows.at(0), 0) : std::move(newest_);
  newest_ = text_at(rows.at(0), 0);
  marked_at_ = std::chrono::steady_clock::now();
}

Task<void> CatchUp::look() {
  auto const hearing = hearing_();
  bool const has_heard_all = hearing.is_whole && hearing.gaps == gaps_;
  bool const is_first = heard_.empty();
  if (!is_first && (whom_ == For::all_processes || !has_heard_all)) {
    co_await tell_news();
  } else if (is_first || std::chrono::steady_clock::now() >= marked_at_ + times_.mark) {
    co_await mark();
  }
  // Only a look that began while all was heard ends the gap before it.
  if (hearing.is_whole)
    gaps_ = hearing.gaps;
}

Task<void> CatchUp::run() {
  for (;;) {
    try {
      co_await look();
    } catch (Fault const& fault) {
      log::warning("events of other processes could not be read; trying again", {{"reason", fault.what()}});
    }
    co_await sleep_until(std::chrono::steady_clock::now() + times_.poll);
  }
}

}  // namespace al::events
