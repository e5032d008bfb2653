#include <array>

#include "http/router.hpp"

namespace al::http {
namespace {

struct Meaning {
  Code code;
  int status;
  std::string_view title;
};

// The one table from error to status; a code of result.hpp that is not here stops the tests.
constexpr std::array<Meaning, 18> meanings{{
    {Code::bad_request, 400, "Bad request"},
    {Code::invalid, 422, "Invalid"},
    {Code::unauthenticated, 401, "Not signed in"},
    {Code::mfa_required, 401, "Second factor required"},
    {Code::forbidden, 403, "Forbidden"},
    {Code::not_found, 404, "Not found"},
    {Code::method_not_allowed, 405, "Method not allowed"},
    {Code::conflict, 409, "Conflict"},
    {Code::version_mismatch, 412, "Version mismatch"},
    {Code::lease_lost, 409, "Lease lost"},
    {Code::idempotency_mismatch, 422, "Idempotency key used with another request"},
    {Code::payload_too_large, 413, "Body too large"},
    {Code::unsupported_media_type, 415, "Unsupported media type"},
    {Code::headers_too_large, 431, "Headers too large"},
    {Code::too_many_requests, 429, "Too many requests"},
    {Code::timed_out, 504, "Timed out"},
    {Code::unavailable, 503, "Unavailable"},
    {Code::internal, 500, "Internal error"},
}};

Meaning const& meaning_of(Code code) {
  for (auto const& meaning : meanings) {
    if (meaning.code == code)
      return meaning;
  }
  return meanings.back();
}

void append_member(std::string& out, std::string_view name, std::string_view value) {
  out.append(",\"").append(name).append("\":");
  json::append_string(out, value);
}

void append_faults(std::string& out, std::vector<FieldFault> const& faults) {
  out.append(",\"errors\":[");
  for (auto const& fault : faults) {
    if (&fault != faults.data())
      out.push_back(',');
    out.append("{\"path\":");
    json::append_string(out, fault.path);
    append_member(out, "message", fault.message);
    out.push_back('}');
  }
  out.push_back(']');
}

// A header is visible ASCII; an id of ours may be any UTF-8.
std::string escape_location(std::string_view location) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  out.reserve(location.size());
  for (char const c : location) {
    if (c > ' ' && c < 0x7f) {
      out.push_back(c);
      continue;
    }
    auto const byte = static_cast<std::uint8_t>(c);
    out.append({'%', digits[byte >> 4], digits[byte & 15]});
  }
  return out;
}

}  // namespace

int status_of(Code code) { return meaning_of(code).status; }

Response problem(Error const& error, std::string_view request_id, int status) {
  auto const& meaning = meaning_of(error.code);
  if (status == 0)
    status = meaning.status;
  std::string const code = boost::describe::enum_to_string(error.code, "internal");
  std::string body = R"({"type":"urn:agent-lightning:problem:)" + code + '"';
  append_member(body, "title", meaning.title);
  body.append(",\"status\":").append(std::to_string(status));
  append_member(body, "detail", error.message);
  append_member(body, "code", code);
  append_member(body, "request_id", request_id);
  if (!error.faults.empty())
    append_faults(body, error.faults);
  body.push_back('}');

  Response response{.status = status, .headers = {}, .body = std::move(body)};
  response.headers.add("Content-Type", "application/problem+json");
  auto retry_after = error.retry_after;
  if (!retry_after && (error.code == Code::unavailable || error.code == Code::too_many_requests)) {
    retry_after = std::chrono::seconds{1};
  }
  if (retry_after)
    response.headers.add("Retry-After", std::to_string(retry_after->count()));
  if (error.code == Code::unauthenticated)
    response.headers.add("WWW-Authenticate", "Bearer");
  return response;
}

Response entity_response(int status, std::string json, std::int64_t version, std::string location) {
  auto response = json_response(status, std::move(json));
  response.headers.add("ETag", '"' + std::to_string(version) + '"');
  if (!location.empty())
    response.headers.add("Location", escape_location(location));
  return response;
}

}  // namespace al::http
