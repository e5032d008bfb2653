#pragma once
#include <string>

#include "providers/answer_stream.hpp"
#include "providers/chat.hpp"

namespace al::providers {

/// Where a provider is and what it is entered with. `base_url` ends where the protocol's own paths begin, as the
/// official clients have it.
struct Account {
  std::string base_url;
  std::string key;  ///< may be empty: servers of one's own often need none
};

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

}  // namespace al::providers
