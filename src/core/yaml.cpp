#include "core/yaml.hpp"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <system_error>
#include <utility>

#include "core/log.hpp"
#include "core/nearest.hpp"
#include "core/strings.hpp"
#include "core/utf8.hpp"

namespace al::yaml {
namespace {

constexpr std::size_t text_bytes_max = 1 << 20;
constexpr std::size_t depth_max = 32;
constexpr std::size_t nodes_max = 20'000;

std::size_t line_of(const YAML::Mark& mark) { return mark.is_null() ? 0 : static_cast<std::size_t>(mark.line) + 1; }

/// Copies the library's graph into our tree. An alias shares its target there and may even hold itself, so depth and
/// size are counted on the way.
class Copier {
 public:
  explicit Copier(Faults& faults) : faults_(faults) {}

  /// False after a fault: the rest is left out.
  [[nodiscard]] bool copy(const YAML::Node& from, Node& to, std::size_t depth) {
    if (to.line == 0)
      to.line = line_of(from.Mark());
    if (++count_ > nodes_max)
      return refuse(to.line, "the file has more than " + std::to_string(nodes_max) + " values");
    if (depth > depth_max)
      return refuse(to.line, "the file nests deeper than " + std::to_string(depth_max) + " levels");
    if (from.IsScalar()) {
      to.kind = Kind::scalar;
      to.text = from.Scalar();
    } else if (from.IsSequence()) {
      to.kind = Kind::list;
      for (auto const& element : from) {
        if (!copy(element, to.children.emplace_back(Node{}), depth + 1))
          return false;
      }
    } else if (from.IsMap()) {
      to.kind = Kind::map;
      return std::ranges::all_of(from,
                                 [&](auto const& entry) { return copy_entry(entry.first, entry.second, to, depth); });
    }
    return true;
  }

 private:
  bool copy_entry(const YAML::Node& key, const YAML::Node& value, Node& to, std::size_t depth) {
    auto const line = line_of(key.Mark());
    if (!key.IsScalar() || !utf8::is_plain(key.Scalar()))
      return refuse(line, "a key must be a plain word");
    return copy(value, to.children.emplace_back(Node{.line = line, .key = key.Scalar()}), depth + 1);
  }

  bool refuse(std::size_t line, std::string const& what) {
    faults_.add({}, line, what);
    return false;
  }

  Faults& faults_;
  std::size_t count_ = 0;
};

bool has(auto const& words, std::string_view word) { return std::ranges::find(words, word) != std::end(words); }

std::string joined(std::span<std::string const> words) {
  std::string out;
  for (auto const& word : words)
    out.append(out.empty() ? "" : ", ").append(word);
  return out;
}

}  // namespace

// ---- faults ----

void Faults::add(std::string path, std::size_t line, std::string_view what) {
  if (faults_.size() == listed_max) {
    ++unlisted_;
    return;
  }
  faults_.push_back({std::move(path), std::string(what) + " (" + place(line) + ")"});
}

std::string Faults::place(std::size_t line) const {
  return "file " + file_ + (line == 0 ? "" : " line " + std::to_string(line));
}

Error Faults::error(std::string_view what) && {
  Error error{Code::invalid, std::string(what)};
  for (char const* separator = ": "; auto const& fault : faults_) {
    error.message += std::exchange(separator, "; ");
    error.message += fault.path.empty() ? fault.message : fault.path + ": " + fault.message;
  }
  if (unlisted_ > 0)
    error.message += "; and " + std::to_string(unlisted_) + " more";
  error.faults = std::move(faults_);
  return error;
}

// ---- text ----

std::optional<Node> parse(std::string_view text, Faults& faults) {
  if (text.size() > text_bytes_max) {
    faults.add({}, 0, "the file is longer than 1 MiB");
    return std::nullopt;
  }
  if (auto const valid = utf8::valid_prefix(text); valid < text.size()) {
    auto const breaks = std::ranges::count(text.substr(0, valid), '\n');
    faults.add({}, static_cast<std::size_t>(breaks) + 1, "the file is not UTF-8");
    return std::nullopt;
  }
  try {
    auto const documents = YAML::LoadAll(std::string(text));
    if (documents.size() > 1) {
      faults.add({}, 0, "the file holds more than one document");
      return std::nullopt;
    }
    Node root;
    if (!documents.empty() && !Copier(faults).copy(documents.front(), root, 0))
      return std::nullopt;
    return root;
  } catch (const YAML::Exception& error) {
    faults.add({}, line_of(error.mark), "not YAML: " + error.msg);
    return std::nullopt;
  }
}

std::string shown(std::string_view value) {
  constexpr std::size_t shown_bytes_max = 60;
  // Where a URL was forgotten to begin as one, a password in it is not found.
  if (!utf8::is_plain(value) || (value.contains('@') && !value.contains("://")))
    return "what was given";
  return '"' + utf8::shortened(log::mask_url(value), shown_bytes_max) + '"';
}

std::string not_one_of(std::span<std::string const> words, std::string_view given) {
  auto const near = nearest(given, words);
  return "must be one of " + joined(words) + ", not " + shown(given) +
         (near.empty() ? "" : "; did you mean " + std::string(near) + "?");
}

// ---- maps ----

MapReader::MapReader(Node const& node, std::string path, Faults& faults)
    : node_(node), path_(std::move(path)), faults_(faults) {
  if (node.kind != Kind::map) {
    if (node.kind != Kind::null)
      faults_.add(path_, node.line, "must be a map, as key: value");
    return;
  }
  std::map<std::string_view, std::size_t> lines;
  for (auto const& child : node.children) {
    auto const [first, is_new] = lines.emplace(child.key, child.line);
    if (!is_new)
      faults_.add(this->path(child.key), child.line, "given twice, first on line " + std::to_string(first->second));
  }
}

Node const* MapReader::at(std::string_view key) const {
  if (node_.kind != Kind::map)
    return nullptr;
  auto const found = std::ranges::find(node_.children, key, &Node::key);
  return found == node_.children.end() ? nullptr : &*found;
}

Node const* MapReader::find(std::string_view key) {
  if (!has(known_, key))
    known_.emplace_back(key);
  auto const* const child = at(key);
  return child && child->kind != Kind::null ? child : nullptr;
}

std::string MapReader::path(std::string_view key) const {
  return path_.empty() ? std::string(key) : path_ + "." + std::string(key);
}

std::size_t MapReader::line(std::string_view key) const {
  auto const* const child = at(key);
  return child ? child->line : node_.line;
}

/// The text under `key`; `allowed` is for the fault of a list or map.
std::optional<std::string_view> MapReader::scalar(std::string_view key, std::string_view allowed) {
  auto const* const child = find(key);
  if (!child)
    return std::nullopt;
  if (child->kind == Kind::scalar)
    return child->text;
  fault(key, "must be " + std::string(allowed) + ", not a list or map");
  return std::nullopt;
}

std::string MapReader::text(std::string_view key, std::string fallback, std::size_t bytes_max) {
  auto const allowed = "text of 1 to " + std::to_string(bytes_max) + " bytes without control characters";
  auto const value = scalar(key, allowed);
  if (!value)
    return fallback;
  if (!value->empty() && value->size() <= bytes_max && utf8::is_plain(*value))
    return std::string(*value);
  fault(key, "must be " + allowed);
  return fallback;
}

std::int64_t MapReader::integer(std::string_view key, std::int64_t fallback, std::int64_t min, std::int64_t max,
                                std::string_view unit) {
  auto const allowed =
      "a whole number" + std::string(unit) + " from " + std::to_string(min) + " to " + std::to_string(max);
  auto const value = scalar(key, allowed);
  if (!value)
    return fallback;
  std::int64_t out = 0;
  auto const [end, error] = std::from_chars(value->data(), value->data() + value->size(), out);
  if (error == std::errc{} && end == value->data() + value->size() && out >= min && out <= max)
    return out;
  fault(key, "must be " + allowed + ", not " + shown(*value));
  return fallback;
}

std::chrono::seconds MapReader::seconds(std::string_view key, std::chrono::seconds fallback, std::chrono::seconds min,
                                        std::chrono::seconds max) {
  return std::chrono::seconds{integer(key, fallback.count(), min.count(), max.count(), " of seconds")};
}

bool MapReader::boolean(std::string_view key, bool fallback) {
  constexpr std::string_view allowed = "true or false";
  constexpr std::array<std::string_view, 3> on{"true", "yes", "on"};
  constexpr std::array<std::string_view, 3> off{"false", "no", "off"};
  auto const value = scalar(key, allowed);
  if (!value)
    return fallback;
  auto const word = lower(*value);
  if (has(on, word))
    return true;
  if (!has(off, word)) {
    fault(key, "must be " + std::string(allowed) + ", not " + shown(*value));
    return fallback;
  }
  return false;
}

/// Empty when it is missing or none of them.
std::string MapReader::one_of(std::string_view key, std::span<std::string const> names) {
  auto const value = scalar(key, "one of " + joined(names));
  if (!value || has(names, *value))
    return std::string(value.value_or(""));
  fault(key, not_one_of(names, *value));
  return {};
}

std::span<Node const> MapReader::list(std::string_view key) {
  auto const* const child = find(key);
  if (!child)
    return {};
  if (child->kind == Kind::list)
    return child->children;
  fault(key, "must be a list");
  return {};
}

void MapReader::finish() {
  if (node_.kind != Kind::map)
    return;
  for (auto const& child : node_.children) {
    if (has(known_, child.key))
      continue;
    auto const near = nearest(child.key, known_);
    faults_.add(path(child.key), child.line,
                "there is no such key; " +
                    (near.empty() ? "there are: " + joined(known_) : "did you mean " + std::string(near) + "?"));
  }
}

}  // namespace al::yaml
