#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.hpp"

namespace al::http {

/// Finds a route by its path, segment by segment; a fixed segment wins over a parameter. Read-only after the last
/// add(), and then safe on any thread.
class RouteTree {
 public:
  static constexpr std::size_t methods = 7;
  static constexpr std::size_t parameters_max = 8;

  struct Leaf {
    std::array<std::int32_t, methods> routes;  ///< by Method: index of the route, -1 for none
  };
  struct Match {
    Leaf const* leaf = nullptr;                             ///< null when no route has this path
    std::array<std::string_view, parameters_max> values{};  ///< into the path asked for
    std::size_t count = 0;
  };

  RouteTree();
  ~RouteTree();
  RouteTree(RouteTree const&) = delete;
  RouteTree& operator=(RouteTree const&) = delete;

  /// False when the place is taken already.
  [[nodiscard]] bool add(Method, std::string_view path, std::int32_t route);
  /// `path` is decoded and begins with '/'.
  [[nodiscard]] Match find(std::string_view path) const;

 private:
  struct Node;
  static bool walk(Node const&, std::string_view rest, Match&);
  std::unique_ptr<Node> root_;
};

/// The names in braces, in order: "/agents/{agent_id}" gives agent_id.
[[nodiscard]] std::vector<std::string_view> parameter_names(std::string_view path);

}  // namespace al::http
