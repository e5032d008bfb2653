#pragma once
#include <optional>
#include <string>
#include <vector>

#include "model/event.hpp"
#include "model/event_flow.hpp"
#include "storage/database.hpp"

namespace al::events {

struct Filter {
  std::vector<std::string> channels{};  ///< patterns without commas (see channel_matches); none: all
  std::optional<std::string> aggregate_id{};
};

/// What is looked for from the end of the log back.
struct Search {
  Filter filter{};
  std::optional<std::string> correlation_id{};
  /// Only its own events, and those whose data name it: of its tasks, its knowledge and conversations with it.
  std::optional<AgentId> agent_id{};
};

/// A read that goes back looks at so many numbers of the log at most: there is no index for what is looked for, which
/// would cost every write. (PostgreSQL, 50,000 that do not fit: 33 ms, or 230 ms by agent, which is within the data.)
inline constexpr std::int64_t looked_back_max = 50'000;

/// The columns of `events` that event_of() reads, in its order.
[[nodiscard]] std::string const& event_columns();
/// The event in `row`, from column `first` on.
[[nodiscard]] model::Event event_of(Row const& row, std::size_t first);

/// An event and the token that resumes right after it.
struct Positioned {
  model::Event event;
  std::string token;
};

struct Page {
  std::vector<Positioned> events;
  std::string token;  ///< resumes after everything that was looked at, also what the filter held back
  bool more = false;  ///< another page waits
};

/// A part of the log, the newest event first.
struct PageBack {
  std::vector<model::Event> events;
  std::string cursor;  ///< goes on back from here; empty: the log begins here
};

/// How much of the log came after a token.
struct Backlog {
  std::int64_t events = 0;
  std::optional<Timestamp> oldest{};  ///< none: nothing came
};

/// Reads the log. Tokens are opaque: on SQLite a sequence number, on PostgreSQL the snapshot that was read (numbers
/// commit out of order there). No event is missed or seen twice by a reader that hands its token back.
class EventLog {
 public:
  explicit EventLog(storage::Database& database) : database_(database) {}

  /// A token that sees only what commits from now on.
  [[nodiscard]] Task<std::string> tip(Deadline);
  /// A token that sees what was written at `time` or later, and perhaps a little from before. Walks the log.
  [[nodiscard]] Task<std::string> since(Timestamp time, Deadline);
  /// The token before the first event.
  [[nodiscard]] std::string beginning() const;

  /// Up to `limit` events that come after `token`, in order per aggregate. Errors: invalid (no token of ours).
  [[nodiscard]] Task<Result<Page>> read_after(storage::Scope, std::string token, Filter, std::int64_t limit, Deadline);

  /// As read_after(), but no further than `until` has seen: the token of a page without more that was read later than
  /// `token` was made. A page without more ends there. Errors: as read_after().
  [[nodiscard]] Task<Result<Page>> read_between(storage::Scope, std::string token, std::string until, Filter,
                                                std::int64_t limit, Deadline);
  /// Whether nothing that came after `token` has left the log: it has seen the oldest event that is there, and is not
  /// of another log, of which this one has not come so far. Errors: as read_after().
  [[nodiscard]] Task<Result<bool>> has_all_after(std::string token, Deadline);

  /// Up to `limit` events before `cursor` (empty: the end of the log) among the looked_back_max before it. An event
  /// that commits later than one with a higher number may be behind the reader: who wants all reads on after a token.
  /// Errors: invalid (no cursor of ours).
  [[nodiscard]] Task<Result<PageBack>> read_before(TenantId, std::string cursor, Search, std::int64_t limit, Deadline);

  /// One aggregate's events from `from_version` on, in order of version. `kind` is the part of the channel before ':'.
  /// What is past its time is gone, so the first one may have a higher version.
  [[nodiscard]] Task<std::vector<model::Event>> replay(TenantId, std::string kind, std::string aggregate_id,
                                                       std::int64_t from_version, std::int64_t limit, Deadline);

  /// How many events of which channel which service published from `from` on, most first; of the newest half a million
  /// of the log, and at most 500 pairs. Reads the end of the log alone.
  [[nodiscard]] Task<std::vector<model::EventFlow>> flow(TenantId, Timestamp from, Deadline);

  /// What came after `token`, of all tenants and channels. Counts up to `count_max`, and looks no further. Errors:
  /// invalid (no token of ours).
  [[nodiscard]] Task<Result<Backlog>> backlog(std::string token, std::int64_t count_max, Deadline);

 private:
  storage::Database& database_;
};

}  // namespace al::events
