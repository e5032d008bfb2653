#include "events/consumer_store.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>

#include "core/hash.hpp"
#include "events/channel.hpp"
#include "events/cursor.hpp"

namespace al::events {

namespace {

using model::DeadLetterState;
using storage::Guard;
using storage::Scope;
using storage::Statement;
using storage::Step;

/// An event wraps documents that are at most json::depth_max deep.
constexpr std::size_t depth_max = 1024;

// ---- the group ----

Statement const insert_slots{
    "consumer.create",
    "WITH RECURSIVE n(slot) AS (SELECT CAST(0 AS bigint) UNION ALL SELECT slot + 1 FROM n WHERE slot + 1 < $2)"
    " INSERT INTO consumer_slots (consumer, slot, cursor, epoch, marked_attempts)"
    " SELECT $1, n.slot, $3, 0, 0 FROM n WHERE true ON CONFLICT (consumer, slot) DO NOTHING"};

Statement const upsert_member{"consumer.renew",
                              "INSERT INTO consumer_members (consumer, id, leased_until) VALUES ($1, $2, al_after($3))"
                              " ON CONFLICT (consumer, id) DO UPDATE SET leased_until = excluded.leased_until"};

std::string const owner_is_live =
    "EXISTS (SELECT 1 FROM consumer_members m WHERE m.consumer = s.consumer AND m.id = s.owner"
    " AND m.leased_until > al_now())";

Statement const list_slots{"consumer.slots", "SELECT s.slot, s.cursor, s.epoch, s.owner, " + owner_is_live +
                                                 " FROM consumer_slots s WHERE s.consumer = $1 ORDER BY s.slot"};

Statement const list_members{"consumer.members",
                             "SELECT id FROM consumer_members WHERE consumer = $1 AND leased_until > al_now()"
                             " ORDER BY id"};

/// Those that died in silence; their slots are free without them as well.
Statement const delete_dead_members{"consumer.bury",
                                    "DELETE FROM consumer_members WHERE consumer = $1 AND leased_until <= al_now()"};

/// The epoch that was seen decides between members who want the same slot.
Statement const take_slot{"consumer.take",
                          "UPDATE consumer_slots AS s SET owner = $4, epoch = s.epoch + 1"
                          " WHERE s.consumer = $1 AND s.slot = $2 AND s.epoch = $3"
                          " AND (s.owner IS NULL OR s.owner = $4 OR NOT " +
                              owner_is_live + ") RETURNING slot, cursor, epoch"};

Statement const give_back_slot{"consumer.give_back",
                               "UPDATE consumer_slots SET owner = NULL, marked_event = NULL, marked_attempts = 0"
                               " WHERE consumer = $1 AND slot = $2 AND epoch = $3"};

Statement const delete_member{"consumer.leave", "DELETE FROM consumer_members WHERE consumer = $1 AND id = $2"};

Statement const reset_slots{"consumer.reset",
                            "UPDATE consumer_slots SET cursor = $2, epoch = epoch + 1, owner = NULL,"
                            " marked_event = NULL, marked_attempts = 0 WHERE consumer = $1"};

// ---- progress ----

/// A server that crashes may forget this transaction, not what it says of others: the events come again then, as they
/// may at any time. Waiting for the disk here would delay those that come next.
Statement const need_not_last{
    .name = "consumer.relax", .text = "SELECT set_config('synchronous_commit', 'off', true)", .sqlite = "SELECT 1"};

/// $3: [[slot, epoch], …]
Statement const advance_slots{
    .name = "consumer.advance",
    .text =
        "UPDATE consumer_slots AS s SET cursor = $2, marked_event = NULL, marked_attempts = 0"
        " FROM json_array_elements(CAST($3 AS json)) AS h(value) WHERE s.consumer = $1"
        " AND s.slot = (h.value ->> 0)::bigint AND s.epoch = (h.value ->> 1)::bigint RETURNING slot",
    .sqlite =
        "UPDATE consumer_slots AS s SET cursor = $2, marked_event = NULL, marked_attempts = 0"
        " FROM json_each($3) AS h WHERE s.consumer = $1"
        " AND s.slot = h.value ->> 0 AND s.epoch = h.value ->> 1 RETURNING slot"};

/// Holds the slot until the transaction ends: nobody takes it in between.
Statement const fence{"consumer.fence",
                      "UPDATE consumer_slots SET epoch = epoch WHERE consumer = $1 AND slot = $2 AND epoch = $3"};

Statement const advance_slot{"consumer.advance_one",
                             "UPDATE consumer_slots SET cursor = $4, marked_event = NULL, marked_attempts = 0"
                             " WHERE consumer = $1 AND slot = $2 AND epoch = $3"};

Statement const mark_event{"consumer.mark",
                           "UPDATE consumer_slots SET marked_attempts ="
                           " CASE WHEN marked_event = $4 THEN marked_attempts + 1 ELSE 1 END, marked_event = $4"
                           " WHERE consumer = $1 AND slot = $2 AND epoch = $3 RETURNING marked_attempts"};

// ---- what failed ----

/// An event that comes again while it waits stays as it is; one that had been given up (a replay) waits anew.
Statement const insert_letter{
    "dead_letter.add",
    "INSERT INTO dead_letters AS d (tenant_id, id, consumer, slot, state, channel, kind, aggregate_id,"
    " aggregate_version, event_id, event, attempts, error, is_out_of_order, failed_at, next_try_at, version)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, false, al_now(),"
    " CASE WHEN CAST($14 AS bigint) IS NULL THEN NULL ELSE al_after(CAST($14 AS bigint)) END, 0)"
    " ON CONFLICT (tenant_id, consumer, event_id) DO UPDATE SET state = excluded.state,"
    " attempts = excluded.attempts, error = excluded.error, is_out_of_order = false,"
    " failed_at = excluded.failed_at, next_try_at = excluded.next_try_at WHERE d.state <> 'waiting'"};

/// $2: [[tenant, kind, id], …]
Statement const find_waiting{
    .name = "dead_letter.blocks",
    .text =
        "SELECT DISTINCT d.tenant_id, d.kind, d.aggregate_id FROM json_array_elements(CAST($2 AS json)) AS k(value)"
        " JOIN dead_letters d ON d.consumer = $1 AND d.tenant_id = k.value ->> 0 AND d.kind = k.value ->> 1"
        " AND d.aggregate_id = k.value ->> 2 WHERE d.state = 'waiting'",
    .sqlite =
        "SELECT DISTINCT d.tenant_id, d.kind, d.aggregate_id FROM json_each($2) AS k"
        " JOIN dead_letters d ON d.consumer = $1 AND d.tenant_id = k.value ->> 0 AND d.kind = k.value ->> 1"
        " AND d.aggregate_id = k.value ->> 2 WHERE d.state = 'waiting'"};

/// $2: [[slot, epoch], …]. Of each waiting aggregate at least one has its time.
std::string outlook_of(std::string const& elements, std::string const& slot, std::string const& left) {
  return "SELECT COALESCE(SUM(CASE WHEN d.state = 'waiting' THEN 1 ELSE 0 END), 0), " + left + " FROM " + elements +
         " JOIN dead_letters d ON d.consumer = $1 AND d.slot = " + slot + " WHERE d.next_try_at IS NOT NULL";
}
std::string const held_postgres = "json_array_elements(CAST($2 AS json)) AS h(value)";
std::string const slot_postgres = "(h.value ->> 0)::bigint";
std::string const held_sqlite = "json_each($2) AS h";
std::string const slot_sqlite = "h.value ->> 0";

Statement const look_ahead{.name = "dead_letter.outlook",
                           .text = outlook_of(held_postgres, slot_postgres,
                                              "CAST(EXTRACT(EPOCH FROM MIN(d.next_try_at) - al_now()) * 1000000"
                                              " AS bigint)"),
                           .sqlite = outlook_of(held_sqlite, slot_sqlite, "MIN(d.next_try_at) - al_now()")};

/// A waiting one stands for its aggregate, whose earliest one is wanted. After a replay that need not be itself.
std::string due_of(std::string const& elements, std::string const& slot) {
  return "SELECT DISTINCT f.tenant_id, f.id, f.slot, f.state, f.attempts, f.is_out_of_order, CAST(f.event AS text),"
         " f.aggregate_version FROM " +
         elements + " JOIN dead_letters d ON d.consumer = $1 AND d.slot = " + slot +
         " JOIN dead_letters f ON f.tenant_id = d.tenant_id AND f.id = CASE WHEN d.state <> 'waiting' THEN d.id ELSE"
         " (SELECT w.id FROM dead_letters w WHERE w.consumer = d.consumer AND w.tenant_id = d.tenant_id"
         " AND w.kind = d.kind AND w.aggregate_id = d.aggregate_id AND w.state = 'waiting'"
         " ORDER BY w.aggregate_version LIMIT 1) END"
         " WHERE d.next_try_at <= al_now() AND d.state IN ('waiting', 'retrying')"
         " ORDER BY f.aggregate_version LIMIT $3";
}
Statement const list_due{.name = "dead_letter.due",
                         .text = due_of(held_postgres, slot_postgres),
                         .sqlite = due_of(held_sqlite, slot_sqlite)};

/// A waiting one stays due: should the process end here, its successor goes on. One that a person wanted retried is
/// parked again first: it gets one attempt.
Statement const count_try{"dead_letter.begin",
                          "UPDATE dead_letters SET attempts = attempts + 1,"
                          " state = CASE state WHEN 'retrying' THEN 'parked' ELSE state END,"
                          " next_try_at = CASE state WHEN 'retrying' THEN NULL ELSE next_try_at END"
                          " WHERE tenant_id = $1 AND id = $2 AND state = $3"};

Statement const delete_letter{"dead_letter.done", "DELETE FROM dead_letters WHERE tenant_id = $1 AND id = $2"};

Statement const put_off{"dead_letter.put_off",
                        "UPDATE dead_letters SET error = $3, failed_at = al_now(), next_try_at = al_after($4)"
                        " WHERE tenant_id = $1 AND id = $2 AND state = 'waiting'"};

Statement const park{"dead_letter.park",
                     "UPDATE dead_letters SET error = $3, failed_at = al_now(), next_try_at = NULL, state = 'parked'"
                     " WHERE tenant_id = $1 AND id = $2 AND state IN ('waiting', 'parked')"};

Statement const wake_next{"dead_letter.next",
                          "UPDATE dead_letters SET next_try_at = COALESCE(next_try_at, al_now())"
                          " WHERE tenant_id = $2 AND id = (SELECT w.id FROM dead_letters w WHERE w.consumer = $1"
                          " AND w.tenant_id = $2 AND w.kind = $3 AND w.aggregate_id = $4 AND w.state = 'waiting'"
                          " ORDER BY w.aggregate_version LIMIT 1)"};

// ---- values ----

std::string const& text(Row const& row, std::size_t i) { return std::get<std::string>(row.at(i)); }
std::int64_t number(Row const& row, std::size_t i) { return std::get<std::int64_t>(row.at(i)); }
/// SQLite has no truth values of its own.
bool truth(Row const& row, std::size_t i) {
  auto const* value = std::get_if<bool>(&row.at(i));
  return value != nullptr ? *value : number(row, i) != 0;
}

Value state_value(DeadLetterState state) { return entity::type_of<DeadLetterState>().bind(&state); }

std::string holds_json(std::vector<Hold> const& holds) {
  std::string out = "[";
  for (auto const& hold : holds) {
    out += (out.size() > 1 ? ",[" : "[") + std::to_string(hold.slot) + "," + std::to_string(hold.epoch) + "]";
  }
  return out + "]";
}

std::string keys_json(std::set<AggregateKey> const& keys) {
  std::string out = "[";
  for (auto const& key : keys) {
    out += out.size() > 1 ? ",[" : "[";
    json::append_string(out, key.tenant);
    out += ',';
    json::append_string(out, key.kind);
    out += ',';
    json::append_string(out, key.id);
    out += ']';
  }
  return out + "]";
}

model::Event parse_event(std::string const& stored) {
  boost::json::parse_options options;
  options.max_depth = depth_max;
  boost::json::error_code error;
  auto const value = boost::json::parse(stored, error, {}, options);
  if (error)
    throw Fault("the event of a dead letter is no JSON: " + error.message());
  auto event = entity::from_json<model::Event>({&value, stored}, entity::Mode::stored);
  if (!event)
    throw Fault("the event of a dead letter cannot be read: " + event.error().message);
  return std::move(*event);
}

DueLetter due_letter(Row const& row) {
  DueLetter out;
  out.tenant = TenantId{text(row, 0)};
  out.id = model::DeadLetterId{text(row, 1)};
  out.slot = number(row, 2);
  entity::type_of<DeadLetterState>().read(row.at(3), &out.state);
  out.attempts = number(row, 4);
  out.is_out_of_order = truth(row, 5);
  out.event = parse_event(text(row, 6));
  return out;
}

Values letter_values(std::string const& consumer, std::int64_t slot, Letter const& letter, std::string id) {
  auto const& event = letter.event;
  auto const key = aggregate_of(event);
  auto const delay = letter.delay ? Value{std::int64_t{letter.delay->count()}} : Value{};
  return {key.tenant,
          std::move(id),
          consumer,
          slot,
          state_value(letter.state),
          event.channel,
          key.kind,
          key.id,
          event.version,
          event.event_id.value,
          entity::to_json(event),
          letter.attempts,
          letter.error,
          delay};
}

/// What no guard explains is a fault of the schema or of ours.
template <class T>
void require(Result<T> const& done, std::string_view what) {
  if (!done)
    throw Fault(std::string(what) + " was refused: " + done.error().message);
}

Statement const list_cursors{"consumer.cursors", "SELECT DISTINCT cursor FROM consumer_slots"};

}  // namespace

AggregateKey aggregate_of(model::Event const& event) {
  return {event.metadata.tenant_id.value, std::string(kind_of(event.channel)), event.aggregate_id};
}

std::int64_t slot_of(AggregateKey const& key, std::int64_t slots) {
  auto const hash = fnv1a(key.tenant + "\n" + key.kind + "\n" + key.id);
  return static_cast<std::int64_t>(hash % static_cast<std::uint64_t>(slots));
}

Share share_of(std::string_view member, GroupState const& group) {
  Share share;
  auto const rank = std::ranges::find(group.members, member) - group.members.begin();
  auto const members = std::max<std::ptrdiff_t>(1, std::ssize(group.members));
  auto const slots = std::ssize(group.slots);
  auto const quota = (slots + members - 1) / members;
  std::ptrdiff_t kept = 0;
  for (auto const& slot : group.slots) {
    if (!slot.is_owned || slot.owner != member)
      continue;
    if (kept < quota) {
      ++kept;
    } else {
      share.give_back.insert(slot.number);
    }
  }
  for (std::ptrdiff_t i = 0; i < slots && kept < quota; ++i) {
    auto const& slot = group.slots[static_cast<std::size_t>((rank * quota + i) % slots)];
    if (slot.is_owned)
      continue;
    share.take.push_back(slot);
    ++kept;
  }
  return share;
}

// ---- the group ----

Task<void> ConsumerStore::create_slots(std::int64_t count, std::string cursor, Deadline deadline) {
  Values params{consumer_, count, std::move(cursor)};
  require(co_await database_.apply({Scope::system(), {{&insert_slots, std::move(params)}}}, deadline),
          "making the slots of a consumer");
}

Task<GroupState> ConsumerStore::renew(std::string member, std::chrono::microseconds lease, Deadline deadline) {
  storage::Batch batch{Scope::system(), {}};
  batch.steps.push_back({&upsert_member, {consumer_, std::move(member), std::int64_t{lease.count()}}});
  batch.steps.push_back({&delete_dead_members, {consumer_}});
  batch.steps.push_back({&list_slots, {consumer_}});
  batch.steps.push_back({&list_members, {consumer_}});
  auto const done = co_await database_.apply(std::move(batch), deadline);
  require(done, "renewing the lease of a consumer");
  GroupState group;
  for (auto const& row : done->at(2)) {
    auto const* owner = std::get_if<std::string>(&row.at(3));
    group.slots.push_back(
        {number(row, 0), text(row, 1), number(row, 2), owner != nullptr ? *owner : std::string(), truth(row, 4)});
  }
  for (auto const& row : done->at(3))
    group.members.push_back(text(row, 0));
  co_return group;
}

Task<std::vector<Slot>> ConsumerStore::take(std::string member, std::vector<Slot> wanted, Deadline deadline) {
  storage::Batch batch{Scope::system(), {}};
  for (auto const& slot : wanted)
    batch.steps.push_back({&take_slot, {consumer_, slot.number, slot.epoch, member}});
  auto const done = co_await database_.apply(std::move(batch), deadline);
  require(done, "taking slots of a consumer");
  std::vector<Slot> taken;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    for (auto const& row : done->at(i))
      taken.push_back({number(row, 0), text(row, 1), number(row, 2), wanted[i].owner, true});
  }
  co_return taken;
}

Task<void> ConsumerStore::give_back(std::vector<Hold> holds, Deadline deadline) {
  storage::Batch batch{Scope::system(), {}};
  for (auto const& hold : holds)
    batch.steps.push_back({&give_back_slot, {consumer_, hold.slot, hold.epoch}});
  require(co_await database_.apply(std::move(batch), deadline), "giving back slots of a consumer");
}

Task<void> ConsumerStore::leave(std::string member, Deadline deadline) {
  Values params{consumer_, std::move(member)};
  require(co_await database_.apply({Scope::system(), {{&delete_member, std::move(params)}}}, deadline),
          "leaving the group of a consumer");
}

Task<Result<void>> ConsumerStore::reset(std::string cursor, Deadline deadline) {
  if (auto const parsed = parse_token(database_.dialect(), cursor); !parsed)
    co_return fail(parsed.error());
  storage::Batch batch{Scope::system(), {}};
  batch.steps.push_back({&reset_slots, {consumer_, std::move(cursor)}, Guard::must_match});
  auto const done = co_await database_.apply(std::move(batch), deadline);
  if (!done && done.error().code == Code::conflict)
    co_return fail(Code::not_found, "there is no consumer '" + consumer_ + "'; it is made when it first runs");
  require(done, "resetting a consumer");
  co_return Result<void>{};
}

// ---- progress ----

Task<std::set<std::int64_t>> ConsumerStore::advance(std::vector<Hold> const& holds, std::string cursor,
                                                    Deadline deadline) {
  Values params{consumer_, std::move(cursor), holds_json(holds)};
  auto const done = co_await database_.apply(
      {Scope::system(), {{&need_not_last, {}}, {&advance_slots, std::move(params)}}}, deadline);
  require(done, "moving the cursor of a consumer");
  std::set<std::int64_t> held;
  for (auto const& row : done->at(1))
    held.insert(number(row, 0));
  co_return held;
}

/// Runs the steps if the first one, which names the hold, finds it.
Task<Result<std::vector<Rows>>> ConsumerStore::fenced(Hold hold, std::vector<Step> steps, Deadline deadline) {
  steps.front().guard = Guard::must_match;
  std::string const first{steps.front().statement->name};
  auto done = co_await database_.apply({Scope::system(), std::move(steps)}, deadline);
  if (!done && done.error().code == Code::conflict && done.error().where == first) {
    co_return fail(Code::lease_lost, "slot " + std::to_string(hold.slot) + " of consumer '" + consumer_ +
                                         "' is no longer held by this member");
  }
  if (!done && done.error().code != Code::conflict)
    require(done, "a write of a consumer");
  co_return done;
}

Task<Result<void>> ConsumerStore::advance(Hold hold, std::string cursor, std::vector<Letter> letters,
                                          std::vector<std::string> ids, Deadline deadline) {
  std::vector<Step> steps;
  steps.push_back({&advance_slot, {consumer_, hold.slot, hold.epoch, std::move(cursor)}});
  for (std::size_t i = 0; i < letters.size(); ++i)
    steps.push_back({&insert_letter, letter_values(consumer_, hold.slot, letters[i], ids.at(i))});
  auto const done = co_await fenced(hold, std::move(steps), deadline);
  if (!done)
    co_return fail(done.error());
  co_return Result<void>{};
}

Task<Result<std::int64_t>> ConsumerStore::mark(Hold hold, EventId event, Deadline deadline) {
  std::vector<Step> steps;
  steps.push_back({&mark_event, {consumer_, hold.slot, hold.epoch, event.value}});
  auto const done = co_await fenced(hold, std::move(steps), deadline);
  if (!done)
    co_return fail(done.error());
  co_return number(done->at(0).at(0), 0);
}

// ---- what failed ----

Task<std::set<AggregateKey>> ConsumerStore::waiting_among(std::set<AggregateKey> const& keys, Deadline deadline) {
  std::set<AggregateKey> out;
  for (auto const& row : co_await database_.read(Scope::system(), find_waiting, {consumer_, keys_json(keys)}, deadline))
    out.insert({text(row, 0), text(row, 1), text(row, 2)});
  co_return out;
}

Task<ConsumerStore::Outlook> ConsumerStore::outlook(std::vector<Hold> const& holds, Deadline deadline) {
  auto const rows = co_await database_.read(Scope::system(), look_ahead, {consumer_, holds_json(holds)}, deadline);
  auto const& row = rows.at(0);
  Outlook out{.has_waiting = number(row, 0) > 0, .next_in = {}};
  if (!is_null(row.at(1)))
    out.next_in = std::chrono::microseconds{number(row, 1)};
  co_return out;
}

Task<std::vector<DueLetter>> ConsumerStore::due(std::vector<Hold> const& holds, std::int64_t limit, Deadline deadline) {
  std::vector<DueLetter> out;
  for (auto const& row :
       co_await database_.read(Scope::system(), list_due, {consumer_, holds_json(holds), limit}, deadline))
    out.push_back(due_letter(row));
  co_return out;
}

Task<Result<void>> ConsumerStore::begin_try(Hold hold, DueLetter const& letter, Deadline deadline) {
  std::vector<Step> steps;
  steps.push_back({&fence, {consumer_, hold.slot, hold.epoch}});
  steps.push_back({&count_try, {letter.tenant.value, letter.id.value, state_value(letter.state)}, Guard::must_match});
  auto const done = co_await fenced(hold, std::move(steps), deadline);
  if (!done)
    co_return fail(done.error());
  co_return Result<void>{};
}

Task<Result<void>> ConsumerStore::succeed(Hold hold, DueLetter const& letter, Deadline deadline) {
  auto const key = aggregate_of(letter.event);
  std::vector<Step> steps;
  steps.push_back({&fence, {consumer_, hold.slot, hold.epoch}});
  steps.push_back({&delete_letter, {letter.tenant.value, letter.id.value}});
  steps.push_back({&wake_next, {consumer_, key.tenant, key.kind, key.id}});
  auto const done = co_await fenced(hold, std::move(steps), deadline);
  if (!done)
    co_return fail(done.error());
  co_return Result<void>{};
}

Task<Result<void>> ConsumerStore::fail_try(Hold hold, DueLetter const& letter, std::string error,
                                           std::optional<std::chrono::microseconds> delay, Deadline deadline) {
  auto const key = aggregate_of(letter.event);
  std::vector<Step> steps;
  steps.push_back({&fence, {consumer_, hold.slot, hold.epoch}});
  if (delay) {
    steps.push_back({&put_off, {letter.tenant.value, letter.id.value, std::move(error), std::int64_t{delay->count()}}});
  } else {
    steps.push_back({&park, {letter.tenant.value, letter.id.value, std::move(error)}});
    steps.push_back({&wake_next, {consumer_, key.tenant, key.kind, key.id}});
  }
  auto const done = co_await fenced(hold, std::move(steps), deadline);
  if (!done)
    co_return fail(done.error());
  co_return Result<void>{};
}

Task<std::vector<std::string>> stored_cursors(storage::Database& database, Deadline deadline) {
  std::vector<std::string> out;
  for (auto const& row : co_await database.read(storage::Scope::system(), list_cursors, {}, deadline))
    out.push_back(std::get<std::string>(row.at(0)));
  co_return out;
}

}  // namespace al::events
