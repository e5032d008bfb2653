#include <mutex>

#include "core/fault.hpp"
#include "core/log.hpp"
#include "services/system/system.hpp"

namespace al::services::system {
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

std::string pool_text(Figures const& figures) {
  return "{\"size\":" + std::to_string(figures.pool_size) + ",\"in_use\":" + std::to_string(figures.pool_in_use) +
         ",\"size_max\":" + std::to_string(figures.pool_size_max) +
         ",\"waiting\":" + std::to_string(figures.pool_waiting) + "}";
}

/// 200 as long as the process answers: restarting it would not bring a database back.
Task<Result<Response>> health(std::shared_ptr<State> state, Call&) {
  bool const answers = co_await database_answers(*state);
  std::string body = "{\"service\":";
  json::append_string(body, state->service);
  body.append(",\"status\":\"").append(answers ? "healthy" : "degraded");
  body.append("\",\"version\":\"" AL_VERSION "\",\"database\":\"");
  body.append(answers ? state->process.database_kind() : "unreachable");
  body.append("\",\"cache\":\"").append(state->process.cache_kind());
  body.append("\",\"bus\":\"").append(state->process.bus_kind());
  body.append("\",\"timestamp\":\"").append(to_rfc3339(state->clock.now()));
  body.append("\",\"pool\":").append(pool_text(state->process.figures())).append("}");
  co_return http::json_response(200, std::move(body));
}

Task<Result<Response>> ready(std::shared_ptr<State> state, Call&) {
  constexpr std::chrono::seconds soon{1};
  if (!state->process.is_ready()) {
    co_return fail({.code = Code::unavailable, .message = "The start is not finished yet.", .retry_after = soon});
  }
  if (!co_await database_answers(*state)) {
    co_return fail({.code = Code::unavailable, .message = "The database does not answer.", .retry_after = soon});
  }
  co_return http::json_response(200, R"({"status":"ready"})");
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
              .of_process = true,
              .handler = bind(health)});
  router.add({.method = Method::get,
              .path = "/ready",
              .permission = "",
              .summary = "200 once the process can take requests",
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
