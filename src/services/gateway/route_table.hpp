#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "services/gateway/config.hpp"

namespace al::services::gateway {

/// Finds the route of a request. The route whose path reaches furthest wins, segment by segment, and among equals the
/// one whose first differing segment is a fixed one. It wins for every method: what it does not serve is refused, and
/// never falls through to a shorter route, which may be an open one. Read-only, so safe on any thread.
class RouteTable {
 public:
  /// Of a configuration: no two routes of one path and method (assert).
  explicit RouteTable(std::vector<Route> routes);
  ~RouteTable();
  RouteTable(RouteTable const&) = delete;
  RouteTable& operator=(RouteTable const&) = delete;

  struct Match {
    Route const* route;
    /// What to ask the service for: path and query. The path is written anew from what was matched, in the one form
    /// that the route has at its service, so that the two cannot read it differently; the query is the caller's.
    std::string target;
    /// A segment has a slash or backslash in it, which a service that is none of ours could take for the end of it.
    bool has_escaped_slash = false;
  };
  /// `target` in origin form, as it was sent; HEAD goes where GET goes, OPTIONS to any route of its path.
  /// Errors: bad_request, for what two readers could take for two paths: what http::read_target refuses, and empty
  /// segments but at the end; not_found; method_not_allowed.
  [[nodiscard]] Result<Match> find(http::Method, std::string_view target) const;

  /// For the Allow header of a 405: "GET, HEAD, OPTIONS". Empty when no route has this path.
  [[nodiscard]] std::string allowed(std::string_view target) const;

  [[nodiscard]] std::vector<Route> const& routes() const { return routes_; }

 private:
  struct Node;
  struct Found {
    Node const* node = nullptr;
    std::size_t depth = 0;
  };
  void add(std::size_t index);
  static void walk(Node const&, std::string_view rest, std::size_t depth, Found&);
  [[nodiscard]] Result<Node const*> node_at(std::string_view target, std::string& path) const;

  std::vector<Route> routes_;
  std::unique_ptr<Node> root_;
};

}  // namespace al::services::gateway
