#include "services/gateway/compression.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>

#include "core/fault.hpp"
#include "http/message.hpp"

namespace al::services::gateway {
namespace {

/// The one before the gain flattens: half the time of zlib's usual level, and within a tenth of its size.
constexpr int level = 3;
/// Of zlib's window, in bits; 16 more stand for the header of gzip.
constexpr int gzip_window = 15 + 16;
constexpr int memory_level = 8;

}  // namespace

bool is_compressible(std::string_view content_type) {
  auto type = content_type.substr(0, std::min(content_type.find_first_of("; \t"), content_type.size()));
  constexpr std::string_view text = "text/";
  if (http::equal_without_case(type, "text/event-stream"))
    return false;
  constexpr std::array<std::string_view, 6> types{"application/json",     "application/javascript", "application/xml",
                                                  "application/x-ndjson", "application/yaml",       "image/svg+xml"};
  constexpr std::array<std::string_view, 2> suffixes{"+json", "+xml"};
  auto const ends_with = [&](std::string_view suffix) {
    return type.size() > suffix.size() && http::equal_without_case(type.substr(type.size() - suffix.size()), suffix);
  };
  return http::equal_without_case(type.substr(0, text.size()), text) || std::ranges::any_of(suffixes, ends_with) ||
         std::ranges::any_of(types, [&](auto one) { return http::equal_without_case(type, one); });
}

std::string gzip(std::string_view text) {
  z_stream stream{};
  if (deflateInit2(&stream, level, Z_DEFLATED, gzip_window, memory_level, Z_DEFAULT_STRATEGY) != Z_OK)
    throw Fault("there is no memory to compress an answer");
  std::string out(deflateBound(&stream, static_cast<uLong>(text.size())), '\0');
  // zlib promises not to write to what it reads.
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));  // NOLINT(*-const-cast)
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  auto const ended = deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  if (ended != Z_STREAM_END)
    throw Fault("an answer could not be compressed");
  return out;
}

}  // namespace al::services::gateway
