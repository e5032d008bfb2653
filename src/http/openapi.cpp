#include <algorithm>
#include <boost/json.hpp>
#include <cctype>
#include <map>

#include "http/route_tree.hpp"
#include "http/router.hpp"

namespace al::http {
namespace {

using entity::Entity;
using entity::Mode;
using json::array;
using json::object;

boost::json::string_view text(std::string_view view) { return {view.data(), view.size()}; }

/// The schemas that the routes name, each once. A request may set fewer members than an answer has, so it is a schema
/// of its own.
class Schemas {
 public:
  object reference(Entity const& entity, Mode mode) {
    auto const name = entity::schema_name(entity, mode);
    if (!schemas_.contains(name)) {
      schemas_[name] = entity::schema(entity, mode);
      add_nested(entity, mode);
    }
    return {{"$ref", "#/components/schemas/" + name}};
  }

  /// What the members of `entity` refer to.
  void add_nested(Entity const& entity, Mode mode) {
    for (auto const& field : entity.fields)
      add_nested(*field.type, entity::nested_mode(mode));
  }

  void add(std::string_view name, object schema) { schemas_[text(name)] = std::move(schema); }
  object take() { return std::move(schemas_); }

 private:
  void add_nested(entity::Type const& type, Mode mode) {
    if (type.nested)
      reference(*type.nested, mode);
    if (type.element)
      add_nested(*type.element, mode);
  }

  object schemas_;
};

object problem_schema() {
  return {{"type", "object"},
          {"description", "RFC 9457 problem details. `code` is stable; `detail` is for people."},
          {"properties",
           {{"type", {{"type", "string"}, {"format", "uri"}}},
            {"title", {{"type", "string"}}},
            {"status", {{"type", "integer"}}},
            {"detail", {{"type", "string"}}},
            {"code", {{"type", "string"}}},
            {"request_id", {{"type", "string"}}},
            {"errors",
             {{"type", "array"},
              {"items",
               {{"type", "object"},
                {"properties", {{"path", {{"type", "string"}}}, {"message", {{"type", "string"}}}}},
                {"required", {"path", "message"}}}}}}}},
          {"required", {"type", "title", "status", "detail", "code", "request_id"}}};
}

object header_parameter(std::string_view name, std::string_view doc) {
  return {{"name", text(name)},
          {"in", "header"},
          {"description", text(doc)},
          {"required", false},
          {"schema", {{"type", "string"}}}};
}

array parameters(Route const& route) {
  array out;
  for (auto const name : parameter_names(route.path)) {
    out.push_back({{"name", text(name)},
                   {"in", "path"},
                   {"required", true},
                   {"schema", {{"type", "string"}, {"minLength", 1}, {"maxLength", 255}}}});
  }
  for (auto const& parameter : route.query) {
    object schema{{"type", text(parameter.type)}};
    if (!parameter.choices.empty()) {
      auto& choices = schema["enum"].emplace_array();
      for (auto const choice : parameter.choices)
        choices.emplace_back(text(choice));
    }
    if (parameter.several)
      schema = {{"type", "array"}, {"items", std::move(schema)}};
    object described{{"name", text(parameter.name)},
                     {"in", "query"},
                     {"description", text(parameter.doc)},
                     {"required", parameter.required},
                     {"schema", std::move(schema)}};
    if (parameter.several) {
      described["style"] = "form";
      described["explode"] = false;
    }
    out.push_back(std::move(described));
  }
  if (route.method == Method::post && route.idempotent_key) {
    out.push_back(header_parameter("Idempotency-Key", "Repeats with this key get the first answer, for 24 hours."));
  }
  if (route.method == Method::put || route.method == Method::patch || route.method == Method::del) {
    out.push_back(header_parameter("If-Match", "The ETag that the change is based on; another version answers 412."));
  }
  return out;
}

object content(std::string_view media_type, object schema) {
  return {{text(media_type), {{"schema", std::move(schema)}}}};
}

object request_body(Route const& route, Schemas& schemas) {
  if (route.takes == Body::any) {
    return {{"required", true}, {"content", content("*/*", {{"type", "string"}, {"format", "binary"}})}};
  }
  // PUT is partial, as PATCH is.
  bool const is_partial = route.method == Method::put || route.method == Method::patch;
  auto schema = route.request ? schemas.reference(*route.request, is_partial ? Mode::patch : Mode::create)
                              : object{{"type", "object"}};
  return {{"required", true}, {"content", content("application/json", std::move(schema))}};
}

/// The list, after what the head says.
object list_schema(Route const& route, Schemas& schemas) {
  auto const head = route.head ? entity::schema(*route.head, Mode::stored) : object{};
  if (route.head)
    schemas.add_nested(*route.head, Mode::stored);
  auto const* said = head.if_contains("properties");
  auto const* always = head.if_contains("required");
  auto properties = said ? said->as_object() : object();
  auto required = always ? always->as_array() : array();
  properties[text(route.list)] = {{"type", "array"}, {"items", schemas.reference(*route.response, Mode::stored)}};
  properties["count"] = {{"type", "integer"}, {"description", "Elements of this page."}};
  properties["next_cursor"] = {{"type", {"string", "null"}}, {"description", "Null on the last page."}};
  if (std::ranges::count(route.query, std::string_view("count"), &Parameter::name) > 0)
    properties["total"] = {{"type", "integer"}, {"description", "Of all pages; with count=total."}};
  for (auto const name : {route.list, std::string_view("count"), std::string_view("next_cursor")})
    required.emplace_back(text(name));
  return {{"type", "object"}, {"properties", std::move(properties)}, {"required", std::move(required)}};
}

object responses(Route const& route, Schemas& schemas) {
  object success{{"description", text(route.summary)}};
  if (route.response) {
    auto schema = route.list.empty() ? schemas.reference(*route.response, Mode::stored) : list_schema(route, schemas);
    success["content"] = content("application/json", std::move(schema));
  }
  // By status, because several codes share one.
  std::map<int, std::string> problems{{400, "bad_request"}, {422, "invalid"}, {500, "internal"}, {503, "unavailable"}};
  auto const add = [&problems](Code code) {
    auto& names = problems[status_of(code)];
    std::string_view const name = boost::describe::enum_to_string(code, "internal");
    if (names.find(name) == names.npos)
      names.append(names.empty() ? "" : ", ").append(name);
  };
  if (!route.permission.empty()) {
    add(Code::unauthenticated);
    add(Code::forbidden);
  }
  if (!parameter_names(route.path).empty())
    add(Code::not_found);
  if (route.takes == Body::json)
    add(Code::unsupported_media_type);
  if (route.takes != Body::none)
    add(Code::payload_too_large);
  for (auto const code : route.errors)
    add(code);

  object out{{std::to_string(route.success), std::move(success)}};
  for (auto const& [status, codes] : problems) {
    out[std::to_string(status)] = {
        {"description", codes},
        {"content", content("application/problem+json", {{"$ref", "#/components/schemas/Problem"}})}};
  }
  return out;
}

// "GET /agents/{agent_id}/tasks" as "get_agents_by_agent_id_tasks". Method and path make it unique.
std::string operation_id(Route const& route) {
  std::string id;
  for (char const c : method_name(route.method))
    id.push_back(static_cast<char>(std::tolower(c)));
  for (char const c : route.path) {
    if (c == '{') {
      id.append("by_");
    } else if (c != '}') {
      id.push_back(std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_');
    }
  }
  return id;
}

// The first segment groups the operations.
std::string_view tag(std::string_view path) { return path.substr(1, path.find('/', 1) - 1); }

object operation(Route const& route, Schemas& schemas) {
  object out{{"operationId", operation_id(route)},
             {"summary", text(route.summary)},
             {"tags", {text(tag(route.path))}},
             {"parameters", parameters(route)}};
  if (route.takes != Body::none)
    out["requestBody"] = request_body(route, schemas);
  out["responses"] = responses(route, schemas);
  if (route.permission.empty()) {
    out["security"] = array();
  } else {
    out["security"] = {{{"bearerAuth", array()}}};
    out["x-permission"] = text(route.permission);
  }
  return out;
}

}  // namespace

std::string Router::openapi(std::string_view title, std::string_view version) const {
  Schemas schemas;
  schemas.add("Problem", problem_schema());
  object paths;
  for (auto const& route : routes()) {
    auto& item = paths["/api/v1" + std::string(route.path)];
    if (!item.is_object())
      item.emplace_object();
    std::string method(method_name(route.method));
    std::ranges::transform(method, method.begin(), [](char c) { return static_cast<char>(std::tolower(c)); });
    item.as_object()[method] = operation(route, schemas);
  }
  object const document{
      {"openapi", "3.1.0"},
      {"info", {{"title", text(title)}, {"version", text(version)}}},
      {"paths", std::move(paths)},
      {"components",
       {{"schemas", schemas.take()}, {"securitySchemes", {{"bearerAuth", {{"type", "http"}, {"scheme", "bearer"}}}}}}}};
  return json::serialize(document);
}

}  // namespace al::http
