#pragma once
/// A PostgreSQL 15 of the test's own, in a temporary directory, gone when the test's process is gone.

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "testing/keeper.hpp"

namespace al {

/// Blocking; one thread at a time. Throws std::runtime_error, with the server's log, when PostgreSQL does not do as
/// asked.
class PostgresServer {
 public:
  struct Options {
    /// True: fsync is on, as in production; false: a power cut may lose data, tests run faster.
    bool durable = false;
  };

  /// The server that a test program's cases share; started at the first call.
  static PostgresServer& shared();

  PostgresServer() : PostgresServer(Options{}) {}
  explicit PostgresServer(Options options);
  PostgresServer(PostgresServer const&) = delete;
  PostgresServer& operator=(PostgresServer const&) = delete;
  ~PostgresServer() = default;

  /// Logs in as `agent_user`: no superuser, bound by row-level security, owner of the databases made here.
  /// Through the unix socket.
  [[nodiscard]] std::string url(std::string_view database) const;
  /// The same through TCP on the loopback interface; `host` may be a name.
  [[nodiscard]] std::string tcp_url(std::string_view database, std::string_view host = "127.0.0.1") const;
  /// Logs in as the superuser `postgres`.
  [[nodiscard]] std::string superuser_url(std::string_view database) const;

  void create_database(std::string_view name);
  /// Runs SQL as the superuser; several statements are one transaction.
  void execute(std::string_view database, std::string_view sql);
  /// Runs SQL as `agent_user`.
  void execute_as_owner(std::string_view database, std::string_view sql);

  void stop();   ///< orderly: open sessions are told FATAL
  void crash();  ///< as by power loss; the next start recovers
  void start();

  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  [[nodiscard]] std::vector<std::string> keeper_arguments(bool durable) const;
  void run_sql(std::string const& url, std::string_view sql) const;

  std::filesystem::path programs_;
  std::uint16_t port_ = 0;
  Keeper keeper_;
};

}  // namespace al
