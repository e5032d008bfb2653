#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <charconv>
#include <numeric>

#include "app/backup/catalog.hpp"
#include "core/json.hpp"

namespace al::app::backup {
namespace {

constexpr std::string_view format = "agent-lightning-backup";
/// Counts up when an older program would misread a newer manifest.
constexpr std::int64_t format_version = 1;
constexpr std::size_t files_max = 16;

/// What a manifest lacks; caught in parse_manifest.
struct Unfit {
  std::string member;
};

json::value const& member(json::object const& object, std::string_view key) {
  auto const* found = object.if_contains(key);
  if (found == nullptr)
    throw Unfit{std::string(key)};
  return *found;
}

std::string text(json::object const& object, std::string_view key) {
  auto const* found = member(object, key).if_string();
  if (found == nullptr)
    throw Unfit{std::string(key)};
  return std::string(*found);
}

std::int64_t number(json::object const& object, std::string_view key) {
  auto const* found = member(object, key).if_int64();
  if (found == nullptr || *found < 0)
    throw Unfit{std::string(key)};
  return *found;
}

json::object const& object_of(json::object const& object, std::string_view key) {
  auto const* found = member(object, key).if_object();
  if (found == nullptr)
    throw Unfit{std::string(key)};
  return *found;
}

Timestamp time(json::object const& object, std::string_view key) {
  auto const parsed = parse_time(text(object, key));
  if (!parsed)
    throw Unfit{std::string(key)};
  return *parsed;
}

Kind kind_of(json::object const& object) {
  auto const name = text(object, "kind");
  if (name != name_of(Kind::sqlite) && name != name_of(Kind::postgresql))
    throw Unfit{"kind"};
  return name == name_of(Kind::sqlite) ? Kind::sqlite : Kind::postgresql;
}

std::vector<StoredFile> files_of(json::object const& object) {
  auto const* list = member(object, "files").if_array();
  if (list == nullptr || list->empty() || list->size() > files_max)
    throw Unfit{"files"};
  std::vector<StoredFile> out;
  for (auto const& entry : *list) {
    auto const* file = entry.if_object();
    if (file == nullptr)
      throw Unfit{"files"};
    auto name = text(*file, "name");
    if (name.empty() || name.contains('/') || name == "..")  // it becomes part of a path
      throw Unfit{"files"};
    out.push_back({std::move(name), {static_cast<std::uintmax_t>(number(*file, "bytes")), text(*file, "sha256")}});
  }
  return out;
}

std::optional<LogPosition> log_of(json::object const& object) {
  if (!object.contains("log"))
    return std::nullopt;
  auto const& log = object_of(object, "log");
  auto const segment_bytes = number(log, "segment_bytes");
  if (segment_bytes == 0)
    throw Unfit{"log"};
  return LogPosition{.begin = static_cast<std::uint64_t>(number(log, "begin")),
                     .end = static_cast<std::uint64_t>(number(log, "end")),
                     .segment_bytes = static_cast<std::uint64_t>(segment_bytes),
                     .system_id = text(log, "system_id")};
}

Manifest read(json::object const& object) {
  Manifest out{.id = text(object, "id"),
               .kind = kind_of(object),
               .begun_at = time(object, "begun_at"),
               .copied_at = time(object, "copied_at"),
               .program = text(object, "program"),
               .files = files_of(object),
               .database = {.schema_version = static_cast<int>(number(object, "schema_version"))},
               .log = log_of(object)};
  for (auto const& [table, rows] : object_of(object, "rows")) {
    if (!rows.is_int64())
      throw Unfit{"rows"};
    out.database.rows[std::string(table)] = rows.get_int64();
  }
  if (out.log.has_value() != (out.kind == Kind::postgresql))
    throw Unfit{"log"};
  return out;
}

}  // namespace

std::string_view name_of(Kind kind) { return kind == Kind::sqlite ? "sqlite" : "postgresql"; }

std::uintmax_t Manifest::bytes() const {
  return std::accumulate(files.begin(), files.end(), std::uintmax_t{0},
                         [](std::uintmax_t sum, StoredFile const& file) { return sum + file.facts.bytes; });
}

std::int64_t Manifest::rows() const {
  return std::accumulate(database.rows.begin(), database.rows.end(), std::int64_t{0},
                         [](std::int64_t sum, auto const& table) { return sum + table.second; });
}

std::string to_json(Manifest const& manifest) {
  json::array files;
  for (auto const& file : manifest.files)
    files.push_back(json::object{{"name", file.name}, {"bytes", file.facts.bytes}, {"sha256", file.facts.sha256}});
  json::object rows;
  for (auto const& [table, count] : manifest.database.rows)
    rows[table] = count;
  json::object out{{"format", format},
                   {"format_version", format_version},
                   {"id", manifest.id},
                   {"kind", name_of(manifest.kind)},
                   {"begun_at", to_rfc3339(manifest.begun_at)},
                   {"copied_at", to_rfc3339(manifest.copied_at)},
                   {"program", manifest.program},
                   {"schema_version", manifest.database.schema_version},
                   {"rows", std::move(rows)},
                   {"files", std::move(files)}};
  if (manifest.log) {
    out["log"] = json::object{{"begin", manifest.log->begin},
                              {"end", manifest.log->end},
                              {"segment_bytes", manifest.log->segment_bytes},
                              {"system_id", manifest.log->system_id}};
  }
  return json::serialize(out);
}

Result<Manifest> parse_manifest(std::string_view content) {
  auto const parsed = json::parse(content);
  if (!parsed || !parsed->is_object())
    return fail(Code::invalid, "manifest.json is damaged: it is no JSON object");
  try {
    auto const& object = parsed->get_object();
    if (text(object, "format") != format)
      throw Unfit{"format"};
    if (number(object, "format_version") > format_version)
      return fail(Code::invalid, "a newer version of agent-lightning made it; use that one");
    return read(object);
  } catch (Unfit const& unfit) {
    return fail(Code::invalid, "manifest.json is damaged: its member '" + unfit.member + "' is missing or wrong");
  }
}

}  // namespace al::app::backup
