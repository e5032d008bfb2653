#include "data/export_format.hpp"

#include <sodium/crypto_hash_sha256.h>
#include <sodium/utils.h>

#include <algorithm>
#include <array>
#include <boost/json/parse.hpp>
#include <charconv>
#include <numeric>

#include "core/fault.hpp"
#include "core/utf8.hpp"
#include "data/task_store.hpp"
#include "data/usage_store.hpp"
#include "model/agent.hpp"
#include "model/chat.hpp"
#include "model/event.hpp"
#include "model/knowledge.hpp"
#include "model/provider.hpp"
#include "model/workflow.hpp"

namespace al::data {

namespace {

using Columns = std::vector<ExportColumn>;

/// Documents are at most json::depth_max deep when they come in; events and merged items wrap them a few times.
constexpr std::size_t depth_max = 1024;

/// Of a document that cannot stand in its line as it is.
constexpr std::string_view as_text = "_text";

// ---- the sections ----

/// The entity's columns and then those that clients do not see. `without` are members of the entity that the table
/// keeps in another way.
Columns columns_of(entity::Entity const& entity, Columns extra = {}, std::vector<std::string_view> without = {}) {
  Columns columns;
  for (auto const& field : entity.fields) {
    if (field.options.stored && std::ranges::find(without, field.name) == without.end())
      columns.push_back({field.name, field.type, field.optional});
  }
  columns.insert(columns.end(), extra.begin(), extra.end());
  return columns;
}

/// Their place in the log is their order; who caused them is kept in columns.
Columns event_columns() {
  auto const metadata = columns_of(entity::entity<model::EventMetadata>(), {}, {"tenant_id"});
  return columns_of(entity::entity<model::Event>(), metadata, {"seq", "metadata"});
}

std::vector<ExportSection> make_sections() {
  using namespace entity;
  auto const& time = time_type();
  auto const& integer = int_type();
  auto const& text = string_type();
  auto const& uuid = uuid_type();
  auto const& agent = slug_type();
  auto const& item = text_id_type();
  return {
      {"agents", columns_of(entity::entity<model::Agent>(), {{"deleted_at", &time, true}}), {"id"}},
      {"tasks",
       columns_of(
           entity::entity<model::Task>(),
           {{"correlation_id", &text}, {"available_at", &time}, {"epoch", &integer}, {"worker_id", &uuid, true}}),
       {"id"}},
      {"task_steps", columns_of(entity::entity<TaskStep>(), {{"task_id", &uuid}}), {"task_id", "attempt", "step"}},
      {"knowledge",
       columns_of(entity::entity<model::Knowledge>(), {{"deleted_at", &time, true}}),
       {"agent_id", "id"},
       true},
      {"knowledge_uses",
       {{"agent_id", &agent}, {"knowledge_id", &item}, {"used_at", &time}},
       {"agent_id", "knowledge_id", "used_at"}},
      {"imported_items",
       {{"content_hash", &text}, {"agent_id", &agent}, {"knowledge_id", &item}, {"imported_at", &time}},
       {"content_hash"}},
      // Without the key: it opens only with a master key, which no export holds.
      {"providers", columns_of(entity::entity<model::Provider>(), {{"deleted_at", &time, true}}), {"id"}},
      {"chat_sessions", columns_of(entity::entity<model::ChatSession>(), {{"deleted_at", &time, true}}), {"id"}},
      {"chat_messages",
       columns_of(entity::entity<model::ChatMessage>(), {{"session_id", &uuid}}),
       {"session_id", "seq"}},
      {"workflows", columns_of(entity::entity<model::Workflow>(), {{"deleted_at", &time, true}}), {"id"}},
      {"model_usage", columns_of(entity::entity<ModelUsage>()), {"day", "principal", "provider", "model"}},
      {"event_streams", {{"kind", &text}, {"aggregate_id", &text}, {"version", &integer}}, {"kind", "aggregate_id"}},
      {"event_snapshots",
       {{"kind", &text}, {"aggregate_id", &text}, {"version", &integer}, {"state", &document_type()}},
       {"kind", "aggregate_id"}},
      {"events", event_columns(), {"seq"}, false, " AND " + std::string(not_of_installation)},
  };
}

// ---- values ----

enum class Kind { text, uuid, integer, number, truth, time, document };

Kind kind_of(ExportColumn const& column) {
  auto const sql = column.type->postgres;
  if (sql == "uuid")
    return Kind::uuid;
  if (sql == "bigint")
    return Kind::integer;
  if (sql == "double precision")
    return Kind::number;
  if (sql == "boolean")
    return Kind::truth;
  if (sql == "timestamptz")
    return Kind::time;
  return sql == "json" ? Kind::document : Kind::text;
}

bool is_blank(char c) { return c == ' ' || c == '\t'; }

/// A document `null` would be taken for none.
bool needs_quotes(std::string_view document) {
  return document.empty() || document == "null" || is_blank(document.front()) || is_blank(document.back()) ||
         document.find_first_of("\n\r") != std::string_view::npos;
}

/// Throws Fault when the value is of another kind than its column.
template <class T>
T value_as(Value const& value) {
  T out{};
  entity::type_of<T>().read(value, &out);
  return out;
}

void append_text(std::string& out, Value const& value) {
  auto const text = value_as<std::string>(value);
  if (utf8::valid_prefix(text) != text.size())
    throw Fault("the text is not UTF-8");
  json::append_string(out, text);
}

void append_value(std::string& out, Kind kind, Value const& value) {
  if (is_null(value)) {
    out += "null";
    return;
  }
  switch (kind) {
    case Kind::text:
    case Kind::uuid:
      return append_text(out, value);
    case Kind::integer:
      out += std::to_string(value_as<std::int64_t>(value));
      return;
    case Kind::number:
      // SQLite keeps whole numbers as integers, which have no negative zero.
      return json::append_number(out, value_as<double>(value) + 0.0);
    case Kind::truth:
      out += value_as<bool>(value) ? "true" : "false";
      return;
    case Kind::time:
      out += '"';
      append_rfc3339(out, value_as<Timestamp>(value));
      out += '"';
      return;
    case Kind::document:
      out += value_as<Document>(value).text;
      return;
  }
}

void append_column(std::string& out, ExportColumn const& column, Value const& value) {
  auto const kind = kind_of(column);
  auto const* document = kind == Kind::document ? std::get_if<std::string>(&value) : nullptr;
  bool const is_quoted = document != nullptr && needs_quotes(*document);
  out += '"';
  out += column.name;
  if (is_quoted)
    out += as_text;
  out += "\":";
  append_value(out, is_quoted ? Kind::text : kind, value);
}

std::unexpected<Error> wrong(std::string message) { return fail(Code::invalid, std::move(message)); }

/// Takes the value through the type's own decoder, which says what is wrong with it.
template <class T>
Result<Value> decoded(json::Input in) {
  T out{};
  entity::Faults faults;
  auto const& type = entity::type_of<T>();
  type.decode(in, &out, entity::Mode::stored, {}, faults);
  if (!faults.empty())
    return wrong(faults.front().message);
  return type.bind(&out);
}

/// The database keeps no U+0000: PostgreSQL cannot.
Result<Value> decoded_text(json::Input in, ExportColumn const& column) {
  auto const value = decoded<std::string>(in);
  if (!value)
    return value;
  auto const& text = std::get<std::string>(*value);
  auto const& choices = column.type->choices;
  if (!choices.empty() && std::ranges::find(choices, text) == choices.end())
    return wrong("\"" + text + "\" is none of its values");
  if (text.find('\0') != std::string::npos)
    return wrong("holds the character U+0000");
  if (kind_of(column) == Kind::uuid && !is_uuid(text))
    return wrong("must be a UUID");
  return value;
}

/// From its digits: the parser's own result may be off by the last bit.
Result<Value> decoded_number(json::Input in) {
  auto value = decoded<double>(in);
  double number = 0;
  if (value && std::from_chars(in.raw.data(), in.raw.data() + in.raw.size(), number).ec == std::errc{})
    value = number;
  return value;
}

Result<Value> decoded_document(json::Input in, ExportColumn const& column) {
  if (column.type->element != nullptr && !in.parsed->is_array())
    return wrong("must be an array");
  return Value{std::string(in.raw)};
}

/// A document that stands there as a string.
Result<Value> unquoted_document(json::Input in) {
  auto text = decoded<std::string>(in);
  if (!text)
    return text;
  if (auto const parsed = parse_line(std::get<std::string>(*text)); !parsed)
    return fail(parsed.error());
  return text;
}

bool is_quoted_name(std::string_view key, ExportColumn const& column) {
  return kind_of(column) == Kind::document && key.size() == column.name.size() + as_text.size() &&
         key.starts_with(column.name) && key.ends_with(as_text);
}

Result<Value> decode_value(json::Input in, ExportColumn const& column) {
  if (in.is_null() && column.optional)
    return Value{};
  switch (kind_of(column)) {
    case Kind::text:
    case Kind::uuid:
      return decoded_text(in, column);
    case Kind::integer:
      return decoded<std::int64_t>(in);
    case Kind::number:
      return decoded_number(in);
    case Kind::truth:
      return decoded<bool>(in);
    case Kind::time:
      return decoded<Timestamp>(in);
    case Kind::document:
      return decoded_document(in, column);
  }
  return wrong("is of no kind that this program knows");
}

}  // namespace

Result<json::value> parse_line(std::string_view line) {
  boost::json::parse_options options;
  options.max_depth = depth_max;
  boost::json::error_code error;
  auto value = boost::json::parse(line, error, {}, options);
  if (error)
    return wrong("is no JSON: " + error.message());
  return value;
}

std::vector<ExportSection> const& export_sections() {
  static std::vector<ExportSection> const sections = make_sections();
  return sections;
}

ExportSection const& tenant_section() {
  static ExportSection const section{
      "tenant", {{"id", &entity::slug_type()}, {"created_at", &entity::time_type()}}, {"id"}};
  return section;
}

void append_row_line(std::string& out, ExportSection const& section, Row const& row) {
  out.append("{\"").append(section.name).append("\":");
  char separator = '{';
  for (std::size_t i = 0; i < section.columns.size(); ++i) {
    auto const& column = section.columns[i];
    out += std::exchange(separator, ',');
    try {
      append_column(out, column, row.at(i));
    } catch (Fault const& fault) {
      throw Fault("cannot export the column " + std::string(section.name) + "." + std::string(column.name) + ": " +
                  fault.what());
    }
  }
  out += "}}\n";
}

Result<Values> read_row(ExportSection const& section, json::Input row) {
  auto const members = json::members(row);
  Values values;
  values.reserve(section.columns.size());
  for (std::size_t i = 0; i < section.columns.size(); ++i) {
    auto const& column = section.columns[i];
    auto const key = i < members.size() ? members[i].key : std::string_view{};
    bool const is_quoted = is_quoted_name(key, column);
    if (key != column.name && !is_quoted)
      return wrong(std::string(column.name) + " is missing, or not in its place");
    auto value = is_quoted ? unquoted_document(members[i].value) : decode_value(members[i].value, column);
    if (!value)
      return wrong(std::string(column.name) + ": " + value.error().message);
    values.push_back(std::move(*value));
  }
  if (members.size() > section.columns.size())
    return wrong("this program does not know " + std::string(members[section.columns.size()].key));
  return values;
}

// ---- the other lines ----

std::int64_t ExportSummary::total() const { return std::accumulate(rows.begin(), rows.end(), std::int64_t{0}); }

std::string manifest_line() {
  return "{\"manifest\":{\"format\":\"" + std::string(export_format) +
         "\",\"format_version\":" + std::to_string(export_format_version) + "}}\n";
}

std::string end_line(std::string_view section, std::int64_t rows, std::string_view sha256) {
  return "{\"end\":{\"section\":\"" + std::string(section) + "\",\"rows\":" + std::to_string(rows) + ",\"sha256\":\"" +
         std::string(sha256) + "\"}}\n";
}

std::string complete_line(ExportSummary const& summary) {
  std::string rows;
  for (std::size_t i = 0; i < summary.rows.size(); ++i) {
    rows += std::string(i == 0 ? "" : ",") + "\"" + std::string(export_sections()[i].name) +
            "\":" + std::to_string(summary.rows[i]);
  }
  return "{\"complete\":{\"tenants\":" + std::to_string(summary.tenants) + ",\"rows\":{" + rows + "},\"sha256\":\"" +
         summary.sha256 + "\"}}\n";
}

// ---- Checksum ----

struct Checksum::State {
  crypto_hash_sha256_state hash;
};

Checksum::Checksum() : state_(std::make_unique<State>()) { crypto_hash_sha256_init(&state_->hash); }

Checksum::~Checksum() = default;

void Checksum::add(std::string_view text) {
  crypto_hash_sha256_update(&state_->hash, static_cast<unsigned char const*>(static_cast<void const*>(text.data())),
                            text.size());
}

std::string Checksum::take() {
  std::array<unsigned char, crypto_hash_sha256_BYTES> digest{};
  crypto_hash_sha256_final(&state_->hash, digest.data());
  crypto_hash_sha256_init(&state_->hash);
  std::string hex(2 * digest.size() + 1, '\0');
  sodium_bin2hex(hex.data(), hex.size(), digest.data(), digest.size());
  hex.pop_back();
  return hex;
}

}  // namespace al::data
