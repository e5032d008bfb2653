#pragma once
/// A PgBouncer of the test's own in transaction mode before the shared PostgreSQL, gone when the test's process is
/// gone.

#include <cstdint>
#include <string>
#include <string_view>

#include "testing/keeper.hpp"

namespace al {

/// Blocking; one thread at a time. Throws std::runtime_error, with its log, when it does not start.
class PgBouncerServer {
 public:
  /// The one that a test program's cases share; started at the first call, with PostgresServer::shared().
  static PgBouncerServer& shared();

  PgBouncerServer();

  /// Logs in as `agent_user`.
  [[nodiscard]] std::string url(std::string_view database) const;

 private:
  std::uint16_t port_;
  Keeper keeper_;
};

}  // namespace al
