#include "providers/remote.hpp"

#include "core/utf8.hpp"
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

/// Some servers repeat the key that they refuse, or send pages of text.
Result<ChatAnswer> without_secrets(Result<ChatAnswer> answer, std::string const& key) {
  constexpr std::size_t message_max = 1000;
  if (answer)
    return answer;
  auto& message = answer.error().message;
  for (auto at = key.empty() ? std::string::npos : message.find(key); at != std::string::npos;
       at = message.find(key, at))
    message.replace(at, key.size(), "***");
  if (message.size() > message_max)
    message = message.substr(0, utf8::valid_prefix(message.substr(0, message_max))) + "…";
  return answer;
}

}  // namespace

Task<Result<ChatAnswer>> OpenAi::chat(ChatRequest const& request, Deadline deadline, OnText on_text) {
  auto headers = json_headers();
  if (!account_.key.empty())
    headers.set("Authorization", "Bearer " + account_.key);
  auto answer =
      co_await call<openai::Reader>(services_, account_.base_url + "/chat/completions", std::move(headers),
                                    openai::request_body(request), deadline, std::move(on_text), &openai::error_of);
  co_return without_secrets(std::move(answer), account_.key);
}

Task<Result<ChatAnswer>> Anthropic::chat(ChatRequest const& request, Deadline deadline, OnText on_text) {
  auto headers = json_headers();
  headers.set("anthropic-version", anthropic_version);
  if (!account_.key.empty())
    headers.set("x-api-key", account_.key);
  auto answer = co_await call<anthropic::Reader>(services_, account_.base_url + "/v1/messages", std::move(headers),
                                                 anthropic::request_body(request), deadline, std::move(on_text),
                                                 &anthropic::error_of);
  co_return without_secrets(std::move(answer), account_.key);
}

std::unique_ptr<ChatModel> chat_model(CallServices services, Account account) {
  if (account.kind == Kind::anthropic)
    return std::make_unique<Anthropic>(services, std::move(account));
  return std::make_unique<OpenAi>(services, std::move(account));
}

}  // namespace al::providers
