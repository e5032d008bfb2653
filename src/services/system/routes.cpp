#include <mutex>

#include "core/fault.hpp"
#include "core/log.hpp"
#include "services/system/system.hpp"

namespace al::services::system {

struct PoolHealth {
  std::int64_t size = 0;
  std::int64_t in_use = 0;
  std::int64_t size_max = 0;
  std::int64_t waiting = 0;
};
BOOST_DESCRIBE_STRUCT(PoolHealth, (), (size, in_use, size_max, waiting))

constexpr auto describe(std::type_identity<PoolHealth>) {
  using namespace entity;
  using P = PoolHealth;
  return about("PoolHealth", "", "Connections to the database.", field<&P::size>("That are open."),
               field<&P::in_use>("That are in use."), field<&P::size_max>("That there may be."),
               field<&P::waiting>("Callers that wait for one."));
}

struct Health {
  std::string service;
  std::string status;
  std::string version = AL_VERSION;
  std::string database;
  std::string cache;
  std::string bus;
  Timestamp timestamp{};
  PoolHealth pool;
};
BOOST_DESCRIBE_STRUCT(Health, (), (service, status, version, database, cache, bus, timestamp, pool))

constexpr auto describe(std::type_identity<Health>) {
  using namespace entity;
  using H = Health;
  return about("Health", "", "How the process is.", field<&H::service>("The role that was asked."),
               field<&H::status>("healthy, or degraded without its database."),
               field<&H::version>("The version that runs."), field<&H::database>("sqlite, postgresql or unreachable."),
               field<&H::cache>("redis, in-process or off."),
               field<&H::bus>("How changes of other processes are noticed: in-process, redis or polling."),
               field<&H::timestamp>("Its clock, UTC."), field<&H::pool>("Its connections to the database."));
}

struct Readiness {
  std::string status = "ready";
};
BOOST_DESCRIBE_STRUCT(Readiness, (), (status))

constexpr auto describe(std::type_identity<Readiness>) {
  return entity::about("Readiness", "", "The process takes requests.", entity::field<&Readiness::status>("ready."));
}

namespace {

using http::Call;
using http::Method;
using http::Response;

/// A database that takes longer than this is as good as gone for whoever looks.
constexpr std::chrono::seconds ping_timeout{2};

/// What the handlers share; lives as long as the router.
struct State {
  Process& process;
  Clock const& clock;
  std::string service;
  http::Router const& router;
  SteadyTime started;
  std::once_flag once{};
  std::string openapi{};
};

Task<bool> database_answers(State& state) {
  try {
    co_await state.process.ping_database(Deadline::after(ping_timeout));
    co_return true;
  } catch (Fault const& fault) {
    log::warning("the database does not answer", {{"error", std::string_view(fault.what())}});
  }
  co_return false;
}

PoolHealth pool_of(Figures const& figures) {
  return {.size = figures.pool_size,
          .in_use = figures.pool_in_use,
          .size_max = figures.pool_size_max,
          .waiting = figures.pool_waiting};
}

/// 200 as long as the process answers: restarting it would not bring a database back.
Task<Result<Response>> health(std::shared_ptr<State> state, Call&) {
  bool const answers = co_await database_answers(*state);
  Health const out{.service = state->service,
                   .status = answers ? "healthy" : "degraded",
                   .database = std::string(answers ? state->process.database_kind() : "unreachable"),
                   .cache = std::string(state->process.cache_kind()),
                   .bus = std::string(state->process.bus_kind()),
                   .timestamp = state->clock.now(),
                   .pool = pool_of(state->process.figures())};
  co_return http::json_response(200, entity::to_json(out));
}

Task<Result<Response>> ready(std::shared_ptr<State> state, Call&) {
  constexpr std::chrono::seconds soon{1};
  if (!state->process.is_ready()) {
    co_return fail({.code = Code::unavailable, .message = "The start is not finished yet.", .retry_after = soon});
  }
  if (!co_await database_answers(*state)) {
    co_return fail({.code = Code::unavailable, .message = "The database does not answer.", .retry_after = soon});
  }
  co_return http::json_response(200, entity::to_json(Readiness{}));
}

Task<Result<Response>> metrics(std::shared_ptr<State> state, Call&) {
  Response response;
  response.headers.set("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
  response.headers.set("Cache-Control", "no-store");
  response.body = metrics_text(state->process, state->clock, state->started);
  co_return response;
}

Task<Result<Response>> openapi(std::shared_ptr<State> state, Call&) {
  std::call_once(state->once, [&] { state->openapi = state->router.openapi("Agent Lightning", AL_VERSION); });
  co_return http::json_response(200, state->openapi);
}

}  // namespace

void add_routes(http::Router& router, Process& process, Clock const& clock, std::string service) {
  auto const state = std::make_shared<State>(process, clock, std::move(service), router, clock.steady());
  auto const bind = [&](auto handler) { return [state, handler](Call& call) { return handler(state, call); }; };
  router.add({.method = Method::get,
              .path = "/health",
              .permission = "",
              .summary = "Whether the process lives, and how its parts are",
              .response = &entity::entity<Health>(),
              .of_process = true,
              .handler = bind(health)});
  router.add({.method = Method::get,
              .path = "/ready",
              .permission = "",
              .summary = "200 once the process can take requests",
              .response = &entity::entity<Readiness>(),
              .errors = {Code::unavailable},
              .of_process = true,
              .handler = bind(ready)});
  router.add({.method = Method::get,
              .path = "/metrics",
              .permission = "metrics:read",
              .of_installation = true,
              .summary = "Figures in the Prometheus text format",
              .of_process = true,
              .handler = bind(metrics)});
  router.add({.method = Method::get,
              .path = "/openapi.json",
              .permission = "",
              .summary = "This document: OpenAPI 3.1 of all routes",
              .of_process = true,
              .handler = bind(openapi)});
}

}  // namespace al::services::system
