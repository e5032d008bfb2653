#include "http/target.hpp"

#include <algorithm>
#include <boost/asio/ip/address_v6.hpp>

#include "core/utf8.hpp"
#include "http/message.hpp"

namespace al::http {
namespace {

constexpr std::size_t parameters_max = 64;

int hex_digit(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  if (c >= 'A' && c <= 'F')
    return c - 'A' + 10;
  return -1;
}

// Whether `text` is decoded to `out`. `plus_is_space` is for the query, which browsers write that way.
bool decode(std::string_view text, bool plus_is_space, std::string& out) {
  out.clear();
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      if (i + 2 >= text.size())
        return false;
      int const high = hex_digit(text[i + 1]);
      int const low = hex_digit(text[i + 2]);
      if (high < 0 || low < 0)
        return false;
      c = static_cast<char>(high * 16 + low);
      i += 2;
    } else if (c == '+' && plus_is_space) {
      c = ' ';
    }
    out.push_back(c);
  }
  return true;
}

std::unexpected<Error> bad(std::string_view why) {
  return fail(Code::bad_request, "The request target is not valid: " + std::string(why) + ".");
}

Result<std::string> read_segment(std::string_view raw) {
  std::string segment;
  if (!decode(raw, false, segment))
    return bad("'%' must be followed by two hexadecimal digits");
  if (!utf8::is_plain(segment))
    return bad("its path has a control character or is not UTF-8");
  if (raw.contains('\\'))
    return bad("a backslash must be escaped");
  if (segment == "." || segment == "..")
    return bad("dot segments are not allowed");
  std::ranges::replace(segment, '/', escaped_slash);
  std::ranges::replace(segment, '\\', escaped_backslash);
  return segment;
}

Result<std::string> read_path(std::string_view raw) {
  // Most paths have nothing to decode.
  if (raw.find_first_of("%\\.") == raw.npos)
    return std::string(raw);
  std::string path;
  while (!raw.empty()) {
    raw.remove_prefix(1);  // The slash.
    auto const end = std::min(raw.find('/'), raw.size());
    auto segment = read_segment(raw.substr(0, end));
    if (!segment)
      return fail(std::move(segment.error()));
    path.append("/").append(*segment);
    raw.remove_prefix(end);
  }
  return path;
}

bool is_host(std::string_view text) {
  if (text.starts_with('[')) {
    boost::system::error_code error;
    boost::asio::ip::make_address_v6(std::string(text.substr(1, text.size() - 2)), error);
    return text.ends_with(']') && !error && !text.contains('%');
  }
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    bool const is_alphanumeric = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return is_alphanumeric || c == '.' || c == '-' || c == '_' || c == '~';
  });
}

}  // namespace

std::string segment_value(std::string_view segment) {
  std::string out(segment);
  std::ranges::replace(out, escaped_slash, '/');
  std::ranges::replace(out, escaped_backslash, '\\');
  return out;
}

Result<Target> read_target(std::string_view text) {
  if (!text.starts_with('/'))
    return bad("it must begin with '/'");
  for (char const c : text) {
    if (c <= ' ' || c >= 0x7f || c == '#')
      return bad("it has a character that must be escaped");
  }
  Target target;
  auto const mark = text.find('?');
  auto path = read_path(text.substr(0, mark));
  if (!path)
    return fail(std::move(path.error()));
  target.path = std::move(*path);
  if (mark == text.npos)
    return target;
  for (auto rest = text.substr(mark + 1); !rest.empty();) {
    auto const end = std::min(rest.find('&'), rest.size());
    auto const pair = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (pair.empty())
      continue;
    if (target.query.size() == parameters_max)
      return bad("it has more than 64 parameters");
    auto const equals = std::min(pair.find('='), pair.size());
    auto& [name, value] = target.query.emplace_back();
    if (!decode(pair.substr(0, equals), true, name) ||
        !decode(pair.substr(std::min(equals + 1, pair.size())), true, value)) {
      return bad("'%' must be followed by two hexadecimal digits");
    }
    if (!utf8::is_plain(name) || !utf8::is_plain(value)) {
      return bad("a parameter has a control character or is not UTF-8");
    }
  }
  return target;
}

std::string percent_encode(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  constexpr std::string_view unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  std::string out;
  for (char const c : text) {
    if (unreserved.contains(c)) {
      out += c;
      continue;
    }
    auto const byte = static_cast<unsigned char>(c);
    out += {'%', digits[byte >> 4], digits[byte & 15]};
  }
  return out;
}

bool is_authority(std::string_view text) {
  constexpr std::size_t port_digits_max = 5;
  auto const bracket = text.starts_with('[') ? text.find(']') : 0;
  auto const colon = bracket == text.npos ? text.size() : std::min(text.find(':', bracket), text.size());
  auto const port = text.substr(std::min(colon + 1, text.size()));
  return is_host(text.substr(0, colon)) && port.size() <= port_digits_max &&
         std::ranges::all_of(port, [](char c) { return c >= '0' && c <= '9'; });
}

std::optional<std::string> origin_form(std::string const& target, std::string_view host) {
  for (std::string_view const scheme : {"http://", "https://"}) {
    if (!equal_without_case(std::string_view(target).substr(0, scheme.size()), scheme))
      continue;
    auto const rest = std::string_view(target).substr(scheme.size());
    auto const end = std::min(rest.find_first_of("/?#"), rest.size());
    if (host.empty() || !equal_without_case(rest.substr(0, end), host))
      return std::nullopt;
    auto const path = rest.substr(end);
    return (path.starts_with('/') ? "" : "/") + std::string(path);
  }
  return std::nullopt;
}

}  // namespace al::http
