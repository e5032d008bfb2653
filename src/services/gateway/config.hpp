#pragma once
/// What the gateway sends where: services with their instances, and the routes to them.
///
/// Two forms of file are read, and may be mixed: services with their routes below them (the brief's), and services and
/// routes as two lists, where each instance is an entry with `type` (the prototype's). A file stands in for the
/// built-in configuration as a whole.

#include <bitset>
#include <boost/describe/enum.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "http/message.hpp"

namespace al::services::gateway {

/// Where one process of a service listens.
struct Instance {
  std::string host;  ///< a name or an address, IPv6 without its brackets
  std::uint16_t port = 0;
  bool is_tls = false;
  bool operator==(Instance const&) const = default;
};

/// "http://127.0.0.1:8002", without a slash at its end.
[[nodiscard]] std::string url_of(Instance const&);

/// "host:port", "http://host:port" or "https://host:port"; a port may be missing after a scheme only.
/// Errors: invalid; its message is a phrase that follows "must be".
[[nodiscard]] Result<Instance> read_instance(std::string_view);

enum class Balancing {
  round_robin,
  least_connections,  ///< to the instance with the fewest calls in flight
};
BOOST_DESCRIBE_ENUM(Balancing, round_robin, least_connections)

struct Timeouts {
  std::chrono::seconds connect{5};
  std::chrono::seconds answer{0};  ///< of one attempt, until its answer begins; 0: as long as the route's timeout
  std::chrono::seconds idle{60};   ///< between two pieces of an answer
  bool operator==(Timeouts const&) const = default;
};

/// When an instance is left alone. See breaker.hpp.
struct BreakerSettings {
  std::int64_t failures = 5;          ///< so many within the window open it
  std::chrono::seconds window{60};    ///< over which failures are counted
  std::chrono::seconds open_for{60};  ///< until one call tries again
  bool operator==(BreakerSettings const&) const = default;
};

/// How it is asked whether an instance is well.
struct HealthCheck {
  std::string path = "/ready";
  std::chrono::seconds interval{10};
  bool operator==(HealthCheck const&) const = default;
};

struct Service {
  std::string name;                   ///< "agent-designer"; a file may write agent_designer
  std::vector<Instance> instances{};  ///< empty: service discovery knows them
  Balancing balancing = Balancing::round_robin;
  Timeouts timeouts{};
  BreakerSettings breaker{};
  HealthCheck health{};
  bool operator==(Service const&) const = default;
};

/// By http::Method.
using Methods = std::bitset<7>;
[[nodiscard]] bool contains(Methods, http::Method);
[[nodiscard]] Methods methods_of(std::initializer_list<http::Method>);

enum class Access {
  required,  ///< a call without a credential is refused here already
  open,      ///< it is passed on, and the service decides
};
BOOST_DESCRIBE_ENUM(Access, required, open)

/// One path with all that is below it. What a caller asks for as /api/v1/agents and as /agents is the same route.
struct Route {
  std::string path;      ///< "/agents/{agent_id}/chat", never with /api/v1; {…} stands for one segment
  bool is_bare = false;  ///< the service knows it without /api/v1 in front: it was written so
  Methods methods = Methods().set();
  std::string service;
  std::chrono::seconds timeout{30};   ///< for all attempts together, until an answer begins
  std::int64_t retries = 2;           ///< attempts after the first
  bool honours_key = false;           ///< a POST that comes again with its Idempotency-Key is done once by the service
  std::chrono::seconds cache_ttl{0};  ///< of answers to GET; 0: none is kept
  std::int64_t rate_limit = 0;        ///< calls of one caller in a minute; 0: no limit
  Access auth = Access::required;
  std::size_t body_max = 1 << 20;
};

struct GatewayConfig {
  static constexpr std::size_t services_max = 64;
  static constexpr std::size_t instances_max = 64;  ///< of one service
  static constexpr std::size_t routes_max = 512;
  static constexpr std::size_t segments_max = 8;  ///< of one path

  std::vector<Service> services;     ///< no two of one name
  std::vector<Route> routes;         ///< of `services`; no two of one path and method
  std::vector<std::string> notes{};  ///< what of a file has no effect, for the log
};

/// The roles of this product, each at the instances that service discovery knows, with their routes.
[[nodiscard]] GatewayConfig default_config();

/// Reads the text of a file. `file` is its name, for messages. Pure.
/// A route may name a role of the built-in configuration that the file does not describe.
/// Errors: invalid, with every mistake: its file, line and key, what is wrong, and what was most likely meant.
[[nodiscard]] Result<GatewayConfig> read_config(std::string_view text, std::string_view file);

/// What stands before the paths of our services. Matched as a whole segment.
inline constexpr std::string_view api_prefix = "/api/v1";
/// "/agents" of "/api/v1/agents"; nothing when the path is a bare one.
[[nodiscard]] std::optional<std::string_view> without_api_prefix(std::string_view path);

}  // namespace al::services::gateway
