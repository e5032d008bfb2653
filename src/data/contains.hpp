#pragma once
#include <string>
#include <string_view>

namespace al::data {

/// The pattern of `LIKE … ESCAPE '\\'` for texts that have `part` somewhere in them, letter by letter. The databases
/// fold the case of ASCII letters both; of others PostgreSQL alone.
[[nodiscard]] inline std::string pattern_of(std::string_view part) {
  std::string out = "%";
  for (char const c : part) {
    if (c == '%' || c == '_' || c == '\\')
      out += '\\';
    out += c;
  }
  return out + "%";
}

}  // namespace al::data
