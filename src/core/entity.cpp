#include "core/entity.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "core/fault.hpp"
#include "core/utf8.hpp"

namespace al::entity {

namespace {

constexpr auto no_min = std::numeric_limits<std::int64_t>::min();
constexpr auto no_max = std::numeric_limits<std::int64_t>::max();
constexpr std::string_view slug_pattern = "^[a-z0-9][a-z0-9_-]{0,49}$";

// ---- messages ----

void add_fault(Faults& faults, std::string const& path, std::string message) {
  if (faults.size() < faults_max)
    faults.push_back({path, std::move(message)});
}

std::string_view kind_name(json::Input in) {
  if (in.is_null())
    return "null";
  switch (in.parsed->kind()) {
    case boost::json::kind::bool_:
      return "a boolean";
    case boost::json::kind::string:
      return "a string";
    case boost::json::kind::array:
      return "an array";
    case boost::json::kind::object:
      return "an object";
    default:
      return "a number";
  }
}

void add_wrong_kind(Faults& faults, std::string const& path, std::string_view expected, json::Input in) {
  add_fault(faults, path, "must be " + std::string(expected) + ", not " + std::string(kind_name(in)));
}

std::string listed(std::span<std::string_view const> names) {
  std::string out;
  for (auto const name : names) {
    if (!out.empty())
      out += ", ";
    out += name;
  }
  return out;
}

/// "1 character", "2 characters".
std::string counted(std::int64_t count, std::string_view unit) {
  return std::to_string(count) + ' ' + std::string(unit) + (count == 1 ? "" : "s");
}

// ---- text and SQL values ----

/// The string of `in`, or null and a fault.
boost::json::string const* string_of(json::Input in, std::string const& path, Faults& faults) {
  auto const* text = in.parsed == nullptr ? nullptr : in.parsed->if_string();
  if (text == nullptr)
    add_wrong_kind(faults, path, "a string", in);
  return text;
}

std::string_view value_kind(Value const& value) {
  constexpr std::array<std::string_view, std::variant_size_v<Value>> names = {"null",     "a boolean", "an integer",
                                                                              "a double", "text",      "a time"};
  return names.at(value.index());
}

[[noreturn]] void wrong_column(std::string_view expected, Value const& value) {
  throw Fault("expected " + std::string(expected) + ", found " + std::string(value_kind(value)));
}

std::string const& text_of(Value const& value) {
  auto const* text = std::get_if<std::string>(&value);
  if (text == nullptr)
    wrong_column("text", value);
  return *text;
}

std::optional<std::int64_t> no_size(void const*) { return std::nullopt; }

// An Id is its text alone, whatever its tag, so a pointer to one is a pointer to its text.
static_assert(std::is_standard_layout_v<AgentId> && sizeof(AgentId) == sizeof(std::string));

std::string& text_at(void* p) { return *static_cast<std::string*>(p); }
std::string const& text_at(void const* p) { return *static_cast<std::string const*>(p); }

/// What strings and ids share; `decode` is their own.
Type text_type(std::string_view format, std::string_view postgres,
               void (*decode)(json::Input, void*, Mode, std::string const&, Faults&)) {
  return {.json = "string",
          .format = format,
          .sqlite = "TEXT",
          .postgres = postgres,
          .write = [](void const* p, std::string& out) { json::append_string(out, text_at(p)); },
          .decode = decode,
          .bind = [](void const* p) { return Value(text_at(p)); },
          .read = [](Value const& v, void* p) { text_at(p) = text_of(v); },
          .size = [](void const* p) -> std::optional<std::int64_t> {
            return static_cast<std::int64_t>(utf8::length(text_at(p)));
          }};
}

void decode_string(json::Input in, void* p, Mode, std::string const& path, Faults& faults) {
  if (auto const* text = string_of(in, path, faults))
    text_at(p).assign(text->data(), text->size());
}

void decode_slug(json::Input in, void* p, Mode, std::string const& path, Faults& faults) {
  auto const* text = string_of(in, path, faults);
  if (text == nullptr)
    return;
  if (!is_slug(*text)) {
    return add_fault(faults, path,
                     "must be 1 to 50 lower-case letters, digits, '_' or '-', beginning with a letter or digit (" +
                         std::string(slug_pattern) + ")");
  }
  text_at(p).assign(text->data(), text->size());
}

void decode_uuid(json::Input in, void* p, Mode, std::string const& path, Faults& faults) {
  auto const* text = string_of(in, path, faults);
  if (text == nullptr)
    return;
  if (!is_uuid(*text)) {
    return add_fault(faults, path, "must be a UUID such as 0190b5a3-7c1e-7d2a-9f00-3b6c5d4e2f10");
  }
  text_at(p).assign(text->data(), text->size());
  for (char& c : text_at(p)) {
    if (c >= 'A' && c <= 'F')
      c = static_cast<char>(c - 'A' + 'a');
  }
}

void decode_text_id(json::Input in, void* p, Mode, std::string const& path, Faults& faults) {
  auto const* text = string_of(in, path, faults);
  if (text == nullptr)
    return;
  if (!is_text_id(*text)) {
    return add_fault(faults, path, "must be 1 to 255 bytes of UTF-8 without control characters");
  }
  text_at(p).assign(text->data(), text->size());
}

// ---- numbers, times, documents ----

void decode_bool(json::Input in, void* p, Mode, std::string const& path, Faults& faults) {
  auto const* truth = in.parsed == nullptr ? nullptr : in.parsed->if_bool();
  if (truth == nullptr)
    return add_wrong_kind(faults, path, "true or false", in);
  *static_cast<bool*>(p) = *truth;
}

void decode_int(json::Input in, void* p, Mode, std::string const& path, Faults& faults) {
  auto& out = *static_cast<std::int64_t*>(p);
  if (in.is_null() || !in.parsed->is_number())
    return add_wrong_kind(faults, path, "an integer", in);
  if (auto const* integer = in.parsed->if_int64()) {
    out = *integer;
    return;
  }
  auto const* number = in.parsed->if_double();
  if (number != nullptr && std::trunc(*number) != *number) {
    return add_fault(faults, path, "must be an integer, without a fraction");
  }
  // 3.0 and 1e3 are integers; beyond 2^53 a double no longer says which one was meant.
  constexpr double exact_max = 9007199254740992.0;
  if (number == nullptr || std::abs(*number) > exact_max) {
    return add_fault(faults, path, "must be an integer of at most 64 bits");
  }
  out = static_cast<std::int64_t>(*number);
}

void decode_double(json::Input in, void* p, Mode, std::string const& path, Faults& faults) {
  if (in.is_null() || !in.parsed->is_number())
    return add_wrong_kind(faults, path, "a number", in);
  *static_cast<double*>(p) = in.parsed->to_number<double>();
}

void decode_time(json::Input in, void* p, Mode, std::string const& path, Faults& faults) {
  auto const* text = string_of(in, path, faults);
  if (text == nullptr)
    return;
  auto const time = parse_time(*text);
  if (!time)
    return add_fault(faults, path, time.error().message);
  *static_cast<Timestamp*>(p) = *time;
}

void decode_document(json::Input in, void* p, Mode mode, std::string const& path, Faults& faults) {
  if (mode != Mode::stored && (in.parsed == nullptr || !in.parsed->is_object())) {
    return add_wrong_kind(faults, path, "an object", in);
  }
  auto& text = static_cast<Document*>(p)->text;
  if (!in.raw.empty())
    text = in.raw;
  else
    text = in.parsed == nullptr ? "null" : json::serialize(*in.parsed);
}

void read_bool(Value const& value, void* p) {
  auto& out = *static_cast<bool*>(p);
  if (auto const* truth = std::get_if<bool>(&value))
    out = *truth;
  else if (auto const* integer = std::get_if<std::int64_t>(&value))
    out = *integer != 0;  // SQLite
  else
    wrong_column("a boolean", value);
}

void read_int(Value const& value, void* p) {
  auto const* integer = std::get_if<std::int64_t>(&value);
  if (integer == nullptr)
    wrong_column("an integer", value);
  *static_cast<std::int64_t*>(p) = *integer;
}

void read_double(Value const& value, void* p) {
  auto& out = *static_cast<double*>(p);
  if (auto const* number = std::get_if<double>(&value))
    out = *number;
  else if (auto const* integer = std::get_if<std::int64_t>(&value))
    out = static_cast<double>(*integer);
  else
    wrong_column("a double", value);
}

void read_time(Value const& value, void* p) {
  auto& out = *static_cast<Timestamp*>(p);
  if (auto const* time = std::get_if<Timestamp>(&value))
    out = *time;
  else if (auto const* micros = std::get_if<std::int64_t>(&value))
    out = Timestamp(std::chrono::microseconds(*micros));
  else
    wrong_column("a time", value);
}

void read_document(Value const& value, void* p) {
  auto const& text = text_of(value);
  if (text.empty())
    throw Fault("expected a JSON document, found an empty text");
  static_cast<Document*>(p)->text = text;
}

// ---- limits ----

/// "at least 1 character", "at most 50 characters", "1 to 50 characters".
std::string range_text(Options const& options, std::string_view unit) {
  auto const amount = [&](std::int64_t n) { return unit.empty() ? std::to_string(n) : counted(n, unit); };
  if (options.max == no_max)
    return "at least " + amount(options.min);
  if (options.min == no_min || (!unit.empty() && options.min <= 0))
    return "at most " + amount(options.max);
  return std::to_string(options.min) + " to " + amount(options.max);
}

void check_number(Field const& field, json::Input in, std::string const& path, Faults& faults) {
  auto const& options = field.options;
  bool fits = true;
  if (field.type == &double_type()) {
    auto const number = in.parsed->to_number<double>();
    fits = (options.min == no_min || number >= static_cast<double>(options.min)) &&
           (options.max == no_max || number <= static_cast<double>(options.max));
  } else {
    auto const number =
        in.parsed->is_int64() ? in.parsed->get_int64() : static_cast<std::int64_t>(in.parsed->to_number<double>());
    fits = number >= options.min && number <= options.max;
  }
  if (!fits)
    add_fault(faults, path, "must be " + range_text(options, ""));
}

/// `in` was decoded into `object` without a fault.
void check_limits(Field const& field, json::Input in, void const* object, std::string const& path, Faults& faults) {
  auto const& options = field.options;
  if ((options.min == no_min && options.max == no_max) || in.is_null())
    return;
  if (in.parsed->is_number())
    return check_number(field, in, path, faults);
  auto const size = field.size(object);
  if (!size || (*size >= options.min && *size <= options.max))
    return;
  auto const& json = field.type->json;
  auto const unit = json == "string" ? "character" : json == "array" ? "element" : "byte";
  add_fault(faults, path, "must have " + range_text(options, unit) + ", has " + std::to_string(*size));
}

// ---- keys ----

std::string member_path(std::string const& path, std::string_view name) {
  return path.empty() ? std::string(name) : path + '.' + std::string(name);
}

/// Lower case, without what separates words: agentId and agent-id are meant as agent_id.
std::string folded(std::string_view key) {
  std::string out;
  for (char const c : key) {
    if (c >= 'A' && c <= 'Z')
      out += static_cast<char>(c - 'A' + 'a');
    else if (c != '_' && c != '-' && c != ' ')
      out += c;
  }
  return out;
}

/// How many letters were left out, added, replaced or swapped with their neighbour.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row_before(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::vector<std::size_t> next(b.size() + 1, i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      next[j] = std::min({row[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1), row[j] + 1, next[j - 1] + 1});
      bool const swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped)
        next[j] = std::min(next[j], row_before[j - 2] + 1);
    }
    row_before = std::exchange(row, std::move(next));
  }
  return row.back();
}

bool may_set(Field const& field, Mode mode) {
  if (!field.options.shown)
    return false;
  if (mode == Mode::stored)
    return true;
  if (field.options.access == Access::read_only)
    return false;
  return mode == Mode::create || field.options.access == Access::writable;
}

std::string unknown_key(Entity const& entity, std::string_view key, Mode mode) {
  constexpr std::size_t key_size_max = 64;
  if (key.size() > key_size_max)
    return "is unknown";
  auto const wanted = folded(key);
  auto nearest = wanted.size() / 3 + 1;  // as many mistakes still look like the same word
  std::string_view best;
  for (auto const& field : entity.fields) {
    if (!may_set(field, mode))
      continue;
    if (auto const far = distance(wanted, folded(field.name)); far < nearest) {
      nearest = far;
      best = field.name;
    }
  }
  return best.empty() ? "is unknown" : "is unknown; did you mean `" + std::string(best) + "`?";
}

std::string path_of_unknown(std::string const& path, std::string_view key) {
  constexpr std::size_t key_size_max = 64;
  return member_path(path, utf8::shortened(key, key_size_max));
}

/// The position of the field called `key`, or the number of fields. Clients mostly send our order, so the search begins
/// at `hint`.
std::size_t find_field(Entity const& entity, std::string_view key, std::size_t hint) {
  auto const count = entity.fields.size();
  for (std::size_t i = 0; i < count; ++i) {
    auto const at = (hint + i) % count;
    if (entity.fields[at].name == key && entity.fields[at].options.shown)
      return at;
  }
  return count;
}

void decode_field(Field const& field, json::Input in, void* object, Mode mode, std::string const& path,
                  Faults& faults) {
  if (!may_set(field, mode)) {
    return add_fault(faults, path,
                     field.options.access == Access::read_only ? "is set by the server; leave it out"
                                                               : "cannot be changed after creation; leave it out");
  }
  auto const before = faults.size();
  field.decode(in, object, mode, path, faults);
  if (mode != Mode::stored && faults.size() == before)
    check_limits(field, in, object, path, faults);
}

/// Calls `use(field)` for each stored member.
template <class Use>
void for_each_column(Entity const& entity, Use use) {
  for (auto const& field : entity.fields) {
    if (field.options.stored)
      use(field);
  }
}

// ---- OpenAPI ----

boost::json::string json_text(std::string_view text) { return boost::json::string(text.data(), text.size()); }

void add_limits(json::object& out, Type const& type, Options const& options) {
  bool const numeric = type.json == "integer" || type.json == "number";
  auto const min = numeric ? "minimum" : type.json == "string" ? "minLength" : "minItems";
  auto const max = numeric ? "maximum" : type.json == "string" ? "maxLength" : "maxItems";
  if (type.json == "object")
    return;  // JSON Schema cannot bound the bytes of a document
  if (options.min != no_min && (numeric || options.min > 0))
    out[min] = options.min;
  if (options.max != no_max)
    out[max] = options.max;
}

json::object type_schema(Type const& type, Mode mode) {
  json::object out;
  if (type.nested != nullptr) {
    out["$ref"] = json_text("#/components/schemas/" + schema_name(*type.nested, nested_mode(mode)));
    return out;
  }
  out["type"] = json_text(type.json);
  if (!type.format.empty())
    out["format"] = json_text(type.format);
  if (&type == &slug_type())
    out["pattern"] = json_text(slug_pattern);
  if (&type == &text_id_type()) {
    out["minLength"] = 1;
    out["maxLength"] = 255;
  }
  if (!type.choices.empty()) {
    json::array names;
    for (auto const name : type.choices)
      names.emplace_back(json_text(name));
    out["enum"] = std::move(names);
  }
  if (type.element != nullptr)
    out["items"] = type_schema(*type.element, mode);
  return out;
}

/// Lets null through as well.
void make_nullable(json::object& out) {
  if (out.contains("$ref")) {
    json::object reference = std::move(out);
    out = json::object();
    out["anyOf"] = json::array{std::move(reference), json::object{{"type", "null"}}};
    return;
  }
  if (auto* type = out.if_contains("type"))
    *type = json::array{*type, "null"};
  if (auto* names = out.if_contains("enum"))
    names->as_array().emplace_back(nullptr);
}

/// Nothing of a default that says no more than that the server fills it in: an empty id, a time before all others.
void add_default(json::object& out, Field const& field) {
  std::string text;
  field.write_default(text);
  auto value = json::parse(text);
  bool const is_filled_in =
      !value || value->is_null() ||
      (value->is_string() && value->get_string().empty() && (field.type != &string_type() || field.options.min > 0));
  if (!is_filled_in)
    out["default"] = std::move(*value);
}

json::object field_schema(Field const& field, Mode mode) {
  auto out = type_schema(*field.type, mode);
  bool const server_sets = field.options.access == Access::read_only;
  if (field.options.any_json)
    out.erase("type");
  if (mode != Mode::stored)
    add_limits(out, *field.type, field.options);
  // What an answer leaves out is never null.
  if (field.optional && !(mode == Mode::stored && field.options.left_out))
    make_nullable(out);
  if (mode == Mode::create && field.options.defaulted)
    add_default(out, field);
  out["description"] = json_text(field.doc);
  if (server_sets)
    out["readOnly"] = true;
  return out;
}

}  // namespace

// ---- the fixed rows ----

Type const& string_type() {
  static Type const type = text_type("", "text", decode_string);
  return type;
}

Type const& slug_type() {
  static Type const type = text_type("", "text", decode_slug);
  return type;
}

Type const& uuid_type() {
  static Type const type = text_type("uuid", "uuid", decode_uuid);
  return type;
}

Type const& text_id_type() {
  static Type const type = text_type("", "text", decode_text_id);
  return type;
}

Type const& bool_type() {
  static Type const type{
      .json = "boolean",
      .format = "",
      .sqlite = "INTEGER",
      .postgres = "boolean",
      .write = [](void const* p, std::string& out) { out += *static_cast<bool const*>(p) ? "true" : "false"; },
      .decode = decode_bool,
      .bind = [](void const* p) { return Value(*static_cast<bool const*>(p)); },
      .read = read_bool,
      .size = no_size};
  return type;
}

Type const& int_type() {
  static Type const type{
      .json = "integer",
      .format = "int64",
      .sqlite = "INTEGER",
      .postgres = "bigint",
      .write = [](void const* p, std::string& out) { out += std::to_string(*static_cast<std::int64_t const*>(p)); },
      .decode = decode_int,
      .bind = [](void const* p) { return Value(*static_cast<std::int64_t const*>(p)); },
      .read = read_int,
      .size = [](void const* p) -> std::optional<std::int64_t> { return *static_cast<std::int64_t const*>(p); }};
  return type;
}

Type const& double_type() {
  static Type const type{
      .json = "number",
      .format = "double",
      .sqlite = "REAL",
      .postgres = "double precision",
      .write = [](void const* p, std::string& out) { json::append_number(out, *static_cast<double const*>(p)); },
      .decode = decode_double,
      .bind = [](void const* p) { return Value(*static_cast<double const*>(p)); },
      .read = read_double,
      .size = no_size};  // check_limits compares the number itself: an integer measure would lose its fraction
  return type;
}

Type const& time_type() {
  static Type const type{.json = "string",
                         .format = "date-time",
                         .sqlite = "INTEGER",
                         .postgres = "timestamptz",
                         .write =
                             [](void const* p, std::string& out) {
                               out += '"';
                               append_rfc3339(out, *static_cast<Timestamp const*>(p));
                               out += '"';
                             },
                         .decode = decode_time,
                         .bind = [](void const* p) { return Value(*static_cast<Timestamp const*>(p)); },
                         .read = read_time,
                         .size = no_size};
  return type;
}

Type const& document_type() {
  static Type const type{.json = "object",
                         .format = "",
                         .sqlite = "TEXT",
                         .postgres = "json",
                         .write = [](void const* p, std::string& out) { out += static_cast<Document const*>(p)->text; },
                         .decode = decode_document,
                         .bind = [](void const* p) { return Value(static_cast<Document const*>(p)->text); },
                         .read = read_document,
                         .size = [](void const* p) -> std::optional<std::int64_t> {
                           return static_cast<std::int64_t>(static_cast<Document const*>(p)->text.size());
                         }};
  return type;
}

// ---- JSON ----

void write_json(Entity const& entity, void const* object, std::string& out) {
  char separator = '{';
  for (auto const& field : entity.fields) {
    if (!field.options.shown || (field.options.left_out && !field.has_value(object)))
      continue;
    out += std::exchange(separator, ',');
    out += '"';
    out += field.name;  // a C++ identifier: nothing to escape
    out += "\":";
    field.write(object, out);
  }
  out += separator == '{' ? "{}" : "}";
}

Mask decode_json(Entity const& entity, json::Input in, void* object, Mode mode, std::string const& path,
                 Faults& faults) {
  Mask mask(entity.fields.size());
  if (in.parsed == nullptr || !in.parsed->is_object()) {
    add_wrong_kind(faults, path, "an object", in);
    return mask;
  }
  std::size_t hint = 0;
  for (auto const& [key, value] : json::members(in)) {
    if (faults.size() >= faults_max)
      return mask;
    auto const at = find_field(entity, key, hint);
    if (at == entity.fields.size()) {
      if (mode != Mode::stored)
        add_fault(faults, path_of_unknown(path, key), unknown_key(entity, key, mode));
      continue;
    }
    decode_field(entity.fields[at], value, object, mode, member_path(path, key), faults);
    mask[at] = true;
    hint = at + 1;
  }
  if (mode != Mode::create)
    return mask;
  for (std::size_t i = 0; i < entity.fields.size(); ++i) {
    auto const& field = entity.fields[i];
    if (field.required && field.options.shown && !mask[i]) {
      add_fault(faults, member_path(path, field.name), "is required");
    }
  }
  return mask;
}

Error invalid(Faults faults) {
  Error out{Code::invalid, "the input is not valid"};
  if (!faults.empty()) {
    auto const& first = faults.front();
    out.message = (first.path.empty() ? "the input" : first.path) + ' ' + first.message;
  }
  if (faults.size() > 1)
    out.message += " (and " + counted(static_cast<std::int64_t>(faults.size()) - 1, "more fault") + ")";
  out.faults = std::move(faults);
  return out;
}

// ---- SQL ----

std::string columns(Entity const& entity, std::string_view prefix) {
  std::string out;
  for_each_column(entity, [&](Field const& field) {
    if (!out.empty())
      out += ", ";
    out += prefix;
    out += field.name;
  });
  return out;
}

std::string placeholders(Entity const& entity, int first) {
  std::string out;
  for_each_column(entity, [&](Field const&) {
    if (!out.empty())
      out += ", ";
    out += '$' + std::to_string(first++);
  });
  return out;
}

std::string array_placeholders(Entity const& entity, int first) {
  std::string out;
  for_each_column(entity, [&](Field const& field) {
    if (!out.empty())
      out += ", ";
    out += '$' + std::to_string(first++) + "::" + std::string(field.type->postgres) + "[]";
  });
  return out;
}

std::size_t column_count(Entity const& entity) {
  return static_cast<std::size_t>(
      std::ranges::count_if(entity.fields, [](Field const& field) { return field.options.stored; }));
}

void bind_columns(Entity const& entity, void const* object, Values& out) {
  for_each_column(entity, [&](Field const& field) { out.push_back(field.bind(object)); });
}

void read_columns(Entity const& entity, Row const& row, std::size_t first, void* object) {
  if (row.size() < first + column_count(entity)) {
    throw Fault(std::string(entity.name) + ": the row has " + std::to_string(row.size()) + " columns, too few");
  }
  for_each_column(entity, [&](Field const& field) {
    try {
      field.read(row[first++], object);
    } catch (Fault const& fault) {
      throw Fault("column " + std::string(entity.table) + '.' + std::string(field.name) + ": " + fault.what());
    }
  });
}

// ---- OpenAPI ----

std::string schema_name(Entity const& entity, Mode mode) {
  std::string name(entity.name);
  if (mode == Mode::create)
    name += "Create";
  if (mode == Mode::patch)
    name += "Patch";
  return name;
}

json::object schema(Entity const& entity, Mode mode) {
  json::object properties;
  json::array required;
  for (auto const& field : entity.fields) {
    if (!may_set(field, mode))
      continue;
    properties[field.name] = field_schema(field, mode);
    // In an answer every member stands, null or not, but those that say otherwise.
    if ((mode == Mode::stored && !field.options.left_out) || (mode == Mode::create && field.required))
      required.emplace_back(json_text(field.name));
  }
  json::object out;
  out["type"] = "object";
  out["description"] = json_text(entity.doc);
  out["properties"] = std::move(properties);
  if (!required.empty())
    out["required"] = std::move(required);
  if (mode != Mode::stored)
    out["additionalProperties"] = false;
  return out;
}

// ---- what the generated code calls ----

namespace detail {

void decode_enum(json::Input in, std::span<std::string_view const> names, std::string const& path, Faults& faults,
                 int& index) {
  auto const* text = string_of(in, path, faults);
  if (text == nullptr)
    return;
  auto const found = std::ranges::find(names, std::string_view(*text));
  if (found == names.end())
    return add_fault(faults, path, "must be one of " + listed(names));
  index = static_cast<int>(found - names.begin());
}

int read_enum(Value const& value, std::span<std::string_view const> names) {
  auto const& text = text_of(value);
  auto const found = std::ranges::find(names, std::string_view(text));
  if (found == names.end())
    throw Fault("expected one of " + listed(names) + ", found '" + text + "'");
  return static_cast<int>(found - names.begin());
}

void decode_array(json::Input in, Mode mode, std::string const& path, Faults& faults, void* out,
                  void (*add)(json::Input, void* out, Mode, std::string const& path, Faults&)) {
  if (in.parsed == nullptr || !in.parsed->is_array())
    return add_wrong_kind(faults, path, "an array", in);
  std::size_t index = 0;
  for (auto const& element : json::elements(in)) {
    if (faults.size() >= faults_max)
      return;
    add(element, out, mode, path + '[' + std::to_string(index++) + ']', faults);
  }
}

Value text_value(std::string text) { return text; }

json::Source stored_document(Value const& value) {
  auto source = json::Source::from(text_of(value));
  if (!source)
    throw Fault("expected a JSON document: " + source.error().message);
  return std::move(*source);
}

void require_none(Faults const& faults) {
  if (!faults.empty())
    throw Fault("the stored JSON does not fit: " + faults.front().path + ' ' + faults.front().message);
}

}  // namespace detail

}  // namespace al::entity
