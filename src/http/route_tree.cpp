#include "http/route_tree.hpp"

#include <cassert>
#include <utility>

namespace al::http {

struct RouteTree::Node {
  std::vector<std::pair<std::string, std::unique_ptr<Node>>> fixed;
  std::unique_ptr<Node> parameter;
  std::unique_ptr<Leaf> leaf;
};

namespace {

// Splits "/a/b" into "a" and "/b".
std::pair<std::string_view, std::string_view> take_segment(std::string_view path) {
  path.remove_prefix(1);
  auto const end = std::min(path.find('/'), path.size());
  return {path.substr(0, end), path.substr(end)};
}

bool is_parameter(std::string_view segment) { return segment.starts_with('{') && segment.ends_with('}'); }

}  // namespace

RouteTree::RouteTree() : root_(std::make_unique<Node>()) {}
RouteTree::~RouteTree() = default;

bool RouteTree::add(Method method, std::string_view path, std::int32_t route) {
  assert(path.starts_with('/') && parameter_names(path).size() <= parameters_max);
  Node* node = root_.get();
  while (!path.empty()) {
    auto const [segment, rest] = take_segment(path);
    path = rest;
    if (is_parameter(segment)) {
      if (!node->parameter)
        node->parameter = std::make_unique<Node>();
      node = node->parameter.get();
      continue;
    }
    auto found =
        std::ranges::find(node->fixed, segment, [](auto const& child) { return std::string_view(child.first); });
    if (found == node->fixed.end()) {
      node->fixed.emplace_back(std::string(segment), std::make_unique<Node>());
      found = std::prev(node->fixed.end());
    }
    node = found->second.get();
  }
  if (!node->leaf) {
    node->leaf = std::make_unique<Leaf>();
    node->leaf->routes.fill(-1);
  }
  auto& place = node->leaf->routes[static_cast<std::size_t>(method)];
  if (place >= 0)
    return false;
  place = route;
  return true;
}

// Depth is bounded by the longest route, because a segment that no node knows ends the walk.
bool RouteTree::walk(Node const& node, std::string_view rest, Match& match) {
  if (rest.empty()) {
    match.leaf = node.leaf.get();
    return match.leaf != nullptr;
  }
  auto const [segment, after] = take_segment(rest);
  for (auto const& [name, child] : node.fixed) {
    if (name == segment && walk(*child, after, match))
      return true;
  }
  if (!node.parameter || segment.empty())
    return false;
  match.values[match.count++] = segment;
  if (walk(*node.parameter, after, match))
    return true;
  --match.count;
  return false;
}

RouteTree::Match RouteTree::find(std::string_view path) const {
  Match match;
  if (!path.starts_with('/') || !walk(*root_, path, match))
    match.leaf = nullptr;
  return match;
}

std::vector<std::string_view> parameter_names(std::string_view path) {
  std::vector<std::string_view> names;
  while (!path.empty()) {
    auto const [segment, rest] = take_segment(path);
    if (is_parameter(segment))
      names.push_back(segment.substr(1, segment.size() - 2));
    path = rest;
  }
  return names;
}

}  // namespace al::http
