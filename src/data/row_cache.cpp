#include "data/row_cache.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <ranges>

#include "cache/keys.hpp"
#include "core/json.hpp"
#include "core/log.hpp"

namespace al::data {

namespace {

constexpr std::string_view double_mark = "double";
constexpr std::string_view time_mark = "us";

json::value value_to_json(Value const& value) {
  if (auto const* flag = std::get_if<bool>(&value))
    return *flag;
  if (auto const* number = std::get_if<std::int64_t>(&value))
    return *number;
  if (auto const* number = std::get_if<double>(&value))
    return json::object{{double_mark, *number}};
  if (auto const* text = std::get_if<std::string>(&value))
    return json::value(*text);
  if (auto const* time = std::get_if<Timestamp>(&value))
    return json::object{{time_mark, time->time_since_epoch().count()}};
  return nullptr;
}

std::optional<Value> tagged_value(json::object const& object) {
  if (auto const* number = object.if_contains(double_mark); number != nullptr && number->is_number())
    return Value{number->to_number<double>()};
  if (auto const* time = object.if_contains(time_mark); time != nullptr && time->is_int64())
    return Value{Timestamp{Timestamp::duration{time->get_int64()}}};
  return std::nullopt;
}

std::optional<Value> value_from_json(json::value const& value) {
  if (value.is_null())
    return Value{};
  if (value.is_bool())
    return Value{value.get_bool()};
  if (value.is_int64())
    return Value{value.get_int64()};
  if (value.is_string())
    return Value{std::string(value.get_string())};
  return value.is_object() ? tagged_value(value.get_object()) : std::nullopt;
}

/// The second level repeats by itself what it could not do, and readers do without it until then.
void note(std::string_view kind, Result<void> const& done) {
  if (!done)
    log::debug("the cache will hear later of a change", {{"kind", kind}, {"reason", done.error().message}});
}

}  // namespace

std::string row_to_json(Row const& row) {
  json::array out;
  out.reserve(row.size());
  for (auto const& value : row)
    out.push_back(value_to_json(value));
  return json::serialize(out);
}

Result<Row> row_from_json(std::string_view text) {
  auto const parsed = json::parse(text);
  if (!parsed)
    return fail(parsed.error());
  auto const refused = [] { return fail(Code::invalid, "this is not a row of the cache"); };
  if (!parsed->is_array())
    return refused();
  Row row;
  for (auto const& value : parsed->get_array()) {
    auto read = value_from_json(value);
    if (!read)
      return refused();
    row.push_back(std::move(*read));
  }
  return row;
}

RowCache::RowCache(cache::Store* second, Clock const& clock, events::Bus& bus) : second_(second) {
  for (auto const& kind : row_kinds_kept) {
    auto& own = kinds_[std::string(kind.name)];
    own.rows = std::make_unique<cache::Cached<Row>>(
        second, clock, own.counters,
        cache::CachedOptions<Row>{.ttl = kind.ttl, .write = row_to_json, .read = row_from_json});
    bus.on(std::string(kind.name) + ":*", [rows = own.rows.get(), kind](events::Announcement const& it) {
      rows->forget(cache::key(it.tenant, kind.name, it.aggregate_id));
    });
  }
}

bool RowCache::keeps(std::string_view kind) {
  return std::ranges::find(row_kinds_kept, kind, &RowKind::name) != row_kinds_kept.end();
}

Task<Result<RowCache::Pointer>> RowCache::get(RowAt const& at, Freshness freshness, Deadline deadline, Load load) {
  return rows_of(at.kind).get(cache::key(at.tenant, at.kind, at.id), freshness, deadline, std::move(load));
}

Task<void> RowCache::put(RowAt at, Row const& row, cache::Ticket ticket, Deadline deadline) {
  auto const version = std::get<std::int64_t>(row.at(at.version_column));
  auto done = co_await rows_of(at.kind).put(cache::key(at.tenant, at.kind, at.id), {.value = row, .version = version},
                                            std::move(ticket), deadline);
  note(at.kind, done);
}

Task<void> RowCache::remove(TenantId const& tenant, std::string_view kind, std::string_view id, std::int64_t version,
                            Deadline deadline) {
  auto const key = cache::key(tenant, kind, id);
  note(kind, co_await rows_of(kind).remove(key, version, deadline));
}

std::map<std::string, double> RowCache::hit_ratios() const {
  std::map<std::string, double> out;
  for (auto const& [name, kind] : kinds_) {
    auto const hits = static_cast<double>(kind.counters.hits);
    auto const finds = hits + static_cast<double>(kind.counters.misses);
    if (finds > 0)
      out.emplace(name, hits / finds);
  }
  return out;
}

}  // namespace al::data
