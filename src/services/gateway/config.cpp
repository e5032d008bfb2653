#include "services/gateway/config.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/ip/address_v6.hpp>
#include <charconv>
#include <map>
#include <optional>
#include <span>
#include <utility>

#include "core/nearest.hpp"
#include "core/strings.hpp"
#include "core/yaml.hpp"
#include "http/target.hpp"

namespace al::services::gateway {
namespace {

using namespace std::chrono_literals;
using http::Method;
using yaml::MapReader;
using yaml::Node;

constexpr std::size_t name_bytes_max = 63;
constexpr std::size_t url_bytes_max = 512;
constexpr std::chrono::seconds time_max = 1h;
constexpr std::int64_t retries_max = 10;
constexpr std::int64_t rate_max = 1'000'000;
constexpr std::int64_t body_bytes_max = 256 << 20;

constexpr std::array all_methods{Method::get,   Method::head, Method::post,   Method::put,
                                 Method::patch, Method::del,  Method::options};

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string raised(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) { return is_lower(c) ? static_cast<char>(c & ~32) : c; });
  return out;
}

std::string at(std::string_view list, std::size_t index) {
  return std::string(list) + "[" + std::to_string(index) + "]";
}

// ---- built in ----

/// What of a route's values differs from role to role.
struct RoleRoute {
  std::string_view service;
  std::string_view path;
  std::chrono::seconds timeout = 30s;
  std::int64_t retries = 2;
  Access auth = Access::required;
  std::size_t body_max = 1 << 20;
  bool honours_key = true;
};

// Models take their time to begin an answer. Where access is open, callers prove themselves by other
// means than a credential of ours: a password, the first message of a connection. Model calls hand
// Idempotency-Key on to a provider, who need not know of it: each repetition could be paid again.
constexpr std::array role_routes = std::to_array<RoleRoute>({
    {.service = "agent-designer", .path = "/agents", .retries = 3},
    {.service = "agent-designer", .path = "/tasks", .retries = 3},
    {.service = "agent-designer", .path = "/knowledge", .retries = 3, .body_max = 16 << 20},
    {.service = "agent-designer", .path = "/context", .retries = 3},
    {.service = "ai-model", .path = "/models", .retries = 3},
    {.service = "ai-model", .path = "/inference", .timeout = 600s},
    {.service = "ai-model", .path = "/agents/{agent_id}/chat", .timeout = 600s},
    {.service = "ai-model", .path = "/sessions"},
    {.service = "ai-model", .path = "/providers", .timeout = 120s},
    {.service = "ai-model", .path = "/v1", .timeout = 600s, .body_max = 32 << 20, .honours_key = false},
    {.service = "auth", .path = "/auth", .auth = Access::open},
    {.service = "auth", .path = "/users"},
    {.service = "auth", .path = "/roles"},
    {.service = "auth", .path = "/organisations"},
    {.service = "auth", .path = "/audit"},
    {.service = "websocket", .path = "/ws", .auth = Access::open},
    {.service = "websocket", .path = "/broadcast"},
    {.service = "websocket", .path = "/connections"},
    {.service = "service-discovery", .path = "/services"},
    {.service = "service-discovery", .path = "/instances"},
    {.service = "service-discovery", .path = "/topology"},
    {.service = "operations", .path = "/events"},
    {.service = "operations", .path = "/consumers"},
    {.service = "operations", .path = "/dead-letters"},
    {.service = "operations", .path = "/metrics/series", .body_max = 4 << 20},
    {.service = "operations", .path = "/metrics/names"},
    {.service = "operations", .path = "/backups"},
    {.service = "operations", .path = "/configuration"},
});

bool is_role(std::string_view name) {
  return std::ranges::find(role_routes, name, &RoleRoute::service) != role_routes.end();
}

/// Whether a request could be of both paths, as the path itself or as something below it.
bool may_meet(std::string_view a, std::string_view b) {
  while (!a.empty() && !b.empty()) {
    auto const in_a = a.substr(0, std::min(a.find('/', 1), a.size()));
    auto const in_b = b.substr(0, std::min(b.find('/', 1), b.size()));
    if (in_a != in_b && !in_a.starts_with("/{") && !in_b.starts_with("/{"))
      return false;
    a.remove_prefix(in_a.size());
    b.remove_prefix(in_b.size());
  }
  return true;
}

/// Of others nothing is known: an Idempotency-Key is what the client asks for, and no promise of the service.
bool is_known_to_honour_key(Route const& route) {
  return is_role(route.service) && std::ranges::none_of(role_routes, [&](RoleRoute const& role) {
           return !role.honours_key && may_meet(role.path, route.path);
         });
}

// ---- values ----

/// The name as discovery knows it; nothing when it cannot be one.
std::optional<std::string> service_name(std::string_view text) {
  std::string name(text);
  std::ranges::replace(name, '_', '-');
  bool const is_fit = !name.empty() && name.size() <= name_bytes_max && name.front() != '-' && name.back() != '-' &&
                      std::ranges::all_of(name, [](char c) { return is_lower(c) || is_digit(c) || c == '-'; });
  return is_fit ? std::optional(name) : std::nullopt;
}

bool is_host_name(std::string_view host) {
  return !host.empty() && host.size() <= 253 && std::ranges::all_of(host, [](char c) {
    return is_lower(c) || is_digit(c) || c == '.' || c == '-' || c == '_';
  });
}

/// An address in its shortest form; empty when it is none, or is one of a single link.
std::string plain_ipv6(std::string_view text) {
  boost::system::error_code error;
  auto const address = boost::asio::ip::make_address_v6(std::string(text), error);
  return error || address.scope_id() != 0 || text.contains('%') ? "" : address.to_string();
}

bool is_plain_path(std::string_view path) {
  auto const target = http::read_target(path);
  return target && target->query.empty();
}

std::optional<std::uint16_t> read_port(std::string_view text) {
  std::uint16_t port = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  bool const is_whole = error == std::errc{} && end == text.data() + text.size();
  return is_whole && port > 0 ? std::optional(port) : std::nullopt;
}

bool is_segment(std::string_view segment) {
  if (segment.starts_with('{')) {
    auto const name = segment.substr(1, segment.size() - std::min<std::size_t>(segment.size(), 2));
    return segment.ends_with('}') && !name.empty() &&
           std::ranges::all_of(name, [](char c) { return is_lower(c) || is_digit(c) || c == '_'; });
  }
  constexpr std::string_view marks = "-._~";
  return !segment.empty() && segment != "." && segment != ".." && std::ranges::all_of(segment, [&](char c) {
    return is_lower(c) || is_upper(c) || is_digit(c) || marks.contains(c);
  });
}

/// What is wrong with a path of a route, which begins with '/'; empty when nothing is.
std::string_view path_fault(std::string_view path) {
  std::size_t segments = 0;
  for (auto rest = path; !rest.empty(); ++segments) {
    rest.remove_prefix(1);
    auto const end = std::min(rest.find('/'), rest.size());
    if (!is_segment(rest.substr(0, end))) {
      return "must be segments of letters, digits and -._~, or {name} for any one segment, as /agents/{agent_id}; it "
             "is no regular expression, and stands for all that is below it";
    }
    rest.remove_prefix(end);
  }
  return segments > GatewayConfig::segments_max ? "must have at most 8 segments" : "";
}

/// Two paths that match the same requests have one shape.
std::string shape_of(std::string_view path) {
  std::string out;
  bool is_name = false;
  for (char const c : path) {
    if (c == '}')
      is_name = false;
    if (!is_name)
      out += c;
    if (c == '{')
      is_name = true;
  }
  return out;
}

std::vector<std::string> method_names() {
  std::vector<std::string> names;
  for (auto const method : all_methods)
    names.emplace_back(http::method_name(method));
  return names;
}

// ---- the file ----

class FileReader {
 public:
  explicit FileReader(std::string_view file) : faults_(file) {}

  Result<GatewayConfig> read(std::string_view text) && {
    if (auto const root = yaml::parse(text, faults_))
      read_root(*root);
    if (!faults_.empty())
      return fail(std::move(faults_).error("the gateway's configuration is wrong"));
    return std::move(config_);
  }

 private:
  void read_root(Node const& root);
  void read_global(Node const*);
  void read_service(Node const&, std::string path);
  void read_instance_entry(MapReader&);
  void read_described(MapReader&);
  void read_instances(MapReader&, Service&);
  void add_instance(MapReader&, std::string_view key, std::string_view text, std::size_t line, Service&);
  void read_limits(MapReader&, Service&);
  void read_route(Node const&, std::string path, std::optional<std::string> service);
  void read_path(MapReader&, Route&);
  void read_route_values(MapReader&, Route&);
  void read_methods(MapReader&, Route&);
  void read_auth(MapReader&, Route&);
  void read_route_service(MapReader&, Route&);
  void keep(MapReader const&, Route);
  void skip(MapReader&, std::string_view key, std::string_view why);
  Service* find_service(std::string_view name);

  yaml::Faults faults_;
  GatewayConfig config_;
  Service service_defaults_{};
  Route route_defaults_{};
  std::map<std::string, std::size_t, std::less<>> described_;   ///< names of services, and the line of each
  std::map<std::string, std::string, std::less<>> health_of_;   ///< of services whose instances are entries: their path
  std::map<std::pair<std::string, Method>, std::string> kept_;  ///< by shape and method: where the route stands
};

void FileReader::read_root(Node const& root) {
  MapReader top(root, {}, faults_);
  read_global(top.find("global"));
  skip(top, "database", "the data layer has settings of its own");
  skip(top, "cache", "the data layer has settings of its own");
  skip(top, "events", "channels are not configured");
  auto const services = top.list("services");
  if (services.size() > GatewayConfig::services_max * GatewayConfig::instances_max)
    return top.fault("services", "has too many entries");
  for (std::size_t i = 0; i < services.size(); ++i)
    read_service(services[i], at("services", i));
  auto const routes = top.list("routes");
  for (std::size_t i = 0; i < routes.size(); ++i)
    read_route(routes[i], at("routes", i), std::nullopt);
  top.finish();
  if (config_.services.size() > GatewayConfig::services_max)
    top.fault("services", "must be at most " + std::to_string(GatewayConfig::services_max));
  if (config_.routes.size() > GatewayConfig::routes_max)
    top.fault("routes", "must be at most " + std::to_string(GatewayConfig::routes_max));
  if (kept_.empty() && faults_.empty())
    top.fault("routes", "there must be at least one route, here or below a service");
}

/// The prototype's defaults for all.
void FileReader::read_global(Node const* node) {
  if (!node)
    return;
  MapReader global(*node, "global", faults_);
  skip(global, "cors", "browsers are served from the gateway's own origin");
  if (auto const* const rate = global.find("rate_limit")) {
    MapReader limit(*rate, "global.rate_limit", faults_);
    route_defaults_.rate_limit = limit.integer("default", 0, 0, rate_max);
    if (limit.seconds("window", 60s, 1s, time_max) != 60s)
      limit.fault("window", "must be 60: limits are of a minute");
    limit.finish();
  }
  if (auto const* const breaker = global.find("circuit_breaker")) {
    MapReader settings(*breaker, "global.circuit_breaker", faults_);
    auto& defaults = service_defaults_.breaker;
    defaults.failures = settings.integer("threshold", defaults.failures, 1, 1000);
    defaults.open_for = settings.seconds("timeout", defaults.open_for, 1s, time_max);
    settings.finish();
  }
  global.finish();
}

/// A part of the brief's file that is about other things than the gateway.
void FileReader::skip(MapReader& reader, std::string_view key, std::string_view why) {
  auto const* const node = reader.find(key);
  if (!node)
    return;
  config_.notes.push_back(reader.path(key) + " has no effect: " + std::string(why) + " (" + faults_.place(node->line) +
                          ")");
}

Service* FileReader::find_service(std::string_view name) {
  auto const found = std::ranges::find(config_.services, name, &Service::name);
  return found == config_.services.end() ? nullptr : &*found;
}

void FileReader::read_service(Node const& node, std::string path) {
  MapReader reader(node, std::move(path), faults_);
  // Either form may stand here, so the keys of both count as known when a wrong one looks for its neighbour.
  bool const is_instance = reader.find("type") != nullptr;
  bool const is_named = reader.find("name") != nullptr;
  if (is_instance && is_named)
    return reader.fault("type", "cannot stand beside name: an entry with type is one instance");
  is_instance ? read_instance_entry(reader) : read_described(reader);
  reader.finish();
}

/// `- {id: …, type: agent_designer, url: …}`: one instance of a service that has an entry for each.
void FileReader::read_instance_entry(MapReader& reader) {
  (void)reader.text("id");
  auto const name = service_name(reader.text("type"));
  auto const url = reader.text("url", {}, url_bytes_max);
  auto const health = reader.text("health_check", service_defaults_.health.path);
  if (reader.integer("weight", 1, INT64_MIN, INT64_MAX) != 1)
    reader.fault("weight", "must be 1: instances are taken as equals");
  if (!is_plain_path(health))
    reader.fault("health_check", "must be a path, as /ready, not " + yaml::shown(health));
  if (!name)
    return reader.fault("type", "must be a service's name: lower-case letters, digits, - and _");
  if (described_.contains(*name))
    return reader.fault("type", *name + " is described on line " + std::to_string(described_.at(*name)) + " already");
  auto* service = find_service(*name);
  if (!service) {
    service = &config_.services.emplace_back(service_defaults_);
    service->name = *name;
    service->health.path = health;
  }
  auto const [known, is_first] = health_of_.emplace(*name, health);
  if (!is_first && known->second != health)
    reader.fault("health_check", "must be " + yaml::shown(known->second) + ", as of the service's first instance");
  if (url.empty())
    return reader.fault("url", "is missing: where the instance is, as http://host:port");
  add_instance(reader, "url", url, reader.line("url"), *service);
}

/// `- {name: agent_designer, url: …, routes: […]}`: a service with all that is said of it.
void FileReader::read_described(MapReader& reader) {
  Service service = service_defaults_;
  auto const text = reader.text("name");
  auto const name = service_name(text);
  if (text.empty())
    reader.fault("name", "is missing: what the service is called");
  else if (!name)
    reader.fault("name", "must be lower-case letters, digits, - and _, not " + yaml::shown(text));
  service.name = name.value_or("");
  read_instances(reader, service);
  service.balancing = reader.choice("balancing", service.balancing);
  read_limits(reader, service);
  for (std::string_view const key : {"database", "cache"}) {
    if (auto const value = reader.text(key, "shared"); value != "shared")
      reader.fault(key, "must be shared, not " + yaml::shown(value) + ": services have one data layer");
  }
  auto const routes = reader.list("routes");
  for (std::size_t i = 0; i < routes.size(); ++i)
    read_route(routes[i], at(reader.path("routes"), i), service.name);
  if (!name)
    return;
  if (find_service(*name)) {
    auto const first = described_.find(*name);
    return reader.fault(
        "name", *name + " is described " +
                    (first == described_.end() ? "by its instances" : "on line " + std::to_string(first->second)) +
                    " already");
  }
  described_.emplace(*name, reader.line("name"));
  config_.services.push_back(std::move(service));
}

void FileReader::read_instances(MapReader& reader, Service& service) {
  auto const url = reader.text("url", {}, url_bytes_max);
  auto const listed = reader.list("instances");
  if (!url.empty())
    add_instance(reader, "url", url, reader.line("url"), service);
  if (!url.empty() && reader.find("instances"))
    return reader.fault("instances", "cannot stand beside url: name each instance once");
  if (listed.size() > GatewayConfig::instances_max)
    return reader.fault("instances", "must be at most " + std::to_string(GatewayConfig::instances_max));
  for (std::size_t i = 0; i < listed.size(); ++i) {
    auto const key = at("instances", i);
    if (listed[i].kind == yaml::Kind::scalar)
      add_instance(reader, key, listed[i].text, listed[i].line, service);
    else
      faults_.add(reader.path(key), listed[i].line, "must be host:port");
  }
}

void FileReader::add_instance(MapReader& reader, std::string_view key, std::string_view text, std::size_t line,
                              Service& service) {
  auto instance = read_instance(text);
  if (!instance)
    return faults_.add(reader.path(key), line, "must be " + instance.error().message + ", not " + yaml::shown(text));
  if (std::ranges::find(service.instances, *instance) != service.instances.end())
    return faults_.add(reader.path(key), line, url_of(*instance) + " stands here already");
  if (service.instances.size() == GatewayConfig::instances_max)
    return faults_.add(reader.path(key), line, "is one instance too many of " + service.name);
  service.instances.push_back(std::move(*instance));
}

void FileReader::read_limits(MapReader& reader, Service& service) {
  if (auto const* const node = reader.find("timeouts")) {
    MapReader timeouts(*node, reader.path("timeouts"), faults_);
    auto& values = service.timeouts;
    values.connect = timeouts.seconds("connect", values.connect, 1s, 300s);
    values.answer = timeouts.seconds("answer", values.answer, 0s, time_max);
    values.idle = timeouts.seconds("idle", values.idle, 1s, time_max);
    timeouts.finish();
  }
  if (auto const* const node = reader.find("breaker")) {
    MapReader breaker(*node, reader.path("breaker"), faults_);
    auto& values = service.breaker;
    values.failures = breaker.integer("failures", values.failures, 1, 1000);
    values.window = breaker.seconds("window", values.window, 1s, time_max);
    values.open_for = breaker.seconds("open_for", values.open_for, 1s, time_max);
    breaker.finish();
  }
  if (auto const* const node = reader.find("health")) {
    MapReader health(*node, reader.path("health"), faults_);
    auto& values = service.health;
    values.path = health.text("path", values.path);
    if (!is_plain_path(values.path))
      health.fault("path", "must be a path, as /ready, not " + yaml::shown(values.path));
    values.interval = health.seconds("interval", values.interval, 1s, time_max);
    health.finish();
  }
}

/// `service`: whose entry the route stands below; none in the list of all routes, where each names its own.
void FileReader::read_route(Node const& node, std::string path, std::optional<std::string> service) {
  MapReader reader(node, std::move(path), faults_);
  Route route = route_defaults_;
  read_path(reader, route);
  if (service)
    route.service = std::move(*service);
  else
    read_route_service(reader, route);
  read_methods(reader, route);
  read_route_values(reader, route);
  reader.finish();
  keep(reader, std::move(route));
}

/// Leaves it empty after a fault.
void FileReader::read_path(MapReader& reader, Route& route) {
  auto const written = reader.text("path");
  std::string_view path = written;
  // The prototype's paths are regular expressions, of which only the anchor was used.
  if (path.starts_with('^'))
    path.remove_prefix(1);
  if (path.empty())
    return reader.fault("path", "is missing: what is asked for, as /agents");
  if (!path.starts_with('/'))
    return reader.fault("path", "must begin with '/', not as in " + yaml::shown(written));
  auto const rest = without_api_prefix(path);
  if (rest && (rest->empty() || without_api_prefix(*rest)))
    return reader.fault("path", rest->empty() ? "must name more than /api/v1" : "has /api/v1 twice");
  if (auto const wrong = path_fault(rest.value_or(path)); !wrong.empty())
    return reader.fault("path", wrong);
  route.path = rest.value_or(path);
  route.is_bare = !rest;
}

void FileReader::read_route_service(MapReader& reader, Route& route) {
  auto const text = reader.text("service");
  if (text.empty())
    return reader.fault("service", "is missing: who answers");
  auto name = service_name(text);
  if (name && !find_service(*name) && is_role(*name)) {
    config_.services.push_back(service_defaults_);
    config_.services.back().name = *name;
  }
  if (name && find_service(*name)) {
    route.service = std::move(*name);
    return;
  }
  std::vector<std::string> known;
  for (auto const& service : config_.services)
    known.push_back(service.name);
  for (auto const& role : role_routes)
    known.emplace_back(role.service);
  auto const near = nearest(name.value_or(text), known);
  reader.fault("service", "there is no service " + yaml::shown(text) +
                              (near.empty() ? "" : "; did you mean " + std::string(near) + "?"));
}

void FileReader::read_methods(MapReader& reader, Route& route) {
  if (!reader.find("methods"))
    return;
  auto const listed = reader.list("methods");
  route.methods.reset();
  for (std::size_t i = 0; i < listed.size(); ++i) {
    auto const method = http::method_of(listed[i].text);
    if (method) {
      route.methods.set(static_cast<std::size_t>(*method));
      continue;
    }
    auto const names = method_names();
    auto what = yaml::not_one_of(names, listed[i].text);
    if (std::ranges::find(names, raised(listed[i].text)) != names.end())
      what = "must be in capitals: " + raised(listed[i].text);
    faults_.add(reader.path(at("methods", i)), listed[i].line, what);
  }
  if (listed.empty())
    reader.fault("methods", "must name at least one method; leave the key out for all");
}

void FileReader::read_route_values(MapReader& reader, Route& route) {
  route.timeout = reader.seconds("timeout", route.timeout, 1s, time_max);
  auto const* const prototypes = reader.find("retry_count");
  if (prototypes && reader.find("retries"))
    reader.fault("retry_count", "cannot stand beside retries: they are the same");
  route.retries = reader.integer(prototypes ? "retry_count" : "retries", route.retries, 0, retries_max);
  bool const is_known = is_known_to_honour_key(route);
  route.honours_key = reader.boolean("idempotency_key", is_known);
  if (route.honours_key && !is_known && is_role(route.service))
    reader.fault("idempotency_key", "must be false: calls below /v1 are for a provider, who need not know of the key");
  route.cache_ttl = reader.seconds("cache_ttl", route.cache_ttl, 0s, 24h);
  if (route.cache_ttl > 0s && !contains(route.methods, Method::get))
    reader.fault("cache_ttl", "must be 0 where GET is not served: nothing else is kept");
  route.rate_limit = reader.integer("rate_limit", route.rate_limit, 0, rate_max);
  read_auth(reader, route);
  route.body_max = static_cast<std::size_t>(
      reader.integer("body_max", static_cast<std::int64_t>(route.body_max), 0, body_bytes_max));
}

void FileReader::read_auth(MapReader& reader, Route& route) {
  if (!reader.find("auth_required")) {
    route.auth = reader.choice("auth", route.auth);
    return;
  }
  route.auth = reader.boolean("auth_required", true) ? Access::required : Access::open;
  if (reader.find("auth"))
    reader.fault("auth_required", "cannot stand beside auth: they are the same");
}

/// Keeps a route unless another one has its place.
void FileReader::keep(MapReader const& reader, Route route) {
  if (route.path.empty())
    return;
  std::string taken;
  std::string where;
  for (auto const method : all_methods) {
    if (!contains(route.methods, method))
      continue;
    auto const [first, is_free] =
        kept_.emplace(std::pair(shape_of(route.path), method), faults_.place(reader.line("path")));
    if (is_free)
      continue;
    taken.append(taken.empty() ? "" : ", ").append(http::method_name(method));
    where = first->second;
  }
  if (!taken.empty()) {
    faults_.add(reader.path("path"), reader.line("path"),
                "matches the same requests as the route of " + where + ": " + taken);
  }
  config_.routes.push_back(std::move(route));
}

}  // namespace

std::string url_of(Instance const& instance) {
  auto const host = instance.host.contains(':') ? "[" + instance.host + "]" : instance.host;
  return (instance.is_tls ? "https://" : "http://") + host + ":" + std::to_string(instance.port);
}

Result<Instance> read_instance(std::string_view text) {
  constexpr std::string_view form = "host:port or http(s)://host:port, without user, path or query";
  Instance instance;
  auto rest = text;
  bool const is_http = rest.starts_with("http://");
  instance.is_tls = rest.starts_with("https://");
  if (is_http || instance.is_tls) {
    rest.remove_prefix(rest.find("://") + 3);
    if (rest.ends_with('/'))
      rest.remove_suffix(1);
    instance.port = instance.is_tls ? 443 : 80;
  }
  auto host = rest.substr(0, rest.rfind(':'));
  if (rest.starts_with('[')) {
    host = rest.substr(0, std::min(rest.find(']'), rest.size() - 1) + 1);
    instance.host = host.ends_with(']') ? plain_ipv6(host.substr(1, host.size() - 2)) : "";
  } else {
    instance.host = is_host_name(lower(host)) ? lower(host) : "";
  }
  rest.remove_prefix(host.size());
  if (!rest.empty())
    instance.port = rest[0] == ':' ? read_port(rest.substr(1)).value_or(0) : 0;
  if (instance.host.empty() || instance.port == 0)
    return fail(Code::invalid, std::string(form));
  return instance;
}

bool contains(Methods methods, Method method) { return methods.test(static_cast<std::size_t>(method)); }

Methods methods_of(std::initializer_list<Method> methods) {
  Methods out;
  for (auto const method : methods)
    out.set(static_cast<std::size_t>(method));
  return out;
}

std::optional<std::string_view> without_api_prefix(std::string_view path) {
  if (!path.starts_with(api_prefix))
    return std::nullopt;
  path.remove_prefix(api_prefix.size());
  return path.empty() || path.starts_with('/') ? std::optional(path) : std::nullopt;
}

GatewayConfig default_config() {
  GatewayConfig config;
  for (auto const& role : role_routes) {
    if (std::ranges::find(config.services, role.service, &Service::name) == config.services.end())
      config.services.push_back({.name = std::string(role.service)});
    config.routes.push_back({.path = std::string(role.path),
                             .service = std::string(role.service),
                             .timeout = role.timeout,
                             .retries = role.retries,
                             .honours_key = role.honours_key,
                             .auth = role.auth,
                             .body_max = role.body_max});
  }
  return config;
}

Result<GatewayConfig> read_config(std::string_view text, std::string_view file) { return FileReader(file).read(text); }

}  // namespace al::services::gateway
