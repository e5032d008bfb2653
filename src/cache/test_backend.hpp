#pragma once
/// What the suites of this folder run on: everything in the process, or everything in Redis.

#include <gtest/gtest.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <ostream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "cache/keys.hpp"
#include "cache/limits.hpp"
#include "cache/local_store.hpp"
#include "cache/locks.hpp"
#include "cache/presence.hpp"
#include "cache/redis_store.hpp"
#include "testing/manual_clock.hpp"
#include "testing/redis_server.hpp"
#include "testing/seeded_random.hpp"

namespace al::cache {

using namespace std::chrono_literals;

/// How long a test waits for what should come soon, before it fails.
constexpr auto patience = 20s;

inline Deadline soon() { return Deadline::after(patience); }

/// Two I/O threads, as the program has them.
class Threads {
 public:
  Threads() : lanes_(2) {}
  ~Threads() { stop(); }
  Threads(Threads const&) = delete;
  Threads& operator=(Threads const&) = delete;

  [[nodiscard]] std::vector<asio::io_context*> contexts() { return {&lanes_[0].context, &lanes_[1].context}; }
  [[nodiscard]] asio::io_context& at(std::size_t lane) { return lanes_.at(lane).context; }
  template <class T>
  [[nodiscard]] std::future<T> start(Task<T> task, std::size_t lane = 0) {
    return asio::co_spawn(at(lane), std::move(task), asio::use_future);
  }
  template <class T>
  T run(Task<T> task, std::size_t lane = 0) {
    return start(std::move(task), lane).get();
  }
  /// When it returns, what was started before has come to its first wait.
  void settle() {
    for (std::size_t lane = 0; lane < lanes_.size(); ++lane)
      run([]() -> Task<void> { co_return; }(), lane);
  }
  void stop() {
    for (auto& lane : lanes_)
      lane.context.stop();
    for (auto& lane : lanes_) {
      if (lane.thread.joinable())
        lane.thread.join();
    }
  }
  /// After stop(): what was cut short meanwhile comes to its end, on this thread.
  void drain() {
    for (auto& lane : lanes_) {
      lane.context.restart();
      lane.context.poll();
    }
  }

 private:
  struct Lane {
    asio::io_context context{1};
    asio::executor_work_guard<asio::io_context::executor_type> work = asio::make_work_guard(context);
    std::thread thread{[this] { context.run(); }};
  };
  std::deque<Lane> lanes_;
};

/// One process of the platform. Its parts use a manual clock; Redis uses its own.
class TestBackend {
 public:
  virtual ~TestBackend() = default;
  [[nodiscard]] virtual Store& store() = 0;
  [[nodiscard]] virtual Locks& locks() = 0;
  [[nodiscard]] virtual Limits& limits() = 0;
  [[nodiscard]] virtual Presence& presence() = 0;
  /// The time to live of what has this key is over; it was `ttl`, of which all passes at once where a clock is at hand.
  virtual void expire(std::string const& key, std::chrono::milliseconds ttl) = 0;

  Threads threads;
  ManualClock clock;
  SeededRandom random{next_seed()};

 private:
  /// No two processes draw the same.
  static std::uint64_t next_seed() {
    static std::uint64_t seed = 0;
    return ++seed;
  }
};

class LocalBackend final : public TestBackend {
 public:
  explicit LocalBackend(LocalStoreOptions options = {}) : store_(clock, random, options) {}
  [[nodiscard]] Store& store() override { return store_; }
  [[nodiscard]] Locks& locks() override { return locks_; }
  [[nodiscard]] Limits& limits() override { return limits_; }
  [[nodiscard]] Presence& presence() override { return presence_; }
  void expire(std::string const&, std::chrono::milliseconds ttl) override { clock.advance(ttl); }
  [[nodiscard]] LocalStore& local_store() { return store_; }

 private:
  LocalStore store_;
  LocalLocks locks_{clock, random};
  LocalLimits limits_{clock};
  LocalPresence presence_{clock};
};

class RedisBackend final : public TestBackend {
 public:
  /// Machines are busy, and most tests are not about Redis being slow.
  explicit RedisBackend(RedisServer const& server, CallOptions options = {.timeout = 5s, .rest = 50ms})
      : connections_(options_of(server), random),
        store_(connections_, clock, random, options),
        locks_(connections_, random),
        limits_(connections_, clock, options),
        presence_(connections_, options) {
    connections_.open(threads.contexts());
  }
  ~RedisBackend() override {
    store_.close();
    threads.stop();
    connections_.close();
    threads.drain();
  }
  [[nodiscard]] Store& store() override { return store_; }
  [[nodiscard]] Locks& locks() override { return locks_; }
  [[nodiscard]] Limits& limits() override { return limits_; }
  [[nodiscard]] Presence& presence() override { return presence_; }
  void expire(std::string const& key, std::chrono::milliseconds) override { command({"PEXPIRE", key, "0"}); }

  [[nodiscard]] RedisStore& redis_store() { return store_; }
  [[nodiscard]] redis::Connections& connections() { return connections_; }

  /// Also when Redis has just been started, and the connection does not know it yet.
  redis::Reply command(redis::Command const& command) {
    auto const until = std::chrono::steady_clock::now() + patience;
    for (;;) {
      auto reply = threads.run(call(command));
      if (reply)
        return std::move(*reply);
      if (reply.error().code != Code::unavailable || std::chrono::steady_clock::now() > until)
        throw std::runtime_error(reply.error().message + " " + reply.error().where);
    }
  }

 private:
  static redis::Options options_of(RedisServer const& server) {
    auto options = redis::parse_url(server.url());
    if (!options)
      throw std::runtime_error(options.error().message);
    return std::move(*options);
  }
  Task<Result<redis::Reply>> call(redis::Command command) {
    co_return co_await connections_.here(co_await asio::this_coro::executor).run(std::move(command), soon());
  }

  redis::Connections connections_;
  RedisStore store_;
  RedisLocks locks_;
  RedisLimits limits_;
  RedisPresence presence_;
};

struct BackendKind {
  char const* name;
  std::unique_ptr<TestBackend> (*make)();
};
inline void PrintTo(BackendKind const& kind, std::ostream* out) { *out << kind.name; }

inline std::vector<BackendKind> backend_kinds() {
  return {{"local", []() -> std::unique_ptr<TestBackend> { return std::make_unique<LocalBackend>(); }},
          {"redis", []() -> std::unique_ptr<TestBackend> {
             auto backend = std::make_unique<RedisBackend>(RedisServer::shared());
             backend->command({"FLUSHALL"});
             return backend;
           }}};
}

/// A suite that runs on both.
class BackendTest : public testing::TestWithParam<BackendKind> {
 protected:
  template <class T>
  T run(Task<T> task, std::size_t lane = 0) {
    return backend->threads.run(std::move(task), lane);
  }

  std::unique_ptr<TestBackend> backend = GetParam().make();
};

/// Tries until it is so, or fails. What is waited for happens on other threads or in Redis.
inline void eventually(std::function<bool()> const& is_so, std::string_view what) {
  auto const until = std::chrono::steady_clock::now() + patience;
  while (!is_so()) {
    if (std::chrono::steady_clock::now() > until) {
      ADD_FAILURE() << "in vain: " << what;
      return;
    }
    std::this_thread::yield();
  }
}

}  // namespace al::cache
