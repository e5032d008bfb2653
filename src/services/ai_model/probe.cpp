#include "services/ai_model/probe.hpp"

#include "core/json.hpp"
#include "providers/anthropic_format.hpp"
#include "providers/openai_format.hpp"
#include "providers/upstream.hpp"
#include "security/secret_key.hpp"

namespace al::services::ai_model {
namespace {

constexpr std::size_t models_max = 1000;
constexpr std::size_t reason_bytes_max = 500;

struct Ask {
  std::string url;
  http::Headers headers;
};

Ask ask_for_models(providers::Account const& account) {
  Ask ask;
  ask.headers.set("Accept", "application/json");
  providers::add_key(ask.headers, account);
  if (account.kind == providers::Kind::anthropic) {
    ask.url = account.base_url + "/v1/models?limit=1000";
    ask.headers.set("anthropic-version", providers::anthropic::api_version);
  } else {
    ask.url = account.base_url + "/models";
  }
  return ask;
}

Result<std::vector<std::string>> models_of(providers::Kind kind, Result<http::Response> const& answer) {
  if (!answer)
    return fail(answer.error());
  auto const& body = std::get<std::string>(answer->body);
  if (answer->status == 200)
    return read_model_list(body);
  return fail(kind == providers::Kind::anthropic ? providers::anthropic::error_of(answer->status, body)
                                                 : providers::openai::error_of(answer->status, body));
}

}  // namespace

Result<std::vector<std::string>> read_model_list(std::string_view body) {
  auto const parsed = json::parse(body);
  auto const* object = parsed ? parsed->if_object() : nullptr;
  auto const* data = object != nullptr ? object->if_contains("data") : nullptr;
  auto const* list = data != nullptr ? data->if_array() : nullptr;
  if (list == nullptr)
    return fail(Code::unavailable, "answered, but with no list of models; base_url may name another service");
  std::vector<std::string> models;
  for (auto const& entry : *list) {
    auto const* model = entry.if_object();
    auto const* id = model != nullptr ? model->if_contains("id") : nullptr;
    if (id != nullptr && id->is_string() && models.size() < models_max)
      models.emplace_back(id->get_string().data(), id->get_string().size());
  }
  return models;
}

Task<Probe> probe(http::Client& client, providers::Account account, Deadline deadline) {
  auto ask = ask_for_models(account);
  auto const begin = std::chrono::steady_clock::now();
  auto const answer = co_await client.send(http::Method::get, std::move(ask.url), std::move(ask.headers), {}, deadline);
  auto const taken = std::chrono::steady_clock::now() - begin;
  auto models = models_of(account.kind, answer);
  if (!models)
    models = fail(providers::told(std::move(models.error()), account, reason_bytes_max));
  security::wipe(account.key);
  co_return Probe{.latency = std::chrono::duration_cast<std::chrono::milliseconds>(taken), .models = std::move(models)};
}

}  // namespace al::services::ai_model
