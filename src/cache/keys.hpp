#pragma once
/// What things are called in the cache, for locks, limits and presence as well. Values; any thread.

#include <string>
#include <string_view>

#include "core/ids.hpp"

namespace al::cache {

/// `al:{tenant}:{kind}:{id}`. The tenant and the kind are slugs, so neither can contain the colon that ends it: no id
/// reaches into another tenant or kind. In the id all but letters, digits and `-._~/` is written as `%XX`, so that
/// logs, patterns and our own suffixes (which begin with a colon) are safe from it; over 200 bytes it is `#` and its
/// SHA-256. Ids of several parts are joined with `/`, slugs first. Throws Fault when tenant or kind are no slugs.
[[nodiscard]] std::string key(TenantId const& tenant, std::string_view kind, std::string_view id);

/// The same for what belongs to no tenant: limits of an address, sessions before their tenant is known. No tenant can
/// be called `_`.
[[nodiscard]] std::string platform_key(std::string_view kind, std::string_view id);

/// How a token, password or other secret may be part of an id: as its SHA-256.
[[nodiscard]] std::string hashed(std::string_view secret);

}  // namespace al::cache
