#include "agents/json_schema.hpp"

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cmath>
#include <cstdint>
#include <functional>
#include <set>
#include <string_view>

#include "core/utf8.hpp"

namespace al::agents {
namespace {

using json::value;

constexpr std::size_t faults_max = 5;
/// A value of some hundred members against a schema of some hundred keywords stays far below.
constexpr int steps_max = 200'000;
constexpr int depth_max = 300;

constexpr std::array annotations{"title",    "description", "default",    "examples", "$schema",  "$id",
                                 "$comment", "format",      "deprecated", "readOnly", "writeOnly"};
constexpr std::array type_names{"object", "array", "string", "number", "integer", "boolean", "null"};

bool is_one_of(std::string_view name, auto const& names) { return std::ranges::find(names, name) != names.end(); }

value const* member(json::object const& schema, std::string_view key) { return schema.if_contains(key); }

double number(value const& v) { return v.to_number<double>(); }

bool is_whole(value const& v) {
  if (v.is_int64() || v.is_uint64())
    return true;
  return v.is_double() && std::isfinite(v.get_double()) && std::floor(v.get_double()) == v.get_double();
}

bool is_equal(value const& a, value const& b) {
  return a.is_number() && b.is_number() ? number(a) == number(b) : a == b;
}

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

/// The part that `#/a/b` names; null when there is none.
value const* resolve(value const& root, std::string_view reference) {
  if (!reference.starts_with('#') || (reference.size() > 1 && reference[1] != '/'))
    return nullptr;
  auto const* at = &root;
  for (std::size_t begin = 2; begin <= reference.size();) {
    auto const end = std::min(reference.find('/', begin), reference.size());
    std::string key(reference.substr(begin, end - begin));
    for (auto const& [escape, character] : {std::pair{"~1", "/"}, std::pair{"~0", "~"}}) {
      for (auto found = key.find(escape); found != std::string::npos; found = key.find(escape, found + 1))
        key.replace(found, 2, character);
    }
    auto const* object = at->if_object();
    at = object ? object->if_contains(key) : nullptr;
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
    schema(root_, "#");
    if (!fault_.empty())
      return fail(Code::invalid, fault_);
    return {};
  }

 private:
  void refuse(std::string const& place, std::string const& why) {
    if (fault_.empty())
      fault_ = place + ": " + why;
  }

  void schema(value const& node, std::string const& place) {
    if (node.is_bool() || !fault_.empty())
      return;
    auto const* object = node.if_object();
    if (object == nullptr)
      return refuse(place, "must be a schema, which is an object, true or false");
    for (auto const& [key, held] : *object)
      keyword(key, held, place + "/" + std::string(key));
    std::set<value const*> under_way;
    in_place(node, place, under_way);
  }

  void keyword(std::string_view key, value const& held, std::string const& place) {
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

  void each_member(value const& held, std::string const& place) {
    if (!held.is_object())
      return refuse(place, "must be an object of schemas");
    for (auto const& [name, part] : held.get_object())
      schema(part, place + "/" + std::string(name));
  }

  void each_element(value const& held, std::string const& place) {
    if (!held.is_array() || held.get_array().empty())
      return refuse(place, "must be a list of schemas with at least one");
    for (std::size_t i = 0; i < held.get_array().size(); ++i)
      schema(held.get_array()[i], place + "/" + std::to_string(i));
  }

  void type(value const& held, std::string const& place) {
    auto const is_name = [](value const& v) { return v.is_string() && is_one_of(v.get_string(), type_names); };
    bool const is_list = held.is_array() && !held.get_array().empty() && std::ranges::all_of(held.get_array(), is_name);
    if (!is_list && !is_name(held))
      refuse(place, "must be object, array, string, number, integer, boolean or null, or a list of these");
  }

  void names(value const& held, std::string const& place) {
    auto const is_text = [](value const& v) { return v.is_string(); };
    if (!held.is_array() || !std::ranges::all_of(held.get_array(), is_text))
      refuse(place, "must be a list of names");
  }

  void bound(std::string_view key, value const& held, std::string const& place) {
    static constexpr std::array counts{"minLength", "maxLength",     "minItems",
                                       "maxItems",  "minProperties", "maxProperties"};
    static constexpr std::array limits{"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"};
    if (is_one_of(key, counts)) {
      if (!held.is_int64() || held.get_int64() < 0)
        refuse(place, "must be a whole number from 0");
    } else if (key == "multipleOf") {
      if (!held.is_number() || number(held) <= 0)
        refuse(place, "must be a number over 0");
    } else if (!is_one_of(key, limits)) {
      refuse(place, "is no keyword that is checked here; leave it out");
    } else if (!held.is_number()) {
      refuse(place, "must be a number");
    }
  }

  void reference(value const& held, std::string const& place) {
    if (!held.is_string() || resolve(root_, held.get_string()) == nullptr)
      refuse(place, "must name a part of this schema, as #/$defs/NAME");
  }

  /// What is checked against the same value must not lead back to where it began. Each part is looked at once.
  void in_place(value const& node, std::string const& place, std::set<value const*>& under_way) {
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
  std::set<value const*> done_;
};

// ---- a value ----

/// Holds one value against the schema.
class Match {
 public:
  explicit Match(value const& root) : root_(root) {}

  std::vector<std::string> run(value const& v) {
    fits(root_, v, "", 0);
    if (is_exhausted())
      faults_ = {"the schema is too complex to check this"};
    return std::move(faults_);
  }

 private:
  [[nodiscard]] bool is_exhausted() const { return steps_ > steps_max; }

  void differ(std::string const& place, std::string const& why) {
    if (!is_silent_ && faults_.size() < faults_max)
      faults_.push_back((place.empty() ? "the answer" : place) + " " + why);
    ++count_;
  }

  /// Adds what is wrong; answers whether nothing was.
  bool fits(value const& node, value const& v, std::string const& place, int depth) {
    if (++steps_ > steps_max || depth > depth_max) {
      steps_ = steps_max + 1;
      return false;
    }
    auto const before = count_;
    if (auto const* all = node.if_bool()) {
      if (!*all)
        differ(place, "is not allowed");
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

  void of_any_type(json::object const& schema, value const& v, std::string const& place) {
    if (auto const* type = member(schema, "type")) {
      bool const fits_one =
          type->is_string()
              ? has_type(v, type->get_string())
              : std::ranges::any_of(type->get_array(), [&](value const& one) { return has_type(v, one.get_string()); });
      if (!fits_one)
        differ(place, "must be of type " + json::serialize(*type));
    }
    if (auto const* choices = member(schema, "enum")) {
      steps_ += static_cast<int>(choices->get_array().size());
      if (std::ranges::none_of(choices->get_array(), [&](value const& one) { return is_equal(one, v); }))
        differ(place, "must be one of " + json::serialize(*choices).substr(0, 300));
    }
    if (auto const* only = member(schema, "const"); only && !is_equal(*only, v))
      differ(place, "must be " + json::serialize(*only).substr(0, 300));
  }

  void of_text(json::object const& schema, std::string_view text, std::string const& place) {
    auto const length = static_cast<std::int64_t>(utf8::length(text));
    between(schema, length, "minLength", "maxLength", place, "characters");
  }

  void between(json::object const& schema, std::int64_t count, char const* least, char const* most,
               std::string const& place, std::string const& what) {
    if (auto const* min = member(schema, least); min && count < min->get_int64())
      differ(place, "must have at least " + std::to_string(min->get_int64()) + " " + what);
    if (auto const* max = member(schema, most); max && count > max->get_int64())
      differ(place, "must have at most " + std::to_string(max->get_int64()) + " " + what);
  }

  void of_number(json::object const& schema, value const& v, std::string const& place) {
    auto const n = number(v);
    auto const bound = [&](char const* key, auto fits_bound, char const* words) {
      if (auto const* limit = member(schema, key); limit && !fits_bound(n, number(*limit)))
        differ(place, words + json::serialize(*limit));
    };
    bound("minimum", std::greater_equal<>{}, "must be at least ");
    bound("maximum", std::less_equal<>{}, "must be at most ");
    bound("exclusiveMinimum", std::greater<>{}, "must be more than ");
    bound("exclusiveMaximum", std::less<>{}, "must be less than ");
    constexpr double rounding = 1e-9;
    auto const is_multiple = [](double a, double b) {
      auto const times = a / b;
      return std::isfinite(times) && std::abs(times - std::round(times)) <= rounding * std::max(1.0, std::abs(times));
    };
    bound("multipleOf", is_multiple, "must be a multiple of ");
  }

  void of_array(json::object const& schema, json::array const& items, std::string const& place, int depth) {
    between(schema, static_cast<std::int64_t>(items.size()), "minItems", "maxItems", place, "elements");
    if (auto const* each = member(schema, "items")) {
      for (std::size_t i = 0; i < items.size() && !is_exhausted(); ++i)
        fits(*each, items[i], place + "/" + std::to_string(i), depth + 1);
    }
    if (auto const* unique = member(schema, "uniqueItems"); unique && unique->get_bool())
      are_unique(items, place);
  }

  void are_unique(json::array const& items, std::string const& place) {
    for (std::size_t i = 0; i < items.size(); ++i) {
      for (std::size_t j = 0; j < i && ++steps_ <= steps_max; ++j) {
        if (is_equal(items[i], items[j]))
          return differ(place, "must not have the same element twice");
      }
    }
  }

  void of_object(json::object const& schema, json::object const& object, std::string const& place, int depth) {
    between(schema, static_cast<std::int64_t>(object.size()), "minProperties", "maxProperties", place, "members");
    if (auto const* required = member(schema, "required")) {
      for (auto const& name : required->get_array()) {
        if (!object.contains(name.get_string()))
          differ(place, "must have '" + std::string(name.get_string()) + "'");
      }
    }
    auto const* properties = member(schema, "properties");
    auto const* others = member(schema, "additionalProperties");
    for (auto const& [name, held] : object) {
      auto const* known = properties ? properties->get_object().if_contains(name) : nullptr;
      auto const* part = known ? known : others;
      if (part && !is_exhausted())
        fits(*part, held, place + "/" + std::string(name), depth + 1);
    }
  }

  /// How many of `parts` the value fits, without a word about those that it does not.
  std::size_t fitting(json::array const& parts, value const& v, std::string const& place, int depth) {
    auto const was_silent = std::exchange(is_silent_, true);
    auto const before = count_;
    auto const count = static_cast<std::size_t>(
        std::ranges::count_if(parts, [&](value const& part) { return fits(part, v, place, depth + 1); }));
    count_ = before;
    is_silent_ = was_silent;
    return count;
  }

  void combined(json::object const& schema, value const& v, std::string const& place, int depth) {
    if (auto const* target = member(schema, "$ref"))
      fits(*resolve(root_, target->get_string()), v, place, depth + 1);
    if (auto const* all = member(schema, "allOf")) {
      for (auto const& part : all->get_array())
        fits(part, v, place, depth + 1);
    }
    if (auto const* any = member(schema, "anyOf"); any && fitting(any->get_array(), v, place, depth) == 0)
      differ(place, "must fit one of the schemas of anyOf");
    if (auto const* one = member(schema, "oneOf"); one && fitting(one->get_array(), v, place, depth) != 1)
      differ(place, "must fit exactly one of the schemas of oneOf");
    if (auto const* none = member(schema, "not"); none && fitting({*none}, v, place, depth) != 0)
      differ(place, "must not fit the schema of not");
  }

  value const& root_;
  std::vector<std::string> faults_;
  std::size_t count_ = 0;  ///< differences so far, also those that are not told
  bool is_silent_ = false;
  int steps_ = 0;
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
