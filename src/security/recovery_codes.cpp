#include "security/recovery_codes.hpp"

#include "core/hash.hpp"
#include "security/secret_key.hpp"

namespace al::security {
namespace {

constexpr std::string_view alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr std::size_t group_characters = 5;
constexpr std::size_t code_characters = 5 * group_characters;
constexpr std::size_t typed_bytes_max = 100;
constexpr std::string_view ignored = "- \t\r\n";
constexpr std::string_view hash_prefix = "recovery code:";

std::string new_code(Random& random) {
  std::string out;
  for (std::size_t i = 0; i < code_characters; ++i) {
    if (i > 0 && i % group_characters == 0)
      out += '-';
    out += alphabet[random.below(alphabet.size())];
  }
  return out;
}

/// The character of the alphabet that was meant.
char meant(char typed) {
  char const c = typed >= 'a' && typed <= 'z' ? static_cast<char>(typed - 'a' + 'A') : typed;
  switch (c) {
    case 'I':
    case 'L':
      return '1';
    case 'O':
      return '0';
    case 'U':
      return 'V';
    default:
      return c;
  }
}

}  // namespace

std::vector<std::string> new_recovery_codes(Random& random) {
  std::vector<std::string> out;
  out.reserve(recovery_codes_count);
  while (out.size() < recovery_codes_count)
    out.push_back(new_code(random));
  return out;
}

std::string normal_recovery_code(std::string_view typed) {
  if (typed.size() > typed_bytes_max)
    return {};
  std::string out;
  out.reserve(typed.size());
  for (char const c : typed) {
    if (ignored.contains(c))
      continue;
    if (!alphabet.contains(meant(c)))
      return {};
    out += meant(c);
  }
  return out.size() == code_characters ? out : std::string();
}

std::string recovery_code_hash(std::string_view typed) {
  auto code = normal_recovery_code(typed);
  std::string text;
  text.reserve(hash_prefix.size() + code.size());
  text.append(hash_prefix).append(code);
  auto hash = sha256_hex(text);
  wipe(code);
  wipe(text);
  return hash;
}

}  // namespace al::security
