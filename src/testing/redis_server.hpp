#pragma once
/// A Redis server of the test's own, in a temporary directory, gone when the test's process is gone.

#include <cstdint>
#include <string>
#include <vector>

#include "testing/keeper.hpp"

namespace al {

/// Blocking; one thread at a time. Throws std::runtime_error, with the server's log, when Redis does not do as asked.
class RedisServer {
 public:
  struct Options {
    std::vector<std::string> lines{};  ///< of its configuration, as in redis.conf
    bool tls = false;                  ///< the port speaks TLS only; `lines` name the certificates
    bool sentinel = false;             ///< a Redis Sentinel; `lines` name what it watches
  };

  /// The server that a test program's cases share; started at the first call. Nobody stops or configures it.
  static RedisServer& shared();

  RedisServer() : RedisServer(Options{}) {}
  /// Started, and takes commands. It keeps nothing on disk: what it knew is lost with stop() and kill().
  explicit RedisServer(Options options);
  RedisServer(RedisServer const&) = delete;
  RedisServer& operator=(RedisServer const&) = delete;
  ~RedisServer() = default;

  /// redis://127.0.0.1:PORT/DATABASE, or rediss:// with TLS.
  [[nodiscard]] std::string url(int database = 0) const;
  [[nodiscard]] std::uint16_t port() const { return port_; }

  void stop();    ///< orderly
  void kill();    ///< as by kill -9
  void start();   ///< on the same port
  void pause();   ///< SIGSTOP: its connections stay and nobody answers
  void resume();  ///< SIGCONT

 private:
  void configure(Options const& options);

  std::uint16_t port_ = 0;
  bool tls_ = false;
  Keeper keeper_;
};

}  // namespace al
