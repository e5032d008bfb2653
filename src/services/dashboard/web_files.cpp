#include "services/dashboard/web_files.hpp"

#include <zlib.h>

#include <array>
#include <utility>

#include "core/fault.hpp"
#include "core/hash.hpp"

namespace al::services::dashboard {
namespace {

constexpr std::string_view page_name = "index.html";
constexpr std::string_view nonce_mark = "__CSP_NONCE__";
/// Of zlib's window, in bits; 16 more stand for the header of gzip.
constexpr int gzip_window = 15 + 16;
/// No file of the build comes near it.
constexpr std::size_t inflated_bytes_max = 64 << 20;
constexpr std::size_t hash_characters = 32;

constexpr std::array<std::pair<std::string_view, std::string_view>, 14> types{
    {{".html", "text/html; charset=utf-8"},
     {".js", "text/javascript; charset=utf-8"},
     {".mjs", "text/javascript; charset=utf-8"},
     {".css", "text/css; charset=utf-8"},
     {".json", "application/json"},
     {".map", "application/json"},
     {".webmanifest", "application/manifest+json"},
     {".svg", "image/svg+xml"},
     {".png", "image/png"},
     {".ico", "image/x-icon"},
     {".webp", "image/webp"},
     {".woff2", "font/woff2"},
     {".wasm", "application/wasm"},
     {".txt", "text/plain; charset=utf-8"}}};

std::string_view type_of(std::string_view name) {
  for (auto const& [ending, type] : types) {
    if (name.ends_with(ending))
      return type;
  }
  return "application/octet-stream";
}

std::string inflated(std::string_view gzip) {
  z_stream stream{};
  if (inflateInit2(&stream, gzip_window) != Z_OK)
    throw Fault("there is no memory to inflate a file of the web application");
  // zlib promises not to write to what it reads.
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(gzip.data()));  // NOLINT(*-const-cast)
  stream.avail_in = static_cast<uInt>(gzip.size());
  std::string out;
  int state = Z_OK;
  while (state == Z_OK && out.size() < inflated_bytes_max) {
    auto const before = out.size();
    out.resize(before + std::max<std::size_t>(gzip.size() * 4, 4096));
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + before);
    stream.avail_out = static_cast<uInt>(out.size() - before);
    state = inflate(&stream, Z_NO_FLUSH);
  }
  out.resize(stream.total_out);
  inflateEnd(&stream);
  if (state != Z_STREAM_END)
    throw Fault("a file of the web application is no gzip");
  return out;
}

}  // namespace

WebFile::WebFile(std::string_view name, std::string_view gzip)
    : type_(type_of(name)), gzip_(gzip), hash_(sha256_hex(gzip).substr(0, hash_characters)) {}

std::string const& WebFile::plain() const {
  std::call_once(once_, [this] { plain_ = inflated(gzip_); });
  return plain_;
}

std::string WebFile::etag(bool is_gzip) const { return '"' + hash_ + (is_gzip ? "-gzip\"" : "\""); }

WebFiles::WebFiles(std::span<EmbeddedFile const> files) {
  for (auto const& file : files) {
    if (file.name == page_name)
      page_ = inflated(file.text);
    else
      files_.emplace("/" + std::string(file.name), std::make_unique<WebFile>(file.name, file.text));
  }
}

WebFile const* WebFiles::find(std::string_view path) const {
  auto const found = files_.find(path);
  return found == files_.end() ? nullptr : found->second.get();
}

std::optional<std::string> WebFiles::page(std::string_view nonce) const {
  if (page_.empty())
    return std::nullopt;
  auto out = page_;
  for (auto at = out.find(nonce_mark); at != out.npos; at = out.find(nonce_mark, at + nonce.size()))
    out.replace(at, nonce_mark.size(), nonce);
  return out;
}

}  // namespace al::services::dashboard
