#include "core/strings.hpp"

#include <algorithm>

namespace al {

std::string_view trimmed(std::string_view text, std::string_view blanks) {
  auto const first = text.find_first_not_of(blanks);
  if (first == text.npos)
    return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

std::string_view take_part(std::string_view& rest, char mark) {
  auto const end = std::min(rest.find(mark), rest.size());
  auto const part = trimmed(rest.substr(0, end));
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return part;
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) { return lower(c); });
  return out;
}

}  // namespace al
