#pragma once
/// A Redis server of the test's own, in a temporary directory, gone when the test's process is gone.

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

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
  ~RedisServer();
  RedisServer(RedisServer const&) = delete;
  RedisServer& operator=(RedisServer const&) = delete;

  /// redis://127.0.0.1:PORT/DATABASE, or rediss:// with TLS.
  [[nodiscard]] std::string url(int database = 0) const;
  [[nodiscard]] std::uint16_t port() const { return port_; }

  void stop();    ///< orderly
  void kill();    ///< as by kill -9
  void start();   ///< on the same port
  void pause();   ///< SIGSTOP: its connections stay and nobody answers
  void resume();  ///< SIGCONT

 private:
  void launch(bool sentinel);
  void configure(Options const& options);
  void command(std::string_view line);
  [[nodiscard]] std::string read_line() const;
  [[nodiscard]] std::string log_tail() const;

  std::filesystem::path directory_;
  std::uint16_t port_ = 0;
  bool tls_ = false;
  int keeper_ = -1;     ///< process id
  int to_keeper_ = -1;  ///< its standard input; closing it ends the server
  int from_keeper_ = -1;
};

}  // namespace al
