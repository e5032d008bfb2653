#include "services/gateway/gateway.hpp"

#include <algorithm>
#include <boost/system/system_error.hpp>
#include <utility>

#include "core/fault.hpp"
#include "core/log.hpp"
#include "http/faults.hpp"
#include "http/negotiation.hpp"
#include "http/websocket.hpp"
#include "services/gateway/compression.hpp"
#include "services/gateway/passed_headers.hpp"

namespace al::services::gateway {

using http::Method;
using http::Response;

namespace {

constexpr std::chrono::seconds look_interval{1};
constexpr std::chrono::seconds rate_window{60};
constexpr int bad_gateway = 502;

/// Whether a path is of the pattern of a route, in which {name} stands for a segment.
bool is_of(std::string_view pattern, std::string_view path) {
  while (!pattern.empty() && !path.empty()) {
    auto const wanted = pattern.substr(0, std::min(pattern.find('/', 1), pattern.size()));
    auto const segment = path.substr(0, std::min(path.find('/', 1), path.size()));
    if (wanted != segment && !wanted.starts_with("/{"))
      return false;
    pattern.remove_prefix(wanted.size());
    path.remove_prefix(segment.size());
  }
  return pattern.empty() && path.empty();
}

bool asks_for_websocket(http::Request const& request) {
  auto const upgrade = request.headers.find("Upgrade");
  return request.method == Method::get && upgrade && http::equal_without_case(*upgrade, "websocket");
}

/// A page asks beforehand whether it may send a request (Fetch, "CORS-preflight request").
bool is_preflight(http::Request const& request) {
  return request.method == Method::options && request.headers.find("Origin") &&
         request.headers.find("Access-Control-Request-Method");
}

void add_vary(http::Headers& headers, std::string_view name) {
  std::string names;
  for (auto const& [key, value] : headers) {
    if (http::equal_without_case(key, "Vary"))
      names.append(names.empty() ? "" : ", ").append(value);
  }
  if (!http::has_token(names, name))
    names.append(names.empty() ? "" : ", ").append(name);
  headers.set("Vary", names);
}

void add_quota(Response& response, security::Quota const& quota) {
  response.headers.set("RateLimit-Limit", std::to_string(quota.limit));
  response.headers.set("RateLimit-Remaining", std::to_string(quota.remaining));
  response.headers.set("RateLimit-Reset", std::to_string(quota.reset.count()));
}

}  // namespace

/// One request on its way.
struct Gateway::Visit {
  http::Context context;
  http::Request request;
  std::string origin{};  ///< empty: it comes from no page of another site
  std::string host{};
  bool takes_gzip = false;
  bool has_cookie = false;
  bool is_own = false;
  std::shared_ptr<Snapshot const> snapshot{};
  Route const* route = nullptr;  ///< of the snapshot; null: there is none
  std::shared_ptr<Upstream> upstream{};
  std::string target{};  ///< as the service gets it
  http::Principal caller{};
  bool is_caller_known = true;  ///< off: it has a credential that nobody knows
  std::optional<security::Quota> quota{};
};

/// A configured instance whose health is asked for.
struct Gateway::Ward {
  std::shared_ptr<Upstream> upstream;
  Instance instance;
  SteadyTime next{};
  int failures = 0;
};

http::ClientOptions client_options() {
  constexpr std::chrono::hours longest{1};
  return {
      .connect_timeout = longest, .first_byte_timeout = longest, .idle_timeout = longest, .idle_connections_max = 512};
}

// ---- configuration ----

Gateway::Gateway(Ties ties, GatewayOptions options)
    : ties_(ties), options_(std::move(options)), ids_(ties.random), file_(options_.config_file) {
  add_overview(ties_.own);
  for (auto const& route : ties_.own.routes()) {
    if (route.of_process)
      own_paths_.emplace_back(route.path);
  }
  if (auto const taken = reload(); !taken)
    throw Fault(taken.error().message);
}

Gateway::~Gateway() = default;

Result<void> Gateway::reload() {
  auto config = file_.read();
  if (!config)
    return fail(std::move(config.error()));
  for (auto const& note : config->notes)
    log::warning("a part of the gateway's configuration has no effect", {{"note", std::string_view(note)}});
  use(*config);
  return {};
}

void Gateway::use(GatewayConfig const& config) {
  auto const before = current();
  std::vector<std::shared_ptr<Upstream>> upstreams;
  std::vector<std::shared_ptr<Upstream>> of_route;
  std::lock_guard const lock(mutex_);
  for (auto const& service : config.services)
    upstreams.push_back(upstream_of(service, before.get()));
  for (auto const& route : config.routes) {
    auto const found =
        std::ranges::find(upstreams, route.service, [](auto const& upstream) { return upstream->service.name; });
    of_route.push_back(*found);
  }
  // Built in place, since a table is not moved.
  snapshot_ = std::shared_ptr<Snapshot const>(new Snapshot{
      .table = RouteTable(config.routes), .upstreams = std::move(upstreams), .of_route = std::move(of_route)});
}

// One that stays as it is keeps its breakers, and the calls in flight. Under the mutex.
std::shared_ptr<Upstream> Gateway::upstream_of(Service const& service, Snapshot const* before) {
  if (before) {
    auto const same = std::ranges::find(before->upstreams, service, [](auto const& it) { return it->service; });
    if (same != before->upstreams.end())
      return *same;
  }
  auto& figures = figures_[service.name];
  if (!figures)
    figures = std::make_shared<ServiceFigures>();
  auto const local = options_.locals.find(service.name);
  auto upstream =
      std::make_shared<Upstream>(service, local == options_.locals.end() ? LocalService{} : local->second, figures);
  if (auto const known = discovered_.find(service.name); known != discovered_.end())
    upstream->set_instances(known->second, ties_.clock.steady());
  return upstream;
}

std::shared_ptr<Gateway::Snapshot const> Gateway::current() const {
  std::lock_guard const lock(mutex_);
  return snapshot_;
}

void Gateway::set_instances(std::string_view service, std::span<Instance const> instances) {
  std::lock_guard const lock(mutex_);
  discovered_[std::string(service)].assign(instances.begin(), instances.end());
  for (auto const& upstream : snapshot_->upstreams) {
    if (upstream->service.name == service)
      upstream->set_instances(instances, ties_.clock.steady());
  }
}

void Gateway::set_availability(std::string_view service, Instance const& instance, Availability availability) {
  for (auto const& upstream : current()->upstreams) {
    if (upstream->service.name == service)
      upstream->set_availability(instance, availability, ties_.clock.steady());
  }
}

std::vector<std::string> Gateway::undescribed_services() const {
  std::vector<std::string> names;
  for (auto const& upstream : current()->upstreams) {
    if (upstream->service.instances.empty() && !upstream->local.is_run_here)
      names.push_back(upstream->service.name);
  }
  return names;
}

// ---- a request ----

bool Gateway::is_own(std::string_view target) const {
  auto path = target.substr(0, std::min(target.find('?'), target.size()));
  path = without_api_prefix(path).value_or(path);
  return std::ranges::any_of(own_paths_, [&](std::string_view pattern) { return is_of(pattern, path); });
}

std::optional<http::RouteLimits> Gateway::limits(Method method, std::string_view target) const {
  if (is_own(target))
    return ties_.own.limits(method, target);
  auto const snapshot = current();
  auto const match = snapshot->table.find(method, target);
  if (!match)
    return std::nullopt;
  auto const& route = *match->route;
  http::RouteLimits limits{
      .body_max = route.body_max, .time_max = route.timeout, .ends_with_client = false, .error_format = http::problem};
  auto const& upstream = *snapshot->of_route[static_cast<std::size_t>(&route - snapshot->table.routes().data())];
  auto const known = upstream.is_ours() ? upstream.local.dispatcher->limits(method, match->target) : std::nullopt;
  if (!known)
    return limits;
  limits.body_max = std::min(limits.body_max, known->body_max);
  limits.ends_with_client = known->ends_with_client;
  limits.error_format = known->error_format;
  // The service knows best how long its own work takes.
  if (upstream.is_local() && known->time_max.count() > 0)
    limits.time_max = known->time_max;
  return limits;
}

Task<Response> Gateway::dispatch(http::Context context, http::Request request) {
  identify(context, request.headers, ids_);
  if (context.address.empty())
    context.address = request.peer;
  Visit visit{.context = std::move(context), .request = std::move(request)};
  visit.origin = visit.request.headers.find("Origin").value_or("");
  visit.host = visit.request.headers.find("Host").value_or("");
  visit.takes_gzip = visit.request.method == Method::get && http::accepts_gzip(visit.request.headers);
  visit.has_cookie = visit.request.headers.find("Cookie").has_value();
  Response response;
  std::exception_ptr thrown;
  try {
    response = co_await answer(visit);
  } catch (...) {
    thrown = std::current_exception();
  }
  if (thrown) {
    if (http::is_cancellation(thrown))
      std::rethrow_exception(thrown);
    response =
        http::problem(http::describe_fault(thrown, visit.context.request_id, visit.target), visit.context.request_id);
  }
  finish(visit, response);
  co_return response;
}

Response Gateway::problem(Visit const& visit, Error const& error, int status) const {
  auto format = http::problem;
  if (visit.upstream && visit.upstream->is_ours()) {
    if (auto const known = visit.upstream->local.dispatcher->limits(visit.request.method, visit.target))
      format = known->error_format;
  }
  return format(error, visit.context.request_id, status);
}

Task<Response> Gateway::answer(Visit& visit) {
  drop_identity(visit.request.headers);
  if (is_preflight(visit.request))
    co_return preflight(visit);
  if (visit.request.target == "*" || is_own(visit.request.target))
    co_return co_await answer_own(visit);
  visit.snapshot = current();
  auto match = visit.snapshot->table.find(visit.request.method, visit.request.target);
  if (!match) {
    auto response = problem(visit, match.error());
    if (match.error().code == Code::method_not_allowed)
      response.headers.set("Allow", visit.snapshot->table.allowed(visit.request.target));
    co_return response;
  }
  visit.route = match->route;
  visit.target = std::move(match->target);
  auto const position = visit.route - visit.snapshot->table.routes().data();
  visit.upstream = visit.snapshot->of_route[static_cast<std::size_t>(position)];
  if (match->has_escaped_slash && !visit.upstream->is_ours())
    co_return problem(visit, {Code::bad_request,
                              "The path has a slash or backslash within a segment, which this service could misread."});
  if (auto refusal = co_await refuse(visit))
    co_return std::move(*refusal);
  bool const may_be_kept = visit.route->cache_ttl.count() > 0 && visit.request.method == Method::get &&
                           visit.is_caller_known && !visit.request.headers.find("Range") &&
                           !asks_for_websocket(visit.request);
  co_return co_await (may_be_kept ? answer_kept(visit) : pass(visit));
}

Task<Response> Gateway::answer_own(Visit& visit) {
  visit.is_own = true;
  return ties_.own.dispatch(visit.context, std::move(visit.request));
}

// What the gateway does not let through, or nothing.
Task<std::optional<Response>> Gateway::refuse(Visit& visit) {
  auto const& route = *visit.route;
  bool const is_asking = visit.request.method != Method::options;  // what there is, which is no secret
  if (is_asking && route.auth == Access::required && !has_credential(visit.request.headers)) {
    visit.upstream->figures->count_answer(0);
    co_return problem(visit, {.code = Code::unauthenticated,
                              .message = "This needs a token: send the header Authorization: Bearer <token>."});
  }
  if (route.rate_limit > 0 || route.cache_ttl.count() > 0)
    co_await find_caller(visit);
  if (route.rate_limit == 0)
    co_return std::nullopt;
  security::CallerLimit const limit{.kind = route.path, .calls = route.rate_limit, .window = rate_window};
  auto const caller = security::caller_name(visit.caller, visit.context.address);
  visit.quota = co_await ties_.limits.count(limit, caller, visit.context.deadline);
  if (visit.quota->is_allowed)
    co_return std::nullopt;
  visit.upstream->figures->limited.fetch_add(1, std::memory_order_relaxed);
  visit.upstream->figures->count_answer(0);
  auto const wait = visit.quota->reset;
  co_return problem(
      visit, {.code = Code::too_many_requests,
              .message = "Here " + std::to_string(route.rate_limit) + " calls a minute are allowed; try again in " +
                         std::to_string(wait.count()) + " seconds.",
              .retry_after = wait});
}

// A credential that is not known counts for the address that it comes from; the service refuses it in its own words.
Task<void> Gateway::find_caller(Visit& visit) {
  if (!visit.context.principal.id.empty()) {
    visit.caller = visit.context.principal;
    co_return;
  }
  if (!has_credential(visit.request.headers))
    co_return;
  auto found = co_await ties_.authenticator.authenticate(visit.request, visit.context.deadline);
  visit.is_caller_known = found.has_value();
  if (found)
    visit.caller = std::move(*found);
}

Task<Response> Gateway::answer_kept(Visit& visit) {
  auto key = AnswerCache::key(visit.caller, visit.target, visit.request.headers.find("Accept").value_or(""));
  auto const& figures = visit.upstream->figures;
  bool const is_fresh_wanted = has_directive(visit.request.headers, "no-cache");
  auto const kept = is_fresh_wanted ? nullptr : kept_.find(key, ties_.clock.steady());
  if (kept) {
    figures->cache_hits.fetch_add(1, std::memory_order_relaxed);
    figures->count_answer(200);
    Response response{.status = 200, .headers = kept->headers, .body = kept->body};
    auto const age = std::chrono::floor<std::chrono::seconds>(ties_.clock.steady() - kept->since);
    response.headers.set("Age", std::to_string(age.count()));
    response.headers.set("X-Cache", "HIT");
    co_return response;
  }
  // Another's answer to a condition, or the id of another's request, is none of the next caller's business.
  visit.request.headers.erase("If-None-Match");
  visit.request.headers.erase("If-Modified-Since");
  bool const is_ours = visit.upstream->is_ours();
  auto response = co_await pass(visit);
  figures->cache_misses.fetch_add(1, std::memory_order_relaxed);
  bool const is_refused =
      has_directive(response.headers, "private") || (!is_ours && has_directive(response.headers, "no-store"));
  if (AnswerCache::is_fit(response) && !is_refused) {
    auto stored = response;
    stored.headers.erase("X-Request-Id");
    stored.headers.erase("traceparent");
    auto const now = ties_.clock.steady();
    kept_.keep(std::move(key), stored, now, now + visit.route->cache_ttl);
  }
  response.headers.set("X-Cache", "MISS");
  co_return response;
}

Task<Response> Gateway::pass(Visit& visit) {
  if (!visit.upstream->is_local())
    co_return co_await pass_on(visit);
  auto context = visit.context;
  // Where a route is open the service decides by itself whether it wants to know who calls.
  if (visit.route->auth == Access::required && !visit.caller.id.empty())
    context.principal = visit.caller;
  visit.request.target = visit.target;
  auto response = co_await visit.upstream->local.dispatcher->dispatch(std::move(context), std::move(visit.request));
  visit.upstream->figures->count_answer(response.status);
  co_return response;
}

Task<Response> Gateway::pass_on(Visit& visit) {
  auto& request = visit.request;
  bool const is_upgrade = asks_for_websocket(request);
  if (is_upgrade && !visit.origin.empty()) {
    // The service sees another Host than the page does, so it could not tell.
    if (!options_.origins.allows(visit.origin, visit.host))
      co_return problem(visit, {Code::forbidden, "Pages of this origin may not connect here."});
    request.headers.erase("Origin");
  }
  std::string const protocol(request.headers.find("Upgrade").value_or(""));
  make_forwarded(request.headers, visit.context, request.peer, options_.scheme);
  if (is_upgrade)
    request.headers.add("Upgrade", protocol);
  Outgoing outgoing{.method = request.method,
                    .target = visit.target,
                    .headers = std::move(request.headers),
                    .body = std::move(request.body),
                    .route = visit.route,
                    .deadline = {std::min(visit.context.deadline.at, Deadline::after(visit.route->timeout).at)},
                    .is_upgrade = is_upgrade};
  Means const means{ties_.clients, ties_.clock, ties_.random};
  auto response = co_await forward(visit.upstream, std::move(outgoing), means);
  if (response)
    co_return std::move(*response);
  visit.upstream->figures->count_answer(0);
  auto const& error = response.error();
  co_return problem(visit, error, error.where == bad_answer ? bad_gateway : 0);
}

// ---- what is added to answers ----

Response Gateway::preflight(Visit const& visit) const {
  if (!options_.origins.allows(visit.origin, visit.host))
    return http::problem({Code::forbidden, "Pages of this origin may not use this server."}, visit.context.request_id);
  Response response{.status = 204};
  response.headers.add("Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
  if (auto const wanted = visit.request.headers.find("Access-Control-Request-Headers"))
    response.headers.add("Access-Control-Allow-Headers", *wanted);
  response.headers.add("Access-Control-Max-Age", "600");
  add_vary(response.headers, "Access-Control-Request-Headers");
  return response;
}

// Never `*`: with it any page could read what needs no credential within this network.
void Gateway::allow_origin(Visit const& visit, Response& response) const {
  add_vary(response.headers, "Origin");
  if (visit.origin.empty() || !options_.origins.allows(visit.origin, visit.host))
    return;
  response.headers.set("Access-Control-Allow-Origin", visit.origin);
  response.headers.set("Access-Control-Allow-Credentials", "true");
  response.headers.set("Access-Control-Expose-Headers",
                       "ETag, Location, Link, Retry-After, X-Request-Id, X-Cache, RateLimit-Limit, "
                       "RateLimit-Remaining, RateLimit-Reset");
}

void Gateway::finish(Visit const& visit, Response& response) const {
  add_identity(response, visit.context);
  if (visit.quota)
    add_quota(response, *visit.quota);
  if (response.status == 101)
    return;
  allow_origin(visit, response);
  auto* const text = std::get_if<std::string>(&response.body);
  bool const is_candidate = text && text->size() >= compressed_bytes_min && text->size() <= compressed_bytes_max &&
                            !response.headers.find("Content-Encoding") &&
                            is_compressible(response.headers.find("Content-Type").value_or(""));
  if (!is_candidate)
    return;
  add_vary(response.headers, "Accept-Encoding");
  // The length of a compressed answer tells of its content to who can have requests made with another's cookies and
  // text of his own in the answer (BREACH). Our services give secrets only in answers to POST; of others the word is
  // no-store, which ours say of everything.
  bool const is_ours = visit.is_own || (visit.upstream && visit.upstream->is_ours());
  bool const may_hold_secret = visit.has_cookie || response.headers.find("Set-Cookie") ||
                               (!is_ours && has_directive(response.headers, "no-store")) ||
                               has_directive(response.headers, "no-transform");
  if (!visit.takes_gzip || may_hold_secret)
    return;
  *text = gzip(*text);
  response.headers.set("Content-Encoding", "gzip");
}

// ---- upkeep ----

namespace {

constexpr std::chrono::seconds health_timeout{2};
/// One that fails once may only be slow; calls of its own tell the breaker sooner.
constexpr int failures_until_down = 2;

Task<bool> is_well(http::ClientPool& clients, std::string url) {
  auto& client = clients.here(co_await asio::this_coro::executor);
  auto const answer = co_await client.send(Method::get, std::move(url), {}, {}, Deadline::after(health_timeout));
  co_return answer && answer->status < 400;
}

}  // namespace

Task<void> Gateway::check_health(SteadyTime now) {
  auto const snapshot = current();
  std::vector<std::unique_ptr<Ward>> wards;
  for (auto const& upstream : snapshot->upstreams) {
    for (auto const& instance : upstream->service.instances) {
      auto const known = std::ranges::find_if(
          wards_, [&](auto const& ward) { return ward && ward->upstream == upstream && ward->instance == instance; });
      wards.push_back(known != wards_.end() ? std::move(*known) : std::make_unique<Ward>(upstream, instance));
    }
  }
  wards_ = std::move(wards);
  std::vector<Ward*> due;
  std::vector<Task<bool>> checks;
  for (auto const& ward : wards_) {
    if (ward->next > now || ward->upstream->local.is_run_here)
      continue;
    ward->next = now + ward->upstream->service.health.interval;
    due.push_back(ward.get());
    checks.push_back(is_well(ties_.clients, url_of(ward->instance) + ward->upstream->service.health.path));
  }
  auto const ends = co_await settle(std::move(checks));
  for (std::size_t i = 0; i < ends.size(); ++i) {
    auto& ward = *due[i];
    if (ends[i].fault && http::is_cancellation(ends[i].fault))
      std::rethrow_exception(ends[i].fault);
    ward.failures = !ends[i].fault && ends[i].value ? 0 : ward.failures + 1;
    if (ward.failures == 0 || ward.failures >= failures_until_down)
      ward.upstream->set_availability(ward.instance, ward.failures == 0 ? Availability::up : Availability::down,
                                      ties_.clock.steady());
    if (ward.failures == failures_until_down)
      log::warning("an instance is not well", {{"service", std::string_view(ward.upstream->service.name)},
                                               {"instance", std::string_view(url_of(ward.instance))}});
  }
}

Task<void> Gateway::run() {
  asio::steady_timer timer(co_await asio::this_coro::executor);
  for (;;) {
    if (file_.has_changed()) {
      auto const taken = reload();
      if (taken)
        log::info("the gateway's configuration was read anew");
      else
        log::error("the gateway's configuration is not taken; what was before stays",
                   {{"reason", std::string_view(taken.error().message)}});
    }
    co_await check_health(ties_.clock.steady());
    timer.expires_after(look_interval);
    co_await timer.async_wait(asio::use_awaitable);
  }
}

std::string Gateway::metrics() const { return metrics_text(current()->upstreams, ties_.clock.steady()); }

}  // namespace al::services::gateway
