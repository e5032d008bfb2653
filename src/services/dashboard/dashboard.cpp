#include "services/dashboard/dashboard.hpp"

#include <algorithm>
#include <array>

#include "http/negotiation.hpp"
#include "http/target.hpp"

namespace al::services::dashboard {
namespace {

using http::Method;
using http::Request;
using http::Response;

constexpr std::array<std::string_view, 4> of_process{"/health", "/ready", "/metrics", "/openapi.json"};
constexpr std::string_view assets = "/assets/";
constexpr std::string_view all_of_page = "GET, HEAD";
constexpr std::size_t nonce_bytes = 16;
constexpr std::size_t extension_characters_max = 8;

/// The path of a page or of one of its files. Nothing when somebody else answers: the API, the process, or whoever says
/// what is wrong with a target that means nothing.
std::optional<std::string> page_path(std::string_view target) {
  auto read = http::read_target(target);
  if (!read)
    return std::nullopt;
  auto& path = read->path;
  bool const is_api = path == "/api" || path.starts_with("/api/");
  if (is_api || std::ranges::count(of_process, path) > 0)
    return std::nullopt;
  return std::move(path);
}

bool is_alphanumeric(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// "/theme.js" has one: whoever asks for a file that is not there wants no page instead.
bool has_extension(std::string_view path) {
  auto const segment = path.substr(path.rfind('/') + 1);
  auto const dot = segment.rfind('.');
  if (dot == segment.npos)
    return false;
  auto const extension = segment.substr(dot + 1);
  return !extension.empty() && extension.size() <= extension_characters_max &&
         std::ranges::all_of(extension, is_alphanumeric);
}

/// Some browsers do not count WebSockets of the page's own host to 'self'. Any other character than these would end the
/// directive.
std::string sockets_of(Request const& request) {
  auto const host = request.headers.find("Host").value_or("");
  bool const is_plain = !host.empty() && std::ranges::all_of(host, [](char c) {
    return is_alphanumeric(c) || c == '.' || c == '-' || c == '_' || c == ':' || c == '[' || c == ']';
  });
  return is_plain ? " ws://" + std::string(host) + " wss://" + std::string(host) : std::string();
}

std::string content_security_policy(std::string_view nonce, Request const& request) {
  return "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-" + std::string(nonce) +
         "'; img-src 'self' data:; font-src 'self'; connect-src 'self'" + sockets_of(request) +
         "; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
}

Error no_such_file(std::string_view path) {
  return {.code = Code::not_found, .message = "There is no page or file '" + std::string(path) + "' here."};
}

/// What has a hash in its name never changes; the rest is asked for again each time.
Response file_response(WebFile const& file, bool is_asset, bool takes_gzip) {
  Response response;
  response.headers.set("Content-Type", file.content_type());
  response.headers.set("Cache-Control", is_asset ? "public, max-age=31536000, immutable" : "no-cache");
  response.headers.set("Vary", "Accept-Encoding");
  response.headers.set("Cross-Origin-Resource-Policy", "same-origin");
  response.headers.set("ETag", file.etag(takes_gzip));
  if (takes_gzip) {
    response.headers.set("Content-Encoding", "gzip");
    response.body = std::string(file.gzip());
  } else {
    response.body = file.plain();
  }
  return response;
}

}  // namespace

Task<Response> Dashboard::dispatch(http::Context context, Request request) {
  auto const path = page_path(request.target);
  if (!path)
    co_return co_await api_.dispatch(std::move(context), std::move(request));
  identify(context, request.headers, ids_);
  Response response;
  if (request.method != Method::get && request.method != Method::head) {
    response = http::problem({.code = Code::method_not_allowed, .message = "This is a page: it can only be read."},
                             context.request_id);
    response.headers.set("Allow", all_of_page);
  } else {
    response = answer(request, *path);
    if (response.status == 404)
      response = http::problem(no_such_file(*path), context.request_id);
  }
  leave_out_unwanted(response, request.method, request.headers);
  add_identity(response, context);
  co_return response;
}

std::optional<http::RouteLimits> Dashboard::limits(Method method, std::string_view path) const {
  return page_path(path) ? std::nullopt : api_.limits(method, path);
}

Response Dashboard::answer(Request const& request, std::string const& path) const {
  if (auto const* file = files_.find(path))
    return file_response(*file, path.starts_with(assets), http::accepts_gzip(request.headers));
  bool const is_page = path == "/index.html" || (!has_extension(path) && !path.starts_with(assets));
  if (is_page && http::accepts_html(request.headers))
    return page(request);
  return {.status = 404};
}

Response Dashboard::page(Request const& request) const {
  auto const nonce = random_.token(nonce_bytes);
  auto text = files_.page(nonce);
  if (!text)
    return {.status = 404};
  Response response;
  response.headers.set("Content-Type", "text/html; charset=utf-8");
  response.headers.set("Cache-Control", "no-store");
  response.headers.set("Content-Security-Policy", content_security_policy(nonce, request));
  response.headers.set("X-Frame-Options", "DENY");
  response.headers.set("Referrer-Policy", "no-referrer");
  response.headers.set("Cross-Origin-Opener-Policy", "same-origin");
  response.headers.set("Cross-Origin-Resource-Policy", "same-origin");
  response.headers.set("Permissions-Policy", "camera=(), microphone=(), geolocation=()");
  response.body = std::move(*text);
  return response;
}

}  // namespace al::services::dashboard
