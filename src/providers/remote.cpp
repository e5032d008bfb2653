#include "providers/remote.hpp"

#include "providers/anthropic_format.hpp"
#include "providers/openai_format.hpp"

namespace al::providers {
namespace {

constexpr std::size_t message_bytes_max = 1000;

http::Headers headers_for(Account const& account) {
  http::Headers out;
  out.set("Content-Type", "application/json");
  out.set("Accept", "text/event-stream");
  add_key(out, account);
  return out;
}

Result<ChatAnswer> told(Result<ChatAnswer> answer, Account const& account) {
  if (!answer)
    answer = std::unexpected(told(std::move(answer.error()), account, message_bytes_max));
  return answer;
}

}  // namespace

Task<Result<ChatAnswer>> OpenAi::chat(ChatRequest const& request, Deadline deadline, OnText on_text) {
  auto const ask = [&](std::string_view limit_name) {
    return call<openai::Reader>(services_, account_.base_url + "/chat/completions", headers_for(account_),
                                openai::request_body(request, limit_name), deadline, on_text, &openai::error_of);
  };
  auto const limit_name = openai::limit_name_at(account_.base_url);
  auto answer = co_await ask(limit_name);
  if (!answer && limit_name == openai::limit_name && openai::wants_newer_limit_name(answer.error()))
    answer = co_await ask(openai::newer_limit_name);
  co_return told(std::move(answer), account_);
}

Task<Result<ChatAnswer>> Anthropic::chat(ChatRequest const& request, Deadline deadline, OnText on_text) {
  auto headers = headers_for(account_);
  headers.set("anthropic-version", anthropic::api_version);
  auto answer = co_await call<anthropic::Reader>(services_, account_.base_url + "/v1/messages", std::move(headers),
                                                 anthropic::request_body(request), deadline, std::move(on_text),
                                                 &anthropic::error_of);
  co_return told(std::move(answer), account_);
}

std::unique_ptr<ChatModel> chat_model(CallServices services, Account account) {
  if (account.kind == Kind::anthropic)
    return std::make_unique<Anthropic>(services, std::move(account));
  return std::make_unique<OpenAi>(services, std::move(account));
}

}  // namespace al::providers
