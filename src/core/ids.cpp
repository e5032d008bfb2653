#include "core/ids.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>

#include "core/utf8.hpp"

namespace al {

namespace {

constexpr std::size_t slug_size_max = 50;
constexpr std::size_t text_id_size_max = 255;
constexpr std::string_view hex_digits = "0123456789abcdef";

bool is_lower_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

bool is_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

constexpr bool is_hyphen_place(std::size_t i) { return i == 8 || i == 13 || i == 18 || i == 23; }

std::string uuid_text(std::array<std::byte, 16> const& bytes) {
  std::string out;
  out.reserve(36);
  for (auto const byte : bytes) {
    if (is_hyphen_place(out.size()))
      out += '-';
    out += hex_digits[std::to_integer<std::size_t>(byte >> 4)];
    out += hex_digits[std::to_integer<std::size_t>(byte & std::byte{0x0F})];
  }
  return out;
}

}  // namespace

std::string uuid_v7(Clock const& clock, Random& random) {
  auto const micros = static_cast<std::uint64_t>(clock.now().time_since_epoch().count());
  std::array<std::byte, 16> bytes{};
  random.fill(std::span(bytes).subspan(8));
  auto const millis = micros / 1000;
  for (std::size_t i = 0; i < 6; ++i)
    bytes.at(i) = static_cast<std::byte>(millis >> (40 - 8 * i));
  // Method 3 of RFC 9562 (6.2): the twelve bits after the version carry the fraction of the millisecond, so ids of one
  // process sort by the microsecond.
  auto const fraction = micros % 1000 * 4096 / 1000;
  bytes[6] = static_cast<std::byte>(0x70 | (fraction >> 8));
  bytes[7] = static_cast<std::byte>(fraction);
  bytes[8] = (bytes[8] & std::byte{0x3F}) | std::byte{0x80};
  return uuid_text(bytes);
}

std::string uuid_v7_before(std::string_view id, std::chrono::milliseconds back) {
  std::uint64_t millis = 0;
  std::from_chars(id.data(), id.data() + 8, millis, 16);
  std::uint64_t low = 0;
  std::from_chars(id.data() + 9, id.data() + 13, low, 16);
  millis = millis << 16 | low;
  millis -= std::min(millis, static_cast<std::uint64_t>(back.count()));
  std::array<std::byte, 16> bytes{};
  for (std::size_t i = 0; i < 6; ++i)
    bytes.at(i) = static_cast<std::byte>(millis >> (40 - 8 * i));
  bytes[6] = std::byte{0x70};
  bytes[8] = std::byte{0x80};
  return uuid_text(bytes);
}

bool is_uuid(std::string_view text) {
  if (text.size() != 36)
    return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (is_hyphen_place(i) ? text[i] != '-' : !is_hex(text[i]))
      return false;
  }
  return true;
}

std::string normal_uuid(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'F' ? static_cast<char>(c + 32) : c; });
  return out;
}

bool is_slug(std::string_view text) {
  if (text.empty() || text.size() > slug_size_max || !is_lower_or_digit(text.front()))
    return false;
  return std::ranges::all_of(text, [](char c) { return is_lower_or_digit(c) || c == '_' || c == '-'; });
}

bool is_text_id(std::string_view text) {
  if (text.empty() || text.size() > text_id_size_max || text == "." || text == "..")
    return false;
  return utf8::is_plain(text);
}

}  // namespace al
