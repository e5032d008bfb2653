#include "security/api_key.hpp"

#include "core/hash.hpp"

namespace al::security {

namespace {

constexpr std::string_view start = "al_";
constexpr std::size_t random_bytes = 32;
constexpr std::size_t key_size = start.size() + (random_bytes * 8 + 5) / 6;
constexpr std::size_t shown_size = start.size() + 5;

}  // namespace

std::string new_api_key(Random& random) { return std::string(start) + random.token(random_bytes); }

data::NewKey stored_form(std::string_view key) {
  bool const is_ours = key.size() == key_size && key.starts_with(start);
  return {.hash = sha256_hex(key), .prefix = std::string(is_ours ? key.substr(0, shown_size) : "")};
}

}  // namespace al::security
