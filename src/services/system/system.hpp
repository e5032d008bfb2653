#pragma once
/// What every port answers about the process behind it: is it alive, is it ready, how is it doing, what can be asked.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "core/async.hpp"
#include "http/router.hpp"

namespace al::services::system {

/// Counts at one moment.
struct Figures {
  std::int64_t pool_size = 0;  ///< database connections open
  std::int64_t pool_in_use = 0;
  std::int64_t pool_size_max = 0;
  std::int64_t pool_waiting = 0;                     ///< callers that wait for one
  std::uint64_t requests = 0;                        ///< answered since the start, on all ports
  std::size_t connections = 0;                       ///< open, on all ports
  std::map<std::string, double> cache_hit_ratios{};  ///< of finds since the start, by cache
  std::map<std::string, std::uint64_t> published{};  ///< events announced since the start, by channel
  std::map<std::string, std::uint64_t> failed{};     ///< attempts to handle an event that failed, by consumer
  std::uint64_t cache_failures = 0;                  ///< calls that the second level of the cache did not answer
};

/// The running process as the composition knows it. Any thread.
class Process {
 public:
  virtual ~Process() = default;
  [[nodiscard]] virtual std::string_view database_kind() const = 0;  ///< "sqlite" or "postgresql"
  [[nodiscard]] virtual std::string_view cache_kind() const = 0;     ///< "redis", "in-process" or "off"
  /// How changes of other processes are noticed: "in-process" (there are none), "redis" or "polling".
  [[nodiscard]] virtual std::string_view bus_kind() const = 0;
  /// Migrated, with a token and the starter content.
  [[nodiscard]] virtual bool is_ready() const = 0;
  [[nodiscard]] virtual Figures figures() const = 0;
  /// Throws Unavailable when the database does not answer.
  [[nodiscard]] virtual Task<void> ping_database(Deadline) = 0;
  /// What roles count themselves, in the text format of /metrics.
  [[nodiscard]] virtual std::string role_metrics() const { return {}; }
};

/// /health, /ready, /metrics and /openapi.json, in the name of the role `service`. The document of /openapi.json is
/// made when it is first asked for, so routes may still be added after this. Process and clock outlive the router.
void add_routes(http::Router&, Process&, Clock const&, std::string service);

/// The Prometheus text format (version 0.0.4) of these figures and of what the kernel says of this process.
[[nodiscard]] std::string metrics_text(Process const&, Clock const&, SteadyTime started);

/// Bytes of memory that this process holds, as the kernel counts them; 0 when it does not say.
[[nodiscard]] std::uint64_t resident_bytes();

}  // namespace al::services::system
