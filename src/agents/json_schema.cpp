#include "agents/json_schema.hpp"

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string_view>

#include "agents/json_schema_numbers.hpp"
#include "core/utf8.hpp"

namespace al::agents {
namespace {

using json::value;

constexpr std::size_t faults_max = 5;
/// How much of a schema or of a place a fault quotes.
constexpr std::size_t quoted_bytes_max = 300;
/// A value of some hundred members against a schema of some hundred keywords stays far below.
constexpr std::size_t steps_max = 200'000;
/// How much text is read in the time of a step.
constexpr std::size_t step_bytes = 64;
constexpr int depth_max = 300;

constexpr std::array annotations{"title",    "description", "default",    "examples", "$schema",  "$id",
                                 "$comment", "format",      "deprecated", "readOnly", "writeOnly"};
constexpr std::array type_names{"object", "array", "string", "number", "integer", "boolean", "null"};

bool is_one_of(std::string_view name, auto const& names) { return std::ranges::find(names, name) != names.end(); }

value const* member(json::object const& schema, std::string_view key) { return schema.if_contains(key); }

std::string quoted(std::string_view text) { return utf8::shortened(text, quoted_bytes_max); }

/// Where something stands. It becomes text only when somebody is told, since most places never are.
struct Place {
  Place const* outer = nullptr;
  std::string_view name{};             ///< of a member
  std::optional<std::size_t> index{};  ///< of an element

  [[nodiscard]] std::string text() const {
    auto const own = index ? std::to_string(*index) : std::string(name);
    return outer ? outer->text() + "/" + own : own;
  }
};

bool has_type(value const& v, std::string_view type) {
  if (type == "object")
    return v.is_object();
  if (type == "array")
    return v.is_array();
  if (type == "string")
    return v.is_string();
  if (type == "number")
    return v.is_number();
  if (type == "integer")
    return is_whole(v);
  return type == "boolean" ? v.is_bool() : v.is_null();
}

/// A name within a reference, where ~1 stands for / and ~0 for ~.
std::string unescaped(std::string_view part) {
  std::string out;
  for (std::size_t i = 0; i < part.size(); ++i) {
    bool const is_escape = part[i] == '~' && i + 1 < part.size() && (part[i + 1] == '0' || part[i + 1] == '1');
    out += is_escape ? (part[++i] == '1' ? '/' : '~') : part[i];
  }
  return out;
}

/// The part that `#/a/b` names; null when there is none.
value const* resolve(value const& root, std::string_view reference) {
  if (!reference.starts_with('#') || (reference.size() > 1 && reference[1] != '/'))
    return nullptr;
  auto const* at = &root;
  for (std::size_t begin = 2; begin <= reference.size();) {
    auto const end = std::min(reference.find('/', begin), reference.size());
    auto const* object = at->if_object();
    at = object ? object->if_contains(unescaped(reference.substr(begin, end - begin))) : nullptr;
    if (at == nullptr)
      return nullptr;
    begin = end + 1;
  }
  return at;
}

// ---- the schema itself ----

/// Reads a schema once and names the first thing that is wrong with it.
class Check {
 public:
  explicit Check(value const& root) : root_(root) {}

  Result<void> run() {
    schema(root_, Place{.name = "#"});
    // A reference may lead to where no schema is expected, as to a default; what it leads to may refer on.
    for (std::size_t i = 0; i < targets_.size(); ++i) {
      auto const [part, reference] = targets_[i];
      schema(*part, Place{.name = reference});
    }
    if (!fault_.empty())
      return fail(Code::invalid, fault_);
    return {};
  }

 private:
  void refuse(Place const& place, std::string const& why) {
    if (fault_.empty())
      fault_ = quoted(place.text()) + ": " + why;
  }

  void schema(value const& node, Place const& place) {
    if (node.is_bool() || !fault_.empty() || !checked_.insert(&node).second)
      return;
    auto const* object = node.if_object();
    if (object == nullptr)
      return refuse(place, "must be a schema, which is an object, true or false");
    for (auto const& [key, held] : *object)
      keyword(key, held, Place{.outer = &place, .name = key});
    std::set<value const*> under_way;
    in_place(node, place, under_way);
  }

  void keyword(std::string_view key, value const& held, Place const& place) {
    if (key == "properties" || key == "$defs" || key == "definitions")
      return each_member(held, place);
    if (key == "items" || key == "additionalProperties" || key == "not")
      return schema(held, place);
    if (key == "allOf" || key == "anyOf" || key == "oneOf")
      return each_element(held, place);
    if (key == "type")
      return type(held, place);
    if (key == "enum") {
      if (!held.is_array() || held.get_array().empty())
        refuse(place, "must be a list with at least one value");
      return;
    }
    if (key == "required")
      return names(held, place);
    if (key == "uniqueItems") {
      if (!held.is_bool())
        refuse(place, "must be true or false");
      return;
    }
    if (key == "$ref")
      return reference(held, place);
    if (key.starts_with("min") || key.starts_with("max") || key.starts_with("exclusiveM") || key == "multipleOf")
      return bound(key, held, place);
    if (key == "pattern" || key == "patternProperties")
      return refuse(place, "must not be used; describe the form in words instead");
    if (key != "const" && !is_one_of(key, annotations))
      refuse(place, "is no keyword that is checked here; leave it out");
  }

  void each_member(value const& held, Place const& place) {
    if (!held.is_object())
      return refuse(place, "must be an object of schemas");
    for (auto const& [name, part] : held.get_object())
      schema(part, Place{.outer = &place, .name = name});
  }

  void each_element(value const& held, Place const& place) {
    if (!held.is_array() || held.get_array().empty())
      return refuse(place, "must be a list of schemas with at least one");
    for (std::size_t i = 0; i < held.get_array().size(); ++i)
      schema(held.get_array()[i], Place{.outer = &place, .index = i});
  }

  void type(value const& held, Place const& place) {
    auto const is_name = [](value const& v) { return v.is_string() && is_one_of(v.get_string(), type_names); };
    bool const is_list = held.is_array() && !held.get_array().empty() && std::ranges::all_of(held.get_array(), is_name);
    if (!is_list && !is_name(held))
      refuse(place, "must be object, array, string, number, integer, boolean or null, or a list of these");
  }

  void names(value const& held, Place const& place) {
    auto const is_text = [](value const& v) { return v.is_string(); };
    if (!held.is_array() || !std::ranges::all_of(held.get_array(), is_text))
      refuse(place, "must be a list of names");
  }

  void bound(std::string_view key, value const& held, Place const& place) {
    static constexpr std::array counts{"minLength", "maxLength",     "minItems",
                                       "maxItems",  "minProperties", "maxProperties"};
    static constexpr std::array limits{"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"};
    if (is_one_of(key, counts)) {
      if (!held.is_int64() || held.get_int64() < 0)
        refuse(place, "must be a whole number from 0");
    } else if (key == "multipleOf") {
      if (!held.is_number() || exact(held) <= 0)
        refuse(place, "must be a number over 0");
    } else if (!is_one_of(key, limits)) {
      refuse(place, "is no keyword that is checked here; leave it out");
    } else if (!held.is_number()) {
      refuse(place, "must be a number");
    }
  }

  void reference(value const& held, Place const& place) {
    auto const* part = held.is_string() ? resolve(root_, held.get_string()) : nullptr;
    if (part == nullptr)
      return refuse(place, "must name a part of this schema, as #/$defs/NAME");
    targets_.emplace_back(part, held.get_string());
  }

  /// What is checked against the same value must not lead back to where it began. Each part is looked at once.
  void in_place(value const& node, Place const& place, std::set<value const*>& under_way) {
    auto const* object = node.if_object();
    if (object == nullptr || !fault_.empty() || done_.contains(&node))
      return;
    if (under_way.size() > depth_max)
      return refuse(place, "refers on too often");
    if (!under_way.insert(&node).second)
      return refuse(place, "refers back to itself");
    if (auto const* target = member(*object, "$ref"); target && target->is_string()) {
      if (auto const* part = resolve(root_, target->get_string()))
        in_place(*part, place, under_way);
    }
    if (auto const* part = member(*object, "not"))
      in_place(*part, place, under_way);
    for (auto const* key : {"allOf", "anyOf", "oneOf"}) {
      auto const* parts = member(*object, key);
      for (std::size_t i = 0; parts && parts->is_array() && i < parts->get_array().size(); ++i)
        in_place(parts->get_array()[i], place, under_way);
    }
    under_way.erase(&node);
    done_.insert(&node);
  }

  value const& root_;
  std::string fault_;
  std::vector<std::pair<value const*, std::string_view>> targets_;  ///< with the references that lead there
  std::set<value const*> checked_;
  std::set<value const*> done_;  ///< by in_place()
};

// ---- a value ----

/// Holds one value against the schema.
class Match {
 public:
  explicit Match(value const& root) : root_(root) {}

  std::vector<std::string> run(value const& v) {
    fits(root_, v, Place{}, 0);
    if (is_exhausted())
      faults_ = {"the schema is too complex to check this"};
    return std::move(faults_);
  }

 private:
  [[nodiscard]] bool is_exhausted() const { return steps_ > steps_max; }

  /// Whatever takes time is paid for before it is done. False when the budget is used up.
  bool spend(std::size_t steps) {
    steps_ += steps;
    return !is_exhausted();
  }
  bool spend_on(std::string_view text) { return spend(1 + text.size() / step_bytes); }

  /// `why` is only put into words when somebody hears them.
  template <class Why>
  void differ(Place const& place, Why const& why) {
    ++count_;
    if (is_silent_ || faults_.size() == faults_max)
      return;
    auto const where = place.text();
    faults_.push_back((where.empty() ? "the answer" : quoted(where)) + " " + why());
  }

  /// As JSON Schema has it: 1 is 1.0. Adds what it costs; wrong once the budget is used up.
  bool is_equal(value const& a, value const& b) {
    if (!spend(1))
      return false;
    if (a.is_number() && b.is_number())
      return exact(a) == exact(b);
    if (a.kind() != b.kind())
      return false;
    if (auto const* text = a.if_string())
      return text->size() == b.get_string().size() && spend_on(*text) && *text == b.get_string();
    if (auto const* list = a.if_array())
      return std::ranges::equal(*list, b.get_array(), [&](auto const& x, auto const& y) { return is_equal(x, y); });
    if (auto const* object = a.if_object()) {
      return object->size() == b.get_object().size() && std::ranges::all_of(*object, [&](auto const& held) {
               auto const* other = spend_on(held.key()) ? b.get_object().if_contains(held.key()) : nullptr;
               return other && is_equal(held.value(), *other);
             });
    }
    return a == b;
  }

  /// Adds what is wrong; answers whether nothing was.
  bool fits(value const& node, value const& v, Place const& place, int depth) {
    if (!spend(1) || depth > depth_max) {
      steps_ = steps_max + 1;
      return false;
    }
    auto const before = count_;
    if (auto const* all = node.if_bool()) {
      if (!*all)
        differ(place, [] { return "is not allowed"; });
      return *all;
    }
    auto const& schema = node.get_object();
    of_any_type(schema, v, place);
    if (v.is_string())
      of_text(schema, v.get_string(), place);
    if (v.is_number())
      of_number(schema, v, place);
    if (v.is_array())
      of_array(schema, v.get_array(), place, depth);
    if (v.is_object())
      of_object(schema, v.get_object(), place, depth);
    combined(schema, v, place, depth);
    return count_ == before;
  }

  void of_any_type(json::object const& schema, value const& v, Place const& place) {
    if (auto const* type = member(schema, "type"); type && !has_one_of(*type, v))
      differ(place, [&] { return "must be of type " + quoted(json::serialize(*type)); });
    if (auto const* choices = member(schema, "enum")) {
      if (std::ranges::none_of(choices->get_array(), [&](value const& one) { return is_equal(one, v); }))
        differ(place, [&] { return "must be one of " + quoted(json::serialize(*choices)); });
    }
    if (auto const* only = member(schema, "const"); only && !is_equal(*only, v))
      differ(place, [&] { return "must be " + quoted(json::serialize(*only)); });
  }

  bool has_one_of(value const& types, value const& v) {
    if (types.is_string())
      return has_type(v, types.get_string());
    return std::ranges::any_of(types.get_array(),
                               [&](value const& type) { return spend(1) && has_type(v, type.get_string()); });
  }

  void of_text(json::object const& schema, std::string_view text, Place const& place) {
    bool const is_measured = member(schema, "minLength") || member(schema, "maxLength");
    if (is_measured && spend_on(text))
      between(schema, utf8::length(text), "minLength", "maxLength", place, "characters");
  }

  void between(json::object const& schema, std::size_t size, char const* least, char const* most, Place const& place,
               char const* what) {
    auto const count = static_cast<std::int64_t>(size);
    if (auto const* min = member(schema, least); min && count < min->get_int64())
      differ(place, [&] { return "must have at least " + std::to_string(min->get_int64()) + " " + what; });
    if (auto const* max = member(schema, most); max && count > max->get_int64())
      differ(place, [&] { return "must have at most " + std::to_string(max->get_int64()) + " " + what; });
  }

  void of_number(json::object const& schema, value const& v, Place const& place) {
    auto const bound = [&](char const* key, auto fits_bound, char const* words) {
      if (auto const* limit = member(schema, key); limit && !fits_bound(exact(v), exact(*limit)))
        differ(place, [&] { return words + json::serialize(*limit); });
    };
    bound("minimum", std::greater_equal<>{}, "must be at least ");
    bound("maximum", std::less_equal<>{}, "must be at most ");
    bound("exclusiveMinimum", std::greater<>{}, "must be more than ");
    bound("exclusiveMaximum", std::less<>{}, "must be less than ");
    if (auto const* step = member(schema, "multipleOf"); step && !is_multiple(v, *step))
      differ(place, [&] { return "must be a multiple of " + json::serialize(*step); });
  }

  void of_array(json::object const& schema, json::array const& items, Place const& place, int depth) {
    between(schema, items.size(), "minItems", "maxItems", place, "elements");
    if (auto const* each = member(schema, "items")) {
      for (std::size_t i = 0; i < items.size() && !is_exhausted(); ++i)
        fits(*each, items[i], Place{.outer = &place, .index = i}, depth + 1);
    }
    if (auto const* unique = member(schema, "uniqueItems"); unique && unique->get_bool())
      are_unique(items, place);
  }

  void are_unique(json::array const& items, Place const& place) {
    for (std::size_t i = 0; i < items.size(); ++i) {
      for (std::size_t j = 0; j < i && !is_exhausted(); ++j) {
        if (is_equal(items[i], items[j]))
          return differ(place, [] { return "must not have the same element twice"; });
      }
    }
  }

  void of_object(json::object const& schema, json::object const& object, Place const& place, int depth) {
    between(schema, object.size(), "minProperties", "maxProperties", place, "members");
    if (auto const* required = member(schema, "required"))
      has_all(object, required->get_array(), place);
    auto const* properties = member(schema, "properties");
    auto const* others = member(schema, "additionalProperties");
    for (auto const& [name, held] : object) {
      if (!spend_on(name))
        return;
      auto const* known = properties ? properties->get_object().if_contains(name) : nullptr;
      if (auto const* part = known ? known : others)
        fits(*part, held, Place{.outer = &place, .name = name}, depth + 1);
    }
  }

  void has_all(json::object const& object, json::array const& names, Place const& place) {
    for (auto const& name : names) {
      if (!spend_on(name.get_string()))
        return;
      if (!object.contains(name.get_string()))
        differ(place, [&] { return "must have '" + quoted(name.get_string()) + "'"; });
    }
  }

  void combined(json::object const& schema, value const& v, Place const& place, int depth) {
    auto const would_fit = [&](value const& part) { return fits_silently(part, v, place, depth + 1); };
    if (auto const* reference = member(schema, "$ref"))
      fits(target(*reference), v, place, depth + 1);
    if (auto const* all = member(schema, "allOf")) {
      for (auto const& part : all->get_array())
        fits(part, v, place, depth + 1);
    }
    if (auto const* any = member(schema, "anyOf"); any && std::ranges::none_of(any->get_array(), would_fit))
      differ(place, [] { return "must fit one of the schemas of anyOf"; });
    if (auto const* one = member(schema, "oneOf"); one && std::ranges::count_if(one->get_array(), would_fit) != 1)
      differ(place, [] { return "must fit exactly one of the schemas of oneOf"; });
    if (auto const* none = member(schema, "not"); none && would_fit(*none))
      differ(place, [] { return "must not fit the schema of not"; });
  }

  /// Whether the value fits, without a word when it does not.
  bool fits_silently(value const& part, value const& v, Place const& place, int depth) {
    auto const was_silent = std::exchange(is_silent_, true);
    auto const before = count_;
    auto const answer = fits(part, v, place, depth);
    count_ = before;
    is_silent_ = was_silent;
    return answer;
  }

  /// Each reference is resolved once, however often values are held against it.
  value const& target(value const& reference) {
    auto const [at, is_new] = targets_.try_emplace(&reference, nullptr);
    if (is_new)
      at->second = resolve(root_, reference.get_string());
    return *at->second;
  }

  value const& root_;
  std::map<value const*, value const*> targets_;
  std::vector<std::string> faults_;
  std::size_t count_ = 0;  ///< differences so far, also those that are not told
  bool is_silent_ = false;
  std::size_t steps_ = 0;
};

}  // namespace

Result<JsonSchema> JsonSchema::from(json::value schema) {
  if (!schema.is_object())
    return fail(Code::invalid, "must be a JSON Schema, which is an object");
  if (auto sound = Check(schema).run(); !sound)
    return fail(sound.error());
  return JsonSchema(std::move(schema));
}

std::vector<std::string> JsonSchema::faults(json::value const& value) const { return Match(schema_).run(value); }

}  // namespace al::agents
