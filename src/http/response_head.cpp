#include "http/response_head.hpp"

#include <array>
#include <charconv>

namespace al::http {
namespace {

std::string_view reason_phrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 422:
      return "Unprocessable Content";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    default:
      return "";  // RFC 9112, section 4: the phrase may be empty.
  }
}

void append_number(std::string& out, std::size_t number) {
  std::array<char, 24> text{};
  auto const end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
  out.append(text.data(), end);
}

bool is_of_connection(std::string_view name, Framing framing) {
  switch (name.size()) {  // Most names differ in length already.
    case 4:
      return equal_without_case(name, "Date");
    case 10:
      return equal_without_case(name, "Connection") || equal_without_case(name, "Keep-Alive");
    case 14:
      return framing != Framing::as_said && equal_without_case(name, "Content-Length");
    case 17:
      return equal_without_case(name, "Transfer-Encoding");
    default:
      return false;
  }
}

}  // namespace

void append_response_head(std::string& out, Response const& response, ResponseHead const& head) {
  out.append("HTTP/1.1 ");
  append_number(out, static_cast<std::size_t>(response.status));
  out.append(" ").append(reason_phrase(response.status)).append("\r\n").append(head.date_line);
  for (auto const& [name, value] : response.headers) {
    if (is_of_connection(name, head.framing))
      continue;
    out.append(name).append(": ").append(value).append("\r\n");
  }
  if (head.framing == Framing::length) {
    out.append("Content-Length: ");
    append_number(out, head.length);
    out.append("\r\n");
  } else if (head.framing == Framing::chunked) {
    out.append("Transfer-Encoding: chunked\r\n");
  }
  if (!head.keep_alive) {
    out.append("Connection: close\r\n");
  } else if (head.is_http_1_0) {
    out.append("Connection: keep-alive\r\n");
  }
  if (head.is_secure)
    out.append("Strict-Transport-Security: max-age=31536000\r\n");
  out.append("X-Content-Type-Options: nosniff\r\n\r\n");
}

std::string date_line(Timestamp now) {
  constexpr std::string_view days = "SunMonTueWedThuFriSat";
  constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";
  auto const day = std::chrono::floor<std::chrono::days>(now);
  std::chrono::year_month_day const date(day);
  std::chrono::hh_mm_ss const time(std::chrono::floor<std::chrono::seconds>(now - day));
  std::string out = "Date: ";
  auto const two_digits = [&out](unsigned number, char after) {
    out.append({static_cast<char>('0' + number / 10), static_cast<char>('0' + number % 10), after});
  };
  out.append(days.substr(std::chrono::weekday(day).c_encoding() * 3, 3)).append(", ");
  two_digits(static_cast<unsigned>(date.day()), ' ');
  out.append(months.substr((static_cast<unsigned>(date.month()) - 1) * 3, 3)).append(" ");
  append_number(out, static_cast<std::size_t>(static_cast<int>(date.year())));
  out.push_back(' ');
  two_digits(static_cast<unsigned>(time.hours().count()), ':');
  two_digits(static_cast<unsigned>(time.minutes().count()), ':');
  two_digits(static_cast<unsigned>(time.seconds().count()), ' ');
  return out.append("GMT\r\n");
}

std::string chunk_head(std::size_t size) {
  std::array<char, 20> text{};
  auto const end = std::to_chars(text.data(), text.data() + text.size(), size, 16).ptr;
  return std::string(text.data(), end).append("\r\n");
}

}  // namespace al::http
