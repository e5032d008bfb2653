#include "cache/store.hpp"

namespace al::cache {

Result<void> check_put(Entry const& entry, std::chrono::milliseconds ttl) {
  if (entry.version < 0)
    return fail(Code::invalid, "A cached row needs a version of 0 or more.");
  if (ttl < Store::ttl_min)
    return fail(Code::invalid, "A cached row lives for a minute at least.");
  if (entry.value.size() > Store::value_bytes_max)
    return fail(Code::payload_too_large, "The row is too large for the cache.");
  return {};
}

std::chrono::milliseconds jittered(std::chrono::milliseconds ttl, Random& random) {
  auto const range = static_cast<std::uint64_t>(ttl.count() / 10) + 1;
  return ttl - std::chrono::milliseconds(random.below(range));
}

}  // namespace al::cache
