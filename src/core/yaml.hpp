#pragma once
/// Files that people write in YAML: a tree that knows its lines, and a reader that finds every mistake in one go. For
/// lists and maps of things; the flat settings have a table of their own (config.hpp).

#include <boost/describe/enum_from_string.hpp>
#include <boost/describe/enumerators.hpp>
#include <boost/mp11/algorithm.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace al::yaml {

enum class Kind { null, scalar, list, map };

/// A value and all below it. Aliases are written out where they stand.
struct Node {
  Kind kind = Kind::null;
  std::size_t line = 0;          ///< from 1, 0 in an empty file; of the key, when the value stands in a map
  std::string key{};             ///< in its map
  std::string text{};            ///< of a scalar, without its quotes
  std::vector<Node> children{};  ///< of a list or map, in the file's order; a key may stand there twice
};

/// What is wrong with one file, each with its key and line. The first `listed_max` are told, the others counted.
class Faults {
 public:
  static constexpr std::size_t listed_max = 100;

  /// `file`: its name for the messages.
  explicit Faults(std::string_view file) : file_(file) {}

  /// `path` is the key, as services[0].url. A line of 0: none is known.
  void add(std::string path, std::size_t line, std::string_view what);
  /// "file gateway.yaml line 3"
  [[nodiscard]] std::string place(std::size_t line) const;
  [[nodiscard]] bool empty() const { return faults_.empty(); }
  /// `invalid`, with every fault both in its message and in its list.
  [[nodiscard]] Error error(std::string_view what) &&;

 private:
  std::string file_;
  std::vector<FieldFault> faults_;
  std::size_t unlisted_ = 0;
};

/// Limits: 1 MiB, 32 levels, 20,000 values (aliases count as what they stand for), one document.
/// Nothing, and a fault, when the text is not YAML or beyond a limit. Pure; any thread.
[[nodiscard]] std::optional<Node> parse(std::string_view text, Faults&);

/// A refused value for a message: short, on one line, without the password of a URL.
[[nodiscard]] std::string shown(std::string_view value);

/// "must be one of a, b, not "c"", and the one that was most likely meant.
[[nodiscard]] std::string not_one_of(std::span<std::string const> words, std::string_view given);

/// Reads one map: each key that may stand there is asked for, in any order, and finish() reports the others. A key that
/// is missing or null gives the fallback; one with a wrong value does so too, after its fault. The node and the faults
/// outlive it.
class MapReader {
 public:
  /// A node that is no map is a fault, and reads as an empty one.
  MapReader(Node const&, std::string path, Faults&);

  /// Null when the key is missing or null.
  [[nodiscard]] Node const* find(std::string_view key);
  /// Plain UTF-8 (see utf8::is_plain) of 1 to `bytes_max` bytes.
  [[nodiscard]] std::string text(std::string_view key, std::string fallback = {}, std::size_t bytes_max = 1024);
  /// `unit` follows "a whole number", as " of seconds".
  [[nodiscard]] std::int64_t integer(std::string_view key, std::int64_t fallback, std::int64_t min, std::int64_t max,
                                     std::string_view unit = {});
  [[nodiscard]] std::chrono::seconds seconds(std::string_view key, std::chrono::seconds fallback,
                                             std::chrono::seconds min, std::chrono::seconds max);
  /// true or false, yes or no, on or off, in any case.
  [[nodiscard]] bool boolean(std::string_view key, bool fallback);
  /// One of the enumerators of a described enumeration.
  template <class E>
  [[nodiscard]] E choice(std::string_view key, E fallback) {
    std::vector<std::string> names;
    boost::mp11::mp_for_each<boost::describe::describe_enumerators<E>>([&](auto e) { names.emplace_back(e.name); });
    auto const name = one_of(key, names);
    boost::describe::enum_from_string(name.c_str(), fallback);
    return fallback;
  }
  /// The elements of a list; empty when the key is missing.
  [[nodiscard]] std::span<Node const> list(std::string_view key);

  /// The path of one of its keys: services[0].url
  [[nodiscard]] std::string path(std::string_view key) const;
  /// The line of the key, or of the map when it is missing.
  [[nodiscard]] std::size_t line(std::string_view key) const;
  void fault(std::string_view key, std::string_view what) { faults_.add(path(key), line(key), what); }

  /// Reports the keys that nobody asked for, each with the known one that is nearest. Call last.
  void finish();

 private:
  [[nodiscard]] Node const* at(std::string_view key) const;
  [[nodiscard]] std::optional<std::string_view> scalar(std::string_view key, std::string_view allowed);
  [[nodiscard]] std::string one_of(std::string_view key, std::span<std::string const> names);

  Node const& node_;
  std::string path_;
  Faults& faults_;
  std::vector<std::string> known_;
};

}  // namespace al::yaml
