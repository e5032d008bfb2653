#pragma once
/// Strict JSON. Boost.JSON parses; what it lets through (duplicate keys, 1e400, NUL) is refused here.

#include <boost/json/fwd.hpp>
#include <boost/json/value.hpp>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace al::json {

using boost::json::array;
using boost::json::object;
using boost::json::value;

inline constexpr std::size_t depth_max = 32;

/// Parses the whole of `text`. Errors: bad_request, with line, column (both from 1; columns count characters), reason
/// and remedy: duplicate key, depth over 32, a number that is not finite, NUL, invalid UTF-8, text after the end.
[[nodiscard]] Result<value> parse(std::string_view text);

/// Writes a value on one line; numbers plainly (0.7, not 7E-1), non-ASCII as it is.
[[nodiscard]] std::string serialize(value const&);
void append(std::string& out, value const&);
/// Quoted and escaped; `text` must be valid UTF-8.
void append_string(std::string& out, std::string_view text);
/// The shortest text that reads back as the same double, without an exponent from 1e-7 up to 1e21; null when `number`
/// is not finite, for JSON has no word for it.
void append_number(std::string& out, double number);

/// A parsed value and the very text it was parsed from, so that opaque parts can be kept as written.
struct Input {
  value const* parsed = nullptr;
  std::string_view raw;
  [[nodiscard]] bool is_null() const { return parsed == nullptr || parsed->is_null(); }
};

/// A document that owns both halves of its root Input. Movable; `root()` stays valid while it lives.
class Source {
 public:
  /// Errors: as parse().
  [[nodiscard]] static Result<Source> from(std::string text);
  [[nodiscard]] Input root() const;

 private:
  Source(std::string text, value parsed);
  std::string text_;
  value parsed_;
};

struct Member {
  std::string_view key;
  Input value;
};

/// The member `key` of an object, or a null Input when there is none or `in` is no object. Here and below `in.raw` must
/// be the valid text of `in.parsed`, or empty: then the parts have no text either.
[[nodiscard]] Input member(Input in, std::string_view key);
/// The members of an object, in order; none when `in` is no object. One pass: cheaper than member() for each key.
[[nodiscard]] std::vector<Member> members(Input in);
/// The elements of an array, in order; none when `in` is no array.
[[nodiscard]] std::vector<Input> elements(Input in);

}  // namespace al::json
