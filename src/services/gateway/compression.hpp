#pragma once
#include <string>
#include <string_view>

namespace al::services::gateway {

/// What is smaller gains less than the headers about it cost; what is larger keeps a thread from its other callers.
inline constexpr std::size_t compressed_bytes_min = 1024;
inline constexpr std::size_t compressed_bytes_max = 1 << 20;

/// Whether a body of this media type gets smaller: text, JSON, XML and scripts.
[[nodiscard]] bool is_compressible(std::string_view content_type);

/// RFC 1952. Throws Fault when there is no memory for it.
[[nodiscard]] std::string gzip(std::string_view);

}  // namespace al::services::gateway
