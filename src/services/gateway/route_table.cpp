#include "services/gateway/route_table.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

#include "http/target.hpp"

namespace al::services::gateway {

using http::Method;

struct RouteTable::Node {
  std::vector<std::pair<std::string, std::unique_ptr<Node>>> fixed{};
  std::unique_ptr<Node> parameter{};
  std::array<Route const*, Methods().size()> routes{};  ///< by method, as they are configured
  bool has_route = false;

  [[nodiscard]] Route const* route_of(Method method) const {
    if (auto const* const route = routes[static_cast<std::size_t>(method)])
      return route;
    if (method == Method::head)
      return routes[static_cast<std::size_t>(Method::get)];
    if (method != Method::options)
      return nullptr;
    auto const any = std::ranges::find_if(routes, [](Route const* route) { return route != nullptr; });
    return any == routes.end() ? nullptr : *any;
  }
};

namespace {

/// Splits "/a/b" into "a" and "/b".
std::pair<std::string_view, std::string_view> take_segment(std::string_view path) {
  path.remove_prefix(1);
  auto const end = std::min(path.find('/'), path.size());
  return {path.substr(0, end), path.substr(end)};
}

/// The decoded path of a target, without /api/v1.
Result<std::string> read_path(std::string_view target) {
  auto read = http::read_target(target);
  if (!read)
    return fail(std::move(read).error());
  auto& path = read->path;
  if (path.contains("//"))
    return fail(Code::bad_request, "The path has an empty segment.");
  if (auto const rest = without_api_prefix(path))
    path.erase(0, path.size() - rest->size());
  return std::move(path);
}

std::string escaped(std::string_view path) {
  std::string out;
  while (!path.empty()) {
    auto const [segment, rest] = take_segment(path);
    out.append("/").append(http::percent_encode(http::segment_value(segment)));
    path = rest;
  }
  return out;
}

std::string allowed_of(auto const& node) {
  std::string out;
  for (std::size_t i = 0; i < Methods().size(); ++i) {
    auto const method = static_cast<Method>(i);
    if (node.route_of(method))
      out.append(out.empty() ? "" : ", ").append(http::method_name(method));
  }
  return out;
}

}  // namespace

RouteTable::RouteTable(std::vector<Route> routes) : routes_(std::move(routes)), root_(std::make_unique<Node>()) {
  for (std::size_t i = 0; i < routes_.size(); ++i)
    add(i);
}

RouteTable::~RouteTable() = default;

void RouteTable::add(std::size_t index) {
  auto const& route = routes_[index];
  assert(route.path.starts_with('/') && route.path.size() > 1 && !without_api_prefix(route.path));
  Node* node = root_.get();
  for (std::string_view rest = route.path; !rest.empty();) {
    auto const [segment, after] = take_segment(rest);
    rest = after;
    auto* next = &node->parameter;
    if (!segment.starts_with('{')) {
      auto found =
          std::ranges::find(node->fixed, segment, [](auto const& child) { return std::string_view(child.first); });
      if (found == node->fixed.end())
        found = node->fixed.insert(found, {std::string(segment), nullptr});
      next = &found->second;
    }
    if (!*next)
      *next = std::make_unique<Node>();
    node = next->get();
  }
  node->has_route = true;
  for (std::size_t i = 0; i < node->routes.size(); ++i) {
    if (!route.methods.test(i))
      continue;
    assert(!node->routes[i] && "two routes of one path and method");
    node->routes[i] = &route;
  }
}

/// Both branches of each level are looked at, so at most two to the power of GatewayConfig::segments_max nodes.
void RouteTable::walk(Node const& node, std::string_view rest, std::size_t depth, Found& found) {
  if (node.has_route && depth > found.depth)
    found = {&node, depth};
  if (rest.empty())
    return;
  auto const [segment, after] = take_segment(rest);
  for (auto const& [name, child] : node.fixed) {
    if (name == segment)
      walk(*child, after, depth + 1, found);
  }
  if (node.parameter && !segment.empty())
    walk(*node.parameter, after, depth + 1, found);
}

Result<RouteTable::Node const*> RouteTable::node_at(std::string_view target, std::string& path) const {
  auto read = read_path(target);
  if (!read)
    return fail(std::move(read).error());
  path = std::move(*read);
  Found found;
  walk(*root_, path, 0, found);
  if (!found.node)
    return fail(Code::not_found,
                "There is nothing at '" + http::segment_value(http::read_target(target).value().path) + "'.");
  return found.node;
}

Result<RouteTable::Match> RouteTable::find(Method method, std::string_view target) const {
  std::string path;
  auto const node = node_at(target, path);
  if (!node)
    return fail(node.error());
  auto const* const route = (*node)->route_of(method);
  if (!route)
    return fail(Code::method_not_allowed, "Here only these methods are served: " + allowed_of(**node) + ".");
  std::string forwarded(route->is_bare ? "" : api_prefix);
  forwarded += escaped(path);
  forwarded += target.substr(std::min(target.find('?'), target.size()));
  bool const has_escaped_slash = path.contains(http::escaped_slash) || path.contains(http::escaped_backslash);
  return Match{.route = route, .target = std::move(forwarded), .has_escaped_slash = has_escaped_slash};
}

std::string RouteTable::allowed(std::string_view target) const {
  std::string path;
  auto const node = node_at(target, path);
  return node ? allowed_of(**node) : std::string();
}

}  // namespace al::services::gateway
