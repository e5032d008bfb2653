#pragma once
#include <atomic>
#include <chrono>
#include <string>
#include <vector>

#include "redis/connections.hpp"
#include "redis/script.hpp"

namespace al::cache {

struct CallOptions {
  /// For one call. Whoever asks a cache has another way to an answer, so it must not wait long.
  std::chrono::milliseconds timeout{100};
  /// After a call that ran out of its time nobody asks for so long: a Redis that hangs would cost each request the
  /// time-out, until the connection counts as lost.
  std::chrono::milliseconds rest{500};
};

/// Calls to Redis that are brief or not made at all. Any thread that has a connection.
class RedisCalls {
 public:
  explicit RedisCalls(redis::Connections& connections, CallOptions options = {})
      : connections_(connections), options_(options) {}

  /// Errors: as redis::Connection::run; unavailable as well during a rest.
  [[nodiscard]] Task<Result<redis::Reply>> run(redis::Script const& script, std::vector<std::string> keys,
                                               std::vector<std::string> arguments, Deadline deadline);
  [[nodiscard]] Task<Result<redis::Reply>> run(redis::Command command, Deadline deadline);

  [[nodiscard]] redis::Connection& here(asio::any_io_executor const& executor) { return connections_.here(executor); }
  [[nodiscard]] CallOptions const& options() const { return options_; }

 private:
  [[nodiscard]] std::optional<Error> refusal() const;
  void note(Result<redis::Reply> const& reply, SteadyTime own_limit, Deadline deadline);

  redis::Connections& connections_;
  CallOptions const options_;
  std::atomic<SteadyTime::rep> rest_until_{0};
};

}  // namespace al::cache
