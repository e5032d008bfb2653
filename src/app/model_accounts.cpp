#include "app/model_accounts.hpp"

#include <array>

#include "core/strings.hpp"

namespace al::app {
namespace {

struct Family {
  providers::Kind kind;
  std::string_view name;
  std::string_view own_url;
};
constexpr std::array families{Family{providers::Kind::openai, "openai", "https://api.openai.com/v1"},
                              Family{providers::Kind::anthropic, "anthropic", "https://api.anthropic.com"}};

Result<std::map<std::string, std::string>> read_models(std::string const& setting, std::string_view text) {
  std::map<std::string, std::string> models;
  while (!text.empty()) {
    auto const pair = take_part(text, ',');
    if (pair.empty())
      continue;
    auto rest = pair;
    auto const name = take_part(rest, '=');
    auto const model = trimmed(rest);
    if (name.empty() || model.empty())
      return fail(Code::invalid, setting + ": '" + std::string(pair) + "' is no name=model");
    models.emplace(name, model);
  }
  return models;
}

Result<std::string> read_url(std::string const& setting, std::string url, std::string_view otherwise) {
  if (url.empty())
    return std::string(otherwise);
  if (!url.starts_with("http://") && !url.starts_with("https://"))
    return fail(Code::invalid, setting + " must begin with http:// or https://");
  while (url.ends_with('/'))
    url.pop_back();
  return url;
}

}  // namespace

Result<providers::Accounts> accounts_of(Config const& config) {
  providers::Accounts accounts;
  for (auto const& family : families) {
    std::string const name(family.name);
    if (!config.is_set(name + ".api_key") && !config.is_set(name + ".base_url"))
      continue;
    auto url = read_url(name + ".base_url", config.text(name + ".base_url"), family.own_url);
    auto models = read_models(name + ".models", config.text(name + ".models"));
    if (!url || !models)
      return fail(url ? models.error() : url.error());
    accounts.push_back({.id = name,
                        .kind = family.kind,
                        .base_url = std::move(*url),
                        .key = config.text(name + ".api_key"),
                        .default_model = config.text(name + ".model"),
                        .models = std::move(*models)});
  }
  return accounts;
}

http::ClientOptions model_client_options(Config const& config) {
  return {.connect_timeout = std::chrono::seconds(config.integer("models.connect_timeout")),
          .first_byte_timeout = std::chrono::seconds(config.integer("models.first_token_timeout")),
          .idle_timeout = std::chrono::seconds(config.integer("models.idle_timeout"))};
}

}  // namespace al::app
