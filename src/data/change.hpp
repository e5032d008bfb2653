#pragma once
/// The one way to write: a row, the event that says so and whatever belongs to it, in one statement that many callers
/// share. The event's `data` is the row itself, turned into JSON by the database, so the two cannot differ. What is
/// nothing but its events is appended here as well: no other place adds or announces events.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/actor.hpp"
#include "core/entity.hpp"
#include "data/row_cache.hpp"
#include "events/bus.hpp"
#include "storage/database.hpp"

namespace al::data {

/// A value of one call, written `{name}` in the clauses. `type` is PostgreSQL's name of it.
struct Parameter {
  std::string_view name;
  std::string_view type;
};

/// A second write in the same transaction, about the changed row `u`; `{name}` stands for parameters.
struct Companion {
  std::string text;
  std::string sqlite{};  ///< only where the dialects must differ
};

/// How an aggregate is known: its table's key besides the tenant, and its id in events as an SQL expression over `u`.
struct Aggregate {
  entity::Entity const& entity;
  std::vector<Parameter> key;
  std::string_view id;
};

/// What a change means to the copies of the row in the cache.
enum class CacheEffect {
  none,    ///< there are none, or never where this change is possible
  put,     ///< the row as it is now takes their place
  remove,  ///< the row is gone, or has to be read again
};

struct UpdateSpec {
  std::string_view name;
  std::string_view channel;
  CacheEffect cache = CacheEffect::none;
  std::vector<Parameter> params{};
  std::string set;  ///< without `version`, which always counts on
  std::string where = "true";
  std::vector<Companion> also{};
  bool is_audited = false;  ///< it has to do with who may do what: an entry in the audit trail goes with it
  /// On PostgreSQL a row that someone else is changing is refused at once instead of waited for: for callers who race
  /// for rows, where any other row will do.
  bool skips_locked = false;
};

/// The guard of an insert under an agent: that agent is there. A value, not EXISTS: PostgreSQL would make a join of
/// that, which reads all agents for each group.
inline constexpr std::string_view agent_is_there =
    "(SELECT a.deleted_at IS NULL FROM agents a WHERE a.tenant_id = {tenant_id} AND a.id = {agent_id})";

struct InsertSpec {
  std::string_view name;
  std::string_view channel;
  CacheEffect cache = CacheEffect::none;
  /// Columns that are not members of the entity, each filled by an expression over the parameters.
  std::vector<std::pair<std::string_view, std::string>> extra{};
  std::vector<Parameter> params{};  ///< beyond the entity's columns
  std::string where = "true";
  std::string on_conflict = "DO NOTHING";
  std::vector<Companion> also{};
  bool is_audited = false;  ///< as of an update
};

/// A prepared kind of change; a constant of its store.
struct Change {
  std::string channel;
  CacheEffect cache = CacheEffect::none;
  bool is_audited = false;
  std::size_t version_column = 0;  ///< of the answer
  storage::RowStatement statement;
  storage::Statement alone;                 ///< the PostgreSQL statement for one caller, as a step of a batch
  std::vector<std::size_t> id_params;       ///< which of the call's parameters are the aggregate's id
  std::optional<std::size_t> agent_column;  ///< of the answer: the agent whose it is
};

[[nodiscard]] Change make_update(Aggregate const&, UpdateSpec const&);
/// The parameters are the entity's columns and then `params`.
[[nodiscard]] Change make_insert(Aggregate const&, InsertSpec const&);

/// Makes `object` the first version of a row, made and changed `now`; the answer is its columns, for an insert.
template <entity::Described T>
[[nodiscard]] Values bind_first(T& object, Timestamp now) {
  object.version = 1;
  object.created_at = object.updated_at = now;
  Values params;
  entity::bind_row(object, params);
  return params;
}

/// How a row is read by its id, as the cache keeps it; a constant of its store.
struct RowSource {
  std::string_view kind;
  storage::Statement statement;  ///< $1 is the tenant, $2 the id; the answer is the entity's columns
  std::size_t version_column = 0;
  bool (*is_kept)(Row const&) = [](Row const&) { return true; };
};

/// `condition` follows WHERE; the table is `t`.
[[nodiscard]] RowSource make_source(Aggregate const&, std::string_view kind, std::string_view name,
                                    std::string const& condition);

/// Of a row's larger values its event carries the size only; an event that is no row's has no larger data.
inline constexpr std::int64_t event_value_bytes_max = 16'384;

/// An aggregate that is nothing but its events; event_store.hpp says what it may be called.
struct Stream {
  std::string kind;  ///< the part of its channels before ':'
  std::string id;
};

struct NewEvent {
  std::string channel;
  Document data;
};

/// A turn at something that one at a time may do, taken by transaction.hpp. Later turns of a name have higher tokens.
struct Fence {
  std::string name;
  std::int64_t token = 0;
};

/// The first step of a batch that may commit only while `fence` is the latest turn of its name. A turn that is being
/// taken waits for the batch, or the batch for it: none commits after a later turn has begun. The batch is refused as
/// `conflict`; `Error::where` is the statement's name, "fence.check".
[[nodiscard]] storage::Step fence_step(TenantId const&, Fence const&);

/// Runs changes: stamps them with who and when, writes, brings the cache up to date and announces them. Whoever keeps
/// other copies forgets them then. A change whose outcome is unknown is announced as well.
class Writer {
 public:
  /// `rows` may be null: nothing is cached.
  Writer(storage::Database& database, events::Bus& bus, Clock const& clock, Random& random, std::string service,
         RowCache* rows = nullptr)
      : database_(database), bus_(bus), rows_(rows), clock_(clock), random_(random), service_(std::move(service)) {}

  /// `params` follow the key of an update, or are the columns of an insert and its params. The answer is the row's
  /// entity columns after the change. Errors: conflict when the row was not there or the guard refused; lease_lost.
  [[nodiscard]] Task<Result<Row>> write(Change const&, Actor, Values params, Deadline);

  /// A row through the cache. Null: there is none. Errors: as cache::Cached::get.
  [[nodiscard]] Task<Result<RowCache::Pointer>> read(RowSource const&, TenantId const&, std::string id, Freshness,
                                                     Deadline);
  /// Adds `events`, all or none, to a stream at version `expected` (0: a new one); the answer is its version then.
  /// Errors: version_mismatch when the stream is at another version; lease_lost.
  [[nodiscard]] Task<Result<std::int64_t>> append(Actor, Stream, std::int64_t expected, std::vector<NewEvent>,
                                                  Deadline);

  /// One whose writes are refused with lease_lost once a later turn than `fence` was taken. Stores made over it write
  /// so too, but for what they write past it, through database(). A write behind a fence shares no round trip with
  /// other callers.
  [[nodiscard]] Writer behind(Fence fence) const;

  [[nodiscard]] std::string new_uuid() { return uuid_v7(clock_, random_); }
  [[nodiscard]] storage::Database& database() { return database_; }
  [[nodiscard]] events::Bus& bus() { return bus_; }
  [[nodiscard]] Clock const& clock() const { return clock_; }
  [[nodiscard]] Random& random() { return random_; }
  [[nodiscard]] std::string const& service() const { return service_; }

 private:
  [[nodiscard]] Values stamp(Actor const&);
  [[nodiscard]] Task<Result<Row>> write_fenced(Change const&, TenantId const&, Values, Deadline);
  [[nodiscard]] Task<void> refresh(Change const&, TenantId const&, std::string const& id, Row const* row, cache::Ticket,
                                   Deadline);
  void announce(Change const&, TenantId const&, std::string aggregate_id, Row const* row);

  storage::Database& database_;
  events::Bus& bus_;
  RowCache* rows_;
  Clock const& clock_;
  Random& random_;
  std::string service_;
  std::optional<Fence> fence_;
};

}  // namespace al::data
