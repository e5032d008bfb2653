#include "http/message.hpp"

#include <array>
#include <cassert>

namespace al::http {
namespace {

constexpr std::array<std::pair<std::string_view, Method>, 7> method_names{{{"GET", Method::get},
                                                                           {"HEAD", Method::head},
                                                                           {"POST", Method::post},
                                                                           {"PUT", Method::put},
                                                                           {"PATCH", Method::patch},
                                                                           {"DELETE", Method::del},
                                                                           {"OPTIONS", Method::options}}};

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// A line break or NUL in a header would let its value end the header and start another message.
bool is_one_line(std::string_view text) { return text.find_first_of(std::string_view("\r\n\0", 3)) == text.npos; }

}  // namespace

std::string_view method_name(Method method) {
  for (auto const& [name, value] : method_names) {
    if (value == method)
      return name;
  }
  return "?";
}

std::optional<Method> method_of(std::string_view text) {
  for (auto const& [name, value] : method_names) {
    if (name == text)
      return value;
  }
  return std::nullopt;
}

bool equal_without_case(std::string_view a, std::string_view b) {
  if (a.size() != b.size())
    return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (lower(a[i]) != lower(b[i]))
      return false;
  }
  return true;
}

void Headers::set(std::string_view name, std::string_view value) {
  erase(name);
  add(name, value);
}

void Headers::add(std::string_view name, std::string_view value) {
  assert(!name.empty() && is_one_line(name) && is_one_line(value));
  fields_.emplace_back(name, value);
}

void Headers::erase(std::string_view name) {
  std::erase_if(fields_, [name](auto const& field) { return equal_without_case(field.first, name); });
}

std::optional<std::string_view> Headers::find(std::string_view name) const {
  for (auto const& [key, value] : fields_) {
    if (equal_without_case(key, name))
      return value;
  }
  return std::nullopt;
}

std::size_t Headers::count(std::string_view name) const {
  std::size_t found = 0;
  for (auto const& field : fields_)
    found += equal_without_case(field.first, name) ? 1 : 0;
  return found;
}

Response json_response(int status, std::string body) {
  Response response{.status = status, .headers = {}, .body = std::move(body)};
  response.headers.reserve(4);
  response.headers.add("Content-Type", "application/json");
  return response;
}

}  // namespace al::http
