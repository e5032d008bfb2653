#pragma once
#include <memory>

#include "providers/account.hpp"
#include "providers/answer_stream.hpp"
#include "providers/chat.hpp"

namespace al::providers {

/// OpenAI, and whatever speaks its protocol: Ollama, vLLM, llama.cpp. `base_url` includes the version ("…/v1").
class OpenAi final : public ChatModel {
 public:
  OpenAi(CallServices services, Account account) : services_(services), account_(std::move(account)) {}
  [[nodiscard]] Task<Result<ChatAnswer>> chat(ChatRequest const&, Deadline, OnText) override;

 private:
  CallServices services_;
  Account account_;
};

/// Anthropic's Messages. `base_url` has no version.
class Anthropic final : public ChatModel {
 public:
  Anthropic(CallServices services, Account account) : services_(services), account_(std::move(account)) {}
  [[nodiscard]] Task<Result<ChatAnswer>> chat(ChatRequest const&, Deadline, OnText) override;

 private:
  CallServices services_;
  Account account_;
};

/// The account's protocol.
[[nodiscard]] std::unique_ptr<ChatModel> chat_model(CallServices, Account);

}  // namespace al::providers
