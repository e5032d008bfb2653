#pragma once
/// For tests of this folder: one I/O context that the test runs, waits with a bound, and a server that does what Redis
/// never would.

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/async.hpp"
#include "redis/connection.hpp"
#include "testing/odd_server.hpp"
#include "testing/redis_server.hpp"
#include "testing/seeded_random.hpp"

namespace al::redis {

using namespace std::chrono_literals;

/// How long a test waits for what should come soon, before it fails.
constexpr auto patience = 20s;

class RedisTest : public testing::Test {
 protected:
  /// Whatever a test leaves behind must come to its end by itself.
  void TearDown() override {
    io.restart();
    io.run_for(patience);
    EXPECT_TRUE(io.stopped()) << "something still waits after its owner is gone";
  }

  [[nodiscard]] static Options options_of(std::string const& url) {
    auto options = parse_url(url);
    if (!options)
      throw std::runtime_error(options.error().message);
    return *options;
  }
  [[nodiscard]] std::unique_ptr<Connection> connect(Options options, ConnectionLimits limits = {}) {
    return std::make_unique<Connection>(io.get_executor(), std::move(options), random, limits);
  }
  [[nodiscard]] std::unique_ptr<Connection> connect(RedisServer const& server) {
    return connect(options_of(server.url()));
  }

  /// Runs the context until the task is done; rethrows what it throws.
  template <class T>
  T run(Task<T> task) {
    io.restart();
    std::optional<T> value;
    std::exception_ptr thrown;
    asio::co_spawn(io, std::move(task), [&](std::exception_ptr error, T result) {
      thrown = error;
      value = std::move(result);
      io.stop();
    });
    io.run_for(patience * 2);
    if (!value)
      throw std::runtime_error("the task did not end");
    if (thrown)
      std::rethrow_exception(thrown);
    return std::move(*value);
  }
  Result<Reply> call(Connection& connection, Command command, std::chrono::milliseconds limit = patience) {
    return run(connection.run(std::move(command), Deadline::after(limit)));
  }

  /// Runs the context until `done` is true, or fails.
  void run_until(std::function<bool()> const& done, std::string_view what) {
    io.restart();
    auto const until = std::chrono::steady_clock::now() + patience;
    // An I/O context without work stops at once; the caller's condition may come true all the same.
    while (!done() && std::chrono::steady_clock::now() < until) {
      if (io.run_one_for(50ms) == 0)
        io.restart();
    }
    EXPECT_TRUE(done()) << what;
  }
  /// Calls until Redis answers again.
  void wait_until_back(Connection& connection) {
    bool is_back = false;
    auto const until = std::chrono::steady_clock::now() + patience;
    while (!is_back && std::chrono::steady_clock::now() < until) {
      is_back = call(connection, Command{"PING"}).has_value();
      if (!is_back) {
        io.restart();
        io.run_one_for(50ms);
      }
    }
    EXPECT_TRUE(is_back) << "Redis is back, and the connection is not";
  }

  static std::string text_of(Result<Reply> const& reply) {
    if (!reply)
      return "failed: " + reply.error().message;
    return reply->is_text() ? reply->text() : "no text";
  }
  static std::optional<Code> code_of(Result<Reply> const& reply) {
    return reply ? std::nullopt : std::optional(reply.error().code);
  }

  asio::io_context io{1};
  SeededRandom random;
};

/// Reads the greeting of a connection without password and database, and answers as Redis does.
inline void greet(int socket) {
  if (OddServer::read_until(socket, "PING\r\n").ends_with("PING\r\n"))
    OddServer::say(socket, "+OK\r\n+PONG\r\n");
}

}  // namespace al::redis
