#include "services/ai_model/protocol.hpp"

#include <algorithm>
#include <array>
#include <boost/describe/enum_to_string.hpp>
#include <span>

#include "providers/upstream.hpp"

namespace al::services::ai_model {
namespace {

using providers::Kind;

constexpr std::array<std::string_view, 9> passed_on{
    "accept",          "accept-language",     "content-type", "user-agent", "openai-beta",
    "idempotency-key", "x-client-request-id", "http-referer", "x-title"};
constexpr std::array<std::string_view, 2> passed_on_families{"anthropic-", "x-stainless-"};

constexpr std::array<std::string_view, 11> passed_back{
    "content-type",   "content-encoding", "cache-control", "request-id",    "x-request-id",       "retry-after",
    "retry-after-ms", "x-should-retry",   "cf-ray",        "server-timing", "x-client-request-id"};
constexpr std::array<std::string_view, 3> passed_back_families{"x-ratelimit-", "anthropic-", "openai-"};

bool is_one_of(std::string_view name, std::span<std::string_view const> names,
               std::span<std::string_view const> families) {
  return std::ranges::any_of(names, [&](auto known) { return http::equal_without_case(name, known); }) ||
         std::ranges::any_of(
             families, [&](auto family) { return http::equal_without_case(name.substr(0, family.size()), family); });
}

std::string_view openai_type(int status) {
  switch (status) {
    case 401:
      return "authentication_error";
    case 403:
      return "permission_error";
    case 404:
      return "not_found_error";
    case 429:
      return "rate_limit_error";
    default:
      return status >= 500 ? "server_error" : "invalid_request_error";
  }
}

std::string_view anthropic_type(int status) {
  switch (status) {
    case 401:
      return "authentication_error";
    case 403:
      return "permission_error";
    case 404:
      return "not_found_error";
    case 413:
      return "request_too_large";
    case 429:
      return "rate_limit_error";
    case 503:
      return "overloaded_error";
    case 504:
      return "timeout_error";
    default:
      return status >= 500 ? "api_error" : "invalid_request_error";
  }
}

/// Status and headers as for every error of ours. Neither protocol has a 422 for a request that it refuses.
http::Response frame(Error const& error, std::string_view request_id, int status) {
  auto response = http::problem(error, request_id, error.code == Code::invalid && status == 0 ? 400 : status);
  response.headers.set("Content-Type", "application/json");
  return response;
}

std::string json_text(std::string_view text) {
  std::string out;
  json::append_string(out, text);
  return out;
}

}  // namespace

http::Response openai_error(Error const& error, std::string_view request_id, int status) {
  auto response = frame(error, request_id, status);
  std::string const code = boost::describe::enum_to_string(error.code, "internal");
  auto const param = error.faults.empty() ? std::string("null") : json_text(error.faults.front().path);
  response.body = R"({"error":{"message":)" + json_text(error.message) + R"(,"type":")" +
                  std::string(openai_type(response.status)) + R"(","param":)" + param + R"(,"code":")" + code + "\"}}";
  return response;
}

http::Response anthropic_error(Error const& error, std::string_view request_id, int status) {
  auto response = frame(error, request_id, status);
  response.body = R"({"type":"error","error":{"type":")" + std::string(anthropic_type(response.status)) +
                  R"(","message":)" + json_text(error.message) + R"(},"request_id":)" + json_text(request_id) + "}";
  response.headers.add("request-id", request_id);
  return response;
}

http::ErrorFormat error_format(Kind kind) { return kind == Kind::anthropic ? anthropic_error : openai_error; }

http::Response gateway_error(Kind kind, Error const& error, std::string_view request_id) {
  bool const is_refused = error.code == Code::forbidden;
  int const status = error.code == Code::timed_out ? 504 : is_refused ? 403 : 502;
  Error told{.code = error.code, .message = "The model provider could not be asked. " + error.message};
  return error_format(kind)(told, request_id, status);
}

Error for_caller(Error error) {
  if (error.code == Code::unauthenticated)
    error.code = Code::unavailable;
  if (error.code == Code::not_found)
    error.code = Code::invalid;
  return error;
}

void hide_key(http::Response& response, providers::Account const& account) {
  auto* const text = std::get_if<std::string>(&response.body);
  if (response.status >= 400 && text != nullptr)
    providers::hide_key(*text, account.key);
}

std::string query_of(std::string const& target) {
  auto const mark = target.find('?');
  return mark == target.npos ? std::string() : target.substr(mark);
}

http::Headers headers_for(providers::Account const& account, http::Headers const& of_caller) {
  http::Headers out;
  out.reserve(of_caller.size() + 1);
  for (auto const& [name, value] : of_caller) {
    if (is_one_of(name, passed_on, passed_on_families))
      out.add(name, value);
  }
  providers::add_key(out, account);
  return out;
}

http::Headers headers_from(http::Headers const& of_provider) {
  http::Headers out;
  out.reserve(of_provider.size() + 2);
  for (auto const& [name, value] : of_provider) {
    if (is_one_of(name, passed_back, passed_back_families))
      out.add(name, value);
  }
  return out;
}

}  // namespace al::services::ai_model
