#include "data/event_store.hpp"

#include <algorithm>
#include <array>

namespace al::data {

namespace {

using storage::Guard;
using storage::Scope;
using storage::Statement;

std::string const this_stream = " tenant_id = $1 AND kind = $2 AND aggregate_id = $3 ";

Statement const find_stream{
    "event_stream.find", "SELECT s.version, p.version, p.state FROM (SELECT * FROM event_streams WHERE" + this_stream +
                             ") s LEFT JOIN (SELECT * FROM event_snapshots WHERE" + this_stream + ") p ON true"};

Statement const check_version{"event_snapshot.version",
                              "SELECT 1 FROM event_streams WHERE" + this_stream + "AND version >= $4"};
Statement const keep_snapshot{"event_snapshot.keep",
                              "INSERT INTO event_snapshots AS s (tenant_id, kind, aggregate_id, version, state)"
                              " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (tenant_id, kind, aggregate_id)"
                              " DO UPDATE SET version = excluded.version, state = excluded.state"
                              " WHERE s.version < excluded.version"};

/// Those whose versions are counted in their rows: a stream of the same name would count a second time.
constexpr std::array<std::string_view, 14> row_kinds{
    "agent", "api_key", "dead_letter", "knowledge", "login", "organisation",  "provider",
    "role",  "service", "session",     "task",      "user",  "user_identity", "workflow"};

constexpr std::size_t word_size_max = 50;

/// "saga", "step_done".
bool is_word(std::string_view text) {
  auto const is_letter = [](char c) { return c >= 'a' && c <= 'z'; };
  if (text.empty() || text.size() > word_size_max || !is_letter(text.front()) || !is_letter(text.back()))
    return false;
  return text.find("__") == std::string_view::npos &&
         std::ranges::all_of(text, [&](char c) { return is_letter(c) || c == '_'; });
}

void check_stream(Stream const& stream, entity::Faults& faults) {
  if (!is_word(stream.kind)) {
    faults.push_back(
        {"kind", "must be lower-case words joined by '_', of up to " + std::to_string(word_size_max) + " characters"});
  }
  if (std::ranges::find(row_kinds, stream.kind) != row_kinds.end())
    faults.push_back({"kind", "'" + stream.kind + "' is kept in rows, whose changes write its events"});
  if (!is_text_id(stream.id))
    faults.push_back({"aggregate_id", "must be 1 to 255 bytes of text without control characters"});
}

/// Whether `text` is of use to everyone who reads it, on both databases.
void check_document(std::string const& path, std::string const& text, std::int64_t bytes_max, bool is_object,
                    entity::Faults& faults) {
  if (std::ssize(text) > bytes_max) {
    faults.push_back({path, "has " + std::to_string(text.size()) + " bytes, at most " + std::to_string(bytes_max) +
                                " are allowed; store what is large elsewhere and name it here"});
    return;
  }
  auto const parsed = json::parse(text);
  if (!parsed) {
    faults.push_back({path, parsed.error().message});
  } else if (is_object && !parsed->is_object()) {
    faults.push_back({path, "must be a JSON object"});
  }
}

void check_events(Stream const& stream, std::vector<NewEvent> const& events, entity::Faults& faults) {
  if (events.empty() || events.size() > EventStore::append_events_max) {
    faults.push_back({"events", "must be 1 to " + std::to_string(EventStore::append_events_max) + ", are " +
                                    std::to_string(events.size())});
    return;
  }
  auto const start = stream.kind + ":";
  for (std::size_t i = 0; i < events.size(); ++i) {
    auto const path = "events[" + std::to_string(i) + "]";
    std::string_view const channel = events[i].channel;
    if (!channel.starts_with(start) || !is_word(channel.substr(start.size()))) {
      faults.push_back({path + ".channel", "must be '" + start +
                                               "' and then lower-case words joined by '_', of up to " +
                                               std::to_string(word_size_max) + " characters"});
    }
    check_document(path + ".data", events[i].data.text, event_value_bytes_max, true, faults);
  }
}

std::string name_of(Stream const& stream) { return stream.kind + " '" + stream.id + "'"; }

}  // namespace

Task<Result<std::int64_t>> EventStore::append(Actor actor, Stream stream, std::int64_t expected,
                                              std::vector<NewEvent> events, Deadline deadline) {
  entity::Faults faults;
  check_stream(stream, faults);
  check_events(stream, events, faults);
  if (expected < 0)
    faults.push_back({"expected", "must be 0 for a new stream, or its version"});
  if (!faults.empty())
    co_return fail(entity::invalid(std::move(faults)));
  co_return co_await writer_.append(std::move(actor), std::move(stream), expected, std::move(events), deadline);
}

Task<std::vector<model::Event>> EventStore::replay(TenantId tenant, Stream stream, std::int64_t from_version,
                                                   std::int64_t limit, Deadline deadline) {
  return log_.replay(std::move(tenant), std::move(stream.kind), std::move(stream.id), from_version,
                     std::clamp<std::int64_t>(limit, 0, replay_events_max), deadline);
}

Task<Result<void>> EventStore::snapshot(TenantId tenant, Stream stream, std::int64_t version, Document state,
                                        Deadline deadline) {
  entity::Faults faults;
  check_stream(stream, faults);
  check_document("state", state.text, snapshot_bytes_max, false, faults);
  if (!faults.empty())
    co_return fail(entity::invalid(std::move(faults)));
  Values const params{tenant.value, stream.kind, stream.id, version};
  storage::Batch batch{Scope::of(tenant), {{&check_version, params, Guard::must_match}, {&keep_snapshot, params}}};
  batch.steps.back().params.emplace_back(std::move(state.text));
  auto done = co_await writer_.database().apply(std::move(batch), deadline);
  if (done)
    co_return Result<void>{};
  if (done.error().code != Code::conflict)
    co_return fail(std::move(done.error()));
  co_return fail(Code::invalid, name_of(stream) + " has no version " + std::to_string(version) +
                                    "; take snapshots of events that are stored");
}

Task<Result<EventStore::Head>> EventStore::find_head(TenantId const& tenant, Stream const& stream, Deadline deadline) {
  auto const rows = co_await writer_.database().read(Scope::of(tenant), find_stream,
                                                     {tenant.value, stream.kind, stream.id}, deadline);
  if (rows.empty())
    co_return fail(Code::not_found, "there is no " + name_of(stream));
  auto const& row = rows.front();
  Head head{.version = std::get<std::int64_t>(row.at(0)), .snapshot_version = 0, .snapshot = {}};
  if (!is_null(row.at(1))) {
    head.snapshot_version = std::get<std::int64_t>(row.at(1));
    head.snapshot = Document{std::get<std::string>(row.at(2))};
  }
  co_return head;
}

Task<std::vector<model::Event>> EventStore::events_after(TenantId const& tenant, Stream const& stream,
                                                         std::int64_t version, Deadline deadline) {
  auto events = co_await log_.replay(tenant, stream.kind, stream.id, version + 1, replay_events_max, deadline);
  // Old events leave the log for the archive, and a state without them would be a wrong one.
  if (events.empty() || events.front().version != version + 1) {
    throw Fault("the events of " + name_of(stream) + " from version " + std::to_string(version + 1) +
                " on are no longer in the log, and no snapshot has them");
  }
  co_return events;
}

}  // namespace al::data
