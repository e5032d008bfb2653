#pragma once
/// The rows of a consumer group: who holds which slot, how far each slot has come, and what could not be handled.

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "model/dead_letter.hpp"
#include "model/event.hpp"
#include "storage/database.hpp"

namespace al::events {

/// What events are ordered by.
struct AggregateKey {
  std::string tenant;
  std::string kind;  ///< the part of the channel before ':'
  std::string id;
  auto operator<=>(AggregateKey const&) const = default;
};
[[nodiscard]] AggregateKey aggregate_of(model::Event const&);

/// Which of `slots` slots an aggregate's events belong to: the same in every process and on both databases.
[[nodiscard]] std::int64_t slot_of(AggregateKey const&, std::int64_t slots);

struct Slot {
  std::int64_t number = 0;
  std::string cursor{};
  std::int64_t epoch = 0;
  std::string owner{};    ///< empty: it was given back
  bool is_owned = false;  ///< and the owner's lease has not run out
};

struct GroupState {
  std::vector<Slot> slots;           ///< in order
  std::vector<std::string> members;  ///< those whose lease lasts, in order
};

/// What a member should do so that all have their share: at most slots / members, rounded up.
struct Share {
  std::vector<Slot> take;
  std::set<std::int64_t> give_back;
};
/// Pure. Members begin to take at different slots, so that they seldom want the same one.
[[nodiscard]] Share share_of(std::string_view member, GroupState const&);

/// A slot as its holder knows it; `epoch` proves that nobody else has it.
struct Hold {
  std::int64_t slot = 0;
  std::int64_t epoch = 0;
};

/// A failure that is to be stored.
struct Letter {
  model::Event event;
  model::DeadLetterState state = model::DeadLetterState::waiting;
  std::int64_t attempts = 0;  ///< 0: it waits behind another one
  std::string error;
  std::optional<std::chrono::microseconds> delay;  ///< until it is tried again; none behind another one
};

/// A stored failure whose time has come.
struct DueLetter {
  TenantId tenant;
  model::DeadLetterId id;
  std::int64_t slot = 0;
  model::DeadLetterState state = model::DeadLetterState::waiting;
  std::int64_t attempts = 0;
  bool is_out_of_order = false;
  model::Event event;
};

/// All in the scope of the system: a consumer handles the events of all tenants. Thread-safe.
/// Errors: lease_lost, from every call with a Hold, when the slot has another epoch now. Other refusals are Faults.
class ConsumerStore {
 public:
  ConsumerStore(storage::Database& database, std::string consumer)
      : database_(database), consumer_(std::move(consumer)) {}

  // ---- the group ----

  /// Makes the group's slots at `cursor`; those that are there stay as they are.
  [[nodiscard]] Task<void> create_slots(std::int64_t count, std::string cursor, Deadline);
  /// Enters the member or renews its lease, and tells how the group stands.
  [[nodiscard]] Task<GroupState> renew(std::string member, std::chrono::microseconds lease, Deadline);
  /// Takes those that nobody else took first; what comes back has the new epochs and the cursors of now.
  [[nodiscard]] Task<std::vector<Slot>> take(std::string member, std::vector<Slot> wanted, Deadline);
  [[nodiscard]] Task<void> give_back(std::vector<Hold>, Deadline);
  [[nodiscard]] Task<void> leave(std::string member, Deadline);
  /// Sends the whole group to `cursor`; who holds slots loses them and takes them again from there. Errors: not_found
  /// (no such group), invalid (no token of ours).
  [[nodiscard]] Task<Result<void>> reset(std::string cursor, Deadline);

  // ---- progress ----

  /// Answers the slots that are still held. A crash of the database server may take this back.
  [[nodiscard]] Task<std::set<std::int64_t>> advance(std::vector<Hold> const&, std::string cursor, Deadline);
  /// Stores what failed and goes past it, as one.
  [[nodiscard]] Task<Result<void>> advance(Hold, std::string cursor, std::vector<Letter>, std::vector<std::string> ids,
                                           Deadline);
  /// Notes that the event is about to be handled; answers how often it has been, now included.
  [[nodiscard]] Task<Result<std::int64_t>> mark(Hold, EventId, Deadline);

  // ---- what failed ----

  /// Which of these wait for an earlier event of theirs.
  [[nodiscard]] Task<std::set<AggregateKey>> waiting_among(std::set<AggregateKey> const&, Deadline);
  struct Outlook {
    bool has_waiting = false;
    std::optional<std::chrono::microseconds> next_in;  ///< until something is due; not above 0: now
  };
  [[nodiscard]] Task<Outlook> outlook(std::vector<Hold> const&, Deadline);
  /// Of each aggregate the earliest one, and those that someone wants retried.
  [[nodiscard]] Task<std::vector<DueLetter>> due(std::vector<Hold> const&, std::int64_t limit, Deadline);
  /// Counts the attempt before it is made, so that one which ends the process counts too. Errors: conflict when
  /// someone dropped it meanwhile.
  [[nodiscard]] Task<Result<void>> begin_try(Hold, DueLetter const&, Deadline);
  [[nodiscard]] Task<Result<void>> succeed(Hold, DueLetter const&, Deadline);
  /// With a delay it is tried again then; without, it is parked, and the next one of its aggregate may go.
  [[nodiscard]] Task<Result<void>> fail_try(Hold, DueLetter const&, std::string error,
                                            std::optional<std::chrono::microseconds> delay, Deadline);

 private:
  [[nodiscard]] Task<Result<std::vector<Rows>>> fenced(Hold, std::vector<storage::Step>, Deadline);

  storage::Database& database_;
  std::string const consumer_;
};

/// Where the slots of all groups stand: what none of them has read may not leave the log yet.
[[nodiscard]] Task<std::vector<std::string>> stored_cursors(storage::Database&, Deadline);

}  // namespace al::events
