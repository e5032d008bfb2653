#include "cache/keys.hpp"

#include "core/fault.hpp"
#include "core/hash.hpp"

namespace al::cache {
namespace {

constexpr std::size_t id_bytes_max = 200;

bool stands_for_itself(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("-._~/").contains(c);
}

void append_id(std::string& out, std::string_view id) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  if (id.size() > id_bytes_max) {
    out.append("#").append(sha256_hex(id));
    return;
  }
  for (auto const c : id) {
    if (stands_for_itself(c)) {
      out += c;
      continue;
    }
    auto const byte = static_cast<unsigned char>(c);
    out += '%';
    out += digits[byte >> 4];
    out += digits[byte & 15];
  }
}

std::string make(std::string_view owner, std::string_view kind, std::string_view id) {
  if (!is_slug(kind))
    throw Fault("a cache key needs a slug as its kind, not '" + std::string(kind) + "'");
  std::string out = "al:";
  out.append(owner).append(":").append(kind).append(":");
  append_id(out, id);
  return out;
}

}  // namespace

std::string key(TenantId const& tenant, std::string_view kind, std::string_view id) {
  if (!is_slug(tenant.value))
    throw Fault("a cache key needs a slug as its tenant");
  return make(tenant.value, kind, id);
}

std::string platform_key(std::string_view kind, std::string_view id) { return make("_", kind, id); }

std::string hashed(std::string_view secret) { return sha256_hex(secret); }

}  // namespace al::cache
