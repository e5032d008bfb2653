#include "providers/remote.hpp"

#include "providers/anthropic_format.hpp"
#include "providers/openai_format.hpp"

namespace al::providers {
namespace {

/// The newer version refuses sampling parameters that agents may have configured.
constexpr std::string_view anthropic_version = "2023-06-01";

http::Headers json_headers() {
  http::Headers out;
  out.set("Content-Type", "application/json");
  out.set("Accept", "text/event-stream");
  return out;
}

}  // namespace

Task<Result<ChatAnswer>> OpenAi::chat(ChatRequest const& request, Deadline deadline, OnText on_text) {
  auto headers = json_headers();
  if (!account_.key.empty())
    headers.set("Authorization", "Bearer " + account_.key);
  co_return co_await call<openai::Reader>(services_, account_.base_url + "/chat/completions", std::move(headers),
                                          openai::request_body(request), deadline, std::move(on_text),
                                          &openai::error_of);
}

Task<Result<ChatAnswer>> Anthropic::chat(ChatRequest const& request, Deadline deadline, OnText on_text) {
  auto headers = json_headers();
  headers.set("anthropic-version", anthropic_version);
  if (!account_.key.empty())
    headers.set("x-api-key", account_.key);
  co_return co_await call<anthropic::Reader>(services_, account_.base_url + "/v1/messages", std::move(headers),
                                             anthropic::request_body(request), deadline, std::move(on_text),
                                             &anthropic::error_of);
}

}  // namespace al::providers
