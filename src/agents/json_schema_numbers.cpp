#include "agents/json_schema_numbers.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <string_view>

namespace al::agents {
namespace {

__extension__ using Wide = unsigned __int128;

/// A magnitude: digits × 10^exponent, where the digits do not end in 0.
struct Decimal {
  std::uint64_t digits = 0;
  int exponent = 0;
};

/// The shortest one that reads back as the same double; it has at most 17 digits.
Decimal decimal_of(double magnitude) {
  std::array<char, 32> buffer{};
  auto const end =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), magnitude, std::chars_format::scientific).ptr;
  std::string_view const text(buffer.data(), end);  // 1.25e-07
  auto const mark = text.find('e');
  Decimal out;
  for (char const c : text.substr(0, mark)) {
    if (c != '.')
      out.digits = out.digits * 10 + static_cast<std::uint64_t>(c - '0');
  }
  auto const sign = mark + 1;
  std::from_chars(text.data() + sign + (text[sign] == '+' ? 1 : 0), end, out.exponent);
  if (mark > 1)
    out.exponent -= static_cast<int>(mark - 2);
  return out;
}

Decimal decimal(json::value const& number) {
  Decimal out;
  if (auto const* natural = number.if_uint64())
    out.digits = *natural;
  else if (auto const* integer = number.if_int64())
    out.digits = *integer < 0 ? 0 - static_cast<std::uint64_t>(*integer) : static_cast<std::uint64_t>(*integer);
  else
    out = decimal_of(std::abs(number.get_double()));
  for (; out.digits != 0 && out.digits % 10 == 0; ++out.exponent)
    out.digits /= 10;
  return out;
}

/// The rest of 10^power, by squaring: exponents reach 600.
Wide power_of_ten(int power, std::uint64_t modulus) {
  Wide out = 1;
  for (Wide base = 10 % modulus; power > 0; power /= 2) {
    if (power % 2 != 0)
      out = out * base % modulus;
    base = base * base % modulus;
  }
  return out;
}

}  // namespace

Exact exact(json::value const& number) { return number.to_number<Exact>(); }

bool is_whole(json::value const& v) {
  if (v.is_int64() || v.is_uint64())
    return true;
  return v.is_double() && std::isfinite(v.get_double()) && std::floor(v.get_double()) == v.get_double();
}

bool is_multiple(json::value const& number, json::value const& step) {
  auto const n = decimal(number);
  auto const s = decimal(step);
  if (n.digits == 0)
    return true;
  // A multiple has at least the step's zeros, and n.digits ends in none that its exponent does not count.
  if (n.exponent < s.exponent)
    return false;
  return n.digits % s.digits * power_of_ten(n.exponent - s.exponent, s.digits) % s.digits == 0;
}

}  // namespace al::agents
