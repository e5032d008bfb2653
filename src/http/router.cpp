#include "http/router.hpp"

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <cassert>
#include <charconv>
#include <cmath>

#include "core/fault.hpp"
#include "core/hash.hpp"
#include "core/log.hpp"
#include "core/strings.hpp"
#include "http/faults.hpp"
#include "http/negotiation.hpp"
#include "http/request_id.hpp"
#include "http/route_tree.hpp"
#include "http/target.hpp"
#include "http/websocket.hpp"

namespace al::http {
namespace {

constexpr std::string_view api_prefix = "/api/v1";
constexpr std::string_view all_methods = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
constexpr std::size_t path_parameter_bytes_max = 255;
constexpr std::size_t idempotency_key_bytes_max = 255;

std::string in_quotes(std::string_view text) { return "'" + std::string(text) + "'"; }

std::string joined(std::vector<std::string_view> const& words) {
  std::string out;
  for (auto const word : words)
    out.append(out.empty() ? "" : ", ").append(word);
  return out;
}

template <class T>
bool reads_as(std::string_view text, T& out) {
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size();
}

// ---- headers ----

bool is_json_media_type(std::string_view header) {
  auto const type = take_part(header, ';');
  auto const plus = type.rfind('+');
  bool const is_json = equal_without_case(type, "application/json") ||
                       (equal_without_case(type.substr(0, 12), "application/") && plus != type.npos &&
                        equal_without_case(type.substr(plus), "+json"));
  if (!is_json)
    return false;
  while (!header.empty()) {
    auto parameter = take_part(header, ';');
    auto const name = take_part(parameter, '=');
    if (equal_without_case(name, "charset") && !equal_without_case(parameter, "utf-8") &&
        !equal_without_case(parameter, "\"utf-8\"")) {
      return false;
    }
  }
  return true;
}

// ---- query ----

std::optional<std::string> query_fault(Parameter const& parameter, std::string_view value) {
  auto const is_choice = [&](std::string_view one) { return std::ranges::count(parameter.choices, one) > 0; };
  if (parameter.several) {
    do {
      if (!is_choice(take_part(value, ',')))
        return "must be one or several, with commas, of: " + joined(parameter.choices);
    } while (!value.empty());
  } else if (!parameter.choices.empty() && !is_choice(value)) {
    return "must be one of: " + joined(parameter.choices);
  }
  std::int64_t integer = 0;
  if (parameter.type == "integer" && !reads_as(value, integer))
    return "must be an integer";
  double number = 0;
  if (parameter.type == "number" && !(reads_as(value, number) && std::isfinite(number)))
    return "must be a number";
  if (parameter.type == "boolean" && value != "true" && value != "false")
    return "must be true or false";
  return std::nullopt;
}

std::string allowed_parameters(Route const& route) {
  if (route.query.empty())
    return "this route has no query parameters";
  std::vector<std::string_view> names;
  for (auto const& parameter : route.query)
    names.push_back(parameter.name);
  return "unknown query parameter; allowed: " + joined(names);
}

std::optional<Error> check_query(Route const& route, Request const& request) {
  if (route.passes_through)
    return std::nullopt;
  Error error{.code = Code::invalid, .message = "The query is not valid."};
  for (auto const& [name, value] : request.query) {
    auto const known = std::ranges::find(route.query, name, &Parameter::name);
    auto fault = known == route.query.end() ? allowed_parameters(route) : query_fault(*known, value);
    if (fault)
      error.faults.push_back({.path = name, .message = std::move(*fault)});
  }
  for (auto const& parameter : route.query) {
    auto const has_its_name = [&](auto const& item) { return item.first == parameter.name; };
    if (parameter.required && std::ranges::none_of(request.query, has_its_name))
      error.faults.push_back({.path = std::string(parameter.name), .message = "is required"});
  }
  if (error.faults.empty())
    return std::nullopt;
  return error;
}

// ---- idempotency ----

// A key stands for one request: the same key sent to another resource must not get this one's answer, so the hash
// covers path and query besides the body. Lengths keep the parts apart.
std::string request_hash(Request const& request) {
  std::string text;
  text.reserve(request.body.size() + request.path.size() + 64);
  auto const add = [&text](std::string_view part) { text.append(std::to_string(part.size()) + ":").append(part); };
  add(request.path);
  for (auto const& [name, value] : request.query) {
    add(name);
    add(value);
  }
  add(request.body);
  return sha256_hex(text);
}

// The key, when there is one to honour. Errors: bad_request.
Result<std::optional<std::string>> idempotency_key(Route const& route, Request const& request) {
  constexpr std::string_view name = "Idempotency-Key";
  bool const is_ours = route.method == Method::post && !route.passes_through;
  auto const key = is_ours ? request.headers.find(name) : std::nullopt;
  if (!key)
    return std::nullopt;
  if (!route.idempotent_key) {
    return fail(Code::bad_request, "The answers of this route are not kept, so it takes no Idempotency-Key.");
  }
  if (request.headers.count(name) > 1 || !is_visible_ascii(*key, idempotency_key_bytes_max)) {
    return fail(Code::bad_request, "Idempotency-Key must be sent once, with 1 to 255 visible ASCII characters.");
  }
  return std::string(*key);
}

// What a repetition would get anyway, or must be free to try again, is not kept.
bool is_final(Response const& response) {
  if (!std::holds_alternative<std::string>(response.body))
    return false;
  int const status = response.status;
  bool const may_change = status == 401 || status == 403 || status == 409 || status == 429;
  return status / 100 == 2 || (status / 100 == 4 && !may_change);
}

Response replayed(Idempotency::Stored stored) {
  Response response = json_response(stored.status, std::move(stored.body));
  if (stored.status >= 400)
    response.headers.set("Content-Type", "application/problem+json");
  if (!stored.location.empty())
    response.headers.add("Location", stored.location);
  response.headers.add("Idempotency-Replayed", "true");
  return response;
}

// ---- WebSockets ----

// Says what is wanted instead (RFC 9110, section 15.5.22; RFC 6455, section 4.4).
Response refusal(HandshakeFault const& fault, ErrorFormat format, std::string_view request_id) {
  auto response = format(fault.error, request_id, fault.status);
  response.headers.set("Upgrade", "websocket");
  response.headers.set("Sec-WebSocket-Version", "13");
  return response;
}

void agree(Response& response, std::string_view accept) {
  if (!std::holds_alternative<WebSocketSession>(response.body))
    return;
  response.status = 101;
  response.headers.set("Upgrade", "websocket");
  response.headers.set("Sec-WebSocket-Accept", accept);
}

// ---- faults ----

bool is_outcome_unknown(std::exception_ptr const& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (OutcomeUnknown const&) {
    return true;
  } catch (...) {
    return false;
  }
}

bool takes_nothing(std::string_view body) {
  auto const text = trimmed(body, white_space);
  return text.empty() || text == "{}";
}

}  // namespace

/// Fills the private parts of a Call.
class CallReader {
 public:
  // Errors: not_found for a parameter that no id can have.
  static Result<void> read_path(Call& call, Route const& route, RouteTree::Match const& match) {
    auto const names = parameter_names(route.path);
    call.path_.reserve(names.size());
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (match.values[i].size() > path_parameter_bytes_max) {
        return fail(Code::not_found, "There is nothing here: " + std::string(names[i]) + " is longer than 255 bytes.");
      }
      call.path_.emplace_back(names[i], segment_value(match.values[i]));
    }
    return {};
  }

  // Errors: unsupported_media_type, bad_request.
  static Result<void> read_body(Call& call, Route const& route) {
    auto& body = call.request.body;
    if (route.takes == Body::any)
      return {};
    if (route.takes == Body::none) {
      // Many clients send "{}" with every POST; anything else would be lost without a word.
      if (takes_nothing(body))
        return {};
      return fail(Code::bad_request, "This route takes no body.");
    }
    if (body.empty())
      return fail(Code::bad_request, "A JSON body is needed.");
    // Nothing is unpacked here; a proxy that unpacks would have seen another document.
    if (!equal_without_case(call.request.headers.find("Content-Encoding").value_or("identity"), "identity"))
      return fail(Code::unsupported_media_type, "The body must be sent without Content-Encoding.");
    if (!is_json_media_type(call.request.headers.find("Content-Type").value_or(""))) {
      return fail(Code::unsupported_media_type, "The body must be sent with Content-Type: application/json.");
    }
    auto source = json::Source::from(std::move(body));
    if (!source)
      return fail(std::move(source.error()));
    call.body_.emplace(std::move(*source));
    return {};
  }
};

struct Router::Table {
  /// What became of a call under a key.
  struct Outcome {
    Response const* answer = nullptr;  ///< to keep; null: there is none to keep
    bool is_known = true;              ///< whether a call without an answer to keep did nothing
  };

  Table(Authenticator* authenticator, Idempotency* idempotency, Random& random, Bare bare)
      : authenticator(authenticator), idempotency(idempotency), ids(random), bare(bare) {}

  Authenticator* authenticator;
  Idempotency* idempotency;
  RequestIds ids;
  Bare const bare;
  std::vector<Route> routes;
  RouteTree tree;       // under /api/v1
  RouteTree bare_tree;  // without it

  // The routes of a decoded path.
  RouteTree::Match find(std::string_view path) const {
    if (!path.starts_with(api_prefix))
      return bare_tree.find(path);
    auto const rest = path.substr(api_prefix.size());
    return rest.starts_with('/') ? tree.find(rest) : bare_tree.find(path);
  }

  Route const* route_of(RouteTree::Leaf const& leaf, Method method) const {
    auto index = leaf.routes[static_cast<std::size_t>(method)];
    if (index < 0 && method == Method::head)
      index = leaf.routes[static_cast<std::size_t>(Method::get)];
    return index < 0 ? nullptr : &routes[static_cast<std::size_t>(index)];
  }

  Task<Response> answer(Context& context, Request& request, ErrorFormat& format) const;
  Task<Result<void>> admit(Context& context, Request const& request, Route const& route) const;
  static Task<Response> upgrade(Call& call, Route const& route);
  Task<Response> answer_once(Call& call, Route const& route, std::string key, std::string hash) const;
  Task<void> settle(Call& call, std::string const& scope, std::string const& key, Outcome outcome) const;
};

namespace {

std::string allowed_methods(RouteTree::Leaf const& leaf) {
  std::string out;
  for (std::size_t i = 0; i < leaf.routes.size(); ++i) {
    auto const method = static_cast<Method>(i);
    bool const served = leaf.routes[i] >= 0 || method == Method::options ||
                        (method == Method::head && leaf.routes[static_cast<std::size_t>(Method::get)] >= 0);
    if (served)
      out.append(out.empty() ? "" : ", ").append(method_name(method));
  }
  return out;
}

Response allow(Response response, std::string_view methods) {
  response.headers.set("Allow", methods);
  return response;
}

void forbid_caching(Response& response) {
  if (response.headers.find("Cache-Control"))
    return;
  auto const type = response.headers.find("Content-Type");
  if (type && is_json_media_type(*type))
    response.headers.add("Cache-Control", "no-store");
}

}  // namespace

// ---- Call ----

std::string const& Call::path(std::string_view name) const {
  auto const found = std::ranges::find(path_, name, [](auto const& parameter) { return parameter.first; });
  assert(found != path_.end() && "the route has no such path parameter");
  return found->second;
}

std::optional<std::string_view> Call::query(std::string_view name) const {
  std::optional<std::string_view> last;
  for (auto const& [key, value] : request.query) {
    if (key == name)
      last = value;
  }
  return last;
}

Result<std::int64_t> Call::query_int(std::string_view name, std::int64_t fallback, std::int64_t min,
                                     std::int64_t max) const {
  auto const text = query(name);
  if (!text)
    return fallback;
  std::int64_t value = 0;
  if (reads_as(*text, value) && value >= min && value <= max)
    return value;
  Error error{.code = Code::invalid, .message = "The query is not valid."};
  auto const bounds = std::to_string(min) + " to " + std::to_string(max);
  error.faults.push_back({.path = std::string(name), .message = "must be an integer from " + bounds});
  return fail(std::move(error));
}

json::Input Call::body() const { return body_ ? body_->root() : json::Input{}; }

Result<std::optional<std::int64_t>> Call::if_match() const {
  auto const header = request.headers.find("If-Match");
  if (!header || *header == "*")
    return std::nullopt;
  auto digits = *header;
  std::int64_t version = 0;
  bool const is_quoted = digits.size() > 2 && digits.starts_with('"') && digits.ends_with('"');
  if (is_quoted)
    digits = digits.substr(1, digits.size() - 2);
  if (!is_quoted || request.headers.count("If-Match") > 1 || !reads_as(digits, version) || version < 0) {
    return fail(Code::bad_request, "If-Match must be one ETag of this service, such as \"7\".");
  }
  return version;
}

// ---- Router ----

Router::Router(Authenticator* authenticator, Idempotency* idempotency, Random& random, Bare bare)
    : table_(std::make_unique<Table>(authenticator, idempotency, random, bare)) {}
Router::~Router() = default;

void Router::add(Route route) {
  assert(route.handler && "a route needs a handler");
  assert(!route.websocket || route.method == Method::get);
  auto const index = static_cast<std::int32_t>(table_->routes.size());
  [[maybe_unused]] bool const free = table_->tree.add(route.method, route.path, index);
  assert(free && "two routes have the same method and path");
  if (table_->bare == Bare::all || route.of_process) {
    [[maybe_unused]] bool const bare_free = table_->bare_tree.add(route.method, route.path, index);
    assert(bare_free);
  }
  table_->routes.push_back(std::move(route));
}

std::vector<Route> const& Router::routes() const { return table_->routes; }

std::optional<RouteLimits> Router::limits(Method method, std::string_view path) const {
  auto const target = read_target(path);
  if (!target)
    return std::nullopt;
  auto const match = table_->find(target->path);
  auto const* route = match.leaf ? table_->route_of(*match.leaf, method) : nullptr;
  if (!route)
    return std::nullopt;
  return RouteLimits{route->body_max, route->time_max, route->ends_with_client, route->error_format};
}

Task<Response> Router::dispatch(Context context, Request request) {
  identify(context, request.headers, table_->ids);
  if (context.address.empty())
    context.address = request.peer;
  Response response;
  ErrorFormat format = problem;
  std::exception_ptr thrown;
  try {
    response = co_await table_->answer(context, request, format);
  } catch (...) {
    thrown = std::current_exception();
  }
  if (thrown) {
    if (is_cancellation(thrown))
      std::rethrow_exception(thrown);
    response = format(describe_fault(thrown, context.request_id, request.target), context.request_id, 0);
  }
  forbid_caching(response);
  add_identity(response, context);
  leave_out_unwanted(response, request.method, request.headers);
  co_return response;
}

// `format` is the route's from the moment that the route is known.
Task<Response> Router::Table::answer(Context& context, Request& request, ErrorFormat& format) const {
  if (request.target == "*" && request.method == Method::options)
    co_return allow({.status = 204}, all_methods);
  auto target = read_target(request.target);
  if (!target)
    co_return problem(target.error(), context.request_id);
  request.path = std::move(target->path);
  request.query = std::move(target->query);

  auto const match = find(request.path);
  if (!match.leaf) {
    Error const error{Code::not_found, "There is nothing at " + in_quotes(segment_value(request.path)) + "."};
    co_return problem(error, context.request_id);
  }
  auto const* route = route_of(*match.leaf, request.method);
  if (!route) {
    auto const methods = allowed_methods(*match.leaf);
    if (request.method == Method::options)
      co_return allow({.status = 204}, methods);
    Error const error{Code::method_not_allowed, "Here only these methods are served: " + methods + "."};
    co_return allow(problem(error, context.request_id), methods);
  }

  format = route->error_format;
  Call call(context, request);
  auto checked = CallReader::read_path(call, *route, match);
  if (checked && !route->permission.empty())
    checked = co_await admit(context, request, *route);
  if (!checked)
    co_return format(checked.error(), context.request_id, 0);
  if (auto const error = check_query(*route, request))
    co_return format(*error, context.request_id, 0);
  if (route->websocket)
    co_return co_await upgrade(call, *route);
  auto key = idempotency_key(*route, request);
  if (!key)
    co_return format(key.error(), context.request_id, 0);
  bool const once = *key && idempotency;
  auto hash = once ? request_hash(request) : std::string();
  checked = CallReader::read_body(call, *route);
  if (!checked)
    co_return format(checked.error(), context.request_id, 0);
  if (once)
    co_return co_await answer_once(call, *route, std::move(**key), std::move(hash));
  auto result = co_await route->handler(call);
  if (!result)
    co_return format(result.error(), context.request_id, 0);
  assert(!std::holds_alternative<WebSocketSession>(result->body) && "the route is not marked as a WebSocket");
  co_return std::move(*result);
}

Task<Response> Router::Table::upgrade(Call& call, Route const& route) {
  auto const accept = check_handshake(call.request);
  if (!accept)
    co_return refusal(accept.error(), route.error_format, call.context.request_id);
  auto result = co_await route.handler(call);
  if (!result)
    co_return route.error_format(result.error(), call.context.request_id, 0);
  agree(*result, *accept);
  co_return std::move(*result);
}

// Errors: unauthenticated, forbidden, and what the authenticator answers.
Task<Result<void>> Router::Table::admit(Context& context, Request const& request, Route const& route) const {
  if (context.principal.id.empty() && authenticator) {
    auto principal = co_await authenticator->authenticate(request, context.deadline);
    if (!principal)
      co_return fail(std::move(principal.error()));
    context.principal = std::move(*principal);
  }
  if (context.principal.id.empty())
    co_return fail(Code::unauthenticated, "Sign in to use this.");
  if (!context.principal.may(route.permission)) {
    co_return fail(Code::forbidden, "This needs the permission " + in_quotes(route.permission) + ".");
  }
  if (route.of_installation && context.principal.tenant != default_tenant)
    co_return fail(Code::forbidden, "Only those who run the installation may use this.");
  co_return Result<void>{};
}

Task<Response> Router::Table::answer_once(Call& call, Route const& route, std::string key, std::string hash) const {
  auto const scope = std::string(method_name(route.method)) + " " + std::string(route.path);
  auto const actor = call.context.actor();
  Idempotency::Use const use{.route = scope, .key = key, .body_hash = hash, .is_repeatable = route.repeatable};
  auto begun = co_await idempotency->begin(actor, use, call.context.deadline);
  if (!begun)
    co_return route.error_format(begun.error(), call.context.request_id, 0);
  if (begun->answer)
    co_return replayed(std::move(*begun->answer));
  call.made_id = std::move(begun->made_id);

  Response response;
  std::exception_ptr thrown;
  try {
    auto result = co_await route.handler(call);
    response = result ? std::move(*result) : route.error_format(result.error(), call.context.request_id, 0);
  } catch (...) {
    thrown = std::current_exception();
  }
  if (!thrown) {
    co_await settle(call, scope, key, {.answer = is_final(response) ? &response : nullptr});
    co_return response;
  }
  // A cancelled coroutine could await nothing more, and the key would stay taken for a minute.
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  co_await settle(call, scope, key, {.is_known = !is_outcome_unknown(thrown) && !is_cancellation(thrown)});
  co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
  std::rethrow_exception(thrown);
}

// Keeps the answer under its key, or gives the key up. The handler's work is done, so its answer stands even when this
// fails: the key then stays taken for a minute.
Task<void> Router::Table::settle(Call& call, std::string const& scope, std::string const& key, Outcome outcome) const {
  auto const deadline = Deadline::after(std::chrono::seconds{5});
  auto const actor = call.context.actor();
  std::exception_ptr thrown;
  try {
    if (auto const* answer = outcome.answer) {
      Idempotency::Stored stored{.status = answer->status,
                                 .location = std::string(answer->headers.find("Location").value_or("")),
                                 .body = std::get<std::string>(answer->body)};
      co_await idempotency->store(actor, scope, key, std::move(stored), deadline);
    } else if (outcome.is_known) {
      co_await idempotency->release(actor, scope, key, deadline);
    } else {
      co_await idempotency->abandon(actor, scope, key, deadline);
    }
  } catch (...) {
    thrown = std::current_exception();
  }
  if (!thrown)
    co_return;
  if (is_cancellation(thrown))
    std::rethrow_exception(thrown);
  std::ignore = describe_fault(thrown, call.context.request_id, call.request.target);
}

}  // namespace al::http
