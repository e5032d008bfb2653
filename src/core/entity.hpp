#pragma once
/// One description per entity. A plain struct, BOOST_DESCRIBE_STRUCT for its member names, and beside it one note per
/// member. From these come its JSON both ways, its validation (all faults at once), the PATCH mask, its SQL columns and
/// its OpenAPI 3.1 schema, as ordinary loops in entity.cpp. Only `Access` below is generated per member.
///
///   struct Tag { std::string name; std::int64_t uses = 0; };
///   BOOST_DESCRIBE_STRUCT(Tag, (), (name, uses))
///   constexpr auto describe(std::type_identity<Tag>) {
///     return entity::about("Tag", "tags", "A label.",
///                          entity::field<&Tag::name>("What it is called.", {.min = 1, .max = 50}),
///                          entity::field<&Tag::uses>("How often it was used.", {.access =
///                          entity::Access::read_only}));
///   }
///
/// `describe` is found by argument-dependent lookup: put it in the namespace of the struct.

#include <boost/describe.hpp>
#include <boost/mp11.hpp>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <vector>

#include "core/ids.hpp"
#include "core/json.hpp"
#include "core/value.hpp"

namespace al::entity {

struct Entity;

/// Who may set a member through the API.
enum class Access {
  read_only,    ///< the server
  create_only,  ///< the client, when it creates
  writable,     ///< the client, always
};

/// `min` and `max` bound the value of numbers, the length in characters of strings, the count of arrays, and the length
/// in bytes of documents.
struct Options {
  std::int64_t min = std::numeric_limits<std::int64_t>::min();
  std::int64_t max = std::numeric_limits<std::int64_t>::max();
  Access access = Access::writable;
  bool defaulted = false;  ///< may be left out on create; the member's initialiser stands in
  bool stored = true;      ///< has a column of the same name
  bool shown = true;       ///< appears in JSON; when not, no client can set it either
  bool left_out = false;   ///< of a std::optional: no member of the JSON instead of null, when there is no value
  bool any_json = false;   ///< of a Document: any JSON, not only an object
};

// ---- what a C++ type means on the wire and in SQL: one row per type, not per member ----

using Faults = std::vector<FieldFault>;

/// A client that sends more wrong fields than this does not read them either.
inline constexpr std::size_t faults_max = 100;

enum class Mode {
  create,  ///< a client creates: required members, no server-set ones, no unknown keys
  patch,   ///< a client changes: any subset of the writable ones
  stored,  ///< our own export or event: members may be missing, unknown keys are ignored, and what was within the
           ///< limits once is read back whatever they are now; a wrong type is a fault here as well
};

struct Type {
  std::string_view json;      ///< JSON Schema type
  std::string_view format;    ///< JSON Schema format, or empty
  std::string_view sqlite;    ///< column type
  std::string_view postgres;  ///< column type
  void (*write)(void const*, std::string& out);
  void (*decode)(json::Input, void*, Mode, std::string const& path, Faults&);
  Value (*bind)(void const*);
  void (*read)(Value const&, void*);  ///< throws Fault when the value is of another kind: the schema is not ours
  /// The measure that `Options::min/max` bound; nullopt when the type has none.
  std::optional<std::int64_t> (*size)(void const*);
  std::vector<std::string_view> choices{};  ///< enumerators
  Type const* element = nullptr;            ///< of arrays
  Entity const* nested = nullptr;           ///< of described structs
};

template <class M>
Type const& type_of();

/// The fixed rows (string, bool, integers, double, Timestamp, Document, ids) are in entity.cpp.
Type const& string_type();
Type const& bool_type();
Type const& int_type();
Type const& double_type();
Type const& time_type();
Type const& document_type();
Type const& slug_type();
Type const& uuid_type();
Type const& text_id_type();

struct Field {
  std::string_view name;
  std::string_view doc;
  Type const* type;
  Options options;
  bool optional;  ///< std::optional: null on the wire and in SQL
  bool required;  ///< must be there on create
  void (*write)(void const*, std::string& out);
  void (*write_default)(std::string& out);  ///< what stands in when it is left out
  bool (*has_value)(void const*);           ///< false: a std::optional without one
  void (*decode)(json::Input, void*, Mode, std::string const& path, Faults&);
  Value (*bind)(void const*);
  void (*read)(Value const&, void*);
  std::optional<std::int64_t> (*size)(void const*);
};

struct Entity {
  std::string_view name;   ///< as in OpenAPI
  std::string_view table;  ///< empty when it is not stored
  std::string_view doc;
  std::vector<Field> fields;
};

// ---- what the author says about a member, beside the struct ----

template <auto Member>
struct Note {
  std::string_view doc;
  Options options;
};

template <auto Member>
constexpr Note<Member> field(std::string_view doc, Options options = {}) {
  return {doc, options};
}

template <class... Notes>
struct Description {
  std::string_view name, table, doc;
  std::tuple<Notes...> notes;
};

template <class... Notes>
constexpr Description<Notes...> about(std::string_view name, std::string_view table, std::string_view doc,
                                      Notes... notes) {
  return {name, table, doc, {notes...}};
}

template <class T>
concept Described = requires { describe(std::type_identity<T>{}); };

template <Described T>
Entity const& entity();

// ---- used by everyone; not templates ----

/// Which fields (by position in `Entity::fields`) a client sent.
using Mask = std::vector<bool>;

void write_json(Entity const&, void const* object, std::string& out);
/// Reads `in` into `*object` (which holds the defaults, or the state to be patched) and appends every fault found, up
/// to `faults_max`.
Mask decode_json(Entity const&, json::Input in, void* object, Mode, std::string const& path, Faults&);
[[nodiscard]] Error invalid(Faults);

/// "id, name, …" of the stored members, each with `prefix` ("a." for an alias).
[[nodiscard]] std::string columns(Entity const&, std::string_view prefix = "");
/// "$3, $4, …" for the stored members, counted from `first`.
[[nodiscard]] std::string placeholders(Entity const&, int first);
/// "$3::text[], $4::timestamptz[], …" for `unnest`.
[[nodiscard]] std::string array_placeholders(Entity const&, int first);
[[nodiscard]] std::size_t column_count(Entity const&);
void bind_columns(Entity const&, void const* object, Values& out);
/// Reads the stored members from `row`, starting at column `first`. Throws Fault, naming the column, when a value is of
/// another kind than the member: null, a text for a number, an unknown enumerator.
void read_columns(Entity const&, Row const&, std::size_t first, void* object);

/// OpenAPI 3.1 schema (JSON Schema 2020-12) of what a client sends (create, patch) or gets (stored); nested entities by
/// `$ref: #/components/schemas/NAME`, under the name of schema_name().
[[nodiscard]] json::object schema(Entity const&, Mode);
/// "Agent" of what a client gets, "AgentCreate" and "AgentPatch" of what he sends: a request may have fewer members.
[[nodiscard]] std::string schema_name(Entity const&, Mode);
/// In which mode what is nested in an entity of `mode` is read: a client replaces it as a whole.
[[nodiscard]] constexpr Mode nested_mode(Mode mode) { return mode == Mode::stored ? mode : Mode::create; }

// ---- typed doors to the above ----

template <Described T>
[[nodiscard]] std::string to_json(T const& object) {
  std::string out;
  out.reserve(512);
  write_json(entity<T>(), &object, out);
  return out;
}

template <Described T>
[[nodiscard]] Result<T> from_json(json::Input in, Mode mode = Mode::create, std::string const& path = {}) {
  T object{};
  Faults faults;
  decode_json(entity<T>(), in, &object, mode, path, faults);
  if (!faults.empty())
    return fail(invalid(std::move(faults)));
  return object;
}

/// Applies a PATCH to `object`; the answer says which members came. Errors: invalid, then `object` may be half changed.
template <Described T>
[[nodiscard]] Result<Mask> patch_json(T& object, json::Input in) {
  Faults faults;
  auto mask = decode_json(entity<T>(), in, &object, Mode::patch, {}, faults);
  if (!faults.empty())
    return fail(invalid(std::move(faults)));
  return mask;
}

template <Described T>
[[nodiscard]] T from_row(Row const& row, std::size_t first = 0) {
  T object{};
  read_columns(entity<T>(), row, first, &object);
  return object;
}

template <Described T>
void bind_row(T const& object, Values& out) {
  bind_columns(entity<T>(), &object, out);
}

// ---- generated per type and per member ----

namespace detail {

template <class M>
struct Unwrap {
  using type = M;
  static constexpr bool optional = false;
};
template <class M>
struct Unwrap<std::optional<M>> {
  using type = M;
  static constexpr bool optional = true;
};

template <class T>
inline constexpr bool is_vector = false;
template <class T>
inline constexpr bool is_vector<std::vector<T>> = true;
template <class T>
inline constexpr bool is_id = false;
template <class Tag>
inline constexpr bool is_id<Id<Tag>> = true;

void decode_enum(json::Input, std::span<std::string_view const> names, std::string const& path, Faults&, int& index);
void decode_array(json::Input, Mode, std::string const& path, Faults&, void* out,
                  void (*add)(json::Input, void* out, Mode, std::string const& path, Faults&));
/// The position of the enumerator; throws Fault when the text is none of them.
int read_enum(Value const&, std::span<std::string_view const> names);
Value text_value(std::string);
/// Throws Fault when the column holds no JSON text.
json::Source stored_document(Value const&);
/// Throws Fault when there are any: a column was not written by us.
void require_none(Faults const&);

template <class M>
std::vector<std::string_view> const& enum_names() {
  static std::vector<std::string_view> const names = [] {
    std::vector<std::string_view> out;
    boost::mp11::mp_for_each<boost::describe::describe_enumerators<M>>([&](auto e) { out.push_back(e.name); });
    return out;
  }();
  return names;
}

template <class M>
M enum_at(int index) {
  M out{};
  int i = 0;
  boost::mp11::mp_for_each<boost::describe::describe_enumerators<M>>([&](auto e) {
    if (i++ == index)
      out = e.value;
  });
  return out;
}

template <class M>
Type make_enum_type() {
  return {
      .json = "string",
      .format = "",
      .sqlite = "TEXT",
      .postgres = "text",
      .write =
          [](void const* p, std::string& out) {
            json::append_string(out, boost::describe::enum_to_string(*static_cast<M const*>(p), "?"));
          },
      .decode =
          [](json::Input in, void* p, Mode, std::string const& path, Faults& faults) {
            int index = -1;
            decode_enum(in, enum_names<M>(), path, faults, index);
            if (index >= 0)
              *static_cast<M*>(p) = enum_at<M>(index);
          },
      .bind = [](void const* p) { return text_value(boost::describe::enum_to_string(*static_cast<M const*>(p), "?")); },
      .read = [](Value const& v, void* p) { *static_cast<M*>(p) = enum_at<M>(read_enum(v, enum_names<M>())); },
      .size = [](void const*) -> std::optional<std::int64_t> { return std::nullopt; },
      .choices = enum_names<M>()};
}

template <class M>
Type make_vector_type() {
  using E = typename M::value_type;
  static constexpr auto add = [](json::Input in, void* out, Mode mode, std::string const& path, Faults& faults) {
    E element{};
    type_of<E>().decode(in, &element, mode, path, faults);
    static_cast<M*>(out)->push_back(std::move(element));
  };
  return {.json = "array",
          .format = "",
          .sqlite = "TEXT",
          .postgres = "json",
          .write =
              [](void const* p, std::string& out) {
                out += '[';
                bool first = true;
                for (auto const& element : *static_cast<M const*>(p)) {
                  if (!std::exchange(first, false))
                    out += ',';
                  type_of<E>().write(&element, out);
                }
                out += ']';
              },
          .decode =
              [](json::Input in, void* p, Mode mode, std::string const& path, Faults& faults) {
                static_cast<M*>(p)->clear();
                decode_array(in, mode, path, faults, p, add);
              },
          .bind =
              [](void const* p) {
                std::string out;
                type_of<M>().write(p, out);
                return text_value(std::move(out));
              },
          .read =
              [](Value const& v, void* p) {
                Faults faults;
                auto const source = stored_document(v);
                type_of<M>().decode(source.root(), p, Mode::stored, {}, faults);
                require_none(faults);
              },
          .size = [](void const* p) -> std::optional<std::int64_t> {
            return static_cast<std::int64_t>(static_cast<M const*>(p)->size());
          },
          .element = &type_of<E>()};
}

template <class M>
Type make_struct_type() {
  return {.json = "object",
          .format = "",
          .sqlite = "TEXT",
          .postgres = "json",
          .write = [](void const* p, std::string& out) { write_json(entity<M>(), p, out); },
          // A client replaces a nested object as a whole, also in a PATCH.
          .decode =
              [](json::Input in, void* p, Mode mode, std::string const& path, Faults& faults) {
                *static_cast<M*>(p) = M{};
                decode_json(entity<M>(), in, p, nested_mode(mode), path, faults);
              },
          .bind =
              [](void const* p) {
                std::string out;
                write_json(entity<M>(), p, out);
                return text_value(std::move(out));
              },
          .read =
              [](Value const& v, void* p) {
                Faults faults;
                auto const source = stored_document(v);
                decode_json(entity<M>(), source.root(), p, Mode::stored, {}, faults);
                require_none(faults);
              },
          .size = [](void const*) -> std::optional<std::int64_t> { return std::nullopt; },
          .nested = &entity<M>()};
}

/// What is generated per member: the way from an object to the member, and through an optional.
template <class T, auto Member>
struct Accessor {
  using Unwrapped = Unwrap<std::remove_cvref_t<decltype(std::declval<T&>().*Member)>>;
  using M = typename Unwrapped::type;

  static void write(void const* object, std::string& out) {
    auto const& member = static_cast<T const*>(object)->*Member;
    if constexpr (Unwrapped::optional) {
      if (member)
        type_of<M>().write(&*member, out);
      else
        out += "null";
    } else {
      type_of<M>().write(&member, out);
    }
  }
  static void write_default(std::string& out) {
    T const object{};
    write(&object, out);
  }
  static bool has_value(void const* object) {
    if constexpr (Unwrapped::optional)
      return (static_cast<T const*>(object)->*Member).has_value();
    else
      return true;
  }
  static void decode(json::Input in, void* object, Mode mode, std::string const& path, Faults& faults) {
    auto& member = static_cast<T*>(object)->*Member;
    if constexpr (Unwrapped::optional) {
      if (in.is_null())
        return member.reset();
      type_of<M>().decode(in, &member.emplace(), mode, path, faults);
    } else {
      type_of<M>().decode(in, &member, mode, path, faults);
    }
  }
  static Value bind(void const* object) {
    auto const& member = static_cast<T const*>(object)->*Member;
    if constexpr (Unwrapped::optional)
      return member ? type_of<M>().bind(&*member) : Value{};
    else
      return type_of<M>().bind(&member);
  }
  static void read(Value const& value, void* object) {
    auto& member = static_cast<T*>(object)->*Member;
    if constexpr (Unwrapped::optional) {
      if (al::is_null(value))
        return member.reset();
      type_of<M>().read(value, &member.emplace());
    } else {
      type_of<M>().read(value, &member);
    }
  }
  static std::optional<std::int64_t> size(void const* object) {
    auto const& member = static_cast<T const*>(object)->*Member;
    if constexpr (Unwrapped::optional)
      return member ? type_of<M>().size(&*member) : std::nullopt;
    else
      return type_of<M>().size(&member);
  }
};

template <class T>
using MembersOf = boost::describe::describe_members<T, boost::describe::mod_public>;

template <class T, auto Member>
Field make_field(Note<Member> const& note) {
  using A = Accessor<T, Member>;
  bool const required = !A::Unwrapped::optional && !note.options.defaulted && note.options.access != Access::read_only;
  return {.name = boost::describe::descriptor_by_pointer<MembersOf<T>, Member>::name,
          .doc = note.doc,
          .type = &type_of<typename A::M>(),
          .options = note.options,
          .optional = A::Unwrapped::optional,
          .required = required,
          .write = A::write,
          .write_default = A::write_default,
          .has_value = A::has_value,
          .decode = A::decode,
          .bind = A::bind,
          .read = A::read,
          .size = A::size};
}

template <class T, auto... Members>
std::vector<Field> make_fields(std::tuple<Note<Members>...> const& notes) {
  namespace mp11 = boost::mp11;
  static_assert(mp11::mp_is_set<mp11::mp_list<boost::describe::descriptor_by_pointer<MembersOf<T>, Members>...>>::value,
                "a member is noted twice");
  static_assert(sizeof...(Members) == mp11::mp_size<MembersOf<T>>::value,
                "every described member needs a field() note");
  return std::apply([](auto const&... note) { return std::vector<Field>{make_field<T>(note)...}; }, notes);
}

template <class M>
Type const& generated_type() {
  static Type const type = [] {
    if constexpr (boost::describe::has_describe_enumerators<M>::value)
      return make_enum_type<M>();
    else if constexpr (is_vector<M>)
      return make_vector_type<M>();
    else
      return make_struct_type<M>();
  }();
  return type;
}

}  // namespace detail

template <class M>
Type const& type_of() {
  if constexpr (std::is_same_v<M, std::string>)
    return string_type();
  else if constexpr (std::is_same_v<M, bool>)
    return bool_type();
  else if constexpr (std::is_same_v<M, std::int64_t>)
    return int_type();
  else if constexpr (std::is_same_v<M, double>)
    return double_type();
  else if constexpr (std::is_same_v<M, Timestamp>)
    return time_type();
  else if constexpr (std::is_same_v<M, Document>)
    return document_type();
  else if constexpr (detail::is_id<M>) {
    if constexpr (M::kind == IdKind::slug)
      return slug_type();
    else if constexpr (M::kind == IdKind::uuid)
      return uuid_type();
    else
      return text_id_type();
  } else {
    return detail::generated_type<M>();
  }
}

template <Described T>
Entity const& entity() {
  static Entity const out = [] {
    auto const d = describe(std::type_identity<T>{});
    return Entity{d.name, d.table, d.doc, detail::make_fields<T>(d.notes)};
  }();
  return out;
}

}  // namespace al::entity
