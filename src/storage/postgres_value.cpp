#include "storage/postgres_value.hpp"

#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <system_error>

#include "core/fault.hpp"

namespace al::storage::postgres {
namespace {

// From the server's catalog pg_type; these numbers are part of its protocol and never change.
enum TypeOid : unsigned {
  oid_bool = 16,
  oid_int8 = 20,
  oid_int2 = 21,
  oid_int4 = 23,
  oid_float4 = 700,
  oid_float8 = 701,
  oid_timestamptz = 1184,
};

std::string encode_double(double number) {
  if (std::isnan(number))
    return "NaN";  // to_chars may write "-nan", which PostgreSQL refuses
  std::array<char, 32> buffer{};
  auto const [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number);
  return {buffer.data(), end};
}

[[noreturn]] void refuse(std::string_view type, std::string_view text) {
  throw Fault("PostgreSQL answered '" + std::string(text) + "', which is no " + std::string(type) + " we can hold");
}

template <class Number>
Number decode_number(std::string_view type, std::string_view text) {
  Number number{};
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size())
    refuse(type, text);
  return number;
}

/// Reads the fixed shape of ISO DateStyle from left to right.
class TimeReader {
 public:
  explicit TimeReader(std::string_view text) : text_(text) {}

  int number(std::size_t digits_min, std::size_t digits_max) {
    int value = 0;
    std::size_t digits = 0;
    while (digits < digits_max && at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') {
      value = value * 10 + (text_[at_] - '0');
      ++at_;
      ++digits;
    }
    if (digits < digits_min)
      refuse("time", text_);
    return value;
  }
  bool take(char c) {
    if (at_ >= text_.size() || text_[at_] != c)
      return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!take(c))
      refuse("time", text_);
  }
  std::chrono::microseconds fraction() {
    auto const start = at_;
    int value = number(1, 6);
    for (auto digits = at_ - start; digits < 6; ++digits)
      value *= 10;
    return std::chrono::microseconds(value);
  }
  void end() const {
    if (at_ != text_.size())
      refuse("time", text_);
  }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

// "2026-01-31 23:59:59.25+00": with DateStyle ISO, in the session's zone, fraction without trailing zeros.
Timestamp decode_time(std::string_view text) {
  using namespace std::chrono;
  TimeReader in(text);
  int const y = in.number(4, 6);
  in.expect('-');
  int const m = in.number(2, 2);
  in.expect('-');
  int const d = in.number(2, 2);
  in.expect(' ');
  auto time = hours(in.number(2, 2)) + microseconds(0);
  in.expect(':');
  time += minutes(in.number(2, 2));
  in.expect(':');
  time += seconds(in.number(2, 2));
  if (in.take('.'))
    time += in.fraction();
  bool const west = in.take('-');
  if (!west)
    in.expect('+');
  auto offset = hours(in.number(2, 2)) + seconds(0);
  if (in.take(':'))
    offset += minutes(in.number(2, 2));
  if (in.take(':'))
    offset += seconds(in.number(2, 2));
  in.end();
  auto const date = year(y) / month(static_cast<unsigned>(m)) / day(static_cast<unsigned>(d));
  if (!date.ok())
    refuse("time", text);
  return sys_days(date) + time - (west ? -offset : offset);
}

}  // namespace

Parameter encode(Value const& value) {
  struct Visitor {
    Parameter operator()(std::monostate) const { return std::nullopt; }
    Parameter operator()(bool b) const { return b ? "t" : "f"; }
    Parameter operator()(std::int64_t n) const { return std::to_string(n); }
    Parameter operator()(double n) const { return encode_double(n); }
    Parameter operator()(std::string const& s) const { return s; }
    Parameter operator()(Timestamp t) const { return to_rfc3339(t); }
  };
  return std::visit(Visitor{}, value);
}

Parameters encode(Values const& values) {
  Parameters out;
  out.reserve(values.size());
  for (auto const& value : values)
    out.push_back(encode(value));
  return out;
}

bool holds_nul(Parameters const& parameters) {
  for (auto const& parameter : parameters) {
    if (parameter && parameter->find('\0') != std::string::npos)
      return true;
  }
  return false;
}

void append_element(std::string& literal, Parameter const& element) {
  if (literal.size() > 1)
    literal.push_back(',');
  if (!element) {
    literal.append("NULL");
    return;
  }
  literal.push_back('"');
  for (char const c : *element) {
    if (c == '"' || c == '\\')
      literal.push_back('\\');
    literal.push_back(c);
  }
  literal.push_back('"');
}

Parameters columns_of(std::vector<Parameters const*> const& rows) {
  Parameters columns(rows.empty() ? 0 : rows.front()->size());
  for (std::size_t i = 0; i < columns.size(); ++i) {
    std::size_t size = 2;
    for (auto const* row : rows)
      size += (*row)[i] ? (*row)[i]->size() + 3 : 5;
    std::string literal;
    literal.reserve(size + size / 8);  // room for a few escapes
    literal.push_back('{');
    for (auto const* row : rows)
      append_element(literal, (*row)[i]);
    literal.push_back('}');
    columns[i] = std::move(literal);
  }
  return columns;
}

Value decode(unsigned type_oid, std::string_view text) {
  switch (type_oid) {
    case oid_bool:
      return text == "t";
    case oid_int2:
    case oid_int4:
    case oid_int8:
      return decode_number<std::int64_t>("integer", text);
    case oid_float4:
    case oid_float8:
      return decode_number<double>("number", text);
    case oid_timestamptz:
      return decode_time(text);
    default:
      return std::string(text);
  }
}

}  // namespace al::storage::postgres
