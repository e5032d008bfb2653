#include "cache/redis_calls.hpp"

#include <algorithm>
#include <utility>

namespace al::cache {

std::optional<Error> RedisCalls::refusal() const {
  if (std::chrono::steady_clock::now().time_since_epoch().count() >= rest_until_.load(std::memory_order_relaxed))
    return std::nullopt;
  return Error{.code = Code::unavailable, .message = "Redis did not answer in time a moment ago; it is not asked now."};
}

void RedisCalls::note(Result<redis::Reply> const& reply, SteadyTime own_limit, Deadline deadline) {
  // When the caller had less time than we allow, that says nothing about Redis.
  if (reply || reply.error().code != Code::timed_out || deadline.at < own_limit)
    return;
  auto const until = std::chrono::steady_clock::now() + options_.rest;
  rest_until_.store(until.time_since_epoch().count(), std::memory_order_relaxed);
}

Task<Result<redis::Reply>> RedisCalls::run(redis::Script const& script, std::vector<std::string> keys,
                                           std::vector<std::string> arguments, Deadline deadline) {
  if (auto refused = refusal())
    co_return fail(std::move(*refused));
  auto const limit = std::chrono::steady_clock::now() + options_.timeout;
  auto& connection = here(co_await asio::this_coro::executor);
  auto reply =
      co_await script.run(connection, std::move(keys), std::move(arguments), Deadline{std::min(limit, deadline.at)});
  note(reply, limit, deadline);
  co_return reply;
}

Task<Result<redis::Reply>> RedisCalls::run(redis::Command command, Deadline deadline) {
  if (auto refused = refusal())
    co_return fail(std::move(*refused));
  auto const limit = std::chrono::steady_clock::now() + options_.timeout;
  auto& connection = here(co_await asio::this_coro::executor);
  auto reply = co_await connection.run(std::move(command), Deadline{std::min(limit, deadline.at)});
  note(reply, limit, deadline);
  co_return reply;
}

}  // namespace al::cache
