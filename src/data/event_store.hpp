#pragma once
/// Aggregates that are nothing but their events: sagas, alerts, executions of workflows. Their events stand in the one
/// log beside those of rows, and are written through the same Writer.

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "data/change.hpp"
#include "events/event_log.hpp"

namespace al::data {

/// A state, and the version of the stream that it is the state at.
template <class State>
struct Folded {
  State state{};
  std::int64_t version = 0;
};

/// What makes a state out of events. Both are pure: they know neither clock nor database.
template <class State>
struct FoldRule {
  std::function<void(State&, model::Event const&)> apply;
  std::function<Result<State>(Document const& snapshot)> restore;
};

template <class State>
[[nodiscard]] Folded<State> fold(Folded<State> from, std::vector<model::Event> const& events,
                                 FoldRule<State> const& rule) {
  for (auto const& event : events) {
    rule.apply(from.state, event);
    from.version = event.version;
  }
  return from;
}

/// Any thread.
///
/// A stream's kind is lower-case words joined by `_`, and no kind of rows (agent, task, …); its id is 1 to 255 bytes of
/// text; a channel is the kind, ':' and lower-case words; data is a JSON object of up to event_value_bytes_max bytes:
/// larger things are named in it, not held by it. All else is `invalid`.
///
/// After OutcomeUnknown, replay() from the version after the expected one tells whether the events are there.
class EventStore {
 public:
  static constexpr std::size_t append_events_max = 100;
  static constexpr std::int64_t replay_events_max = 500;
  static constexpr std::int64_t snapshot_bytes_max = 1'048'576;

  explicit EventStore(Writer& writer) : writer_(writer), log_(writer.database()) {}

  /// Adds `events`, all or none, to a stream at version `expected` (0: one that does not exist). The answer is the
  /// version of the last of them; versions count from 1 without a gap.
  /// Errors: version_mismatch (the stream is at another version), invalid, lease_lost (see Writer::behind).
  [[nodiscard]] Task<Result<std::int64_t>> append(Actor, Stream, std::int64_t expected, std::vector<NewEvent>,
                                                  Deadline);

  /// Up to `limit` events from `from_version` on, in order, replay_events_max at most; none of an unknown stream.
  [[nodiscard]] Task<std::vector<model::Event>> replay(TenantId, Stream, std::int64_t from_version, std::int64_t limit,
                                                       Deadline);

  /// Keeps what the events up to `version` come to, so that load() need not begin at the first. The newest one is
  /// kept: an older one changes nothing. Errors: invalid (also when the stream has no such version).
  [[nodiscard]] Task<Result<void>> snapshot(TenantId, Stream, std::int64_t version, Document state, Deadline);

  /// The state at the stream's latest version: the newest snapshot and the events after it.
  /// Errors: not_found; those of the rule. Throws Fault when events after the snapshot are gone from the log.
  template <class State>
  [[nodiscard]] Task<Result<Folded<State>>> load(TenantId tenant, Stream stream, FoldRule<State> rule,
                                                 Deadline deadline) {
    auto head = co_await find_head(tenant, stream, deadline);
    if (!head)
      co_return fail(std::move(head.error()));
    Folded<State> out;
    if (head->snapshot) {
      auto state = rule.restore(*head->snapshot);
      if (!state)
        co_return fail(std::move(state.error()));
      out = {std::move(*state), head->snapshot_version};
    }
    // Each turn goes on by one event at least.
    while (out.version < head->version) {
      auto const events = co_await events_after(tenant, stream, out.version, deadline);
      out = fold(std::move(out), events, rule);
    }
    co_return out;
  }

  [[nodiscard]] Writer& writer() { return writer_; }

 private:
  struct Head {
    std::int64_t version = 0;
    std::int64_t snapshot_version = 0;
    std::optional<Document> snapshot;
  };
  [[nodiscard]] Task<Result<Head>> find_head(TenantId const&, Stream const&, Deadline);
  /// The next ones, at least one. Throws Fault when the first of them is not there.
  [[nodiscard]] Task<std::vector<model::Event>> events_after(TenantId const&, Stream const&, std::int64_t version,
                                                             Deadline);

  Writer& writer_;
  events::EventLog log_;
};

}  // namespace al::data
