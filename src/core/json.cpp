#include "core/json.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <boost/container/small_vector.hpp>
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/value_stack.hpp>
#include <cassert>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <deque>
#include <functional>
#include <optional>
#include <span>
#include <tuple>
#include <utility>

#include "core/strings.hpp"
#include "core/utf8.hpp"

namespace al::json {

namespace {

using boost::json::error_code;
using boost::json::string_view;
using JsonError = boost::json::error;

/// What Boost.JSON lets through and we do not.
enum class Refusal { none, duplicate_key, nul, not_finite, too_many_values, too_many_members };

/// A value takes 24 bytes and more, and two in the text ("0,"). A thousand items with vectors of 384 numbers fit.
constexpr std::size_t values_max = 400'000;
/// Boost.JSON's objects are hash tables that only their address salts, so whoever sends the keys can have all of them
/// meet in a few buckets; the work then grows with the square of their number.
constexpr std::size_t members_max = 4096;

/// Builds the value from the parser's events, and refuses on the way.
class Handler {
 public:
  // Names that basic_parser demands.
  static constexpr std::size_t max_object_size = boost::json::object::max_size();
  static constexpr std::size_t max_array_size = boost::json::array::max_size();
  static constexpr std::size_t max_key_size = boost::json::string::max_size();
  static constexpr std::size_t max_string_size = boost::json::string::max_size();

  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): the stack writes its scratch memory before it reads it.
  explicit Handler(std::string_view text) : text_(text), stack_({}, buffer_.data(), buffer_.size()) { stack_.reset(); }
  Handler(Handler const&) = delete;
  Handler& operator=(Handler const&) = delete;
  ~Handler() = default;

  [[nodiscard]] value release() { return stack_.release(); }
  [[nodiscard]] Refusal refusal() const { return refusal_; }
  [[nodiscard]] std::string_view refused_key() const { return refused_key_; }
  /// Where the refused part stands, when it is not where the parser stopped.
  [[nodiscard]] std::optional<std::size_t> refused_at() const { return refused_at_; }

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }
  bool on_array_begin(error_code& error) { return count_value(error); }
  bool on_array_end(std::size_t n, error_code&) {
    stack_.push_array(n);
    return true;
  }
  bool on_object_begin(error_code& error) {
    objects_.push_back(keys_.size());
    return count_value(error);
  }
  bool on_object_end(std::size_t n, error_code& error) {
    auto const first = objects_.back();
    objects_.pop_back();
    if (auto const* twice = second_of_two(std::span(keys_).subspan(first))) {
      refused_key_ = twice->text;
      refused_at_ = twice->at;
      return refuse(Refusal::duplicate_key, error);
    }
    keys_.resize(first);
    stack_.push_object(n);
    return true;
  }
  bool on_key_part(string_view part, std::size_t, error_code& error) {
    if (has_nul(part))
      return refuse(Refusal::nul, error);
    key_part_.append(part.data(), part.size());
    stack_.push_chars(part);
    return true;
  }
  bool on_key(string_view part, std::size_t size, error_code& error) {
    if (has_nul(part))
      return refuse(Refusal::nul, error);
    if (keys_.size() - objects_.back() == members_max)
      return refuse(Refusal::too_many_members, error);
    note_key({part.data(), part.size()}, size);
    stack_.push_key(part);
    return true;
  }
  bool on_string_part(string_view part, std::size_t, error_code& error) {
    if (has_nul(part))
      return refuse(Refusal::nul, error);
    stack_.push_chars(part);
    return true;
  }
  bool on_string(string_view part, std::size_t, error_code& error) {
    if (has_nul(part))
      return refuse(Refusal::nul, error);
    stack_.push_string(part);
    return count_value(error);
  }
  bool on_number_part(string_view, error_code&) { return true; }
  bool on_int64(std::int64_t number, string_view, error_code& error) {
    stack_.push_int64(number);
    return count_value(error);
  }
  bool on_uint64(std::uint64_t number, string_view, error_code& error) {
    stack_.push_uint64(number);
    return count_value(error);
  }
  /// Boost.JSON 1.81 multiplies by a power of ten, which is off by a bit for many numbers of 16 and 17 digits and makes
  /// 1e400 infinite; the text is read again, exactly.
  bool on_double(double rough, string_view digits, error_code& error) {
    double number = 0;
    auto const [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    bool const too_small = code == std::errc::result_out_of_range && std::abs(rough) < 1;
    if (too_small)
      number = std::copysign(0.0, rough);
    else if (code != std::errc() || !std::isfinite(number))
      return refuse(Refusal::not_finite, error);
    stack_.push_double(number);
    return count_value(error);
  }
  bool on_bool(bool truth, error_code& error) {
    stack_.push_bool(truth);
    return count_value(error);
  }
  bool on_null(error_code& error) {
    stack_.push_null();
    return count_value(error);
  }
  bool on_comment_part(string_view, error_code&) { return true; }
  bool on_comment(string_view, error_code&) { return true; }

 private:
  struct Key {
    std::string_view text;
    std::size_t at = 0;  ///< place in the text of the document
  };

  static bool has_nul(string_view part) { return std::memchr(part.data(), 0, part.size()) != nullptr; }

  bool count_value(error_code& error) { return ++values_ <= values_max || refuse(Refusal::too_many_values, error); }

  bool refuse(Refusal why, error_code& error) {
    refusal_ = why;
    error = JsonError::syntax;
    return false;
  }

  /// `last` is the last part of a key of `size` bytes. It usually is the whole key and points into the text.
  void note_key(std::string_view last, std::size_t size) {
    std::less_equal<char const*> const before;
    bool const in_text = before(text_.data(), last.data()) && before(last.data() + last.size(), text_.end());
    if (in_text)
      last_key_at_ = static_cast<std::size_t>(last.data() - text_.data()) - 1;
    if (!in_text || last.size() != size) {
      escaped_keys_.push_back(std::exchange(key_part_, {}).append(last));
      last = escaped_keys_.back();
    }
    keys_.push_back({last, last_key_at_});
  }

  /// The second of two equal keys, or null. Objects of many keys are sorted, so that no choice of keys makes it slow.
  static Key const* second_of_two(std::span<Key const> keys) {
    constexpr std::size_t few = 12;
    if (keys.size() <= few) {
      for (std::size_t i = 1; i < keys.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) {
          if (keys[i].text == keys[j].text)
            return &keys[i];
        }
      }
      return nullptr;
    }
    std::vector<Key const*> sorted(keys.size());
    std::ranges::transform(keys, sorted.begin(), [](Key const& key) { return &key; });
    std::ranges::sort(sorted, {}, [](Key const* key) { return std::tie(key->text, key->at); });
    auto const found = std::ranges::adjacent_find(sorted, {}, [](Key const* key) { return key->text; });
    return found == sorted.end() ? nullptr : *std::next(found);
  }

  std::string_view text_;
  std::array<unsigned char, 4096> buffer_;
  boost::json::value_stack stack_;
  boost::container::small_vector<Key, 32> keys_;            ///< of all open objects
  boost::container::small_vector<std::size_t, 8> objects_;  ///< where the keys of each open object begin
  std::deque<std::string> escaped_keys_;
  std::string key_part_;
  std::size_t last_key_at_ = 0;
  std::size_t values_ = 0;
  Refusal refusal_ = Refusal::none;
  std::string_view refused_key_;
  std::optional<std::size_t> refused_at_;
};

void append_escape(std::string& out, char c) {
  constexpr std::string_view plain = "\"\\\b\f\n\r\t";
  constexpr std::string_view letters = "\"\\bfnrt";
  out += '\\';
  if (auto const i = plain.find(c); i != std::string_view::npos) {
    out += letters[i];
    return;
  }
  constexpr std::string_view hex = "0123456789abcdef";
  auto const byte = static_cast<unsigned char>(c);
  out += "u00";
  out += hex[byte >> 4];
  out += hex[byte & 0x0F];
}

// ---- messages ----

/// How much of a text a message quotes.
constexpr std::size_t quoted_bytes_max = 40;

Error located(std::string_view text, std::size_t at, std::string_view why) {
  auto const before = text.substr(0, at);
  auto const line = 1 + std::ranges::count(before, '\n');
  auto const line_start = before.rfind('\n') + 1;  // npos + 1 is 0
  auto const column = 1 + utf8::length(before.substr(line_start));
  return {Code::bad_request,
          "line " + std::to_string(line) + ", column " + std::to_string(column) + ": " + std::string(why)};
}

/// The character at `at`, whole.
std::string_view character(std::string_view text, std::size_t at) {
  std::size_t size = 1;
  while (at + size < text.size() && (static_cast<unsigned char>(text[at + size]) & 0xC0U) == 0x80U)
    ++size;
  return text.substr(at, size);
}

constexpr std::string_view surrogate_reason =
    "a \\u escape is half of a surrogate pair; write both halves, or the character itself";

/// True when `text` ends in an escape such as \ud83d, the first half of a pair.
bool ends_in_high_surrogate(std::string_view text) {
  constexpr std::size_t escape_size = 6;
  if (text.size() < escape_size)
    return false;
  auto const tail = text.substr(text.size() - escape_size);
  return tail.starts_with("\\u") && (tail[2] == 'd' || tail[2] == 'D') && std::string_view("89abAB").contains(tail[3]);
}

/// Why the grammar does not allow what stands at `at`. A guess at the usual mistake, for Boost.JSON says nothing.
std::string syntax_reason(std::string_view text, std::size_t at) {
  auto const c = static_cast<unsigned char>(text[at]);
  if (c == 0)
    return "the character NUL is not allowed; leave it out";
  if (c < 0x20) {
    std::string escape;
    append_escape(escape, text[at]);
    return "a control character is not allowed here; inside a string write it as " + escape;
  }
  if (ends_in_high_surrogate(text.substr(0, at)))
    return std::string(surrogate_reason);
  if (text.substr(at).starts_with("\xEF\xBB\xBF"))
    return "a byte order mark is not allowed; leave it out";
  if (at > 0 && text[at - 1] == '\\')
    return "this is no escape; write a backslash itself as \\\\";
  if (c == '\'')
    return "strings stand in double quotes, not in single ones";
  if (c == '/' || c == '#')
    return "comments are not allowed; leave it out";
  if (c == 'N' || c == 'I')
    return "NaN and Infinity are no JSON numbers; send null or leave the member out";
  if (c == 'T' || c == 'F')
    return "write true and false in lower case";
  auto const before = text.substr(0, at).find_last_not_of(white_space);
  if ((c == '}' || c == ']') && before != std::string_view::npos && text[before] == ',') {
    return "a comma must not stand before a closing bracket; remove the comma";
  }
  return "'" + std::string(character(text, at)) +
         "' is not expected here; look for a missing comma, colon, quote or bracket";
}

std::string reason(std::string_view text, std::size_t at, error_code const& error, Handler const& handler) {
  switch (handler.refusal()) {
    case Refusal::duplicate_key:
      return "the key \"" + utf8::shortened(handler.refused_key(), quoted_bytes_max) +
             "\" stands twice in one object; keep one of them";
    case Refusal::nul:
      return "a string holds the character NUL (\\u0000); leave it out";
    case Refusal::not_finite:
      return "the number is too large; write one between -1.8e308 and 1.8e308";
    case Refusal::too_many_values:
      return "it has more than " + std::to_string(values_max) + " values; send it in parts";
    case Refusal::too_many_members:
      return "an object has more than " + std::to_string(members_max) + " members; use an array";
    case Refusal::none:
      break;
  }
  if (error == JsonError::too_deep) {
    return "it is nested deeper than " + std::to_string(depth_max) + " levels; flatten it";
  }
  if (error == JsonError::exponent_overflow)
    return "the number's exponent is too large; write one from -308 to 308";
  if (error == JsonError::illegal_leading_surrogate || error == JsonError::illegal_trailing_surrogate ||
      error == JsonError::expected_utf16_escape) {
    return std::string(surrogate_reason);
  }
  if (at >= text.size())
    return "the text ends too early; close every string, array and object";
  if (error == JsonError::expected_hex_digit)
    return "a \\u escape needs four hexadecimal digits";
  return syntax_reason(text, at);
}

Error explain(std::string_view text, std::size_t stopped_at, error_code const& error, Handler const& handler) {
  auto const at = handler.refused_at().value_or(stopped_at);
  // Boost.JSON calls it a syntax error and may stop before or after the sequence.
  constexpr std::size_t sequence_size_max = 4;
  auto const valid = utf8::valid_prefix(text);
  if (handler.refusal() == Refusal::none && valid < text.size() && valid < at + sequence_size_max) {
    return located(text, valid, "the bytes are not valid UTF-8; send the text encoded as UTF-8");
  }
  return located(text, at, reason(text, at, error, handler));
}

// ---- the text of the parts of a document that is known to be valid ----

std::size_t string_end(std::string_view text, std::size_t at) {
  for (++at; at < text.size() && text[at] != '"'; ++at) {
    if (text[at] == '\\')
      ++at;
  }
  return std::min(at + 1, text.size());
}

/// The place after the value that begins at `at`.
std::size_t value_end(std::string_view text, std::size_t at) {
  if (text[at] == '"')
    return string_end(text, at);
  if (text[at] != '{' && text[at] != '[')
    return std::min(text.find_first_of(",]} \t\r\n", at), text.size());
  int open = 0;
  while (at < text.size()) {
    char const c = text[at];
    if (c == '"') {
      at = string_end(text, at);
      continue;
    }
    ++at;
    if (c == '{' || c == '[')
      ++open;
    if ((c == '}' || c == ']') && --open == 0)
      break;
  }
  return at;
}

/// Walks over the parts of an array or object; for a text that is missing every part is empty.
class Parts {
 public:
  explicit Parts(std::string_view text) : text_(trimmed(text, white_space)), at_(1) {}

  std::string_view next_value() {
    at_ = text_.find_first_not_of(" \t\r\n,", at_);
    if (at_ >= text_.size())
      return {};
    auto const first = std::exchange(at_, value_end(text_, at_));
    return text_.substr(first, at_ - first);
  }
  std::string_view next_member() {
    next_value();
    at_ = text_.find(':', std::min(at_, text_.size()));
    if (at_ >= text_.size())
      return {};
    ++at_;
    return next_value();
  }

 private:
  std::string_view text_;
  std::size_t at_;
};

// ---- writing ----

/// The first character of `text` at or after `at` that a string cannot hold as it is.
std::size_t find_escape(std::string_view text, std::size_t at) {
  constexpr std::uint64_t ones = 0x0101010101010101ULL;
  constexpr std::uint64_t highs = ones << 7;
  // Sets the high bit of each byte that is zero, and of no byte below the first such one.
  constexpr auto zeros = [](std::uint64_t word) { return (word - ones) & ~word & highs; };
  if constexpr (std::endian::native == std::endian::little) {
    for (; text.size() - at >= sizeof(std::uint64_t); at += sizeof(std::uint64_t)) {
      std::uint64_t word = 0;
      std::memcpy(&word, text.data() + at, sizeof word);
      auto const below_space = (word - ones * 0x20) & ~word & highs;
      auto const found = below_space | zeros(word ^ (ones * '"')) | zeros(word ^ (ones * '\\'));
      if (found != 0)
        return at + static_cast<std::size_t>(std::countr_zero(found)) / 8;
    }
  }
  for (; at < text.size(); ++at) {
    auto const c = static_cast<unsigned char>(text[at]);
    if (c < 0x20 || c == '"' || c == '\\')
      break;
  }
  return at;
}

template <class Number>
void append_integer(std::string& out, Number number) {
  std::array<char, 24> digits{};
  auto const end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), end);
}

}  // namespace

Result<value> parse(std::string_view text) {
  boost::json::parse_options options;
  options.max_depth = depth_max;
  boost::json::basic_parser<Handler> parser(options, text);
  error_code error;
  auto const end = parser.write_some(false, text.data(), text.size(), error);
  if (error) {
    if (trimmed(text, white_space).empty())
      return fail(Code::bad_request, "the text is empty; send a JSON document");
    return fail(explain(text, end, error, parser.handler()));
  }
  if (end < text.size()) {
    return fail(
        located(text, end, "something follows the end of the document; remove it, or look for a missing bracket"));
  }
  return parser.handler().release();
}

std::string serialize(value const& root) {
  std::string out;
  append(out, root);
  return out;
}

void append(std::string& out, value const& node) {
  switch (node.kind()) {
    case boost::json::kind::null:
      out += "null";
      return;
    case boost::json::kind::bool_:
      out += node.get_bool() ? "true" : "false";
      return;
    case boost::json::kind::int64:
      return append_integer(out, node.get_int64());
    case boost::json::kind::uint64:
      return append_integer(out, node.get_uint64());
    case boost::json::kind::double_:
      return append_number(out, node.get_double());
    case boost::json::kind::string:
      return append_string(out, node.get_string());
    case boost::json::kind::array: {
      char separator = '[';
      for (auto const& element : node.get_array()) {
        out += std::exchange(separator, ',');
        append(out, element);
      }
      out += separator == '[' ? "[]" : "]";
      return;
    }
    case boost::json::kind::object: {
      char separator = '{';
      for (auto const& member : node.get_object()) {
        out += std::exchange(separator, ',');
        append_string(out, member.key());
        out += ':';
        append(out, member.value());
      }
      out += separator == '{' ? "{}" : "}";
      return;
    }
  }
}

void append_string(std::string& out, std::string_view text) {
  out += '"';
  std::size_t done = 0;
  while (true) {
    auto const stop = find_escape(text, done);
    out.append(text, done, stop - done);
    if (stop == text.size())
      break;
    append_escape(out, text[stop]);
    done = stop + 1;
  }
  out += '"';
}

void append_number(std::string& out, double number) {
  if (!std::isfinite(number)) {
    out += "null";
    return;
  }
  if (number == 0) {
    out += std::signbit(number) ? "-0.0" : "0";
    return;
  }
  auto const magnitude = std::abs(number);
  auto const format = magnitude >= 1e-7 && magnitude < 1e21 ? std::chars_format::fixed : std::chars_format::scientific;
  // 17 digits, sign, point and up to 7 zeros, or 21 digits: well within.
  std::array<char, 40> digits{};
  auto const end = std::to_chars(digits.data(), digits.data() + digits.size(), number, format).ptr;
  out.append(digits.data(), end);
}

Result<Source> Source::from(std::string text) {
  auto parsed = parse(text);
  if (!parsed)
    return fail(std::move(parsed.error()));
  return Source(std::move(text), std::move(*parsed));
}

Source::Source(std::string text, value parsed) : text_(std::move(text)), parsed_(std::move(parsed)) {}

Input Source::root() const { return {&parsed_, trimmed(text_, white_space)}; }

Input member(Input in, std::string_view key) {
  auto const* object = in.parsed == nullptr ? nullptr : in.parsed->if_object();
  if (object == nullptr)
    return {};
  auto const found = object->find(key);
  if (found == object->end())
    return {};
  Parts parts(in.raw);
  for (auto before = found - object->begin(); before > 0; --before)
    parts.next_member();
  return {&found->value(), parts.next_member()};
}

std::vector<Member> members(Input in) {
  std::vector<Member> out;
  auto const* object = in.parsed == nullptr ? nullptr : in.parsed->if_object();
  if (object == nullptr)
    return out;
  out.reserve(object->size());
  Parts parts(in.raw);
  for (auto const& [key, value] : *object)
    out.push_back({key, {&value, parts.next_member()}});
  return out;
}

std::vector<Input> elements(Input in) {
  std::vector<Input> out;
  auto const* array = in.parsed == nullptr ? nullptr : in.parsed->if_array();
  if (array == nullptr)
    return out;
  out.reserve(array->size());
  Parts parts(in.raw);
  for (auto const& element : *array)
    out.push_back({&element, parts.next_value()});
  return out;
}

}  // namespace al::json
